//! Judges one signature of a document.

use const_oid::db::rfc5911 as oid;
use loket_wire::Timestamp;

use crate::byterange::SignedBytes;
use crate::chain::{self, Case, Ground, Judged, Purpose};
use crate::cms::{Container, Naming};
use crate::code::{Code, Weight};
use crate::digests::{Content, Digests};
use crate::moment;
use crate::pdf::{Dictionary, Object};
use crate::poe::Place;
use crate::policy::{Policy, TimeStamps};
use crate::report::{
    Changes, Coverage, Level, ProofSource, RevisionChange, SignatureReport, TimeStampReport,
    findings, settle,
};
use crate::stamp;

/// A signature as it stands in the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'s, 'a> {
    pub(crate) bytes: &'s SignedBytes<'a>,
    pub(crate) container: &'s Container,
    /// The container as its bytes.
    pub(crate) token: &'s [u8],
    /// Of the document.
    pub(crate) digests: &'s Digests<'a>,
}

impl<'s> Signed<'s, '_> {
    /// What the signature is over.
    pub(crate) fn content(&self) -> Content<'s> {
        Content::Covered(self.bytes, self.digests)
    }
}

/// What a signature in the form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person's.
    Signature,
    /// A time stamp over the document so far.
    TimeStamp,
}

impl Kind {
    pub(crate) fn of(signature: &Dictionary) -> Result<Self, Code> {
        match (signature.name("Type"), signature.name("SubFilter")) {
            (None | Some(b"Sig"), Some(b"ETSI.CAdES.detached" | b"adbe.pkcs7.detached")) => {
                Ok(Self::Signature)
            }
            // ISO 32000-2, 12.8.5.
            (Some(b"DocTimeStamp"), Some(b"ETSI.RFC3161")) => Ok(Self::TimeStamp),
            _other => Err(Code::SignatureKind),
        }
    }
}

/// What the document says about a signature, and what became of the document since.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) signature: &'a Dictionary,
    /// What was added after it, as the difference analysis finds it.
    pub(crate) changes: Changes,
    pub(crate) coverage: Coverage,
    pub(crate) revisions: Vec<RevisionChange>,
}

/// What is known about a signature so far; every step adds to it.
struct Draft {
    codes: Vec<Code>,
    signer: Option<String>,
    issuer: Option<String>,
    signed_at: Option<Timestamp>,
    stamp: Option<TimeStampReport>,
    /// What proves how old it is.
    proven: Option<(Timestamp, ProofSource)>,
    is_stamped: bool,
    judged: Judged,
    /// Whether the document brings what the time stamp inside the signature is judged by; so where there is none.
    is_stamp_self_contained: bool,
    has_archive: bool,
}

/// Judges a signature; `codes` are what the rest of the document says against it.
pub(crate) fn judge(
    read: Result<Signed<'_, '_>, Code>,
    around: Surroundings<'_>,
    codes: Vec<Code>,
    ground: Ground<'_>,
) -> SignatureReport {
    let mut draft = Draft {
        codes,
        signer: None,
        issuer: None,
        signed_at: None,
        stamp: None,
        proven: None,
        is_stamped: false,
        judged: Judged::default(),
        is_stamp_self_contained: true,
        has_archive: false,
    };
    let filled = read.and_then(|signed| draft.fill(signed, around.signature, ground));
    draft.codes.extend(filled.err());
    draft.report(around)
}

impl Draft {
    fn fill(
        &mut self,
        signed: Signed<'_, '_>,
        signature: &Dictionary,
        ground: Ground<'_>,
    ) -> Result<(), Code> {
        let container = signed.container;
        if !container.is_detached() {
            return Err(Code::CmsMalformed);
        }
        if let Ok(signer) = container.signer() {
            self.signer = Some(signer.subject_text());
            self.issuer = Some(signer.issuer_text());
        }
        self.signed_at = container.claimed_time().or_else(|| claimed_time(signature));
        container.verify(signed.content(), oid::ID_DATA, Naming::V2)?;
        if container.names_a_policy() {
            self.codes.push(Code::PolicyNamed);
        }
        let signer = container.signer()?;
        let place = Place::in_container(signed.bytes.end);
        // First: a stamp proves that the signature is older than what became of its certificate later.
        self.stamp(container, place, ground);
        self.judged = chain::judge(
            Case {
                signer,
                embedded: &container.certificates,
                purpose: Purpose::Document,
                proved: self.proven.map(|(moment, _source)| moment),
                place,
            },
            ground,
        );
        self.codes.extend(self.judged.codes.iter().copied());
        self.codes
            .extend(authorisation_fault(signer, ground.policy));
        if ground.policy.time_stamp == TimeStamps::Required && self.proven.is_none() {
            self.codes.push(Code::StampMissing);
        }
        Ok(())
    }

