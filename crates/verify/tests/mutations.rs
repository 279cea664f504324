//! No altered document is ever valid, and no bytes make `check` panic.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that is not as expected fails the test"
)]

use loket_verify::{Code, Policy, Report, Trust, Verdict, check};
use loket_wire::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const SIGNED: &[u8] = fixture!("kk-sample-bb.pdf");
const STAMPED: &[u8] = fixture!("kk-sample-bt.pdf");
const HONEST: [&[u8]; 4] = [
    SIGNED,
    STAMPED,
    fixture!("variants/kk-sample-pss.pdf"),
    fixture!("variants/kk-sample-p256.pdf"),
];

fn trust() -> Trust {
    Trust::from_files([
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        fixture!("trust/issuing.crl"),
    ])
    .unwrap()
}

fn judge(document: &[u8], trust: &Trust) -> Report {
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    check(document, trust, &Policy::default(), at)
}

/// Where the text between the angle brackets of `/Contents` lies.
fn contents(document: &[u8]) -> std::ops::Range<usize> {
    let key = b"/Contents <3";
    let start = document
        .windows(key.len())
        .position(|window| window == key)
        .unwrap()
        + 11;
    let length = document[start..]
        .iter()
        .position(|byte| *byte == b'>')
        .unwrap();
    start..start + length
}

/// The bytes of the container that are not padding.
fn used(document: &[u8]) -> std::ops::Range<usize> {
    let place = contents(document);
    let last = document[place.clone()]
        .iter()
        .rposition(|byte| *byte != b'0')
        .unwrap();
    place.start..place.start + last + 1
}

fn edited(document: &[u8], edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut copy = document.to_vec();
    edit(&mut copy);
    copy
}

/// The same digit one higher, as a hexadecimal digit of the same case.
fn next_digit(digit: u8) -> u8 {
    match digit {
        b'9' => b'A',
        b'F' => b'0',
        other => other + 1,
    }
}

/// Every digit takes a minute; this step meets all parts of the container within the test run.
const DIGIT_STEP: usize = 13;

#[test]
fn no_digit_of_the_signature_container_can_be_changed() {
    let trust = trust();
    for document in [SIGNED, STAMPED] {
        for place in used(document).step_by(DIGIT_STEP) {
            let forged = edited(document, |copy| copy[place] = next_digit(copy[place]));
            let report = judge(&forged, &trust);
            assert_ne!(report.verdict, Verdict::Valid, "digit at {place}");
        }
    }
}

#[test]
fn the_padding_is_zeros_and_the_digits_have_one_spelling() {
    let trust = trust();
    let place = contents(SIGNED);
    let padding = used(SIGNED).end + 1..place.end;
    for at in padding.step_by(97) {
        let report = judge(&edited(SIGNED, |copy| copy[at] = b'1'), &trust);
        assert!(
            report.has(Code::Padding) && report.verdict == Verdict::Invalid,
            "at {at}"
        );
    }
    let lower = edited(SIGNED, |copy| {
        let letter = copy[place.clone()]
            .iter()
            .position(u8::is_ascii_uppercase)
            .unwrap();
        copy[place.start + letter].make_ascii_lowercase();
    });
    assert!(judge(&lower, &trust).has(Code::Gap), "two cases mixed");
    let spaced = edited(SIGNED, |copy| copy[place.end - 1] = b' ');
    assert!(
        judge(&spaced, &trust).has(Code::Gap),
        "a space among the digits"
    );
}

#[test]
fn no_byte_that_is_shown_can_be_changed() {
    let trust = trust();
    let place = contents(SIGNED);
    let covered = (0..place.start).chain(place.end..SIGNED.len());
    for at in covered.step_by(31) {
        let forged = edited(SIGNED, |copy| copy[at] ^= 1 << (at % 8));
        assert_ne!(judge(&forged, &trust).verdict, Verdict::Valid, "byte {at}");
    }
}

