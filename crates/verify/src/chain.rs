//! Chains of certificates from a signer to an anchor.
//!
//! # Source
//! RFC 5280, 6.1, without policies and name constraints: a certificate that makes these critical
//! is not accepted.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5280 as oid, rfc5912};
use loket_wire::Timestamp;

use crate::certificate::Certificate;
use crate::code::{Code, Weight};
use crate::crl::{self, Revoked, Standing, Why};
use crate::trust::{Policy, Revocation, Trust};

/// Certificates of one chain, signer and anchor included; the national hierarchy has three.
const MAX_CHAIN: usize = 6;

/// Signatures that are checked for one signer: in search of a chain, and for what the signature brings along.
const MAX_CHECKS: u32 = 64;

/// Extended key usages under which documents are signed: the general one (RFC 9336), Adobe's,
/// Microsoft's, e-mail protection and client authentication, which authorities give to persons.
const DOCUMENT_SIGNING: [ObjectIdentifier; 6] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36"),
    ObjectIdentifier::new_unwrap("1.2.840.113583.1.1.5"),
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.10.3.12"),
    oid::ID_KP_EMAIL_PROTECTION,
    oid::ID_KP_CLIENT_AUTH,
    oid::ANY_EXTENDED_KEY_USAGE,
];

/// Extensions whose meaning is looked at, or changes nothing here when critical.
const KNOWN_EXTENSIONS: [ObjectIdentifier; 5] = [
    oid::ID_CE_BASIC_CONSTRAINTS,
    oid::ID_CE_KEY_USAGE,
    oid::ID_CE_EXT_KEY_USAGE,
    oid::ID_CE_CERTIFICATE_POLICIES,
    oid::ID_CE_SUBJECT_ALT_NAME,
];

/// What the certificate at the end of a chain is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A document's signature, which was there at `proved` at the latest, where a time stamp says so.
    Document { proved: Option<Timestamp> },
    /// A time stamp; nothing proves its own age.
    TimeStamp,
}

/// What a chain is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) trust: &'a Trust,
    pub(crate) policy: &'a Policy,
    pub(crate) at: Timestamp,
}

/// What speaks against `signer`, with `embedded` certificates to build chains from.
///
/// The best of the chains that can be built counts. Embedded certificates must be vouched for
/// too: they are not covered by the signature, so anything might stand there.
pub(crate) fn judge(
    signer: &Certificate,
    embedded: &[Certificate],
    purpose: Purpose,
    ground: Ground<'_>,
) -> Vec<Code> {
    if ground.trust.is_empty() {
        return vec![Code::NoAnchors];
    }
    let mut search = Search {
        embedded,
        purpose,
        ground,
        checks_left: MAX_CHECKS,
        best: None,
    };
    search.extend(&mut vec![signer]);
    let mut codes = search.best.take().unwrap_or_else(|| vec![Code::NoChain]);
    if !search.vouches_for_embedded(signer) {
        codes.push(Code::Unvouched);
    }
    codes
}

struct Search<'a> {
    embedded: &'a [Certificate],
    purpose: Purpose,
    ground: Ground<'a>,
    checks_left: u32,
    best: Option<Vec<Code>>,
}

impl<'a> Search<'a> {
    /// Tries every issuer of the path's last certificate, anchors first.
    fn extend(&mut self, path: &mut Vec<&'a Certificate>) {
        let Some(last) = path.last().copied() else {
            return;
        };
        if path.len() == MAX_CHAIN {
            return;
        }
        let ground = self.ground;
        for anchor in ground.trust.anchors() {
            if self.issued(anchor, last) {
                path.push(anchor);
                self.keep(faults(path, self.purpose, ground));
                path.pop();
            }
        }
        let helpers = ground.trust.intermediates().iter().chain(self.embedded);
        for helper in helpers {
            if !path.contains(&helper) && self.issued(helper, last) {
                path.push(helper);
                self.extend(path);
                path.pop();
            }
        }
    }

    /// Whether each embedded certificate is the signer's, is in the trust store, or was issued by one that is vouched
    /// for. Checks that chains have used up are not made again: what is left unchecked is not vouched for.
    fn vouches_for_embedded(&mut self, signer: &'a Certificate) -> bool {
        let trust = self.ground.trust;
        let anchors = trust.anchors().iter();
        let mut known: Vec<&Certificate> = anchors
            .chain(trust.intermediates())
            .chain([signer])
            .collect();
        let mut open: Vec<&Certificate> = self
            .embedded
            .iter()
            .filter(|certificate| !known.contains(certificate))
            .collect();
        loop {
            let before = open.len();
            open.retain(|certificate| {
                let is_issued = known.iter().any(|issuer| self.issued(issuer, certificate));
                if is_issued {
                    known.push(certificate);
                }
                !is_issued
            });
            if open.is_empty() || open.len() == before {
                return open.is_empty();
            }
        }
    }

