//! Documents, signature containers, certificates and revocation lists that are nearly right.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that is not as expected fails the test"
)]

use loket_verify::{Policy, Report, Trust, Verdict, check};
use loket_wire::Timestamp;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const DOCUMENTS: [&[u8]; 7] = [
    fixture!("kk-sample-bb.pdf"),
    fixture!("kk-sample-bt.pdf"),
    fixture!("variants/kk-sample-pss.pdf"),
    fixture!("variants/kk-sample-p256.pdf"),
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

/// Some ten seconds without optimisation.
const DOCUMENT_CASES: u64 = 3_000;
const CONTAINER_CASES: u64 = 2_000;
const TRUST_CASES: u64 = 4_000;

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
    assert_eq!(honest.len(), 4, "control: the first four are valid");
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
