//! Documents near the largest size that are made to be dear are given up, by the steps that they would take.

use loket_verify::{Code, Policy, Trust, Verdict, check};
use loket_wire::Timestamp;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

#[test]
fn what_is_made_to_be_dear_is_given_up() {
    let files = [fixture!("trust/root.pem"), fixture!("trust/issuing.pem")];
    let trust = Trust::from_files(files).unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    for document in loket_fuzz::costly::documents() {
        let (name, bytes) = (document.name, document.bytes);
        assert!(bytes.len() <= loket_verify::MAX_DOCUMENT_BYTES, "{name}");
        let report = check(&bytes, &trust, &Policy::default(), at);
        assert_ne!(report.verdict, Verdict::Valid, "{name}");
        assert!(report.has(Code::TooComplex), "{name}: {report:?}");
    }
    let honest = fixture!("kk-sample-blta.pdf");
    let report = check(honest, &trust, &Policy::default(), at);
    assert_eq!(report.verdict, Verdict::Valid, "control");
}
