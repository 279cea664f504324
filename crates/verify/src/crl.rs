//! Revocation lists.
//!
//! # Source
//! RFC 5280, 5 and 6.3.

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{ID_CE_INVALIDITY_DATE, ID_CE_ISSUING_DISTRIBUTION_POINT};
use der::Decode;
use der::asn1::{AnyRef, GeneralizedTime};
use loket_wire::{Sha256Digest, Timestamp};
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::time::Time;

use crate::algorithm;
use crate::asn1;
use crate::certificate::Certificate;
use crate::effort::Effort;
use crate::moment;
use crate::ocsp;

/// A revocation list of one authority.
#[derive(Debug, Clone)]
pub(crate) struct RevocationList {
    der: Vec<u8>,
    digest: Sha256Digest,
    parsed: CertificateList,
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
        let parsed = CertificateList::from_der(der)?;
        if parsed.signature_algorithm != parsed.tbs_cert_list.signature {
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

    /// Whether `issuer` may have issued this list, its signature not looked at.
    fn names(&self, issuer: &Certificate) -> bool {
        let may_sign = match issuer.key_usage() {
            Ok(Some(usage)) => usage.crl_sign(),
            Ok(None) => true,
            Err(_unreadable) => false,
        };
        self.parsed.tbs_cert_list.issuer == *issuer.subject() && may_sign
    }

    /// Whether `issuer` issued it.
    pub(crate) fn is_of(&self, issuer: &Certificate, effort: &Effort) -> bool {
        let check = || issuer.signed(&self.der);
        self.names(issuer) && effort.check(issuer, &self.digest, check).is_ok()
    }

    /// The moment by which the next list is due.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        let next = self.parsed.tbs_cert_list.next_update.as_ref();
        next.map(moment::of_certificate)
    }

    /// Whether it is a later list of the same issuer and the same part.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        let (mine, others) = (&self.parsed.tbs_cert_list, &other.parsed.tbs_cert_list);
        let later =
            moment::of_certificate(&mine.this_update) > moment::of_certificate(&others.this_update);
        later && mine.issuer == others.issuer && self.scope() == other.scope()
    }

    /// Critical extensions say that a list is partial or speaks for others.
    pub(crate) fn scope(&self) -> Scope {
        let extensions = self.parsed.tbs_cert_list.crl_extensions.iter().flatten();
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

    pub(crate) fn entry(&self, serial: &[u8]) -> Option<Revoked> {
        let list = &self.parsed.tbs_cert_list;
        let mut entries = list.revoked_certificates.iter().flatten();
        let entry = entries.find(|entry| entry.serial_number.as_bytes() == serial)?;
        Some(revoked(entry))
    }

    pub(crate) fn this_update(&self) -> Timestamp {
        moment::of_certificate(&self.parsed.tbs_cert_list.this_update)
    }

    pub(crate) fn next_update(&self) -> Option<Timestamp> {
        let next = self.parsed.tbs_cert_list.next_update.as_ref();
        next.map(moment::of_certificate)
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

fn revoked(entry: &RevokedCert) -> Revoked {
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
