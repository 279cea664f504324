//! Writes batches: many in one transaction, each under its own savepoint.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::batch::{Appended, Batch, CloseStream, NewEvent, NewReport};
use crate::checksum::checksum;
use crate::error::JournalError;

/// What became of a group of batches.
pub(crate) struct GroupOutcome {
    /// One verdict a batch, in the group's order.
    pub(crate) verdicts: Vec<Result<Appended, JournalError>>,
    /// Whether it is unknown what is on disk, so that the file must be opened anew.
    pub(crate) unconfirmed: bool,
}

/// Commits a group of batches in one transaction.
///
/// Where the transaction as a whole fails (a full disk), nothing of it was kept and each batch
/// gets a transaction of its own, so that a small one is not refused for a large one's sake.
pub(crate) fn append_group(connection: &mut Connection, batches: &[&Batch]) -> GroupOutcome {
    match try_group(connection, batches) {
        Ok(verdicts) => GroupOutcome {
            verdicts,
            unconfirmed: false,
        },
        Err(failure) if failure.unconfirmed || batches.len() == 1 => GroupOutcome {
            verdicts: batches.iter().map(|_| Err(failure.error.clone())).collect(),
            unconfirmed: failure.unconfirmed,
        },
        Err(_) => append_each(connection, batches),
    }
}

fn append_each(connection: &mut Connection, batches: &[&Batch]) -> GroupOutcome {
    let mut outcome = GroupOutcome {
        verdicts: Vec::new(),
        unconfirmed: false,
    };
    for batch in batches {
        let verdict = if outcome.unconfirmed {
            Err(JournalError::NeedsReopen)
        } else {
            match try_group(connection, &[*batch]) {
                Ok(verdicts) => verdicts
                    .into_iter()
                    .next()
                    .unwrap_or(Err(JournalError::Stopped)),
                Err(failure) => {
                    outcome.unconfirmed = failure.unconfirmed;
                    Err(failure.error)
                }
            }
        };
        outcome.verdicts.push(verdict);
    }
    outcome
}

/// The whole transaction failed.
struct Failure {
    error: JournalError,
    unconfirmed: bool,
}

impl Failure {
    /// A failure before the commit: SQLite rolled back, or the dropped transaction does.
    fn before_commit(error: JournalError) -> Self {
        Self {
            error,
            unconfirmed: false,
        }
    }
}

fn try_group(
    connection: &mut Connection,
    batches: &[&Batch],
) -> Result<Vec<Result<Appended, JournalError>>, Failure> {
    let mut transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| Failure::before_commit(JournalError::sqlite("begin", error)))?;
    let mut verdicts = Vec::with_capacity(batches.len());
    for batch in batches {
        let verdict = append_one(&mut transaction, batch);
        if let Err(error) = &verdict
            && (transaction.is_autocommit() || !is_of_the_batch(error))
        {
            return Err(Failure::before_commit(error.clone()));
        }
        verdicts.push(verdict);
    }
    transaction.commit().map_err(commit_failure)?;
    Ok(verdicts)
}

/// Whether an error is the fault of one batch, so that its savepoint is all that goes back.
fn is_of_the_batch(error: &JournalError) -> bool {
    matches!(
        error,
        JournalError::StreamClosed { .. } | JournalError::StreamUnknown { .. }
    )
}

/// A full or busy disk refuses the commit before its last record is written. After anything else,
/// a failed flush above all, the record may or may not reach the disk.
pub(crate) fn commit_failure_is_certain(error: &JournalError) -> bool {
    matches!(error, JournalError::Full | JournalError::Busy)
}

fn commit_failure(error: rusqlite::Error) -> Failure {
    let error = JournalError::sqlite("commit", error);
    let unconfirmed = !commit_failure_is_certain(&error);
    Failure { error, unconfirmed }
}

