//! The print unit: owns the desk, journals every decision, and drives the effects that follow from its state.
//!
//! One loop owns the state; each effect runs as a task of this unit, once at a time by its id, and answers with a
//! command. A task that cannot go on (printer away, disk full) waits with growing pauses and tries again: the order
//! decide → journal → apply → effect is never changed by a fault.

mod effects;
mod handle;
mod recover;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::core::Core as _;
use loket_domain::print::{
    Actor, Command, Desk, EVENT_VERSION, EffectId, Event, Intake, Job, Refusal, What,
};
use loket_journal::Journal;
use loket_wire::JobId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use effects::Hands;
pub use handle::{DeskError, DeskHandle, Held, JobView};
pub use recover::{RecoverError, recover};

use crate::clock::Clock;
use crate::shell::{Shell, SubmitError, stream_of};
use handle::Ask;

/// Questions waiting for the desk: a handful of units ask, each one at a time, and effects answer.
const ASK_QUEUE: usize = 64;

/// Time limits are looked at this often although nothing happened: `not_after` is a matter of days.
const TICK: Duration = Duration::from_secs(30);

/// The print unit before it runs.
#[derive(Debug)]
pub struct PrintUnit {
    shell: Shell<Desk>,
    journal: Journal,
    clock: Clock,
    asks: mpsc::Receiver<Ask>,
    left_alone: BTreeSet<JobId>,
}

impl PrintUnit {
    /// Makes the unit of a recovered desk, and the handle by which others reach it.
    #[must_use]
    pub fn new(desk: Desk, journal: Journal, clock: Clock) -> (Self, DeskHandle) {
        let (sender, asks) = mpsc::channel(ASK_QUEUE);
        let (reported, seen) = watch::channel(0);
        let shell = Shell::new(desk, journal.clone(), clock.clone(), reported);
        (
            Self {
                shell,
                journal,
                clock,
                asks,
                left_alone: BTreeSet::new(),
            },
            DeskHandle::new(sender, seen),
        )
    }

    /// Leaves the jobs that are on the desk at present alone: a document printed by hand must not set others going.
    #[must_use]
    pub fn leaving_present_jobs_alone(mut self) -> Self {
        self.left_alone = self
            .shell
            .core()
            .jobs()
            .map(|job| job.facts.job_id)
            .collect();
        self
    }

