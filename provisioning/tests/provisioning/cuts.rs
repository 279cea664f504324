//! Power cuts between the writes of one command: the same command again ends where the uncut one did.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use loket_provisioning::Authority;
use loket_wire::Timestamp;
use loket_wire::enrolment::EnrolmentRequest;
use rcgen::KeyPair;

use crate::site::{authority_at, listed, listed_in_order, machine, office, request};

fn moment() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-22T10:00:00Z").unwrap()
}

/// Every file below `dir`, by its path there.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(dir).unwrap();
                found.push(below.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort_unstable();
    found
}

fn copy(from: &Path, to: &Path, file: &str) {
    fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
    fs::copy(from.join(file), to.join(file)).unwrap();
}

/// Runs `command` uncut; then, for each prefix of `writes` (the folder or file that each write touches, in order),
/// lays what these writes left over the state before, and runs it again. `held` judges every end, and what is revoked
/// must be on the list.
fn check(
    prepare: impl Fn(&Authority),
    command: impl Fn(&Authority),
    writes: &[&str],
    held: impl Fn(&Path),
) {
    let before = tempfile::tempdir().unwrap();
    prepare(&authority_at(before.path(), moment()));
    let after = tempfile::tempdir().unwrap();
    for file in files(before.path()) {
        copy(before.path(), after.path(), &file);
    }
    let held = |dir: &Path| {
        held(dir);
        assert_eq!(listed(dir), revoked(dir));
    };
    command(&Authority::open(after.path()).unwrap());
    held(after.path());

    for done in 0..=writes.len() {
        let cut = tempfile::tempdir().unwrap();
        for file in files(before.path()) {
            copy(before.path(), cut.path(), &file);
        }
        for file in files(after.path()) {
            if writes[..done].iter().any(|write| file.starts_with(write)) {
                copy(after.path(), cut.path(), &file);
            }
        }
        // A broker can be asked at every moment.
        let own_canary = listed_in_order(cut.path()).pop().unwrap();
        assert!(canaries(cut.path()).contains(&own_canary), "{done}");
        command(&Authority::open(cut.path()).unwrap());
        held(cut.path());
    }
}

fn count(dir: &Path, folder: &str) -> usize {
    files(dir)
        .iter()
        .filter(|file| file.starts_with(folder))
        .count()
}

/// The bookkeeping.
fn issued(dir: &Path) -> Vec<serde_json::Value> {
    files(dir)
        .iter()
        .filter(|file| file.starts_with("issued/"))
        .map(|file| fs::read(dir.join(file)).unwrap())
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .collect()
}

fn serials(dir: &Path, wanted: impl Fn(&serde_json::Value) -> bool) -> BTreeSet<String> {
    issued(dir)
        .iter()
        .filter(|issued| wanted(issued))
        .map(|issued| issued["serial"].as_str().unwrap().to_owned())
        .collect()
}

/// Serial numbers of the certificates that the bookkeeping says are revoked, canaries among them.
fn revoked(dir: &Path) -> BTreeSet<String> {
    serials(dir, |issued| !issued["revoked"].is_null())
}

/// Each list has one of its own.
fn canaries(dir: &Path) -> BTreeSet<String> {
    serials(dir, |issued| issued["kind"] == "canary")
}

/// Certificates of machines: how many, and how many of them are revoked.
fn of_machines(dir: &Path) -> (usize, usize) {
    let canaries = canaries(dir).len();
    (issued(dir).len() - canaries, revoked(dir).len() - canaries)
}

fn two_requests() -> (EnrolmentRequest, EnrolmentRequest) {
    let ask = || request("desa-a-1", "desa-a-1", &KeyPair::generate().unwrap());
    (ask(), ask())
}

#[test]
fn a_cut_enrolment_is_given_again_and_issues_no_second_certificate() {
    let (asked, _other) = two_requests();
    check(
        |_authority| {},
        |authority| drop(authority.enrol(&asked, office(), moment()).unwrap()),
        &["issued/", "machines/"],
        |dir| {
            assert_eq!(of_machines(dir), (1, 0));
            assert_eq!(count(dir, "machines/"), 1);
        },
    );
}

#[test]
fn a_cut_replacement_is_given_again_and_leaves_one_good_certificate() {
    let (old, new) = two_requests();
    check(
        |authority| drop(authority.enrol(&old, office(), moment()).unwrap()),
        |authority| drop(authority.replace(&new, office(), moment()).unwrap()),
        &["issued/", "machines/", "crl.json", "crl.pem"],
        |dir| {
            assert_eq!(of_machines(dir), (2, 1));
        },
    );
}

#[test]
fn a_cut_revocation_is_given_again_and_withdraws_everything() {
    let (asked, _other) = two_requests();
    let name = machine("desa-a-1");
    check(
        |authority| drop(authority.enrol(&asked, office(), moment()).unwrap()),
        |authority| drop(authority.revoke(&name, moment()).unwrap()),
        &["denied/", "issued/", "crl.json", "crl.pem", "revoked/"],
        |dir| {
            assert_eq!(count(dir, "denied/"), 1);
            assert_eq!(of_machines(dir), (1, 1));
            assert_eq!((count(dir, "machines/"), count(dir, "revoked/")), (0, 1));
        },
    );
}