fn append_one(transaction: &mut Transaction<'_>, batch: &Batch) -> Result<Appended, JournalError> {
    let savepoint = transaction
        .savepoint()
        .map_err(|error| JournalError::sqlite("set a savepoint", error))?;
    let mut last_report_seq = None;
    for event in &batch.events {
        insert_event(&savepoint, event)?;
    }
    for report in &batch.reports {
        last_report_seq = Some(insert_report(&savepoint, report)?);
    }
    for close in &batch.close_streams {
        close_stream(&savepoint, close)?;
    }
    for (key, bytes) in &batch.meta {
        put_meta(&savepoint, key, bytes)?;
    }
    let last_event_seq = last_seq(&savepoint, "event")?;
    savepoint
        .commit()
        .map_err(|error| JournalError::sqlite("release a savepoint", error))?;
    Ok(Appended {
        last_event_seq,
        last_report_seq,
    })
}

fn insert_event(connection: &Connection, event: &NewEvent) -> Result<(), JournalError> {
    let insert = || -> rusqlite::Result<bool> {
        if !open_stream(connection, &event.stream)? {
            return Ok(false);
        }
        let sum = event_checksum(&event.stream, &event.kind, event.version, &event.bytes);
        connection
            .prepare_cached(
                "INSERT INTO event (stream, kind, version, bytes, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                event.stream,
                event.kind,
                event.version,
                event.bytes,
                sum
            ])?;
        Ok(true)
    };
    match insert() {
        Ok(true) => Ok(()),
        Ok(false) => Err(JournalError::StreamClosed {
            stream: event.stream.clone(),
        }),
        Err(error) => Err(JournalError::sqlite("append an event", error)),
    }
}

