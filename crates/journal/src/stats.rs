//! Counts for health reports.

use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;

use crate::error::JournalError;
use crate::file::with_ending;

/// How much a journal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Size of the database, without its log.
    pub size_bytes: u64,
    /// Size of the write-ahead log's file; 0 in memory.
    pub wal_bytes: u64,
    /// Events of open and closed streams.
    pub event_count: u64,
    /// Reports that wait for central's acknowledgement.
    pub outbox_count: u64,
    /// Streams that are open.
    pub open_stream_count: u64,
}

pub(crate) fn read(connection: &Connection, path: Option<&Path>) -> Result<Stats, JournalError> {
    let count = |sql: &str| -> Result<u64, JournalError> {
        let value: i64 = connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| JournalError::sqlite("count rows", error))?;
        u64::try_from(value).map_err(|_| JournalError::Corrupt)
    };
    Ok(Stats {
        size_bytes: count(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        )?,
        wal_bytes: path.map_or(Ok(0), wal_bytes)?,
        event_count: count("SELECT count(*) FROM event")?,
        outbox_count: count("SELECT count(*) FROM outbox")?,
        open_stream_count: count("SELECT count(*) FROM stream WHERE closed_at_ms IS NULL")?,
    })
}

fn wal_bytes(path: &Path) -> Result<u64, JournalError> {
    let wal = with_ending(path, "-wal");
    match std::fs::metadata(&wal) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(JournalError::file("measure", &wal, error)),
    }
}
