//! One document by hand while no daemon runs: the same desk and journal for one job, then the end.

use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{Job, Stage};
use loket_wire::{JobId, JobState};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{CLOSE_SHARE, RunError, lanes};
use crate::config::Config;
use crate::ground::{Ground, Store};
use crate::local;
use crate::unit::print::{DeskError, DeskHandle, Hands, PrintUnit, recover};

/// Prints one document by hand while no daemon runs, and gives the job with its end or `unknown`.
///
/// # Errors
/// [`RunError::Locked`] when a daemon holds the state folder after all; the others as [`super::run`].
pub async fn run_one(
    config: Arc<Config>,
    document: Zeroizing<Vec<u8>>,
    lane: String,
    stop: CancellationToken,
) -> Result<(JobId, JobState), RunError> {
    let store = Store::open(&config)?;
    let ended = print_one(&config, &store, (document, lane), &stop).await;
    store.close(ended, CLOSE_SHARE).await
}

async fn print_one(
    config: &Config,
    store: &Store,
    (document, lane): (Zeroizing<Vec<u8>>, String),
    stop: &CancellationToken,
) -> Result<(JobId, JobState), RunError> {
    let ground = Ground::lay(config, store).await?;
    let desk = recover(&ground.journal, lanes(config))
        .await
        .map_err(RunError::Recover)?;
    let is_busy = |job: &Job| matches!(job.stage, Stage::Released | Stage::Attempting(_));
    if desk.jobs().any(is_busy) {
        return Err(RunError::JobsWaiting);
    }
    let (print, handle) = PrintUnit::new(desk, ground.journal.clone(), ground.clock.clone());
    let hands = Arc::new(Hands {
        documents: Arc::clone(&ground.documents),
        printers: ground.printers.clone(),
        source: None,
        desk: handle.clone(),
    });
    ground.check(stop.clone()).await?;
    let over = CancellationToken::new();
    let mut unit = JoinSet::new();
    let (print, then) = (print.leaving_present_jobs_alone(), over.clone());
    unit.spawn(async move { print.run(hands, then).await });
    let job = local::admit(&ground.documents, &handle, &ground.clock, document, lane).await;
    let ended = match job {
        Ok(job) => follow(&handle, job, stop)
            .await
            .map(|state| (job, state))
            .map_err(RunError::Print),
        Err(error) => Err(RunError::Local(error)),
    };
    over.cancel();
    while unit.join_next().await.is_some() {}
    ended
}

/// Waits until a job is over and its document destroyed, or its fate is not known.
async fn follow(
    desk: &DeskHandle,
    job: JobId,
    stop: &CancellationToken,
) -> Result<JobState, DeskError> {
    let mut look = tokio::time::interval(FOLLOW_EVERY);
    loop {
        look.tick().await;
        let open = desk.jobs().await?.iter().any(|each| each.job_id == job);
        let Some(view) = desk.job(job).await? else {
            return Err(DeskError::Gone);
        };
        if view.state == JobState::Unknown || stop.is_cancelled() || (!open && view.is_closed) {
            return Ok(view.state);
        }
    }
}

/// Between two looks at a job printed by hand.
const FOLLOW_EVERY: Duration = Duration::from_millis(50);
