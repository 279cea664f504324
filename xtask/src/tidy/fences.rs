//! Who may name which library, and which way arrows between our crates point.

use super::{Rule, Violation};
use crate::place::{self, Place};
use crate::workspace::{Dependency, Kind, Manifest, Workspace};

const LAYERS: Rule = Rule {
    name: "layers",
    reason: "arrows point down only: programs → hands → cores → words",
};

const FENCE: Rule = Rule {
    name: "fence",
    reason: "a library behind one crate can be replaced, bounded and tested in one place",
};

const PURE: Rule = Rule {
    name: "pure core",
    reason: "a core that waits or touches the world cannot be replayed on recovery",
};

/// What tests may do beyond the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InTests {
    /// Tests stay inside the fence too.
    Fenced,
    /// Any crate's tests may name the library.
    Free,
}

/// A library and the only crates that may name it.
#[derive(Debug)]
struct Fence {
    library: &'static str,
    crates: &'static [&'static str],
    in_tests: InTests,
}

const fn fence(library: &'static str, crates: &'static [&'static str]) -> Fence {
    Fence {
        library,
        crates,
        in_tests: InTests::Fenced,
    }
}

const PROGRAMS: &[&str] = &[
    "loket-daemon",
    "loket-central",
    "loket-provisioning",
    "loket-demo",
    "loket-sim",
    "loket-tests",
    "loket-usb-guest",
    "xtask",
];

const FENCES: &[Fence] = &[
    fence("rusqlite", &["loket-journal", "loket-store"]),
    fence("rusqlite_migration", &["loket-journal", "loket-store"]),
    fence("rumqttc", &["loket-link"]),
    fence("nusb", &["loket-usb"]),
    // In tests it is the peer that announces.
    Fence {
        library: "mdns-sd",
        crates: &["loket-dns-sd"],
        in_tests: InTests::Free,
    },
    fence("ipp", &["loket-ipp-printer", "loket-sim"]),
    fence("printpdf", &["loket-paper"]),
    Fence {
        library: "qrcode",
        crates: &["loket-paper", "loket-ticket-printer", "loket-sim"],
        in_tests: InTests::Free,
    },
    // A second encoder of ESC/POS, a judge in tests.
    fence("escpos", &["loket-ticket-printer"]),
    fence("rxing", &["loket-qr"]),
    fence("url", &["loket-qr"]),
    fence("idna", &["loket-qr"]),
    fence("hayro", &["loket-paper"]),
    fence("hpke", &["loket-wire"]),
    fence("rumqttd", &["loket-demo", "loket-tests"]),
    Fence {
        library: "rcgen",
        crates: &["loket-provisioning", "loket-daemon"],
        in_tests: InTests::Free,
    },
    // Libraries have error enums of their own, so that callers can tell one failure from another.
    fence("anyhow", PROGRAMS),
];

/// What no core names, in tests neither.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-util",
    "rusqlite",
    "rumqttc",
    "nusb",
    "mdns-sd",
    "hyper",
    "hyper-util",
    "axum",
    "rustls",
    "tokio-rustls",
];

pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let names: Vec<&str> = workspace
        .members
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let mut found = Vec::new();
    for member in &workspace.members {
        if place::place(&member.name).is_none() {
            let what = format!("{} has no layer: add it to xtask/src/place.rs", member.name);
            found.push(Violation::new(&LAYERS, &member.path, 1, what));
        }
        for dependency in &member.dependencies {
            let violation = if names.contains(&dependency.name.as_str()) {
                arrow(member, dependency)
            } else {
                library(member, dependency)
            };
            found.extend(violation);
        }
    }
    found
}

fn arrow(member: &Manifest, dependency: &Dependency) -> Option<Violation> {
    let refusal = place::refusal(&member.name, &dependency.name, dependency.kind)?;
    let what = format!("{} depends on {}: {refusal}", member.name, dependency.name);
    Some(Violation::new(&LAYERS, &member.path, dependency.line, what))
}

fn library(member: &Manifest, dependency: &Dependency) -> Option<Violation> {
    let library = dependency.name.as_str();
    let pure = matches!(place::place(&member.name), Some(Place::Core | Place::Words));
    if pure && IMPURE.contains(&library) {
        let what = format!("{} names {library}", member.name);
        return Some(Violation::new(&PURE, &member.path, dependency.line, what));
    }
    let fence = FENCES.iter().find(|fence| fence.library == library)?;
    let free = fence.in_tests == InTests::Free && dependency.kind == Kind::Dev;
    if free || fence.crates.contains(&member.name.as_str()) {
        return None;
    }
    let what = format!(
        "{} names {library}, only {} may",
        member.name,
        fence.crates.join(", ")
    );
    Some(Violation::new(&FENCE, &member.path, dependency.line, what))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;
    use crate::tree::Tree;

    fn check(name: &str, dependencies: &str, rules: &[&Rule]) {
        let manifest = format!("[package]\nname = \"{name}\"\n{dependencies}\n");
        let tree = Tree::planted(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"wire\"]\n"),
            ("a/Cargo.toml", &manifest),
            ("wire/Cargo.toml", "[package]\nname = \"loket-wire\"\n"),
        ]);
        assert_found(&super::check(&Workspace::parse(&tree).unwrap()), rules);
    }

    #[test]
    fn a_library_behind_its_fence_passes() {
        check(
            "loket-journal",
            "[dependencies]\nrusqlite.workspace = true",
            &[],
        );
        check("loket-sim", "[dependencies]\nipp.workspace = true", &[]);
        check(
            "loket-link",
            "[dev-dependencies]\nrcgen.workspace = true",
            &[],
        );
        check(
            "loket-link",
            "[dependencies]\nloket-wire.workspace = true",
            &[],
        );
    }

    #[test]
    fn a_library_outside_its_fence_is_found() {
        check(
            "loket-link",
            "[dependencies]\nrusqlite.workspace = true",
            &[&FENCE],
        );
        check(
            "loket-daemon",
            "[dev-dependencies]\nrumqttc.workspace = true",
            &[&FENCE],
        );
        check(
            "loket-central",
            "[dependencies]\nrumqttd.workspace = true",
            &[&FENCE],
        );
        check(
            "loket-link",
            "[dependencies]\nrcgen.workspace = true",
            &[&FENCE],
        );
        check(
            "loket-spool",
            "[dependencies]\nanyhow.workspace = true",
            &[&FENCE],
        );
        let renamed = "[dependencies]\ndb = { version = \"1\", package = \"rusqlite\" }";
        check("loket-spool", renamed, &[&FENCE]);
    }

    #[test]
    fn a_core_that_names_a_runtime_is_found() {
        check(
            "loket-domain",
            "[dependencies]\ntokio.workspace = true",
            &[&PURE],
        );
        check(
            "loket-verify",
            "[dev-dependencies]\nhyper.workspace = true",
            &[&PURE],
        );
    }

    #[test]
    fn a_crate_without_a_layer_is_found() {
        check("loket-thing", "", &[&LAYERS]);
        check(
            "xtask",
            "[dependencies]\nloket-wire.workspace = true",
            &[&LAYERS],
        );
    }
}
