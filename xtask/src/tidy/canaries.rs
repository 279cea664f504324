//! Canaries: the made-up people of the fixtures appear in the fixtures and nowhere else, and
//! nobody else appears anywhere.

use super::{Rule, Violation};
use crate::tree::Tree;

const CANARY: Rule = Rule {
    name: "canary",
    reason: "tests search logs and disks for these words: each may be known from fixtures alone",
};

const PERSON: Rule = Rule {
    name: "made-up people",
    reason: "a number of this shape may be a living person's, unless canaries.txt lists it",
};

/// The list: one NIK, KK number or name a line; `#` begins a comment.
const LIST: &str = "tests/fixtures/canaries.txt";

/// The only folder whose files may hold one.
const FIXTURES: &str = "tests/fixtures/";

/// Digits of a NIK and of a KK number: region (6), a date as ddmmyy, a serial (4).
const NUMBER_DIGITS: usize = 16;

/// The first two digits name a province; 11 is the lowest, and new ones are still being made.
const PROVINCES: std::ops::RangeInclusive<u32> = 11..=98;

/// What fixtures use for a province: none has it, so no person can hold such a number.
const NO_PROVINCE: u32 = 99;

/// Added to the day of a woman's birth.
const WOMAN_DAYS: u32 = 40;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let list = tree.text(LIST).unwrap_or_default().lines().map(str::trim);
    let canaries: Vec<&str> = list
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if canaries.is_empty() {
        let what = "no canary is listed, so searching for them finds nothing";
        return vec![Violation::new(&CANARY, LIST, 1, what)];
    }
    let mut found = Vec::new();
    for (path, bytes) in tree.files() {
        let text = String::from_utf8_lossy(bytes);
        let fixture = path.starts_with(FIXTURES);
        // What was found is not printed: this report may be captured and searched as well.
        if !fixture {
            for at in canaries
                .iter()
                .flat_map(|canary| whole_words(&text, canary))
            {
                let what = "holds a line of canaries.txt";
                found.push(Violation::new(&CANARY, path, line_at(&text, at), what));
            }
        }
        for (at, number) in numbers(&text).filter(|(_, number)| !canaries.contains(number)) {
            let province = province_of(number);
            let unlisted = fixture && province == Some(NO_PROVINCE);
            if unlisted || province.is_some_and(|province| PROVINCES.contains(&province)) {
                let what = "holds a number that may be a NIK or KK number and is no canary";
                found.push(Violation::new(&PERSON, path, line_at(&text, at), what));
            }
        }
    }
    found
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at)
        .map_or(1, |before| before.matches('\n').count() + 1)
}

/// Where `word` stands in `text` with no letter or digit at either side.
fn whole_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    let whole = move |at: &usize| {
        let before = text.get(..*at).and_then(|it| it.chars().next_back());
        let after = text
            .get(at.saturating_add(word.len())..)
            .and_then(|it| it.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(word).map(|(at, _)| at).filter(whole)
}

/// Every word of exactly sixteen digits, with its place.
fn numbers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|it: char| !it.is_alphanumeric());
    let mut end = 0_usize;
    words.filter_map(move |word| {
        let at = text
            .get(end..)
            .and_then(|rest| rest.find(word))
            .map_or(end, |it| end + it);
        end = at.saturating_add(word.len());
        let digits = word.len() == NUMBER_DIGITS && word.bytes().all(|it| it.is_ascii_digit());
        digits.then_some((at, word))
    })
}

/// The first two digits of a number that has a date where a NIK and a KK number have theirs.
fn province_of(number: &str) -> Option<u32> {
    let part = |range: std::ops::Range<usize>| number.get(range)?.parse::<u32>().ok();
    let (day, month) = (part(6..8)?, part(8..10)?);
    let days = (1..=31).contains(&day) || (1 + WOMAN_DAYS..=31 + WOMAN_DAYS).contains(&day);
    if days && (1..=12).contains(&month) {
        part(0..2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    /// The number's parts stand apart, so that this file holds no such number itself.
    fn number(region: &str, date: &str) -> String {
        format!("{region}{date}0001")
    }

    fn check(path: &str, text: &str, rules: &[&Rule]) {
        let list = format!(
            "# made up\n\nPERSON ONE\n99\n{}\n",
            number("997101", "010180")
        );
        assert_found(
            &super::check(&Tree::planted(&[(LIST, &list), (path, text)])),
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
    fn an_empty_list_is_found() {
        assert_found(
            &super::check(&Tree::planted(&[(LIST, "# none\n")])),
            &[&CANARY],
        );
        assert_found(&super::check(&Tree::planted(&[])), &[&CANARY]);
    }

    #[test]
    fn a_number_that_may_be_a_persons_is_found() {
        let text = format!("one\n\"{}\"", number("320101", "010180"));
        check("daemon/src/a.rs", &text, &[&PERSON]);
        check(
            "tests/fixtures/a.json",
            &number("320101", "550580"),
            &[&PERSON],
        );
    }

    #[test]
    fn a_listed_or_impossible_number_passes() {
        check("tests/fixtures/a.json", &number("997101", "010180"), &[]);
        check("daemon/src/a.rs", &number("320101", "011380"), &[]);
        check("daemon/src/a.rs", &number("997101", "550580"), &[]);
        check(
            "daemon/src/a.rs",
            &format!("a{}", number("320101", "010180")),
            &[],
        );
    }

    #[test]
    fn the_line_is_told_and_the_canary_is_not() {
        let tree = Tree::planted(&[(LIST, "99\n"), ("a.md", "one\ntwo 99\n")]);
        let found = super::check(&tree);
        assert_eq!(found[0].line, 2);
        assert!(!found[0].to_string().contains("99"));
    }
}
