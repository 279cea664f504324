//! The desk of a machine whose daemon does not run, for one command: `loketd print`.
//!
//! It is the daemon's own desk, on the same journal, spool and printers, behind the same lock. What stands on it already
//! is left for the daemon, but for what no daemon will ever finish: a job by hand whose printer no setting names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::dispatch::LocalDay;
use loket_domain::print::{Command, Desk, Job, Origin, Stage};
use loket_journal::Journal;
use loket_wire::{JobId, JobState};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, PrinterConfig};
use crate::ground::Ground;
use crate::raster::Rasters;
use crate::store::Store;
use crate::supervisor::{CLOSE_SHARE, RunError};
use crate::telemetry::chain;
use crate::unit::control::Door;
use crate::unit::hotplug::Plugs;
use crate::unit::link::META_CLOCK;
use crate::unit::print::{
    DayReport, DeskHandle, Hands, PrintUnit, ReportDesk, ReportError, recover,
};
use loket_inspection::Inspector;

/// Between two looks at jobs that end for want of a printer.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Such a job ends within a few steps that ask nobody.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Accounts for a day, with nothing at work: it reads the journal alone.
///
/// # Errors
/// [`RunError::Locked`] when a daemon holds the state folder; the others as [`crate::run`].
pub(crate) async fn account_for(
    config: &Config,
    day: LocalDay,
) -> Result<Result<DayReport, ReportError>, RunError> {
    let store = Store::open(config).await?;
    let kept = store.journal.meta(META_CLOCK).await;
    let done = match kept.map_err(RunError::Journal) {
        Ok(kept) => {
            let clock = Clock::restore(kept.as_deref());
            let desk = report_desk(config, store.journal.clone(), clock);
            Ok(desk.day(day).await)
        }
        Err(error) => Err(error),
    };
    store.close(done, CLOSE_SHARE).await
}

/// Accounts for this machine's days.
pub(crate) fn report_desk(config: &Config, journal: Journal, clock: Clock) -> ReportDesk {
    ReportDesk {
        journal,
        clock,
        machine: config.machine.clone(),
        zone: config.office_hours.zone,
    }
}

/// Does `work` at the desk, with `guest` as a printer beside those of the settings.
///
/// # Errors
/// [`RunError::Locked`] when a daemon holds the state folder, [`RunError::JobsWaiting`] when jobs are on their way to a
/// printer of the settings; the others as [`crate::run`].
pub(crate) async fn at_desk<T>(
    config: &Config,
    guest: Option<PrinterConfig>,
    inspector: Inspector,
    work: impl AsyncFnOnce(&Door) -> T,
) -> Result<T, RunError> {
    let mut with_guest = config.clone();
    with_guest.printers.extend(guest);
    let store = Store::open(config).await?;
    let done = in_store(&store, (config, &with_guest), inspector, work).await;
    store.close(done, CLOSE_SHARE).await
}

async fn in_store<T>(
    store: &Store,
    (config, with_guest): (&Config, &Config),
    inspector: Inspector,
    work: impl AsyncFnOnce(&Door) -> T,
) -> Result<T, RunError> {
    let settled = lanes(config);
    let ground = Ground::lay(with_guest, store, inspector).await?;
    // Never called off: a person waits, and nothing may be printed before it has passed.
    ground.check(CancellationToken::new()).await?;
    settle(&ground, config, &settled).await?;
    let desk = desk(&ground, lanes(with_guest)).await?;
    if desk.jobs().any(is_busy) {
        return Err(RunError::JobsWaiting);
    }
    let done = on(&ground, with_guest, desk, |_job| true, work).await;
    settle(&ground, config, &settled).await?;
    Ok(done)
}

fn lanes(config: &Config) -> Vec<String> {
    let names = config.printers.iter().map(|printer| printer.name.clone());
    names.collect()
}

async fn desk(ground: &Ground, lanes: Vec<String>) -> Result<Desk, RunError> {
    let desk = recover(&ground.journal, lanes).await;
    desk.map_err(RunError::Recover)
}

