//! Reads events and settings back.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::append::{event_checksum, meta_checksum};
use crate::batch::Redacted;
use crate::error::JournalError;

/// Most streams or ledger rows of one page of a list, so that a list never keeps appends waiting for long.
pub const MAX_LISTED: usize = 64;

/// One event as it stands in the journal.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in the journal, rising over all streams, never given twice.
    pub seq: u64,
    /// Name of its stream.
    pub stream: String,
    /// Name of its type.
    pub kind: String,
    /// Version of its disk form.
    pub version: u16,
    /// Its disk form.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEvent")
            .field("seq", &self.seq)
            .field("stream", &self.stream)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("bytes", &Redacted(&self.bytes))
            .finish()
    }
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// No event of it was ever stored, or its ledger row was dropped.
    Unknown,
    /// It takes events and is read at the start.
    Open,
    /// It takes no events; they can still be read.
    Closed {
        /// When it closed, in milliseconds since 1970 UTC.
        at_ms: i64,
    },
    /// Its events are gone, its ledger row stands.
    Swept {
        /// When it closed, in milliseconds since 1970 UTC.
        at_ms: i64,
    },
}

const OPEN_EVENTS: &str = "SELECT e.seq, e.stream, e.kind, e.version, e.bytes, e.checksum
     FROM stream AS s CROSS JOIN event AS e ON s.name = e.stream
     WHERE s.closed_at_ms IS NULL ORDER BY e.seq";

pub(crate) fn open_events(connection: &Connection) -> Result<Vec<StoredEvent>, JournalError> {
    events(connection, OPEN_EVENTS, [])
}

pub(crate) fn stream(
    connection: &Connection,
    name: &str,
) -> Result<Vec<StoredEvent>, JournalError> {
    events(
        connection,
        "SELECT seq, stream, kind, version, bytes, checksum
         FROM event WHERE stream = ?1 ORDER BY seq",
        [name],
    )
}

pub(crate) fn stream_state(
    connection: &Connection,
    name: &str,
) -> Result<StreamState, JournalError> {
    let read = || -> rusqlite::Result<Option<(bool, Option<i64>)>> {
        connection
            .prepare_cached(
                "SELECT 0, closed_at_ms FROM stream WHERE name = ?1
                 UNION ALL SELECT 1, closed_at_ms FROM ledger WHERE stream = ?1",
            )?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    };
    let found = read().map_err(|error| JournalError::sqlite("read a stream's state", error))?;
    Ok(match found {
        None => StreamState::Unknown,
        Some((_, None)) => StreamState::Open,
        Some((false, Some(at_ms))) => StreamState::Closed { at_ms },
        Some((true, Some(at_ms))) => StreamState::Swept { at_ms },
    })
}

/// Names of the streams behind `after` that are open, or were closed at `since_ms` or later.
pub(crate) fn names(
    connection: &Connection,
    since_ms: i64,
    after: &str,
) -> Result<Vec<String>, JournalError> {
    let limit = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX);
    let read = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare_cached(
                "SELECT name FROM stream
                 WHERE name > ?1 AND (closed_at_ms IS NULL OR closed_at_ms >= ?2)
                 ORDER BY name LIMIT ?3",
            )?
            .query_map(params![after, since_ms, limit], |row| row.get(0))?
            .collect()
    };
    read().map_err(|error| JournalError::sqlite("list streams", error))
}

pub(crate) fn meta(connection: &Connection, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
    let read = || -> rusqlite::Result<Option<(Vec<u8>, u32)>> {
        connection
            .prepare_cached("SELECT bytes, checksum FROM meta WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    };
    match read().map_err(|error| JournalError::sqlite("read a setting", error))? {
        None => Ok(None),
        Some((bytes, sum)) if sum == meta_checksum(key, &bytes) => Ok(Some(bytes)),
        Some(_) => Err(JournalError::Corrupt),
    }
}

fn events(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<StoredEvent>, JournalError> {
    let sort = |error| JournalError::sqlite("read events", error);
    let mut statement = connection.prepare_cached(sql).map_err(sort)?;
    let mut rows = statement.query(params).map_err(sort)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(sort)? {
        found.push(event(row)?);
    }
    Ok(found)
}

fn event(row: &Row<'_>) -> Result<StoredEvent, JournalError> {
    // A value of another type or range than the schema's is damage as well.
    let read = || -> rusqlite::Result<(i64, StoredEvent, u32)> {
        let event = StoredEvent {
            seq: 0,
            stream: row.get(1)?,
            kind: row.get(2)?,
            version: row.get(3)?,
            bytes: row.get(4)?,
        };
        Ok((row.get(0)?, event, row.get(5)?))
    };
    let (seq, event, sum) = read().map_err(|_| JournalError::Corrupt)?;
    if sum != event_checksum(&event.stream, &event.kind, event.version, &event.bytes) {
        return Err(JournalError::Corrupt);
    }
    let seq = u64::try_from(seq).map_err(|_| JournalError::Corrupt)?;
    Ok(StoredEvent { seq, ..event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::open_memory;

    #[test]
    fn a_start_passes_no_event_of_a_closed_stream() {
        let (connection, _) = open_memory([1; 16]).unwrap();
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {OPEN_EVENTS}"))
            .unwrap();
        let plan: Vec<String> = statement
            .query_map([], |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let searches = |start: &str| plan.iter().any(|line| line.starts_with(start));
        assert!(
            searches("SEARCH s USING COVERING INDEX stream_closed"),
            "{plan:?}"
        );
        assert!(searches("SEARCH e USING INDEX event_by_stream"), "{plan:?}");
    }
}
