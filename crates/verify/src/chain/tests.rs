//! Games with certificates: each chain is made here, so that its one fault stands beside its verdict.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType, SerialNumber, date_time_ymd,
};

use super::*;
use crate::dss::Kept;

const P256: &str = include_str!("../../../../tests/fixtures/keys/p256.key.pem");
const P384: &str = include_str!("../../../../tests/fixtures/keys/p384.key.pem");

const AT: &str = "2026-11-22T00:00:00Z";

fn key(pem: &str) -> KeyPair {
    KeyPair::from_pem(pem).unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// A name of an organisation and a common name.
fn name(organisation: &str, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, common);
    name
}

fn params(common: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Dinas Contoh", common);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    let serial: u64 = common.bytes().map(u64::from).sum();
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

fn leaf() -> CertificateParams {
    let mut leaf = params("Kepala Dinas");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf
}

fn authority(common: &str) -> CertificateParams {
    let mut authority = params(common);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
}

fn root(common: &str, key: &KeyPair) -> Certificate {
    let root = authority(common).self_signed(key).unwrap();
    Certificate::parse(root.der()).unwrap()
}

/// A certificate of `subject` for `own`, by the authority `by` with the key `with`.
fn issue(
    subject: &CertificateParams,
    own: &KeyPair,
    by: &CertificateParams,
    with: &str,
) -> Certificate {
    let issuer = Issuer::new(by.clone(), key(with));
    let issued = subject.signed_by(own, &issuer).unwrap();
    Certificate::parse(issued.der()).unwrap()
}

/// What is found about a signer, but for the notes about revocation, which nobody knows here.
fn judged(anchors: &[&Certificate], embedded: &[Certificate], signer: &Certificate) -> Vec<Code> {
    found(
        anchors,
        embedded,
        signer,
        None,
        &Evidence::default(),
        &Proofs::default(),
    )
}

fn found(
    anchors: &[&Certificate],
    embedded: &[Certificate],
    signer: &Certificate,
    proved: Option<Timestamp>,
    evidence: &Evidence,
    proofs: &Proofs,
) -> Vec<Code> {
    let trust = Trust::from_files(anchors.iter().map(|anchor| anchor.der())).unwrap();
    let (policy, effort) = (Policy::default(), Effort::new());
    let ground = Ground {
        trust: &trust,
        policy: &policy,
        at: moment(AT),
        evidence,
        proofs,
        effort: &effort,
    };
    let case = Case {
        signer,
        embedded,
        purpose: Purpose::Document,
        proved,
        place: Place::in_container(100),
    };
    let codes = judge(case, ground).codes.into_iter();
    codes
        .filter(|code| *code != Code::RevocationUnknown)
        .collect()
}

#[test]
fn a_plain_chain_holds_and_anchors_of_two_generations_go_side_by_side() {
    let (own, upper) = (key(P256), key(P384));
    let old = root("Root", &upper);
    let new = root("Root", &own);
    let issuing = issue(&authority("CA"), &upper, &authority("Root"), P384);
    let signer = issue(&leaf(), &own, &authority("CA"), P384);
    let embedded = [issuing];
    assert_eq!(judged(&[&old], &embedded, &signer), []);
    assert_eq!(judged(&[&new, &old], &embedded, &signer), []);
    assert_eq!(
        judged(&[&new], &embedded, &signer),
        [Code::NoChain, Code::Unvouched]
    );
}

#[test]
fn what_an_authority_says_of_names_holds_for_all_below_it() {
    let (own, upper) = (key(P256), key(P384));
    let anchor = root("Root", &upper);
    let of = |organisation: &str| {
        GeneralSubtree::DirectoryName({
            let mut name = DistinguishedName::new();
            name.push(DnType::OrganizationName, organisation);
            name
        })
    };
    let mail = |base: &str| GeneralSubtree::Rfc822Name(base.to_owned());
    type Case = (
        &'static str,
        Vec<GeneralSubtree>,
        Vec<GeneralSubtree>,
        &'static [Code],
    );
    let cases: [Case; 8] = [
        ("inside", vec![of("Dinas Contoh")], vec![], &[]),
        ("other case", vec![of("DINAS contoh")], vec![], &[]),
        (
            "outside",
            vec![of("Dinas Lain")],
            vec![],
            &[Code::ConstraintBroken],
        ),
        (
            "excluded",
            vec![],
            vec![of("Dinas Contoh")],
            &[Code::ConstraintBroken],
        ),
        (
            "of two",
            vec![of("Dinas Lain"), of("Dinas Contoh")],
            vec![],
            &[],
        ),
        ("mail inside", vec![mail("contoh.invalid")], vec![], &[]),
        (
            "mail outside",
            vec![mail("lain.invalid")],
            vec![],
            &[Code::ConstraintBroken],
        ),
        (
            "another form",
            vec![GeneralSubtree::DnsName("lain.invalid".to_owned())],
            vec![],
            &[],
        ),
    ];
    for (name, permitted_subtrees, excluded_subtrees, expect) in cases {
        let mut issuing = authority("CA");
        issuing.name_constraints = Some(NameConstraints {
            permitted_subtrees,
            excluded_subtrees,
        });
        let mut signer = leaf();
        signer.subject_alt_names = vec![SanType::Rfc822Name(
            "kepala@contoh.invalid".try_into().unwrap(),
        )];
        let signer = issue(&signer, &own, &issuing, P384);
        let embedded = [issue(&issuing, &upper, &authority("Root"), P384)];
        assert_eq!(judged(&[&anchor], &embedded, &signer), expect, "{name}");
    }
}

#[test]
fn what_an_authority_says_of_usages_limits_what_its_signers_sign() {
    let (own, upper) = (key(P256), key(P384));
    let anchor = root("Root", &upper);
    use ExtendedKeyUsagePurpose as Usage;
    for (usage, expect) in [
        (Usage::ServerAuth, [Code::AuthorityUsage].as_slice()),
        (Usage::TimeStamping, &[Code::AuthorityUsage]),
        (Usage::EmailProtection, &[]),
        (Usage::Any, &[]),
    ] {
        let mut issuing = authority("CA");
        issuing.extended_key_usages = vec![usage.clone()];
        let signer = issue(&leaf(), &own, &issuing, P384);
        let embedded = [issue(&issuing, &upper, &authority("Root"), P384)];
        assert_eq!(judged(&[&anchor], &embedded, &signer), expect, "{usage:?}");
    }
}

#[test]
fn a_new_certificate_of_the_same_authority_lengthens_no_path() {
    let (own, upper) = (key(P256), key(P384));
    let mut short = authority("Root");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let anchor = Certificate::parse(short.self_signed(&upper).unwrap().der()).unwrap();
    // The root's new key, certified with its old one; it is no anchor, for it did not sign itself.
    let renewed = issue(&authority("Root"), &own, &short, P384);
    let signer = issue(&leaf(), &own, &authority("Root"), P256);
    assert_eq!(judged(&[&anchor], &[renewed], &signer), []);
    let below = issue(&authority("CA"), &own, &short, P384);
    let signer = issue(&leaf(), &own, &authority("CA"), P256);
    assert_eq!(
        judged(&[&anchor], &[below], &signer),
        [Code::AuthorityUsage]
    );
}

#[test]
fn authorities_that_certify_each_other_lead_nowhere_and_to_an_anchor_where_there_is_one() {
    let (own, upper) = (key(P256), key(P384));
    let anchor = root("Root", &upper);
    let (one, other) = (authority("CA Satu"), authority("CA Dua"));
    let crossed = [
        issue(&one, &own, &other, P384),
        issue(&other, &upper, &one, P256),
        issue(&one, &upper, &other, P384),
    ];
    let signer = issue(&leaf(), &own, &one, P256);
    let stranger = judged(&[&anchor], &crossed, &signer);
    assert_eq!(stranger, [Code::NoChain, Code::Unvouched]);
    let mut with_anchor = crossed.to_vec();
    with_anchor.push(issue(&other, &upper, &authority("Root"), P384));
    let found = judged(&[&anchor], &with_anchor, &signer);
    assert_eq!(found, []);
}

#[test]
fn an_authority_that_has_ended_since_must_be_proved_or_be_in_the_trust_store() {
    let (own, upper) = (key(P256), key(P384));
    let anchor = root("Root", &upper);
    let mut ended = authority("CA");
    ended.not_after = date_time_ymd(2025, 1, 1);
    let issuing = issue(&ended, &upper, &authority("Root"), P384);
    let mut signer = leaf();
    signer.not_after = date_time_ymd(2024, 1, 1);
    let signer = issue(&signer, &own, &ended, P384);
    let embedded = [issuing.clone()];
    let stamped = Some(moment("2023-06-01T00:00:00Z"));
    let none = Evidence::default();
    let judge = |embedded: &[Certificate], proved, evidence: &Evidence, proofs: &Proofs| {
        found(&[&anchor], embedded, &signer, proved, evidence, proofs)
    };
    let nothing = Proofs::default();
    assert_eq!(
        judge(&embedded, None, &none, &nothing),
        [Code::OutOfValidity, Code::OutOfValidity]
    );
    assert_eq!(
        judge(&embedded, stamped, &none, &nothing),
        [Code::CertificateUnproved]
    );
    // Covered by a document time stamp from before its end, and from after it.
    let mut covered = Proofs::default();
    covered.add(200, moment("2024-06-01T00:00:00Z"));
    assert_eq!(judge(&embedded, stamped, &none, &covered), []);
    let mut late = Proofs::default();
    late.add(200, moment("2025-06-01T00:00:00Z"));
    assert_eq!(
        judge(&embedded, stamped, &none, &late),
        [Code::CertificateUnproved]
    );
    // In the store of the document, covered.
    let kept = Evidence {
        certificates: vec![Kept {
            what: issuing.clone(),
            place: Place::in_revision(150),
        }],
        ..Evidence::default()
    };
    assert_eq!(judge(&[], stamped, &kept, &covered), []);
    let anchors = [&anchor, &issuing];
    assert_eq!(found(&anchors, &[], &signer, stamped, &none, &nothing), []);
}

#[test]
fn what_an_ended_authority_says_of_revocation_must_be_proved_to_be_older_than_its_end() {
    let (own, upper) = (key(P256), key(P384));
    let anchor = root("Root", &upper);
    let mut ended = authority("CA");
    ended.not_after = date_time_ymd(2025, 1, 1);
    let issuing = issue(&ended, &upper, &authority("Root"), P384);
    let mut signer = leaf();
    signer.not_after = date_time_ymd(2024, 1, 1);
    let signer = issue(&signer, &own, &ended, P384);
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2023, 5, 30),
        next_update: date_time_ymd(2023, 6, 30),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&Issuer::new(ended, key(P384))).unwrap();
    let mut evidence = Evidence::default();
    evidence.add_lists(&[list.der()], &[], Place::in_revision(150));
    let stamped = Some(moment("2023-06-01T00:00:00Z"));
    let judge = |since: Option<&str>| {
        let mut proofs = Proofs::default();
        if let Some(since) = since {
            proofs.add(200, moment(since));
        }
        found(
            &[&anchor, &issuing],
            &[],
            &signer,
            stamped,
            &evidence,
            &proofs,
        )
    };
    assert_eq!(judge(None), [Code::RevocationUnproved]);
    assert_eq!(
        judge(Some("2025-06-01T00:00:00Z")),
        [Code::RevocationUnproved]
    );
    assert_eq!(judge(Some("2024-06-01T00:00:00Z")), []);
    assert!(!evidence.has_unreadable, "control: the list was read");
}

