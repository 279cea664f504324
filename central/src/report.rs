//! What central knows of a station's day.

use std::collections::BTreeMap;
use std::time::Duration;

use loket_domain::account::{Day, DayError, Facts, Known, Of, Said, day, known_by_history};
use loket_store::{HistoryRow, JobRow, Span, Store, StoreError};
use loket_wire::{JobId, MachineId};
use thiserror::Error;

/// A machine's clock and ours differ by seconds; one that nobody had confirmed may be off by more, and no more than this is
/// made up for. A station does the same with its own journal.
const SLACK: Duration = Duration::from_secs(24 * 3_600);

/// Jobs that are looked at for one account: those of its day, and those that were over within the days since. A day long
/// ago has more after it than this; it is then told that it is too much, and never cut.
const MAX_LOOKED_AT: u32 = 200_000;

/// Why there is no account.
#[derive(Debug, Error)]
pub(crate) enum ReportError {
    /// The store cannot be read.
    #[error("read the store for an account")]
    Store(#[from] StoreError),
    /// More documents than an account holds.
    #[error(transparent)]
    Day(#[from] DayError),
}

/// Accounts for a day of the machine. Blocks.
pub(crate) fn account_for(store: &dyn Store, of: &Of) -> Result<Day, ReportError> {
    let (start, end) = of.span();
    let span = Span {
        from: start.saturating_sub(SLACK),
        until: end.saturating_add(SLACK),
    };
    let jobs = store.jobs_in(&of.machine, span, MAX_LOOKED_AT)?;
    if jobs.len() >= usize::try_from(MAX_LOOKED_AT).unwrap_or(usize::MAX) {
        return Err(DayError::TooMany { jobs: jobs.len() }.into());
    }
    let mut known = BTreeMap::new();
    for job in jobs {
        known.extend(known_of(store, &of.machine, job)?);
    }
    let replaced = known.values().filter_map(|known: &Known| {
        let reprint = known.reprint.as_ref()?;
        Some(reprint.job)
    });
    let replaced: Vec<JobId> = replaced.collect();
    for job in replaced {
        if !known.contains_key(&job) {
            known.extend(known_of(store, &of.machine, job)?);
        }
    }
    let known: Vec<Known> = known.into_values().collect();
    Ok(day(of, &known)?)
}

/// A job of that machine.
fn known_of(
    store: &dyn Store,
    machine: &MachineId,
    job: JobId,
) -> Result<Option<(JobId, Known)>, StoreError> {
    let Some(row) = store.job(job)?.filter(|row| row.facts.machine == *machine) else {
        return Ok(None);
    };
    let history = match store.history(job) {
        Ok(history) => history,
        // Its lines are older than the history is kept.
        Err(StoreError::NoSuchJob { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let said: Vec<Said> = history.into_iter().filter_map(said).collect();
    Ok(Some((job, known_by_history(&facts(row), &said))))
}

fn facts(row: JobRow) -> Facts {
    let (page_count, reprint_of) = row.intake.map_or((None, None), |intake| {
        (Some(intake.page_count), intake.reprint_of)
    });
    Facts {
        job_id: row.facts.id,
        machine: row.facts.machine,
        reference: row.facts.reference,
        service: row.facts.service,
        class: row.facts.class,
        reprint_of,
        page_count,
        local: row.job.local,
    }
}

/// A line that is a change of the job; the others are notes beside it.
fn said(row: HistoryRow) -> Option<Said> {
    let change = row.change().ok()?;
    Some(Said {
        at: row.at,
        actor: row.actor,
        change,
    })
}
