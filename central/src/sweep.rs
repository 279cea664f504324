//! Expires what ran out of time, erases central's sealed copies of what has ended, forgets what is past its time, takes
//! new machines over, watches the room.

use std::sync::Arc;
use std::time::Duration;

use loket_store::Purged;
use loket_wire::JobState;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::office::Office;

/// Jobs expired or erased in one round; the next begins at once when a round was full.
const ROUND_LENGTH: u32 = 64;

/// How often is looked without a bell: expiry and new machines need no better than this.
const EVERY: Duration = Duration::from_secs(15);

/// How often is looked for what is past its time. Each look that finds something adds a line to the history, so it is
/// not done at every tick.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// Runs until `stop`.
pub(crate) async fn run(office: Arc<Office>, stop: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forget_at = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = office.sweep_bell.notified() => {}
            _at = ticks.tick() => {
                // What failed is logged where it did.
                office.blocking(watch_room).await.ok();
                let recorded = office
                    .blocking(|office| {
                        // A broken offices file is told in the log, whether anybody asks for an office or not.
                        drop(office.offices.current());
                        office.record_all()
                    })
                    .await;
                if let Ok(Err(error)) = recorded {
                    tracing::error!(error = %crate::chain(&error), "machines' records not taken over");
                }
            }
        }
        if let Ok(true) = office.blocking(sweep).await {
            office.sweep_bell.notify_one();
        }
        if let Ok(true) = office.blocking(end_records).await {
            office.sweep_bell.notify_one();
        }
        if Instant::now() >= forget_at {
            match office.blocking(forget).await {
                // One round at a time: reports and people come in between.
                Ok(true) => office.sweep_bell.notify_one(),
                Ok(false) | Err(_) => forget_at = Instant::now() + FORGET_EVERY,
            }
        }
    }
}

/// Erases records of printed sheets whose time is over; says whether there may be more.
fn end_records(office: &Office) -> bool {
    let ended = match office.store.ended_records(now(), ROUND_LENGTH) {
        Ok(ended) => ended,
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), "records past their time could not be listed");
            return false;
        }
    };
    let mut failed = false;
    for job in &ended {
        // The bytes first: a row without a file is a record that is gone, a file without a row would stay.
        if let Err(error) = office.records.erase(*job) {
            failed = true;
            tracing::error!(job.id = %job, error = %crate::chain(&error), "record not erased");
            continue;
        }
        if let Err(error) = office.store.drop_record(*job) {
            failed = true;
            tracing::error!(job.id = %job, error = %crate::chain(&error), "erased record not forgotten");
        }
    }
    if !ended.is_empty() {
        tracing::info!(
            count = ended.len(),
            "records of printed sheets are past their time"
        );
    }
    !failed && u32::try_from(ended.len()).is_ok_and(|count| count >= ROUND_LENGTH)
}

/// One round of forgetting; says whether there may be more.
fn forget(office: &Office) -> bool {
    match office.store.purge(now()) {
        Ok(Purged {
            jobs,
            lines,
            others,
            more,
        }) => {
            if jobs + lines + others > 0 {
                tracing::info!(jobs, lines, others, "what is past its time is forgotten");
            }
            more
        }
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), "what is past its time not forgotten");
            false
        }
    }
}

fn watch_room(office: &Office) {
    match office.shortages() {
        Ok(short) => office.room.tell(short),
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), "room could not be measured");
        }
    }
}

/// One round; says whether there may be more.
fn sweep(office: &Office) -> bool {
    let expired = match office.store.expire_due(now(), ROUND_LENGTH) {
        Ok(expired) => expired,
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), "expiry failed");
            Vec::new()
        }
    };
    for job in &expired {
        tracing::info!(job.id = %job, job.state = %JobState::Expired, "job expired");
    }
    let ended = match office.store.secrets_to_drop(ROUND_LENGTH) {
        Ok(ended) => ended,
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), "ended jobs could not be listed");
            return false;
        }
    };
    let mut failed = false;
    for job in &ended {
        if let Err(error) = office.documents.shred(*job) {
            failed = true;
            tracing::error!(job.id = %job, error = %crate::chain(&error), "sealed copy not erased");
            continue;
        }
        if let Err(error) = office.store.mark_secrets_dropped(*job, now()) {
            failed = true;
            tracing::error!(job.id = %job, error = %crate::chain(&error), "erasure not recorded");
        }
    }
    let is_full = |count: usize| u32::try_from(count).is_ok_and(|count| count >= ROUND_LENGTH);
    !failed && (is_full(expired.len()) || is_full(ended.len()))
}

/// Erases records that no row tells of: handing in was cut between file and row. Before any is handed in.
pub(crate) fn sweep_orphan_records(office: &Office) {
    let jobs = match office.records.jobs() {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(%error, "records could not be listed");
            return;
        }
    };
    for job in jobs {
        match office.store.record(job) {
            Ok(Some(_row)) => {}
            Ok(None) => {
                tracing::warn!(job.id = %job, "record without a row erased");
                if let Err(error) = office.records.erase(job) {
                    tracing::error!(job.id = %job, error = %crate::chain(&error), "record not erased");
                }
            }
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "record could not be looked up");
                return;
            }
        }
    }
}

/// Erases files that no job owns: an intake that was cut between sealing and commit. Before any intake begins.
pub(crate) fn sweep_orphans(office: &Office) {
    let jobs = match office.documents.jobs() {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(%error, "sealed documents could not be listed");
            return;
        }
    };
    for job in jobs {
        match office.store.job(job) {
            Ok(Some(row)) if !row.secrets_dropped => {}
            Ok(_) => {
                tracing::warn!(job.id = %job, "sealed copy of no open job erased");
                if let Err(error) = office.documents.shred(job) {
                    tracing::error!(job.id = %job, error = %crate::chain(&error), "sealed copy not erased");
                }
            }
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "job could not be read");
                return;
            }
        }
    }
}
