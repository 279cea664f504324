//! One CMS signature: its shape, its signed attributes, its signer.
//!
//! Everything in a signature container that its signature does not cover is either checked to be
//! the one value it can have, or reported as unvouched.
//!
//! # Source
//! RFC 5652 (CMS), RFC 5035 (ESS), RFC 6211 (algorithm protection), ETSI EN 319 122-1 (CAdES).

use cms::content_info::CmsVersion;
use cms::signed_data::{EncapsulatedContentInfo, SignerIdentifier, SignerInfo};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911 as oid;
use der::asn1::{AnyRef, SetOfVec};
use der::referenced::OwnedToRef;
use der::{Any, Decode, DecodeOwned, Encode, Reader, SliceReader, Tag, TagNumber};
use loket_wire::Timestamp;
use x509_cert::spki::{AlgorithmIdentifierOwned, AlgorithmIdentifierRef};
use x509_cert::time::Time;

use crate::algorithm::{self, Hash};
use crate::asn1;
use crate::certificate::Certificate;
use crate::code::Code;
use crate::digests::Content;
use crate::moment;
use crate::names;

#[cfg(test)]
mod fuzz;

/// Certificates in one container; a full chain and a spare one are fewer than 8.
const MAX_CERTIFICATES: usize = 16;

/// Lists, and likewise answers, among the signed attributes: one for each certificate of a chain.
const MAX_REVOCATION_ITEMS: usize = 16;

const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const ALGORITHM_PROTECTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.52");
const SIGNATURE_POLICY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.15");
const REVOCATION_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113583.1.1.8");
const TIME_STAMP_TOKEN: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.14");

/// How a signature must name its signer's certificate (ESS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// signingCertificateV2, as PAdES asks.
    V2,
    /// Either version, as time stamps have (RFC 3161, RFC 5816).
    Either,
}

/// A container with exactly one signer.
#[derive(Debug)]
pub(crate) struct Container {
    content_type: ObjectIdentifier,
    content: Option<Any>,
    signer: SignerInfo,
    signer_certificate: Option<Certificate>,
    /// All readable certificates of the container.
    pub(crate) certificates: Vec<Certificate>,
    /// Whether something stands there that is neither signed nor understood.
    pub(crate) has_extras: bool,
}

