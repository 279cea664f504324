//! BENCHMARKS.md: a preface, then one section a benchmark, each replaced by its own run alone.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

/// The file, at the root.
const FILE: &str = "BENCHMARKS.md";

/// What stands above the sections.
const PREFACE: &str = "# Benchmarks

What `cargo xtask bench` measured. Each section is written by its own run, with the programs as shipped and the peer in
the same run on the same machine: read the ratios, the times are those of one machine on one day. No test asserts a
time. `cargo xtask bench NAME` measures one section again.
";

/// Puts a run's section into the file, in the place of the one of the same name or behind the others.
pub(super) fn put(root: &Path, names: &[String], name: &str, body: &str) -> anyhow::Result<()> {
    let path = root.join(FILE);
    let old = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("read {FILE}")),
    };
    let new = replaced(&old, names, name, body);
    let beside = root.join(format!("{FILE}.new"));
    std::fs::write(&beside, new).with_context(|| format!("write {FILE}"))?;
    std::fs::rename(&beside, &path).with_context(|| format!("write {FILE}"))
}

/// The whole text with one section replaced; sections stand in the order of `names`, others are dropped.
fn replaced(old: &str, names: &[String], name: &str, body: &str) -> String {
    let mut text = PREFACE.to_owned();
    for each in names {
        let found = section(old, each);
        let body = if each == name { Some(body) } else { found };
        if let Some(body) = body {
            // Writing to a string does not fail.
            let _written = write!(text, "\n## {each}\n\n{}\n", body.trim());
        }
    }
    text
}

/// What stands under one heading.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let heading = format!("\n## {name}\n");
    let (_, rest) = text.split_once(&heading)?;
    Some(rest.split_once("\n## ").map_or(rest, |(own, _)| own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["dispatch", "idle"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_run_replaces_its_own_section_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, &names(), "idle", "first look\n\n| a |\n").unwrap();
        put(root, &names(), "dispatch", "quick").unwrap();
        put(root, &names(), "idle", "second look").unwrap();
        let text = std::fs::read_to_string(root.join(FILE)).unwrap();
        let rest = text.strip_prefix(PREFACE).unwrap();
        assert_eq!(rest, "\n## dispatch\n\nquick\n\n## idle\n\nsecond look\n");
    }

    #[test]
    fn a_section_of_a_benchmark_that_is_gone_goes_too() {
        let old = format!("{PREFACE}\n## gone\n\nold\n\n## idle\n\nkept\n");
        let new = replaced(&old, &names(), "dispatch", "quick");
        assert!(!new.contains("gone") && new.ends_with("## idle\n\nkept\n"));
    }
}
