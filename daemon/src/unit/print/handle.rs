//! How other units reach the desk: one bounded queue, one answer a question.

use loket_domain::exercise::Rest;
use loket_domain::print::{Command, Job, Refusal};
use loket_journal::{JournalError, OutboxSpan};
use loket_wire::{JobId, JobState, OpenJob, Reason, Report, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::shell::SubmitError;

/// Why the desk did not do what was asked.
#[derive(Debug, Error)]
pub enum DeskError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be journalled; nothing changed, ask again.
    #[error("keep the decision")]
    Journal(#[source] JournalError),
    /// The order is of a job that ended long ago.
    #[error("accept the order: its job ended long ago")]
    LongOver,
    /// The desk is not running.
    #[error("ask the print desk: it is not running")]
    Gone,
    /// The desk contradicted itself: a bug.
    #[error("decide soundly")]
    Bug,
    /// The journal must be opened anew: the program restarts.
    #[error("go on with a journal that must be opened anew")]
    Broken,
    /// An effect ended without an answer: a bug.
    #[error("finish an effect")]
    Effect,
    /// Too many reports wait for central already.
    #[error("keep the report: too many wait for central")]
    Crowded,
}

impl DeskError {
    /// Whether only a fresh start helps: a commit of unknown outcome, a damaged file, or a desk that contradicts
    /// itself (an effect whose answer was not taken would run again, and may have put a document on paper).
    pub(super) const fn is_fatal(&self) -> bool {
        matches!(
            self,
            Self::Bug
                | Self::Journal(
                    JournalError::NeedsReopen | JournalError::Corrupt | JournalError::Stopped
                )
        )
    }
}

impl From<JournalError> for DeskError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

pub(super) fn sort(error: SubmitError<Refusal>) -> DeskError {
    match error {
        SubmitError::Refused(refusal) => DeskError::Refused(refusal),
        SubmitError::Journal(error) => DeskError::Journal(error),
        SubmitError::Illegal(error) => {
            tracing::error!(%error, "the print desk decided what it cannot apply");
            DeskError::Bug
        }
        SubmitError::Encode(error) => {
            tracing::error!(%error, "an event cannot be written");
            DeskError::Bug
        }
    }
}

/// A question to the desk.
#[derive(Debug)]
pub(super) enum Ask {
    Submit {
        command: Box<Command>,
        reply: oneshot::Sender<Result<bool, DeskError>>,
    },
    Report {
        report: Box<Report>,
        reply: oneshot::Sender<Result<(), DeskError>>,
    },
    Jobs {
        reply: oneshot::Sender<Vec<JobView>>,
    },
    Resting {
        lane: String,
        reply: oneshot::Sender<Resting>,
    },
    NoteRest {
        lane: String,
        before: Option<Rest>,
        rest: Rest,
        reply: oneshot::Sender<Result<(), DeskError>>,
    },
    Held {
        reply: oneshot::Sender<Result<Held, DeskError>>,
    },
    Job {
        job: JobId,
        reply: oneshot::Sender<Result<Option<JobView>, DeskError>>,
    },
}

/// A job as an officer's list shows it; its label is added by who may open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: String,
    /// The public service.
    pub service: String,
    /// Its state.
    pub state: JobState,
    /// Why, where there is a why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Attempts begun.
    pub attempt_count: u32,
    /// Whether it is over and its document destroyed.
    #[serde(default)]
    pub is_closed: bool,
    /// Last moment it may be printed.
    #[serde(rename = "not_after_ms")]
    pub not_after: Timestamp,
}

impl JobView {
    pub(super) fn of(job: &Job) -> Self {
        let (state, reason) = job.public_state();
        Self {
            job_id: job.facts.job_id,
            reference: job.facts.reference.to_string(),
            service: job.facts.service.as_str().to_owned(),
            state,
            reason,
            attempt_count: job.attempt_count,
            is_closed: job.is_closed(),
            not_after: job.facts.not_after,
        }
    }
}

/// Whether a printer rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// Since when, as the journal has it.
    pub rest: Option<Rest>,
    /// Whether anything is on its way to it.
    pub is_lane_taken: bool,
}

/// What the machine holds at one moment: no report was journalled between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Every job that is not ended.
    pub jobs: Vec<OpenJob>,
    /// The reports in the outbox.
    pub outbox: OutboxSpan,
}

/// Reaches the desk; cheap to clone.
///
/// # Cancel safety
/// A dropped question may still be answered: what it asked for may happen.
#[derive(Debug, Clone)]
pub struct DeskHandle {
    asks: mpsc::Sender<Ask>,
    reported: watch::Receiver<u64>,
}

impl DeskHandle {
    pub(super) const fn new(asks: mpsc::Sender<Ask>, reported: watch::Receiver<u64>) -> Self {
        Self { asks, reported }
    }

    /// Submits a command; true when it changed something, which is on disk by then.
    ///
    /// # Errors
    /// [`DeskError`]
    pub async fn submit(&self, command: Command) -> Result<bool, DeskError> {
        let command = Box::new(command);
        self.ask(|reply| Ask::Submit { command, reply }).await?
    }

    /// Journals a report that belongs to no job.
    ///
    /// # Errors
    /// [`DeskError`]
    pub async fn report(&self, report: Report) -> Result<(), DeskError> {
        let report = Box::new(report);
        self.ask(|reply| Ask::Report { report, reply }).await?
    }

    /// Every job that is not ended.
    ///
    /// # Errors
    /// [`DeskError::Gone`]
    pub async fn jobs(&self) -> Result<Vec<JobView>, DeskError> {
        self.ask(|reply| Ask::Jobs { reply }).await
    }

    /// Whether a printer rests, by its name in the settings.
    ///
    /// # Errors
    /// [`DeskError::Gone`]
    pub async fn resting(&self, lane: String) -> Result<Resting, DeskError> {
        self.ask(|reply| Ask::Resting { lane, reply }).await
    }

    /// Journals a rest that follows from a look at the printer, unless it is no longer as it was `before`.
    ///
    /// # Errors
    /// [`DeskError`]
    pub async fn note_rest(
        &self,
        lane: String,
        before: Option<Rest>,
        rest: Rest,
    ) -> Result<(), DeskError> {
        let ask = |reply| Ask::NoteRest {
            lane,
            before,
            rest,
            reply,
        };
        self.ask(ask).await?
    }

    /// Jobs and outbox at one moment, for central to compare.
    ///
    /// # Errors
    /// [`DeskError`]
    pub async fn held(&self) -> Result<Held, DeskError> {
        self.ask(|reply| Ask::Held { reply }).await?
    }

    /// One job, an ended one too; `None` when this machine does not know it (any more).
    ///
    /// # Errors
    /// [`DeskError`]
    pub async fn job(&self, job: JobId) -> Result<Option<JobView>, DeskError> {
        self.ask(|reply| Ask::Job { job, reply }).await?
    }

    /// Changes whenever a report was journalled; holds its number.
    #[must_use]
    pub fn reported(&self) -> watch::Receiver<u64> {
        self.reported.clone()
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, DeskError> {
        let (reply, answer) = oneshot::channel();
        self.asks
            .send(ask(reply))
            .await
            .map_err(|_gone| DeskError::Gone)?;
        answer.await.map_err(|_gone| DeskError::Gone)
    }
}