impl Container {
    /// Reads a ContentInfo with a SignedData that fills `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Code> {
        if !asn1::is_sortable(bytes) {
            return Err(Code::CmsMalformed);
        }
        let data = SignedData::parse(bytes).map_err(|_malformed| Code::CmsMalformed)?;
        let [signer] = data.signers.as_slice() else {
            return Err(Code::CmsMalformed);
        };
        let [digest] = data.digests.as_slice() else {
            return Err(Code::CmsMalformed);
        };
        let is_by_key = matches!(signer.sid, SignerIdentifier::SubjectKeyIdentifier(_));
        let is_plain = data.content.econtent_type == oid::ID_DATA && !is_by_key;
        let version = |three: bool| {
            if three {
                CmsVersion::V3
            } else {
                CmsVersion::V1
            }
        };
        if signer.version != version(is_by_key) || data.version != version(!is_plain) {
            return Err(Code::CmsMalformed);
        }
        if Hash::of(digest.owned_to_ref()) != Hash::of(signer.digest_alg.owned_to_ref()) {
            return Err(Code::AlgorithmsDisagree);
        }
        let raw = asn1::values(data.certificates.unwrap_or_default(), MAX_CERTIFICATES);
        let raw = raw.ok_or(Code::CmsMalformed)?;
        let certificates: Vec<Certificate> = raw
            .iter()
            .filter_map(|der| Certificate::parse(der).ok())
            .collect();
        let has_extras = data.has_lists || certificates.len() < raw.len();
        let signer_certificate = certificates.iter().find(|found| names(&signer.sid, found));
        Ok(Self {
            content_type: data.content.econtent_type,
            content: data.content.econtent,
            signer_certificate: signer_certificate.cloned(),
            signer: signer.clone(),
            certificates,
            has_extras,
        })
    }

    /// The certificate that the signer's identifier names.
    pub(crate) fn signer(&self) -> Result<&Certificate, Code> {
        self.signer_certificate.as_ref().ok_or(Code::SignerMissing)
    }

    /// The bytes inside the container, if any.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        match &self.content {
            Some(content) if der::Tagged::tag(content) == Tag::OctetString => Some(content.value()),
            Some(_) | None => None,
        }
    }

    /// Whether nothing at all stands inside the container.
    pub(crate) fn is_detached(&self) -> bool {
        self.content.is_none()
    }

    /// The signature value itself.
    pub(crate) fn signature(&self) -> &[u8] {
        self.signer.signature.as_bytes()
    }

    /// Checks the signature over `content` of type `content_type`.
    pub(crate) fn verify(
        &self,
        content: Content<'_>,
        content_type: ObjectIdentifier,
        naming: Naming,
    ) -> Result<(), Code> {
        let hash = Hash::of(self.signer.digest_alg.owned_to_ref())?;
        let named: ObjectIdentifier = self.decoded(oid::ID_CONTENT_TYPE)?;
        if named != content_type || self.content_type != content_type {
            return Err(Code::CmsMalformed);
        }
        let digest = self.required(oid::ID_MESSAGE_DIGEST)?;
        let is_digest = der::Tagged::tag(&digest) == Tag::OctetString;
        if !is_digest || digest.value() != content.digest(hash)? {
            return Err(Code::DigestMismatch);
        }
        self.check_algorithm_protection()?;
        self.check_naming(naming)?;
        let attributes = self
            .signer
            .signed_attrs
            .as_ref()
            .ok_or(Code::AttributeMissing)?;
        let signed = attributes
            .to_der()
            .map_err(|_unencodable| Code::CmsMalformed)?;
        let algorithm = self.signer.signature_algorithm.owned_to_ref();
        self.signer()?
            .verify(algorithm, Some(hash), &signed, self.signature())
    }

    /// The signer's own claim of the time of signing.
    pub(crate) fn claimed_time(&self) -> Option<Timestamp> {
        let time: Time = self.decoded(oid::ID_SIGNING_TIME).ok()?;
        Some(moment::of_certificate(&time))
    }

    /// The time-stamp token over the signature value, and whether anything else is unsigned.
    pub(crate) fn token(&self) -> (Option<Vec<u8>>, bool) {
        let mut token = None;
        // RFC 5652, 5.3: a set of at least one, or none at all.
        let unsigned = self.signer.unsigned_attrs.as_ref();
        let mut has_extras = unsigned.is_some_and(|unsigned| unsigned.is_empty());
        for attribute in self.signer.unsigned_attrs.iter().flat_map(SetOfVec::iter) {
            match (attribute.oid, attribute.values.as_slice()) {
                (TIME_STAMP_TOKEN, [value]) if token.is_none() => token = value.to_der().ok(),
                _other => has_extras = true,
            }
        }
        (token, has_extras)
    }

    /// Whether it names a signature policy (CAdES-EPES).
    pub(crate) fn names_a_policy(&self) -> bool {
        matches!(self.attribute(SIGNATURE_POLICY), Ok(Some(_)) | Err(_))
    }

    /// Revocation lists and responders' answers among the signed attributes, as Adobe's signers put them there.
    ///
    /// # Source
    /// ISO 32000-2, 12.8.3.3.2: `SEQUENCE { crl [0] EXPLICIT SEQUENCE OF …, ocsp [1] EXPLICIT SEQUENCE OF …, … }`.
    pub(crate) fn revocation_data(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let mut found = (Vec::new(), Vec::new());
        let Ok(Some(value)) = self.attribute(REVOCATION_INFO) else {
            return found;
        };
        for part in asn1::values(value.value(), 3).unwrap_or_default() {
            let Ok(tagged) = AnyRef::from_der(part) else {
                continue;
            };
            let list = asn1::inside(tagged.value()).unwrap_or_default();
            let Some(items) = asn1::values(list, MAX_REVOCATION_ITEMS) else {
                continue;
            };
            let number = |number| Tag::ContextSpecific {
                constructed: true,
                number,
            };
            let tag = der::Tagged::tag(&tagged);
            if tag == number(TagNumber::N0) {
                found.0.extend(items);
            } else if tag == number(TagNumber::N1) {
                found.1.extend(items);
            }
        }
        found
    }

    /// The one value of a signed attribute, none where the attribute is absent.
    fn attribute(&self, wanted: ObjectIdentifier) -> Result<Option<AnyRef<'_>>, Code> {
        let attributes = self
            .signer
            .signed_attrs
            .as_ref()
            .ok_or(Code::AttributeMissing)?;
        let mut found = attributes
            .iter()
            .filter(|attribute| attribute.oid == wanted);
        let Some(attribute) = found.next() else {
            return Ok(None);
        };
        let ([value], None) = (attribute.values.as_slice(), found.next()) else {
            return Err(Code::AttributeMissing);
        };
        Ok(Some(value.into()))
    }

    fn required(&self, wanted: ObjectIdentifier) -> Result<AnyRef<'_>, Code> {
        self.attribute(wanted)?.ok_or(Code::AttributeMissing)
    }

    fn decoded<T: DecodeOwned>(&self, wanted: ObjectIdentifier) -> Result<T, Code> {
        let value = self.required(wanted)?.to_der();
        value
            .and_then(|der| T::from_der(&der))
            .map_err(|_malformed| Code::CmsMalformed)
    }

    /// RFC 6211: the signed copy of the algorithm identifiers must equal the unsigned ones.
    fn check_algorithm_protection(&self) -> Result<(), Code> {
        let Some(value) = self.attribute(ALGORITHM_PROTECTION)? else {
            return Ok(());
        };
        let read = value.sequence(|inner| {
            let digest: AlgorithmIdentifierRef<'_> = inner.decode()?;
            let signature = asn1::implicit(inner, TagNumber::N1, Tag::Sequence)?;
            Ok((digest, signature))
        });
        let (digest, signature) = read.map_err(|_malformed| Code::CmsMalformed)?;
        let agree = digest == self.signer.digest_alg.owned_to_ref()
            && signature == Some(self.signer.signature_algorithm.owned_to_ref());
        if agree {
            Ok(())
        } else {
            Err(Code::AlgorithmsDisagree)
        }
    }

    /// ESS: the signed attributes must name the signer's certificate by its digest.
    fn check_naming(&self, naming: Naming) -> Result<(), Code> {
        let signer = self.signer()?;
        let names_it = match (self.attribute(SIGNING_CERTIFICATE_V2)?, naming) {
            (Some(value), _) => {
                let (hash, digest) = first_name_v2(value).ok_or(Code::CmsMalformed)?;
                hash?.digest(&[signer.der()]) == digest
            }
            (None, Naming::V2) => return Err(Code::AttributeMissing),
            (None, Naming::Either) => {
                let digest = first_name_v1(self.required(SIGNING_CERTIFICATE)?);
                algorithm::sha1_for_naming(signer.der()) == digest.ok_or(Code::CmsMalformed)?
            }
        };
        if names_it {
            Ok(())
        } else {
            Err(Code::SignerBinding)
        }
    }
}

