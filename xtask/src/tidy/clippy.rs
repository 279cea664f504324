//! Lints: every member inherits them, and no clippy.toml of a member loses a line of the root's.

use std::collections::BTreeSet;

use anyhow::Context;
use toml::{Table, Value};

use super::{Rule, Violation};
use crate::place::{self, Place};
use crate::tree::Tree;
use crate::workspace::{Workspace, line_of};

const INHERITED: Rule = Rule {
    name: "lints inherited",
    reason: "a member without `[lints] workspace = true` is silently not linted",
};

const ROOT_LINTS: Rule = Rule {
    name: "house lints",
    reason: "what reviewers rely on must not be dropped unseen",
};

const SUPERSET: Rule = Rule {
    name: "clippy superset",
    reason: "clippy reads the nearest clippy.toml alone: a line left out is a ban lifted",
};

const PURE_BANS: Rule = Rule {
    name: "core bans",
    reason: "cores and words take time, files, sockets and settings as arguments",
};

/// Lints that must stand in the root manifest at this level or a harder one.
const REQUIRED_LINTS: &[(&str, &str, &[&str])] = &[
    ("rust", "unsafe_code", &["forbid"]),
    ("rust", "missing_docs", &["warn", "deny"]),
    ("clippy", "unwrap_used", &["warn", "deny"]),
    ("clippy", "expect_used", &["warn", "deny"]),
    ("clippy", "indexing_slicing", &["warn", "deny"]),
    ("clippy", "as_conversions", &["warn", "deny"]),
    ("clippy", "wildcard_enum_match_arm", &["warn", "deny"]),
    ("clippy", "too_many_lines", &["warn", "deny"]),
    ("clippy", "mod_module_files", &["warn", "deny"]),
    ("clippy", "allow_attributes", &["warn", "deny"]),
    ("clippy", "print_stdout", &["warn", "deny"]),
    ("clippy", "exit", &["warn", "deny"]),
    ("clippy", "disallowed_methods", &["deny", "forbid"]),
    ("clippy", "disallowed_types", &["deny", "forbid"]),
];

/// The longest function, in lines, that clippy lets pass.
const FUNCTION_LINES: i64 = 70;

/// What the clippy.toml of a core or of the words bans beyond the root's list.
const CORE_BANS: &[&str] = &[
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::fs::read",
    "std::fs::write",
    "std::fs::File",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::env::var",
    "std::env::var_os",
];

pub(super) fn check(tree: &Tree, workspace: &Workspace) -> anyhow::Result<Vec<Violation>> {
    let mut found = inherited(workspace);
    found.extend(root_lints(workspace));
    let root = parse(tree, "clippy.toml")?;
    if root
        .get("too-many-lines-threshold")
        .and_then(Value::as_integer)
        != Some(FUNCTION_LINES)
    {
        let what = format!("too-many-lines-threshold is not {FUNCTION_LINES}");
        found.push(Violation::new(&ROOT_LINTS, "clippy.toml", 1, what));
    }
    for (path, _) in tree.texts(&["/clippy.toml", "/.clippy.toml"]) {
        found.extend(superset(path, &root, &parse(tree, path)?));
    }
    for member in &workspace.members {
        if matches!(place::place(&member.name), Some(Place::Words | Place::Core)) {
            found.extend(core_bans(tree, &member.folder)?);
        }
    }
    Ok(found)
}

fn inherited(workspace: &Workspace) -> Vec<Violation> {
    let deaf = workspace
        .members
        .iter()
        .filter(|member| !member.inherits(&["lints"]));
    let violation =
        |path: &str| Violation::new(&INHERITED, path, 1, "`[lints] workspace = true` is missing");
    deaf.map(|member| violation(&member.path)).collect()
}

fn root_lints(workspace: &Workspace) -> Vec<Violation> {
    let lints = workspace
        .root
        .get("workspace")
        .and_then(|it| it.get("lints"));
    let mut found = Vec::new();
    for (group, lint, levels) in REQUIRED_LINTS {
        let set = lints
            .and_then(|it| it.get(group))
            .and_then(|it| it.get(lint));
        let level = set
            .and_then(|it| it.get("level").or(Some(it)))
            .and_then(Value::as_str);
        if !level.is_some_and(|level| levels.contains(&level)) {
            let section = format!("workspace.lints.{group}");
            let line = line_of(&workspace.root_text, &section, lint);
            let what = format!("{group}'s lint {lint} must be one of {}", levels.join(", "));
            found.push(Violation::new(&ROOT_LINTS, "Cargo.toml", line, what));
        }
    }
    found
}

