//! A signer that makes honest containers, and whatever else it is told to make.

use rcgen::{KeyPair, PKCS_RSA_SHA256, SigningKey as _};
use sha2::{Digest as _, Sha256};

use crate::asn1::{algorithm, generalized, inner, integer, octets, oid, open, sequence, set, tlv};

macro_rules! key {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!(
                "../../../../tests/fixtures/keys/",
                $name,
                ".key.pem"
            )),
        )
    };
}

const KEYS: [(&str, &str); 9] = [
    key!("root"),
    key!("issuing"),
    key!("signer"),
    key!("expired"),
    key!("revoked"),
    key!("tsa"),
    key!("ocsp"),
    key!("other-root"),
    key!("other-signer"),
];

/// A test key by its name.
pub(crate) fn key(name: &str) -> KeyPair {
    let (_, pem) = KEYS.iter().find(|(own, _)| *own == name).unwrap();
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).unwrap()
}

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub(crate) const STAMP_INFO: &str = "1.2.840.113549.1.9.16.1.4";
pub(crate) const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub(crate) const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(crate) const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
pub(crate) const COUNTER_SIGNATURE: &str = "1.2.840.113549.1.9.6";
pub(crate) const PROTECTION: &str = "1.2.840.113549.1.9.52";
pub(crate) const ESS_V1: &str = "1.2.840.113549.1.9.16.2.12";
pub(crate) const ESS_V2: &str = "1.2.840.113549.1.9.16.2.47";
pub(crate) const STAMP: &str = "1.2.840.113549.1.9.16.2.14";
pub(crate) const SHA1: &str = "1.3.14.3.2.26";
pub(crate) const SHA256: &str = "2.16.840.1.101.3.4.2.1";
pub(crate) const SHA512: &str = "2.16.840.1.101.3.4.2.3";
pub(crate) const RSA_SHA256: &str = "1.2.840.113549.1.1.11";

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Someone who signs: a certificate and the name of its key.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: &'static str,
    /// Certificates that go along.
    pub(crate) others: Vec<Vec<u8>>,
}

/// What a container is made of; each part may be bent.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) content_type: &'static str,
    pub(crate) content: Option<Vec<u8>>,
    /// The signed attributes, each as DER.
    pub(crate) attributes: Vec<Vec<u8>>,
    pub(crate) has_attributes: bool,
    pub(crate) is_sorted: bool,
    /// The tag over which the attributes are signed; a SET's is right.
    pub(crate) signed_tag: u8,
    pub(crate) version: u8,
    pub(crate) info_version: u8,
    pub(crate) digests: Vec<&'static str>,
    pub(crate) digest: &'static str,
    pub(crate) signature: Vec<u8>,
    pub(crate) key: &'static str,
    pub(crate) names: Vec<u8>,
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) lists: Vec<Vec<u8>>,
    pub(crate) unsigned: Vec<Vec<u8>>,
    pub(crate) infos_before: Vec<Vec<u8>>,
    pub(crate) infos_after: Vec<Vec<u8>>,
    pub(crate) without_info: bool,
    /// The signature value, where it is not made with the key.
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) behind: Vec<u8>,
}

/// An attribute with one value.
pub(crate) fn attribute(kind: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &tlv(0x31, value)])
}

/// ESS: the digest of a certificate.
pub(crate) fn ess(certificate: &[u8]) -> Vec<u8> {
    let name = sequence(&[&octets(&sha256(certificate))]);
    attribute(ESS_V2, &sequence(&[&sequence(&[&name])]))
}

/// Issuer and serial number of a certificate.
pub(crate) fn names(certificate: &[u8]) -> Vec<u8> {
    let fields = inner(inner(certificate)[0]);
    sequence(&[fields[3], fields[1]])
}

