//! Documents: those that every newcomer looks for exist, decisions have their parts and stand in the list.

use std::collections::BTreeMap;

use super::{Rule, Violation};
use crate::tree::Tree;

const MISSING: Rule = Rule {
    name: "document",
    reason: "a newcomer, an operator and a reporter of a hole each look for a known file",
};

const DECISION: Rule = Rule {
    name: "decision",
    reason: "a decision says what was weighed, what was chosen, what it costs and when",
};

const LISTED: Rule = Rule {
    name: "decision list",
    reason: "who is about to undo a decision looks into the list, not into a folder",
};

const REQUIRED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "GLOSSARY.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Cargo.lock",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "clippy.toml",
];

const DECISIONS: &str = "docs/adr/";

/// The document that lists them, one a row.
const LIST: &str = "ARCHITECTURE.md";

const PARTS: &[&str] = &[
    "\nDate: ",
    "\n## Context\n",
    "\n## Decision\n",
    "\n## Price\n",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let absent = REQUIRED.iter().filter(|path| !tree.has(path));
    let mut found: Vec<Violation> = absent
        .map(|path| Violation::new(&MISSING, path, 1, "this file is missing"))
        .collect();
    let mut numbers = BTreeMap::new();
    for (path, text) in tree.texts(&[".md"]) {
        let Some(name) = path.strip_prefix(DECISIONS) else {
            continue;
        };
        let number = name.split('-').next().unwrap_or(name);
        if number.len() != 4 || !number.chars().all(|it| it.is_ascii_digit()) {
            let what = "the name is not NNNN-title.md";
            found.push(Violation::new(&DECISION, path, 1, what));
        } else if let Some(first) = numbers.insert(number, path) {
            let what = format!("{first} has the same number");
            found.push(Violation::new(&DECISION, path, 1, what));
        }
        for part in PARTS.iter().filter(|part| !text.contains(*part)) {
            let what = format!("lacks `{}`", part.trim());
            found.push(Violation::new(&DECISION, path, 1, what));
        }
    }
    found.extend(listed(tree));
    found
}

/// Every decision has one row of the list, and every row a decision.
fn listed(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut rows = BTreeMap::new();
    let lines = tree.text(LIST).unwrap_or_default().lines();
    for (number, line) in (1..).zip(lines) {
        let cell = line
            .strip_prefix("| ")
            .and_then(|rest| rest.split(' ').next());
        let Some(path) = cell.filter(|it| it.starts_with(DECISIONS)) else {
            continue;
        };
        if rows.insert(path, number).is_some() {
            let what = format!("{path} is listed twice");
            found.push(Violation::new(&LISTED, LIST, number, what));
        }
        if !tree.has(path) {
            let what = format!("there is no {path}");
            found.push(Violation::new(&LISTED, LIST, number, what));
        }
    }
    for (path, _text) in tree.texts(&[".md"]) {
        if path.starts_with(DECISIONS) && !rows.contains_key(path) {
            let what = format!("{LIST} does not list it");
            found.push(Violation::new(&LISTED, path, 1, what));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    const GOOD: &str = "# A\n\nDate: 2026-11-22\n\n## Context\n\nc\n\n## Decision\n\nd\n\n\
        ## Price\n\np\n";

    fn check(files: &[(&str, &str)], rules: &[&Rule]) {
        let mut all: Vec<(&str, &str)> = REQUIRED.iter().map(|path| (*path, "text")).collect();
        all.extend_from_slice(files);
        assert_found(&super::check(&Tree::planted(&all)), rules);
    }

    #[test]
    fn a_missing_document_is_found() {
        let tree = Tree::planted(&[("README.md", "text")]);
        assert_eq!(super::check(&tree).len(), REQUIRED.len() - 1);
        check(&[], &[]);
    }

    /// Rows of the list for these decisions.
    fn list(paths: &[&str]) -> String {
        let rows = paths.iter().map(|path| format!("| {path} | decides |\n"));
        rows.collect()
    }

    #[test]
    fn a_decision_with_its_parts_passes() {
        let both = list(&["docs/adr/0001-a.md", "docs/adr/0002-b.md"]);
        check(
            &[
                ("docs/adr/0001-a.md", GOOD),
                ("docs/adr/0002-b.md", GOOD),
                (LIST, &both),
            ],
            &[],
        );
    }

    #[test]
    fn a_decision_outside_the_list_and_a_row_without_one_are_found() {
        let named = "see docs/adr/0001-a.md\n";
        check(&[("docs/adr/0001-a.md", GOOD), (LIST, named)], &[&LISTED]);
        let gone = list(&["docs/adr/0001-a.md", "docs/adr/0002-b.md"]);
        check(&[("docs/adr/0001-a.md", GOOD), (LIST, &gone)], &[&LISTED]);
        let twice = list(&["docs/adr/0001-a.md", "docs/adr/0001-a.md"]);
        check(&[("docs/adr/0001-a.md", GOOD), (LIST, &twice)], &[&LISTED]);
    }

    #[test]
    fn a_decision_without_its_parts_or_number_is_found() {
        let one = list(&["docs/adr/0001-a.md"]);
        let costly = GOOD.replace("Price", "Cost");
        check(
            &[("docs/adr/0001-a.md", &costly), (LIST, &one)],
            &[&DECISION],
        );
        let unnumbered = list(&["docs/adr/a.md"]);
        check(
            &[("docs/adr/a.md", GOOD), (LIST, &unnumbered)],
            &[&DECISION],
        );
        let both = list(&["docs/adr/0001-a.md", "docs/adr/0001-b.md"]);
        check(
            &[
                ("docs/adr/0001-a.md", GOOD),
                ("docs/adr/0001-b.md", GOOD),
                (LIST, &both),
            ],
            &[&DECISION],
        );
    }
}
