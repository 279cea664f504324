//! What revocation lists of each kind mean for a signature that was stamped, and for one that was not.
//!
//! The lists are made here with the test authority's key, so that each date and reason stands beside its verdict.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be read fails the test"
)]

use loket_verify::{Code, Policy, Report, Revocation, Trust, Verdict, check};
use loket_wire::Timestamp;
use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    Issuer, KeyIdMethod, KeyPair, PKCS_RSA_SHA256, RevocationReason, RevokedCertParams,
    SerialNumber, date_time_ymd,
};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

const ROOT: &[u8] = fixture!("trust/root.pem");
const ROOT_LIST: &[u8] = fixture!("trust/root.crl.pem");
const ISSUING: &[u8] = fixture!("trust/issuing.pem");
const ISSUING_KEY: &[u8] = fixture!("keys/issuing.key.pem");

/// Signed 2024-01-24T03:00Z; the time is the signer's word.
const CLAIMED: &[u8] = fixture!("kk-sample-bb.pdf");

/// The same signer; stamped 2024-01-24T03:05Z.
const STAMPED: &[u8] = fixture!("kk-sample-bt.pdf");

/// A day, as year, month and day.
type Day = (i32, u8, u8);

/// A list of the authority that issued the signer's certificate.
struct List {
    from: Day,
    until: Day,
    /// The signer's entry: since when, and why.
    revoked: Option<(Day, Option<RevocationReason>)>,
    invalid_since: Option<Day>,
    is_partial: bool,
}

const LIST: List = List {
    from: (2025, 1, 1),
    until: (2030, 1, 1),
    revoked: None,
    invalid_since: None,
    is_partial: false,
};

impl List {
    fn der(&self) -> Vec<u8> {
        let day = |(year, month, day): Day| date_time_ymd(year, month, day);
        let key = std::str::from_utf8(ISSUING_KEY).unwrap();
        let key = KeyPair::from_pem_and_sign_algo(key, &PKCS_RSA_SHA256).unwrap();
        let authority = std::str::from_utf8(ISSUING).unwrap();
        let issuer = Issuer::from_ca_cert_pem(authority, key).unwrap();
        let entries = self.revoked.map(|(since, reason_code)| RevokedCertParams {
            serial_number: serial(),
            revocation_time: day(since),
            reason_code,
            invalidity_date: self.invalid_since.map(day),
        });
        let part = CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://crl.contoh.invalid/1.crl".to_owned()],
            },
            scope: Some(CrlScope::UserCertsOnly),
        };
        let list = CertificateRevocationListParams {
            this_update: day(self.from),
            next_update: day(self.until),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: self.is_partial.then_some(part),
            revoked_certs: entries.into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&issuer).unwrap().der().to_vec()
    }

    fn judge(&self, document: &[u8], revocation: Revocation, at: &str) -> Report {
        let files = [ROOT, ISSUING, ROOT_LIST, &self.der()];
        let trust = Trust::from_files(files).unwrap();
        let at = Timestamp::parse_rfc3339(at).unwrap();
        check(
            document,
            &trust,
            &Policy {
                revocation,
                ..Policy::default()
            },
            at,
        )
    }
}

/// The signer's, as tests/fixtures/make_sample_kk.py gives it.
fn serial() -> SerialNumber {
    SerialNumber::from(1_004_u64)
}

const AT: &str = "2026-11-22T00:00:00Z";

#[test]
fn a_list_that_is_newer_than_the_moment_of_judging_is_evidence_for_it() {
    // An order verified on the first was waiting when the list of the second came.
    let list = List {
        from: (2026, 11, 23),
        until: (2026, 12, 23),
        ..LIST
    };
    let report = list.judge(CLAIMED, Revocation::Required, AT);
    assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
    let list = List {
        from: (2026, 10, 1),
        until: (2026, 11, 1),
        ..LIST
    };
    let old = list.judge(CLAIMED, Revocation::Required, AT);
    assert!(
        old.has(Code::RevocationStale),
        "control: an old one is none"
    );
}

