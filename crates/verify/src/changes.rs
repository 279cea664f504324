//! What was done to a document after it was signed: revision by revision, each object explained.
//!
//! Every revision behind the signed one is compared with the one before it, never the last with
//! the first: a consolidated comparison hides what came between. Each object that a revision adds,
//! overrides or frees must be explained by a rule, and of each object that it overrides or adds
//! every reference to it, from wherever the trailer leads, must have been accepted by a rule.
//! What is left over is a change after signing.
//!
//! | rule | what it explains | source |
//! |---|---|---|
//! | `container` | new cross-reference and object streams that nothing refers to; lengths of explained streams | ISO 32000-2, 7.5.7, 7.5.8 |
//! | `catalog` | `/DSS`, `/Extensions` (ESIC, ADBE, ISO_; never lower), `/Version` that does not go down, `/AcroForm`, `/Metadata` | ISO 32000-2, 7.7.2, 7.12, 12.8.4.3 |
//! | `archive` | `/DSS`: `/Certs` `/OCSPs` `/CRLs` `/VRI`, streams of one DER value each | ETSI EN 319 142-1, 5.4.2; ISO 32000-2, 12.8.4.3, 12.8.4.4 |
//! | `time_stamp` | `/DocTimeStamp` with `ETSI.RFC3161` that covers its own revision | ETSI EN 319 142-1, 5.4.3; ISO 32000-2, 12.8.5 |
//! | `form` | fields without extent, behind those that were there; `/SigFlags` that rise | ISO 32000-2, 12.7.3, 12.7.5.5 |
//! | `page` | `/Annots` longer by the widgets of such fields; nothing else of a page | ISO 32000-2, 12.5.2 |
//! | `information` | `/ModDate` and `/Producer` of the document's information | ISO 32000-2, 14.3.3 |
//! | `metadata` | the catalog's XMP stream, as a note | ISO 32000-2, 14.3.2 |
//! | `signature` | further signatures: a new field without extent, or one that was there, empty and small | ISO 32000-2, 12.8.1, 12.8.2 |
//!
//! An identical copy of an object, an object that nothing refers to, and an update of nothing are
//! refused: no honest signer that was measured writes them (docs/adr/0031).

mod archive;
mod catalog;
mod form;
mod graph;
mod hidden;
mod kind;
mod lock;
mod pages;
mod same;
mod signing;
mod step;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::graph::Graph;
use self::lock::Terms;
pub(crate) use self::same::is_zeros;
use self::step::{Rule, Step, Touch};
use crate::code::{Code, Weight};
use crate::hazards::Hazards;
use crate::pdf::{Budget, File, Revision};
use crate::report::{Changes, RevisionChange, findings};

/// What may follow a signature; a certification in the document counts where it is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeLevel {
    /// Evidence for the signature and document time stamps: a family card has one signature.
    #[default]
    Sealed,
    /// Further signatures too, where they cover nothing that was signed.
    FurtherSignatures,
}

/// What became of a document after one of its signatures.
#[derive(Debug)]
pub(crate) struct ChangeReport {
    pub(crate) changes: Changes,
    pub(crate) codes: Vec<Code>,
    pub(crate) revisions: Vec<RevisionChange>,
}

/// Judges everything behind revision `signed`, the one that a signature covers to its end, and
/// how that revision itself may show different things to different readers.
pub(crate) fn after_signing(
    file: &File<'_>,
    signed: usize,
    level: ChangeLevel,
    budget: &mut Budget,
) -> ChangeReport {
    let mut report = ChangeReport {
        changes: Changes::None,
        codes: Vec::new(),
        revisions: Vec::new(),
    };
    let ended = report.fill(file, signed, level, budget);
    report.codes.extend(ended.err());
    if ended.is_err() {
        report.changes = report.changes.max(Changes::Unknown);
    }
    report
}

impl ChangeReport {
    fn fill(
        &mut self,
        file: &File<'_>,
        signed: usize,
        level: ChangeLevel,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let view = file.view(signed);
        let mut hazards = Hazards::default();
        let mut look = |_number: u32, object: &_| hazards.look(object);
        let mut graph = Graph::of(view, &mut look, budget)?;
        self.codes
            .extend(hazards.finish(view, file.dangling(signed), budget)?);
        self.codes
            .extend(hidden::fault(file, view, &graph, budget)?);
        let terms = Terms::of(view, budget)?;
        self.codes.extend(&terms.codes);
        let mut archived = BTreeSet::new();
        let later = file.revisions().iter().enumerate();
        for (index, revision) in later.skip(signed.saturating_add(1)) {
            let touched = revision.entries.keys().copied();
            graph.update(file.view(index), touched, budget)?;
            let mut step = Step::new(file, index, revision, &terms, &graph, archived);
            let ended = step.judge(budget);
            self.take(&step, index, level);
            archived = step.archived;
            ended?;
        }
        let ends = file.revisions().last().map(|revision| revision.ends);
        if !ends.is_some_and(|ends| ends.contains(&file.data().len())) {
            self.codes.push(Code::TailBytes);
            self.changes = self.changes.max(Changes::Unknown);
        }
        Ok(())
    }

    /// Takes over what was found about one revision.
    fn take(&mut self, step: &Step<'_, '_, '_>, index: usize, level: ChangeLevel) {
        let mut codes: Vec<Code> = step.codes.iter().copied().collect();
        let is_altered = codes.iter().any(|code| code.weight() == Weight::Invalid);
        let is_signed_again = step.rules.contains(&Rule::Signature);
        if is_altered && step.terms.is_certified() {
            codes.push(Code::ChangedRights);
        }
        if is_signed_again && level == ChangeLevel::Sealed {
            codes.push(Code::SignedAgain);
        }
        let changes = match (is_altered, is_signed_again) {
            (true, _) => Changes::Altered,
            (false, true) => Changes::SignedAgain,
            (false, false) => Changes::Archived,
        };
        self.changes = self.changes.max(changes);
        self.revisions.push(RevisionChange {
            index,
            size_bytes: size(step.revision),
            added: step.count(Touch::Added),
            overridden: step.count(Touch::Overridden),
            freed: step.count(Touch::Freed),
            explained_by: step.rules.iter().map(|rule| rule.name()).collect(),
            findings: findings(&codes),
        });
        self.codes.extend(codes);
    }
}

fn size(revision: &Revision) -> usize {
    let [end, _] = revision.ends;
    end.saturating_sub(revision.start)
}
