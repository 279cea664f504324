//! Revocation lists.
//!
//! # Source
//! RFC 5280, 5 and 6.3.

use der::Decode;
use loket_wire::Timestamp;
use x509_cert::crl::CertificateList;

use crate::certificate::Certificate;
use crate::moment;

/// A complete revocation list of one authority.
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
    Revoked,
    /// Only lists of another time are known, and they do not name it.
    Stale,
    /// No list of its issuer is known.
    Unknown,
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

    /// Whether `issuer` issued this list, and it is a complete one that this reader understands.
    fn is_of(&self, issuer: &Certificate) -> bool {
        let list = &self.parsed.tbs_cert_list;
        let mut critical = list
            .crl_extensions
            .iter()
            .flatten()
            .filter(|extra| extra.critical);
        let may_sign = match issuer.key_usage() {
            Ok(Some(usage)) => usage.crl_sign(),
            Ok(None) => true,
            Err(_unreadable) => false,
        };
        // Critical extensions say that the list is partial or speaks for others.
        list.issuer == *issuer.subject()
            && critical.next().is_none()
            && may_sign
            && issuer.signed(&self.der).is_ok()
    }

    fn names(&self, serial: &[u8]) -> bool {
        let entries = self
            .parsed
            .tbs_cert_list
            .revoked_certificates
            .iter()
            .flatten();
        entries
            .into_iter()
            .any(|entry| entry.serial_number.as_bytes() == serial)
    }

    fn holds_at(&self, at: Timestamp) -> bool {
        let list = &self.parsed.tbs_cert_list;
        let from = moment::of_certificate(&list.this_update);
        let until = list.next_update.as_ref().map(moment::of_certificate);
        from <= at && until.is_some_and(|until| at <= until)
    }
}

/// What `lists` say about `certificate`, which `issuer` issued.
pub(crate) fn standing(
    certificate: &Certificate,
    issuer: &Certificate,
    lists: &[RevocationList],
    at: Timestamp,
) -> Standing {
    let mut standing = Standing::Unknown;
    for list in lists.iter().filter(|list| list.is_of(issuer)) {
        if list.names(certificate.serial()) {
            return Standing::Revoked;
        }
        if list.holds_at(at) {
            standing = Standing::Good;
        } else if standing == Standing::Unknown {
            standing = Standing::Stale;
        }
    }
    standing
}
