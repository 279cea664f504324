//! Manifests: every dependency has its reason, versions live in the root, test doors stay shut.

use toml::Value;

use super::{Rule, Violation};
use crate::tree::Tree;
use crate::workspace::{Manifest, Workspace, line_of};

const REASON: Rule = Rule {
    name: "dependency reason",
    reason: "each dependency is read, updated and shipped: one line says what for",
};

const INHERITED: Rule = Rule {
    name: "one version",
    reason: "versions stand in the root Cargo.toml alone, where their reason is",
};

const LICENCE: Rule = Rule {
    name: "licence",
    reason: "every crate is Apache-2.0 OR MIT, inherited with `license.workspace = true`",
};

const MEMBER: Rule = Rule {
    name: "member",
    reason: "a crate outside the workspace is neither linted nor tested",
};

const TEST_DOORS: Rule = Rule {
    name: "test doors",
    reason: "what stops, unseals or lies for a test must be asked for by name, never by default",
};

/// Features that open a door for tests and must be in no default and asked for by no manifest.
const TEST_FEATURES: &[&str] = &["test-hooks", "crash-stops", "unsealed"];

/// Our own crates need no reason: each says in its first line what it is for.
const OURS: &str = "loket-";

pub(super) fn check(tree: &Tree, workspace: &Workspace) -> Vec<Violation> {
    let mut found = reasons(workspace);
    for member in &workspace.members {
        if !member.inherits(&["package", "license"]) {
            let what = "license.workspace = true is missing";
            found.push(Violation::new(&LICENCE, &member.path, 1, what));
        }
        for dependency in member.dependencies.iter().filter(|it| !it.inherited) {
            let what = format!("{} has a version of its own", dependency.name);
            found.push(Violation::new(
                &INHERITED,
                &member.path,
                dependency.line,
                what,
            ));
        }
        found.extend(test_doors(member));
    }
    for (path, _) in tree.texts(&["/Cargo.toml"]) {
        if !path.contains("/fixtures/") && !workspace.members.iter().any(|it| it.path == path) {
            let what = "the root Cargo.toml does not list this crate";
            found.push(Violation::new(&MEMBER, path, 1, what));
        }
    }
    found
}

fn reasons(workspace: &Workspace) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, _) in workspace
        .shared()
        .filter(|(name, _)| !name.starts_with(OURS))
    {
        let line = line_of(&workspace.root_text, "workspace.dependencies", name);
        let text = workspace
            .root_text
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default();
        let reason = comment(text).unwrap_or_default();
        if reason.trim().is_empty() {
            let what = format!("{name} has no reason behind it: add `# what it is for`");
            found.push(Violation::new(&REASON, "Cargo.toml", line, what));
        }
    }
    found
}

/// What stands behind the first `#` outside a string.
fn comment(line: &str) -> Option<&str> {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted => return line.get(at.saturating_add(1)..),
            _ => {}
        }
    }
    None
}

fn test_doors(member: &Manifest) -> Vec<Violation> {
    let mut found = Vec::new();
    let features = member.table.get("features").and_then(Value::as_table);
    for (feature, enables) in features.into_iter().flatten() {
        if TEST_FEATURES.contains(&feature.as_str()) {
            continue;
        }
        let enables = enables
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for door in enables.filter(|it| opens(it)) {
            let line = line_of(&member.text, "features", feature);
            let what = format!("feature {feature} turns on {door}");
            found.push(Violation::new(&TEST_DOORS, &member.path, line, what));
        }
    }
    for dependency in &member.dependencies {
        for door in dependency.features.iter().filter(|it| opens(it)) {
            let what = format!("{} is asked for with {door}", dependency.name);
            found.push(Violation::new(
                &TEST_DOORS,
                &member.path,
                dependency.line,
                what,
            ));
        }
    }
    found
}

/// Whether a feature's name, with or without its package, is a test door.
fn opens(feature: &str) -> bool {
    let bare = feature.rsplit('/').next().unwrap_or(feature);
    TEST_FEATURES.contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    const PACKAGE: &str = "[package]\nname = \"a\"\nlicense.workspace = true\n";

    fn check(shared: &str, member: &str, rules: &[&Rule]) {
        let root = format!("[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\n{shared}\n");
        let tree = Tree::planted(&[("Cargo.toml", &root), ("a/Cargo.toml", member)]);
        assert_found(
            &super::check(&tree, &Workspace::parse(&tree).unwrap()),
            rules,
        );
    }

    fn check_member(rest: &str, rules: &[&Rule]) {
        check("", &format!("{PACKAGE}{rest}"), rules);
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        check(
            "serde = \"1\" # messages\nloket-a = { path = \"a\" }",
            PACKAGE,
            &[],
        );
        check("serde = \"1\"", PACKAGE, &[&REASON]);
        check("serde = \"1\" #", PACKAGE, &[&REASON]);
        check(
            "a = { version = \"1\", features = [\"#\"] }",
            PACKAGE,
            &[&REASON],
        );
    }

    #[test]
    fn a_version_outside_the_root_is_found() {
        check_member("[dependencies]\nserde.workspace = true\n", &[]);
        check_member(
            "[dependencies]\nserde = { workspace = true, features = [] }\n",
            &[],
        );
        check_member("[dependencies]\nserde = \"1\"\n", &[&INHERITED]);
        check_member(
            "[build-dependencies]\ncc = { version = \"1\" }\n",
            &[&INHERITED],
        );
    }

    #[test]
    fn a_crate_without_our_licence_is_found() {
        check(
            "",
            "[package]\nname = \"a\"\nlicense = \"MIT\"\n",
            &[&LICENCE],
        );
        check("", "[package]\nname = \"a\"\n", &[&LICENCE]);
    }

    #[test]
    fn a_test_door_that_opens_by_default_is_found() {
        check_member("[features]\ntest-hooks = []\n", &[]);
        check_member("[features]\ntest-hooks = [\"b/test-hooks\"]\n", &[]);
        check_member(
            "[features]\ndefault = [\"test-hooks\"]\ntest-hooks = []\n",
            &[&TEST_DOORS],
        );
        check_member("[features]\nextra = [\"b/crash-stops\"]\n", &[&TEST_DOORS]);
        check_member("[features]\nextra = [\"b/unsealed\"]\n", &[&TEST_DOORS]);
        let asked = "[dependencies]\nb = { workspace = true, features = [\"test-hooks\"] }\n";
        check_member(asked, &[&TEST_DOORS]);
    }

    #[test]
    fn a_crate_outside_the_workspace_is_found() {
        let tree = Tree::planted(&[
            ("Cargo.toml", "[workspace]\nmembers = []\n"),
            ("b/Cargo.toml", PACKAGE),
        ]);
        assert_found(
            &super::check(&tree, &Workspace::parse(&tree).unwrap()),
            &[&MEMBER],
        );
    }
}
