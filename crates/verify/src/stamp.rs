//! Time-stamp tokens: when a signature was there at the latest.
//!
//! # Source
//! RFC 3161, 2.4.2; RFC 5816.

use const_oid::ObjectIdentifier;
use der::asn1::{AnyRef, ObjectIdentifier as Oid};
use der::{Decode, Reader, Tag};
use loket_wire::Timestamp;
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::algorithm::Hash;
use crate::asn1;
use crate::chain::{self, Ground, Purpose};
use crate::cms::{Container, Naming};
use crate::code::{Code, Weight};
use crate::moment;

const TIME_STAMP_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// Judges a token over `signature`: its moment if it is good, and what was found.
pub(crate) fn judge(
    token: &[u8],
    signature: &[u8],
    ground: Ground<'_>,
) -> Result<(Timestamp, Vec<Code>), Code> {
    let token = Container::parse(token).map_err(|_malformed| Code::StampBroken)?;
    let info = token.content().ok_or(Code::StampBroken)?;
    token
        .verify(&[info], TIME_STAMP_INFO, Naming::Either)
        .map_err(|fault| match fault.weight() {
            Weight::Invalid => Code::StampBroken,
            Weight::Note | Weight::Indeterminate => Code::StampUntrusted,
        })?;
    let stamp = Stamp::parse(info).ok_or(Code::StampBroken)?;
    if Hash::of(stamp.algorithm)?.digest(&[signature]) != stamp.imprint {
        return Err(Code::StampBroken);
    }
    let mut codes = chain::judge(
        token.signer()?,
        &token.certificates,
        Purpose::TimeStamp,
        ground,
    );
    if token.has_extras || token.token() != (None, false) {
        codes.push(Code::Unvouched);
    }
    if codes.iter().any(|code| code.weight() > Weight::Note) {
        return Err(Code::StampUntrusted);
    }
    Ok((stamp.moment, codes))
}

/// What a TSTInfo says, as far as it matters here.
struct Stamp<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    imprint: &'a [u8],
    moment: Timestamp,
}

impl<'a> Stamp<'a> {
    fn parse(info: &'a [u8]) -> Option<Self> {
        let info = AnyRef::from_der(info).ok()?;
        // version, policy, messageImprint, serialNumber, genTime and up to five more.
        let parts = asn1::values(info.value(), 10)?;
        let [version, policy, imprint, _serial, moment, ..] = parts.as_slice() else {
            return None;
        };
        Oid::from_der(policy).ok()?;
        if u8::from_der(version).ok()? != 1 {
            return None;
        }
        let imprint = AnyRef::from_der(imprint).ok()?;
        let (algorithm, imprint) = imprint
            .sequence(|inner| {
                let algorithm = inner.decode()?;
                let imprint: der::asn1::OctetStringRef<'a> = inner.decode()?;
                Ok((algorithm, imprint.as_bytes()))
            })
            .ok()?;
        let moment = AnyRef::from_der(moment).ok()?;
        if der::Tagged::tag(&moment) != Tag::GeneralizedTime {
            return None;
        }
        Some(Self {
            algorithm,
            imprint,
            moment: moment::of_generalized(moment.value())?,
        })
    }
}
