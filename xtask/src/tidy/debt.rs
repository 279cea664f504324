//! What code must not say: work put off, tests switched off, waits by the clock, silenced lints.

use super::{Rule, Violation};
use crate::tree::Tree;

const PUT_OFF: Rule = Rule {
    name: "work put off",
    reason: "what is known to be missing belongs into an issue, where it can be planned",
};

const SWITCHED_OFF: Rule = Rule {
    name: "test switched off",
    reason: "a test that does not run proves nothing and looks as if it did",
};

const SLEEP: Rule = Rule {
    name: "sleep in a test",
    reason: "a test waits on a value with a deadline: a sleep is too short or too long",
};

const SILENCED: Rule = Rule {
    name: "lint silenced",
    reason: "`expect` with a reason complains when it is no longer needed, `allow` never does",
};

// Put together from halves, so that this file does not violate its own rules.
const NOTES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];
const STUBS: &[&str] = &[concat!("todo", "!"), concat!("unimpl", "emented!")];
const IGNORE: &str = concat!("#[ign", "ore");
const ALLOW: &str = concat!("#![al", "low(");
const SLEEPS: &[&str] = &[concat!("sle", "ep("), concat!("sleep", "_ms(")];

/// Files that a person writes as code.
const CODE: &[&str] = &[
    ".rs", ".toml", ".py", ".sh", ".sql", ".service", ".html", ".css", ".js", ".yaml", ".ci/run",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.texts(CODE) {
        let mut in_tests = format!("/{path}").contains("/tests/") || path.ends_with("/tests.rs");
        let mut before = "";
        for (number, line) in (1..).zip(text.lines()) {
            in_tests |= before == "#[cfg(test)]" && line.starts_with("mod ");
            before = line;
            let rule = look(line, path.ends_with(".rs"), in_tests);
            found.extend(rule.map(|rule| Violation::new(rule, path, number, line.trim())));
        }
    }
    found
}

fn look(line: &str, rust: bool, in_tests: bool) -> Option<&'static Rule> {
    let code = line.trim_start();
    if NOTES.iter().any(|note| has_word(line, note)) {
        return Some(&PUT_OFF);
    }
    if rust && code.starts_with("//") {
        return None;
    }
    if rust && STUBS.iter().any(|stub| has_word(line, stub)) {
        Some(&PUT_OFF)
    } else if rust && code.starts_with(IGNORE) {
        Some(&SWITCHED_OFF)
    } else if rust && code.starts_with(ALLOW) {
        Some(&SILENCED)
    } else if in_tests && SLEEPS.iter().any(|sleep| has_word(line, sleep)) {
        Some(&SLEEP)
    } else {
        None
    }
}

/// Whether `word` stands in `line` with no letter, digit or `_` before it or, if it ends in one,
/// behind it.
fn has_word(line: &str, word: &str) -> bool {
    let inner = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|it| it.chars().next_back());
        let after = line
            .get(at.saturating_add(word.len())..)
            .and_then(|it| it.chars().next());
        let open_end = word.ends_with(|last: char| !inner(last));
        !before.is_some_and(inner) && (open_end || !after.is_some_and(inner))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    fn check(path: &str, text: &str, rules: &[&Rule]) {
        assert_found(&super::check(&Tree::planted(&[(path, text)])), rules);
    }

    #[test]
    fn work_put_off_is_found() {
        check(
            "a/src/b.rs",
            &format!("// {}: later", NOTES[0]),
            &[&PUT_OFF],
        );
        check("a/x.sql", &format!("-- {} now", NOTES[1]), &[&PUT_OFF]);
        check("a/src/b.rs", &format!("    {}()", STUBS[0]), &[&PUT_OFF]);
        check("a/src/b.rs", &format!("const {}S: u8 = 1;", NOTES[0]), &[]);
    }

    #[test]
    fn a_test_switched_off_is_found() {
        check("a/src/b.rs", &format!("    {IGNORE}]"), &[&SWITCHED_OFF]);
        check(
            "a/src/b.rs",
            &format!("    {IGNORE} = \"slow\"]"),
            &[&SWITCHED_OFF],
        );
        check("a/src/b.rs", "#[ignorant]", &[]);
    }

    #[test]
    fn a_silenced_lint_is_found() {
        check(
            "a/src/b.rs",
            &format!("{ALLOW}clippy::unwrap_used)]"),
            &[&SILENCED],
        );
        check(
            "a/src/b.rs",
            "#![expect(clippy::unwrap_used, reason = \"r\")]",
            &[],
        );
    }

    #[test]
    fn a_sleep_is_found_in_tests_and_nowhere_else() {
        let line = format!("    tokio::time::{}pause).await;", SLEEPS[0]);
        check("a/tests/b.rs", &line, &[&SLEEP]);
        check("tests/e2e/b.rs", &line, &[&SLEEP]);
        check("a/src/b.rs", &line, &[]);
        check(
            "a/src/b.rs",
            &format!("#[cfg(test)]\nmod tests {{\n{line}\n}}"),
            &[&SLEEP],
        );
        check("a/tests/b.rs", &format!("// no {}) here", SLEEPS[0]), &[]);
        check("a/tests/b.rs", "over_sleep(1)", &[]);
    }
}
