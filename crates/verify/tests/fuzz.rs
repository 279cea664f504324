//! Documents, signature containers, certificates and revocation lists that are nearly right.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that is not as expected fails the test"
)]

use loket_verify::{Policy, Report, Revocation, Trust, Verdict, check};
use loket_wire::Timestamp;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const DOCUMENTS: [&[u8]; 10] = [
    fixture!("kk-sample-bb.pdf"),
    fixture!("kk-sample-bt.pdf"),
    fixture!("variants/kk-sample-pss.pdf"),
    fixture!("variants/kk-sample-p256.pdf"),
    fixture!("kk-sample-blt.pdf"),
    fixture!("kk-sample-blta.pdf"),
    fixture!("variants/kk-sample-twice.pdf"),
    fixture!("kk-sample-appended.pdf"),
    fixture!("kk-sample-encrypted.pdf"),
    fixture!("kk-sample-untrusted.pdf"),
];

const TRUST: [&[u8]; 4] = [
    fixture!("trust/root.pem"),
    fixture!("trust/issuing.pem"),
    fixture!("trust/root.crl.pem"),
    fixture!("trust/issuing.crl"),
];

/// With all that a document can bring along: time stamps over it, lists and answers.
const ARCHIVED: [&[u8]; 4] = [
    fixture!("ltv/blt-ocsp.pdf"),
    fixture!("ltv/blta.pdf"),
    fixture!("ltv/blta-disorder.pdf"),
    fixture!("ltv/bt.pdf"),
];

/// Answers of responders, and the list that goes with them.
const ANSWERS: [&[u8]; 5] = [
    fixture!("ltv/ocsp/good-delegate.der"),
    fixture!("ltv/ocsp/good-issuer.der"),
    fixture!("ltv/ocsp/revoked-after.der"),
    fixture!("ltv/ocsp/unknown.der"),
    fixture!("ltv/root-2024.crl"),
];

/// Some ten seconds without optimisation.
const DOCUMENT_CASES: u64 = 3_000;
const CONTAINER_CASES: u64 = 2_000;
const TRUST_CASES: u64 = 4_000;
const ARCHIVE_CASES: u64 = 500;
const ANSWER_CASES: u64 = 1_500;

fn judge(document: &[u8], trust: &Trust) -> Report {
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    check(document, trust, &Policy::default(), at)
}

/// What of each honest document a valid copy must still hold.
fn contents(trust: &Trust) -> Vec<loket_wire::Sha256Digest> {
    let reports = DOCUMENTS.iter().map(|document| judge(document, trust));
    let revisions = reports.filter_map(|report| report.revision);
    revisions.map(|revision| revision.content_sha256).collect()
}

#[test]
fn fuzz_documents() {
    let trust = Trust::from_files(TRUST).unwrap();
    let honest = contents(&trust);
    assert_eq!(honest.len(), 6, "control: the first six are valid");
    loket_fuzz::fuzz("documents", DOCUMENT_CASES, &DOCUMENTS, |bytes| {
        let report = judge(bytes, &trust);
        assert_eq!(report.revision.is_some(), report.verdict == Verdict::Valid);
        if let Some(revision) = &report.revision {
            assert!(honest.contains(&revision.content_sha256), "{report:?}");
        }
    });
}

/// Where the digits of `/Contents` lie, and the bytes that they spell, padding and all.
fn container(document: &[u8]) -> (std::ops::Range<usize>, Vec<u8>) {
    let key = b"/Contents <3";
    let found = document.windows(key.len()).position(|part| part == key);
    let start = found.unwrap() + key.len() - 1;
    let rest = document.get(start..).unwrap();
    let length = rest.iter().position(|byte| *byte == b'>').unwrap();
    let digits = rest.get(..length).unwrap();
    let bytes = digits.chunks_exact(2).map(|pair| {
        let pair = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    });
    (start..start + length, bytes.collect())
}

/// The document around another container, cut or filled up to the place that there is.
fn with_container(document: &[u8], container: &[u8], place: &std::ops::Range<usize>) -> Vec<u8> {
    let mut digits: Vec<u8> = container
        .iter()
        .flat_map(|byte| format!("{byte:02X}").into_bytes())
        .collect();
    digits.resize(place.len(), b'0');
    let mut copy = document.to_vec();
    drop(copy.splice(place.clone(), digits));
    copy
}

#[test]
fn fuzz_containers() {
    let trust = Trust::from_files(TRUST).unwrap();
    let honest = contents(&trust);
    let parts: Vec<_> = DOCUMENTS
        .iter()
        .take(4)
        .map(|document| {
            let (place, mut bytes) = container(document);
            assert_eq!(with_container(document, &bytes, &place), *document);
            let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            bytes.truncate(used);
            (*document, place, bytes)
        })
        .collect();
    loket_fuzz::fuzz_from("containers", CONTAINER_CASES, |seeded| {
        let which = usize::try_from(seeded.below(4)).unwrap();
        let (document, place, bytes) = parts.get(which).unwrap();
        let altered = loket_fuzz::Mutator::new(seeded.clone()).alter(bytes);
        let report = judge(&with_container(document, &altered, place), &trust);
        if let Some(revision) = &report.revision {
            assert!(honest.contains(&revision.content_sha256), "{report:?}");
        }
    });
}

