//! The canary: a client that is revoked from its first moment, a new one with each revocation list. Only a broker that
//! holds this very list refuses it; one with an older list, on which a later revocation is missing, lets it in.
//!
//! The list itself says who the canary is: its last entry that the bookkeeping knows as one. So no file beside it can
//! contradict it after a power cut: before the list's rename the earlier canary counts, after it the new one. All
//! canaries share a key, which is worth nothing: each of their certificates is on every list that follows its own.

use std::collections::BTreeSet;

use loket_wire::{Sha256Digest, Timestamp};
use rcgen::{KeyPair, PublicKeyData};
use x509_cert::crl::CertificateList;

use crate::authority::{Authority, CANARY, making, put_key};
use crate::bookkeeping::{Cause, Issued, Revocation};
use crate::certificate::Kind;
use crate::durable;
use crate::error::ProvisionError;

/// Canaries on a list. A canary lives as long as its list and stays listed once more as long (RFC 5280 §3.3), so that
/// five lists a day for half a year fit; beyond, the oldest leave early, and 40 KB of a list are theirs at most. One
/// that left early could connect with a key that the authority alone holds, and has no topic.
pub(crate) const MAX_CANARIES: usize = 1_000;

impl Authority {
    /// Makes the canary of the next list and puts it into the bookkeeping.
    pub(crate) fn make_canary(&self, now: Timestamp) -> Result<Issued, ProvisionError> {
        let key = self.canary_key()?;
        let digest = Sha256Digest::of(key.der_bytes());
        let mut canary = self.sign(Kind::Canary, CANARY, &key, Vec::new(), (digest, now))?;
        canary.revoked = Some(Revocation {
            at: now,
            cause: Cause::Canary,
        });
        self.book().put(&canary)?;
        Ok(canary)
    }

    /// The key of all canaries. A revocation must not fail for want of one, so that what is missing or broken is drawn
    /// anew.
    fn canary_key(&self) -> Result<KeyPair, ProvisionError> {
        let path = self.path("canary.key");
        let kept = durable::read_if_there(&path)?
            .and_then(|pem| String::from_utf8(pem).ok())
            .and_then(|pem| KeyPair::from_pem(&pem).ok());
        if let Some(key) = kept {
            return Ok(key);
        }
        let key = KeyPair::generate().map_err(making("make the canary's key"))?;
        put_key(&path, &key)?;
        Ok(key)
    }

    /// The certificate of the canary that came with the list, PEM.
    pub(crate) fn canary_of(&self, list: &CertificateList) -> Result<String, ProvisionError> {
        let canaries = self.book().of(CANARY)?;
        let listed = list.tbs_cert_list.revoked_certificates.iter().flatten();
        listed
            .rev()
            .map(|entry| data_encoding::HEXLOWER.encode(entry.serial_number.as_bytes()))
            .find_map(|serial| canaries.iter().find(|canary| canary.serial == serial))
            .map(|canary| canary.certificate_pem.clone())
            .ok_or(ProvisionError::Crl {
                what: "no canary of the bookkeeping is on it; run broker-config, which makes both anew",
            })
    }
}

/// Takes the oldest canaries out where there are more than [`MAX_CANARIES`], and counts the one that comes with them.
pub(crate) fn thin_out(revoked: &mut Vec<Issued>) {
    let mut canaries: Vec<_> = revoked
        .iter()
        .filter(|issued| issued.kind == Kind::Canary)
        .map(|issued| (issued.issued_at, issued.serial.clone()))
        .collect();
    canaries.sort_unstable();
    let over = (canaries.len() + 1).saturating_sub(MAX_CANARIES);
    let leave: BTreeSet<String> = canaries.into_iter().take(over).map(|(_, s)| s).collect();
    revoked.retain(|issued| !leave.contains(&issued.serial));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(kind: Kind, number: usize) -> Issued {
        Issued {
            version: 1,
            serial: format!("{number:032x}"),
            kind,
            name: CANARY.to_owned(),
            request_sha256: Sha256Digest::of(b""),
            issued_at: Timestamp::from_unix_ms(i64::try_from(number).unwrap()),
            not_after: Timestamp::from_unix_ms(i64::MAX),
            certificate_pem: String::new(),
            revoked: None,
        }
    }

    #[test]
    fn the_oldest_canaries_leave_a_full_list_and_nothing_else_does() {
        let mut revoked: Vec<_> = (0..MAX_CANARIES + 5)
            .rev()
            .map(|number| issued(Kind::Canary, number))
            .collect();
        revoked.push(issued(Kind::Machine, MAX_CANARIES * 2));
        thin_out(&mut revoked);
        let canaries = revoked.iter().filter(|one| one.kind == Kind::Canary);
        // One place is the new one's.
        assert_eq!(canaries.clone().count(), MAX_CANARIES - 1);
        let oldest = canaries.map(|one| one.issued_at.unix_ms()).min();
        assert_eq!(oldest, Some(6));
        assert!(revoked.iter().any(|one| one.kind == Kind::Machine));
    }
}
