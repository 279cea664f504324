//! Which changes an input brings to a job, or why none.

use std::time::Duration;

use loket_wire::{Epoch, JobReport, JobState, Party, Reason, Timestamp};
use thiserror::Error;

use super::change::Change;
use super::job::{EndedBy, Job, Place};
use super::local::told_revision;
use super::lost;

/// Wait before an order is offered a second time (CONTRACT, Messages).
pub const OFFER_AGAIN_FIRST: Duration = Duration::from_secs(60);

/// Longest wait between two offers: the silence after which a machine counts as offline, so a machine that is online
/// hears of its order within the hour whatever got lost.
pub const OFFER_AGAIN_MAX: Duration = Duration::from_secs(3600);

/// How long a sync may be on its way. A machine asks for a document by another road than its messages take, so a sync
/// that it sent before may be read after: within this time it says nothing of the job. The next one, of its next
/// connection or central's, does.
const SYNC_UNDER_WAY: Duration = Duration::from_secs(60);

/// What central meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// The order is about to be handed to the link.
    Offer {
        /// The machine's present journal epoch.
        epoch: Epoch,
        /// A command number never used for this machine.
        command_seq: u64,
    },
    /// A report of the machine, committed at its place.
    Reported {
        /// Its place.
        place: Place,
        /// What it says.
        report: &'a JobReport,
    },
    /// The machine asks for the sealed document. Committed before the first byte is served: only a machine that has
    /// the order on its disk asks, and no sheet exists without its document, so that a journal lost before its first
    /// report came through cannot make the order due again. Refused for what is lost: from then on no copy of it can come
    /// to a machine that did not have one.
    DocumentAsked,
    /// A sync of the machine lists the job as open.
    Listed {
        /// Place of the last report the list takes into account.
        place: Place,
        /// The state it names.
        state: JobState,
        /// Whether every report up to that place is committed here.
        is_settled: bool,
    },
    /// A sync with a whole list does not name the job.
    Unlisted {
        /// Whether every report up to the sync is committed here, so that none about this job is under way.
        is_settled: bool,
        /// Where the sync answers a question of central's, when that was asked: about a lost job, since it was lost.
        /// Any other may be an older one that a broker kept, and proves nothing (docs/adr/0015).
        asked_at: Option<Timestamp>,
    },
    /// The machine's journal is another one, or was set back.
    JournalLost,
    /// Somebody wants the job called off.
    CancelAsked {
        /// A command number never used for this machine.
        command_seq: u64,
    },
    /// The machine must be asked (again) to call the job off: it lists what is over here, or owes an answer.
    CancelAgain {
        /// A command number never used for this machine.
        command_seq: u64,
    },
    /// Somebody looked for the sheet of a job whose journal is lost.
    Answered(Answer),
    /// Somebody who may say so says that the machine is out of service and prints nothing any more.
    WrittenOff,
    /// Time passed.
    Tick,
}

/// What somebody found of a job whose journal is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The sheet is there.
    Printed,
    /// There is none.
    FoundNone,
}

/// Why an input cannot be followed. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The machine has it, or it is over.
    #[error("offer a job that is {state}")]
    NotOfferable {
        /// Where it stands.
        state: JobState,
    },
    /// The last offer is too fresh.
    #[error("offer a job before {due_at}")]
    NotDue {
        /// When it may be offered.
        due_at: Timestamp,
    },
    /// `not_after` has passed.
    #[error("offer a job whose time ran out")]
    TimeRanOut,
    /// No machine can report that state.
    #[error("take a machine's report of {state}: only central says that")]
    NotAMachinesState {
        /// The state named.
        state: JobState,
    },
    /// It is over.
    #[error("call off a job that is {state}")]
    AlreadyEnded {
        /// How it ended.
        state: JobState,
    },
    /// The machine lost it: there is nobody to ask.
    #[error("call off a job whose machine lost its journal")]
    JournalLost,
    /// No job of that id is known, and nothing says that a person gave it to the machine by hand.
    #[error("take a report of a job that is not known")]
    UnknownJob,
    /// It is another machine's job.
    #[error("take a report of another machine's job")]
    AnothersJob,
    /// Only a job whose journal is lost is answered at central; any other is answered at its machine.
    #[error("answer at central for a job that is {state}")]
    NotLost {
        /// Where it stands.
        state: JobState,
    },
    /// The machine has not said since whether it still holds the job: it may yet print it.
    #[error(
        "take it that no sheet came out before the machine said whether it still holds the job"
    )]
    MachineUnheard,
    /// The machine holds a copy of the job and has not said how that ended: it may yet print it.
    #[error("take it that no sheet came out while the machine holds a copy of the job")]
    CopyHeld,
    /// The job is lost or over: another copy would make another sheet.
    #[error("serve the document of a job that is {state}")]
    NotServed {
        /// Where it stands.
        state: JobState,
    },
    /// A sync that was not asked for would prove it, were it no older one: ask the machine.
    #[error("conclude from a sync that nobody asked for")]
    Unproven,
    /// A list without a lost job says that there is no copy of it, were no report of the machine's under way: ask it
    /// once they are through.
    #[error("conclude from a sync while reports are under way")]
    Unsettled,
}