#[test]
fn a_byte_range_that_says_something_else_is_refused() {
    let trust = trust();
    let honest = b"[0 34400 44542 574]";
    let at = SIGNED
        .windows(honest.len())
        .position(|window| window == honest)
        .unwrap();
    let cases: [(&str, Code); 10] = [
        ("[0 34400 44542 575]", Code::ByteRange),
        ("[0 34400 44542 572]", Code::CoverageEnd),
        ("[0 34400 44542 573]", Code::DigestMismatch),
        ("[0 34400 44543 573]", Code::Gap),
        ("[0 34399 44542 574]", Code::Gap),
        ("[1 34399 44542 574]", Code::ByteRange),
        ("[0 34400 44542  -1]", Code::ByteRange),
        ("[0 34400 44542 ]   ", Code::ByteRange),
        ("[0 44542 34400 574]", Code::ByteRange),
        ("null               ", Code::ByteRange),
    ];
    for (text, code) in cases {
        let forged = edited(SIGNED, |copy| {
            copy[at..at + text.len()].copy_from_slice(text.as_bytes());
        });
        let report = judge(&forged, &trust);
        assert_eq!(report.verdict, Verdict::Invalid, "{text}");
        assert!(report.has(code), "{text}: {report:?}");
    }
}

#[test]
fn a_rewritten_container_is_still_the_same_document() {
    let trust = trust();
    // sha256WithRSAEncryption, as the signer's algorithm, becomes rsaEncryption: it means the same.
    let name = b"300D06092A864886F70D01010B0500";
    let at = SIGNED
        .windows(name.len())
        .rposition(|window| window == name)
        .unwrap();
    let other = edited(SIGNED, |copy| copy[at + 24..at + 26].copy_from_slice(b"01"));
    let [honest, other] = [SIGNED, &other].map(|document| judge(document, &trust).revision);
    let (honest, other) = (honest.unwrap(), other.unwrap());
    assert_ne!(honest.sha256, other.sha256);
    assert_eq!(honest.content_sha256, other.content_sha256);
    let stamped = judge(STAMPED, &trust).revision.unwrap();
    assert_ne!(
        honest.content_sha256, stamped.content_sha256,
        "control: another signing"
    );
}

#[test]
fn bytes_after_the_signed_revision_are_never_valid() {
    let trust = trust();
    for tail in [&b"\n"[..], b" ", b"%%EOF\n", b"\0"] {
        let report = judge(&[SIGNED, tail].concat(), &trust);
        assert_ne!(report.verdict, Verdict::Valid, "{}", tail.escape_ascii());
        assert!(report.has(Code::TailBytes), "{}", tail.escape_ascii());
        assert_eq!(report.revision, None);
    }
    let report = judge(&[SIGNED, b"junk"].concat(), &trust);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(report.has(Code::Stray), "{report:?}");
}

/// An update behind the signed revision: `object` under `number`, and a table that names it.
fn updated(document: &[u8], number: u32, object: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(document);
    let previous = text
        .rsplit("startxref\n")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let mut out = document.to_vec();
    let offset = out.len();
    out.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    let table = out.len();
    out.extend(
        format!(
            "xref\n{number} 1\n{offset:010} 00000 n \ntrailer\n<< /Size 99 /Root 6 0 R \
             /Prev {previous} >>\nstartxref\n{table}\n%%EOF\n"
        )
        .bytes(),
    );
    out
}

#[test]
fn an_update_never_makes_a_changed_document_valid() {
    let trust = trust();
    let signature_of = |document: &[u8]| {
        let digits = String::from_utf8_lossy(&document[contents(document)]).into_owned();
        let end = document.len();
        format!(
            "<< /Type /Sig /SubFilter /ETSI.CAdES.detached /Contents <{digits}> \
             /ByteRange [0 34400 44542 {}] >>",
            end - 44542
        )
    };
    let wrapped = signature_of(SIGNED);
    let cases: [(u32, &str, Verdict, Code); 6] = [
        (
            1,
            "<< /F1 null >>",
            Verdict::Invalid,
            Code::ChangedResources,
        ),
        (13, &wrapped, Verdict::Invalid, Code::SignatureRemoved),
        (13, "null", Verdict::Invalid, Code::SignatureRemoved),
        (
            11,
            "<< /Fields [] >>",
            Verdict::Invalid,
            Code::SignatureRemoved,
        ),
        (
            12,
            "<< /FT /Sig /Kids [12 0 R] >>",
            Verdict::Invalid,
            Code::Malformed,
        ),
        (
            13,
            "<< /Type /Sig /Type /Sig >>",
            Verdict::Invalid,
            Code::DuplicateKey,
        ),
    ];
    for (number, object, verdict, code) in cases {
        let report = judge(&updated(SIGNED, number, object), &trust);
        assert_eq!(report.verdict, verdict, "object {number}: {report:?}");
        assert!(report.has(code), "object {number}: {report:?}");
        assert_eq!(report.revision, None, "object {number}");
    }
}

