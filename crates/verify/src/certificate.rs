//! One certificate, with the bytes it came in.

use const_oid::AssociatedOid;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc6960::ID_PKIX_OCSP_NOCHECK;
use der::Decode;
use der::referenced::OwnedToRef;
use loket_wire::{Sha256Digest, Timestamp};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, NameConstraints,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::algorithm;
use crate::asn1::{self, SignedBlob};
use crate::code::Code;
use crate::moment;
use crate::names;

#[cfg(test)]
mod fuzz;

/// Largest certificate; honest ones have up to 3 kB.
const MAX_CERTIFICATE_BYTES: usize = 32 * 1024;

/// A certificate (RFC 5280); equal when its bytes are.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    der: Vec<u8>,
    digest: Sha256Digest,
    parsed: x509_cert::Certificate,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> der::Result<Self> {
        if der.len() > MAX_CERTIFICATE_BYTES || !asn1::is_sortable(der) {
            return Err(der::Tag::Sequence.value_error());
        }
        let parsed = x509_cert::Certificate::from_der(der)?;
        // RFC 5280, 4.1.1.2: the two must be the same; the outer one is signed by nobody.
        if parsed.signature_algorithm != parsed.tbs_certificate.signature {
            return Err(der::Tag::Sequence.value_error());
        }
        Ok(Self {
            der: der.to_vec(),
            digest: algorithm::sha256(&[der]),
            parsed,
        })
    }

    /// The bytes as they came.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Digest of these bytes: tells one certificate from another.
    pub(crate) fn digest(&self) -> &Sha256Digest {
        &self.digest
    }

    pub(crate) fn subject(&self) -> &Name {
        &self.parsed.tbs_certificate.subject
    }

    pub(crate) fn issuer(&self) -> &Name {
        &self.parsed.tbs_certificate.issuer
    }

    pub(crate) fn serial(&self) -> &[u8] {
        self.parsed.tbs_certificate.serial_number.as_bytes()
    }

    /// Whether it names itself as its issuer, to the byte: such a certificate lengthens no path.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    /// Whether its subject is `name`.
    pub(crate) fn is_named(&self, name: &Name) -> bool {
        names::is_same(self.subject(), name)
    }

    /// Whether `child` names this certificate as issuer and was signed with its key.
    pub(crate) fn issued(&self, child: &Self) -> Result<(), Code> {
        if !self.is_named(child.issuer()) {
            return Err(Code::NoChain);
        }
        self.signed(&child.der)
    }

    /// Whether the certificate or revocation list in `der` was signed with its key.
    pub(crate) fn signed(&self, der: &[u8]) -> Result<(), Code> {
        let blob = SignedBlob::parse(der).map_err(|_malformed| Code::NoChain)?;
        self.verify(blob.algorithm, None, blob.signed, blob.signature)
    }

    /// Checks a signature made with its key.
    pub(crate) fn verify(
        &self,
        algorithm: AlgorithmIdentifierRef<'_>,
        digest: Option<algorithm::Hash>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Code> {
        let key = self
            .parsed
            .tbs_certificate
            .subject_public_key_info
            .owned_to_ref();
        algorithm::verify(&key, algorithm, digest, message, signature)
    }

    /// Whether `at` lies within its validity.
    pub(crate) fn holds_at(&self, at: Timestamp) -> bool {
        (self.begins()..=self.ends()).contains(&at)
    }

    /// The first moment of its validity.
    pub(crate) fn begins(&self) -> Timestamp {
        moment::of_certificate(&self.parsed.tbs_certificate.validity.not_before)
    }

    /// The last moment of its validity.
    pub(crate) fn ends(&self) -> Timestamp {
        moment::of_certificate(&self.parsed.tbs_certificate.validity.not_after)
    }

    /// An extension's value; unreadable or repeated ones count as [`Code::AuthorityUsage`].
    fn extension<'a, T: Decode<'a> + AssociatedOid>(&'a self) -> Result<Option<T>, Code> {
        let extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        let mut found = extensions.filter(|extension| extension.extn_id == T::OID);
        let Some(extension) = found.next() else {
            return Ok(None);
        };
        let value = extension.extn_value.as_bytes();
        // The names in it are sets.
        if found.next().is_some() || !asn1::is_sortable(value) {
            return Err(Code::AuthorityUsage);
        }
        T::from_der(value)
            .map(Some)
            .map_err(|_unreadable| Code::AuthorityUsage)
    }

    pub(crate) fn basic_constraints(&self) -> Result<Option<BasicConstraints>, Code> {
        self.extension()
    }

    pub(crate) fn key_usage(&self) -> Result<Option<KeyUsage>, Code> {
        self.extension()
    }

    pub(crate) fn extended_key_usage(&self) -> Result<Option<ExtendedKeyUsage>, Code> {
        self.extension()
    }

    /// Whether it was issued under `policy`.
    pub(crate) fn has_policy(&self, policy: ObjectIdentifier) -> bool {
        match self.extension::<CertificatePolicies>() {
            Ok(Some(policies)) => policies
                .0
                .iter()
                .any(|found| found.policy_identifier == policy),
            Ok(None) | Err(_) => false,
        }
    }

    /// Its key as subjectPublicKey holds it: what OCSP hashes to name an issuer.
    pub(crate) fn key_bits(&self) -> &[u8] {
        let key = &self.parsed.tbs_certificate.subject_public_key_info;
        key.subject_public_key.as_bytes().unwrap_or_default()
    }

    /// Whether its extended key usage is marked critical.
    pub(crate) fn has_critical_usage(&self) -> bool {
        self.critical_extensions()
            .any(|found| found == ExtendedKeyUsage::OID)
    }

    /// Whether it has an extension, critical or not.
    pub(crate) fn has_extension(&self, wanted: ObjectIdentifier) -> bool {
        let mut extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        extensions.any(|extension| extension.extn_id == wanted)
    }

    /// Whether its authority says that nobody needs to ask for its revocation (`id-pkix-ocsp-nocheck`).
    pub(crate) fn is_never_revoked(&self) -> bool {
        self.has_extension(ID_PKIX_OCSP_NOCHECK)
    }

    pub(crate) fn name_constraints(&self) -> Result<Option<NameConstraints>, Code> {
        self.extension()
    }

    /// Its alternative names.
    pub(crate) fn alternative_names(&self) -> Result<Vec<GeneralName>, Code> {
        let names = self.extension::<SubjectAltName>()?;
        Ok(names.map(|names| names.0).unwrap_or_default())
    }

    /// Whether its subject key identifier is `wanted`.
    pub(crate) fn has_key_identifier(&self, wanted: &[u8]) -> bool {
        let found = self.extension::<SubjectKeyIdentifier>();
        matches!(found, Ok(Some(identifier)) if identifier.0.as_bytes() == wanted)
    }

    /// Identifiers of its critical extensions.
    pub(crate) fn critical_extensions(&self) -> impl Iterator<Item = ObjectIdentifier> + '_ {
        let extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        extensions
            .filter(|extension| extension.critical)
            .map(|extension| extension.extn_id)
    }

    /// Its subject as text for a report.
    pub(crate) fn subject_text(&self) -> String {
        names::text::text(self.subject())
    }

    /// Its issuer as text for a report.
    pub(crate) fn issuer_text(&self) -> String {
        names::text::text(self.issuer())
    }
}
