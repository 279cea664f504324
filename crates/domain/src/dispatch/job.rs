//! What central knows of one job, as a fold over its changes.

use std::time::Duration;

use loket_wire::{
    Epoch, JobId, JobReport, JobState, LocalJob, LocalRevision, MachineId, Reason, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::change::Change;
use super::lost;

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
    /// A person who looked, where the machine could not tell: stays, unless a sheet comes to light.
    Person,
}

/// What is known of the copy of a job that its machine may hold after its journal was lost or set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineCopy {
    /// The machine has not said since whether it holds one.
    Unheard,
    /// It holds one, and is asked to call it off.
    Held,
    /// It holds one that is over here and does not know itself what became of it: it was asked to call it off, noted
    /// that, and its own officer is asked. No answer of the machine's is missing.
    WithOfficer,
    /// It holds none that could print, or a person took it out of service.
    Gone,
}

/// How a job stands whose machine lost its journal.
pub(super) const LOST: (JobState, Option<Reason>) = (JobState::Unknown, Some(Reason::JournalLost));

/// Wait before a machine is asked again to call a job off: as long as before a second offer.
pub const ASK_AGAIN_FIRST: Duration = Duration::from_secs(60);

/// Longest wait between two such questions, as between two offers.
pub const ASK_AGAIN_MAX: Duration = Duration::from_secs(3600);

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
    /// What is known of the machine's copy, where its journal was lost.
    pub copy: Option<MachineCopy>,
    /// How often the machine was asked to call it off, since there was a reason to.
    pub ask_count: u32,
    /// When it may be asked again.
    pub next_ask_at: Timestamp,
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
            copy: None,
            ask_count: 0,
            next_ask_at: Timestamp::UNIX_EPOCH,
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

    /// Whether the machine is to be asked, again and again, to call the job off: it owes an answer, or nobody knows
    /// whether its copy may print.
    ///
    /// Not where its own officer is asked: no answer of the machine's is missing.
    #[must_use]
    pub fn is_to_be_asked(&self) -> bool {
        let is_owed =
            self.cancel_asked && self.state.is_with_machine() && self.state != JobState::Unknown;
        is_owed || matches!(self.copy, Some(MachineCopy::Unheard | MachineCopy::Held))
    }

    /// Whether the pause since the last question is over. A moment further ahead than the longest pause was set by a clock
    /// that was wrong.
    #[must_use]
    pub fn is_ask_due(&self, now: Timestamp) -> bool {
        self.next_ask_at <= now || self.next_ask_at > now.saturating_add(ASK_AGAIN_MAX)
    }

    /// Whether a report must be heard however much was said of the job before: how it ended, the first word of paper, and
    /// how a copy ended that is asked about. Each is heard once; so a machine gone mad has nothing to say without end.
    #[must_use]
    pub fn must_hear(&self, report: &JobReport) -> bool {
        let is_first_paper = lost::is_of_paper(report.state, report.reason)
            && !lost::is_of_paper(self.state, self.reason);
        let is_awaited = self.ended_at.is_none() || self.copy.is_some();
        report.state.is_end() && (is_awaited || is_first_paper)
    }

    fn take_ask(&mut self, at: Timestamp) {
        let factor = 1_u32.checked_shl(self.ask_count).unwrap_or(u32::MAX);
        let wait = ASK_AGAIN_FIRST.saturating_mul(factor).min(ASK_AGAIN_MAX);
        self.cancel_asked = true;
        self.ask_count = self.ask_count.saturating_add(1);
        self.next_ask_at = at.saturating_add(wait);
    }

    /// There is another reason to ask: at once.
    fn ask_anew(&mut self, at: Timestamp) {
        self.ask_count = 0;
        self.next_ask_at = at;
    }

    /// What the machine says of the job.
    fn hear(&mut self, at: Timestamp, place: Place, state: JobState, reason: Option<Reason>) {
        self.reported = self.reported.max(Some(place));
        if state.is_end() || reason == Some(Reason::AlreadySending) {
            self.cancel_asked = false;
        }
        let is_lost = (state, reason) == LOST;
        self.copy = is_lost.then_some(MachineCopy::Unheard);
        self.set_state(at, state, reason, EndedBy::Machine);
    }

    /// What the machine says that changes nothing of where the job stands.
    fn hear_late(&mut self, at: Timestamp, place: Place, state: JobState, reason: Option<Reason>) {
        self.cancel_asked &= !state.is_end();
        let is_of_copy = Some(place) > self.reported && reason != Some(Reason::Replay);
        if !self.state.is_end() || !is_of_copy {
            return;
        }
        let is_noted = self.cancel_asked || self.copy == Some(MachineCopy::WithOfficer);
        if state == JobState::Unknown && is_noted {
            self.cancel_asked = false;
            self.copy = Some(MachineCopy::WithOfficer);
        } else {
            self.hold_copy(at, !state.is_end());
        }
    }

    /// The machine holds a copy, or none any more of a job that is over.
    fn hold_copy(&mut self, at: Timestamp, is_held: bool) {
        if is_held && self.copy != Some(MachineCopy::Held) {
            self.ask_anew(at);
        }
        self.copy = is_held.then_some(MachineCopy::Held);
    }

    fn lose(&mut self, at: Timestamp, copy: MachineCopy) {
        self.cancel_asked = false;
        self.copy = Some(copy);
        if (self.state, self.reason) != LOST {
            self.set_state(at, LOST.0, LOST.1, EndedBy::Central);
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

    fn end_here(&mut self, at: Timestamp, state: JobState, reason: Reason) {
        self.set_state(at, state, Some(reason), EndedBy::Central);
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
        Change::LateReport {
            place,
            state,
            reason,
        } => job.hear_late(at, *place, *state, *reason),
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
            job.attempt = attempt.or(job.attempt);
            job.sheet_count = sheet_count.or(job.sheet_count);
            job.hear(at, *place, *state, *reason);
        }
        Change::Listed { place, state } => {
            job.reported = Some(*place);
            job.copy = None;
            job.set_state(at, *state, None, EndedBy::Machine);
        }
        Change::DocumentAsked => {
            job.set_state(at, JobState::Fetching, None, EndedBy::Machine);
        }
        Change::Lost => {
            job.lose(at, MachineCopy::Unheard);
            job.ask_anew(at);
        }
        Change::CopyHeld { reason, .. } => {
            job.hold_copy(at, true);
            job.cancel_asked &= *reason != Some(Reason::AlreadySending);
        }
        Change::CopyGone if job.state.is_end() => {
            job.copy = None;
            job.cancel_asked = false;
        }
        // Its place is not the job's last one: what follows in that life is about the copy as well.
        Change::CopyOver { .. } | Change::CopyGone | Change::WrittenOff => {
            job.lose(at, MachineCopy::Gone)
        }
        Change::CancelAsked { .. } => job.take_ask(at),
        Change::Cancelled => job.end_here(at, JobState::Cancelled, Reason::ByCentral),
        Change::Expired => job.end_here(at, JobState::Expired, Reason::NotAfter),
        Change::Resolved { state, reason } => {
            // A copy that the machine holds must be called off all the same, or it makes a second sheet.
            job.copy = job.copy.filter(|copy| *copy == MachineCopy::Held);
            job.set_state(at, *state, Some(*reason), EndedBy::Person);
        }
    }
}
