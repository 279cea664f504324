//! Settings that are nearly right: taken whole, or refused.

use loket_central::{Config, Offices};

/// Some seconds without optimisation; each case is a file on disk.
const CASES: u64 = 5_000;

const SETTINGS: &str = include_str!("fixtures/central.toml");

#[test]
fn fuzz_settings_of_central() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.toml");
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Config::load(&path).is_ok()
    };
    assert!(load(SETTINGS.as_bytes()), "control");
    let mut taken = 0_u64;
    loket_fuzz::fuzz(
        "settings-of-central",
        CASES,
        &[SETTINGS.as_bytes()],
        |bytes| {
            taken += u64::from(load(bytes));
        },
    );
    assert!(taken > 0, "control: some are still taken");
}

#[test]
fn fuzz_offices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("offices.toml");
    let good = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../systemd/etc/loket/offices.toml"
    ))
    .unwrap();
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Offices::load(&path).is_ok()
    };
    assert!(load(&good), "control");
    let mut taken = 0_u64;
    loket_fuzz::fuzz("offices", CASES, &[&good], |bytes| {
        taken += u64::from(load(bytes));
    });
    assert!(taken > 0, "control: some are still taken");
}
