//! Who is enrolled, with what, and what a cut or a repetition does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use der::DecodePem;
use loket_provisioning::{
    Authority, InitOptions, ProvisionError, Refusal, ServerKind, server_request,
};
use loket_wire::enrolment::{EnrolmentRequest, MachineRecord, RECORD_CONTEXT};
use loket_wire::sign::SigningKey;
use loket_wire::{Timestamp, frame};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints as Basic, ExtendedKeyUsage, SubjectAltName};

use crate::site::{authority_at, days, endpoint, listed, machine, office, request, request_with};

fn moment() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-22T10:00:00Z").unwrap()
}

fn fresh() -> (tempfile::TempDir, Authority) {
    let dir = tempfile::tempdir().unwrap();
    let authority = authority_at(dir.path(), moment());
    (dir, authority)
}

fn record(dir: &Path, name: &str, authority: &Authority) -> MachineRecord {
    let bytes = fs::read(dir.join("machines").join(format!("{name}.json"))).unwrap();
    let body = frame::open(RECORD_CONTEXT, &bytes, &authority.record_key()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn refusal(authority: &Authority, request: &EnrolmentRequest) -> Refusal {
    match authority.enrol(request, office(), moment()) {
        Err(ProvisionError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal: {other:?}"),
    }
}

fn life_of(certificate: &Certificate) -> (i64, i64) {
    let validity = &certificate.tbs_certificate.validity;
    let ms =
        |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_millis()).unwrap();
    (ms(validity.not_before), ms(validity.not_after))
}

#[test]
fn a_machine_gets_its_certificate_and_central_its_record() {
    let (dir, authority) = fresh();
    let key = KeyPair::generate().unwrap();
    let asked = request("desa-a-1", "desa-a-1", &key);
    let bundle = authority.enrol(&asked, office(), moment()).unwrap();
    assert_eq!(bundle.machine, machine("desa-a-1"));
    assert_eq!(bundle.office, office());
    assert_eq!(bundle.authority_pem, authority.certificate_pem());
    assert_eq!(bundle.brokers, [endpoint("127.0.0.1", 8883)]);
    assert_eq!(bundle.documents, endpoint("127.0.0.1", 8443));

    let record = record(dir.path(), "desa-a-1", &authority);
    assert_eq!(record.machine, machine("desa-a-1"));
    assert_eq!(record.office, office());
    assert_eq!(record.sealing_public_key, asked.sealing_public_key);
    assert_eq!(record.enrolled_at, moment());

    let certificate = Certificate::from_pem(&bundle.certificate_pem).unwrap();
    let fields = &certificate.tbs_certificate;
    assert_eq!(fields.subject.to_string(), "CN=desa-a-1");
    let serial = data_encoding::HEXLOWER.encode(fields.serial_number.as_bytes());
    assert_eq!(record.certificate_serial, serial);
    let day_ms = 86_400_000;
    assert_eq!(
        life_of(&certificate),
        (
            moment().unix_ms() - 2 * day_ms,
            moment().unix_ms() + 180 * day_ms
        )
    );
    let (_critical, usage) = fields.get::<ExtendedKeyUsage>().unwrap().unwrap();
    let client_auth = "1.3.6.1.5.5.7.3.2";
    let usages: Vec<String> = usage.0.iter().map(ToString::to_string).collect();
    assert_eq!(usages, [client_auth]);

    // The machine's key signs its reports; the record says which.
    let own =
        SigningKey::p256_from_pkcs8(key.serialized_der(), ring::rand::SystemRandom::new()).unwrap();
    assert_eq!(record.report_key, own.verifying_key());
}

#[test]
fn the_authority_vouches_for_no_other_authority() {
    let (_dir, authority) = fresh();
    let certificate = Certificate::from_pem(authority.certificate_pem()).unwrap();
    let (critical, basic) = certificate.tbs_certificate.get::<Basic>().unwrap().unwrap();
    assert!(critical && basic.ca);
    assert_eq!(basic.path_len_constraint, Some(0));
}

#[test]
fn the_same_request_again_gets_the_same_certificate() {
    let (dir, authority) = fresh();
    let key = KeyPair::generate().unwrap();
    let asked = request("desa-a-1", "desa-a-1", &key);
    let first = authority.enrol(&asked, office(), moment()).unwrap();

    // A cut between certificate and record: only the record is missing.
    fs::remove_file(dir.path().join("machines/desa-a-1.json")).unwrap();
    let later = moment().saturating_add(days(59));
    let reopened = Authority::open(dir.path()).unwrap();
    assert_eq!(reopened.enrol(&asked, office(), later).unwrap(), first);
    let healed = record(dir.path(), "desa-a-1", &reopened);
    assert_eq!(healed.enrolled_at, moment());

    // The machine moved to another office.
    let elsewhere = "desa-lain".parse().unwrap();
    let moved = reopened.enrol(&asked, elsewhere, later).unwrap();
    assert_eq!(moved.certificate_pem, first.certificate_pem);
    assert_eq!(
        record(dir.path(), "desa-a-1", &reopened).office.as_str(),
        "desa-lain"
    );

    // After a third of its life, a repetition is a renewal.
    let due = moment().saturating_add(days(61));
    let renewed = reopened.enrol(&asked, office(), due).unwrap();
    assert_ne!(renewed.certificate_pem, first.certificate_pem);
}

#[test]
fn a_name_is_not_given_to_other_keys_unasked() {
    let (dir, authority) = fresh();
    let (first, second) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let asked = request("desa-a-1", "desa-a-1", &first);
    authority.enrol(&asked, office(), moment()).unwrap();
    let other = request("desa-a-1", "desa-a-1", &second);
    assert!(matches!(
        refusal(&authority, &other),
        Refusal::OtherKeys { .. }
    ));
    // The same TLS key with another sealing key is another machine too: orders would be sealed to it.
    let mixed = request("desa-a-1", "desa-a-1", &first);
    assert!(matches!(
        refusal(&authority, &mixed),
        Refusal::OtherKeys { .. }
    ));

    authority.replace(&other, office(), moment()).unwrap();
    let record = record(dir.path(), "desa-a-1", &authority);
    assert_eq!(record.sealing_public_key, other.sealing_public_key);
    // The old keys, and a canary of the first list and of this one.
    assert_eq!(listed(dir.path()).len(), 3);
    // The old request does not come back by itself.
    assert!(matches!(
        refusal(&authority, &asked),
        Refusal::OtherKeys { .. }
    ));
}

#[test]
fn requests_that_are_not_what_they_must_be_are_refused() {
    let (dir, authority) = fresh();
    let key = KeyPair::generate().unwrap();
    let good = request("desa-a-1", "desa-a-1", &key);

    let check = |asked: &EnrolmentRequest, code: &str| {
        assert_eq!(refusal(&authority, asked).code(), code);
    };
    check(&request("desa-a-1", "desa-b-1", &key), "E-105");
    check(&request("desa-a-1", "central", &key), "E-105");
    check(&request("desa-a-1", "", &key), "E-105");
    check(&request("desa-a-1", "desa-a-1/x", &key), "E-105");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "desa-a-1");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "x");
    check(&request_with("desa-a-1", &params, &key), "E-105");
    params.distinguished_name.remove(DnType::OrganizationName);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    check(&request_with("desa-a-1", &params, &key), "E-106");
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let other = KeyPair::generate_for(algorithm).unwrap();
        check(&request("desa-a-1", "desa-a-1", &other), "E-104");
    }

    let mut bad = good.clone();
    bad.version = 2;
    check(&bad, "E-102");
    for sealing in ["", "AAAA", &data_encoding::BASE64.encode(&[0; 32])] {
        let mut bad = good.clone();
        bad.sealing_public_key = sealing.to_owned();
        check(&bad, "E-107");
    }
    for csr in ["", "-----BEGIN CERTIFICATE REQUEST-----\n"] {
        let mut bad = good.clone();
        bad.csr_pem = csr.to_owned();
        check(&bad, "E-103");
    }
    let records = fs::read_dir(dir.path().join("machines")).unwrap();
    assert_eq!(records.count(), 0, "nobody was enrolled");
}

