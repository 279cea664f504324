//! Answers of OCSP responders.
//!
//! # Source
//! RFC 6960, 4.2; RFC 5019 for what is usual. Nonces mean nothing in an answer that was kept, and are not looked at.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5280, rfc5912, rfc6960};
use der::referenced::OwnedToRef;
use der::{Decode, Encode};
use loket_wire::{Sha256Digest, Timestamp};
use x509_cert::ext::pkix::CrlReason;
use x509_cert::spki::AlgorithmIdentifierRef;
use x509_cert::time::Time;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, OcspResponseStatus,
    ResponderId, SingleResponse,
};

use crate::algorithm::{self, Hash};
use crate::asn1::{self, SignedBlob};
use crate::certificate::Certificate;
use crate::code::Code;
use crate::crl::{Revoked, Why};
use crate::effort::Effort;
use crate::moment;

#[cfg(test)]
mod fuzz;

/// Certificates about which one answer speaks; honest answers have one, those for a whole chain a few.
const MAX_SINGLE_RESPONSES: usize = 16;

/// Certificates in one answer: the responder's and its chain.
const MAX_CERTIFICATES: usize = 8;

/// Largest answer; with a chain of certificates an honest one has 8 kB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// A successful answer of a responder, not yet known to be an entitled one.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    /// The BasicOCSPResponse.
    der: Vec<u8>,
    digest: Sha256Digest,
    parsed: BasicOcspResponse,
    certificates: Vec<Certificate>,
}

/// What an answer says about one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) this_update: Timestamp,
    pub(crate) next_update: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    Revoked(Revoked),
    /// The responder does not know the certificate: its authority may never have issued it.
    Unknown,
}

impl Response {
    /// Reads an OCSPResponse that was successful.
    pub(crate) fn parse(der: &[u8]) -> der::Result<Self> {
        let fault = || der::Tag::Sequence.value_error();
        if der.len() > MAX_RESPONSE_BYTES || !asn1::is_sortable(der) {
            return Err(fault());
        }
        let outer = OcspResponse::from_der(der)?;
        let bytes = outer.response_bytes.ok_or_else(fault)?;
        if outer.response_status != OcspResponseStatus::Successful
            || bytes.response_type != rfc6960::ID_PKIX_OCSP_BASIC
        {
            return Err(fault());
        }
        Self::parse_basic(bytes.response.as_bytes())
    }

    /// Reads the BasicOCSPResponse inside one.
    pub(crate) fn parse_basic(der: &[u8]) -> der::Result<Self> {
        let fault = || der::Tag::Sequence.value_error();
        if !asn1::is_sortable(der) {
            return Err(fault());
        }
        let parsed = BasicOcspResponse::from_der(der)?;
        if parsed.tbs_response_data.responses.len() > MAX_SINGLE_RESPONSES {
            return Err(fault());
        }
        let extensions = parsed.tbs_response_data.response_extensions.iter();
        if extensions.flatten().any(|extra| extra.critical) {
            return Err(fault());
        }
        // As the bytes they came in, not as they would be encoded again.
        let (_blob, tail) = SignedBlob::parse_with_tail(der)?;
        let inside = tail.and_then(asn1::inside).unwrap_or_default();
        let listed = asn1::inside(inside).unwrap_or_default();
        let raw = asn1::values(listed, MAX_CERTIFICATES).ok_or_else(fault)?;
        let certificates = raw.iter().map(|der| Certificate::parse(der));
        Ok(Self {
            der: der.to_vec(),
            digest: algorithm::sha256(&[der]),
            certificates: certificates.collect::<der::Result<_>>()?,
            parsed,
        })
    }

