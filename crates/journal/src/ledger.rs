//! The ledger: what stays of a closed stream.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::batch::{MAX_EVENT_BYTES, Redacted};
use crate::checksum::checksum;
use crate::error::JournalError;
use crate::replay::MAX_LISTED;

/// Most streams folded in one call, so that a sweep never keeps appends waiting for long.
pub const MAX_SWEEP_STREAMS: usize = 64;
/// Most ledger rows dropped in one call, for the same reason.
const MAX_DROP_ROWS: i64 = 1024;

/// Which streams and ledger rows are old enough, by the stamp given when the stream was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepCuts {
    /// Streams closed before this become ledger rows; milliseconds since 1970 UTC.
    pub closed_before_ms: i64,
    /// Ledger rows of streams closed before this are dropped; milliseconds since 1970 UTC.
    pub ledger_before_ms: i64,
}

/// The closed stream up to which a sweep looked: the next one goes on behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweptTo {
    /// When it closed, in milliseconds since 1970 UTC.
    pub closed_at_ms: i64,
    /// Its name.
    pub name: String,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Streams that became ledger rows.
    pub folded_count: u64,
    /// Streams that are old enough and could not be summarised; they stay as they are.
    pub left_count: u64,
    /// Ledger rows that were dropped.
    pub dropped_count: u64,
    /// Whether more streams wait to be folded, or more ledger rows to be dropped.
    pub more: bool,
    /// The last stream that was looked at.
    pub last: Option<SweptTo>,
}

/// What stays of a stream.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The stream's name.
    pub stream: String,
    /// When it closed, in milliseconds since 1970 UTC.
    pub closed_at_ms: i64,
    /// What the caller made of its events.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for LedgerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerRow")
            .field("stream", &self.stream)
            .field("closed_at_ms", &self.closed_at_ms)
            .field("bytes", &Redacted(&self.bytes))
            .finish()
    }
}

/// Returns the oldest closed streams behind `after`, one more than a sweep takes.
pub(crate) fn closed(
    connection: &Connection,
    before_ms: i64,
    after: Option<&SweptTo>,
) -> Result<Vec<SweptTo>, JournalError> {
    let limit = i64::try_from(MAX_SWEEP_STREAMS + 1).unwrap_or(i64::MAX);
    let (after_ms, after_name) = after.map_or((i64::MIN, ""), |after| {
        (after.closed_at_ms, after.name.as_str())
    });
    let read = || -> rusqlite::Result<Vec<SweptTo>> {
        connection
            .prepare_cached(
                "SELECT closed_at_ms, name FROM stream
                 WHERE closed_at_ms < ?1 AND (closed_at_ms, name) > (?2, ?3)
                 ORDER BY closed_at_ms, name LIMIT ?4",
            )?
            .query_map(params![before_ms, after_ms, after_name, limit], |row| {
                Ok(SweptTo {
                    closed_at_ms: row.get(0)?,
                    name: row.get(1)?,
                })
            })?
            .collect()
    };
    read().map_err(|error| JournalError::sqlite("list closed streams", error))
}

/// Replaces a closed stream's events by its ledger row, in one transaction; one that another
/// sweep has folded already is left alone.
pub(crate) fn fold(
    connection: &mut Connection,
    name: &str,
    summary: &[u8],
) -> Result<(), JournalError> {
    if summary.len() > MAX_EVENT_BYTES {
        return Err(JournalError::TooLarge {
            field: "summary",
            size_bytes: summary.len(),
            limit_bytes: MAX_EVENT_BYTES,
        });
    }
    let mut write = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let closed_at_ms: Option<i64> = transaction
            .prepare_cached("SELECT closed_at_ms FROM stream WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(closed_at_ms) = closed_at_ms else {
            return Ok(());
        };
        transaction
            .prepare_cached(
                "INSERT INTO ledger (stream, closed_at_ms, bytes, checksum) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![name, closed_at_ms, summary, row_checksum(name, closed_at_ms, summary)])?;
        transaction
            .prepare_cached("DELETE FROM event WHERE stream = ?1")?
            .execute([name])?;
        transaction
            .prepare_cached("DELETE FROM stream WHERE name = ?1")?
            .execute([name])?;
        transaction.commit()
    };
    write().map_err(|error| JournalError::sqlite("fold a closed stream", error))
}

/// Drops the oldest ledger rows before a cut, and tells how many and whether some remain.
pub(crate) fn drop_old(
    connection: &Connection,
    before_ms: i64,
) -> Result<(u64, bool), JournalError> {
    let sort = |error| JournalError::sqlite("drop ledger rows", error);
    let count = connection
        .execute(
            "DELETE FROM ledger WHERE stream IN
             (SELECT stream FROM ledger WHERE closed_at_ms < ?1 ORDER BY closed_at_ms LIMIT ?2)",
            [before_ms, MAX_DROP_ROWS],
        )
        .map_err(sort)?;
    let more = connection
        .prepare_cached("SELECT 1 FROM ledger WHERE closed_at_ms < ?1")
        .and_then(|mut statement| statement.exists([before_ms]))
        .map_err(sort)?;
    Ok((u64::try_from(count).unwrap_or(u64::MAX), more))
}

pub(crate) fn row(
    connection: &Connection,
    stream: &str,
) -> Result<Option<LedgerRow>, JournalError> {
    let read = || -> rusqlite::Result<Option<(LedgerRow, u32)>> {
        connection
            .prepare_cached("SELECT closed_at_ms, bytes, checksum FROM ledger WHERE stream = ?1")?
            .query_row([stream], |row| {
                let found = LedgerRow {
                    stream: stream.to_owned(),
                    closed_at_ms: row.get(0)?,
                    bytes: row.get(1)?,
                };
                Ok((found, row.get(2)?))
            })
            .optional()
    };
    match read().map_err(|error| JournalError::sqlite("read a ledger row", error))? {
        None => Ok(None),
        Some((found, sum)) => {
            let fits = sum == row_checksum(&found.stream, found.closed_at_ms, &found.bytes);
            if fits {
                Ok(Some(found))
            } else {
                Err(JournalError::Corrupt)
            }
        }
    }
}

/// The rows behind `after`, by name, of streams that closed at `since_ms` or later.
pub(crate) fn rows(
    connection: &Connection,
    since_ms: i64,
    after: &str,
) -> Result<Vec<LedgerRow>, JournalError> {
    let limit = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX);
    let read = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare_cached(
                "SELECT stream FROM ledger WHERE stream > ?1 AND closed_at_ms >= ?2
                 ORDER BY stream LIMIT ?3",
            )?
            .query_map(params![after, since_ms, limit], |row| row.get(0))?
            .collect()
    };
    let names = read().map_err(|error| JournalError::sqlite("list ledger rows", error))?;
    let mut rows = Vec::with_capacity(names.len());
    for name in names {
        rows.extend(row(connection, &name)?);
    }
    Ok(rows)
}

pub(crate) fn row_checksum(stream: &str, closed_at_ms: i64, bytes: &[u8]) -> u32 {
    checksum(&[stream.as_bytes(), &closed_at_ms.to_le_bytes(), bytes])
}