    /// Judges the time stamp, if there is one, and what else nobody signed.
    fn stamp(&mut self, container: &Container, place: Place, ground: Ground<'_>) {
        let archived = ground.proofs.since(place);
        self.has_archive = archived.is_some();
        self.proven = archived.map(|moment| (moment, ProofSource::DocumentTimeStamp));
        let (token, has_extras) = container.token();
        if has_extras || container.has_extras {
            self.codes.push(Code::Unvouched);
        }
        let Some(token) = token else {
            self.codes.push(Code::TimeClaimed);
            return;
        };
        let stamped = stamp::judge(&token, Content::Bytes(container.signature()), place, ground);
        self.codes.extend(stamped.codes);
        self.is_stamp_self_contained = stamped.is_self_contained;
        self.stamp = Some(stamped.report);
        let (Some(proves), Some(moment)) = (stamped.proves, stamped.moment) else {
            self.codes.push(Code::TimeClaimed);
            return;
        };
        // What a later stamp covers cannot itself be younger.
        if archived.is_some_and(|archived| archived < moment) {
            self.codes.extend([Code::StampOrder, Code::TimeClaimed]);
            return;
        }
        (self.signed_at, self.is_stamped) = (Some(moment), true);
        // The stamp's own accuracy may reach behind the moment of the one over it.
        let proves = archived.map_or(proves, |archived| proves.min(archived));
        self.proven = Some((proves, ProofSource::SignatureTimeStamp));
    }

    /// The baseline level that the signature reaches, as far as it could be checked.
    ///
    /// # Source
    /// ETSI EN 319 142-1, 6.
    fn level(&self) -> Level {
        let has_data = !self.judged.chain.is_empty()
            && self.judged.is_self_contained
            && self.is_stamp_self_contained;
        match self.proven {
            None => Level::B,
            Some(_) if !has_data => Level::T,
            Some(_) if self.has_archive => Level::Lta,
            Some(_) => Level::Lt,
        }
    }

    fn report(self, around: Surroundings<'_>) -> SignatureReport {
        let (findings, level) = (findings(&self.codes), self.level());
        let (indication, sub_indication) = settle(&findings);
        SignatureReport {
            signer: self.signer,
            issuer: self.issuer,
            signed_at: self.signed_at,
            is_stamped: self.is_stamped,
            coverage: around.coverage,
            changes: around.changes,
            revisions: around.revisions,
            indication,
            sub_indication,
            level,
            proven_at: self.proven.map(|(moment, _source)| moment),
            proven_by: self.proven.map(|(_moment, source)| source),
            chain: self.judged.chain,
            revocation: self.judged.revocation,
            time_stamp: self.stamp,
            findings,
        }
    }
}

/// Whether the signer may sign for this office (docs/adr/0033).
fn authorisation_fault(signer: &crate::certificate::Certificate, policy: &Policy) -> Option<Code> {
    if policy.signers.is_empty() {
        return Some(if policy.signers_required {
            Code::SignersMissing
        } else {
            Code::SignersUnset
        });
    }
    let is_official = policy.signers.iter().any(|pattern| pattern.fits(signer));
    (!is_official).then_some(Code::SignerStranger)
}

/// Whether nothing heavier than a note speaks against a signature.
pub(crate) fn is_good(report: &SignatureReport) -> bool {
    let mut findings = report.findings.iter();
    findings.all(|finding| finding.code.weight() == Weight::Note)
}

/// The time that the signature dictionary claims.
fn claimed_time(signature: &Dictionary) -> Option<Timestamp> {
    let Some(Object::Text(text)) = signature.get("M") else {
        return None;
    };
    moment::of_pdf(text.bytes())
}
