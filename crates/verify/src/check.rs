//! The door: a document in, a report out.

use loket_wire::{Sha256Digest, Timestamp};

use crate::algorithm;
use crate::byterange::SignedBytes;
use crate::chain::Ground;
use crate::cms::Container;
use crate::code::Code;
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
    read: Result<Signed<'a>, Code>,
}

impl Entry<'_, '_> {
    fn end(&self) -> Option<usize> {
        self.read.as_ref().ok().map(|signed| signed.bytes.end)
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
        let latest = file.latest();
        let catalog = latest.catalog(&mut budget)?;
        let found = fields::signatures(latest, &catalog, &mut budget)?;
        let entries: Vec<Entry<'_, '_>> = found.iter().map(|found| entry(found, &file)).collect();
        let (stamps, signatures): (Vec<_>, Vec<_>) = entries
            .iter()
            .partition(|entry| entry.kind == Ok(Kind::TimeStamp));
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
        self.judge_stamps(stamps, &mut proofs, ground);
        let ground = Ground {
            proofs: &proofs,
            ..ground
        };
        self.judge_signatures(&signatures, &file, ground, &mut budget)?;
        if effort.is_exhausted() {
            self.codes.push(Code::TooComplex);
        }
        Ok(())
    }

    /// Judges the document time stamps, the newest first, so that each may rest on those that came after it.
    fn judge_stamps(
        &mut self,
        mut stamps: Vec<&Entry<'_, '_>>,
        proofs: &mut Proofs,
        ground: Ground<'_>,
    ) {
        stamps.sort_by_key(|entry| std::cmp::Reverse(entry.end()));
        for entry in stamps {
            let signed = match &entry.read {
                Ok(signed) => signed,
                Err(code) => {
                    self.codes.push(*code);
                    continue;
                }
            };
            let end = signed.bytes.end;
            let place = Place::in_container(end);
            let ground = Ground {
                proofs: &*proofs,
                ..ground
            };
            let token = &signed.token;
            let mut stamped = stamp::judge(token, &signed.bytes.parts, place, ground);
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
        ground: Ground<'_>,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let mut offered: Option<&Signed<'_>> = None;
        for entry in signatures {
            let (around, codes) = surroundings(entry, file, ground.policy, budget)?;
            let read = entry.kind.and(entry.read.as_ref().map_err(|code| *code));
            let report = signature::judge(read, around, codes, ground);
            // The last of the good ones: what it covers holds what the others cover.
            if let Ok(signed) = read
                && signature::is_good(&report)
                && offered.is_none_or(|other| other.bytes.end < signed.bytes.end)
            {
                offered = Some(signed);
            }
            self.signatures.push(report);
        }
        self.revision = match offered {
            Some(signed) => Some(revision(file, signed, budget)?),
            None => None,
        };
        Ok(())
    }
}

fn entry<'f, 'a>(dictionary: &'f Dictionary, file: &File<'a>) -> Entry<'f, 'a> {
    let kind = Kind::of(dictionary);
    Entry {
        dictionary,
        kind,
        read: kind.and_then(|kind| read(dictionary, kind, file)),
    }
}

fn read<'a>(dictionary: &Dictionary, kind: Kind, file: &File<'a>) -> Result<Signed<'a>, Code> {
    let bytes = SignedBytes::of(dictionary, file)?;
    let token = bytes.container()?;
    let container = match (Container::parse(&token), kind) {
        (Ok(container), _) => container,
        (Err(code), Kind::Signature) => return Err(code),
        (Err(_malformed), Kind::TimeStamp) => return Err(Code::StampBroken),
    };
    Ok(Signed {
        bytes,
        container,
        token,
    })
}

/// What the document brings along, the oldest first: each time stamp proves what stood in the store by then.
fn evidence(
    file: &File<'_>,
    entries: &[Entry<'_, '_>],
    budget: &mut Budget,
) -> Result<Evidence, Code> {
    let stamps = entries
        .iter()
        .filter(|entry| entry.kind == Ok(Kind::TimeStamp));
    let stages = stamps.filter_map(|entry| entry.read.as_ref().ok());
    let mut stages: Vec<usize> = stages.map(|signed| signed.bytes.revision).collect();
    stages.push(file.latest().index());
    stages.sort_unstable();
    stages.dedup();
    let mut evidence = Evidence::read(file, &stages, budget)?;
    for signed in entries.iter().filter_map(|entry| entry.read.as_ref().ok()) {
        let place = Place::in_container(signed.bytes.end);
        let (lists, responses) = signed.container.revocation_data();
        evidence.add_lists(&lists, &responses, place);
    }
    Ok(evidence)
}

/// What became of the document after a signature.
fn surroundings<'f>(
    entry: &Entry<'f, '_>,
    file: &File<'_>,
    _policy: &Policy,
    _budget: &mut Budget,
) -> Result<(Surroundings<'f>, Vec<Code>), Code> {
    let mut codes = Vec::new();
    let (coverage, changes) = match &entry.read {
        Err(_) => (Coverage::Unclear, Changes::Unknown),
        Ok(signed) if signed.bytes.end == file.data().len() => (Coverage::Document, Changes::None),
        Ok(_) => {
            codes.push(Code::BytesAfter);
            (Coverage::Revision, Changes::Unexamined)
        }
    };
    let around = Surroundings {
        signature: entry.dictionary,
        changes,
        coverage,
    };
    Ok((around, codes))
}

/// What may be printed: the revision that `signed` covers, whatever follows it.
fn revision(
    file: &File<'_>,
    signed: &Signed<'_>,
    budget: &mut Budget,
) -> Result<SignedRevision, Code> {
    let covered = &signed.bytes;
    let bytes = file.data().get(..covered.end).ok_or(Code::ByteRange)?;
    let view = file.view(covered.revision);
    let catalog = view.catalog(budget)?;
    Ok(SignedRevision {
        size_bytes: u64::try_from(covered.end).map_err(|_range| Code::TooLarge)?,
        sha256: Sha256Digest::of(bytes),
        content_sha256: algorithm::sha256(&covered.parts),
        page_count: pages::count(view, &catalog, budget)?,
    })
}
