//! Chains of certificates from a signer to an anchor.
//!
//! A chain is judged at the moment at which a time stamp proves that the signature was there; without one, at the moment
//! of judging (docs/adr/0032).
//!
//! # Source
//! RFC 5280, 6.1, with any policy accepted: a certificate that makes constraints on policies critical is not accepted.
//! ETSI EN 319 102-1, 5.2.6 and 5.6.2.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5280 as oid, rfc5912};
use loket_wire::Timestamp;

use crate::certificate::Certificate;
use crate::code::{Code, Weight};
use crate::constraints;
use crate::crl::{Revoked, Why};
use crate::dss::Evidence;
use crate::effort::Effort;
use crate::poe::{Place, Proofs};
use crate::policy::{Policy, Revocation};
use crate::report::{ChainReport, RevocationReport};
use crate::revocation::{self, Question, Standing};
use crate::trust::Trust;

/// Certificates of one chain, signer and anchor included; the national hierarchy has three.
const MAX_CHAIN: usize = 6;

/// Steps in search of chains for one signer, and for what the signature brings along.
const MAX_STEPS: u32 = 128;

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

/// Faults of a signature on a certificate that say more than that it leads nowhere.
const WEAK: [Code; 4] = [
    Code::AlgorithmRefused,
    Code::AlgorithmUnsupported,
    Code::KeyTooShort,
    Code::KeyTooLong,
];

/// Extensions whose meaning is looked at, or changes nothing here when critical.
const KNOWN_EXTENSIONS: [ObjectIdentifier; 6] = [
    oid::ID_CE_BASIC_CONSTRAINTS,
    oid::ID_CE_KEY_USAGE,
    oid::ID_CE_EXT_KEY_USAGE,
    oid::ID_CE_CERTIFICATE_POLICIES,
    oid::ID_CE_SUBJECT_ALT_NAME,
    oid::ID_CE_NAME_CONSTRAINTS,
];

/// What the certificate at the end of a chain is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A document's signature.
    Document,
    /// A time stamp.
    TimeStamp,
}

/// What everything in one document is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) trust: &'a Trust,
    pub(crate) policy: &'a Policy,
    pub(crate) at: Timestamp,
    /// What the document brings along about certificates.
    pub(crate) evidence: &'a Evidence,
    /// What the time stamps prove that were judged before.
    pub(crate) proofs: &'a Proofs,
    pub(crate) effort: &'a Effort,
}

/// A signer whose chain is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) signer: &'a Certificate,
    /// The certificates that came in the container.
    pub(crate) embedded: &'a [Certificate],
    pub(crate) purpose: Purpose,
    /// When what was signed was there at the latest, where a time stamp proves it.
    pub(crate) proved: Option<Timestamp>,
    /// Where the container stands.
    pub(crate) place: Place,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    pub(crate) codes: Vec<Code>,
    pub(crate) chain: Vec<ChainReport>,
    pub(crate) revocation: Vec<RevocationReport>,
    /// Whether the document itself brings revocation data for each certificate below the anchor.
    pub(crate) is_self_contained: bool,
}

impl Judged {
    fn of(code: Code) -> Self {
        Self {
            codes: vec![code],
            ..Self::default()
        }
    }

    fn weight(&self) -> Option<Weight> {
        self.codes.iter().map(|code| code.weight()).max()
    }
}

/// What speaks against a signer.
///
/// The best of the chains that can be built counts. Embedded certificates must be vouched for
/// too: they are not covered by the signature, so anything might stand there.
pub(crate) fn judge(case: Case<'_>, ground: Ground<'_>) -> Judged {
    if ground.trust.is_empty() {
        return Judged::of(Code::NoAnchors);
    }
    let mut search = Search {
        case,
        ground,
        steps_left: MAX_STEPS,
        best: None,
        weak: Vec::new(),
    };
    search.extend(&mut vec![case.signer]);
    let mut judged = search.best.take().unwrap_or_else(|| {
        let mut none = Judged::of(Code::NoChain);
        none.codes.append(&mut search.weak);
        none
    });
    if !search.vouches_for_embedded() {
        judged.codes.push(Code::Unvouched);
    }
    judged
}

