//! Pieces of DER that must be kept as the bytes they came in.

use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Reader, SliceReader};
use x509_cert::spki::AlgorithmIdentifierRef;

/// A certificate or revocation list, split into what is signed and the signature over it.
#[derive(Debug)]
pub(crate) struct SignedBlob<'a> {
    /// The signed bytes as they stand, header included.
    pub(crate) signed: &'a [u8],
    pub(crate) algorithm: AlgorithmIdentifierRef<'a>,
    pub(crate) signature: &'a [u8],
}

impl<'a> SignedBlob<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> der::Result<Self> {
        match Self::parse_with_tail(der)? {
            (blob, None) => Ok(blob),
            (_blob, Some(_)) => Err(der::Tag::Sequence.value_error()),
        }
    }

    /// Also what one value behind the signature holds: an OCSP answer has its certificates there.
    pub(crate) fn parse_with_tail(der: &'a [u8]) -> der::Result<(Self, Option<&'a [u8]>)> {
        let mut reader = SliceReader::new(der)?;
        let blob = reader.sequence(|inner| {
            let signed = inner.tlv_bytes()?;
            let algorithm = inner.decode()?;
            let signature: BitStringRef<'a> = inner.decode()?;
            let signature = signature
                .as_bytes()
                .ok_or_else(|| der::Tag::BitString.value_error())?;
            let tail = if inner.is_finished() {
                None
            } else {
                Some(inner.tlv_bytes()?)
            };
            let blob = Self {
                signed,
                algorithm,
                signature,
            };
            Ok((blob, tail))
        })?;
        reader.finish(blob)
    }
}

/// What the one value in `bytes` holds, its own header taken off.
pub(crate) fn inside(bytes: &[u8]) -> Option<&[u8]> {
    AnyRef::from_der(bytes).ok().map(|value| value.value())
}

/// The first value in `bytes`, header included, whatever follows it.
pub(crate) fn first_value(bytes: &[u8]) -> Option<&[u8]> {
    SliceReader::new(bytes).ok()?.tlv_bytes().ok()
}

/// The values that stand one after another in `bytes`, at most `most` of them.
pub(crate) fn values(mut bytes: &[u8], most: usize) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let value = first_value(bytes)?;
        if found.len() == most {
            return None;
        }
        found.push(value);
        bytes = bytes.get(value.len()..)?;
    }
    Some(found)
}
