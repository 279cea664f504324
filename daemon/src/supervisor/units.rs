//! The running units and how they are stopped.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use super::{Deadlines, Enrolment, RunError, lanes};
use crate::alone::report_desk;
use crate::config::Config;
use crate::ground::Ground;
use crate::paper::PaperDesk;
use crate::profiles::load;
use crate::raster::Rasters;
use crate::unit::control::{ControlUnit, Door};
use crate::unit::days::OfficeDays;
use crate::unit::exercise::{ExerciseUnit, Exercised};
use crate::unit::health::{HealthLink, HealthUnit, watched};
use crate::unit::hotplug::{HotplugUnit, Plugs};
use crate::unit::media::Media;
use crate::unit::pages::PagesUnit;
use crate::unit::print::{DeskHandle, Hands, PrintUnit};
use crate::unit::printers::OfficePrinters;
use crate::unit::tickets::{TicketHandle, TicketUnit};
use crate::unit::verify::VerifyUnit;

/// The running units and how they are stopped.
#[derive(Default)]
pub(super) struct Units {
    /// Desk, officer's door, health.
    pub(super) tasks: JoinSet<Result<(), RunError>>,
    pub(super) stop: CancellationToken,
    /// The link; it ends last, so that what the others report still leaves.
    pub(super) links: JoinSet<Result<(), RunError>>,
    pub(super) link_stop: CancellationToken,
}

/// What the desk and the officer's door work with.
pub(super) struct Around<'a> {
    /// None on a machine that is not enrolled.
    pub(super) enrolment: Option<&'a Enrolment>,
    pub(super) paper: Option<&'a Arc<PaperDesk>>,
    /// None on a machine without a ticket printer.
    pub(super) tickets: Option<&'a TicketHandle>,
    pub(super) plugs: &'a Plugs,
}

impl Units {
    /// Runs what ends when it is asked to, and not before.
    fn spawn<R>(&mut self, run: impl FnOnce(CancellationToken) -> R)
    where
        R: Future<Output = ()> + Send + 'static,
    {
        let running = run(self.stop.clone());
        self.tasks.spawn(async move {
            running.await;
            Ok(())
        });
    }

    /// Hears of printers on USB cables, where the settings have any; gives what is heard.
    pub(super) fn start_hotplug(&mut self, config: &Config) -> Plugs {
        let Some((unit, plugs)) = HotplugUnit::of(config) else {
            return Plugs::default();
        };
        self.spawn(|stop| unit.run(stop));
        plugs
    }

    /// Prints tickets, where the settings have a printer for them; gives the way to whatever prints them.
    pub(super) fn start_tickets(
        &mut self,
        config: &Config,
        ground: &Ground,
    ) -> Option<TicketHandle> {
        let (unit, handle) = TicketUnit::of(config, ground)?;
        self.spawn(|stop| unit.run(stop));
        Some(handle)
    }

    pub(super) fn start_desk(
        &mut self,
        config: &Config,
        ground: &Ground,
        desk: loket_domain::print::Desk,
        around: Around<'_>,
    ) -> Result<DeskHandle, RunError> {
        let (print, handle) = PrintUnit::new(desk, ground.journal.clone(), ground.clock.clone());
        let documents = Arc::clone(&ground.documents);
        let lanes = config.printers.iter();
        let door = Door {
            desk: handle.clone(),
            documents,
            clock: ground.clock.clone(),
            lanes: lanes
                .map(|printer| (printer.uri.clone(), printer.name.clone()))
                .collect(),
            paper: around.paper.map(Arc::clone),
            records: ground.records.clone(),
            report: report_desk(config, ground.journal.clone(), ground.clock.clone()),
            tickets: around.tickets.cloned(),
        };
        let control = ControlUnit::bind(&config.runtime_dir, door).map_err(RunError::Control)?;
        let hands = Arc::new(Hands {
            documents: Arc::clone(&ground.documents),
            printers: ground.printers.clone(),
            source: around.enrolment.map(Enrolment::documents),
            rasters: Rasters::new(ground.sheets.inspector().clone()),
            records: ground.records.clone(),
            desk: handle.clone(),
            plugs: around.plugs.clone(),
        });
        let stop = self.stop.clone();
        self.tasks
            .spawn(async move { print.run(hands, stop).await.map_err(RunError::Print) });
        self.spawn(|stop| control.run(stop));
        Ok(handle)
    }

