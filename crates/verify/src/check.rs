//! The door: a document in, a report out.

use loket_wire::Timestamp;

use crate::byterange::SignedBytes;
use crate::chain::Ground;
use crate::changes;
use crate::cms::Container;
use crate::code::Code;
use crate::digests::Digests;
use crate::dss::Evidence;
use crate::effort::Effort;
use crate::fields;
use crate::pages;
use crate::pdf::{Budget, Dictionary, File};
use crate::poe::{Place, Proofs};
use crate::policy::Policy;
use crate::report::{Changes, Coverage, Report, SignatureReport, SignedRevision, TimeStampReport};
use crate::signature::{self, Kind, Signed, Surroundings};
use crate::stamp;
use crate::trust::Trust;

/// Largest document that is judged; honest family cards have 29 to 49 kB.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// Judges `document` as of `at`.
///
/// The report depends on nothing but the arguments. It tells whether the document is unchanged since it was signed,
/// whether `trust` vouches for the signer, and, where `policy` names the office's signers, whether this was one of them.
/// It does not tell whether there is a newer document.
///
/// # Source
/// ISO 32000-2, 12.8; ETSI EN 319 142-1 (PAdES); ETSI EN 319 102-1 (the three verdicts, and how the past is judged).
#[must_use]
pub fn check(document: &[u8], trust: &Trust, policy: &Policy, at: Timestamp) -> Report {
    let mut draft = Draft::default();
    let result = if document.len() > MAX_DOCUMENT_BYTES {
        Err(Code::TooLarge)
    } else {
        draft.examine(document, trust, policy, at)
    };
    draft.codes.extend(result.err());
    let mut report = Report::conclude(draft.signatures, &draft.codes, draft.revision);
    report.time_stamps = draft.time_stamps;
    report.trust_as_of = trust.as_of();
    report
}

/// What is known about a document so far.
#[derive(Debug, Default)]
struct Draft {
    signatures: Vec<SignatureReport>,
    time_stamps: Vec<TimeStampReport>,
    codes: Vec<Code>,
    revision: Option<SignedRevision>,
}

/// One entry of the form, read as far as it can be.
struct Entry<'f, 'a> {
    dictionary: &'f Dictionary,
    kind: Result<Kind, Code>,
    bytes: Result<SignedBytes<'a>, Code>,
    body: Result<Body, Code>,
}

struct Body {
    container: Container,
    token: Vec<u8>,
}

impl<'f, 'a> Entry<'f, 'a> {
    fn read(dictionary: &'f Dictionary, file: &File<'a>) -> Self {
        let kind = Kind::of(dictionary);
        let bytes = kind.and_then(|_kind| SignedBytes::of(dictionary, file));
        let body = bytes.as_ref().map_err(|code| *code).and_then(|bytes| {
            let token = bytes.container()?;
            let container = Container::parse(&token).map_err(|code| match kind {
                Ok(Kind::TimeStamp) => Code::StampBroken,
                Ok(Kind::Signature) | Err(_) => code,
            })?;
            Ok(Body { container, token })
        });
        Self {
            dictionary,
            kind,
            bytes,
            body,
        }
    }

    fn is_stamp(&self) -> bool {
        self.kind == Ok(Kind::TimeStamp)
    }

    fn end(&self) -> Option<usize> {
        self.bytes.as_ref().ok().map(|bytes| bytes.end)
    }

    fn signed<'s>(&'s self, digests: &'s Digests<'a>) -> Result<Signed<'s, 'a>, Code> {
        let bytes = self.bytes.as_ref().map_err(|code| *code)?;
        let body = self.body.as_ref().map_err(|code| *code)?;
        Ok(Signed {
            bytes,
            container: &body.container,
            token: &body.token,
            digests,
        })
    }
}

