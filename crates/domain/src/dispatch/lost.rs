//! Jobs whose machine lost its journal, or whose journal was set back: what is asked of whom, and what its answer is
//! worth.
//!
//! ```text
//!            ┌─ the machine lists it, or reports of it ─→ held ─┐ asked to call it off until it says how that ended
//! unheard ───┤                                            ↑ ↓   │
//!            └─ an answered, whole list without it ─────→ gone ←┘ called off, or over without paper
//! ```
//!
//! A copy that came back with an older journal knows nothing of the sheet that its forgotten life may have made: that it
//! was called off ends the copy and not the job. Only then may a person say that there is no sheet.

use loket_wire::{JobState, LocalJob, Reason};

use super::change::Change;
use super::decide::{Answer, Refusal};
use super::job::{Job, LOST, MachineCopy, Place};

/// Whether the machine that held the job no longer knows it, or knows an older copy.
pub(super) fn is_lost(job: &Job) -> bool {
    (job.state, job.reason) == LOST
}

/// Whether a report says that paper came out.
pub(super) fn is_of_paper(state: JobState, reason: Option<Reason>) -> bool {
    state == JobState::Printed
        || (state == JobState::Failed && reason == Some(Reason::SheetDamaged))
}

/// The machine's journal is another one: whatever it said of a copy counts no more.
pub(super) fn journal_lost(job: &Job) -> Vec<Change> {
    let is_told = is_lost(job) && job.copy == Some(MachineCopy::Unheard);
    if job.state.is_with_machine() && !is_told {
        vec![Change::Lost]
    } else if job.state == JobState::Offered {
        vec![Change::OfferDue { seal_anew: true }]
    } else if job.copy == Some(MachineCopy::WithOfficer) {
        // That it was asked is forgotten with the journal.
        vec![Change::CopyHeld {
            state: JobState::Unknown,
            reason: Some(Reason::JournalLost),
        }]
    } else {
        Vec::new()
    }
}

/// What a report says where it is about a copy of the job in a later life of the journal, not about the job.
///
/// Paper is paper; and where the machine asks its own officer, that one looks into the same tray.
pub(super) fn of_copy(
    job: &Job,
    place: Place,
    state: JobState,
    reason: Option<Reason>,
) -> Option<Change> {
    let is_later_life = job
        .reported
        .is_none_or(|last| place.generation > last.generation);
    if !is_lost(job) || !is_later_life || is_of_paper(state, reason) || state == JobState::Unknown {
        return None;
    }
    Some(if state.is_end() {
        Change::CopyOver {
            place,
            state,
            reason,
        }
    } else {
        Change::CopyHeld { state, reason }
    })
}

/// The machine lists a job that is lost or over here.
pub(super) fn copy_listed(job: &Job, state: JobState) -> Vec<Change> {
    let is_known = match job.copy {
        Some(MachineCopy::Held) => true,
        Some(MachineCopy::WithOfficer) => state == JobState::Unknown,
        Some(MachineCopy::Unheard | MachineCopy::Gone) | None => false,
    };
    if is_known {
        return Vec::new();
    }
    vec![Change::CopyHeld {
        state,
        reason: None,
    }]
}

/// What follows where it is proved that the machine does not hold the job: nothing where that is known.
///
/// A job that is lost by that very list may have come to the machine since it was said, by the road of documents. From
/// here on none is served; so the next list tells whether there is a copy.
pub(super) fn not_held(job: &Job) -> Vec<Change> {
    match (job.state.is_with_machine(), job.copy) {
        (false, None) | (_, Some(MachineCopy::Gone)) => Vec::new(),
        (true, _) if !is_lost(job) => vec![Change::Lost],
        (_, _) => vec![Change::CopyGone],
    }
}

/// A person's word that the machine prints nothing any more stands for the machine's own.
pub(super) fn written_off(job: &Job) -> Vec<Change> {
    let is_open = job.state.is_with_machine();
    match (is_open, is_lost(job), job.copy) {
        (false, _, _) | (true, true, Some(MachineCopy::Gone)) => Vec::new(),
        (true, true, _) => vec![Change::WrittenOff],
        (true, false, _) => vec![Change::Lost, Change::WrittenOff],
    }
}

/// Nobody is asked whether a printer's exercise page came out: what is lost of it is over.
pub(super) fn unasked(job: &Job, mut changes: Vec<Change>) -> Vec<Change> {
    let is_exercise = job.local.as_deref().is_some_and(LocalJob::is_exercise);
    if is_exercise && changes.contains(&Change::Lost) {
        changes.push(Change::Resolved {
            state: JobState::Failed,
            reason: Reason::ExerciseUnseen,
        });
    }
    changes
}

/// A sheet may be seen at any time. That there is none can be said only once none can come.
pub(super) fn answered(job: &Job, answer: Answer) -> Result<Vec<Change>, Refusal> {
    if !is_lost(job) {
        return Err(Refusal::NotLost { state: job.state });
    }
    let (state, reason) = match (answer, job.copy) {
        (Answer::Printed, _) => (JobState::Printed, Reason::OfficerSaw),
        (Answer::FoundNone, Some(MachineCopy::Gone)) => {
            (JobState::Failed, Reason::OfficerFoundNone)
        }
        (Answer::FoundNone, Some(MachineCopy::Held | MachineCopy::WithOfficer)) => {
            return Err(Refusal::CopyHeld);
        }
        (Answer::FoundNone, Some(MachineCopy::Unheard) | None) => {
            return Err(Refusal::MachineUnheard);
        }
    };
    Ok(vec![Change::Resolved { state, reason }])
}
