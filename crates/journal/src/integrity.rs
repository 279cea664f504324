//! Tells whether a journal file can be trusted.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::append::{event_checksum, meta_checksum, report_checksum};
use crate::error::JournalError;
use crate::ledger::row_checksum;

/// Findings that SQLite lists at most: one is enough to set a file aside, the rest is for the log.
const MAX_FINDINGS: u32 = 16;

/// Steps of SQLite between two looks at whether a check is still wanted: some ten rows, and a look
/// costs less than any of them.
const STEPS_PER_LOOK: i32 = 100;

/// Whether a journal file can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Structure and every row's checksum fit.
    Sound,
    /// The file is damaged: [`crate::set_aside`] it and begin a new one with a new epoch.
    Broken,
    /// The check was ended before it knew: nothing is vouched for.
    Unfinished,
}

/// Reads the whole file on a connection of its own that cannot write, and checks its structure
/// and every row. Blocks on the disk; the journal may be open meanwhile.
///
/// It runs SQLite's `integrity_check`, which also compares each index with its table;
/// `quick_check` would spare that and miss a stream whose events an index no longer finds. Then
/// it compares each row's checksum, because SQLite checks no value.
///
/// # Errors
/// [`JournalError::NotFound`] if there is no file; [`JournalError::Busy`] or
/// [`JournalError::Io`] if it could not be read, which says nothing about its soundness.
pub fn check_integrity(path: &Path) -> Result<Integrity, JournalError> {
    check_integrity_while(path, || true)
}

/// As [`check_integrity`], for as long as `is_wanted`: it is asked often, and once it says no the
/// check ends within a moment with [`Integrity::Unfinished`].
///
/// # Errors
/// Those of [`check_integrity`].
pub fn check_integrity_while(
    path: &Path,
    is_wanted: impl Fn() -> bool + Send + 'static,
) -> Result<Integrity, JournalError> {
    if !path
        .try_exists()
        .map_err(|error| JournalError::file("look for", path, error))?
    {
        return Err(JournalError::NotFound {
            path: path.to_path_buf(),
        });
    }
    match check(path, is_wanted) {
        Ok(()) => Ok(Integrity::Sound),
        Err(JournalError::Corrupt) => Ok(Integrity::Broken),
        Err(JournalError::Io { source, .. })
            if source.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
        {
            Ok(Integrity::Unfinished)
        }
        Err(other) => Err(other),
    }
}

fn check(path: &Path, is_wanted: impl Fn() -> bool + Send + 'static) -> Result<(), JournalError> {
    let sort = |error| JournalError::sqlite("check the integrity", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sort)?;
    connection
        .progress_handler(STEPS_PER_LOOK, Some(move || !is_wanted()))
        .map_err(sort)?;
    let findings: Vec<String> = connection
        .prepare(&format!("PRAGMA integrity_check({MAX_FINDINGS})"))
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(sort)?;
    if findings.iter().any(|finding| finding != "ok") {
        // Findings name pages, tables and row numbers, never values.
        tracing::error!(?findings, "the journal's structure is damaged");
        return Err(JournalError::Corrupt);
    }
    check_rows(
        &connection,
        "SELECT stream, kind, version, bytes, checksum FROM event",
        |row| {
            let (stream, kind): (String, String) = (row.get(0)?, row.get(1)?);
            let bytes: Vec<u8> = row.get(3)?;
            Ok(event_checksum(&stream, &kind, row.get(2)?, &bytes) == row.get(4)?)
        },
    )?;
    check_rows(
        &connection,
        "SELECT kind, bytes, checksum FROM outbox",
        |row| {
            let (kind, bytes): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok(report_checksum(&kind, &bytes) == row.get(2)?)
        },
    )?;
    check_rows(
        &connection,
        "SELECT key, bytes, checksum FROM meta",
        |row| {
            let (key, bytes): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok(meta_checksum(&key, &bytes) == row.get(2)?)
        },
    )?;
    check_rows(
        &connection,
        "SELECT stream, closed_at_ms, bytes, checksum FROM ledger",
        |row| {
            let (stream, bytes): (String, Vec<u8>) = (row.get(0)?, row.get(2)?);
            Ok(row_checksum(&stream, row.get(1)?, &bytes) == row.get(3)?)
        },
    )
}

fn check_rows(
    connection: &Connection,
    sql: &str,
    fits: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<bool>,
) -> Result<(), JournalError> {
    let sort = |error| JournalError::sqlite("check the rows", error);
    let mut statement = connection.prepare(sql).map_err(sort)?;
    let mut rows = statement.query([]).map_err(sort)?;
    while let Some(row) = rows.next().map_err(sort)? {
        // A value of another type or range than the schema's is damage as well.
        if !fits(row).unwrap_or(false) {
            tracing::error!("a row of the journal is damaged");
            return Err(JournalError::Corrupt);
        }
    }
    Ok(())
}
