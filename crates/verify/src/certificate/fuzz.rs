//! Certificates that are nearly right.

use der::Encode;

use super::*;
use crate::corpus::{self, CERTIFICATES, Tree};

/// A second in a test run.
const CASES: u64 = 12_000;

/// One case in so many has its signature checked, which takes longer than all else.
const ONE_IN_CHECKED: u64 = 16;

/// What is read is what stands there, found without the reader.
fn says_what_stands_there(read: &Certificate, bytes: &[u8]) {
    assert_eq!(read.der(), bytes);
    let Some(tree) = Tree::of(bytes) else {
        return;
    };
    let parts = tree.inside(0);
    assert_eq!(parts.len(), 3);
    let told = tree.inside(parts[0]);
    let told = &told[usize::from(tree.tag(told[0]) == 0xa0)..];
    assert_eq!(read.serial(), tree.content(told[0]));
    assert_eq!(
        tree.whole(told[1]),
        tree.whole(parts[1]),
        "one algorithm, said twice"
    );
    // The members of a set may come in any order, and are kept in one.
    for (name, place) in [(read.issuer(), told[2]), (read.subject(), told[4])] {
        assert_eq!(name.0.len(), tree.inside(place).len());
        assert_eq!(name.to_der().unwrap().len(), tree.whole(place).len());
    }
    let key = tree.inside(told[5]);
    // A key has whole bytes, or is none.
    let bits = match tree.content(key[1]) {
        [0, bits @ ..] => bits,
        _odd => &[],
    };
    assert_eq!(read.key_bits(), bits);
    let extensions = told.iter().find(|part| tree.tag(**part) == 0xa3);
    let listed = extensions.map(|part| tree.inside(tree.inside(*part)[0]));
    let listed = listed.unwrap_or_default();
    let critical = listed.iter().filter(|each| {
        let parts = tree.inside(**each);
        parts.len() == 3 && tree.content(parts[1]) == [0xff]
    });
    assert_eq!(read.critical_extensions().count(), critical.count());
}

/// All that others ask of a certificate; what a report says of it fits and does nothing to a terminal.
fn answers_everything(read: &Certificate) {
    let _any = (
        read.basic_constraints(),
        read.key_usage(),
        read.extended_key_usage(),
    );
    let _any = (
        read.name_constraints(),
        read.has_policy(ID_PKIX_OCSP_NOCHECK),
    );
    let _any = (
        read.has_key_identifier(&[1]),
        read.has_critical_usage(),
        read.is_never_revoked(),
    );
    assert_eq!(read.holds_at(read.begins()), read.begins() <= read.ends());
    assert!(read.is_named(read.subject()));
    for text in [read.subject_text(), read.issuer_text()] {
        assert!(text.chars().count() <= 300 && !text.chars().any(char::is_control));
    }
    let fault = crate::constraints::faults(&[read, read]);
    assert!(fault.is_none() || read.name_constraints() != Ok(None));
}

#[test]
fn fuzz_reader_certificates() {
    let issuing = corpus::issuing();
    let (mut taken, mut accepted) = (0_u64, 0_u64);
    loket_fuzz::fuzz_der(
        "reader-certificates",
        CASES,
        &CERTIFICATES,
        |bytes, seeded| {
            let Ok(read) = Certificate::parse(bytes) else {
                return;
            };
            taken += 1;
            says_what_stands_there(&read, bytes);
            answers_everything(&read);
            if seeded.below(ONE_IN_CHECKED) == 0 && issuing.issued(&read).is_ok() {
                accepted += 1;
                assert!(CERTIFICATES.contains(&bytes), "altered and accepted");
            }
        },
    );
    assert!(taken > 0 && accepted > 0, "control: {taken}, {accepted}");
}
