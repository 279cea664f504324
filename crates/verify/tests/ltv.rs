//! Documents whose signer's certificate has ended, at the levels of PAdES, judged years later.
//!
//! tests/fixtures/ltv/make_ltv.py made them: signed 2024-01-24T03:00Z, stamped at 04:00Z; the signer's certificate ended
//! with 2025, the first stamping authority's with 2028.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be read fails the test"
)]

use loket_verify::{
    AnchorEnd, Code, Indication, Level, Policy, ProofSource, Report, Revocation, RevocationForm,
    RevocationSource, SubIndication, TimeStamps, Trust, Verdict, check,
};
use loket_wire::{Sha256Digest, Timestamp};

macro_rules! fixture {
    ($name:expr) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const ROOT: &[u8] = fixture!("trust/root.pem");
const ISSUING: &[u8] = fixture!("trust/issuing.pem");
/// Lists of 2024 to 2060, which name the signer of another sample alone.
const LISTS: [&[u8]; 2] = [
    fixture!("trust/root.crl.pem"),
    fixture!("trust/issuing.crl"),
];

const BB: &[u8] = fixture!("ltv/bb.pdf");
const BT: &[u8] = fixture!("ltv/bt.pdf");
const BT_LOOSE: &[u8] = fixture!("ltv/bt-loose-stamper.pdf");
const BLT: &[u8] = fixture!("ltv/blt-crl.pdf");
const BLT_OCSP: &[u8] = fixture!("ltv/blt-ocsp.pdf");
const BLT_STALE: &[u8] = fixture!("ltv/blt-stale-crl.pdf");
const BLTA: &[u8] = fixture!("ltv/blta.pdf");
const BLTA_DISORDER: &[u8] = fixture!("ltv/blta-disorder.pdf");
const BLTA_TWICE_DISORDER: &[u8] = fixture!("ltv/blta-twice-disorder.pdf");
const BLTA_RENEWED: &[u8] = fixture!("ltv/blta-renewed.pdf");
const BLTA_2044: &[u8] = fixture!("ltv/blta-2044.pdf");

/// While everything holds, after the signer's end, after the first stamper's end, and long after all lists of 2028.
const SOON: &str = "2024-01-26T00:00:00Z";
const LATER: &str = "2027-01-01T00:00:00Z";
const LATE: &str = "2030-01-01T00:00:00Z";
const IN_2045: &str = "2045-01-01T00:00:00Z";

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn strict() -> Policy {
    Policy {
        revocation: Revocation::Required,
        ..Policy::default()
    }
}

/// Judged with nothing but the authorities in the trust store.
fn judge(document: &[u8], policy: &Policy, at: &str) -> Report {
    let trust = Trust::from_files([ROOT, ISSUING]).unwrap();
    check(document, &trust, policy, moment(at))
}

/// Name, document, moment, and what is said of it.
type Case = (
    &'static str,
    &'static [u8],
    &'static str,
    Verdict,
    Option<Code>,
    Level,
);

const PROVEN_OLDER: [Case; 13] = [
    ("bb", BB, SOON, Verdict::Valid, None, Level::B),
    ("bt", BT, SOON, Verdict::Valid, None, Level::T),
    ("bt", BT, LATER, Verdict::Valid, None, Level::T),
    // Nothing proves the stamp of an authority that has ended itself.
    (
        "bt",
        BT,
        LATE,
        Verdict::Indeterminate,
        Some(Code::OutOfValidity),
        Level::B,
    ),
    ("blt", BLT, LATER, Verdict::Valid, None, Level::Lt),
    (
        "blt",
        BLT,
        LATE,
        Verdict::Indeterminate,
        Some(Code::StampExpired),
        Level::B,
    ),
    ("blta", BLTA, LATER, Verdict::Valid, None, Level::Lta),
    (
        "blta",
        BLTA,
        LATE,
        Verdict::Indeterminate,
        Some(Code::StampExpired),
        Level::B,
    ),
    (
        "renewed",
        BLTA_RENEWED,
        LATE,
        Verdict::Valid,
        None,
        Level::Lta,
    ),
    (
        "renewed",
        BLTA_RENEWED,
        IN_2045,
        Verdict::Valid,
        None,
        Level::Lta,
    ),
    ("2044", BLTA_2044, IN_2045, Verdict::Valid, None, Level::Lta),
    ("ocsp", BLT_OCSP, LATER, Verdict::Valid, None, Level::Lt),
    (
        "disorder",
        BLTA_DISORDER,
        LATER,
        Verdict::Indeterminate,
        Some(Code::StampOrder),
        Level::Lta,
    ),
];

#[test]
fn an_expired_signer_counts_where_a_time_stamp_proves_the_signature_older() {
    for (name, document, at, verdict, code, level) in PROVEN_OLDER {
        let report = judge(document, &Policy::default(), at);
        assert_eq!(report.verdict, verdict, "{name} {at}: {report:#?}");
        assert!(
            code.is_none_or(|code| report.has(code)),
            "{name} {at}: {report:#?}"
        );
        assert_eq!(
            report.signatures[0].level, level,
            "{name} {at}: {report:#?}"
        );
    }
}

#[test]
fn where_revocation_data_is_required_the_documents_own_is_enough() {
    let cases: [(&str, &[u8], &str, Option<Code>); 7] = [
        ("bt", BT, LATER, Some(Code::StampUntrusted)),
        ("blt", BLT, SOON, None),
        // The list of the week of signing is proof for that week alone: who stamped it is asked for today.
        ("blt", BLT, LATER, Some(Code::StampUntrusted)),
        ("stale", BLT_STALE, SOON, Some(Code::StampUntrusted)),
        ("blta", BLTA, SOON, None),
        ("ocsp", BLT_OCSP, SOON, None),
        ("2044", BLTA_2044, "2044-12-27T00:00:00Z", None),
    ];
    for (name, document, at, code) in cases {
        let report = judge(document, &strict(), at);
        let found = code.is_none_or(|code| report.has(code));
        let expect = code.map_or(Verdict::Valid, |_code| Verdict::Indeterminate);
        assert_eq!(
            (report.verdict, found),
            (expect, true),
            "{name} {at}: {report:#?}"
        );
    }
}

#[test]
fn the_same_arguments_give_the_same_bytes_twenty_years_later() {
    let bytes = || serde_json::to_vec(&judge(BLTA_2044, &Policy::default(), IN_2045)).unwrap();
    let first = bytes();
    assert_eq!(first, bytes());
    let report: serde_json::Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(report["indication"], "TOTAL-PASSED");
    let signature = &report["signatures"][0];
    assert_eq!(signature["proven_at"], "2024-01-24T04:00:00Z");
    assert_eq!(signature["proven_by"], "signature_time_stamp");
    let stamps = report["time_stamps"].as_array().unwrap();
    let moments: Vec<_> = stamps
        .iter()
        .map(|stamp| stamp["moment"].as_str().unwrap())
        .collect();
    assert_eq!(
        moments,
        [
            "2024-01-25T00:00:00Z",
            "2028-06-25T00:00:00Z",
            "2044-12-25T00:00:00Z"
        ]
    );
    assert_eq!(stamps[0]["proven_at"], "2028-06-25T00:00:00Z");
    assert!(stamps[2]["proven_at"].is_null(), "nothing is newer");
}

#[test]
fn what_may_be_printed_is_the_signed_revision_whatever_archive_data_follows() {
    let alone = judge(BT, &Policy::default(), SOON).revision.unwrap();
    for document in [BLT, BLTA, BLTA_RENEWED] {
        let revision = judge(document, &Policy::default(), "2028-06-26T00:00:00Z")
            .revision
            .unwrap();
        assert_eq!(revision, alone);
        assert_eq!(revision.sha256, Sha256Digest::of(&document[..BT.len()]));
    }
}

#[test]
fn a_report_says_what_it_rests_on() {
    let report = judge(BLT_OCSP, &Policy::default(), SOON);
    let signature = &report.signatures[0];
    assert_eq!(signature.proven_by, Some(ProofSource::SignatureTimeStamp));
    assert_eq!(signature.chain.len(), 3);
    assert!(signature.chain[0].subject.contains("Kepala Dinas"));
    let [of_signer, of_issuing] = signature.revocation.as_slice() else {
        panic!("{signature:#?}");
    };
    assert_eq!(of_signer.form, RevocationForm::Ocsp);
    assert_eq!(of_issuing.form, RevocationForm::Crl);
    assert_eq!(of_signer.source, RevocationSource::Document);
    assert_eq!(of_signer.age_seconds, 2 * 24 * 3600);
    assert_eq!(report.trust_as_of, None);
    let as_of = moment("2024-01-20T00:00:00Z");
    let trust = Trust::from_files([ROOT, ISSUING]).unwrap().dated(as_of);
    let dated = check(BLT_OCSP, &trust, &Policy::default(), moment(SOON));
    assert_eq!(dated.trust_as_of, Some(as_of));
}

#[test]
fn an_ended_signer_without_a_time_stamp_is_out_of_bounds() {
    let report = judge(BB, &Policy::default(), LATER);
    assert_eq!(report.verdict, Verdict::Indeterminate);
    assert_eq!(report.indication, Indication::Indeterminate);
    assert_eq!(report.sub_indication, Some(SubIndication::OutOfBoundsNoPoe));
}

#[test]
fn a_byte_changed_in_the_archive_breaks_the_time_stamp_over_it_and_not_the_signature() {
    let mut document = BLTA.to_vec();
    // Within the store: its streams stand between the signed revision and the end of the next one.
    let place = BT.len() + (BLT.len() - BT.len()) / 2;
    document[place] ^= 1;
    let report = judge(&document, &Policy::default(), SOON);
    assert_ne!(report.verdict, Verdict::Valid, "{report:#?}");
    assert!(
        report.has(Code::StampBroken) || report.has(Code::ChangedArchive),
        "{report:#?}"
    );
    assert!(!report.has(Code::DigestMismatch));
}

#[test]
fn a_time_stamp_over_the_document_that_is_older_than_what_it_covers_is_refused() {
    let report = judge(BLTA_TWICE_DISORDER, &Policy::default(), SOON);
    assert!(report.has(Code::StampOrder), "{report:#?}");
    assert_eq!(report.verdict, Verdict::Indeterminate);
    assert_eq!(
        report.sub_indication,
        Some(SubIndication::TimestampOrderFailure)
    );
}

#[test]
fn a_time_stamp_can_be_required_and_must_come_from_an_authority_of_time_alone() {
    let policy = Policy {
        time_stamp: TimeStamps::Required,
        ..Policy::default()
    };
    let report = judge(BB, &policy, SOON);
    assert!(report.has(Code::StampMissing) && report.verdict == Verdict::Indeterminate);
    assert_eq!(judge(BT, &policy, SOON).verdict, Verdict::Valid);
    // Its usage is not marked critical, which RFC 3161 asks.
    let report = judge(BT_LOOSE, &Policy::default(), SOON);
    assert!(report.has(Code::StampUntrusted), "{report:#?}");
}

#[test]
fn an_anchor_may_end_before_its_certificate_does() {
    let root = judge(BT, &Policy::default(), SOON).signatures[0].chain[2]
        .subject
        .clone();
    assert!(root.contains("Root CA"));
    let pem = std::str::from_utf8(ROOT).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let der = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    let until = |text: &str| Policy {
        anchors: vec![AnchorEnd {
            sha256: Sha256Digest::of(&der),
            until: moment(text),
        }],
        ..Policy::default()
    };
    let ended = judge(BB, &until("2024-01-25T00:00:00Z"), SOON);
    assert!(ended.has(Code::AnchorEnded), "{ended:#?}");
    assert_eq!(judge(BB, &until(SOON), SOON).verdict, Verdict::Valid);
    // What a document time stamp of a living authority proves is older than the end.
    let before = judge(BLTA, &until("2024-01-25T12:00:00Z"), SOON);
    assert!(
        before.has(Code::AnchorEnded),
        "the newest stamp itself is judged now: {before:#?}"
    );
}

#[test]
fn a_list_of_the_trust_store_speaks_beside_those_of_the_document() {
    let trust = Trust::from_files([ROOT, ISSUING, LISTS[0], LISTS[1]]).unwrap();
    for document in [BT, BLT, BLT_OCSP, BLT_STALE] {
        let report = check(document, &trust, &strict(), moment("2025-06-01T00:00:00Z"));
        assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    }
}

mod ocsp {
    use super::*;

    macro_rules! answer {
        ($name:literal) => {
            fixture!(concat!("ltv/ocsp/", $name, ".der"))
        };
    }

    /// The root's list of the week of signing, so that the issuing authority is in order.
    const ROOT_2024: &[u8] = fixture!("ltv/root-2024.crl");

    fn judge(document: &[u8], answers: &[&[u8]], at: &str) -> Report {
        let mut files = vec![ROOT, ISSUING, ROOT_2024];
        files.extend(answers);
        let trust = Trust::from_files(files).unwrap();
        check(document, &trust, &strict(), moment(at))
    }

    #[test]
    fn an_answer_counts_when_its_responder_may_give_it_and_it_is_of_the_time() {
        let cases: [(&str, &[u8], Option<Code>); 8] = [
            ("delegate", answer!("good-delegate"), None),
            ("issuer", answer!("good-issuer"), None),
            // Its own standing is not known, and its authority does not say that nobody needs to ask.
            (
                "unlisted",
                answer!("good-unlisted"),
                Some(Code::RevocationMissing),
            ),
            (
                "no responder",
                answer!("good-plain"),
                Some(Code::RevocationMissing),
            ),
            (
                "ended",
                answer!("good-expired-delegate"),
                Some(Code::RevocationMissing),
            ),
            ("stale", answer!("stale"), Some(Code::RevocationStale)),
            (
                "another",
                answer!("of-another"),
                Some(Code::RevocationMissing),
            ),
            ("unknown", answer!("unknown"), Some(Code::UnknownToIssuer)),
        ];
        for (name, answer, code) in cases {
            let report = judge(BB, &[answer], SOON);
            let expect = code.map_or(Verdict::Valid, |_code| Verdict::Indeterminate);
            assert_eq!(report.verdict, expect, "{name}: {report:#?}");
            assert!(
                code.is_none_or(|code| report.has(code)),
                "{name}: {report:#?}"
            );
        }
        let both = judge(BB, &[answer!("unknown"), answer!("good-issuer")], SOON);
        assert_eq!(both.verdict, Verdict::Valid, "who knows it is right");
    }

    #[test]
    fn what_a_responder_said_holds_no_longer_than_the_responder() {
        let files = [ROOT, ISSUING, LISTS[0], answer!("good-overlong")];
        let trust = Trust::from_files(files).unwrap();
        for (at, is_stale) in [
            ("2024-02-25T00:00:00Z", false),
            ("2024-03-02T00:00:00Z", true),
        ] {
            let report = check(BB, &trust, &strict(), moment(at));
            assert_eq!(
                report.has(Code::RevocationStale),
                is_stale,
                "{at}: {report:#?}"
            );
        }
    }

    #[test]
    fn a_revoked_answer_means_what_a_list_would_mean() {
        let at = "2024-02-05T00:00:00Z";
        let policy = Policy::default();
        let judge = |document: &[u8], answer: &[u8]| {
            let trust = Trust::from_files([ROOT, ISSUING, answer]).unwrap();
            check(document, &trust, &policy, moment(at))
        };
        let cases: [(&[u8], &[u8], Code, Verdict); 5] = [
            (
                BT,
                answer!("revoked-after"),
                Code::RevokedLater,
                Verdict::Valid,
            ),
            (
                BB,
                answer!("revoked-after"),
                Code::Revoked,
                Verdict::Indeterminate,
            ),
            (
                BT,
                answer!("revoked-before"),
                Code::Revoked,
                Verdict::Indeterminate,
            ),
            (
                BT,
                answer!("revoked-key"),
                Code::RevokedKey,
                Verdict::Indeterminate,
            ),
            // What the document brings along does not outvote it.
            (
                BLT_OCSP,
                answer!("revoked-before"),
                Code::Revoked,
                Verdict::Indeterminate,
            ),
        ];
        for (document, answer, code, verdict) in cases {
            let report = judge(document, answer);
            assert_eq!(report.verdict, verdict, "{report:#?}");
            assert!(report.has(code), "{report:#?}");
        }
    }
}
