//! Commands: what the documents tell a reader to type exists.

use std::collections::BTreeSet;

use anyhow::Context;
use toml::{Table, Value};

use super::{Rule, Violation};
use crate::tree::Tree;
use crate::workspace::Workspace;

const COMMAND: Rule = Rule {
    name: "command",
    reason: "the first command that fails as written is the last one a newcomer types",
};

const ALIASES: &str = ".cargo/config.toml";

/// Documents whose fenced blocks hold commands.
const DOCUMENTS: &[&str] = &["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];

/// Commands of cargo itself, and nextest, which CONTRIBUTING.md names.
const BUILT_IN: &[&str] = &[
    "add", "build", "check", "clean", "clippy", "doc", "fmt", "install", "metadata", "nextest",
    "run", "test", "tree", "update",
];

/// What `cargo` can be told, as far as documents use it.
struct Known<'a> {
    aliases: BTreeSet<String>,
    packages: Vec<&'a str>,
    own: &'a [&'a str],
}

pub(super) fn check(
    tree: &Tree,
    workspace: &Workspace,
    own: &[&str],
) -> anyhow::Result<Vec<Violation>> {
    let text = tree.text(ALIASES).unwrap_or_default();
    let config: Table = text.parse().context("parse .cargo/config.toml")?;
    let aliases = config.get("alias").and_then(Value::as_table);
    let known = Known {
        aliases: aliases
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
        packages: workspace
            .members
            .iter()
            .map(|it| it.name.as_str())
            .collect(),
        own,
    };
    let mut found = Vec::new();
    for (name, value) in aliases.into_iter().flatten() {
        let words: Vec<&str> = value
            .as_str()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let what = known
            .refusal(&words)
            .map(|what| format!("alias {name}: {what}"));
        found.extend(what.map(|what| Violation::new(&COMMAND, ALIASES, 1, what)));
    }
    for path in DOCUMENTS {
        let lines = fenced(tree.text(path).unwrap_or_default());
        for (number, line) in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((&"cargo", words)) = words.split_first() else {
                continue;
            };
            let what = known.refusal(words);
            found.extend(what.map(|what| Violation::new(&COMMAND, path, number, what)));
        }
    }
    Ok(found)
}

impl Known<'_> {
    /// Why the words behind `cargo` cannot work, or nothing.
    fn refusal(&self, words: &[&str]) -> Option<String> {
        let (command, rest) = words.split_first()?;
        if !BUILT_IN.contains(command) && !self.aliases.contains(*command) {
            return Some(format!("cargo has no command {command}"));
        }
        if *command == "xtask" {
            let task = rest.first().copied().unwrap_or_default();
            return (!self.own.contains(&task)).then(|| format!("xtask has no command {task}"));
        }
        let named = rest.iter().zip(rest.iter().skip(1));
        let mut packages = named.filter(|(flag, _)| ["-p", "--package"].contains(*flag));
        let unknown = packages
            .find(|(_, package)| !self.packages.contains(package) && !package.starts_with('<'));
        unknown.map(|(_, package)| format!("there is no package {package}"))
    }
}

/// The lines inside fenced blocks, with their numbers and without a prompt.
fn fenced(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let line = line.trim_start();
        if line.starts_with("```") {
            inside = !inside;
            return None;
        }
        inside.then(|| (number, line.trim_start_matches("$ ")))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    fn check(readme: &str, rules: &[&Rule]) {
        let tree = Tree::planted(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            (ALIASES, "[alias]\nxtask = \"run --package a --\"\n"),
            ("README.md", readme),
        ]);
        let workspace = Workspace::parse(&tree).unwrap();
        assert_found(&super::check(&tree, &workspace, &["tidy"]).unwrap(), rules);
    }

    #[test]
    fn a_command_that_exists_passes() {
        check("```sh\ncargo xtask tidy\n$ cargo test -p a\n```\n", &[]);
        check("cargo nothing, outside a block\n", &[]);
        check("```\nls\ncargo\n```\n", &[]);
    }

    #[test]
    fn a_command_that_does_not_exist_is_found() {
        check("```\ncargo demo\n```\n", &[&COMMAND]);
        check("```\ncargo xtask fly\n```\n", &[&COMMAND]);
        check("```\ncargo test -p nobody\n```\n", &[&COMMAND]);
    }

    #[test]
    fn an_alias_to_a_package_that_is_gone_is_found() {
        let tree = Tree::planted(&[
            ("Cargo.toml", "[workspace]\nmembers = []\n"),
            (ALIASES, "[alias]\ndemo = \"run --package gone --\"\n"),
        ]);
        let workspace = Workspace::parse(&tree).unwrap();
        assert_found(&super::check(&tree, &workspace, &[]).unwrap(), &[&COMMAND]);
    }
}