    /// Runs until `stop`, then lets running effects finish what must not be cut.
    ///
    /// # Errors
    /// [`DeskError`] when the desk cannot even be resumed; later faults are waited out.
    pub async fn run(
        mut self,
        hands: Arc<Hands>,
        stop: CancellationToken,
    ) -> Result<(), DeskError> {
        self.shell
            .submit(Command::Resume)
            .await
            .map_err(handle::sort)?;
        let mut running: BTreeSet<EffectId> = BTreeSet::new();
        let mut tasks: JoinSet<EffectId> = JoinSet::new();
        let mut tick = tokio::time::interval(TICK);
        loop {
            if !stop.is_cancelled() {
                for effect in self.shell.core().effects(self.clock.now()) {
                    let is_ours = !self.left_alone.contains(&effect.id.job);
                    if is_ours && running.insert(effect.id) {
                        tasks.spawn(effects::run(Arc::clone(&hands), effect, stop.clone()));
                    }
                }
            } else if running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                Some(done) = tasks.join_next() => match done {
                    Ok(id) => { running.remove(&id); }
                    Err(error) => {
                        // A panicked effect is a bug; the restarted unit asks the printer what became of it.
                        tracing::error!(%error, "an effect of the print desk ended without an answer");
                        return Err(DeskError::Effect);
                    }
                },
                Some(ask) = self.asks.recv() => self.answer(ask).await?,
                _at = tick.tick() => self.tick().await,
            }
        }
    }

    async fn tick(&mut self) {
        if let Err(error) = self.shell.submit(Command::Tick).await {
            tracing::warn!(error = %crate::telemetry::chain(&error), "time limits not applied; again in 30 s");
        }
    }

    async fn answer(&mut self, ask: Ask) -> Result<(), DeskError> {
        match ask {
            Ask::Submit { command, reply } => {
                let outcome = self.submit(*command).await;
                let fatal = outcome.as_ref().is_err_and(DeskError::is_fatal);
                drop(reply.send(outcome));
                if fatal {
                    return Err(DeskError::Broken);
                }
            }
            Ask::Report { report, reply } => {
                let outcome = self.shell.report(&report).await.map_err(handle::sort);
                drop(reply.send(outcome));
            }
            Ask::Jobs { reply } => {
                let jobs = self.shell.core().jobs().filter(|job| job.is_open());
                drop(reply.send(jobs.map(JobView::of).collect()));
            }
            Ask::Held { reply } => drop(reply.send(self.held().await)),
            Ask::Job { job, reply } => {
                let looked = match self.remember(job).await {
                    Ok(()) => Ok(self.shell.core().job(job).map(JobView::of)),
                    Err(DeskError::LongOver) => Ok(None),
                    Err(error) => Err(error),
                };
                self.shell.core_mut().forget_closed();
                drop(reply.send(looked));
            }
        }
        Ok(())
    }

    /// Nothing is journalled meanwhile: every report is made by this loop.
    async fn held(&self) -> Result<Held, DeskError> {
        let outbox = self.journal.outbox_span().await;
        let outbox = outbox.map_err(|error| handle::sort(SubmitError::Journal(error)))?;
        let jobs = self.shell.core().jobs().filter(|job| job.is_open());
        let jobs = jobs.map(JobView::of).collect();
        Ok(Held { jobs, outbox })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only orders are asked of the journal first"
    )]
    async fn submit(&mut self, command: Command) -> Result<bool, DeskError> {
        let outcome = match &command {
            Command::Accept(Intake::Good(facts) | Intake::Bad { facts, .. }) => {
                let job = facts.job_id;
                self.accept(job, command).await
            }
            _other => self.decide(command).await,
        };
        self.shell.core_mut().forget_closed();
        outcome
    }

    async fn decide(&mut self, command: Command) -> Result<bool, DeskError> {
        let events = self.shell.submit(command).await.map_err(handle::sort)?;
        for event in &events {
            let kind = event.what.kind();
            tracing::info!(job.id = %event.job_id, event = kind, "job {}: {kind}", event.job_id);
        }
        Ok(!events.is_empty())
    }

    /// Takes an order, or tells again what became of a job that is known.
    ///
    /// A closed job's stream takes no event any more, so its end is journalled as a report alone. After a replay the
    /// present state is told too: it heals a central that was restored from an older copy.
    async fn accept(&mut self, job: JobId, command: Command) -> Result<bool, DeskError> {
        self.remember(job).await?;
        let is_closed = self.shell.core().job(job).is_some_and(Job::is_closed);
        let outcome = if is_closed {
            let decided = self.shell.core().decide(self.clock.now(), command);
            decided.map(|_restated| false).map_err(DeskError::Refused)
        } else {
            self.decide(command).await
        };
        if is_closed || matches!(outcome, Err(DeskError::Refused(Refusal::Replay))) {
            self.tell_again(job).await?;
        }
        outcome
    }

    async fn tell_again(&mut self, id: JobId) -> Result<(), DeskError> {
        let Some(job) = self.shell.core().job(id) else {
            return Ok(());
        };
        let now = self.clock.now();
        let (state, reason) = job.public_state();
        let restated = Event {
            v: EVENT_VERSION,
            job_id: id,
            at: now.wall,
            clock_trusted: now.trusted,
            actor: Actor::Machine,
            what: What::Restated { state, reason },
        };
        let Some(report) = restated.report(job) else {
            return Ok(());
        };
        self.shell.report(&report).await.map_err(handle::sort)
    }

    /// A closed job is not in memory: before an order is judged new, the journal is asked whether it knows it.
    async fn remember(&mut self, job: JobId) -> Result<(), DeskError> {
        if self.shell.core().job(job).is_some() {
            return Ok(());
        }
        let read = |error| handle::sort(SubmitError::Journal(error));
        let stream = stream_of(job);
        if self.journal.ledger(&stream).await.map_err(read)?.is_some() {
            return Err(DeskError::LongOver);
        }
        for stored in self.journal.stream(&stream).await.map_err(read)? {
            recover::apply_stored(self.shell.core_mut(), &stored).map_err(|error| {
                tracing::error!(%error, "a closed job's history cannot be read");
                DeskError::LongOver
            })?;
        }
        Ok(())
    }
}
