//! What `check` says of each sample under `tests/fixtures`, beside what pdfsig says.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be read fails the test"
)]

use std::process::Command;

use loket_verify::{
    Changes, Code, Coverage, PatternText, Policy, Report, Revocation, Trust, TrustError, Verdict,
    check,
};
use loket_wire::{Sha256Digest, Timestamp};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const ROOT: &[u8] = fixture!("trust/root.pem");
const ISSUING: &[u8] = fixture!("trust/issuing.pem");
const ROOT_LIST: &[u8] = fixture!("trust/root.crl.pem");
const ISSUING_LIST: &[u8] = fixture!("trust/issuing.crl");
const SIGNED: &[u8] = fixture!("kk-sample-bb.pdf");
const STAMPED: &[u8] = fixture!("kk-sample-bt.pdf");
const CANARIES: &[u8] = fixture!("canaries.txt");

/// What pdfsig says where it can: that the digest and the signature fit, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Peer {
    Fits,
    Mismatch,
    /// It cannot tell, or judges by other rules; the reason stands beside the sample.
    Silent,
}

struct Sample {
    name: &'static str,
    document: &'static [u8],
    verdict: Verdict,
    codes: &'static [Code],
    peer: Peer,
}

macro_rules! samples {
    ($($name:literal $verdict:ident [$($code:ident)*] $peer:ident;)+) => {
        [$(Sample {
            name: $name,
            document: fixture!($name),
            verdict: Verdict::$verdict,
            codes: &[$(Code::$code),*],
            peer: Peer::$peer,
        },)+]
    };
}

// pdfsig counts a signature with bytes behind it, by a stranger, or by a revoked signer as one
// that fits: it says nothing about these without a trust store. It accepts SHA-1 and long salts.
static SAMPLES: &[Sample] = &samples! {
    "kk-sample-bb.pdf" Valid [TimeClaimed] Fits;
    "kk-sample-bt.pdf" Valid [] Fits;
    "kk-sample-blt.pdf" Valid [] Fits;
    "kk-sample-blta.pdf" Valid [] Fits;
    "kk-sample-unsigned.pdf" Invalid [Unsigned] Silent;
    "kk-sample-altered.pdf" Invalid [DigestMismatch] Mismatch;
    "kk-sample-revoked.pdf" Indeterminate [RevokedKey TimeClaimed] Fits;
    "kk-sample-appended.pdf" Invalid [TimeClaimed ChangedInformation] Fits;
    "kk-sample-untrusted.pdf" Indeterminate [NoChain TimeClaimed] Fits;
    "kk-sample-encrypted.pdf" Indeterminate [Encrypted] Silent;
    "variants/kk-sample-xref-stream.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-certified.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-pkcs7.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-sha512.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-sha1.pdf" Indeterminate [AlgorithmRefused] Fits;
    "variants/kk-sample-pss.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-pss-long-salt.pdf" Indeterminate [AlgorithmUnsupported] Fits;
    "variants/kk-sample-p256.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-p384.pdf" Valid [TimeClaimed] Fits;
    "variants/kk-sample-tsa-as-signer.pdf" Indeterminate [SignerUsage SignerStranger TimeClaimed] Fits;
    "variants/kk-sample-twice.pdf" Indeterminate [TimeClaimed SignedAgain TimeClaimed] Fits;
};

fn trust(files: &[&[u8]]) -> Trust {
    Trust::from_files(files.iter().copied()).unwrap()
}