impl Refusal {
    /// The stable code of the answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOfferable { .. } => "D-101",
            Self::NotDue { .. } => "D-102",
            Self::TimeRanOut => "D-103",
            Self::NotAMachinesState { .. } => "D-104",
            Self::AlreadyEnded { .. } => "D-105",
            Self::JournalLost => "D-106",
            Self::NotLost { .. } => "D-107",
            Self::UnknownJob => "S-101",
            Self::AnothersJob => "S-102",
            Self::MachineUnheard => "D-108",
            Self::CopyHeld => "D-109",
            Self::Unproven => "D-110",
            Self::NotServed { .. } => "D-111",
            Self::Unsettled => "D-112",
        }
    }
}

/// Decides what `input` changes; nothing is changed before [`super::apply`].
///
/// An empty list means that the input says nothing new.
///
/// # Errors
/// The [`Refusal`] that forbids it.
pub fn decide(job: &Job, now: Timestamp, input: Input<'_>) -> Result<Vec<Change>, Refusal> {
    match input {
        Input::Offer { epoch, command_seq } => offer(job, now, epoch, command_seq),
        Input::Reported { place, report } => {
            let mut changes = reported(job, place, report)?;
            if !changes.is_empty() {
                let told = told_revision(job, report.local.as_deref());
                changes.extend(told.map(|revision| Change::DocumentTold { revision }));
            }
            Ok(changes)
        }
        Input::DocumentAsked => document_asked(job),
        Input::Listed {
            place,
            state,
            is_settled,
        } => listed(job, place, state, is_settled),
        Input::Unlisted {
            is_settled,
            asked_at,
        } => unlisted(job, now, is_settled, asked_at),
        Input::JournalLost => Ok(lost::unasked(job, lost::journal_lost(job))),
        Input::CancelAsked { command_seq } => cancel(job, command_seq),
        Input::CancelAgain { command_seq } => Ok(vec![Change::CancelAsked { command_seq }]),
        Input::Answered(answer) => lost::answered(job, answer),
        Input::WrittenOff => Ok(lost::unasked(job, lost::written_off(job))),
        Input::Tick => Ok(tick(job, now)),
    }
}

fn offer(
    job: &Job,
    now: Timestamp,
    epoch: Epoch,
    command_seq: u64,
) -> Result<Vec<Change>, Refusal> {
    if !job.state.may_be_ended_by(Party::Central) {
        return Err(Refusal::NotOfferable { state: job.state });
    }
    if now > job.not_after {
        return Err(Refusal::TimeRanOut);
    }
    if now < job.next_offer_at {
        return Err(Refusal::NotDue {
            due_at: job.next_offer_at,
        });
    }
    let next_offer_at = now.saturating_add(offer_again_after(job.offer_count));
    Ok(vec![Change::Offered {
        epoch,
        command_seq,
        next_offer_at,
    }])
}

/// 60 s after the first offer, then doubling up to the cap.
fn offer_again_after(offer_count: u32) -> Duration {
    let factor = 1_u32.checked_shl(offer_count).unwrap_or(u32::MAX);
    OFFER_AGAIN_FIRST
        .saturating_mul(factor)
        .min(OFFER_AGAIN_MAX)
}

fn reported(job: &Job, place: Place, report: &JobReport) -> Result<Vec<Change>, Refusal> {
    let (state, reason) = (report.state, report.reason);
    if !is_machines_state(state) {
        return Err(Refusal::NotAMachinesState { state });
    }
    let late = Change::LateReport {
        place,
        state,
        reason,
    };
    let counts = Change::Reported {
        place,
        state,
        reason,
        attempt: report.attempt,
        sheet_count: report.sheet_count,
        machine_at: report.at,
        clock_trusted: report.clock_trusted,
    };
    let is_over = is_over(job);
    if let Some(last) = job.reported
        && place <= last
    {
        // An earlier life of the journal speaks last. Only paper outlives it: a sheet that is there stays there,
        // and the machine's present copy of the job must not make another.
        return Ok(match (place.generation < last.generation, state) {
            (false, _any) => Vec::new(),
            (true, JobState::Printed) if !is_over => vec![counts],
            (true, _any) => vec![late],
        });
    }
    // A refused replay speaks of bytes that came twice, not of the job: the machine holds another copy of the
    // order, or the copy was for an earlier journal.
    let is_replay = state == JobState::Rejected && reason == Some(Reason::Replay);
    if is_replay || (is_over && !corrects(job, place, state, reason)) {
        return Ok(vec![late]);
    }
    Ok(vec![
        lost::of_copy(job, place, state, reason).unwrap_or(counts),
    ])
}

/// Whether what ended the job stays: its machine's word, or that of a person who looked.
fn is_over(job: &Job) -> bool {
    matches!(job.ended_by, Some(EndedBy::Machine | EndedBy::Person))
}

