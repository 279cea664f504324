//! What is asked of the desk, what was seen outside, and why a rule says no.

use loket_wire::{JobId, Reason, Sha256Digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::attempt::{PrinterMark, RemoteJob, RemoteView, Sighting};
use super::event::Actor;
use super::job::{Facts, Revision};

/// What is asked or was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The program starts: whatever was awaited is lost.
    Resume,
    /// Time passed: end what is past its time.
    Tick,
    /// An order arrived.
    Accept(Intake),
    /// The sealed document is on disk, whole.
    Received {
        /// The job.
        job: JobId,
    },
    /// The sealed document cannot be had.
    FetchFailed {
        /// The job.
        job: JobId,
        /// Why, for good.
        reason: Reason,
    },
    /// The document was opened and judged.
    Verified {
        /// The job.
        job: JobId,
        /// The outcome.
        outcome: Verification,
    },
    /// Central must be told again where a job stands: it gave an order that was refused as a replay, so it may be an
    /// older copy of itself.
    Restate {
        /// The job.
        job: JobId,
    },
    /// A person releases a held job.
    Release {
        /// The job.
        job: JobId,
        /// Who.
        by: Actor,
    },
    /// A person or central calls a job off.
    Cancel {
        /// The job.
        job: JobId,
        /// Who.
        by: Actor,
    },
    /// An officer says what became of an unknown sheet.
    Answer {
        /// The job.
        job: JobId,
        /// The attempt that was looked at; may be left out for the first that an officer is asked about, so that the
        /// same answer given again never counts for a later sheet.
        attempt: Option<u32>,
        /// What was found.
        answer: Answer,
        /// Who.
        by: Actor,
    },
    /// The lane's printer said what it is and can.
    Surveyed {
        /// The job.
        job: JobId,
        /// The lane.
        printer: String,
        /// What it said.
        survey: PrinterSurvey,
    },
    /// Create-Job was answered.
    Created {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The job there.
        remote: RemoteJob,
        /// What of the job the printer will not honour.
        unsupported: Vec<Asked>,
    },
    /// The printer cannot be asked, or is busy: nothing has left, and it is asked again.
    Waits {
        /// The job.
        job: JobId,
        /// The attempt, 0 before the first.
        attempt: u32,
        /// Why.
        reason: Reason,
    },
    /// Create-Job was refused for good.
    CreateRefused {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// Create-Job went out and its answer did not come, or tells of the printer's own trouble.
    CreateUnclear {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// The opened bytes were compared with the journalled digest, right before sending.
    Prepared {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// Their digest; `None` when the document does not open.
        opened: Option<Sha256Digest>,
    },
    /// Send-Document was answered with success.
    Sent {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// Print-Job was answered with success.
    JobTaken {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The job there.
        remote: RemoteJob,
        /// What of the job the printer will not honour.
        unsupported: Vec<Asked>,
    },
    /// Print-Job was refused, and the printer says that it kept nothing of it.
    JobRefused {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// Whether the same will be refused for ever.
        is_for_good: bool,
    },
    /// Send-Document or Print-Job failed or its answer did not come: bytes may have left.
    SendUnclear {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// Send-Document or Print-Job failed and no byte of the document can have left or was kept.
    SendNotTaken {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// Nothing was sent: the document cannot be drawn in the shape that the printer takes.
    SendNotDrawn {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// Cancel-Job was asked for, with or without an answer.
    CancelTried {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
    },
    /// The printer was asked for the attempt's job, or for the one that is cleared before the next attempt.
    Sighted {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// What was seen.
        sighting: Sighting,
    },
    /// The document and its key are destroyed.
    Shredded {
        /// The job.
        job: JobId,
    },
}

/// An order as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// It opens and is for this machine and journal.
    Good(Box<Facts>),
    /// It cannot be taken; central is told why.
    Bad {
        /// What is known of it.
        facts: Box<Facts>,
        /// Why.
        reason: Reason,
    },
}

/// What verification of the opened document said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Valid; this revision may be printed.
    Valid(Revision),
    /// Not to be printed, and why.
    Refused(Reason),
}

/// What a lane's printer says of itself before an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterSurvey {
    /// It can take the document.
    Ready {
        /// What it says of itself.
        mark: PrinterMark,
        /// The jobs that it has or remembers under this machine's name, as far as it tells.
        jobs: Vec<RemoteView>,
    },
    /// It has no format that we can give.
    FormatUnsupported,
    /// It lacks an operation that printing once rests on: Create-Job with Send-Document, or else Print-Job, or asking for
    /// and calling off jobs.
    OperationsMissing,
}

/// What an officer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The sheet came out, whole.
    CameOut,
    /// No sheet came out.
    DidNot,
    /// A sheet came out and is spoiled.
    Damaged,
}

/// What a job asks of a printer that shows on the sheet, or in how many sheets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// One copy.
    Copies,
    /// One side.
    Sides,
    /// Nothing scaled.
    Scaling,
    /// A4 stationery.
    Media,
}

/// A rule said no; the person can act on it. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such job here.
    #[error("find the job: this machine does not hold it")]
    UnknownJob,
    /// The job is not in a state that allows this.
    #[error("change the job: it is {state}")]
    NotNow {
        /// Its stage.
        state: &'static str,
    },
    /// Too late to call off.
    #[error("call the job off: its document is on its way to the printer")]
    AlreadySending,
    /// Its time ran out.
    #[error("release the job: its time has run out")]
    PastNotAfter,
    /// The observation is of an attempt or step that is over.
    #[error("use an observation: it is of a step that is over")]
    Stale,
    /// The same id with other bytes or for another journal.
    #[error("accept the order: its id is known with other bytes")]
    Replay,
    /// An exercise page never goes to a lane that has anything to do.
    #[error("accept the exercise page: its printer has something to do")]
    LaneTaken,
    /// Asked about this job before, an officer must say which attempt is meant.
    #[error("take the answer: it must name attempt {attempt}")]
    SayWhich {
        /// The attempt in question.
        attempt: u32,
    },
}

impl Refusal {
    /// The stable code shown to people.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownJob => "P-101",
            Self::NotNow { .. } => "P-102",
            Self::AlreadySending => "P-103",
            Self::PastNotAfter => "P-104",
            Self::Stale => "P-105",
            Self::Replay => "P-106",
            Self::SayWhich { .. } => "P-107",
            Self::LaneTaken => "P-108",
        }
    }
}
