//! Packages of others: which may be nowhere, and which may not be shipped inside what.

use anyhow::Context;
use toml::{Table, Value};

use super::{Rule, Violation};
use crate::metadata::Metadata;
use crate::place;
use crate::tree::Tree;

const BANNED: Rule = Rule {
    name: "banned package",
    reason: "ring is the one cryptography below TLS: a second one doubles what must be patched",
};

const KEPT_OUT: Rule = Rule {
    name: "kept out",
    reason: "what is shipped holds what it needs, and a core waits for nothing",
};

/// Packages that stand nowhere in Cargo.lock, for no platform.
const NOWHERE: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
];

/// What is not shipped inside the programs of an office or of central: a broker, simulators, what tests judge by.
const NOT_IN_PROGRAMS: &[&str] = &[
    "rumqttd",
    "loket-sim",
    "loket-fuzz",
    "loket-example-settings",
    "loket-demo",
    "loket-tests",
    "proptest",
    // The second cryptography against which tests hold the first: in programs it would double what must be patched. Its
    // curves p256 and p384 are let in for the one pair that ring lacks (docs/adr/0046).
    "rsa",
];

/// What no core reaches, by whatever way.
const NOT_IN_CORES: &[&str] = &[
    "tokio",
    "mio",
    "rusqlite",
    "libsqlite3-sys",
    "rumqttc",
    "nusb",
    "mdns-sd",
    "hyper",
    "axum",
    "rustls",
];

const SHIPPED: &[&str] = &[
    "loket-daemon",
    "loket-central",
    "loket-provisioning",
    "loket-kiosk-ui",
];

pub(super) fn check(tree: &Tree, metadata: &Metadata) -> anyhow::Result<Vec<Violation>> {
    let mut found = banned(tree.text("Cargo.lock").context("find Cargo.lock")?)?;
    for program in SHIPPED {
        found.extend(kept_out(metadata, program, NOT_IN_PROGRAMS));
    }
    for package in &metadata.packages {
        let core = matches!(
            place::place(&package.name),
            Some(place::Place::Core | place::Place::Words)
        );
        if core {
            found.extend(kept_out(metadata, &package.name, NOT_IN_CORES));
        }
    }
    Ok(found)
}

fn banned(lock: &str) -> anyhow::Result<Vec<Violation>> {
    let table: Table = lock.parse().context("parse Cargo.lock")?;
    let packages = table.get("package").and_then(Value::as_array);
    let names = packages
        .into_iter()
        .flatten()
        .filter_map(|it| it.get("name")?.as_str());
    let bad = names.filter(|name| NOWHERE.contains(name));
    let violation = |name: &str| {
        let entry = format!("name = \"{name}\"");
        let line = (1..).zip(lock.lines()).find(|(_, line)| *line == entry);
        Violation::new(
            &BANNED,
            "Cargo.lock",
            line.map_or(1, |(number, _)| number),
            name,
        )
    };
    Ok(bad.map(violation).collect())
}

fn kept_out(metadata: &Metadata, holder: &str, unwanted: &[&str]) -> Vec<Violation> {
    let inside = metadata.shipped_with(holder);
    let bad = unwanted.iter().filter(|name| inside.contains(*name));
    bad.map(|name| {
        let what = format!("{holder} takes in {name}: see `cargo tree -p {holder} -i {name}`");
        Violation::new(&KEPT_OUT, "Cargo.lock", 1, what)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    fn check(lock: &str, arrows: &[(&str, &str, &str)], rules: &[&Rule]) {
        let names = [
            "loket-daemon",
            "loket-domain",
            "middle",
            "rsa",
            "rumqttd",
            "tokio",
        ];
        let packages: Vec<(&str, &str)> = names.iter().map(|name| (*name, "MIT")).collect();
        let metadata = Metadata::planted(&packages, arrows);
        let tree = Tree::planted(&[("Cargo.lock", lock)]);
        assert_found(&super::check(&tree, &metadata).unwrap(), rules);
    }

    #[test]
    fn a_second_cryptography_in_the_lock_is_found() {
        check("[[package]]\nname = \"ring\"\n", &[], &[]);
        check("[[package]]\nname = \"openssl-sys\"\n", &[], &[&BANNED]);
        let lock = "version = 4\n\n[[package]]\nname = \"aws-lc-rs\"\n";
        assert_eq!(banned(lock).unwrap()[0].line, 4);
    }

    #[test]
    fn a_broker_inside_the_daemon_is_found_through_any_crate() {
        check(
            "",
            &[
                ("loket-daemon", "middle", ""),
                ("loket-daemon", "tokio", ""),
            ],
            &[],
        );
        check("", &[("loket-daemon", "rumqttd", "dev")], &[]);
        let hidden = [("loket-daemon", "middle", ""), ("middle", "rumqttd", "")];
        check("", &hidden, &[&KEPT_OUT]);
    }

    #[test]
    fn a_second_cryptography_inside_a_program_is_found_and_tests_may_have_it() {
        check(
            "",
            &[("middle", "rsa", "dev"), ("loket-daemon", "middle", "")],
            &[],
        );
        let hidden = [("loket-daemon", "middle", ""), ("middle", "rsa", "")];
        check("", &hidden, &[&KEPT_OUT]);
    }

    #[test]
    fn a_runtime_inside_a_core_is_found_through_any_crate() {
        let hidden = [("loket-domain", "middle", ""), ("middle", "tokio", "")];
        check("", &hidden, &[&KEPT_OUT]);
    }
}
