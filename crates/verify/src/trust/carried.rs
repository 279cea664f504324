//! A store as bytes, for another process of the same program: what is judged by there is what is judged by here.
//!
//! ```text
//! as_of (8 bytes, 0 for none) ─ kind (1 byte) ─ length (4 bytes) ─ DER ─ kind ─ length ─ DER …
//! ```
//!
//! No file and no message has this shape: both ends are one release.

use loket_wire::Timestamp;

use super::{MAX_TRUST_CERTIFICATES, MAX_TRUST_FILE_BYTES, MAX_TRUST_LISTS, Trust, TrustError};
use crate::certificate::Certificate;
use crate::crl::RevocationList;
use crate::ocsp::Response;

/// What one piece of a carried store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Certificate,
    List,
    Response,
}

impl Kind {
    const fn tag(self) -> u8 {
        match self {
            Self::Certificate => b'c',
            Self::List => b'l',
            Self::Response => b'r',
        }
    }

    fn of(tag: u8) -> Option<Self> {
        let all = [Self::Certificate, Self::List, Self::Response];
        all.into_iter().find(|kind| kind.tag() == tag)
    }
}

/// Pieces of one store.
const MAX_PIECES: usize = MAX_TRUST_CERTIFICATES + 2 * MAX_TRUST_LISTS;

impl Trust {
    /// The store as bytes, which [`Trust::carried`] reads.
    #[must_use]
    pub fn carry(&self) -> Vec<u8> {
        let as_of = self.as_of.map_or(0, Timestamp::unix_ms);
        let mut bytes = as_of.to_be_bytes().to_vec();
        let certificates = self.anchors.iter().chain(&self.intermediates);
        let certificates = certificates.map(|it| (Kind::Certificate, it.der()));
        let lists = self.lists.iter().map(|it| (Kind::List, it.der()));
        let responses = self.responses.iter().map(|it| (Kind::Response, it.der()));
        for (kind, der) in certificates.chain(lists).chain(responses) {
            bytes.push(kind.tag());
            let length = u32::try_from(der.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(der);
        }
        bytes
    }

    /// Reads what [`Trust::carry`] wrote.
    ///
    /// # Errors
    /// [`TrustError::Carried`] where it is cut or bent, [`TrustError::TooMany`] over the bounds of a store.
    pub fn carried(bytes: &[u8]) -> Result<Self, TrustError> {
        let (as_of, mut rest) = bytes.split_first_chunk().ok_or(TrustError::Carried)?;
        let as_of = i64::from_be_bytes(*as_of);
        let mut trust = Self {
            as_of: (as_of != 0).then(|| Timestamp::from_unix_ms(as_of)),
            ..Self::default()
        };
        let mut position = 0;
        while let Some((tag, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk().ok_or(TrustError::Carried)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX_TRUST_FILE_BYTES || position > MAX_PIECES {
                return Err(TrustError::TooMany { position });
            }
            let (der, after) = after.split_at_checked(length).ok_or(TrustError::Carried)?;
            trust.take(*tag, der).ok_or(TrustError::Carried)?;
            rest = after;
            position = position.saturating_add(1);
        }
        Ok(trust)
    }

    fn take(&mut self, tag: u8, der: &[u8]) -> Option<()> {
        match Kind::of(tag)? {
            Kind::Certificate => self.add_certificate(Certificate::parse(der).ok()?),
            Kind::List => self.lists.push(RevocationList::parse(der).ok()?),
            Kind::Response => self.responses.push(Response::parse_basic(der).ok()?),
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &[u8] = include_bytes!("../../../../tests/fixtures/trust/root.pem");

    const ISSUING: &[u8] = include_bytes!("../../../../tests/fixtures/trust/issuing.pem");
    const LIST: &[u8] = include_bytes!("../../../../tests/fixtures/trust/issuing.crl");
    const RESPONSE: &[u8] = include_bytes!("../../../../tests/fixtures/ltv/ocsp/good-issuer.der");

    fn trust() -> Trust {
        Trust::from_files([ROOT]).unwrap()
    }

    fn full() -> Trust {
        Trust::from_files([ROOT, ISSUING, LIST, RESPONSE]).unwrap()
    }

    #[test]
    fn a_carried_store_is_the_same_store() {
        let dated = full().dated(Timestamp::from_unix_ms(7));
        for trust in [Trust::default(), trust(), full(), dated] {
            let bytes = trust.carry();
            let carried = Trust::carried(&bytes).unwrap();
            assert_eq!(carried.carry(), bytes);
            assert_eq!(carried.anchors(), trust.anchors());
            assert_eq!(carried.intermediates(), trust.intermediates());
            let said = |trust: &Trust| (trust.lists().len(), trust.responses().len());
            assert_eq!(said(&carried), said(&trust));
            assert_eq!(carried.as_of(), trust.as_of());
        }
    }

    #[test]
    fn what_is_cut_or_bent_is_refused_and_never_half_a_store() {
        let bytes = trust().carry();
        for end in (0..bytes.len()).filter(|end| *end != 8) {
            let cut = Trust::carried(&bytes[..end]);
            assert_eq!(cut.err(), Some(TrustError::Carried), "{end}");
        }
        let mut other = bytes;
        other[8] = b'x';
        assert_eq!(Trust::carried(&other).err(), Some(TrustError::Carried));
        other[8] = b'c';
        other[9] = 0xff;
        let huge = Trust::carried(&other).err();
        assert_eq!(huge, Some(TrustError::TooMany { position: 0 }));
    }
}