/// Whether an identifier names this certificate.
fn names(identifier: &SignerIdentifier, certificate: &Certificate) -> bool {
    match identifier {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            names::is_same(&named.issuer, certificate.issuer())
                && named.serial_number.as_bytes() == certificate.serial()
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            certificate.has_key_identifier(named.0.as_bytes())
        }
    }
}

/// The first ESSCertID (v1 or v2) of a signing certificate attribute.
fn first_name(value: AnyRef<'_>) -> Option<AnyRef<'_>> {
    let names = asn1::first_value(value.value())?;
    let names = AnyRef::from_der(names).ok()?;
    AnyRef::from_der(asn1::first_value(names.value())?).ok()
}

fn first_name_v1(value: AnyRef<'_>) -> Option<&[u8]> {
    let digest = AnyRef::from_der(asn1::first_value(first_name(value)?.value())?).ok()?;
    (der::Tagged::tag(&digest) == Tag::OctetString).then(|| digest.value())
}

fn first_name_v2(value: AnyRef<'_>) -> Option<(Result<Hash, Code>, &[u8])> {
    let parts = asn1::values(first_name(value)?.value(), 3)?;
    let first = AnyRef::from_der(parts.first()?).ok()?;
    if der::Tagged::tag(&first) == Tag::OctetString {
        return Some((Ok(Hash::Sha256), first.value()));
    }
    let hash = Hash::of(first.decode_as().ok()?);
    let digest = AnyRef::from_der(parts.get(1)?).ok()?;
    (der::Tagged::tag(&digest) == Tag::OctetString).then(|| (hash, digest.value()))
}

/// SignedData with its certificates as the bytes they came in.
struct SignedData<'a> {
    version: CmsVersion,
    digests: SetOfVec<AlgorithmIdentifierOwned>,
    content: EncapsulatedContentInfo,
    certificates: Option<&'a [u8]>,
    has_lists: bool,
    signers: SetOfVec<SignerInfo>,
}

impl<'a> SignedData<'a> {
    fn parse(bytes: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(bytes)?;
        let data = reader.sequence(|info| {
            let kind: ObjectIdentifier = info.decode()?;
            if kind != oid::ID_SIGNED_DATA {
                return Err(Tag::ObjectIdentifier.value_error());
            }
            optional(info, TagNumber::N0)?.ok_or_else(|| Tag::Sequence.value_error())
        })?;
        let data = AnyRef::from_der(reader.finish(data)?)?;
        data.sequence(|inner| {
            let version = inner.decode()?;
            let digests = inner.decode()?;
            let content = inner.decode()?;
            let certificates = optional(inner, TagNumber::N0)?;
            let lists = optional(inner, TagNumber::N1)?;
            let signers = signers(inner.tlv_bytes()?)?;
            Ok(Self {
                version,
                digests,
                content,
                certificates,
                has_lists: lists.is_some(),
                signers,
            })
        })
    }
}

/// The entries of signers in a set.
///
/// The decoder passes over context-specific values that stand before an optional one of a higher number. Nobody signs what
/// it passes over there, so it must not be there: written again, the entries are as long as they were.
fn signers(der: &[u8]) -> der::Result<SetOfVec<SignerInfo>> {
    let signers = SetOfVec::<SignerInfo>::from_der(der)?;
    let length = usize::try_from(signers.encoded_len()?);
    if length == Ok(der.len()) {
        Ok(signers)
    } else {
        Err(Tag::Set.value_error())
    }
}

/// The bytes inside a constructed context-specific value, if one stands here.
fn optional<'a>(reader: &mut impl Reader<'a>, number: TagNumber) -> der::Result<Option<&'a [u8]>> {
    let value = asn1::tagged(reader, number, true)?;
    Ok(value.map(|value| value.value()))
}
