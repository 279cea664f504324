//! Walks: every file and every `file::function` that ARCHITECTURE.md names exists.

use super::{Rule, Violation};
use crate::tree::Tree;

const WALK: Rule = Rule {
    name: "walk",
    reason: "a newcomer follows the walks through the code: a stop that is gone leads nowhere",
};

const DOCUMENT: &str = "ARCHITECTURE.md";

const SOURCE: &str = ".rs";

/// What begins a function, behind any visibility and before its name.
const FUNCTION: &str = "fn ";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let Some(text) = tree.text(DOCUMENT) else {
        return found;
    };
    if !text.lines().flat_map(stops).any(|stop| stop.contains("::")) {
        let what = "no walk names a function, so this check has nothing to look at";
        found.push(Violation::new(&WALK, DOCUMENT, 1, what));
    }
    for (number, line) in (1..).zip(text.lines()) {
        for stop in stops(line) {
            let what = refusal(tree, stop);
            found.extend(what.map(|what| Violation::new(&WALK, DOCUMENT, number, what)));
        }
    }
    found
}

/// The parts of a line that name a source file, alone or with a function behind it.
fn stops(line: &str) -> impl Iterator<Item = &str> {
    let inner = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | '/' | ':');
    let words = line
        .split(move |it: char| !inner(it))
        .map(|word| word.trim_end_matches(['.', ':']));
    words.filter(|word| {
        word.ends_with(SOURCE)
            || word
                .split_once("::")
                .is_some_and(|it| it.0.ends_with(SOURCE))
    })
}

fn refusal(tree: &Tree, stop: &str) -> Option<String> {
    let (path, names) = stop.split_once("::").unwrap_or((stop, ""));
    let files: Vec<&str> = files_named(tree, path);
    if files.is_empty() {
        return Some(format!("there is no file {path}"));
    }
    if names.is_empty() || files.iter().any(|text| defines(text, names)) {
        return None;
    }
    Some(format!("{path} has no function {names}"))
}

/// The texts at `path`; a short path, such as `shell.rs`, stands for each file that ends so.
fn files_named<'a>(tree: &'a Tree, path: &str) -> Vec<&'a str> {
    if let Some(text) = tree.text(path) {
        return vec![text];
    }
    let short = format!("/{path}");
    tree.texts(&[SOURCE])
        .filter(|it| it.0.ends_with(&short))
        .map(|it| it.1)
        .collect()
}

/// Whether a text defines the function `name`, or `Type::name` and mentions that type.
fn defines(text: &str, names: &str) -> bool {
    let (owner, name) = names.rsplit_once("::").unwrap_or(("", names));
    let word = |it: char| it.is_alphanumeric() || it == '_';
    let defined = text.match_indices(FUNCTION).any(|(at, _)| {
        let rest = text
            .get(at.saturating_add(FUNCTION.len())..)
            .and_then(|it| it.strip_prefix(name));
        let whole = rest.is_some_and(|rest| !rest.starts_with(word));
        let comment = text
            .get(..at)
            .and_then(|it| it.rsplit('\n').next())
            .unwrap_or_default();
        whole && !comment.trim_start().starts_with("//")
    });
    defined && text.contains(owner)
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    const CODE: &str = "impl Desk {\n    pub async fn decide(&self) {}\n}\n// fn gone() {}\n\
        /// Documented.\nfn apply() {}\n";

    fn check(line: &str, rules: &[&Rule]) {
        let text = format!("`decide.rs::decide`\n{line}\n");
        let tree = Tree::planted(&[(DOCUMENT, &text), ("crates/domain/src/decide.rs", CODE)]);
        assert_found(&super::check(&tree), rules);
    }

    #[test]
    fn a_stop_that_exists_passes() {
        check("→ `crates/domain/src/decide.rs::decide` (Accept)", &[]);
        check("then crates/domain/src/decide.rs::decide.", &[]);
        check("`crates/domain/src/decide.rs::apply`", &[]);
        check("`decide.rs::decide`, `crates/domain/src/decide.rs`", &[]);
        check("`crates/domain/src/decide.rs::Desk::decide`", &[]);
        check("`Desk::decide` and std::fs::read", &[]);
    }

    #[test]
    fn a_stop_that_is_gone_is_found() {
        check("`crates/domain/src/decide.rs::gone`", &[&WALK]);
        check("`crates/domain/src/decide.rs::decid`", &[&WALK]);
        check("`crates/domain/src/decide.rs::Lane::decide`", &[&WALK]);
        check(
            "`crates/domain/src/apply.rs::apply` and `ecide.rs::decide`",
            &[&WALK, &WALK],
        );
        check("`crates/domain/src/apply.rs`", &[&WALK]);
    }

    #[test]
    fn a_map_without_walks_is_found() {
        assert_found(
            &super::check(&Tree::planted(&[(DOCUMENT, "# Map\n")])),
            &[&WALK],
        );
    }
}
