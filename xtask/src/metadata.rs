//! What `cargo metadata` says about packages, as far as the commands here need it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

/// The packages of a workspace and, unless asked without, everything they depend on.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
    resolve: Option<Resolve>,
}

/// One package with its targets and features.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) license: Option<String>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
}

/// A thing that cargo builds of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo for the workspace's own packages alone.
    pub(crate) fn of_members(root: &Path) -> anyhow::Result<Self> {
        Self::read(root, &["--no-deps"])
    }

    /// Asks cargo for every package that a build on this machine's platform takes in.
    pub(crate) fn of_everything(root: &Path) -> anyhow::Result<Self> {
        let platform = host_platform()?;
        // Without the filter cargo downloads the packages of every platform.
        Self::read(root, &["--filter-platform", &platform])
    }

    fn read(root: &Path, extra: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new("cargo");
        command
            .current_dir(root)
            .args(["metadata", "--format-version", "1"])
            .args(extra);
        let json = output_of(command)?;
        serde_json::from_slice(&json).context("parse what cargo metadata says")
    }

    /// The names of all packages that shipping `name` takes in, itself included.
    ///
    /// Dev-dependencies are left out; build scripts and macros are in.
    pub(crate) fn shipped_with(&self, name: &str) -> BTreeSet<&str> {
        let Some(start) = self.packages.iter().find(|package| package.name == name) else {
            return BTreeSet::new();
        };
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let nodes: BTreeMap<&str, &Node> = nodes.map(|node| (node.id.as_str(), node)).collect();
        let mut seen = BTreeSet::from([start.id.as_str()]);
        let mut ahead = vec![start.id.as_str()];
        while let Some(id) = ahead.pop() {
            let edges = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            for edge in edges.filter(|edge| edge.is_shipped()) {
                if seen.insert(&edge.pkg) {
                    ahead.push(&edge.pkg);
                }
            }
        }
        let packages = self
            .packages
            .iter()
            .filter(|package| seen.contains(package.id.as_str()));
        packages.map(|package| package.name.as_str()).collect()
    }

    /// Builds a graph of packages from names and arrows, so that a test can plant a violation.
    #[cfg(test)]
    pub(crate) fn planted(packages: &[(&str, &str)], arrows: &[(&str, &str, &str)]) -> Self {
        let edge = |to: &str, kind: &str| Edge {
            pkg: to.to_owned(),
            dep_kinds: vec![EdgeKind {
                kind: (!kind.is_empty()).then(|| kind.to_owned()),
            }],
        };
        let node = |name: &str| Node {
            id: name.to_owned(),
            deps: arrows
                .iter()
                .filter(|it| it.0 == name)
                .map(|it| edge(it.1, it.2))
                .collect(),
        };
        let package = |name: &str, license: &str| Package {
            id: name.to_owned(),
            name: name.to_owned(),
            license: (!license.is_empty()).then(|| license.to_owned()),
            features: BTreeMap::new(),
            targets: Vec::new(),
        };
        Self {
            packages: packages
                .iter()
                .map(|(name, license)| package(name, license))
                .collect(),
            target_directory: PathBuf::new(),
            resolve: Some(Resolve {
                nodes: packages.iter().map(|it| node(it.0)).collect(),
            }),
        }
    }
}

impl Package {
    /// The names of the package's programs.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        let programs = self
            .targets
            .iter()
            .filter(|it| it.kind.iter().any(|kind| kind == "bin"));
        programs.map(|target| target.name.as_str())
    }
}

impl Edge {
    fn is_shipped(&self) -> bool {
        self.dep_kinds
            .iter()
            .any(|it| it.kind.as_deref() != Some("dev"))
    }
}

/// The platform that this machine's compiler builds for, such as `x86_64-unknown-linux-gnu`.
fn host_platform() -> anyhow::Result<String> {
    let mut command = Command::new("rustc");
    command.arg("-vV");
    let text = String::from_utf8(output_of(command)?).context("read rustc's version")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("find the host platform in rustc's version")
}

fn output_of(mut command: Command) -> anyhow::Result<Vec<u8>> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("start {shown}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("run {shown}: {}: {}", output.status, said.trim());
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipping_follows_normal_and_build_arrows_but_not_dev() {
        let metadata = Metadata::planted(
            &[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")],
            &[
                ("a", "b", ""),
                ("b", "c", "build"),
                ("a", "d", "dev"),
                ("c", "a", ""),
                ("d", "e", ""),
            ],
        );
        assert_eq!(metadata.shipped_with("a"), BTreeSet::from(["a", "b", "c"]));
        assert_eq!(metadata.shipped_with("nobody"), BTreeSet::new());
    }
}