#[test]
fn a_chain_that_is_signed_with_a_weak_key_says_so() {
    let pem = include_str!("../../../../tests/fixtures/trust/root.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let der = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    let read = |der: &[u8]| Certificate::parse(der).unwrap();
    let issuing = read(include_bytes!(
        "../../../../tests/fixtures/ltv/weak-issuing.der"
    ));
    let signer = read(include_bytes!(
        "../../../../tests/fixtures/ltv/weak-leaf.der"
    ));
    let found = judged(&[&read(&der)], &[issuing], &signer);
    assert_eq!(found, [Code::NoChain, Code::KeyTooShort]);
}

#[test]
fn junk_that_bears_the_right_name_costs_a_bounded_number_of_checks() {
    let (own, upper) = (key(P256), key(P384));
    let anchor = root("Root", &upper);
    let mut kept = Vec::new();
    for serial in 0..400_u64 {
        let mut junk = authority("CA");
        junk.serial_number = Some(SerialNumber::from(serial));
        kept.push(Kept {
            what: issue(&junk, &own, &authority("CA"), P256),
            place: Place::in_revision(1),
        });
    }
    let evidence = Evidence {
        certificates: kept,
        ..Evidence::default()
    };
    let signer = issue(&leaf(), &own, &authority("CA"), P384);
    let codes = found(
        &[&anchor],
        &[],
        &signer,
        None,
        &evidence,
        &Proofs::default(),
    );
    assert_eq!(codes, [Code::NoChain]);
}
