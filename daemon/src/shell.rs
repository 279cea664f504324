//! The one order of the house: decide → journal (one transaction, on disk) → apply. Effects follow from the state.

use loket_domain::core::{Core, IllegalEvent};
use loket_domain::print;
use loket_journal::{Batch, CloseStream, Journal, JournalError, NewEvent, NewReport};
use loket_wire::{Report, Timestamp};
use thiserror::Error;
use tokio::sync::watch;

use crate::clock::{Clock, certain};
use crate::stops::{Hold, Stop, hold, pass};

/// A core whose events can be kept: how an event is written, and what central is told of it.
pub trait Recorded: Core + Sized {
    /// A core of which only what these events touch is there: they are tried on it before they are written, at a cost
    /// that does not grow with everything else.
    fn touched_by(&self, events: &[Self::Event]) -> Self;

    /// Takes over what became of it.
    fn take_over(&mut self, touched: Self);

    /// The journal entry of `event`, which `self` has just applied; `at` has certainly passed, and is when a stream
    /// that ends with it is closed.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, which is a bug.
    fn entry(&self, event: &Self::Event, at: Timestamp) -> Result<Entry, serde_json::Error>;
}

/// How an event stands in the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its disk form; none for what is only told again.
    pub event: Option<NewEvent>,
    /// What central is told, if anything.
    pub report: Option<NewReport>,
    /// Set when the stream ends with it.
    pub close: Option<CloseStream>,
}

/// Why a command had no effect.
#[derive(Debug, Error)]
pub enum SubmitError<R: std::error::Error + 'static> {
    /// A rule said no.
    #[error(transparent)]
    Refused(R),
    /// The decision could not be written; nothing changed. The same command may be submitted again.
    #[error("keep the decision")]
    Journal(#[source] JournalError),
    /// The core decided what it cannot apply: a bug; nothing changed.
    #[error("apply the core's own decision")]
    Illegal(#[source] IllegalEvent),
    /// The event cannot be written: a bug; nothing changed.
    #[error("write the event")]
    Encode(#[source] serde_json::Error),
}

/// A core with its journal.
#[derive(Debug)]
pub struct Shell<C> {
    core: C,
    journal: Journal,
    clock: Clock,
    reported: watch::Sender<u64>,
}

impl<C: Recorded> Shell<C>
where
    C::Refusal: 'static,
{
    /// Joins a recovered core with the journal it was recovered from.
    #[must_use]
    pub fn new(core: C, journal: Journal, clock: Clock, reported: watch::Sender<u64>) -> Self {
        Self {
            core,
            journal,
            clock,
            reported,
        }
    }

    /// The core in its present state.
    pub const fn core(&self) -> &C {
        &self.core
    }

    /// The core, for changes that are no events (loading from and dropping to the journal).
    pub const fn core_mut(&mut self) -> &mut C {
        &mut self.core
    }

    /// Decides, journals and applies; gives what happened.
    ///
    /// The events are applied to a copy of what they touch first, so that nothing illegal is ever written. `note` says
    /// what else is put down with the events of one transaction, of the core before them: settings of the journal by name.
    ///
    /// # Errors
    /// [`SubmitError`]; the state is unchanged then.
    pub async fn submit(
        &mut self,
        command: C::Command,
        mut note: impl FnMut(&C, &[C::Event]) -> Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<C::Event>, SubmitError<C::Refusal>> {
        let now = self.clock.now();
        let events = self
            .core
            .decide(now, command)
            .map_err(SubmitError::Refused)?;
        // A batch has at most so many rows; more than one batch is more than one transaction, so events of one job
        // stay together: only `Resume` and `Tick` decide for several jobs, each with a single event.
        for part in events.chunks(MAX_EVENTS_PER_BATCH) {
            let mut next = self.core.touched_by(part);
            let mut batch = Batch {
                meta: note(&self.core, part),
                ..Batch::default()
            };
            for event in part {
                next.apply(event).map_err(SubmitError::Illegal)?;
                let entry = next
                    .entry(event, certain(now))
                    .map_err(SubmitError::Encode)?;
                batch.events.extend(entry.event);
                batch.reports.extend(entry.report);
                batch.close_streams.extend(entry.close);
            }
            self.append(batch, (Stop::BeforeCommit, Stop::AfterCommit))
                .await?;
            self.core.take_over(next);
        }
        Ok(events)
    }

    /// Journals a report that belongs to no event of the core.
    ///
    /// # Errors
    /// [`SubmitError::Journal`] or [`SubmitError::Encode`].
    pub async fn report(&mut self, report: &Report) -> Result<(), SubmitError<C::Refusal>> {
        let report = new_report(report).map_err(SubmitError::Encode)?;
        let batch = Batch {
            reports: vec![report],
            ..Batch::default()
        };
        self.append(batch, (Stop::BeforeReport, Stop::AfterReport))
            .await
    }

    async fn append(
        &mut self,
        batch: Batch,
        (before, after): (Stop, Stop),
    ) -> Result<(), SubmitError<C::Refusal>> {
        hold(Hold::Append).await;
        pass(before);
        let appended = self
            .journal
            .append(batch)
            .await
            .map_err(SubmitError::Journal)?;
        pass(after);
        if let Some(seq) = appended.last_report_seq {
            self.reported.send_replace(seq);
        }
        Ok(())
    }
}

/// Events of one transaction: each may bring a report and a closed stream, and the journal takes 256 rows a batch.
const MAX_EVENTS_PER_BATCH: usize = 64;

/// The stream of one job.
#[must_use]
pub fn stream_of(job: loket_wire::JobId) -> String {
    format!("print/{job}")
}

fn new_report(report: &Report) -> Result<NewReport, serde_json::Error> {
    Ok(NewReport {
        kind: report.kind().to_owned(),
        bytes: serde_json::to_vec(report)?,
    })
}

impl Recorded for print::Desk {
    fn touched_by(&self, events: &[print::Event]) -> Self {
        self.with_only(events.iter().map(|event| event.job_id))
    }

    fn take_over(&mut self, touched: Self) {
        Self::take_over(self, touched);
    }

    fn entry(&self, event: &print::Event, at: Timestamp) -> Result<Entry, serde_json::Error> {
        let stream = stream_of(event.job_id);
        let report = self.job(event.job_id).and_then(|job| event.report(job));
        let close = matches!(event.what, print::What::Shredded).then(|| CloseStream {
            name: stream.clone(),
            // What is kept for so many days counts from here: by a clock that says 2040 it would be kept until then.
            at_ms: at.unix_ms(),
        });
        let kept = NewEvent {
            stream,
            kind: event.what.kind().to_owned(),
            version: event.v,
            bytes: serde_json::to_vec(event)?,
        };
        Ok(Entry {
            event: event.what.is_change().then_some(kept),
            report: report.as_ref().map(new_report).transpose()?,
            close,
        })
    }
}