fn superset(path: &str, root: &Table, member: &Table) -> Vec<Violation> {
    let mut found = Vec::new();
    for (key, value) in root {
        let what = if value.is_array() {
            let kept = banned(member, key);
            let lost: Vec<&str> = banned(root, key).difference(&kept).copied().collect();
            (!lost.is_empty()).then(|| format!("{key} lacks {}", lost.join(", ")))
        } else {
            (member.get(key) != Some(value)).then(|| format!("{key} is not the root's"))
        };
        found.extend(what.map(|what| Violation::new(&SUPERSET, path, 1, what)));
    }
    found
}

fn core_bans(tree: &Tree, folder: &str) -> anyhow::Result<Option<Violation>> {
    let path = format!("{folder}/clippy.toml");
    if !tree.has(&path) {
        let what = "a core's own clippy.toml is missing";
        return Ok(Some(Violation::new(&PURE_BANS, &path, 1, what)));
    }
    let table = parse(tree, &path)?;
    let mut kept = banned(&table, "disallowed-methods");
    kept.extend(banned(&table, "disallowed-types"));
    let lost: Vec<&str> = CORE_BANS
        .iter()
        .filter(|ban| !kept.contains(*ban))
        .copied()
        .collect();
    let what = format!("does not ban {}", lost.join(", "));
    Ok((!lost.is_empty()).then(|| Violation::new(&PURE_BANS, &path, 1, what)))
}

/// The paths that the list `key` bans.
fn banned<'a>(table: &'a Table, key: &str) -> BTreeSet<&'a str> {
    let list = table.get(key).and_then(Value::as_array);
    let path = |entry: &'a Value| entry.get("path").unwrap_or(entry).as_str();
    list.into_iter().flatten().filter_map(path).collect()
}

fn parse(tree: &Tree, path: &str) -> anyhow::Result<Table> {
    let text = tree.text(path).with_context(|| format!("find {path}"))?;
    text.parse().with_context(|| format!("parse {path}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    const ROOT: &str = "too-many-lines-threshold = 70\n\
        disallowed-methods = [{ path = \"a::b\", reason = \"r\" }]\n";

    fn lints() -> String {
        let lines = |wanted: &str| {
            let ours = REQUIRED_LINTS.iter().filter(|it| it.0 == wanted);
            ours.map(|(_, lint, levels)| format!("{lint} = \"{}\"\n", levels[0]))
                .collect::<String>()
        };
        format!(
            "[workspace]\nmembers = [\"m\"]\n[workspace.lints.rust]\n{}[workspace.lints.clippy]\n{}",
            lines("rust"),
            lines("clippy")
        )
    }

    fn check(files: &[(&str, &str)], rules: &[&Rule]) {
        let lints = lints();
        let mut all = vec![
            ("Cargo.toml", lints.as_str()),
            ("clippy.toml", ROOT),
            (
                "m/Cargo.toml",
                "[package]\nname = \"loket-link\"\n[lints]\nworkspace = true\n",
            ),
        ];
        all.extend_from_slice(files);
        let tree = Tree::planted(&all);
        let workspace = Workspace::parse(&tree).unwrap();
        assert_found(&super::check(&tree, &workspace).unwrap(), rules);
    }

    #[test]
    fn a_member_that_inherits_passes() {
        check(&[], &[]);
    }

    #[test]
    fn a_member_that_does_not_inherit_is_found() {
        check(
            &[("m/Cargo.toml", "[package]\nname = \"loket-link\"\n")],
            &[&INHERITED],
        );
    }

    #[test]
    fn a_lint_dropped_from_the_root_is_found() {
        let weak = lints().replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\"");
        check(&[("Cargo.toml", &weak)], &[&ROOT_LINTS]);
        let gone = lints().replace("too_many_lines = \"warn\"\n", "");
        check(&[("Cargo.toml", &gone)], &[&ROOT_LINTS]);
        check(
            &[("clippy.toml", "too-many-lines-threshold = 200\n")],
            &[&ROOT_LINTS],
        );
    }

    #[test]
    fn a_members_list_that_lacks_a_root_line_is_found() {
        let more = ROOT.replace("= [", "= [\"c::d\", ");
        check(&[("m/clippy.toml", &more)], &[]);
        check(
            &[("m/clippy.toml", "too-many-lines-threshold = 70\n")],
            &[&SUPERSET],
        );
        check(
            &[("m/clippy.toml", &ROOT.replace("70", "99"))],
            &[&SUPERSET],
        );
    }

    #[test]
    fn a_core_without_its_bans_is_found() {
        let core = "[package]\nname = \"loket-domain\"\n[lints]\nworkspace = true\n";
        check(&[("m/Cargo.toml", core)], &[&PURE_BANS]);
        check(
            &[("m/Cargo.toml", core), ("m/clippy.toml", ROOT)],
            &[&PURE_BANS],
        );
        let bans: String = CORE_BANS.iter().map(|ban| format!("\"{ban}\", ")).collect();
        let full = ROOT.replace("= [", &format!("= [{bans}"));
        check(&[("m/Cargo.toml", core), ("m/clippy.toml", &full)], &[]);
    }
}