struct Search<'a> {
    case: Case<'a>,
    ground: Ground<'a>,
    steps_left: u32,
    best: Option<Judged>,
    /// Why links were not taken that would have been there by their names.
    weak: Vec<Code>,
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
                self.keep(
                    Path {
                        certificates: path,
                        case: self.case,
                        ground,
                    }
                    .judge(),
                );
                path.pop();
            }
        }
        let kept = ground.evidence.certificates.iter().map(|kept| &kept.what);
        let helpers = ground.trust.intermediates().iter();
        for helper in helpers.chain(self.case.embedded).chain(kept) {
            if !path.contains(&helper) && self.issued(helper, last) {
                path.push(helper);
                self.extend(path);
                path.pop();
            }
        }
    }

    /// Whether each embedded certificate is the signer's, is in the trust store, or was issued by one that is vouched
    /// for. Steps that chains have used up are not made again: what is left unchecked is not vouched for.
    fn vouches_for_embedded(&mut self) -> bool {
        let trust = self.ground.trust;
        let anchors = trust.anchors().iter();
        let mut known: Vec<&Certificate> = anchors
            .chain(trust.intermediates())
            .chain([self.case.signer])
            .collect();
        let mut open: Vec<&Certificate> = self
            .case
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
        if !issuer.is_named(child.issuer()) || self.steps_left == 0 {
            return false;
        }
        self.steps_left = self.steps_left.saturating_sub(1);
        let found = self.ground.effort.issued(issuer, child);
        self.weak
            .extend(found.err().filter(|code| WEAK.contains(code)));
        found.is_ok()
    }

    fn keep(&mut self, judged: Judged) {
        if self
            .best
            .as_ref()
            .is_none_or(|best| judged.weight() < best.weight())
        {
            self.best = Some(judged);
        }
    }
}

/// A complete path, signer first and anchor last.
struct Path<'p, 'a> {
    certificates: &'p [&'a Certificate],
    case: Case<'a>,
    ground: Ground<'a>,
}

impl Path<'_, '_> {
    fn judge(&self) -> Judged {
        let mut judged = Judged {
            is_self_contained: true,
            chain: self.certificates.iter().map(|it| link(it)).collect(),
            ..Judged::default()
        };
        let codes = &mut judged.codes;
        codes.extend(signer_fault(self.case, self.ground.policy));
        let mut below = 0;
        for authority in self.certificates.iter().skip(1) {
            codes.extend(authority_fault(authority, below, self.case.purpose));
            // RFC 5280, 4.2.1.9: a new certificate of the same authority lengthens no path.
            below = below.saturating_add(usize::from(!authority.is_self_issued()));
        }
        for (position, certificate) in self.certificates.iter().enumerate() {
            let is_spent = position == 0 && self.is_spent_unrevoked();
            let fault = self.validity_fault(certificate);
            codes.extend(fault.map(|code| if is_spent { Code::EndedUnrevoked } else { code }));
            if certificate
                .critical_extensions()
                .any(|found| !KNOWN_EXTENSIONS.contains(&found))
            {
                codes.push(Code::CriticalExtension);
            }
        }
        codes.extend(constraints::faults(self.certificates));
        codes.extend(self.anchor_fault());
        for (position, pair) in self.certificates.windows(2).enumerate() {
            if let [certificate, issuer] = pair {
                self.revocation(certificate, issuer, position == 0, &mut judged);
            }
        }
        judged
    }

    /// The moment for which the chain must hold.
    fn moment(&self) -> Timestamp {
        self.case.proved.unwrap_or(self.ground.at)
    }

    /// What is wrong with the time of one certificate.
    ///
    /// The signer's own certificate is bound to the signature by its digest (ESS), so that what proves the one proves the
    /// other. Of another one that has ended since, somebody must prove that it is not new: its authority's key may be in
    /// other hands today.
    fn validity_fault(&self, certificate: &Certificate) -> Option<Code> {
        if !certificate.holds_at(self.moment()) {
            return Some(Code::OutOfValidity);
        }
        let is_bound = certificate == self.case.signer;
        let trust = self.ground.trust;
        let is_ours =
            trust.anchors().contains(certificate) || trust.intermediates().contains(certificate);
        if certificate.holds_at(self.ground.at) || is_bound || is_ours {
            return None;
        }
        let kept = self.ground.evidence.certificates.iter();
        let places = kept
            .filter(|kept| kept.what == *certificate)
            .map(|kept| kept.place);
        let came_along = self.case.embedded.contains(certificate);
        let places = places.chain(came_along.then_some(self.case.place));
        let since = places
            .filter_map(|place| self.ground.proofs.since(place))
            .min();
        let is_proved = since.is_some_and(|since| since <= certificate.ends());
        (!is_proved).then_some(Code::CertificateUnproved)
    }

    /// Whether the signer's certificate has ended, and data that held at its end does not call it revoked.
    ///
    /// A certificate that is not valid yet is left to [`Code::OutOfValidity`]: there a clock is wrong.
    ///
    /// # Source
    /// ETSI EN 319 102-1, 5.1.3, table 6: OUT_OF_BOUNDS_NOT_REVOKED is about the signing certificate.
    fn is_spent_unrevoked(&self) -> bool {
        let [certificate, issuer, ..] = self.certificates else {
            return false;
        };
        let moment = certificate.ends();
        let question = Question {
            certificate,
            issuer,
            moment,
        };
        self.case.purpose == Purpose::Document
            && self.moment() > moment
            && revocation::standing(question, self.ground).standing == Standing::Good
    }

