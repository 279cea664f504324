//! Sizes and names of source files.

use super::{Rule, Violation};
use crate::tree::Tree;

const LENGTH: Rule = Rule {
    name: "file length",
    reason: "a file that one person cannot hold in the head hides its mistakes",
};

const NAME: Rule = Rule {
    name: "file name",
    reason: "a file is named by the noun it owns; a catch-all name owns nothing",
};

const MOD_FILE: Rule = Rule {
    name: "no mod.rs",
    reason: "`foo.rs` beside `foo/` shows in every list of open files which module it is",
};

/// The hard stop, tests included.
const LINES_MAX: usize = 500;

/// Above this a file is listed, so that its split is thought of in time.
const LINES_NOTED: usize = 450;

/// Words that name nothing, as a whole file name or as a part of one.
const CATCH_ALL: &[&str] = &[
    "util", "utils", "common", "manager", "helper", "helpers", "misc", "stuff",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.texts(&[".rs"]) {
        let line_count = text.lines().count();
        if line_count > LINES_MAX {
            let what = format!("{line_count} lines, {LINES_MAX} are allowed");
            found.push(Violation::new(&LENGTH, path, line_count, what));
        }
        if path.ends_with("/mod.rs") {
            found.push(Violation::new(
                &MOD_FILE,
                path,
                1,
                "this file is named mod.rs",
            ));
        }
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        if let Some(word) = stem
            .split(['/', '_', '-'])
            .find(|word| CATCH_ALL.contains(word))
        {
            let what = format!("`{word}` is a catch-all name");
            found.push(Violation::new(&NAME, path, 1, what));
        }
    }
    found
}

/// Files that pass but are long enough to be listed, with their number of lines.
pub(super) fn long_files(tree: &Tree) -> impl Iterator<Item = (&str, usize)> {
    let counts = tree
        .texts(&[".rs"])
        .map(|(path, text)| (path, text.lines().count()));
    counts.filter(|(_, line_count)| (LINES_NOTED + 1..=LINES_MAX).contains(line_count))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    fn check(path: &str, line_count: usize, rules: &[&Rule]) {
        let text = "//\n".repeat(line_count);
        assert_found(&super::check(&Tree::planted(&[(path, &text)])), rules);
    }

    #[test]
    fn a_file_past_the_hard_stop_is_found() {
        check("a/src/outbox.rs", 500, &[]);
        check("a/src/outbox.rs", 501, &[&LENGTH]);
    }

    #[test]
    fn a_long_file_is_listed_before_the_hard_stop() {
        let tree = Tree::planted(&[("a.rs", &"//\n".repeat(451)), ("b.rs", "//\n")]);
        assert_eq!(long_files(&tree).collect::<Vec<_>>(), [("a.rs", 451)]);
    }

    #[test]
    fn a_catch_all_name_is_found() {
        check("a/src/utils.rs", 1, &[&NAME]);
        check("a/src/job_manager.rs", 1, &[&NAME]);
        check("a/tests/common/broker.rs", 1, &[&NAME]);
        check("a/src/commonwealth.rs", 1, &[]);
    }

    #[test]
    fn a_mod_file_is_found() {
        check("a/src/print/mod.rs", 1, &[&MOD_FILE]);
    }
}
