//! The outbox: what central has not acknowledged.

use std::fmt;

use rusqlite::{Connection, params};

use crate::append::{last_seq, report_checksum};
use crate::batch::Redacted;
use crate::error::JournalError;

/// Most reports that one read returns: with the largest report it bounds the answer to 8 MiB.
pub const MAX_OUTBOX_PAGE: u32 = 256;

/// One report that waits for central's acknowledgement.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number, from 1, rising, never given twice in this epoch.
    pub seq: u64,
    /// Name of its type.
    pub kind: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for OutboxRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxRow")
            .field("seq", &self.seq)
            .field("kind", &self.kind)
            .field("bytes", &Redacted(&self.bytes))
            .finish()
    }
}

/// Which reports are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxSpan {
    /// The lowest number still held.
    pub first: Option<u64>,
    /// The highest number ever given, whether it is still held or not; 0 if none was.
    pub last: u64,
    /// How many are held.
    pub count: u64,
}

pub(crate) fn after(
    connection: &Connection,
    seq: u64,
    limit: u32,
) -> Result<Vec<OutboxRow>, JournalError> {
    let sort = |error| JournalError::sqlite("read the outbox", error);
    let Ok(seq) = i64::try_from(seq) else {
        return Ok(Vec::new());
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT seq, kind, bytes, checksum FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .map_err(sort)?;
    let mut rows = statement
        .query(params![seq, limit.min(MAX_OUTBOX_PAGE)])
        .map_err(sort)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(sort)? {
        let read = || -> rusqlite::Result<(i64, String, Vec<u8>, u32)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        };
        let (seq, kind, bytes, sum) = read().map_err(|_| JournalError::Corrupt)?;
        if sum != report_checksum(&kind, &bytes) {
            return Err(JournalError::Corrupt);
        }
        let seq = u64::try_from(seq).map_err(|_| JournalError::Corrupt)?;
        found.push(OutboxRow { seq, kind, bytes });
    }
    Ok(found)
}

pub(crate) fn span(connection: &Connection) -> Result<OutboxSpan, JournalError> {
    let read = || -> rusqlite::Result<(Option<i64>, i64)> {
        connection
            .prepare_cached("SELECT min(seq), count(*) FROM outbox")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let (first, count) = read().map_err(|error| JournalError::sqlite("read the outbox", error))?;
    let number = |value: i64| u64::try_from(value).map_err(|_| JournalError::Corrupt);
    Ok(OutboxSpan {
        first: first.map(number).transpose()?,
        last: last_seq(connection, "outbox")?,
        count: number(count)?,
    })
}

pub(crate) fn settle(connection: &Connection, up_to_seq: u64) -> Result<u64, JournalError> {
    let last = last_seq(connection, "outbox")?;
    if up_to_seq > last {
        return Err(JournalError::SettleAhead {
            up_to_seq,
            last_seq: last,
        });
    }
    let delete = || -> rusqlite::Result<usize> {
        let up_to_seq = i64::try_from(up_to_seq).unwrap_or(i64::MAX);
        connection
            .prepare_cached("DELETE FROM outbox WHERE seq <= ?1")?
            .execute([up_to_seq])
    };
    let count = delete().map_err(|error| JournalError::sqlite("settle reports", error))?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}