    pub(super) fn start_health(
        &mut self,
        config: &Config,
        ground: &Ground,
        (desk, plugs): (&DeskHandle, &Plugs),
        link: Option<HealthLink>,
    ) {
        let health = HealthUnit {
            machine: config.machine.clone(),
            printers: watched(config, ground, plugs),
            desk: desk.clone(),
            journal: ground.journal.clone(),
            documents: Arc::clone(&ground.documents),
            records: ground.records.clone(),
            judged: Arc::clone(&ground.judged),
            inspector: ground.sheets.inspector().clone(),
            state_dir: config.state_dir.clone(),
            clock: ground.clock.clone(),
            heartbeat: Duration::from_secs(config.heartbeat_s),
            trust_max_age: Duration::from_secs(u64::from(config.trust.max_age_days) * 86_400),
            link,
        };
        self.spawn(|stop| health.run(stop));
    }

    /// Keeps printers whose ink dries from resting too long, where the settings want that.
    ///
    /// # Errors
    /// [`RunError::Profiles`], which is told where the printers are set up.
    pub(super) fn start_exercise(
        &mut self,
        config: &Config,
        ground: &Ground,
        desk: &DeskHandle,
    ) -> Result<(), RunError> {
        let rule = config.exercise.rule(&config.office_hours);
        // Settings are checked before anything is opened.
        let Ok(Some(rule)) = rule else {
            return Ok(());
        };
        let profiles = load(config.devices_dir.as_deref()).map_err(RunError::Profiles)?;
        let printers = config.printers.iter().map(|printer| Exercised {
            name: printer.name.clone(),
            setting: printer.exercise,
            not_before: None,
        });
        let unit = ExerciseUnit {
            machine: config.machine.clone(),
            printers: printers.collect(),
            profiles: Arc::new(profiles),
            rule,
            zone: config.office_hours.zone,
            sights: ground.sights.clone(),
            desk: desk.clone(),
            documents: Arc::clone(&ground.documents),
            clock: ground.clock.clone(),
        };
        self.spawn(|stop| unit.run(stop));
        Ok(())
    }

    /// Serves the pages, where the settings have any.
    pub(super) fn start_pages(
        &mut self,
        config: &Config,
        ground: &Ground,
        (paper, tickets): (Option<Arc<PaperDesk>>, Option<TicketHandle>),
    ) {
        let Some(pages) = &config.pages else {
            return;
        };
        let verify = VerifyUnit::new(
            ground.sheets.inspector().clone(),
            (
                Arc::clone(ground.documents.trust()),
                ground.documents.policy().clone(),
            ),
            Duration::from_secs(pages.judge_within_s),
            (
                ground.clock.clone(),
                ground.journal.clone(),
                Arc::clone(&ground.judged),
            ),
        );
        let unit = PagesUnit {
            media: Media::new(pages.media_dirs.clone()),
            days: Arc::new(OfficeDays {
                desk: report_desk(config, ground.journal.clone(), ground.clock.clone()),
                office: config.office.clone(),
            }),
            printers: Arc::new(OfficePrinters {
                names: lanes(config),
                of_tickets: config.ticket_printer.as_ref().map(|it| it.name.clone()),
                sights: ground.sights.clone(),
            }),
            tickets,
            config: pages.clone(),
            zone: config.office_hours.zone,
            verify,
            paper,
        };
        self.spawn(|stop| unit.run(stop));
    }

