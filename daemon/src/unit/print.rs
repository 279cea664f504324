//! The print unit: owns the desk, journals every decision, and drives the effects that follow from its state.
//!
//! One loop owns the state; each effect runs as a task of this unit, once at a time by its id, and answers with a
//! command. A task that cannot go on (printer away, disk full) waits with growing pauses and tries again: the order
//! decide → journal → apply → effect is never changed by a fault.

mod account;
mod at_printer;
mod effects;
mod fetch;
mod handle;
mod payload;
mod readings;
mod recover;
mod rests;
mod retention;
mod running;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::core::Core as _;
use loket_domain::exercise::Rest;
use loket_domain::print::{
    Actor, Command, Desk, EffectStep, Event, Intake, Job, Verification, What,
};
use loket_journal::Journal;
use loket_wire::{JobId, Reason, Report};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use account::{Report as DayReport, ReportDesk, ReportError};
pub use effects::Hands;
pub use handle::{DeskError, DeskHandle, Held, JobView, Resting};
pub use recover::{RecoverError, recover};
pub use retention::sweep;

use crate::clock::Clock;
use crate::shell::{Shell, stream_of};
use crate::telemetry::chain;
use handle::Ask;
use readings::Readings;
use rests::Rests;
use running::Running;

/// Questions waiting for the desk: a handful of units ask, each one at a time, and effects answer.
const ASK_QUEUE: usize = 64;

/// Time limits are looked at this often although nothing happened, where the desk names no earlier moment: a clock that
/// is set must not let a limit pass unseen.
const TICK: Duration = Duration::from_secs(30);

/// A start that met a full disk is tried again this often.
const RESUME_AGAIN: Duration = Duration::from_secs(1);

/// Reports that may wait for central before those of no event yield: a week of a busy station without link makes
/// fewer, and they take a few megabytes.
const MAX_WAITING_REPORTS: u64 = 10_000;

