//! What can go wrong with a journal.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

/// Tells why the journal did not do what was asked.
///
/// It is cheap to clone, because one failed flush is told to every waiter of its transaction.
/// It holds names of streams and files, never bytes of a row.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// The journal file is not there.
    #[error("find journal {}", path.display())]
    NotFound {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// A file operation beside the database failed.
    #[error("{action} {}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder that it was tried on.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The disk, or the journal's own size limit, has no room. Nothing of the batch was kept; the
    /// journal goes on and the same batch may be tried again once there is room.
    #[error("write to the journal: no room left")]
    Full,
    /// The file is damaged: its structure, or a row whose checksum does not fit.
    #[error("trust the journal: the file is damaged")]
    Corrupt,
    /// Another process held the file for longer than the busy timeout. Nothing was kept.
    #[error("lock the journal: another process holds it")]
    Busy,
    /// SQLite failed in another way. After a failed `commit` it is unknown whether the batch is
    /// on disk; the journal then answers [`JournalError::NeedsReopen`] until it is opened anew.
    #[error("{action} in the journal")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// SQLite's answer.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// An earlier commit could not be confirmed: what is on disk must be read again.
    #[error("use the journal: an earlier commit is unconfirmed, open it anew")]
    NeedsReopen,
    /// The writer thread has ended: the journal was closed. Nothing of the batch was kept, if it
    /// had not been taken up before.
    #[error("reach the journal: it is closed")]
    Stopped,
    /// The file was written by a later version of the program.
    #[error("read the journal: its schema is newer than this program")]
    TooNew,
    /// The file's schema could not be brought up to date.
    #[error("migrate the journal")]
    Migrate {
        /// The answer of the migration library.
        #[source]
        source: Arc<rusqlite_migration::Error>,
    },
    /// A field is larger than its limit. Nothing of the batch was kept.
    #[error("accept {field} of {size_bytes} bytes: the limit is {limit_bytes} bytes")]
    TooLarge {
        /// Which field.
        field: &'static str,
        /// Its size.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// A name (stream, kind or key) is empty.
    #[error("accept an empty {field}")]
    EmptyName {
        /// Which name.
        field: &'static str,
    },
    /// A batch has more rows than its limit.
    #[error("accept a batch of {row_count} rows: the limit is {limit_count} rows")]
    TooManyRows {
        /// How many rows it has.
        row_count: usize,
        /// The limit.
        limit_count: usize,
    },
    /// An event was for a stream that is closed. Nothing of the batch was kept.
    #[error("append to stream {stream}: it is closed")]
    StreamClosed {
        /// The stream's name.
        stream: String,
    },
    /// A stream without events was to be closed. Nothing of the batch was kept.
    #[error("close stream {stream}: it does not exist")]
    StreamUnknown {
        /// The stream's name.
        stream: String,
    },
    /// More was to be settled than was ever reported: the acknowledgement is for another journal,
    /// or this file is an old copy. Nothing was deleted.
    #[error("settle reports up to {up_to_seq}: only {last_seq} were ever given")]
    SettleAhead {
        /// What was asked.
        up_to_seq: u64,
        /// The highest sequence number ever given.
        last_seq: u64,
    },
}

impl JournalError {
    /// Sorts an error of SQLite into what the caller can act on.
    pub(crate) fn sqlite(action: &'static str, error: rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(told, _) = &error
            && told.extended_code == ffi::SQLITE_IOERR_SHMSIZE
        {
            // The index beside the log cannot grow: of what makes that fail, a full disk alone is
            // of this file's folder, and it is no damage.
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(_) | None => Self::Io {
                action,
                source: Arc::new(error),
            },
        }
    }

    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
        error: std::io::Error,
    ) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::Full;
        }
        Self::File {
            action,
            path: path.to_path_buf(),
            source: Arc::new(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(code: i32) -> JournalError {
        JournalError::sqlite(
            "test",
            rusqlite::Error::SqliteFailure(ffi::Error::new(code), None),
        )
    }

    #[test]
    fn sqlite_codes_become_the_variant_a_caller_can_act_on() {
        assert!(matches!(sorted(ffi::SQLITE_FULL), JournalError::Full));
        assert!(matches!(
            sorted(ffi::SQLITE_IOERR_SHMSIZE),
            JournalError::Full
        ));
        assert!(matches!(sorted(ffi::SQLITE_CORRUPT), JournalError::Corrupt));
        assert!(matches!(sorted(ffi::SQLITE_NOTADB), JournalError::Corrupt));
        assert!(matches!(sorted(ffi::SQLITE_BUSY), JournalError::Busy));
        assert!(matches!(
            sorted(ffi::SQLITE_IOERR_FSYNC),
            JournalError::Io { .. }
        ));
    }
}
