//! Stable codes: each family has one line in docs/codes.md, which also says in which files it is given.

use std::collections::BTreeSet;

use super::{Rule, Violation};
use crate::tree::Tree;

const CODES: Rule = Rule {
    name: "one meaning a code",
    reason: "a code that is read out on the telephone must not mean two things",
};

const PAGE: &str = "docs/codes.md";

/// Begins the head of the table of families.
const HEAD: &str = "| family |";

/// A family: how its codes begin, and where they may stand.
struct Family<'a> {
    prefix: &'a str,
    places: Vec<&'a str>,
}

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let page = tree.text(PAGE).unwrap_or_default();
    let mut found = Vec::new();
    let families = families(page, &mut found);
    for (path, text) in tree.texts(&[".rs"]) {
        if is_test(path) || path.starts_with("xtask/") {
            continue;
        }
        let mut given = BTreeSet::new();
        let lines = text.lines().enumerate();
        for (at, line) in lines.take_while(|(_at, line)| *line != "#[cfg(test)]") {
            for code in quoted(line) {
                if !given.insert(code) {
                    let what = format!("{code} is given twice");
                    found.push(Violation::new(&CODES, path, at + 1, what));
                }
                if !families.iter().any(|family| family.gives(code, path)) {
                    let what = format!("{code} is of no family that {PAGE} has here");
                    found.push(Violation::new(&CODES, path, at + 1, what));
                }
            }
        }
    }
    found
}

impl Family<'_> {
    fn gives(&self, code: &str, path: &str) -> bool {
        code.starts_with(self.prefix) && self.places.contains(&path)
    }
}

/// Reads the table, in which no family may begin as another does.
fn families<'a>(page: &'a str, found: &mut Vec<Violation>) -> Vec<Family<'a>> {
    let mut families: Vec<Family<'a>> = Vec::new();
    let lines = page.lines().enumerate();
    let table = lines
        .skip_while(|(_at, line)| !line.starts_with(HEAD))
        .skip(2);
    for (at, row) in table.take_while(|(_at, line)| line.starts_with('|')) {
        let mut cells = row.split('|').skip(1);
        let quoted = |cell: &'a str| cell.split('`').skip(1).step_by(2);
        let prefix = cells.next().and_then(|cell| quoted(cell).next());
        let prefix = prefix.unwrap_or_default();
        let is_known = |known: &Family<'_>| {
            known.prefix.starts_with(prefix) || prefix.starts_with(known.prefix)
        };
        if families.iter().any(is_known) {
            let what = format!("the family '{prefix}' stands twice");
            found.push(Violation::new(&CODES, PAGE, at + 1, what));
        }
        let places = cells.next().map(quoted).into_iter().flatten().collect();
        families.push(Family { prefix, places });
    }
    if families.is_empty() {
        found.push(Violation::new(&CODES, PAGE, 1, "no table of families"));
    }
    families
}

fn is_test(path: &str) -> bool {
    let path = format!("/{path}");
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.contains("/fuzz/")
}

/// The codes that stand on a line as texts of their own: a letter, a hyphen, three digits.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let code = if line.trim_start().starts_with("//") {
        ""
    } else {
        line
    };
    code.split('"').filter(|text| {
        let is_code = |[letter, hyphen, digits @ ..]: &[u8; 5]| {
            letter.is_ascii_uppercase() && *hyphen == b'-' && digits.iter().all(u8::is_ascii_digit)
        };
        text.as_bytes().try_into().is_ok_and(|text| is_code(&text))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    const TABLE: &str = "# Codes\n\n| family | given in | meaning |\n|---|---|---|\n\
                         | `A-1` | `a/src/one.rs`, `a/src/two.rs` | x |\n| `B` | `a/src/b.rs` | y |\n\n| `Z` | |\n";

    fn check(page: &str, path: &str, text: &str, rules: &[&Rule]) {
        let tree = Tree::planted(&[(PAGE, page), (path, text)]);
        assert_found(&super::check(&tree), rules);
    }

    #[test]
    fn a_code_in_a_file_of_its_family_passes() {
        check(TABLE, "a/src/one.rs", "\"A-101\", \"A-102\"", &[]);
        check(TABLE, "a/src/two.rs", "x => \"A-101\"", &[]);
        check(TABLE, "a/src/b.rs", "\"B-901\" \"B-9012\" \"UTF-8\"", &[]);
        check(TABLE, "a/src/c.rs", "    /// In JSON \"Q-101\".", &[]);
        check(TABLE, "a/tests/b.rs", "\"Q-101\"", &[]);
        check(
            TABLE,
            "a/src/c.rs",
            "#[cfg(test)]\nmod x { \"Q-101\" }",
            &[],
        );
    }

    #[test]
    fn a_code_elsewhere_twice_or_of_no_family_is_found() {
        check(TABLE, "a/src/b.rs", "\"A-101\"", &[&CODES]);
        check(TABLE, "a/src/one.rs", "\"A-201\"", &[&CODES]);
        check(TABLE, "a/src/b.rs", "\"B-101\"\n\"B-101\"", &[&CODES]);
        check(TABLE, "a/src/b.rs", "\"Z-101\"", &[&CODES]);
    }

    #[test]
    fn a_family_twice_or_none_at_all_is_found() {
        let twice = TABLE.replace("| `B` |", "| `A` |");
        check(&twice, "a/src/one.rs", "\"A-101\"", &[&CODES]);
        check("# Codes\n", "a/src/one.rs", "", &[&CODES]);
    }
}
