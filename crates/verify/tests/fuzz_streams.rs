//! Files with cross-reference streams and object streams that are nearly right.

use loket_verify::{Policy, Trust, Verdict, check};
use loket_wire::{Sha256Digest, Timestamp};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const STREAMS: [&[u8]; 5] = [
    fixture!("originals/pyhanko-bb-stream.pdf"),
    fixture!("originals/pyhanko-lt-stream.pdf"),
    fixture!("originals/pyhanko-renewed-stream.pdf"),
    fixture!("originals/pdfbox-bb-stream.pdf"),
    fixture!("originals/unsigned-stream.pdf"),
];

/// Some ten seconds without optimisation.
const CASES: u64 = 1_500;

#[test]
fn fuzz_streams() {
    let trust = Trust::from_files([
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        fixture!("trust/issuing.crl"),
    ]);
    let trust = trust.unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    let judge = |bytes: &[u8]| check(bytes, &trust, &Policy::default(), at);
    let honest: Vec<Sha256Digest> = STREAMS
        .iter()
        .filter_map(|document| judge(document).revision)
        .map(|revision| revision.content_sha256)
        .collect();
    assert_eq!(honest.len(), 4, "control: the first four are valid");
    loket_fuzz::fuzz("streams", CASES, &STREAMS, |bytes| {
        let report = judge(bytes);
        assert!(report.revision.is_some() || report.verdict != Verdict::Valid);
        if let Some(revision) = &report.revision {
            assert!(honest.contains(&revision.content_sha256), "{report:?}");
        }
    });
}
