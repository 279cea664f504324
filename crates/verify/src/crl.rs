//! Revocation lists.
//!
//! # Source
//! RFC 5280, 5 and 6.3.

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{ID_CE_INVALIDITY_DATE, ID_CE_ISSUING_DISTRIBUTION_POINT};
use der::Decode;
use der::asn1::{AnyRef, GeneralizedTime};
use loket_wire::Timestamp;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::time::Time;

use crate::asn1;
use crate::certificate::Certificate;
use crate::moment;

/// A revocation list of one authority.
#[derive(Debug, Clone)]
pub(crate) struct RevocationList {
    der: Vec<u8>,
    parsed: CertificateList,
}

/// What the lists say about one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A list of the right time does not name it.
    Good,
    /// A list names it, whatever that list's age: what was revoked stays revoked.
    Revoked(Revoked),
    /// Only lists of another time are known, and they do not name it.
    Stale,
    /// Only lists that cover a part are known, and they do not name it.
    Partial,
    /// No list of its issuer is known.
    Unknown,
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
    fn with(self, other: Self) -> Self {
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
enum Scope {
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
            parsed,
        })
    }

    /// Whether `issuer` issued this list.
    fn is_of(&self, issuer: &Certificate) -> bool {
        let may_sign = match issuer.key_usage() {
            Ok(Some(usage)) => usage.crl_sign(),
            Ok(None) => true,
            Err(_unreadable) => false,
        };
        self.parsed.tbs_cert_list.issuer == *issuer.subject()
            && may_sign
            && issuer.signed(&self.der).is_ok()
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
    fn scope(&self) -> Scope {
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

    fn entry(&self, serial: &[u8]) -> Option<Revoked> {
        let list = &self.parsed.tbs_cert_list;
        let mut entries = list.revoked_certificates.iter().flatten();
        let entry = entries.find(|entry| entry.serial_number.as_bytes() == serial)?;
        Some(revoked(entry))
    }

    /// Whether it tells how `certificate` stood at `at`.
    ///
    /// A list that was issued after `at` tells it as well, and better: a certificate that is not revoked by then was
    /// not revoked before (EN 319 102-1, 5.2.5: the freshness of revocation data has a lower bound in time, not an
    /// upper one). Only where the certificate had ended by then the list may have dropped it (RFC 5280, 5).
    fn holds_at(&self, at: Timestamp, certificate: &Certificate) -> bool {
        let list = &self.parsed.tbs_cert_list;
        let from = moment::of_certificate(&list.this_update);
        let until = list.next_update.as_ref().map(moment::of_certificate);
        until.is_some_and(|until| at <= until) && from <= certificate.ends()
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
            why = match CrlReason::from_der(value) {
                Ok(
                    CrlReason::KeyCompromise | CrlReason::CaCompromise | CrlReason::AaCompromise,
                )
                // A reason that cannot be read may be the worst one.
                | Err(_) => Why::KeyInOtherHands,
                Ok(CrlReason::CertificateHold | CrlReason::RemoveFromCRL) => Why::OnHold,
                Ok(
                    CrlReason::Unspecified
                    | CrlReason::AffiliationChanged
                    | CrlReason::Superseded
                    | CrlReason::CessationOfOperation
                    | CrlReason::PrivilegeWithdrawn,
                ) => Why::Other,
            };
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

/// What `lists` say about `certificate`, which `issuer` issued.
pub(crate) fn standing(
    certificate: &Certificate,
    issuer: &Certificate,
    lists: &[RevocationList],
    at: Timestamp,
) -> Standing {
    let mut standing = Standing::Unknown;
    let mut worst: Option<Revoked> = None;
    for list in lists.iter().filter(|list| list.is_of(issuer)) {
        let scope = list.scope();
        if scope != Scope::Unclear
            && let Some(revoked) = list.entry(certificate.serial())
        {
            worst = Some(worst.map_or(revoked, |other| other.with(revoked)));
        }
        standing = match (scope, standing) {
            (Scope::All, _) if list.holds_at(at, certificate) => Standing::Good,
            (_, Standing::Good) => Standing::Good,
            (Scope::All, _) | (_, Standing::Stale) => Standing::Stale,
            (Scope::Part | Scope::Unclear, _) => Standing::Partial,
        };
    }
    worst.map_or(standing, Standing::Revoked)
}
