//! What `check` says of a document that was extended after it was signed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that is not as expected fails the test"
)]

mod attacks;
mod honest;
mod update;

use loket_verify::{ChangeLevel, Code, Policy, Report, Trust, check};
use loket_wire::Timestamp;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/", $name)).as_slice()
    };
}

const SIGNED: &[u8] = fixture!("kk-sample-bb.pdf");
const STAMPED: &[u8] = fixture!("kk-sample-bt.pdf");
const CERTIFIED: &[u8] = fixture!("variants/kk-sample-certified.pdf");
const TWICE: &[u8] = fixture!("variants/kk-sample-twice.pdf");
const ARCHIVED: &[u8] = fixture!("kk-sample-blt.pdf");
const ARCHIVED_TWICE: &[u8] = fixture!("kk-sample-blta.pdf");
const LIST: &[u8] = fixture!("trust/issuing.crl");

fn judge(document: &[u8]) -> Report {
    judge_with(document, ChangeLevel::Sealed)
}

fn judge_with(document: &[u8], changes: ChangeLevel) -> Report {
    let trust = Trust::from_files([
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        LIST,
    ]);
    let policy = Policy {
        changes,
        ..Policy::default()
    };
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    check(document, &trust.unwrap(), &policy, at)
}

/// What was found about changes, of the first signature.
fn changes(report: &Report) -> Vec<Code> {
    let found = report.signatures.first().into_iter();
    found
        .flat_map(|signature| signature.findings.iter())
        .map(|finding| finding.code)
        .filter(|code| code.id() >= "V-601" && *code != Code::FontStandard)
        .collect()
}
