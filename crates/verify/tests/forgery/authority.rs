//! Certificates as an authority makes them, and as none would.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};

use crate::signer::{Identity, key};

/// A day, as year, month and day.
pub(crate) type Day = (i32, u8, u8);

pub(crate) const HEAD: &str = "Kepala Dinas Kependudukan dan Pencatatan Sipil (CONTOH)";
pub(crate) const ROOT_NAME: &str = "Root CA Uji Loket (CONTOH)";
pub(crate) const ISSUING_NAME: &str = "CA Penerbit Uji Loket (CONTOH)";
pub(crate) const ROOT: &str = include_str!("../../../../tests/fixtures/trust/root.pem");
pub(crate) const ISSUING: &str = include_str!("../../../../tests/fixtures/trust/issuing.pem");

macro_rules! original {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/originals/", $name)).as_slice()
    };
}

/// What a certificate says; each part may be bent.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) serial: u64,
    pub(crate) from: Day,
    pub(crate) until: Day,
    pub(crate) authority: Option<Option<u8>>,
    pub(crate) usages: Vec<KeyUsagePurpose>,
    pub(crate) extended: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) extension: Option<CustomExtension>,
    pub(crate) spelling: Spelling,
}

/// How a name is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    Usual,
    /// In capitals, with blanks where one is enough, as PrintableString.
    Other,
    /// With letters of another alphabet that look the same.
    Alike,
}

/// An official's certificate, as the honest authority makes it.
pub(crate) fn official() -> Wish {
    Wish {
        name: HEAD,
        key: "revoked",
        serial: 4_001,
        from: (2024, 1, 1),
        until: (2060, 1, 1),
        authority: None,
        usages: vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::ContentCommitment,
        ],
        extended: Vec::new(),
        extension: None,
        spelling: Spelling::Usual,
    }
}

/// An authority's certificate.
pub(crate) fn authority(name: &'static str, key: &'static str) -> Wish {
    Wish {
        name,
        key,
        serial: 4_002,
        authority: Some(None),
        usages: vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
        ..official()
    }
}

/// A time-stamping authority's certificate.
pub(crate) fn stamping() -> Wish {
    Wish {
        name: "Otoritas Penanda Waktu Uji Loket (CONTOH)",
        serial: 4_003,
        key: "other-signer",
        usages: vec![KeyUsagePurpose::DigitalSignature],
        extension: Some(critical_usage(&[43, 6, 1, 5, 5, 7, 3, 8])),
        ..official()
    }
}

/// An extended key usage that must be understood.
pub(crate) fn critical_usage(purpose: &[u8]) -> CustomExtension {
    let content = crate::asn1::sequence(&[&crate::asn1::tlv(6, purpose)]);
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
    extension.set_criticality(true);
    extension
}

impl Wish {
    fn parameters(&self) -> CertificateParams {
        let mut parameters = CertificateParams::default();
        let day = |(year, month, day): Day| date_time_ymd(year, month, day);
        parameters.not_before = day(self.from);
        parameters.not_after = day(self.until);
        parameters.serial_number = Some(SerialNumber::from(self.serial));
        parameters.distinguished_name = spelled(self.name, self.spelling);
        parameters.is_ca = match self.authority {
            None => IsCa::ExplicitNoCa,
            Some(None) => IsCa::Ca(BasicConstraints::Unconstrained),
            Some(Some(length)) => IsCa::Ca(BasicConstraints::Constrained(length)),
        };
        parameters.key_usages = self.usages.clone();
        parameters.extended_key_usages = self.extended.clone();
        parameters.custom_extensions = self.extension.clone().into_iter().collect();
        parameters
    }

    /// The certificate, signed by the certificate `issuer` with `issuer_key`.
    pub(crate) fn by(&self, issuer: &[u8], issuer_key: &str) -> Vec<u8> {
        let issuer = issuer_of(issuer, key(issuer_key));
        let own = key(self.key);
        let made = self.parameters().signed_by(&own, &issuer).unwrap();
        made.der().to_vec()
    }

    /// The certificate, signed with `issuer_key`; its issuer's name is `issuer` in another spelling.
    pub(crate) fn by_spelled(
        &self,
        issuer: &'static str,
        spelling: Spelling,
        issuer_key: &str,
    ) -> Vec<u8> {
        let issuer = Self {
            spelling,
            ..authority(issuer, self.key)
        };
        let issuer = Issuer::new(issuer.parameters(), key(issuer_key));
        let made = self
            .parameters()
            .signed_by(&key(self.key), &issuer)
            .unwrap();
        made.der().to_vec()
    }

    /// The certificate, signed by itself.
    pub(crate) fn alone(&self) -> Vec<u8> {
        let made = self.parameters().self_signed(&key(self.key)).unwrap();
        made.der().to_vec()
    }
}

/// A name as authorities write it, and the same in other letters.
fn spelled(common: &str, spelling: Spelling) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::CountryName, "ID");
    for (kind, text) in [
        (
            DnType::OrganizationName,
            "Dinas Contoh Kabupaten Contohraya",
        ),
        (DnType::CommonName, common),
    ] {
        let value = match spelling {
            Spelling::Usual => DnValue::Utf8String(text.to_owned()),
            Spelling::Other => {
                let loud = text.to_uppercase().replace(' ', "  ");
                DnValue::PrintableString(loud.as_str().try_into().unwrap())
            }
            Spelling::Alike => DnValue::Utf8String(text.replace('o', "\u{43e}")),
        };
        name.push(kind, value);
    }
    name
}

fn issuer_of(certificate: &[u8], key: KeyPair) -> Issuer<'static, KeyPair> {
    Issuer::from_ca_cert_der(&certificate.into(), key).unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    data_encoding::BASE64.decode(body.as_bytes()).unwrap()
}

pub(crate) fn issuing() -> Vec<u8> {
    der(ISSUING)
}

pub(crate) fn root() -> Vec<u8> {
    der(ROOT)
}

fn known(certificate: &[u8], key: &'static str) -> Identity {
    Identity {
        certificate: certificate.to_vec(),
        key,
        others: vec![issuing()],
    }
}

/// The official who signed the originals.
pub(crate) fn own() -> Identity {
    known(original!("own.der"), "signer")
}

/// The one whose certificate has run out.
pub(crate) fn expired() -> Identity {
    known(original!("expired.der"), "expired")
}

/// The time-stamping authority of the originals.
pub(crate) fn stamper() -> Identity {
    known(original!("tsa.der"), "tsa")
}

/// A revocation list of the issuing authority that names `serial`.
pub(crate) fn list(serial: u64, since: Day, reason: Option<RevocationReason>) -> Vec<u8> {
    let entry = RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(since.0, since.1, since.2),
        reason_code: reason,
        invalidity_date: None,
    };
    list_of(entry, &issuer_of(&issuing(), key("issuing")))
}

/// A revocation list of the root that names `serial`, its key lost.
pub(crate) fn list_by_root(serial: u64, since: Day) -> Vec<u8> {
    let entry = RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(since.0, since.1, since.2),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    list_of(entry, &issuer_of(&root(), key("root")))
}

fn list_of(entry: RevokedCertParams, issuer: &Issuer<'_, KeyPair>) -> Vec<u8> {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 11, 1),
        next_update: date_time_ymd(2030, 1, 1),
        crl_number: SerialNumber::from(9_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![entry],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer).unwrap().der().to_vec()
}
