//! The manifests of the workspace: who depends on whom, of which kind, on which line.

use anyhow::{Context, bail};
use toml::{Table, Value};

use crate::tree::Tree;

/// A dependency table of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dependencies]`: part of what is shipped.
    Normal,
    /// `[dev-dependencies]`: tests, examples and benches.
    Dev,
    /// `[build-dependencies]`: runs while building.
    Build,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Normal, Self::Dev, Self::Build];

    /// The table's name in Cargo.toml.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Normal => "dependencies",
            Self::Dev => "dev-dependencies",
            Self::Build => "build-dependencies",
        }
    }
}

/// One entry of a dependency table.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The package's name, also where the manifest renames it.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) line: usize,
    /// Whether the version comes from the root manifest.
    pub(crate) inherited: bool,
    pub(crate) features: Vec<String>,
}

/// One member's Cargo.toml.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The manifest's path.
    pub(crate) path: String,
    /// The member's folder, without a slash at its end.
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) table: Table,
    pub(crate) text: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// The root manifest and every member's.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: Table,
    pub(crate) root_text: String,
    pub(crate) members: Vec<Manifest>,
}

impl Workspace {
    /// Parses the root manifest and those of the members that it lists.
    pub(crate) fn parse(tree: &Tree) -> anyhow::Result<Self> {
        let (root, root_text) = parse(tree, "Cargo.toml")?;
        let listed = root
            .get("workspace")
            .and_then(|workspace| workspace.get("members"));
        let Some(Value::Array(listed)) = listed else {
            bail!("read the members of the workspace: Cargo.toml lists none");
        };
        let mut members = Vec::new();
        for folder in listed {
            let folder = folder
                .as_str()
                .context("read the members: one is no string")?;
            members.push(Manifest::parse(tree, folder)?);
        }
        Ok(Self {
            root,
            root_text,
            members,
        })
    }

    /// The lines of `[workspace.dependencies]`, by name.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (&str, &Value)> {
        let table = self
            .root
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies"))
            .and_then(Value::as_table);
        table
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value))
    }
}

impl Manifest {
    fn parse(tree: &Tree, folder: &str) -> anyhow::Result<Self> {
        let path = format!("{folder}/Cargo.toml");
        let (table, text) = parse(tree, &path)?;
        let name = table.get("package").and_then(|package| package.get("name"));
        let name = name.and_then(Value::as_str);
        let name = name
            .with_context(|| format!("find the package's name in {path}"))?
            .to_owned();
        let mut dependencies = Vec::new();
        for kind in Kind::ALL {
            collect(&table, &text, kind, kind.table(), &mut dependencies);
        }
        let targets = table.get("target").and_then(Value::as_table);
        for (_, target) in targets.into_iter().flatten() {
            let Some(target) = target.as_table() else {
                continue;
            };
            for kind in Kind::ALL {
                collect(target, &text, kind, kind.table(), &mut dependencies);
            }
        }
        Ok(Self {
            path,
            folder: folder.to_owned(),
            name,
            table,
            text,
            dependencies,
        })
    }

    /// Whether `table.key` says `workspace = true`.
    pub(crate) fn inherits(&self, path: &[&str]) -> bool {
        let mut parts = path.iter();
        let mut value = parts.next().and_then(|part| self.table.get(*part));
        for part in parts {
            value = value.and_then(|table| table.get(*part));
        }
        value
            .and_then(|value| value.get("workspace"))
            .and_then(Value::as_bool)
            == Some(true)
    }
}

/// The line of `key` in the table `section`, or of the section, or 1.
pub(crate) fn line_of(text: &str, section: &str, key: &str) -> usize {
    let mut inside = false;
    let mut found = 1;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or(header);
            if header.ends_with(&format!("{section}.{key}")) {
                return number;
            }
            inside = header == section || header.ends_with(&format!(".{section}"));
            if inside {
                found = number;
            }
        } else if inside && starts_entry(line, key) {
            return number;
        }
    }
    found
}

fn starts_entry(line: &str, key: &str) -> bool {
    let rest = line.trim_start_matches('"').strip_prefix(key);
    rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=', '"']))
}

fn collect(table: &Table, text: &str, kind: Kind, section: &str, into: &mut Vec<Dependency>) {
    let entries = table.get(section).and_then(Value::as_table);
    for (key, value) in entries.into_iter().flatten() {
        let renamed = value.get("package").and_then(Value::as_str);
        let features = value.get("features").and_then(Value::as_array);
        let features = features.into_iter().flatten().filter_map(Value::as_str);
        into.push(Dependency {
            name: renamed.unwrap_or(key).to_owned(),
            kind,
            line: line_of(text, section, key),
            inherited: value.get("workspace").and_then(Value::as_bool) == Some(true),
            features: features.map(str::to_owned).collect(),
        });
    }
}

fn parse(tree: &Tree, path: &str) -> anyhow::Result<(Table, String)> {
    let text = tree.text(path).with_context(|| format!("find {path}"))?;
    let table = text.parse().with_context(|| format!("parse {path}"))?;
    Ok((table, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_with_kind_line_and_origin() {
        let tree = Tree::planted(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[dependencies]\nserde.workspace = true\n\
                 [dev-dependencies]\nb = { version = \"1\", package = \"c\", features = [\"f\"] }\n\
                 [target.'cfg(unix)'.dependencies]\nd = \"1\"\n",
            ),
        ]);
        let workspace = Workspace::parse(&tree).unwrap();
        let seen: Vec<_> = workspace.members[0]
            .dependencies
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.kind,
                    it.line,
                    it.inherited,
                    it.features.len(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("serde", Kind::Normal, 4, true, 0),
                ("c", Kind::Dev, 6, false, 1),
                ("d", Kind::Normal, 8, false, 0)
            ]
        );
    }
}
