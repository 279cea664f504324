//! What central knows of one job, as a fold over its changes.

use loket_wire::{Epoch, JobId, JobState, LocalJob, LocalRevision, MachineId, Reason, Timestamp};
use serde::{Deserialize, Serialize};

use super::change::Change;

/// The place of a report in a machine's order, as central counts it.
///
/// `generation` is 1 for the first life of the machine's journal that central met and grows by one with each new
/// epoch and each rollback: epochs are random and have no order of their own, and a rolled-back journal gives the
/// same numbers twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Which life of the journal.
    pub generation: u64,
    /// The report's number in it.
    pub seq: u64,
}

/// Who decided that a job is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// Central, while no machine was known to hold it: gives way to any report.
    Central,
    /// The machine: stays.
    Machine,
}

/// One job as central's dispatcher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// The machine that prints it.
    pub machine: MachineId,
    /// Where it stands.
    pub state: JobState,
    /// Why, where there is a why.
    pub reason: Option<Reason>,
    /// Last moment it may be printed.
    pub not_after: Timestamp,
    /// When central took it.
    pub created_at: Timestamp,
    /// When `state` was last set.
    pub state_at: Timestamp,
    /// The machine's journal epoch it was last offered for; `None` before the first offer and when the order must
    /// be sealed anew.
    pub epoch: Option<Epoch>,
    /// The command number of the last offer.
    pub command_seq: Option<u64>,
    /// Offers so far.
    pub offer_count: u32,
    /// When it may be offered next, while created or offered.
    pub next_offer_at: Timestamp,
    /// Whether the machine still owes an answer to a cancel.
    pub cancel_asked: bool,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: Option<EndedBy>,
    /// The place of the last report that counted.
    pub reported: Option<Place>,
    /// The attempt at the printer, from 1, as last reported.
    pub attempt: Option<u32>,
    /// Sheets counted, as last reported.
    pub sheet_count: Option<u32>,
    /// What its machine says of it, where a person gave it there by hand; `None` for what central ordered.
    pub local: Option<Box<LocalJob>>,
}

impl Job {
    /// A job that was just taken in; due at once.
    #[must_use]
    pub const fn created(
        id: JobId,
        machine: MachineId,
        not_after: Timestamp,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            machine,
            state: JobState::Created,
            reason: None,
            not_after,
            created_at,
            state_at: created_at,
            epoch: None,
            command_seq: None,
            offer_count: 0,
            next_offer_at: created_at,
            cancel_asked: false,
            ended_at: None,
            ended_by: None,
            reported: None,
            attempt: None,
            sheet_count: None,
            local: None,
        }
    }

    /// A job that a person gave to the machine by hand, as it is met here: on that machine's disk.
    #[must_use]
    pub fn given_by_hand(
        id: JobId,
        machine: MachineId,
        local: LocalJob,
        met_at: Timestamp,
    ) -> Self {
        let not_after = local.not_after;
        Self {
            state: JobState::Journalled,
            local: Some(Box::new(local)),
            ..Self::created(id, machine, not_after, met_at)
        }
    }

    fn take_offer(&mut self, at: Timestamp, epoch: Epoch, command_seq: u64, next_at: Timestamp) {
        if self.state == JobState::Created {
            self.set_state(at, JobState::Offered, None, EndedBy::Central);
        }
        self.epoch = Some(epoch);
        self.command_seq = Some(command_seq);
        self.offer_count = self.offer_count.saturating_add(1);
        self.next_offer_at = next_at;
    }

    fn take_revision(&mut self, revision: LocalRevision) {
        if let Some(local) = &mut self.local {
            local.revision = Some(revision);
        }
    }

    fn set_state(&mut self, at: Timestamp, state: JobState, reason: Option<Reason>, by: EndedBy) {
        self.state = state;
        self.reason = reason;
        self.state_at = at;
        self.ended_at = state.is_end().then_some(at);
        self.ended_by = state.is_end().then_some(by);
    }
}

/// Folds one change into the job. It never fails: [`super::decide`] refused what does not fit.
pub fn apply(job: &mut Job, at: Timestamp, change: &Change) {
    match change {
        Change::Created { .. } => {}
        Change::GivenByHand { local, .. } => job.local = Some(local.clone()),
        Change::DocumentTold { revision } => job.take_revision(*revision),
        // What the machine says of its own copy answers a cancel, also where it changes nothing here.
        Change::LateReport { state, .. } => job.cancel_asked &= !state.is_end(),
        Change::Offered {
            epoch,
            command_seq,
            next_offer_at,
        } => job.take_offer(at, *epoch, *command_seq, *next_offer_at),
        Change::OfferDue { seal_anew } => {
            job.next_offer_at = at;
            if *seal_anew {
                job.epoch = None;
                job.offer_count = 0;
            }
        }
        Change::Reported {
            place,
            state,
            reason,
            attempt,
            sheet_count,
            ..
        } => {
            job.reported = job.reported.max(Some(*place));
            job.attempt = attempt.or(job.attempt);
            job.sheet_count = sheet_count.or(job.sheet_count);
            if state.is_end() || *reason == Some(Reason::AlreadySending) {
                job.cancel_asked = false;
            }
            job.set_state(at, *state, *reason, EndedBy::Machine);
        }
        Change::Listed { place, state } => {
            job.reported = Some(*place);
            job.set_state(at, *state, None, EndedBy::Machine);
        }
        Change::DocumentAsked => {
            job.set_state(at, JobState::Fetching, None, EndedBy::Machine);
        }
        Change::Lost => {
            job.cancel_asked = false;
            job.set_state(
                at,
                JobState::Unknown,
                Some(Reason::JournalLost),
                EndedBy::Central,
            );
        }
        Change::CancelAsked { .. } => job.cancel_asked = true,
        Change::Cancelled => {
            job.set_state(
                at,
                JobState::Cancelled,
                Some(Reason::ByCentral),
                EndedBy::Central,
            );
        }
        Change::Expired => {
            job.set_state(
                at,
                JobState::Expired,
                Some(Reason::NotAfter),
                EndedBy::Central,
            );
        }
        Change::Resolved { state, reason } => {
            job.set_state(at, *state, Some(*reason), EndedBy::Central);
        }
    }
}
