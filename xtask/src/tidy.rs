//! Checks the house rules: each check is a pure function over files, manifests or packages.

mod canaries;
mod clippy;
mod codes;
mod commands;
mod debt;
mod documents;
mod fences;
mod licences;
mod manifests;
mod packages;
mod sizes;
mod walks;

use std::fmt;
use std::path::Path;

use anyhow::bail;

use crate::metadata::Metadata;
use crate::tree::Tree;
use crate::workspace::Workspace;

/// A house rule: its short name, and why it is there.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    name: &'static str,
    reason: &'static str,
}

/// One place where a rule does not hold.
#[derive(Debug)]
struct Violation {
    rule: &'static Rule,
    path: String,
    /// Counted from 1; 1 also where the whole file is meant.
    line: usize,
    what: String,
}

impl Violation {
    fn new(rule: &'static Rule, path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            rule,
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            path,
            line,
            what,
        } = self;
        write!(f, "{path}:{line}: {what} [{}: {}]", rule.name, rule.reason)
    }
}

/// Prints every violation; an error if there is one.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let tree = Tree::read(root)?;
    for (path, line_count) in sizes::long_files(&tree) {
        println!("note: {path} has {line_count} lines: think of what it could hand over");
    }
    let found = check(root, &tree)?;
    for violation in &found {
        println!("{violation}");
    }
    if !found.is_empty() {
        bail!("keep the house rules: {} violations", found.len());
    }
    println!("the house rules hold");
    Ok(())
}

fn check(root: &Path, tree: &Tree) -> anyhow::Result<Vec<Violation>> {
    let workspace = Workspace::parse(tree)?;
    let metadata = Metadata::of_everything(root)?;
    let own_commands = crate::command_names();
    let own_commands: Vec<&str> = own_commands.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    found.extend(fences::check(&workspace));
    found.extend(clippy::check(tree, &workspace)?);
    found.extend(manifests::check(tree, &workspace));
    found.extend(packages::check(tree, &metadata)?);
    found.extend(licences::check(&metadata));
    found.extend(sizes::check(tree));
    found.extend(debt::check(tree));
    found.extend(canaries::check(tree));
    found.extend(documents::check(tree));
    found.extend(walks::check(tree));
    found.extend(codes::check(tree));
    found.extend(commands::check(tree, &workspace, &own_commands)?);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that exactly the violations of the named rules were found, in this order.
    pub(super) fn assert_found(found: &[Violation], rules: &[&Rule]) {
        let names: Vec<&str> = found.iter().map(|it| it.rule.name).collect();
        let expected: Vec<&str> = rules.iter().map(|it| it.name).collect();
        assert_eq!(names, expected, "{found:#?}");
    }

    #[test]
    fn this_checkout_keeps_the_house_rules() {
        let root = crate::root();
        let tree = Tree::read(&root).unwrap();
        let found = check(&root, &tree).unwrap();
        let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }

    #[test]
    fn a_violation_names_place_rule_and_reason() {
        const RULE: Rule = Rule {
            name: "rule",
            reason: "because",
        };
        let violation = Violation::new(&RULE, "a/b.rs", 7, "something");
        assert_eq!(violation.to_string(), "a/b.rs:7: something [rule: because]");
    }
}