impl Recipe {
    /// An honest one over `digest` of what is signed.
    pub(crate) fn honest(digest: &[u8], who: &Identity) -> Self {
        let mut certificates = vec![who.certificate.clone()];
        certificates.extend(who.others.clone());
        Self {
            content_type: DATA,
            content: None,
            attributes: vec![
                attribute(CONTENT_TYPE, &oid(DATA)),
                attribute(MESSAGE_DIGEST, &octets(digest)),
                ess(&who.certificate),
            ],
            has_attributes: true,
            is_sorted: true,
            signed_tag: 0x31,
            version: 1,
            info_version: 1,
            digests: vec![SHA256],
            digest: SHA256,
            signature: algorithm(RSA_SHA256),
            key: who.key,
            names: names(&who.certificate),
            certificates,
            lists: Vec::new(),
            unsigned: Vec::new(),
            infos_before: Vec::new(),
            infos_after: Vec::new(),
            without_info: false,
            value: None,
            behind: Vec::new(),
        }
    }

    /// The signed attributes as they stand in the container, tag left open.
    fn attribute_bytes(&self) -> Vec<u8> {
        let whole = if self.is_sorted {
            set(self.attributes.clone())
        } else {
            let mut parts = self.attributes.clone();
            parts.sort();
            parts.reverse();
            tlv(0x31, &parts.concat())
        };
        open(&whole).0.to_vec()
    }

    /// The signature value.
    pub(crate) fn signed(&self) -> Vec<u8> {
        if let Some(value) = &self.value {
            return value.clone();
        }
        let message = if self.has_attributes {
            tlv(self.signed_tag, &self.attribute_bytes())
        } else {
            self.content.clone().unwrap_or_default()
        };
        key(self.key).sign(&message).unwrap()
    }

    /// The SignerInfo.
    pub(crate) fn info(&self) -> Vec<u8> {
        let mut parts = vec![
            integer(self.info_version),
            self.names.clone(),
            algorithm(self.digest),
        ];
        if self.has_attributes {
            parts.push(tlv(0xa0, &self.attribute_bytes()));
        }
        parts.push(self.signature.clone());
        parts.push(octets(&self.signed()));
        if !self.unsigned.is_empty() {
            let whole = set(self.unsigned.clone());
            parts.push(tlv(0xa1, open(&whole).0));
        }
        tlv(0x30, &parts.concat())
    }

    /// The ContentInfo.
    pub(crate) fn der(&self) -> Vec<u8> {
        let digests = self.digests.iter().map(|name| algorithm(name)).collect();
        let mut content = oid(self.content_type);
        if let Some(inside) = &self.content {
            content.extend(tlv(0xa0, &octets(inside)));
        }
        let mut parts = vec![integer(self.version), set(digests), tlv(0x30, &content)];
        if !self.certificates.is_empty() {
            parts.push(tlv(0xa0, &self.certificates.concat()));
        }
        if !self.lists.is_empty() {
            parts.push(tlv(0xa1, &self.lists.concat()));
        }
        let mut infos = self.infos_before.clone();
        if !self.without_info {
            infos.push(self.info());
        }
        infos.extend(self.infos_after.clone());
        parts.push(tlv(0x31, &infos.concat()));
        parts.push(self.behind.clone());
        let data = tlv(0x30, &parts.concat());
        sequence(&[&oid(SIGNED_DATA), &tlv(0xa0, &data)])
    }

    /// The same with a token over its signature value.
    #[must_use]
    pub(crate) fn stamped(mut self, moment: &str, by: &Identity) -> Self {
        let token = token(&sha256(&self.signed()), moment, by).der();
        self.unsigned.push(attribute(STAMP, &token));
        self
    }
}

/// A time-stamp token over `imprint` (RFC 3161).
pub(crate) fn token(imprint: &[u8], moment: &str, by: &Identity) -> Recipe {
    let info = stamp_info(SHA256, imprint, moment);
    let mut recipe = Recipe::honest(&sha256(&info), by);
    recipe.content_type = STAMP_INFO;
    recipe.attributes[0] = attribute(CONTENT_TYPE, &oid(STAMP_INFO));
    recipe.content = Some(info);
    recipe.version = 3;
    recipe
}

pub(crate) fn stamp_info(digest: &str, imprint: &[u8], moment: &str) -> Vec<u8> {
    sequence(&[
        &integer(1),
        &oid("1.3.6.1.4.1.99999.1"),
        &sequence(&[&algorithm(digest), &octets(imprint)]),
        &integer(7),
        &generalized(moment),
    ])
}