    fn anchor_fault(&self) -> Option<Code> {
        let anchor = self.certificates.last()?;
        let mut ends = self.ground.policy.anchors.iter();
        let end = ends.find(|end| end.sha256 == *anchor.digest())?;
        (self.moment() > end.until).then_some(Code::AnchorEnded)
    }

    fn revocation(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        is_signer: bool,
        judged: &mut Judged,
    ) {
        let question = Question {
            certificate,
            issuer,
            moment: self.moment(),
        };
        let known = revocation::standing(question, self.ground);
        let is_required = self.ground.policy.revocation == Revocation::Required;
        let either = |required, noted| Some(if is_required { required } else { noted });
        let code = match known.standing {
            Standing::Good => None,
            Standing::Revoked(revoked) => Some(revoked_code(revoked, self.case.proved, is_signer)),
            Standing::Denied => Some(Code::UnknownToIssuer),
            Standing::Unproved => either(Code::RevocationUnprovedMissing, Code::RevocationUnproved),
            Standing::Stale => either(Code::RevocationStale, Code::RevocationOld),
            Standing::Partial => either(Code::RevocationPartialMissing, Code::RevocationPartial),
            Standing::Unknown => either(Code::RevocationMissing, Code::RevocationUnknown),
        };
        judged.codes.extend(code);
        judged.revocation.extend(known.used);
        judged.is_self_contained &= known.is_in_document;
    }
}

fn link(certificate: &Certificate) -> ChainReport {
    ChainReport {
        subject: certificate.subject_text(),
        issuer: certificate.issuer_text(),
        not_before: certificate.begins(),
        not_after: certificate.ends(),
    }
}

fn signer_fault(case: Case<'_>, policy: &Policy) -> Option<Code> {
    let signer = case.signer;
    let may_sign = match signer.key_usage() {
        Ok(Some(usage)) => usage.digital_signature() || usage.non_repudiation(),
        // RFC 5280 lets a signer go without; a document's signer says what its key is for.
        Ok(None) => false,
        Err(_unreadable) => false,
    };
    let is_meant = match (signer.extended_key_usage(), case.purpose) {
        (Ok(None), Purpose::Document) => policy.usages.is_empty(),
        (Ok(Some(usage)), Purpose::Document) => usage.0.iter().any(|usage| signs(*usage, policy)),
        // RFC 3161, 2.3: this usage and no other, and it must not be passed over.
        (Ok(Some(usage)), Purpose::TimeStamp) => {
            usage.0 == [rfc5912::ID_KP_TIME_STAMPING] && signer.has_critical_usage()
        }
        (Ok(None), Purpose::TimeStamp) | (Err(_), _) => false,
    };
    let is_authority = match signer.basic_constraints() {
        Ok(constraints) => constraints.is_some_and(|constraints| constraints.ca),
        Err(_unreadable) => true,
    };
    (!may_sign || !is_meant || is_authority).then_some(Code::SignerUsage)
}

/// Whether documents may be signed under `usage`.
fn signs(usage: ObjectIdentifier, policy: &Policy) -> bool {
    if policy.usages.is_empty() {
        DOCUMENT_SIGNING.contains(&usage)
    } else {
        policy.usages.iter().any(|wanted| wanted.0 == usage)
    }
}

/// Whether `authority` may stand above `below` other authorities of a chain.
fn authority_fault(authority: &Certificate, below: usize, purpose: Purpose) -> Option<Code> {
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
    // What an authority says of usages limits those below it: RFC 5280 leaves it open, all readers of certificates do it.
    let may_for_this = match authority.extended_key_usage() {
        Ok(None) => true,
        Ok(Some(usage)) => usage.0.iter().any(|usage| {
            *usage == oid::ANY_EXTENDED_KEY_USAGE
                || match purpose {
                    Purpose::Document => DOCUMENT_SIGNING.contains(usage),
                    Purpose::TimeStamp => *usage == rfc5912::ID_KP_TIME_STAMPING,
                }
        }),
        Err(_unreadable) => false,
    };
    (!may_issue || !may_sign || !may_for_this).then_some(Code::AuthorityUsage)
}

/// What a revoked certificate means for what was signed with it (docs/adr/0011).
///
/// # Source
/// ETSI EN 319 102-1, 5.5 and 5.6.2: a proof that the signature is older than the revocation.
fn revoked_code(revoked: Revoked, proved: Option<Timestamp>, is_signer: bool) -> Code {
    match (revoked.why, proved) {
        (Why::KeyInOtherHands, _) => Code::RevokedKey,
        (Why::Other, Some(moment)) if moment < revoked.since => Code::RevokedLater,
        (Why::Other | Why::OnHold, _) if is_signer => Code::Revoked,
        (Why::Other | Why::OnHold, _) => Code::RevokedAuthority,
    }
}

#[cfg(test)]
mod tests;
