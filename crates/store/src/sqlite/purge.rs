//! One bounded round of forgetting (docs/adr/0019): rows in one transaction and lines of the history in another, so that a
//! break in the oldest lines does not keep everything else.

use loket_wire::Timestamp;
use rusqlite::{Transaction, params};

use super::column::run;
use super::{front, stock};
use crate::error::StoreError;
use crate::retention::{ASIDE_KEPT, LEDGER_KEPT, Purged};

/// Jobs removed in one round: each has entries in a dozen indexes, and reports wait meanwhile.
const JOBS_A_ROUND: u32 = 64;

/// Rows of every other table removed in one round, for the same reason.
const ROWS_A_ROUND: u32 = 512;

/// Lives of a machine's journal that late reports and old states are told by. A machine loses its journal once in
/// years; one that does so again and again is broken, and is not to fill the store.
const LIVES_KEPT: i64 = 64;

/// Removes what is past its time, as much as one round takes.
pub(super) fn round(tx: &Transaction<'_>, now: Timestamp) -> Result<Purged, StoreError> {
    let before = now.saturating_sub(LEDGER_KEPT);
    let jobs = drop_jobs(tx, before)?;
    let others = [
        drop_aside(tx, now.saturating_sub(ASIDE_KEPT))?,
        drop_tokens(tx, before)?,
        drop_marks(tx)?,
        drop_lives(tx)?,
        count(stock::drop_old(tx, now, ROWS_A_ROUND)?)?,
    ];
    let is_full = jobs >= u64::from(JOBS_A_ROUND)
        || others.iter().any(|count| *count >= u64::from(ROWS_A_ROUND));
    Ok(Purged {
        jobs,
        lines: 0,
        others: others.iter().sum(),
        more: is_full,
    })
}

/// Removes lines past their time behind what `rows` removed.
pub(super) fn lines(
    tx: &Transaction<'_>,
    rows: Purged,
    now: Timestamp,
) -> Result<Purged, StoreError> {
    let lines = front::drop_lines(tx, now.saturating_sub(LEDGER_KEPT), now)?;
    Ok(Purged {
        lines,
        more: rows.more || lines >= u64::from(front::LINES_A_ROUND),
        ..rows
    })
}

/// Ended jobs whose sealed copy is known to be erased, and of which no record of the sheet is kept any more: without its
/// row the record's file would stay. One that is not over has no end, so it stays, however old.
fn drop_jobs(tx: &Transaction<'_>, before: Timestamp) -> Result<u64, StoreError> {
    count(run(
        tx,
        "DELETE FROM job WHERE id IN
            (SELECT id FROM job
             WHERE state IN ('printed', 'failed', 'rejected', 'expired', 'cancelled')
               AND ended_at_ms IS NOT NULL AND ended_at_ms < ?1 AND secrets_dropped = 1
               AND NOT EXISTS (SELECT 1 FROM match_record WHERE match_record.job = job.id) LIMIT ?2)",
        params![before.unix_ms(), JOBS_A_ROUND],
    )?)
}

fn drop_aside(tx: &Transaction<'_>, before: Timestamp) -> Result<u64, StoreError> {
    count(run(
        tx,
        "DELETE FROM quarantine WHERE seq IN
            (SELECT seq FROM quarantine WHERE received_at_ms < ?1 ORDER BY seq LIMIT ?2)",
        params![before.unix_ms(), ROWS_A_ROUND],
    )?)
}

fn drop_tokens(tx: &Transaction<'_>, before: Timestamp) -> Result<u64, StoreError> {
    count(run(
        tx,
        "DELETE FROM token WHERE name IN
            (SELECT name FROM token
             WHERE min(expires_at_ms, coalesce(revoked_at_ms, expires_at_ms)) < ?1 LIMIT ?2)",
        params![before.unix_ms(), ROWS_A_ROUND],
    )?)
}

/// Marks tell a repetition in the present life of a journal.
fn drop_marks(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    count(run(
        tx,
        "DELETE FROM report_mark WHERE (machine, generation, seq) IN
            (SELECT mark.machine, mark.generation, mark.seq
             FROM machine CROSS JOIN report_mark AS mark
               ON mark.machine = machine.id AND mark.generation <= machine.generation - ?1
             LIMIT ?2)",
        params![LIVES_KEPT, ROWS_A_ROUND],
    )?)
}

fn drop_lives(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    count(run(
        tx,
        "DELETE FROM journal_life WHERE (machine, generation) IN
            (SELECT life.machine, life.generation
             FROM machine CROSS JOIN journal_life AS life
               ON life.machine = machine.id AND life.generation <= machine.generation - ?1
             LIMIT ?2)",
        params![LIVES_KEPT, ROWS_A_ROUND],
    )?)
}

fn count(rows: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}