    /// Waits for the first unit that ends by itself, which none does unless something failed.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn failed(&mut self) -> RunError {
        let ended = tokio::select! {
            Some(ended) = self.links.join_next() => ended,
            Some(ended) = self.tasks.join_next() => ended,
            else => return RunError::Panicked,
        };
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => RunError::Panicked,
        }
    }

    /// Running attempts first, then what is said of them; what is not over by its deadline is cut. The link has a time
    /// of its own: a printer that hangs does not keep the machine from saying what it knows and taking its leave.
    pub(super) async fn drain(&mut self, until: &Deadlines) {
        self.stop.cancel();
        if !over(&mut self.tasks, until.units).await {
            tracing::warn!(
                "running work did not finish within the drain deadline; the printer is asked at the next start"
            );
        }
        self.link_stop.cancel();
        if !over(&mut self.links, until.link).await {
            tracing::warn!(
                "the link did not finish within the drain deadline; reports wait in the outbox"
            );
        }
    }
}

/// Waits until all have ended, up to a deadline past which they are cut; true when they ended by themselves.
async fn over(tasks: &mut JoinSet<Result<(), RunError>>, until: tokio::time::Instant) -> bool {
    let all = async { while tasks.join_next().await.is_some() {} };
    let is_over = timeout_at(until, all).await.is_ok();
    tasks.shutdown().await;
    is_over
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<&'static str>>>);

    impl Notes {
        fn take(&self, note: &'static str) {
            self.0.lock().unwrap().push(note);
        }

        fn all(&self) -> Vec<&'static str> {
            self.0.lock().unwrap().clone()
        }
    }

    /// On the paused clock, which jumps to the next thing that is due.
    async fn works_for(span: Duration) {
        let over = tokio::time::timeout(span, std::future::pending::<()>()).await;
        assert!(over.is_err());
    }

    /// A desk that ends `work` after it was asked to stop, and a link that takes a second to say what is left.
    fn units(work: Duration, notes: &Notes) -> Units {
        let mut units = Units::default();
        let (stop, desk) = (units.stop.clone(), notes.clone());
        units.tasks.spawn(async move {
            stop.cancelled().await;
            works_for(work).await;
            desk.take("attempt ended");
            Ok(())
        });
        let (stop, link) = (units.link_stop.clone(), notes.clone());
        units.links.spawn(async move {
            stop.cancelled().await;
            works_for(Duration::from_secs(1)).await;
            link.take("leave taken");
            Ok(())
        });
        units
    }

    const DRAIN: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn the_link_ends_after_the_attempts() {
        let notes = Notes::default();
        let mut units = units(Duration::from_secs(5), &notes);
        units.drain(&Deadlines::within(DRAIN)).await;
        assert_eq!(notes.all(), ["attempt ended", "leave taken"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_is_cut_in_time_for_the_link_to_take_its_leave() {
        let notes = Notes::default();
        let mut units = units(Duration::MAX, &notes);
        let until = Deadlines::within(DRAIN);
        units.drain(&until).await;
        assert_eq!(notes.all(), ["leave taken"]);
        assert!(tokio::time::Instant::now() <= until.link);
        assert!(until.link < until.all, "closing the journal has its share");
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_hangs_leaves_the_journal_its_time() {
        let mut units = Units::default();
        units.links.spawn(std::future::pending());
        let until = Deadlines::within(DRAIN);
        units.drain(&until).await;
        assert_eq!(tokio::time::Instant::now(), until.link);
    }

    #[tokio::test(start_paused = true)]
    async fn a_unit_that_fails_is_told_with_its_error() {
        let mut units = Units::default();
        units.tasks.spawn(std::future::pending());
        units.links.spawn(async { Err(RunError::JobsWaiting) });
        assert!(matches!(units.failed().await, RunError::JobsWaiting));
        units.links.spawn(async { Ok(()) });
        assert!(matches!(units.failed().await, RunError::Panicked));
    }
}