#[test]
fn a_list_made_after_a_certificate_ended_may_have_dropped_it() {
    let list = List {
        from: (2070, 1, 1),
        until: (2071, 1, 1),
        ..LIST
    };
    let report = list.judge(CLAIMED, Revocation::Required, AT);
    assert!(report.has(Code::RevocationStale), "{report:?}");
}

#[test]
fn what_a_revocation_means_depends_on_its_date_its_reason_and_a_proof_of_age() {
    use RevocationReason as R;
    let before = (2024, 1, 10);
    let after = (2024, 6, 1);
    type Case = (&'static [u8], Day, Option<R>, Code, Verdict);
    let cases: [Case; 9] = [
        // An official left office; a stamp proves that the card is older.
        (
            STAMPED,
            after,
            Some(R::CessationOfOperation),
            Code::RevokedLater,
            Verdict::Valid,
        ),
        (
            STAMPED,
            after,
            Some(R::AffiliationChanged),
            Code::RevokedLater,
            Verdict::Valid,
        ),
        (STAMPED, after, None, Code::RevokedLater, Verdict::Valid),
        // Without a stamp nothing proves it: nobody is accused, and nothing is printed.
        (
            CLAIMED,
            after,
            Some(R::CessationOfOperation),
            Code::Revoked,
            Verdict::Indeterminate,
        ),
        (CLAIMED, before, None, Code::Revoked, Verdict::Indeterminate),
        (STAMPED, before, None, Code::Revoked, Verdict::Indeterminate),
        (
            STAMPED,
            after,
            Some(R::CertificateHold),
            Code::Revoked,
            Verdict::Indeterminate,
        ),
        // Who had the key could have a stamp as well.
        (
            STAMPED,
            after,
            Some(R::KeyCompromise),
            Code::RevokedKey,
            Verdict::Indeterminate,
        ),
        (
            CLAIMED,
            after,
            Some(R::KeyCompromise),
            Code::RevokedKey,
            Verdict::Indeterminate,
        ),
    ];
    for (document, since, reason, code, verdict) in cases {
        for revocation in [Revocation::Required, Revocation::IfKnown] {
            let list = List {
                revoked: Some((since, reason)),
                ..LIST
            };
            let report = list.judge(document, revocation, AT);
            assert_eq!(report.verdict, verdict, "{since:?} {reason:?}: {report:?}");
            assert!(report.has(code), "{since:?} {reason:?}: {report:?}");
            assert_eq!(report.revision.is_some(), verdict == Verdict::Valid);
        }
    }
}

#[test]
fn an_invalidity_date_counts_where_it_is_earlier_than_the_revocation() {
    let list = List {
        revoked: Some(((2024, 6, 1), Some(RevocationReason::Superseded))),
        invalid_since: Some((2024, 1, 10)),
        ..LIST
    };
    let report = list.judge(STAMPED, Revocation::IfKnown, AT);
    assert!(report.has(Code::Revoked), "{report:?}");
}

#[test]
fn a_list_of_a_part_has_codes_of_its_own_and_what_it_names_is_revoked() {
    let part = List {
        is_partial: true,
        ..LIST
    };
    let report = part.judge(CLAIMED, Revocation::IfKnown, AT);
    assert_eq!(report.verdict, Verdict::Valid);
    assert!(report.has(Code::RevocationPartial), "{report:?}");
    assert!(!report.has(Code::RevocationUnknown), "a list is known");
    let report = part.judge(CLAIMED, Revocation::Required, AT);
    assert_eq!(report.verdict, Verdict::Indeterminate);
    assert!(report.has(Code::RevocationPartialMissing), "{report:?}");
    let named = List {
        revoked: Some(((2024, 6, 1), None)),
        ..part
    };
    let report = named.judge(CLAIMED, Revocation::IfKnown, AT);
    assert!(report.has(Code::Revoked), "{report:?}");
}
