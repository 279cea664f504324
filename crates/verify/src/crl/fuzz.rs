//! Revocation lists that are nearly right.

use super::*;
use crate::corpus::{self, LISTS, Tree};

/// A second in a test run.
const CASES: u64 = 16_000;

/// One case in so many has its signature checked, which takes longer than all else.
const ONE_IN_CHECKED: u64 = 16;

/// So many serial numbers of a list are looked for, at most.
const MAX_ASKED: usize = 32;

/// Each serial number that stands in a list, found without the reader, is revoked; others are not.
fn names_those_that_stand_there(read: &RevocationList, bytes: &[u8]) {
    assert_eq!(read.der(), bytes);
    let Some(tree) = Tree::of(bytes) else {
        return;
    };
    let told = tree.inside(tree.inside(0)[0]);
    // Behind the last moment, if entries follow: what stands there is version, algorithm, issuer and one moment or two.
    let last = told
        .iter()
        .rposition(|part| TIMES.contains(&tree.tag(*part)));
    let behind = last.and_then(|last| told.get(last + 1));
    let entries = behind.filter(|part| tree.tag(**part) == SEQUENCE);
    let entries = entries.map(|part| tree.inside(*part)).unwrap_or_default();
    // What stands behind the moment of an entry is not gone through before somebody asks for it: it may be anything.
    let whole = entries
        .iter()
        .filter(|entry| !tree.inside(**entry).is_empty());
    let serials: Vec<&[u8]> = whole
        .map(|entry| tree.content(tree.inside(*entry)[0]))
        .collect();
    // A list is passed through for each of them.
    for serial in serials.iter().step_by(1 + serials.len() / MAX_ASKED) {
        assert!(read.entry(serial).is_some(), "{serial:02x?}");
    }
    for stranger in [[9_u8].as_slice(), &[0x11; 20], &[]] {
        let is_listed = serials.contains(&stranger);
        assert!(read.entry(stranger).is_some() == is_listed || serials.len() < entries.len());
    }
    assert_eq!(read.next_update().is_some(), read.ends_at().is_some());
    assert!(!read.replaces(read));
}

#[test]
fn fuzz_reader_lists() {
    let issuing = corpus::issuing();
    let (mut taken, mut accepted) = (0_u64, 0_u64);
    loket_fuzz::fuzz_der("reader-lists", CASES, &LISTS, |bytes, seeded| {
        let Ok(read) = RevocationList::parse(bytes) else {
            return;
        };
        taken += 1;
        names_those_that_stand_there(&read, bytes);
        if seeded.below(ONE_IN_CHECKED) == 0 && read.is_of(&issuing, &Effort::new()) {
            accepted += 1;
            assert!(LISTS.contains(&bytes), "altered and accepted");
        }
    });
    assert!(taken > 0 && accepted > 0, "control: {taken}, {accepted}");
}
