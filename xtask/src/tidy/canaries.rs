//! Canaries: the made-up people of the fixtures appear in the fixtures and nowhere else.

use super::{Rule, Violation};
use crate::tree::Tree;

const CANARY: Rule = Rule {
    name: "canary",
    reason: "tests search logs and disks for these words: each may be known from fixtures alone",
};

/// The list: one NIK, KK number or name a line; `#` begins a comment.
const LIST: &str = "tests/fixtures/canaries.txt";

/// The only folder whose files may hold one.
const FIXTURES: &str = "tests/fixtures/";

/// Files outside the fixtures that may hold one, with the reason.
const ELSEWHERE: &[(&str, &str)] = &[];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let list = tree.text(LIST).unwrap_or_default().lines().map(str::trim);
    let canaries: Vec<&str> = list
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut found = Vec::new();
    for (path, bytes) in tree.files() {
        if path.starts_with(FIXTURES) || ELSEWHERE.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let text = String::from_utf8_lossy(bytes);
        for (at, _) in canaries
            .iter()
            .flat_map(|canary| whole_words(&text, canary))
        {
            let line = text
                .get(..at)
                .map_or(1, |before| before.matches('\n').count() + 1);
            // The canary itself is not printed: this report may be captured and searched as well.
            found.push(Violation::new(
                &CANARY,
                path,
                line,
                "holds a line of canaries.txt",
            ));
        }
    }
    found
}

fn whole_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.match_indices(word).filter(move |(at, found)| {
        let before = text.get(..*at).and_then(|it| it.chars().next_back());
        let after = text
            .get(at.saturating_add(found.len())..)
            .and_then(|it| it.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    fn check(path: &str, text: &str, rules: &[&Rule]) {
        let list = "# made up\n\nPERSON ONE\n99\n";
        assert_found(
            &super::check(&Tree::planted(&[(LIST, list), (path, text)])),
            rules,
        );
    }

    #[test]
    fn a_canary_outside_the_fixtures_is_found() {
        check("docs/a.md", "here is PERSON ONE", &[&CANARY]);
        check("daemon/src/a.rs", "\"99\"", &[&CANARY]);
        check("a.bin", "\u{0}99\u{0}", &[&CANARY]);
    }

    #[test]
    fn a_canary_in_the_fixtures_or_inside_another_word_passes() {
        check("tests/fixtures/a.json", "PERSON ONE", &[]);
        check("docs/a.md", "199 and PERSON ONES", &[]);
        check("docs/a.md", "made up", &[]);
    }

    #[test]
    fn the_line_is_told_and_the_canary_is_not() {
        let tree = Tree::planted(&[(LIST, "99\n"), ("a.md", "one\ntwo 99\n")]);
        let found = super::check(&tree);
        assert_eq!(found[0].line, 2);
        assert!(!found[0].to_string().contains("99"));
    }
}
