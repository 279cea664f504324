//! Documents: those that every newcomer looks for exist, and decisions have their parts.

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

    #[test]
    fn a_decision_with_its_parts_passes() {
        check(
            &[("docs/adr/0001-a.md", GOOD), ("docs/adr/0002-b.md", GOOD)],
            &[],
        );
    }

    #[test]
    fn a_decision_without_its_parts_or_number_is_found() {
        check(
            &[("docs/adr/0001-a.md", &GOOD.replace("Price", "Cost"))],
            &[&DECISION],
        );
        check(&[("docs/adr/a.md", GOOD)], &[&DECISION]);
        check(
            &[("docs/adr/0001-a.md", GOOD), ("docs/adr/0001-b.md", GOOD)],
            &[&DECISION],
        );
    }
}
