//! Revocation lists.
//!
//! # Source
//! RFC 5280, 5 and 6.3.

use std::ops::Range;

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{ID_CE_INVALIDITY_DATE, ID_CE_ISSUING_DISTRIBUTION_POINT};
use der::asn1::{AnyRef, GeneralizedTime};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};
use loket_wire::{Sha256Digest, Timestamp};
use x509_cert::Version;
use x509_cert::crl::RevokedCert;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierRef;
use x509_cert::time::Time;

use crate::algorithm;
use crate::asn1::{self, SignedBlob};
use crate::certificate::Certificate;
use crate::effort::Effort;
use crate::moment;
use crate::ocsp;

#[cfg(test)]
mod fuzz;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// UTCTime and GeneralizedTime.
const TIMES: [u8; 2] = [0x17, 0x18];

/// A revocation list of one authority.
///
/// Its entries stay as the bytes they came in: a list of 100,000 of them is passed through in a millisecond, and would
/// take five times its size as values.
#[derive(Debug, Clone)]
pub(crate) struct RevocationList {
    der: Vec<u8>,
    digest: Sha256Digest,
    issuer: Name,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    scope: Scope,
    /// Where the entries stand in `der`.
    entries: Range<usize>,
}

/// When and why a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revoked {
    /// From when on it is worth nothing: the earlier of revocation and invalidity date.
    pub(crate) since: Timestamp,
    pub(crate) why: Why,
}

impl Revoked {
    /// The worse of what two lists say.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            since: self.since.min(other.since),
            why: self.why.max(other.why),
        }
    }
}

/// As far as it changes what older signatures are worth; the worst is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Office left, certificate replaced, or not said.
    Other,
    /// Suspended: it may come back, or turn out as any other.
    OnHold,
    /// The key was in other hands, nobody knows since when.
    KeyInOtherHands,
}

/// What a list covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All certificates of its issuer.
    All,
    /// Some of them: what it names is revoked, what it does not name may be.
    Part,
    /// Not to be told, or certificates of others too.
    Unclear,
}

impl RevocationList {
    pub(crate) fn parse(der: &[u8]) -> der::Result<Self> {
        let algorithm = SignedBlob::parse(der)?.algorithm;
        let mut reader = SliceReader::new(der)?;
        let told = reader.sequence(|outer| {
            let told = outer.sequence(|inner| Told::read(inner, algorithm))?;
            // Algorithm and signature, which are looked at when somebody asks whose list it is.
            outer.tlv_bytes()?;
            outer.tlv_bytes()?;
            Ok(told)
        })?;
        let told = reader.finish(told)?;
        let mut entries = told.entries;
        while !entries.is_empty() {
            Entry::take(&mut entries)?;
        }
        Ok(Self {
            der: der.to_vec(),
            digest: algorithm::sha256(&[der]),
            issuer: told.issuer,
            this_update: moment::of_certificate(&told.this_update),
            next_update: told.next_update.as_ref().map(moment::of_certificate),
            scope: scope(told.extensions.iter().flatten()),
            entries: told.entries_end.saturating_sub(told.entries.len())..told.entries_end,
        })
    }

    /// The bytes as they came.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether `issuer` may have issued this list, its signature not looked at.
    fn names(&self, issuer: &Certificate) -> bool {
        let may_sign = match issuer.key_usage() {
            Ok(Some(usage)) => usage.crl_sign(),
            Ok(None) => true,
            Err(_unreadable) => false,
        };
        issuer.is_named(&self.issuer) && may_sign
    }

    /// Whether `issuer` issued it.
    pub(crate) fn is_of(&self, issuer: &Certificate, effort: &Effort) -> bool {
        let check = || issuer.signed(&self.der);
        self.names(issuer) && effort.check(issuer, &self.digest, check).is_ok()
    }

    /// The moment by which the next list is due.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.next_update
    }

    /// Whether it is a later list of the same issuer and the same part.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        let is_later = self.this_update > other.this_update;
        // To the byte: a list that is dropped might have named the signer.
        is_later && self.issuer == other.issuer && self.scope == other.scope
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    pub(crate) fn entry(&self, serial: &[u8]) -> Option<Revoked> {
        let mut entries = self.der.get(self.entries.clone()).unwrap_or_default();
        while !entries.is_empty() {
            let entry = Entry::take(&mut entries).ok()?;
            if entry.serial == serial {
                return Some(revoked(entry.whole));
            }
        }
        None
    }

    pub(crate) fn this_update(&self) -> Timestamp {
        self.this_update
    }

    pub(crate) fn next_update(&self) -> Option<Timestamp> {
        self.next_update
    }
}

/// What a TBSCertList says.
struct Told<'a> {
    issuer: Name,
    this_update: Time,
    next_update: Option<Time>,
    entries: &'a [u8],
    /// Where the entries end, counted from the list's first byte.
    entries_end: usize,
    extensions: Option<Extensions>,
}

