//! Numbers for metrics, counted in SQLite.

use loket_wire::{JobState, Timestamp};
use rusqlite::{Transaction, params};

use super::column::{select, select_first};
use crate::error::StoreError;
use crate::machine::Counts;

pub(super) fn counts(tx: &Transaction<'_>, now: Timestamp) -> Result<Counts, StoreError> {
    let none = || JobState::ALL.into_iter().map(|state| (state, 0)).collect();
    let mut counts = Counts {
        jobs: none(),
        local_jobs: none(),
        ..Counts::default()
    };
    let by_state = select(
        tx,
        "SELECT all_jobs.state AS state, coalesce(local_count.jobs, 0) AS local_jobs,
            all_jobs.jobs - coalesce(local_count.jobs, 0) AS jobs
         FROM state_count AS all_jobs LEFT JOIN local_count ON local_count.state = all_jobs.state",
        [],
        |row| {
            Ok((
                row.word("state")?,
                row.count("jobs")?,
                row.count("local_jobs")?,
            ))
        },
    )?;
    for (state, jobs, local_jobs) in by_state {
        counts.jobs.insert(state, jobs);
        counts.local_jobs.insert(state, local_jobs);
    }
    let open = select_first(
        tx,
        "SELECT min(created_at_ms) AS oldest_at_ms, count(*) FILTER (WHERE due_at_ms < ?1) AS overdue
         FROM job WHERE ended_at_ms IS NULL AND local IS NULL",
        params![now.unix_ms()],
        |row| Ok((row.maybe_time("oldest_at_ms")?, row.count("overdue")?)),
    )?;
    (counts.oldest_open_at, counts.overdue) = open.unwrap_or_default();
    let sums = select_first(
        tx,
        "SELECT (SELECT coalesce(sum(total), 0) FROM aside_count WHERE kind = 'report') AS quarantined,
            (SELECT coalesce(sum(lost_report_count), 0) FROM machine) AS lost,
            (SELECT coalesce(max(seq), 0) FROM history) AS history_rows",
        [],
        |row| {
            Ok((
                row.count("quarantined")?,
                row.count("lost")?,
                row.count("history_rows")?,
            ))
        },
    )?;
    (counts.quarantined, counts.lost_reports, counts.history_rows) = sums.unwrap_or_default();
    Ok(counts)
}
