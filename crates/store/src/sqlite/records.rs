//! Match records in SQLite: taken once, found by code or job, ended by the office's rule.

use loket_wire::{JobId, Timestamp};
use rusqlite::{Transaction, params};

use super::chain::{self, About};
use super::column::{Columns, number, run, select, select_first};
use crate::actor::Actor;
use crate::error::StoreError;
use crate::history::Note;
use crate::record::{CodeKey, Looker, MAX_FOUND, RecordRow, Sought};

/// Takes a record; the first one of a job stands. Says which one that is.
pub(super) fn put(
    tx: &Transaction<'_>,
    record: &RecordRow,
    codes: &[CodeKey],
) -> Result<RecordRow, StoreError> {
    if let Some(known) = find(tx, record.job)? {
        return Ok(known);
    }
    run(
        tx,
        "INSERT INTO match_record (job, machine, received_at_ms, keep_until_ms, size_bytes, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            record.job.to_string(),
            record.machine.as_str(),
            record.received_at.unix_ms(),
            record.keep_until.unix_ms(),
            number("a record's size", record.size_bytes)?,
            record.sha256.to_string(),
        ],
    )?;
    for code in codes {
        run(
            tx,
            "INSERT OR IGNORE INTO match_code (code, job) VALUES (?1, ?2)",
            params![code.as_slice(), record.job.to_string()],
        )?;
    }
    let about = About {
        job: Some(record.job),
        machine: Some(&record.machine),
    };
    let note = Note::RecordKept {
        sha256: record.sha256,
        until: record.keep_until,
    };
    let actor = Actor::machine(&record.machine);
    chain::append_note(tx, about, &actor, record.received_at, &note)?;
    Ok(record.clone())
}

/// The row of a job.
pub(super) fn find(tx: &Transaction<'_>, job: JobId) -> Result<Option<RecordRow>, StoreError> {
    let sql = "SELECT * FROM match_record WHERE job = ?1";
    select_first(tx, sql, [job.to_string()], read)
}

/// Finds what is sought, newest first, and writes down who asked for it: each look at a record is a look at a person's
/// papers.
pub(super) fn show(
    tx: &Transaction<'_>,
    sought: &Sought,
    looker: Looker<'_>,
    now: Timestamp,
) -> Result<Vec<RecordRow>, StoreError> {
    let mut found = match sought {
        Sought::Job(job) => find(tx, *job)?.into_iter().collect(),
        Sought::Codes(codes) => with_codes(tx, codes)?,
    };
    found.retain(|record| record.keep_until > now);
    for record in &found {
        let about = About {
            job: Some(record.job),
            machine: looker.machine,
        };
        let reason = looker.reason.map(|reason| reason.as_str().to_owned());
        chain::append_note(tx, about, looker.by, now, &Note::RecordShown { reason })?;
    }
    Ok(found)
}

fn with_codes(tx: &Transaction<'_>, codes: &[CodeKey]) -> Result<Vec<RecordRow>, StoreError> {
    let mut found: Vec<RecordRow> = Vec::new();
    for code in codes {
        let rows = select(
            tx,
            "SELECT record.* FROM match_code AS code JOIN match_record AS record ON record.job = code.job
             WHERE code.code = ?1 ORDER BY record.received_at_ms DESC, record.job DESC LIMIT ?2",
            params![code.as_slice(), MAX_FOUND],
            read,
        )?;
        found.extend(rows);
    }
    found.sort_by_key(|record| std::cmp::Reverse((record.received_at, record.job)));
    found.dedup();
    found.truncate(usize::try_from(MAX_FOUND).unwrap_or(usize::MAX));
    Ok(found)
}

/// Records past their time, at most `limit`; their files go first, then [`drop_ended`].
pub(super) fn ended(
    tx: &Transaction<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<JobId>, StoreError> {
    select(
        tx,
        "SELECT job FROM match_record WHERE keep_until_ms <= ?1 ORDER BY keep_until_ms LIMIT ?2",
        params![now.unix_ms(), limit],
        |row| row.parsed("job"),
    )
}

/// Forgets a record.
pub(super) fn drop_ended(tx: &Transaction<'_>, job: JobId) -> Result<(), StoreError> {
    run(
        tx,
        "DELETE FROM match_record WHERE job = ?1",
        [job.to_string()],
    )?;
    Ok(())
}

fn read(row: &Columns<'_, '_>) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        job: row.parsed("job")?,
        machine: row.parsed("machine")?,
        received_at: row.time("received_at_ms")?,
        keep_until: row.time("keep_until_ms")?,
        size_bytes: row.count("size_bytes")?,
        sha256: row.digest("sha256")?,
    })
}