    /// The BasicOCSPResponse as it came.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Who answered, if that one may speak about what `issuer` issued; delegates are looked for among the certificates
    /// that came along and those that are `known`.
    ///
    /// # Source
    /// RFC 6960, 4.2.2.2: the issuer's own key, or one that the issuer itself gave `id-kp-OCSPSigning`. A responder of
    /// local trust is not known here.
    pub(crate) fn responder<'a>(
        &'a self,
        issuer: &'a Certificate,
        mut known: impl Iterator<Item = &'a Certificate>,
        effort: &Effort,
    ) -> Option<Responder<'a>> {
        let signed_by = |signer: &Certificate| {
            let check = || self.check_signature(signer);
            effort.check(signer, &self.digest, check).is_ok()
        };
        if self.names(issuer) && signed_by(issuer) {
            return Some(Responder::Issuer);
        }
        let is_entitled = |candidate: &&Certificate| {
            self.names(candidate)
                && issuer.is_named(candidate.issuer())
                && is_delegate(candidate)
                && effort.issued(issuer, candidate).is_ok()
                && signed_by(candidate)
        };
        let brought = self.certificates.iter().find(is_entitled);
        let delegate = brought.or_else(|| known.find(is_entitled));
        delegate.map(Responder::Delegate)
    }

    /// When the responder signed it.
    pub(crate) fn produced_at(&self) -> Timestamp {
        moment(&self.parsed.tbs_response_data.produced_at)
    }

    /// What it says about `certificate` of `issuer`.
    pub(crate) fn answer(&self, certificate: &Certificate, issuer: &Certificate) -> Option<Answer> {
        let mut singles = self.parsed.tbs_response_data.responses.iter();
        let single = singles.find(|single| is_about(&single.cert_id, certificate, issuer))?;
        let extensions = single.single_extensions.iter().flatten();
        if extensions.clone().any(|extra| extra.critical) {
            return None;
        }
        Some(Answer {
            status: status(single),
            this_update: moment(&single.this_update),
            next_update: single.next_update.as_ref().map(moment),
        })
    }

    fn names(&self, candidate: &Certificate) -> bool {
        match &self.parsed.tbs_response_data.responder_id {
            ResponderId::ByName(name) => candidate.is_named(name),
            ResponderId::ByKey(hash) => {
                algorithm::sha1_for_naming(candidate.key_bits()) == hash.as_bytes()
            }
        }
    }

    fn check_signature(&self, candidate: &Certificate) -> Result<(), Code> {
        let parsed = SignedBlob::parse_with_tail(&self.der);
        let (blob, _tail) = parsed.map_err(|_malformed| Code::NoChain)?;
        candidate.verify(blob.algorithm, None, blob.signed, blob.signature)
    }
}

/// Who answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Responder<'a> {
    /// The authority itself.
    Issuer,
    /// Somebody whom the authority gave a certificate for that.
    Delegate(&'a Certificate),
}

/// Whether a certificate is one of a responder, and of nothing that could stand in for an authority.
fn is_delegate(candidate: &Certificate) -> bool {
    let may_answer = match candidate.extended_key_usage() {
        Ok(Some(usage)) => usage.0.contains(&rfc5280::ID_KP_OCSP_SIGNING),
        Ok(None) | Err(_) => false,
    };
    let may_sign = match candidate.key_usage() {
        Ok(Some(usage)) => usage.digital_signature() || usage.non_repudiation(),
        Ok(None) => true,
        Err(_unreadable) => false,
    };
    may_answer && may_sign
}

/// Whether an answer is about this certificate.
///
/// The hashes, SHA-1 nearly always (RFC 5019 has no other), only say which certificate is meant. What is answered is
/// protected by the responder's signature, and the certificate by that of its issuer: whoever found two issuers with one
/// hash would still need an answer that is signed by the right one.
fn is_about(id: &CertId, certificate: &Certificate, issuer: &Certificate) -> bool {
    if id.serial_number.as_bytes() != certificate.serial() {
        return false;
    }
    // The authority's name as the certificate spells it (RFC 6960, 4.1.1), or as the authority's own does.
    let spellings = [certificate.issuer(), issuer.subject()];
    let hash = |bytes: &[u8]| naming_hash(id.hash_algorithm.owned_to_ref(), bytes);
    let is_named = spellings.iter().any(|name| {
        let name = name.to_der().ok();
        name.and_then(|name| hash(&name)).as_deref() == Some(id.issuer_name_hash.as_bytes())
    });
    is_named && hash(issuer.key_bits()).as_deref() == Some(id.issuer_key_hash.as_bytes())
}

fn naming_hash(algorithm: AlgorithmIdentifierRef<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
    const SHA_1: ObjectIdentifier = rfc5912::ID_SHA_1;
    if algorithm.oid == SHA_1 {
        return Some(algorithm::sha1_for_naming(bytes));
    }
    Hash::of(algorithm).ok().map(|hash| hash.digest(&[bytes]))
}

fn status(single: &SingleResponse) -> Status {
    match &single.cert_status {
        CertStatus::Good(_) => Status::Good,
        CertStatus::Unknown(_) => Status::Unknown,
        CertStatus::Revoked(info) => Status::Revoked(Revoked {
            since: moment(&info.revocation_time),
            why: info.revocation_reason.map_or(Why::Other, why),
        }),
    }
}

/// As far as a reason changes what older signatures are worth (docs/adr/0011).
pub(crate) const fn why(reason: CrlReason) -> Why {
    match reason {
        CrlReason::KeyCompromise | CrlReason::CaCompromise | CrlReason::AaCompromise => {
            Why::KeyInOtherHands
        }
        CrlReason::CertificateHold | CrlReason::RemoveFromCRL => Why::OnHold,
        CrlReason::Unspecified
        | CrlReason::AffiliationChanged
        | CrlReason::Superseded
        | CrlReason::CessationOfOperation
        | CrlReason::PrivilegeWithdrawn => Why::Other,
    }
}

fn moment(time: &OcspGeneralizedTime) -> Timestamp {
    moment::of_certificate(&Time::GeneralTime(time.0))
}