impl Draft {
    fn examine(
        &mut self,
        document: &[u8],
        trust: &Trust,
        policy: &Policy,
        at: Timestamp,
    ) -> Result<(), Code> {
        let mut budget = Budget::new();
        let file = File::open(document, &mut budget)?;
        let found = dictionaries(&file, &mut budget)?;
        let entries: Vec<Entry<'_, '_>> = found
            .iter()
            .map(|found| Entry::read(found, &file))
            .collect();
        let gaps = entries.iter().filter_map(|entry| entry.bytes.as_ref().ok());
        let digests = Digests::new(document, gaps.map(|bytes| bytes.gap.start).collect());
        let (stamps, signatures): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| entry.is_stamp());
        if signatures.is_empty() {
            return Err(Code::Unsigned);
        }
        let evidence = evidence(&file, &entries, &mut budget)?;
        if evidence.has_unreadable {
            self.codes.push(Code::ArchiveUnreadable);
        }
        let (mut proofs, effort) = (Proofs::default(), Effort::new());
        let ground = Ground {
            trust,
            policy,
            at,
            evidence: &evidence,
            proofs: &Proofs::default(),
            effort: &effort,
        };
        self.judge_stamps(stamps, &digests, &mut proofs, ground);
        let ground = Ground {
            proofs: &proofs,
            ..ground
        };
        self.judge_signatures(&signatures, &file, &digests, ground, &mut budget)?;
        if effort.is_exhausted() {
            self.codes.push(Code::TooComplex);
        }
        Ok(())
    }

    /// Judges the document time stamps, the newest first, so that each may rest on those that came after it.
    fn judge_stamps(
        &mut self,
        mut stamps: Vec<&Entry<'_, '_>>,
        digests: &Digests<'_>,
        proofs: &mut Proofs,
        ground: Ground<'_>,
    ) {
        stamps.sort_by_key(|entry| std::cmp::Reverse(entry.end()));
        for entry in stamps {
            let signed = match entry.signed(digests) {
                Ok(signed) => signed,
                Err(code) => {
                    self.codes.push(code);
                    continue;
                }
            };
            let end = signed.bytes.end;
            let place = Place::in_container(end);
            let ground = Ground {
                proofs: &*proofs,
                ..ground
            };
            let mut stamped = stamp::judge(signed.token, signed.content(), place, ground);
            let later = proofs.since(place);
            if let (Some(moment), Some(later)) = (stamped.moment, later)
                && later < moment
            {
                stamped.proves = None;
                stamped.codes.push(Code::StampOrder);
            }
            if let Some(proves) = stamped.proves {
                proofs.add(end, proves);
            }
            self.codes.extend(stamped.codes);
            self.time_stamps.push(stamped.report);
        }
        // As they were made.
        self.time_stamps.reverse();
    }

    fn judge_signatures(
        &mut self,
        signatures: &[&Entry<'_, '_>],
        file: &File<'_>,
        digests: &Digests<'_>,
        ground: Ground<'_>,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let mut offered: Option<&SignedBytes<'_>> = None;
        for entry in signatures {
            let (around, codes) = surroundings(entry, file, ground.policy, budget);
            let report = signature::judge(entry.signed(digests), around, codes, ground);
            // The last of the good ones: what it covers holds what the others cover.
            if let Ok(bytes) = &entry.bytes
                && signature::is_good(&report)
                && offered.is_none_or(|other| other.end < bytes.end)
            {
                offered = Some(bytes);
            }
            self.signatures.push(report);
        }
        self.revision = match offered {
            Some(covered) => Some(revision(file, covered, digests, budget)?),
            None => None,
        };
        Ok(())
    }
}

/// What the document brings along, the oldest first: each time stamp proves what stood in the store by then.
fn evidence(
    file: &File<'_>,
    entries: &[Entry<'_, '_>],
    budget: &mut Budget,
) -> Result<Evidence, Code> {
    let stamps = entries.iter().filter(|entry| entry.is_stamp());
    let stages = stamps.filter_map(|entry| entry.bytes.as_ref().ok());
    let mut stages: Vec<usize> = stages.map(|bytes| bytes.revision).collect();
    stages.push(file.latest().index());
    stages.sort_unstable();
    stages.dedup();
    let mut evidence = Evidence::read(file, &stages, budget)?;
    for entry in entries {
        let (Ok(bytes), Ok(body)) = (&entry.bytes, &entry.body) else {
            continue;
        };
        let place = Place::in_container(bytes.end);
        let (lists, responses) = body.container.revocation_data();
        evidence.add_lists(&lists, &responses, place);
    }
    Ok(evidence)
}

/// What became of the document after a signature, and how its own revision may show two faces.
fn surroundings<'f>(
    entry: &Entry<'f, '_>,
    file: &File<'_>,
    policy: &Policy,
    budget: &mut Budget,
) -> (Surroundings<'f>, Vec<Code>) {
    let mut around = Surroundings {
        signature: entry.dictionary,
        changes: Changes::Unknown,
        coverage: Coverage::Unclear,
        revisions: Vec::new(),
    };
    let Ok(bytes) = &entry.bytes else {
        return (around, Vec::new());
    };
    around.coverage = if bytes.end == file.data().len() {
        Coverage::Document
    } else {
        Coverage::Revision
    };
    let later = changes::after_signing(file, bytes.revision, policy.changes, budget);
    (around.changes, around.revisions) = (later.changes, later.revisions);
    (around, later.codes)
}

/// The signatures of the newest revision, none of an older one lost.
fn dictionaries(file: &File<'_>, budget: &mut Budget) -> Result<Vec<Dictionary>, Code> {
    let mut found: Vec<Dictionary> = Vec::new();
    for index in 0..file.revisions().len() {
        let view = file.view(index);
        let catalog = view.catalog(budget)?;
        let newer = fields::signatures(view, &catalog, budget)?;
        if !found.iter().all(|older| newer.contains(older)) {
            return Err(Code::SignatureRemoved);
        }
        found = newer;
    }
    Ok(found)
}

/// What may be printed: the revision that `signed` covers, whatever follows it.
fn revision(
    file: &File<'_>,
    covered: &SignedBytes<'_>,
    digests: &Digests<'_>,
    budget: &mut Budget,
) -> Result<SignedRevision, Code> {
    let view = file.view(covered.revision);
    let catalog = view.catalog(budget)?;
    Ok(SignedRevision {
        size_bytes: u64::try_from(covered.end).map_err(|_range| Code::TooLarge)?,
        sha256: digests.revision(covered)?,
        content_sha256: digests.content(covered)?,
        page_count: pages::count(view, &catalog, budget)?,
    })
}
