//! Prints a page at printers that have rested long enough, so that their ink does not dry.
//!
//! When that is, `loket_domain::exercise` says. This unit looks how each printer was seen last, asks the desk since when it
//! rests, draws the page and gives it to the desk, where the rest begins anew in the transaction that takes the page.

use std::sync::Arc;
use std::time::Duration;

use loket_device_profile::Profiles;
use loket_domain::exercise::{self, Rule, Verdict, is_wanted, judge};
use loket_domain::print::Refusal;
use loket_paper::form::{Exercise, exercise_page};
use loket_wire::{MachineId, Timestamp, Zone};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::document::Documents;
use crate::local::{self, LocalError};
use crate::profiles::of_printer;
use crate::sights::{Sight, Sights};
use crate::stops::{Stop, pass};
use crate::telemetry::chain;
use crate::unit::print::{DeskError, DeskHandle};

/// Rests are days: a page that is some seconds late is not. Nothing of this asks a printer.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// A page that could not be made, or not be kept, is not tried again at once: the disk may be full.
const AGAIN_AFTER: Duration = Duration::from_secs(600);

/// A printer of the settings.
#[derive(Debug)]
pub struct Exercised {
    /// Its name.
    pub name: String,
    /// Whether it wants exercise, where the settings say so.
    pub setting: Option<bool>,
    /// Not before this moment again.
    pub not_before: Option<Instant>,
}

/// The unit before it runs.
#[derive(Debug)]
pub struct ExerciseUnit {
    /// This machine.
    pub machine: MachineId,
    /// Its printers.
    pub printers: Vec<Exercised>,
    /// What their models are known for.
    pub profiles: Arc<Profiles>,
    /// When a page is due.
    pub rule: Rule,
    /// The zone in which the page tells the time.
    pub zone: Zone,
    /// How printers were seen last.
    pub sights: Sights,
    /// Knows since when they rest, and takes pages.
    pub desk: DeskHandle,
    /// Keeps pages sealed.
    pub documents: Arc<Documents>,
    /// Tells time and its trust.
    pub clock: Clock,
}

impl ExerciseUnit {
    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut due = tokio::time::interval(CHECK_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                _at = due.tick() => self.check_all().await,
            }
        }
    }

    /// Looks once whether a page is due at any printer, and gives those that are to the desk.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a page that the desk has taken, and says so nowhere: the journal holds it.
    pub async fn check_all(&mut self) {
        let mut printers = std::mem::take(&mut self.printers);
        for printer in &mut printers {
            if printer.not_before.is_some_and(|at| at > Instant::now()) {
                continue;
            }
            printer.not_before = None;
            if let Err(error) = self.check(printer).await {
                printer.not_before = Some(Instant::now() + AGAIN_AFTER);
                let error = chain(&error);
                tracing::warn!(device.id = %printer.name, error, "no exercise page; again in ten minutes");
            }
        }
        self.printers = printers;
    }

    async fn check(&self, printer: &Exercised) -> Result<(), LocalError> {
        let sight = self.sights.of(&printer.name);
        if !self.is_wanted(printer.setting, sight.as_ref()) {
            return Ok(());
        }
        let name = printer.name.clone();
        let resting = self.desk.resting(name.clone()).await?;
        let seen = sight.as_ref().map(|sight| exercise::Sight {
            look: &sight.look,
            impressions: sight.impressions,
            at: sight.at,
        });
        let now = self.clock.now();
        match judge(now, &self.rule, resting.rest, resting.is_lane_taken, seen) {
            Verdict::NotYet(why) => {
                tracing::trace!(device.id = %name, ?why, "no exercise page is due");
            }
            Verdict::Note(rest) => {
                self.desk
                    .note_rest(name.clone(), resting.rest, rest)
                    .await?;
                if resting.rest.is_none() {
                    let days = self.rule.after.as_secs() / 86_400;
                    tracing::info!(
                        device.id = %name,
                        "printer {name} prints an exercise page after {days} days without a sheet"
                    );
                }
            }
            Verdict::Due => self.print(name, now.wall).await?,
        }
        Ok(())
    }

    fn is_wanted(&self, setting: Option<bool>, sight: Option<&Sight>) -> bool {
        let look = sight.map(|sight| &sight.look);
        let model = look.and_then(|look| look.model.as_deref());
        let profile = of_printer(&self.profiles, model).dries_out;
        let stock = look.and_then(|look| look.stock.as_ref());
        is_wanted(setting, profile, stock)
    }

    async fn print(&self, printer: String, at: Timestamp) -> Result<(), LocalError> {
        pass(Stop::ExerciseDue);
        let page = Exercise {
            machine: self.machine.to_string(),
            printer: printer.clone(),
            moment: self.zone.local_text(at),
        };
        let drawn = tokio::task::spawn_blocking(move || exercise_page(&page, at)).await;
        let page = drawn.map_err(|_panic| LocalError::Ended)??;
        let (documents, desk) = (&self.documents, &self.desk);
        let taken =
            local::admit_exercise(documents, desk, &self.clock, page, printer.clone()).await;
        match taken {
            Ok(job) => {
                tracing::info!(device.id = %printer, job.id = %job, "printer {printer} has rested: it prints an exercise page");
                Ok(())
            }
            // Somebody was quicker, and moves its ink.
            Err(LocalError::Desk(DeskError::Refused(Refusal::LaneTaken))) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