fn full_trust() -> Trust {
    trust(&[ROOT, ISSUING, ROOT_LIST, ISSUING_LIST])
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The office's own rules: its head signs.
fn policy() -> Policy {
    let subject = [
        ("O", "Dinas Contoh Kabupaten Contohraya"),
        ("CN", "Kepala Dinas *"),
    ];
    let pattern = PatternText {
        subject: subject
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..PatternText::default()
    };
    Policy {
        signers: vec![pattern.try_into().unwrap()],
        ..Policy::default()
    }
}

fn judge(document: &[u8]) -> Report {
    check(
        document,
        &full_trust(),
        &policy(),
        moment("2026-11-22T00:00:00Z"),
    )
}

fn codes(report: &Report) -> Vec<Code> {
    let signatures = report
        .signatures
        .iter()
        .flat_map(|signature| signature.findings.iter());
    signatures
        .chain(report.findings.iter())
        .map(|finding| finding.code)
        // The sample's fonts are standard ones; `changes.rs` looks at that note.
        .filter(|code| *code != Code::FontStandard)
        .collect()
}

#[test]
fn each_sample_gets_its_verdict_and_codes() {
    for sample in SAMPLES {
        let report = judge(sample.document);
        let found = (report.verdict, codes(&report));
        assert_eq!(
            found,
            (sample.verdict, sample.codes.to_vec()),
            "{}",
            sample.name
        );
        assert_eq!(
            report.revision.is_some(),
            report.verdict == Verdict::Valid,
            "{}",
            sample.name
        );
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the peer program is what this test is about"
)]
fn pdfsig_agrees_about_digests_and_signatures() {
    for sample in SAMPLES {
        let path = format!(
            "{}/../../tests/fixtures/{}",
            env!("CARGO_MANIFEST_DIR"),
            sample.name
        );
        let said = Command::new("pdfsig").arg(path).output();
        let said = said
            .expect("pdfsig runs; Debian package poppler-utils")
            .stdout;
        let said = String::from_utf8_lossy(&said);
        let peer = match () {
            () if said.contains("Digest Mismatch") => Peer::Mismatch,
            () if said.contains("Signature is Valid") => Peer::Fits,
            () => Peer::Silent,
        };
        assert_eq!(peer, sample.peer, "{}: {said}", sample.name);
        // It says the same of evidence behind a signature and of any forgery there.
        let is_whole = judge(sample.document).revision.is_some_and(|revision| {
            u64::try_from(sample.document.len()).is_ok_and(|length| length == revision.size_bytes)
        });
        let says_whole = said.contains("Total document signed");
        assert!(says_whole || !is_whole, "{}", sample.name);
    }
}

#[test]
fn a_valid_sample_says_who_signed_when_and_what_may_be_printed() {
    for (document, signed_at) in [
        (SIGNED, "2024-01-24T03:00:00Z"),
        (STAMPED, "2024-01-24T03:05:00Z"),
    ] {
        let report = judge(document);
        let revision = report.revision.unwrap();
        assert_eq!(revision.size_bytes, u64::try_from(document.len()).unwrap());
        assert_eq!(revision.sha256, Sha256Digest::of(document));
        assert_eq!(revision.page_count, 1);
        let signature = &report.signatures[0];
        assert_eq!(signature.signed_at, Some(moment(signed_at)));
        let signer = signature.signer.as_deref().unwrap();
        assert!(signer.contains("CN=Kepala Dinas Kependudukan dan Pencatatan Sipil (CONTOH)"));
        assert!(
            signature
                .issuer
                .as_deref()
                .unwrap()
                .contains("CN=CA Penerbit Uji Loket")
        );
        assert_eq!(
            (signature.coverage, signature.changes),
            (Coverage::Document, Changes::None)
        );
    }
    let appended = judge(fixture!("kk-sample-appended.pdf"));
    let signature = &appended.signatures[0];
    assert_eq!(signature.coverage, Coverage::Revision);
    assert_eq!(signature.changes, Changes::Altered);
}

#[test]
fn trust_decides_who_is_vouched_for() {
    let at = moment("2026-11-22T00:00:00Z");
    let policy = policy();
    let with = |files: &[&[u8]]| check(STAMPED, &trust(files), &policy, at);
    let check = |files: &[&[u8]], verdict: Verdict, code: Code| {
        let report = with(files);
        assert_eq!(report.verdict, verdict, "{:?}", codes(&report));
        assert!(report.has(code), "{:?}", codes(&report));
    };
    check(&[], Verdict::Indeterminate, Code::NoAnchors);
    check(&[ISSUING], Verdict::Indeterminate, Code::NoAnchors);
    // The document brings its issuing authority, so the root alone is enough.
    check(&[ROOT], Verdict::Valid, Code::RevocationUnknown);
    assert!(trust(&[ISSUING, ISSUING_LIST]).is_empty());
    assert!(!full_trust().is_empty());
}

#[test]
fn a_policy_that_requires_revocation_lists_gets_them_or_no_verdict() {
    let policy = Policy {
        revocation: Revocation::Required,
        ..policy()
    };
    let judge = |files: &[&[u8]], at: &str| check(SIGNED, &trust(files), &policy, moment(at));
    let all = [ROOT, ISSUING, ROOT_LIST, ISSUING_LIST];
    assert_eq!(judge(&all, "2026-11-22T00:00:00Z").verdict, Verdict::Valid);
    for files in [&all[..2], &all[..3]] {
        let missing = judge(files, "2026-11-22T00:00:00Z");
        assert_eq!(missing.verdict, Verdict::Indeterminate);
        assert!(missing.has(Code::RevocationMissing));
    }
    let late = judge(&all, "2061-01-01T00:00:00Z");
    assert_eq!(late.verdict, Verdict::Indeterminate);
    assert!(late.has(Code::RevocationStale) && late.has(Code::OutOfValidity));
}

#[test]
fn the_moment_of_judging_is_an_argument() {
    let judge = |at: &str| check(SIGNED, &full_trust(), &policy(), moment(at));
    for (at, verdict) in [
        ("1970-01-01T00:00:00Z", Verdict::Indeterminate),
        ("2024-01-01T00:00:00Z", Verdict::Valid),
        ("2040-01-01T00:00:00Z", Verdict::Valid),
        ("2060-01-01T00:00:00.001Z", Verdict::Indeterminate),
    ] {
        let report = judge(at);
        assert_eq!(report.verdict, verdict, "{at}");
        assert_eq!(
            report.has(Code::OutOfValidity),
            verdict != Verdict::Valid,
            "{at}"
        );
    }
    let revoked = fixture!("kk-sample-revoked.pdf");
    let at = moment("2024-01-02T00:00:00Z");
    let report = check(revoked, &full_trust(), &policy(), at);
    assert!(
        report.has(Code::RevokedKey),
        "a clock that is behind must not revive a signer"
    );
}

#[test]
fn no_report_holds_what_a_page_says() {
    let canaries = std::str::from_utf8(CANARIES).unwrap();
    assert!(canaries.lines().all(|canary| !canary.is_empty()));
    for sample in SAMPLES {
        let report = judge(sample.document);
        let json = serde_json::to_string(&report).unwrap() + &format!("{report:?}");
        for canary in canaries.lines() {
            assert!(!json.contains(canary), "{} tells {canary}", sample.name);
        }
    }
    for canary in canaries.lines() {
        let shown = SIGNED
            .windows(canary.len())
            .any(|window| window == canary.as_bytes());
        assert!(shown, "control: the sample shows {canary} in clear");
    }
}

#[test]
fn a_trust_store_tells_which_file_is_wrong() {
    let cases: [(&[u8], TrustError); 5] = [
        (b"hello", TrustError::Unrecognised { position: 1 }),
        (
            fixture!("keys/root.key.pem"),
            TrustError::Unrecognised { position: 1 },
        ),
        (&[0xff, 0xfe], TrustError::Unrecognised { position: 1 }),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n",
            TrustError::Pem { position: 1 },
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            TrustError::Certificate { position: 1 },
        ),
    ];
    for (file, expect) in cases {
        assert_eq!(Trust::from_files([ROOT, file]).unwrap_err(), expect);
    }
    let bundle = [ROOT, b"a note\n", ISSUING, ROOT_LIST].concat();
    assert!(!trust(&[&bundle]).is_empty(), "several blocks in one file");
}
