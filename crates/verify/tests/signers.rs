//! Who may sign for an office.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be read fails the test"
)]

use loket_verify::{
    Code, Indication, KeyPurpose, PatternText, Policy, Report, SignerPattern, SubIndication, Trust,
    Verdict, check,
};
use loket_wire::Timestamp;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

/// `CN=Kepala Dinas Kependudukan dan Pencatatan Sipil (CONTOH), O=Dinas Contoh Kabupaten Contohraya, C=ID`.
const SIGNED: &[u8] = fixture!("kk-sample-bb.pdf");

fn pattern(
    subject: &[(&str, &str)],
    issuer: &[(&str, &str)],
    policy: Option<&str>,
) -> SignerPattern {
    let map = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    SignerPattern::try_from(PatternText {
        subject: map(subject),
        issuer: map(issuer),
        policy: policy.map(str::to_owned),
    })
    .unwrap()
}

fn judge(signers: Vec<SignerPattern>, signers_required: bool) -> Report {
    let trust = Trust::from_files([
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        fixture!("trust/issuing.crl"),
    ])
    .unwrap();
    let policy = Policy {
        signers,
        signers_required,
        ..Policy::default()
    };
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    check(SIGNED, &trust, &policy, at)
}

#[test]
fn an_official_of_the_office_signs_and_nobody_else() {
    let office = ("O", "Dinas Contoh Kabupaten Contohraya");
    let fitting = [
        pattern(&[office, ("CN", "Kepala Dinas *")], &[], None),
        pattern(&[("o", "dinas contoh  kabupaten contohraya")], &[], None),
        pattern(
            &[("2.5.4.10", "*Contohraya")],
            &[("CN", "CA Penerbit Uji Loket*")],
            None,
        ),
    ];
    for pattern in fitting {
        let report = judge(vec![pattern.clone()], true);
        assert_eq!(report.verdict, Verdict::Valid, "{pattern:?}");
        assert!(!report.has(Code::SignersUnset));
    }
    let strangers = [
        pattern(&[("O", "Dinas Contoh Kabupaten Lain")], &[], None),
        pattern(&[office, ("CN", "Camat *")], &[], None),
        pattern(&[office, ("OU", "*")], &[], None),
        pattern(&[office], &[("CN", "CA Lain")], None),
        pattern(&[office], &[], Some("2.16.360.1.1.1")),
    ];
    for pattern in &strangers {
        let report = judge(vec![pattern.clone()], false);
        assert!(report.has(Code::SignerStranger), "{pattern:?}: {report:?}");
        assert_eq!(report.verdict, Verdict::Indeterminate, "{pattern:?}");
        assert_eq!(
            report.revision, None,
            "a stranger's document is never printed"
        );
        assert_eq!(report.indication, Indication::Indeterminate);
        assert_eq!(
            report.sub_indication,
            Some(SubIndication::SigConstraintsFailure)
        );
    }
    let mut one_of_many = strangers.to_vec();
    one_of_many.push(pattern(&[office], &[], None));
    assert_eq!(judge(one_of_many, true).verdict, Verdict::Valid);
}

#[test]
fn an_office_that_names_nobody_is_told_so() {
    let report = judge(Vec::new(), false);
    assert!(report.has(Code::SignersUnset) && report.verdict == Verdict::Valid);
    let report = judge(Vec::new(), true);
    assert!(report.has(Code::SignersMissing) && report.verdict == Verdict::Indeterminate);
}

#[test]
fn usages_that_an_office_names_are_the_only_ones() {
    let usage: KeyPurpose = "1.3.6.1.5.5.7.3.36".parse().unwrap();
    let policy = Policy {
        usages: vec![usage],
        ..Policy::default()
    };
    let trust =
        Trust::from_files([fixture!("trust/root.pem"), fixture!("trust/issuing.pem")]).unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    let report = check(SIGNED, &trust, &policy, at);
    assert!(
        report.has(Code::SignerUsage),
        "its certificate names no usage: {report:?}"
    );
}
