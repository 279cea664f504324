//! What happened to a job; the JSON of [`Event`] is the journal's disk form, version 3. Earlier ones had fewer kinds and
//! fields and are read as they stand.

use std::fmt;

use loket_wire::{JobId, JobReport, JobState, Reason, Report, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempt::{Afterwards, Holds, PrinterMark, RemoteJob};
use super::command::Answer;
use super::job::{Facts, Job, Revision};

/// The version of the disk form.
pub const EVENT_VERSION: u16 = 3;

/// One thing that happened to one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Version of this shape.
    pub v: u16,
    /// The job.
    pub job_id: JobId,
    /// The machine's wall clock; for people, never for order.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The program by itself.
    Machine,
    /// Central.
    Central,
    /// An officer, by the name they sign with.
    Officer(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("machine"),
            Self::Central => f.write_str("central"),
            Self::Officer(name) => write!(f, "officer:{name}"),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// The order is taken.
    Accepted {
        /// What it says.
        facts: Box<Facts>,
    },
    /// The order came again; its present state is told again.
    Restated {
        /// The state told.
        state: JobState,
        /// Why it is so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The sealed document is on disk.
    Received,
    /// It is valid, and this revision may be printed.
    Verified {
        /// The revision.
        revision: Revision,
    },
    /// It waits for a person.
    Held,
    /// It may be printed.
    Released,
    /// An attempt begins.
    AttemptStarted {
        /// Its number.
        no: u32,
        /// The lane.
        printer: String,
        /// What the printer said before.
        mark: PrinterMark,
    },
    /// The printer's job id is known.
    RemoteCreated {
        /// The job there.
        remote: RemoteJob,
    },
    /// Whether the printer made the job is not known.
    CreationUnclear {
        /// Whether the printer failed, not this program.
        #[serde(default, skip_serializing_if = "is_false")]
        by_printer: bool,
    },
    /// The program started before the document was sent: the printer's job is looked at first.
    CheckingRemote,
    /// It is still that job, and still waits for its document.
    RemoteConfirmed,
    /// Bytes of the document may leave from here on.
    SendingBegan,
    /// Whether the printer took the document is not known.
    SendingUnclear,
    /// The printer said that it does not take the job with its document.
    JobRefused {
        /// Whether it never will.
        #[serde(default, skip_serializing_if = "is_false")]
        is_for_good: bool,
    },
    /// The printer has the document.
    Sent,
    /// The job was called off before any byte left; the attempt winds down.
    CalledOff {
        /// Why.
        reason: Reason,
    },
    /// The job at the printer must be called off.
    CancellingRemote {
        /// The job there.
        remote: RemoteJob,
        /// Whether document bytes may have left.
        bytes_left: bool,
        /// What follows.
        then: Afterwards,
        /// Whether the printer failed to take the document.
        #[serde(default, skip_serializing_if = "is_false")]
        by_printer: bool,
    },
    /// The job to be called off is there: Cancel-Job may leave from here on.
    CancelDue,
    /// Cancel-Job was asked for.
    CancelTried,
    /// A job of ours that no attempt owns stands at the printer; it is called off before the next attempt.
    StrayFound {
        /// The lane.
        printer: String,
        /// Its job-name.
        name: String,
        /// The job there.
        remote: RemoteJob,
        /// What it may hold.
        holds: Holds,
        /// What the printer said of itself.
        mark: PrinterMark,
    },
    /// It is gone.
    StrayCleared,
    /// It will not go, holds nothing, and is let be.
    StrayStays,
    /// The printer has a job of an attempt that this journal does not hold, and it may have printed.
    ForgottenSeen {
        /// The attempt's number.
        no: u32,
        /// The lane.
        printer: String,
        /// What the printer said of itself.
        mark: PrinterMark,
        /// The job there, where it is not over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<RemoteJob>,
    },
    /// The job waits for its printer for this reason, or no longer waits.
    Waiting {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The attempt is over and printed nothing.
    AttemptFailed,
    /// Calling off came too late.
    CancelRefused,
    /// Whether paper came out cannot be known.
    BecameUnknown {
        /// Why.
        reason: Reason,
        /// The job at the printer, where it may not be over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<RemoteJob>,
    },
    /// An officer answered.
    Answered {
        /// What was found.
        answer: Answer,
        /// Whether the job at a printer that is out of the settings is let be: answered for twice, it counts as gone.
        #[serde(default, skip_serializing_if = "is_false")]
        lets_be: bool,
    },
    /// The job is over.
    Ended {
        /// How.
        state: JobState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        /// Sheets counted by the printer, or one a page by an officer's word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet_count: Option<u32>,
    },
    /// The document and its key are destroyed.
    Shredded,
}

impl What {
    /// The kind as it stands on disk.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Restated { .. } => "restated",
            Self::Received => "received",
            Self::Verified { .. } => "verified",
            Self::Held => "held",
            Self::Released => "released",
            Self::AttemptStarted { .. } => "attempt-started",
            Self::RemoteCreated { .. } => "remote-created",
            Self::CreationUnclear { .. } => "creation-unclear",
            Self::CheckingRemote => "checking-remote",
            Self::RemoteConfirmed => "remote-confirmed",
            Self::SendingBegan => "sending-began",
            Self::SendingUnclear => "sending-unclear",
            Self::JobRefused { .. } => "job-refused",
            Self::Sent => "sent",
            Self::CalledOff { .. } => "called-off",
            Self::CancellingRemote { .. } => "cancelling-remote",
            Self::CancelDue => "cancel-due",
            Self::CancelTried => "cancel-tried",
            Self::StrayFound { .. } => "stray-found",
            Self::StrayCleared => "stray-cleared",
            Self::StrayStays => "stray-stays",
            Self::ForgottenSeen { .. } => "forgotten-seen",
            Self::Waiting { .. } => "waiting",
            Self::AttemptFailed => "attempt-failed",
            Self::CancelRefused => "cancel-refused",
            Self::BecameUnknown { .. } => "became-unknown",
            Self::Answered { .. } => "answered",
            Self::Ended { .. } => "ended",
            Self::Shredded => "shredded",
        }
    }
}

impl What {
    /// Whether it changes the job. What is only told again, or refused, is a report and no line of the journal: a closed
    /// job's history takes none, and an open one's would grow with every delivery.
    #[must_use]
    pub const fn is_change(&self) -> bool {
        !matches!(self, Self::Restated { .. } | Self::CancelRefused)
    }
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Event {
    /// What central is told of this event, if anything; `job` is the job after it was applied.
    ///
    /// A job that a person gave here is reported like any other, and each of its reports says what it is: central
    /// ordered none such, and must be able to say who printed what whichever report is the first to reach it.
    #[must_use]
    pub fn report(&self, job: &Job) -> Option<Report> {
        let (state, reason, sheet_count) = match &self.what {
            What::Accepted { .. } => (job.public_state().0, None, None),
            What::Restated { state, reason } => (*state, *reason, None),
            What::Received => (JobState::Journalled, None, None),
            What::Held => (JobState::Held, None, None),
            What::Released => (JobState::Printing, None, None),
            // The number of attempts grows while a printer fails; that they go on is no news.
            What::AttemptStarted { no: 1, .. } => (JobState::Printing, None, None),
            What::Waiting { reason } => (JobState::Printing, *reason, None),
            // That none came out: any other answer is an end, and told as one.
            What::Answered { .. } => (JobState::Printing, Some(Reason::OfficerFoundNone), None),
            What::CancelRefused => (job.public_state().0, Some(Reason::AlreadySending), None),
            What::BecameUnknown { reason, .. } => (JobState::Unknown, Some(*reason), None),
            What::ForgottenSeen { .. } => (JobState::Unknown, Some(Reason::FateNotSeen), None),
            What::Ended {
                state,
                reason,
                sheet_count,
            } => (*state, *reason, *sheet_count),
            What::Verified { .. }
            | What::AttemptStarted { .. }
            | What::RemoteCreated { .. }
            | What::CreationUnclear { .. }
            | What::CheckingRemote
            | What::RemoteConfirmed
            | What::SendingBegan
            | What::SendingUnclear
            | What::JobRefused { .. }
            | What::Sent
            | What::CalledOff { .. }
            | What::CancellingRemote { .. }
            | What::CancelDue
            | What::CancelTried
            | What::StrayFound { .. }
            | What::StrayCleared
            | What::StrayStays
            | What::AttemptFailed
            | What::Shredded => return None,
        };
        let actor = match &self.actor {
            Actor::Machine => None,
            Actor::Central | Actor::Officer(_) => Some(self.actor.to_string()),
        };
        Some(Report::Job(JobReport {
            job_id: self.job_id,
            state,
            reason,
            attempt: (job.attempt_count > 0).then_some(job.attempt_count),
            sheet_count,
            actor,
            at: self.at,
            clock_trusted: self.clock_trusted,
            local: job.local(),
        }))
    }
}
