//! Jobs that a person gave to a machine by hand: central ordered none of them, and is told what was printed.
//!
//! Such a job begins at central with whatever report or list first names it, as long as that says what it is. From then
//! on it is a job like any other that its machine holds: never offered, ended by its machine alone, unknown where the
//! machine's journal is lost.

use loket_wire::{JobId, LocalJob, LocalRevision, MachineId, Timestamp};

use super::change::Change;
use super::decide::Refusal;
use super::job::Job;

/// Whose job a machine speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// One that is known here as that machine's.
    Known,
    /// One that a person gave to it, met for the first time.
    GivenByHand {
        /// The job as it begins here.
        job: Box<Job>,
        /// What to write of it.
        change: Change,
    },
}

/// Finds out whose job it is that `machine` speaks of.
///
/// What it says of a job's origin counts for a job that is not known here, and never for another: who ordered a job is
/// known from its beginning.
///
/// # Errors
/// [`Refusal::UnknownJob`], [`Refusal::AnothersJob`].
pub fn meet(
    known: Option<&Job>,
    machine: &MachineId,
    id: JobId,
    local: Option<&LocalJob>,
    now: Timestamp,
) -> Result<Met, Refusal> {
    match (known, local) {
        (Some(job), _said) if job.machine == *machine => Ok(Met::Known),
        (Some(_anothers), _said) => Err(Refusal::AnothersJob),
        (None, None) => Err(Refusal::UnknownJob),
        (None, Some(local)) => Ok(Met::GivenByHand {
            job: Box::new(Job::given_by_hand(id, machine.clone(), local.clone(), now)),
            change: Change::GivenByHand {
                machine: machine.clone(),
                local: Box::new(local.clone()),
            },
        }),
    }
}

/// What a report adds to a job given by hand: its document, once it was verified. What was said first stays.
pub(super) fn told_revision(job: &Job, said: Option<&LocalJob>) -> Option<LocalRevision> {
    let known = job.local.as_ref()?;
    let revision = said?.revision?;
    known.revision.is_none().then_some(revision)
}