/// Whether a later report replaces an end that the machine reported before.
///
/// In the same life of its journal the machine may correct itself by another end. A copy of the job that came back
/// with an older journal speaks for itself alone, except where it made a sheet.
///
/// A person who found no sheet is corrected by a sheet; one who saw it by nothing.
fn corrects(job: &Job, place: Place, state: JobState, reason: Option<Reason>) -> bool {
    if job.ended_by == Some(EndedBy::Person) {
        return job.state != JobState::Printed && lost::is_of_paper(state, reason);
    }
    let is_same_life = job
        .reported
        .is_none_or(|last| last.generation == place.generation);
    let is_another_end = state.is_end() && (state, reason) != (job.state, job.reason);
    is_another_end && (is_same_life || (state == JobState::Printed && job.state != state))
}

fn document_asked(job: &Job) -> Result<Vec<Change>, Refusal> {
    if job.state.is_end() || lost::is_lost(job) {
        return Err(Refusal::NotServed { state: job.state });
    }
    Ok(if job.state.may_be_ended_by(Party::Central) {
        vec![Change::DocumentAsked]
    } else {
        Vec::new()
    })
}

/// Whether a machine can be the one to say it.
const fn is_machines_state(state: JobState) -> bool {
    !matches!(state, JobState::Created | JobState::Offered)
}

fn listed(
    job: &Job,
    place: Place,
    state: JobState,
    is_settled: bool,
) -> Result<Vec<Change>, Refusal> {
    if !is_machines_state(state) || state.is_end() {
        return Err(Refusal::NotAMachinesState { state });
    }
    if lost::is_lost(job) || (is_over(job) && (is_settled || is_of_a_copy(job, place))) {
        return Ok(lost::copy_listed(job, state));
    }
    let is_known = job.state == state || is_over(job);
    // While reports are under way they tell it better: with reasons, and in order.
    let is_told_by_reports = job.state.is_with_machine() && !is_settled;
    let is_old = job.reported.is_some_and(|last| place < last);
    if is_known || is_told_by_reports || is_old {
        return Ok(Vec::new());
    }
    Ok(vec![Change::Listed { place, state }])
}

/// Whether a list that names a job that is over here speaks of a copy for certain, whatever reports are under way: a
/// person ended it, so no report of the machine's is awaited, or the list is of a later life of the journal.
fn is_of_a_copy(job: &Job, place: Place) -> bool {
    let is_later_life = job
        .reported
        .is_some_and(|last| place.generation > last.generation);
    job.ended_by == Some(EndedBy::Person) || is_later_life
}

fn unlisted(
    job: &Job,
    now: Timestamp,
    is_settled: bool,
    asked_at: Option<Timestamp>,
) -> Result<Vec<Change>, Refusal> {
    let is_asked_alone = job.state == JobState::Fetching && job.reported.is_none();
    if is_asked_alone && now.since(job.state_at) < SYNC_UNDER_WAY {
        return Ok(Vec::new());
    }
    // A list that was asked for before the document was: the machine may have made it before it took the order. A clock
    // that was put back since says nothing.
    let is_older = asked_at.is_some_and(|at| at <= job.state_at && job.state_at <= now);
    if is_asked_alone && is_older {
        return Err(Refusal::Unproven);
    }
    let is_answer = asked_at.is_some();
    if job.state == JobState::Offered && job.next_offer_at > now {
        return Ok(vec![Change::OfferDue { seal_anew: false }]);
    }
    // An order that was called off here before it arrived: nobody owes an answer for it any more.
    if job.state.is_end() && job.copy.is_none() && job.cancel_asked {
        let is_proved = is_answer && is_settled;
        return Ok(is_proved.then_some(Change::CopyGone).into_iter().collect());
    }
    let gone = lost::not_held(job);
    if !is_settled && gone == [Change::CopyGone] {
        return Err(Refusal::Unsettled);
    }
    // Of a job that is not lost the reports under way tell.
    if gone.is_empty() || !is_settled {
        return Ok(Vec::new());
    }
    if is_answer {
        Ok(lost::unasked(job, gone))
    } else {
        Err(Refusal::Unproven)
    }
}

fn cancel(job: &Job, command_seq: u64) -> Result<Vec<Change>, Refusal> {
    if job.state.is_end() {
        return Err(Refusal::AlreadyEnded { state: job.state });
    }
    if lost::is_lost(job) {
        return Err(Refusal::JournalLost);
    }
    if job.state.may_be_ended_by(Party::Central) {
        let mut changes = vec![Change::Cancelled];
        if job.state == JobState::Offered {
            // The order may be on its way: whoever gets it must be asked as well.
            changes.push(Change::CancelAsked { command_seq });
        }
        return Ok(changes);
    }
    Ok(vec![Change::CancelAsked { command_seq }])
}

fn tick(job: &Job, now: Timestamp) -> Vec<Change> {
    if job.state.may_be_ended_by(Party::Central) && now > job.not_after {
        vec![Change::Expired]
    } else {
        Vec::new()
    }
}