/// Whatever a trust file was made of, no document becomes valid that is not by the honest ones.
#[test]
fn fuzz_trust_files() {
    let untrusted = fixture!("kk-sample-untrusted.pdf");
    let revoked = fixture!("kk-sample-revoked.pdf");
    let mut read = 0_u64;
    loket_fuzz::fuzz_from("trust-files", TRUST_CASES, |seeded| {
        let which = usize::try_from(seeded.below(4)).unwrap();
        let mut files: Vec<Vec<u8>> = TRUST.iter().map(|file| file.to_vec()).collect();
        let mut mutator = loket_fuzz::Mutator::new(seeded.clone());
        let file = files.get_mut(which).unwrap();
        *file = mutator.alter(file);
        let Ok(trust) = Trust::from_files(files.iter().map(Vec::as_slice)) else {
            return;
        };
        read += 1;
        // A list that does not read as one is no list: what it would have revoked is then judged without it.
        assert_ne!(judge(untrusted, &trust).verdict, Verdict::Valid);
        let _any = judge(revoked, &trust);
        let _any = judge(DOCUMENTS.first().unwrap(), &trust);
    });
    assert!(read > 0, "control: some are still read");
}

/// Whatever stands in the archive of a document, what may be printed is what was signed, and a signer that ended without
/// an honest time stamp is not made valid by it.
#[test]
fn fuzz_archives() {
    let trust = Trust::from_files([TRUST[0], TRUST[1]]).unwrap();
    let judge = |document: &[u8], at: &str| {
        let at = Timestamp::parse_rfc3339(at).unwrap();
        check(document, &trust, &Policy::default(), at)
    };
    let at = "2026-11-22T00:00:00Z";
    let honest = judge(ARCHIVED.last().unwrap(), at).revision.unwrap();
    loket_fuzz::fuzz("archives", ARCHIVE_CASES, &ARCHIVED, |bytes| {
        let report = judge(bytes, at);
        if let Some(revision) = &report.revision {
            assert_eq!(revision.content_sha256, honest.content_sha256, "{report:?}");
        }
        let late = judge(bytes, "2031-01-01T00:00:00Z");
        assert_ne!(
            late.verdict,
            Verdict::Valid,
            "every stamp has ended: {late:?}"
        );
    });
}

/// The ResponseData of an answer, header included: what its responder signed.
fn signed_part(answer: &[u8]) -> &[u8] {
    /// Header and whole length of the value at the start.
    fn measure(der: &[u8]) -> (usize, usize) {
        match der[1] {
            0x82 => (4, 4 + usize::from(u16::from_be_bytes([der[2], der[3]]))),
            0x81 => (3, 3 + usize::from(der[2])),
            short => (2, 2 + usize::from(short)),
        }
    }
    let enter = |der: &'static [u8]| &der[measure(der).0..];
    let skip = |der: &'static [u8]| &der[measure(der).1..];
    let answer: &'static [u8] = ANSWERS.iter().find(|it| *it == &answer).unwrap();
    // OCSPResponse, past its status into responseBytes, past the type into BasicOCSPResponse.
    let bytes = enter(enter(skip(enter(answer))));
    let basic = enter(skip(bytes));
    let data = enter(basic);
    &data[..measure(data).1]
}

/// Whatever an answer was made of, it does not call a signer good of whom nothing else is known.
#[test]
fn fuzz_answers() {
    let document = fixture!("ltv/bb.pdf");
    let at = Timestamp::parse_rfc3339("2024-01-26T00:00:00Z").unwrap();
    let policy = Policy {
        revocation: Revocation::Required,
        ..Policy::default()
    };
    let judge = |files: &[&[u8]]| {
        let read = Trust::from_files([TRUST[0], TRUST[1]].iter().chain(files).copied());
        read.map(|trust| check(document, &trust, &policy, at).verdict)
    };
    let good = judge(&[ANSWERS[0], ANSWERS[4]]);
    assert_eq!(good, Ok(Verdict::Valid), "control");
    let signed: Vec<&[u8]> = ANSWERS[..2]
        .iter()
        .map(|answer| signed_part(answer))
        .collect();
    loket_fuzz::fuzz("answers", ANSWER_CASES, &ANSWERS, |bytes| {
        // Some of an answer is signed by nobody: what is must be whole.
        let is_honest = signed
            .iter()
            .any(|part| bytes.windows(part.len()).any(|window| window == *part));
        let verdict = judge(&[bytes, ANSWERS[4]]);
        assert!(is_honest || verdict != Ok(Verdict::Valid), "{bytes:02x?}");
    });
}
