//! Numbers for metrics, counted in SQLite.

use loket_wire::{JobState, Timestamp};
use rusqlite::{Transaction, params};

use super::column::{select, select_first};
use crate::error::StoreError;
use crate::machine::Counts;

pub(super) fn counts(tx: &Transaction<'_>, now: Timestamp) -> Result<Counts, StoreError> {
    let mut counts = Counts {
        jobs: JobState::ALL.into_iter().map(|state| (state, 0)).collect(),
        ..Counts::default()
    };
    let by_state = select(tx, "SELECT state, jobs FROM state_count", [], |row| {
        Ok((row.word("state")?, row.count("jobs")?))
    })?;
    counts.jobs.extend(by_state);
    let open = select_first(
        tx,
        "SELECT min(created_at_ms) AS oldest_at_ms, count(*) FILTER (WHERE due_at_ms < ?1) AS overdue
         FROM job WHERE ended_at_ms IS NULL",
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