/// The print unit before it runs.
#[derive(Debug)]
pub struct PrintUnit {
    shell: Shell<Desk>,
    journal: Journal,
    clock: Clock,
    asks: mpsc::Receiver<Ask>,
    left_alone: BTreeSet<JobId>,
    readings: Readings,
    rests: Rests,
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
                readings: Readings::default(),
                rests: Rests::default(),
            },
            DeskHandle::new(sender, seen),
        )
    }

    /// Leaves those of the jobs that are on the desk at present alone: a document printed by hand must not set others
    /// going.
    #[must_use]
    pub fn leaving_alone(mut self, is_left: impl Fn(&Job) -> bool) -> Self {
        let left = self.shell.core().jobs().filter(|job| is_left(job));
        self.left_alone = left.map(|job| job.facts.job_id).collect();
        self
    }

    /// Runs until `stop`, then lets running effects finish what must not be cut.
    ///
    /// # Errors
    /// [`DeskError`] when only a fresh start of the program helps; a full disk is waited out.
    pub async fn run(
        mut self,
        hands: Arc<Hands>,
        stop: CancellationToken,
    ) -> Result<(), DeskError> {
        self.readings = Readings::load(&self.journal).await?;
        self.rests = Rests::load(&self.journal).await?;
        let mut running = Running::new(hands, stop.clone());
        let mut housekeeping = JoinSet::new();
        housekeeping.spawn(retention::run(self.journal.clone(), self.clock.clone()));
        let mut is_resumed = false;
        let mut tick = tokio::time::interval(TICK);
        loop {
            if !is_resumed {
                is_resumed = self.resume().await?;
            }
            if stop.is_cancelled() {
                if running.is_empty() {
                    return Ok(self.readings.close(&self.journal).await?);
                }
            } else if is_resumed {
                while self.start_effects(&mut running).await? {}
            }
            let rest = self.until_wake();
            tokio::select! {
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                Some(ended) = running.ended() => if let Err(error) = ended {
                    // A panicked effect is a bug; the restarted unit asks the printer what became of it.
                    // Its text is that of the panic, which may be a document's.
                    let is_panic = error.is_panic();
                    tracing::error!(is_panic, "an effect of the print desk ended without an answer");
                    return Err(DeskError::Effect);
                },
                Some(ask) = self.asks.recv() => self.answer(ask).await?,
                _at = tick.tick() => self.tick().await?,
                () = tokio::time::sleep(rest) => self.tick().await?,
                () = tokio::time::sleep(RESUME_AGAIN), if !is_resumed => {}
            }
        }
    }

    /// Whatever was awaited when the program stopped is lost; no effect runs before that is on disk.
    async fn resume(&mut self) -> Result<bool, DeskError> {
        // A start brings no sheet, and takes none.
        let resumed = self
            .shell
            .submit(Command::Resume, |_desk, _events| Vec::new())
            .await
            .map_err(handle::sort);
        match resumed {
            Ok(_lost) => Ok(true),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => {
                tracing::error!(error = %chain(&error), "jobs are not resumed: their state cannot be journalled; trying again");
                Ok(false)
            }
        }
    }

    /// How long the desk may be left alone; what is due comes first, so there is always some time.
    fn until_wake(&self) -> Duration {
        let now = self.clock.now();
        let wake = self.shell.core().wake_at(now);
        let ms = wake.map(|wake| wake.unix_ms().saturating_sub(now.wall.unix_ms()));
        let wait = ms.and_then(|ms| u64::try_from(ms).ok());
        wait.map_or(TICK, Duration::from_millis).min(TICK)
    }

    /// Starts what the state asks for and lets end what it asks for no longer; true when the state changed meanwhile.
    async fn start_effects(&mut self, running: &mut Running) -> Result<bool, DeskError> {
        let mut wanted = self.shell.core().effects(self.clock.now());
        wanted.retain(|effect| !self.left_alone.contains(&effect.id.job));
        running.end_others_than(&wanted);
        for effect in wanted {
            let job = effect.id.job;
            if !running.is_free(job) {
                continue;
            }
            if effect.id.step == EffectStep::Verify {
                if running.is_reading() {
                    continue;
                }
                match self.readings.begin(&self.journal, job).await {
                    Ok(true) => {}
                    Ok(false) => return self.set_aside(job).await,
                    Err(error) => {
                        let error = DeskError::Journal(error);
                        if error.is_fatal() {
                            return Err(error);
                        }
                        tracing::error!(job.id = %job, error = %chain(&error), "document not yet read");
                        continue;
                    }
                }
            }
            running.start(effect);
        }
        Ok(false)
    }

    /// Ends a job whose document took the program down too often.
    async fn set_aside(&mut self, job: JobId) -> Result<bool, DeskError> {
        tracing::error!(job.id = %job, "reading this document ended the program again and again: it is set aside");
        let outcome = Verification::Refused(Reason::Poison);
        match self.decide(Command::Verified { job, outcome }).await {
            Ok(changed) => {
                self.readings.answered(job);
                Ok(changed)
            }
            Err(error) if error.is_fatal() => Err(error),
            Err(_full) => Ok(false),
        }
    }

    async fn tick(&mut self) -> Result<(), DeskError> {
        match self.decide(Command::Tick).await {
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "time limits not applied; again in 30 s");
            }
            Ok(_changed) => {}
        }
        Ok(())
    }

    /// Answers one question.
    ///
    /// # Errors
    /// After a fatal error the asker has its answer and the unit ends.
    async fn answer(&mut self, ask: Ask) -> Result<(), DeskError> {
        match ask {
            Ask::Submit { command, reply } => give(reply, self.submit(*command).await),
            Ask::Report { report, reply } => give(reply, self.report(&report).await),
            Ask::Held { reply } => give(reply, self.held().await),
            Ask::Job { job, reply } => {
                let looked = match self.remember(job).await {
                    Ok(()) => Ok(self.shell.core().job(job).map(JobView::of)),
                    Err(DeskError::LongOver) => Ok(None),
                    Err(error) => Err(error),
                };
                self.shell.core_mut().forget_closed();
                give(reply, looked)
            }
            Ask::Resting { lane, reply } => {
                let resting = Resting {
                    rest: self.rests.of(&lane),
                    is_lane_taken: self.shell.core().is_lane_taken(&lane),
                };
                // The asker may be gone.
                reply.send(resting).ok();
                Ok(())
            }
            Ask::NoteRest {
                lane,
                before,
                rest,
                reply,
            } => {
                let noted = self.note_rest((lane, rest), before).await;
                give(reply, noted)
            }
            Ask::Jobs { reply } => {
                let jobs = self.shell.core().jobs().filter(|job| job.is_open());
                drop(reply.send(jobs.map(JobView::of).collect()));
                Ok(())
            }
        }
    }

    /// Of two who saw a rest end, the later one has looked at what the earlier one put down.
    async fn note_rest(
        &mut self,
        (lane, rest): (String, Rest),
        before: Option<Rest>,
    ) -> Result<(), DeskError> {
        if self.rests.of(&lane) != before {
            return Ok(());
        }
        let noted = self
            .rests
            .note(&self.journal, self.shell.core(), (lane, rest));
        Ok(noted.await?)
    }

    /// Nothing is journalled meanwhile: every report is made by this loop.
    async fn held(&self) -> Result<Held, DeskError> {
        let outbox = self.journal.outbox_span().await?;
        let jobs = self.shell.core().open_jobs();
        Ok(Held { jobs, outbox })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only what central asks is looked up in the journal first"
    )]
    async fn submit(&mut self, command: Command) -> Result<bool, DeskError> {
        if let Command::Verified { job, .. } = &command {
            self.readings.answered(*job);
        }
        let outcome = match &command {
            Command::Accept(Intake::Good(facts) | Intake::Bad { facts, .. }) => {
                let job = facts.job_id;
                self.accept(job, command).await
            }
            Command::Cancel {
                job,
                by: Actor::Central,
            } => {
                let job = *job;
                self.call_off(job, command).await
            }
            _other => self.decide(command).await,
        };
        self.shell.core_mut().forget_closed();
        outcome
    }

    async fn decide(&mut self, command: Command) -> Result<bool, DeskError> {
        // What paper a command tells of, or which page it takes, stands in one transaction: only a start and the passing
        // of time decide for many jobs, and neither brings a sheet.
        let mut rests = self.rests.clone();
        let events = self
            .shell
            .submit(command, |desk, events| rests.follow(desk, events))
            .await
            .map_err(handle::sort)?;
        self.rests = rests;
        events.iter().for_each(log);
        Ok(events.iter().any(|event| event.what.is_change()))
    }

    /// Takes an order, or tells again what became of a job that is known.
    ///
    /// After a replay the present state is told too: it heals a central that was restored from an older copy.
    async fn accept(&mut self, job: JobId, command: Command) -> Result<bool, DeskError> {
        self.remember_or_tell(job).await?;
        if self.shell.core().job(job).is_none() {
            return self.decide(command).await;
        }
        let decided = self.decide_unless_crowded(command).await;
        if let Err(DeskError::Refused(_)) = &decided {
            self.decide_unless_crowded(Command::Restate { job }).await?;
        }
        decided
    }

    /// Central's question to call a job off is answered for a closed job as well.
    async fn call_off(&mut self, job: JobId, command: Command) -> Result<bool, DeskError> {
        self.remember_or_tell(job).await?;
        self.decide_unless_crowded(command).await
    }

    /// What only tells central again where a job stands yields where very much waits for central: it is in there. What
    /// changes a job happens once, and yields to nothing.
    async fn decide_unless_crowded(&mut self, command: Command) -> Result<bool, DeskError> {
        if self.is_crowded().await? {
            let decided = self.shell.core().decide(self.clock.now(), command.clone());
            let events = decided.map_err(DeskError::Refused)?;
            if !events.iter().any(|event| event.what.is_change()) {
                return Ok(false);
            }
        }
        self.decide(command).await
    }

    async fn is_crowded(&self) -> Result<bool, DeskError> {
        Ok(self.journal.outbox_span().await?.count >= MAX_WAITING_REPORTS)
    }

    /// Journals an answer to central. Where very much waits for central already, what it asks is in there.
    async fn answer_central(&mut self, report: &Report) -> Result<(), DeskError> {
        match self.report(report).await {
            Err(DeskError::Crowded) => Ok(()),
            other => other,
        }
    }

    /// Journals a report that belongs to no event. Such reports could be called forth without end (a message that a
    /// broker repeats, a printer that flaps for a week without link), so they yield when very many wait.
    async fn report(&mut self, report: &Report) -> Result<(), DeskError> {
        if self.is_crowded().await? {
            return Err(DeskError::Crowded);
        }
        self.shell.report(report).await.map_err(handle::sort)
    }

    /// As [`Self::remember`]; of a job that ended so long ago that its ledger row alone stands, its end is told.
    async fn remember_or_tell(&mut self, job: JobId) -> Result<(), DeskError> {
        let remembered = self.remember(job).await;
        if let Err(DeskError::LongOver) = &remembered {
            let row = self.journal.ledger(&stream_of(job)).await?;
            let now = self.clock.now();
            if let Some(report) = row.and_then(|row| retention::report(&row, now)) {
                self.answer_central(&report).await?;
            }
        }
        remembered
    }

    /// A closed job is not in memory: before an order is judged new, the journal is asked whether it knows it.
    ///
    /// The stream is read before the ledger: a sweep between the two moves it there, and a job must not be missed.
    async fn remember(&mut self, job: JobId) -> Result<(), DeskError> {
        if self.shell.core().job(job).is_some() {
            return Ok(());
        }
        let stream = stream_of(job);
        let events = self.journal.stream(&stream).await?;
        if events.is_empty() {
            let row = self.journal.ledger(&stream).await?;
            return row.map_or(Ok(()), |_row| Err(DeskError::LongOver));
        }
        // Beside the desk: half a history must never stand on it, where its effects would run.
        let mut known = self.shell.core().with_only([]);
        for stored in events {
            recover::apply_stored(&mut known, &stored).map_err(|error| {
                tracing::error!(%error, "a closed job's history cannot be read");
                DeskError::LongOver
            })?;
        }
        if !known.job(job).is_some_and(Job::is_closed) {
            tracing::error!(job.id = %job, "a job stands open in the journal and not on the desk");
            return Err(DeskError::Bug);
        }
        self.shell.core_mut().take_over(known);
        Ok(())
    }
}

/// A change is told once; why a job waits is for a person to mend.
fn log(event: &Event) {
    let (job, kind) = (event.job_id, event.what.kind());
    if let What::Waiting {
        reason: Some(reason),
    } = &event.what
    {
        tracing::warn!(job.id = %job, event = kind, ?reason, "job {job} waits for its printer");
    } else {
        tracing::info!(job.id = %job, event = kind, "job {job}: {kind}");
    }
}

/// Gives the answer, and ends the unit where only a fresh start helps.
fn give<T>(
    reply: oneshot::Sender<Result<T, DeskError>>,
    outcome: Result<T, DeskError>,
) -> Result<(), DeskError> {
    let is_fatal = outcome.as_ref().is_err_and(DeskError::is_fatal);
    // The asker may be gone; what it asked for has happened or not.
    drop(reply.send(outcome));
    if is_fatal {
        return Err(DeskError::Broken);
    }
    Ok(())
}