/// Makes the stream where it is new; false if it is closed or already a ledger row.
fn open_stream(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let state: Option<bool> = connection
        .prepare_cached("SELECT closed_at_ms IS NULL FROM stream WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(is_open) = state {
        return Ok(is_open);
    }
    let is_swept = connection
        .prepare_cached("SELECT 1 FROM ledger WHERE stream = ?1")?
        .exists([name])?;
    if is_swept {
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT INTO stream (name) VALUES (?1)")?
        .execute([name])?;
    Ok(true)
}

fn insert_report(connection: &Connection, report: &NewReport) -> Result<u64, JournalError> {
    let insert = || -> rusqlite::Result<i64> {
        let sum = report_checksum(&report.kind, &report.bytes);
        connection
            .prepare_cached("INSERT INTO outbox (kind, bytes, checksum) VALUES (?1, ?2, ?3)")?
            .insert(params![report.kind, report.bytes, sum])
    };
    let seq = insert().map_err(|error| JournalError::sqlite("append a report", error))?;
    u64::try_from(seq).map_err(|_| JournalError::Corrupt)
}

fn close_stream(connection: &Connection, close: &CloseStream) -> Result<(), JournalError> {
    let update = || -> rusqlite::Result<usize> {
        connection
            .prepare_cached(
                "UPDATE stream SET closed_at_ms = coalesce(closed_at_ms, ?2) WHERE name = ?1",
            )?
            .execute(params![close.name, close.at_ms])
    };
    match update() {
        Ok(0) => Err(JournalError::StreamUnknown {
            stream: close.name.clone(),
        }),
        Ok(_) => Ok(()),
        Err(error) => Err(JournalError::sqlite("close a stream", error)),
    }
}

fn put_meta(connection: &Connection, key: &str, bytes: &[u8]) -> Result<(), JournalError> {
    let put = || -> rusqlite::Result<usize> {
        connection
            .prepare_cached(
                "INSERT INTO meta (key, bytes, checksum) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET bytes = ?2, checksum = ?3",
            )?
            .execute(params![key, bytes, meta_checksum(key, bytes)])
    };
    put()
        .map(|_| ())
        .map_err(|error| JournalError::sqlite("put a setting", error))
}

/// Returns the highest number that a table ever gave, 0 for none: AUTOINCREMENT keeps it when the
/// rows are gone.
pub(crate) fn last_seq(connection: &Connection, table: &str) -> Result<u64, JournalError> {
    let read = || -> rusqlite::Result<Option<i64>> {
        connection
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?
            .query_row([table], |row| row.get(0))
            .optional()
    };
    let seq = read().map_err(|error| JournalError::sqlite("read the last number", error))?;
    u64::try_from(seq.unwrap_or(0)).map_err(|_| JournalError::Corrupt)
}

pub(crate) fn event_checksum(stream: &str, kind: &str, version: u16, bytes: &[u8]) -> u32 {
    checksum(&[
        stream.as_bytes(),
        kind.as_bytes(),
        &version.to_le_bytes(),
        bytes,
    ])
}

pub(crate) fn report_checksum(kind: &str, bytes: &[u8]) -> u32 {
    checksum(&[kind.as_bytes(), bytes])
}

pub(crate) fn meta_checksum(key: &str, bytes: &[u8]) -> u32 {
    checksum(&[key.as_bytes(), bytes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::open_memory;
    use crate::replay;

    fn event(stream: &str, size_bytes: usize) -> NewEvent {
        NewEvent {
            stream: stream.into(),
            kind: "k".into(),
            version: 1,
            bytes: vec![1; size_bytes],
        }
    }

    fn batch(stream: &str, size_bytes: usize) -> Batch {
        Batch {
            events: vec![event(stream, size_bytes)],
            reports: vec![NewReport {
                kind: "r".into(),
                bytes: vec![2],
            }],
            ..Batch::default()
        }
    }

    #[test]
    fn a_bad_batch_in_a_group_fails_alone() {
        let (mut connection, _) = open_memory([1; 16]).unwrap();
        let closing = Batch {
            close_streams: vec![CloseStream {
                name: "a".into(),
                at_ms: 5,
            }],
            ..batch("a", 1)
        };
        let late = Batch {
            events: vec![event("b", 1), event("a", 1)],
            ..Batch::default()
        };
        let stray = Batch {
            close_streams: vec![CloseStream {
                name: "never".into(),
                at_ms: 5,
            }],
            ..batch("b", 1)
        };
        let outcome = append_group(&mut connection, &[&closing, &late, &stray, &batch("c", 1)]);
        assert!(!outcome.unconfirmed);
        let [first, second, third, fourth] = outcome.verdicts.as_slice() else {
            panic!("a verdict each");
        };
        assert_eq!(first.as_ref().unwrap().last_report_seq, Some(1));
        assert!(matches!(second, Err(JournalError::StreamClosed { stream }) if stream == "a"));
        assert!(matches!(third, Err(JournalError::StreamUnknown { stream }) if stream == "never"));
        assert_eq!(fourth.as_ref().unwrap().last_report_seq, Some(2));
        let open: Vec<_> = replay::open_events(&connection)
            .unwrap()
            .into_iter()
            .map(|e| e.stream)
            .collect();
        assert_eq!(
            open,
            ["c"],
            "the failed batches left nothing, not even in b"
        );
    }

    #[test]
    fn a_batch_too_large_for_the_disk_leaves_room_for_the_small_ones_beside_it() {
        let (mut connection, _) = open_memory([1; 16]).unwrap();
        let pages: i64 = connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        connection
            .pragma_update(None, "max_page_count", pages + 4)
            .unwrap();
        let large = Batch {
            events: vec![event("large", 60_000)],
            ..Batch::default()
        };
        let outcome = append_group(&mut connection, &[&batch("a", 10), &large, &batch("b", 10)]);
        assert!(!outcome.unconfirmed);
        let [first, second, third] = outcome.verdicts.as_slice() else {
            panic!("a verdict each");
        };
        assert!(first.is_ok() && third.is_ok(), "{first:?} {third:?}");
        assert!(matches!(second, Err(JournalError::Full)), "{second:?}");
        assert_eq!(replay::open_events(&connection).unwrap().len(), 2);
    }

    #[test]
    fn only_a_refusal_before_the_last_record_is_certain() {
        use rusqlite::ffi;
        let certain = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            !commit_failure(error).unconfirmed
        };
        assert!(certain(ffi::SQLITE_FULL));
        assert!(certain(ffi::SQLITE_BUSY));
        assert!(!certain(ffi::SQLITE_IOERR_FSYNC));
        assert!(!certain(ffi::SQLITE_IOERR_WRITE));
    }
}