const fn is_busy(job: &Job) -> bool {
    matches!(
        job.stage,
        Stage::Released | Stage::Clearing(_) | Stage::Attempting(_)
    )
}

/// Whether the job was given by hand for a printer that none of the settings' lanes leads to.
fn is_stranded(job: &Job, lanes: &[String]) -> bool {
    let is_local = matches!(job.facts.origin, Origin::Local { .. });
    let has_lane = |named: &String| lanes.contains(named);
    is_local && !job.facts.printer.as_ref().is_some_and(has_lane)
}

/// Ends the jobs by hand whose printer is gone: unprinted, or as an officer's question where bytes may have left.
async fn settle(ground: &Ground, config: &Config, lanes: &[String]) -> Result<(), RunError> {
    let desk = desk(ground, lanes.to_vec()).await?;
    let is_stray = |job: &Job| is_stranded(job, lanes) && job.is_open();
    let strays: Vec<JobId> = desk
        .jobs()
        .filter(|job| is_stray(job) && !matches!(job.stage, Stage::Unknown { .. }))
        .map(|job| job.facts.job_id)
        .collect();
    if strays.is_empty() {
        return Ok(());
    }
    let settled = on(
        ground,
        config,
        desk,
        |job| !is_stray(job),
        async |door: &Door| {
            let all = strays.iter().map(|job| settled(&door.desk, *job));
            for each in all {
                each.await;
            }
        },
    );
    if tokio::time::timeout(SETTLE_TIMEOUT, settled).await.is_err() {
        tracing::warn!("a job by hand without its printer is not settled; the daemon will");
    }
    Ok(())
}

/// Waits until a job is closed, or its sheet is an officer's question.
async fn settled(desk: &DeskHandle, job: JobId) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        // The tick of the desk is what ends it; a refusal or a full disk is seen in the job itself.
        drop(desk.submit(Command::Tick).await);
        match desk.job(job).await {
            Ok(Some(view)) if view.is_closed || view.state == JobState::Unknown => return,
            Ok(None) | Err(_) => return,
            Ok(Some(_under_way)) => {}
        }
    }
}

/// Runs the print unit with the printers of `config` while `work` goes on.
async fn on<T>(
    ground: &Ground,
    config: &Config,
    desk: Desk,
    is_left: impl Fn(&Job) -> bool,
    work: impl AsyncFnOnce(&Door) -> T,
) -> T {
    let (unit, handle) = PrintUnit::new(desk, ground.journal.clone(), ground.clock.clone());
    let mut printers = ground.printers.clone();
    printers.retain(|name, _device| config.printers.iter().any(|it| it.name == *name));
    let hands = Arc::new(Hands {
        documents: Arc::clone(&ground.documents),
        printers,
        source: None,
        rasters: Rasters::new(ground.sheets.inspector().clone()),
        records: ground.records.clone(),
        desk: handle.clone(),
        // One command, for one document: its pauses of a second at most are short enough.
        plugs: Plugs::default(),
    });
    let named = config.printers.iter();
    let lanes: BTreeMap<_, _> = named
        .map(|printer| (printer.uri.clone(), printer.name.clone()))
        .collect();
    let door = Door {
        desk: handle,
        documents: Arc::clone(&ground.documents),
        clock: ground.clock.clone(),
        lanes,
        paper: None,
        records: None,
        report: report_desk(config, ground.journal.clone(), ground.clock.clone()),
        tickets: None,
    };
    let over = CancellationToken::new();
    let mut running = JoinSet::new();
    let unit = unit.leaving_alone(is_left);
    running.spawn(unit.run(hands, over.clone()));
    let done = work(&door).await;
    over.cancel();
    while let Some(ended) = running.join_next().await {
        if let Ok(Err(error)) = ended {
            tracing::error!(error = %chain(&error), "the print desk ended with an error");
        }
    }
    done
}