#[test]
fn a_document_over_the_bound_is_not_read() {
    let large = vec![b' '; loket_verify::MAX_DOCUMENT_BYTES + 1];
    assert!(judge(&large, &trust()).has(Code::TooLarge));
}

#[test]
fn a_document_made_to_be_slow_is_given_up() {
    // One object of very many values, each of which takes more memory than bytes in the file.
    let values = "[]".repeat(1_000_000);
    let mut text = String::from("%PDF-1.7\n");
    let offset = text.len();
    text += &format!("1 0 obj<</Type/Catalog/X[{values}]>>endobj\n");
    let table = text.len();
    text += &format!("xref\n1 1\n{offset:010} 00000 n \n");
    text += &format!("trailer<</Size 999/Root 1 0 R>>\nstartxref\n{table}\n%%EOF");
    let report = judge(text.as_bytes(), &trust());
    assert_eq!(report.verdict, Verdict::Indeterminate);
    assert!(report.has(Code::TooComplex), "{report:?}");
}

#[test]
fn an_object_that_lies_in_a_comment_of_another_is_refused() {
    // To a reader that goes by the table alone each field runs over all that follow.
    let mut text = String::from("%PDF-1.7\n");
    let mut offsets = vec![text.len()];
    text += "1 0 obj<</Type/Catalog/AcroForm<</Fields[2 0 R 3 0 R]>>>>endobj\n";
    for number in 2..4 {
        offsets.push(text.len());
        text += &format!("{number} 0 obj<</FT/Tx>>%");
    }
    text += "\nendobj\n";
    let table = text.len();
    text += &format!("xref\n1 {}\n", offsets.len());
    let entries = offsets.iter();
    text.extend(entries.map(|offset| format!("{offset:010} 00000 n \n")));
    text += &format!("trailer<</Size 999/Root 1 0 R>>\nstartxref\n{table}\n%%EOF");
    let report = judge(text.as_bytes(), &trust());
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(report.has(Code::CommentHides), "{report:?}");
}

fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x004c_6f6b_6574),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(seeded(512))]

    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let trust = trust();
        prop_assert_ne!(judge(&bytes, &trust).verdict, Verdict::Valid);
        let started = [b"%PDF-1.7\n", bytes.as_slice(), b"\nstartxref\n9\n%%EOF\n"].concat();
        prop_assert_ne!(judge(&started, &trust).verdict, Verdict::Valid);
        let _unread = Trust::from_files([bytes.as_slice()]).is_ok();
    }

    #[test]
    fn a_mutated_sample_is_never_valid(
        which in 0..HONEST.len(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..5_u8), 1..4),
    ) {
        let honest = HONEST[which];
        let mut forged = honest.to_vec();
        for (index, byte, kind) in edits {
            if forged.is_empty() {
                break;
            }
            let at = index.index(forged.len());
            match kind {
                0 => forged[at] ^= 1 << (byte % 8),
                1 => forged[at] = byte,
                2 => forged.truncate(at),
                3 => forged.insert(at, byte),
                _ => drop(forged.remove(at)),
            }
        }
        let report = judge(&forged, &trust());
        prop_assert!(report.verdict != Verdict::Valid || forged == honest, "{report:?}");
    }

    #[test]
    fn a_mutated_container_is_never_valid(
        which in 0..HONEST.len(),
        index in any::<proptest::sample::Index>(),
        digit in 0..16_usize,
    ) {
        let honest = HONEST[which];
        let place = used(honest);
        let at = place.start + index.index(place.len());
        let forged = edited(honest, |copy| copy[at] = b"0123456789ABCDEF"[digit]);
        let report = judge(&forged, &trust());
        prop_assert!(report.verdict != Verdict::Valid || forged == honest, "{report:?}");
    }
}