    fn issued(&mut self, issuer: &Certificate, child: &Certificate) -> bool {
        if issuer.subject() != child.issuer() || self.checks_left == 0 {
            return false;
        }
        self.checks_left = self.checks_left.saturating_sub(1);
        issuer.issued(child).is_ok()
    }

    fn keep(&mut self, faults: Vec<Code>) {
        if self
            .best
            .as_ref()
            .is_none_or(|best| heaviest(&faults) < heaviest(best))
        {
            self.best = Some(faults);
        }
    }
}

fn heaviest(codes: &[Code]) -> Option<Weight> {
    codes.iter().map(|code| code.weight()).max()
}

/// What speaks against a complete path, signer first and anchor last.
fn faults(path: &[&Certificate], purpose: Purpose, ground: Ground<'_>) -> Vec<Code> {
    let mut codes = Vec::new();
    if let Some(signer) = path.first() {
        codes.extend(signer_fault(signer, purpose));
    }
    for (below, authority) in path.iter().skip(1).enumerate() {
        codes.extend(authority_fault(authority, below));
    }
    for certificate in path {
        if !certificate.holds_at(ground.at) {
            codes.push(Code::OutOfValidity);
        }
        if certificate
            .critical_extensions()
            .any(|found| !KNOWN_EXTENSIONS.contains(&found))
        {
            codes.push(Code::CriticalExtension);
        }
    }
    for pair in path.windows(2) {
        if let [certificate, issuer] = pair {
            codes.extend(revocation_fault(certificate, issuer, purpose, ground));
        }
    }
    codes
}

fn signer_fault(signer: &Certificate, purpose: Purpose) -> Option<Code> {
    let may_sign = match signer.key_usage() {
        Ok(Some(usage)) => usage.digital_signature() || usage.non_repudiation(),
        // RFC 5280 lets a signer go without; a document's signer says what its key is for.
        Ok(None) => false,
        Err(_unreadable) => false,
    };
    let is_meant = match (signer.extended_key_usage(), purpose) {
        (Ok(None), Purpose::Document { .. }) => true,
        (Ok(Some(usage)), Purpose::Document { .. }) => {
            usage.0.iter().any(|usage| DOCUMENT_SIGNING.contains(usage))
        }
        // RFC 3161, 2.3: this usage and no other.
        (Ok(Some(usage)), Purpose::TimeStamp) => usage.0 == [rfc5912::ID_KP_TIME_STAMPING],
        (Ok(None), Purpose::TimeStamp) | (Err(_), _) => false,
    };
    let is_authority = match signer.basic_constraints() {
        Ok(constraints) => constraints.is_some_and(|constraints| constraints.ca),
        Err(_unreadable) => true,
    };
    (!may_sign || !is_meant || is_authority).then_some(Code::SignerUsage)
}

/// Whether `authority` may stand above `below` other authorities of a chain.
fn authority_fault(authority: &Certificate, below: usize) -> Option<Code> {
    let may_issue = match authority.basic_constraints() {
        Ok(Some(constraints)) => {
            constraints.ca
                && constraints
                    .path_len_constraint
                    .is_none_or(|most| below <= usize::from(most))
        }
        Ok(None) | Err(_) => false,
    };
    let may_sign = match authority.key_usage() {
        Ok(Some(usage)) => usage.key_cert_sign(),
        Ok(None) => true,
        Err(_unreadable) => false,
    };
    (!may_issue || !may_sign).then_some(Code::AuthorityUsage)
}

fn revocation_fault(
    certificate: &Certificate,
    issuer: &Certificate,
    purpose: Purpose,
    ground: Ground<'_>,
) -> Option<Code> {
    let standing = crl::standing(certificate, issuer, ground.trust.lists(), ground.at);
    match (standing, ground.policy.revocation) {
        (Standing::Good, _) => None,
        (Standing::Revoked(revoked), _) => Some(revoked_code(revoked, purpose)),
        (Standing::Stale, Revocation::Required) => Some(Code::RevocationStale),
        (Standing::Stale, Revocation::IfKnown) => Some(Code::RevocationOld),
        (Standing::Partial, Revocation::Required) => Some(Code::RevocationPartialMissing),
        (Standing::Partial, Revocation::IfKnown) => Some(Code::RevocationPartial),
        (Standing::Unknown, Revocation::Required) => Some(Code::RevocationMissing),
        (Standing::Unknown, Revocation::IfKnown) => Some(Code::RevocationUnknown),
    }
}

/// What a revoked certificate means for what was signed with it (docs/adr/0011).
///
/// # Source
/// ETSI EN 319 102-1, 5.5 and 5.6.2: a proof that the signature is older than the revocation.
fn revoked_code(revoked: Revoked, purpose: Purpose) -> Code {
    match (revoked.why, purpose) {
        (Why::KeyInOtherHands, _) => Code::RevokedKey,
        (
            Why::Other,
            Purpose::Document {
                proved: Some(moment),
            },
        ) if moment < revoked.since => Code::RevokedLater,
        (Why::Other | Why::OnHold, Purpose::Document { .. } | Purpose::TimeStamp) => Code::Revoked,
    }
}