impl<'a> Told<'a> {
    fn read(reader: &mut impl Reader<'a>, outer: AlgorithmIdentifierRef<'_>) -> der::Result<Self> {
        let fault = || Tag::Sequence.value_error();
        let _version: Version = reader.decode()?;
        // RFC 5280, 5.1.1.2: the two must be the same; the outer one is signed by nobody.
        if reader.decode::<AlgorithmIdentifierRef<'_>>()? != outer {
            return Err(fault());
        }
        let issuer = reader.tlv_bytes()?;
        if !asn1::is_sortable(issuer) {
            return Err(fault());
        }
        let this_update = reader.decode()?;
        let next_update = match next_tag(reader)? {
            Some(Tag::UtcTime | Tag::GeneralizedTime) => Some(reader.decode()?),
            Some(_) | None => None,
        };
        let entries = match next_tag(reader)? {
            Some(Tag::Sequence) => reader.decode::<AnyRef<'_>>()?.value(),
            Some(_) | None => &[],
        };
        let entries_end = usize::try_from(reader.offset()).map_err(|_range| fault())?;
        Ok(Self {
            issuer: Name::from_der(issuer)?,
            this_update,
            next_update,
            entries,
            entries_end,
            extensions: asn1::explicit(reader, TagNumber::N0)?,
        })
    }
}

fn next_tag<'a>(reader: &impl Reader<'a>) -> der::Result<Option<Tag>> {
    if reader.is_finished() {
        return Ok(None);
    }
    reader.peek_tag().map(Some)
}

/// One entry: a serial number, when it was revoked and perhaps why.
struct Entry<'a> {
    whole: &'a [u8],
    serial: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Takes the first of `entries`. When and why it was revoked is read when somebody asks for its serial number.
    fn take(entries: &mut &'a [u8]) -> der::Result<Self> {
        let fault = || Tag::Sequence.value_error();
        let (whole, rest) = asn1::split(entries).ok_or_else(fault)?;
        let (serial, behind) = asn1::split(whole.content).ok_or_else(fault)?;
        let (date, behind) = asn1::split(behind).ok_or_else(fault)?;
        let is_entry = whole.tag == SEQUENCE && serial.tag == INTEGER;
        if !is_entry
            || !TIMES.contains(&date.tag)
            || !(behind.is_empty() || behind.first() == Some(&SEQUENCE))
        {
            return Err(fault());
        }
        let length = entries.len().saturating_sub(rest.len());
        let whole = entries.get(..length).ok_or_else(fault)?;
        *entries = rest;
        Ok(Self {
            whole,
            serial: serial.content,
        })
    }
}

/// Critical extensions say that a list is partial or speaks for others.
fn scope<'e>(extensions: impl Iterator<Item = &'e Extension>) -> Scope {
    let critical: Vec<&Extension> = extensions.filter(|extra| extra.critical).collect();
    match critical.as_slice() {
        [] => Scope::All,
        [only] if only.extn_id == ID_CE_ISSUING_DISTRIBUTION_POINT => {
            match is_indirect(only.extn_value.as_bytes()) {
                Some(false) => Scope::Part,
                Some(true) | None => Scope::Unclear,
            }
        }
        _others => Scope::Unclear,
    }
}

/// Whether an issuing distribution point says that the list names certificates of other issuers too.
///
/// # Source
/// RFC 5280, 5.2.5: six members at most; `indirectCRL [4] BOOLEAN DEFAULT FALSE`.
fn is_indirect(point: &[u8]) -> Option<bool> {
    let point = AnyRef::from_der(point).ok()?;
    let members = asn1::values(point.value(), 6)?;
    Some(members.iter().any(|member| member.first() == Some(&0x84)))
}

fn revoked(entry: &[u8]) -> Revoked {
    let Ok(entry) = RevokedCert::from_der(entry) else {
        // It names the certificate, and what it says may be the worst.
        return Revoked {
            since: Timestamp::from_unix_ms(0),
            why: Why::KeyInOtherHands,
        };
    };
    let mut why = Why::Other;
    let mut since = moment::of_certificate(&entry.revocation_date);
    for extra in entry.crl_entry_extensions.iter().flatten() {
        let value = extra.extn_value.as_bytes();
        if extra.extn_id == CrlReason::OID {
            // A reason that cannot be read may be the worst one.
            why = CrlReason::from_der(value).map_or(Why::KeyInOtherHands, ocsp::why);
        } else if extra.extn_id == ID_CE_INVALIDITY_DATE {
            match GeneralizedTime::from_der(value) {
                Ok(date) => since = since.min(moment::of_certificate(&Time::GeneralTime(date))),
                Err(_unreadable) => why = Why::KeyInOtherHands,
            }
        } else if extra.critical {
            // It may say that the entry is about a certificate of another issuer; it is taken for the worse.
            why = Why::KeyInOtherHands;
        }
    }
    Revoked { since, why }
}