#[test]
fn no_altered_byte_of_a_request_brings_in_another_key() {
    let (dir, authority) = fresh();
    let key = KeyPair::generate().unwrap();
    let good = request("desa-a-1", "desa-a-1", &key);
    let der =
        rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(good.csr_pem.as_bytes())
            .unwrap();
    authority.enrol(&good, office(), moment()).unwrap();
    let enrolled = record(dir.path(), "desa-a-1", &authority);
    let mut refused = 0;
    for at in 0..der.len() {
        let mut bytes = der.to_vec();
        bytes[at] ^= 1;
        let mut bent = good.clone();
        bent.csr_pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            data_encoding::BASE64.encode(&bytes)
        );
        // A byte outside what is signed (the outer tags) may be read over; it cannot change what was signed.
        match authority.replace(&bent, office(), moment()) {
            Err(ProvisionError::Refused(_)) => refused += 1,
            Ok(_) => assert_eq!(
                record(dir.path(), "desa-a-1", &authority),
                enrolled,
                "byte {at}"
            ),
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(
        refused + 8 > der.len(),
        "{refused} of {} refused",
        der.len()
    );
}

#[test]
fn a_revoked_name_never_comes_back() {
    let (dir, authority) = fresh();
    let name = machine("desa-a-1");
    assert!(matches!(
        authority.revoke(&name, moment()),
        Err(ProvisionError::Refused(Refusal::UnknownMachine { .. }))
    ));
    let key = KeyPair::generate().unwrap();
    let asked = request("desa-a-1", "desa-a-1", &key);
    authority.enrol(&asked, office(), moment()).unwrap();
    assert_eq!(listed(dir.path()).len(), 1);
    let revoked = authority.revoke(&name, moment()).unwrap();
    assert!(revoked.broker_folders.is_empty());
    // The machine, and a canary of each list.
    assert_eq!(listed(dir.path()).len(), 3);
    assert!(!dir.path().join("machines/desa-a-1.json").exists());
    assert!(dir.path().join("revoked/desa-a-1.json").exists());
    // Again does it again.
    assert_eq!(authority.revoke(&name, moment()).unwrap(), revoked);
    assert_eq!(listed(dir.path()).len(), 4);
    assert!(matches!(
        refusal(&authority, &asked),
        Refusal::RevokedName { .. }
    ));
    let replaced = authority.replace(&asked, office(), moment());
    assert!(matches!(
        replaced,
        Err(ProvisionError::Refused(Refusal::RevokedName { .. }))
    ));
}

#[test]
fn servers_bear_their_reserved_names_and_their_hosts() {
    let (_dir, authority) = fresh();
    let names = ["broker.contoh.id".to_owned(), "127.0.0.1".to_owned()];
    for (kind, name, usages) in [
        (ServerKind::Broker, "CN=broker", 1),
        (ServerKind::Central, "CN=central", 2),
    ] {
        let asked = server_request(kind, &names).unwrap();
        let issue =
            |names: &[String]| authority.issue_server(kind, &asked.csr_pem, names, moment());
        let pem = issue(&[]).unwrap();
        assert_eq!(issue(&[]).unwrap(), pem, "the same request again");
        let certificate = Certificate::from_pem(&pem).unwrap();
        let fields = &certificate.tbs_certificate;
        assert_eq!(fields.subject.to_string(), name);
        let (_critical, hosts) = fields.get::<SubjectAltName>().unwrap().unwrap();
        assert_eq!(hosts.0.len(), 2);
        let (_critical, usage) = fields.get::<ExtendedKeyUsage>().unwrap().unwrap();
        assert_eq!(usage.0.len(), usages);
        let renamed = issue(&["lain.contoh.id".to_owned()]).unwrap();
        assert_ne!(renamed, pem);
        let wild = issue(&["*.contoh.id".to_owned()]);
        assert!(matches!(
            wild,
            Err(ProvisionError::Refused(Refusal::HostName { .. }))
        ));
    }
    // A machine cannot become a server by its request.
    let key = KeyPair::generate().unwrap();
    let asked = request("desa-a-1", "desa-a-1", &key);
    let posing = authority.issue_server(ServerKind::Central, &asked.csr_pem, &names, moment());
    assert!(matches!(
        posing,
        Err(ProvisionError::Refused(Refusal::CommonName { .. }))
    ));
    assert!(server_request(ServerKind::Broker, &[]).is_err());
}

#[test]
fn one_broker_too_many_or_twice_is_refused_before_anything_is_written() {
    let many = ["a", "b", "c", "d", "e"].map(|host| endpoint(host, 8883));
    let twice = [endpoint("a.example", 8883), endpoint("A.example", 8883)];
    for (brokers, code) in [(many.to_vec(), "E-118"), (twice.to_vec(), "E-119")] {
        let dir = tempfile::tempdir().unwrap();
        let options = InitOptions {
            brokers,
            documents: endpoint("127.0.0.1", 1),
            now: moment(),
        };
        let Err(ProvisionError::Refused(refusal)) = Authority::init(dir.path(), options) else {
            panic!("refused");
        };
        assert_eq!(refusal.code(), code);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_machine_is_told_of_every_broker_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let brokers = vec![endpoint("a.example", 8883), endpoint("a.example", 8884)];
    let options = InitOptions {
        brokers: brokers.clone(),
        documents: endpoint("127.0.0.1", 1),
        now: moment(),
    };
    let authority = Authority::init(dir.path(), options).unwrap();
    let key = KeyPair::generate().unwrap();
    let asked = request("desa-a-1", "desa-a-1", &key);
    let enrolled = authority.enrol(&asked, "desa-a".parse().unwrap(), moment());
    assert_eq!(enrolled.unwrap().brokers, brokers);
}

#[test]
fn an_interrupted_init_is_given_again_and_a_finished_one_is_not() {
    let (dir, authority) = fresh();
    let options = || InitOptions {
        brokers: Vec::new(),
        documents: endpoint("127.0.0.1", 1),
        now: moment(),
    };
    assert!(matches!(
        Authority::init(dir.path(), options()),
        Err(ProvisionError::AlreadyThere { .. })
    ));
    drop(authority);
    fs::remove_file(dir.path().join("authority.toml")).unwrap();
    assert!(matches!(
        Authority::open(dir.path()),
        Err(ProvisionError::NoAuthority { .. })
    ));
    Authority::init(dir.path(), options()).unwrap();
    Authority::open(dir.path()).unwrap();
}

#[test]
fn keys_are_their_owners_and_fit_what_is_told_of_them() {
    let (dir, authority) = fresh();
    for name in [
        "authority.key",
        "central-signing.key",
        "canary.key",
        "authority.toml",
    ] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    let pem = fs::read(dir.path().join("central-signing.key")).unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).unwrap();
    let signing = SigningKey::ed25519_from_pkcs8(key.secret_pkcs8_der()).unwrap();
    assert_eq!(signing.verifying_key(), authority.settings().central_key);

    let stranger = KeyPair::generate().unwrap().serialize_pem();
    fs::write(dir.path().join("authority.key"), stranger).unwrap();
    assert!(matches!(
        Authority::open(dir.path()),
        Err(ProvisionError::KeyMismatch { .. })
    ));
}

#[test]
fn a_clock_that_cannot_be_right_dates_nothing() {
    let (_dir, authority) = fresh();
    let key = KeyPair::generate().unwrap();
    let asked = request("desa-a-1", "desa-a-1", &key);
    for at in [Timestamp::UNIX_EPOCH, Timestamp::from_unix_ms(i64::MAX)] {
        let answer = authority.enrol(&asked, office(), at);
        assert!(
            matches!(answer, Err(ProvisionError::Clock { .. })),
            "{answer:?}"
        );
    }
}
