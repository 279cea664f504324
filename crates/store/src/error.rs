//! What can go wrong with the store.

use std::path::PathBuf;

use loket_domain::dispatch::{ChangeError, Refusal};
use loket_wire::JobId;
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a text cannot be stored. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing there.
    #[error("accept an empty {field}")]
    Empty {
        /// Which field.
        field: &'static str,
    },
    /// Longer than its limit.
    #[error("accept {field}: longer than {limit_bytes} bytes")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
    /// Control characters.
    #[error("accept {field}: it has control characters")]
    Unprintable {
        /// Which field.
        field: &'static str,
    },
    /// 16 digits in a row: a NIK or KK number.
    #[error("accept {field}: it could hold a personal number")]
    PersonalNumber {
        /// Which field.
        field: &'static str,
    },
}

/// Why the store did not do what was asked. Nothing of the call was kept, unless the variant says otherwise.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No such job.
    #[error("find job {job}")]
    NoSuchJob {
        /// The id asked for.
        job: JobId,
    },
    /// No machine of that name is enrolled.
    #[error("find a machine: it is not enrolled")]
    NoSuchMachine,
    /// No such token.
    #[error("find a token: there is none of that name")]
    NoSuchToken,
    /// The name is taken.
    #[error("store a token: the name is taken")]
    TokenNameTaken,
    /// A rule of the job's life says no.
    #[error("change the job")]
    Refused(#[source] Refusal),
    /// The order is sealed for another life of the machine's journal than the present one.
    #[error("offer job {job}: the machine's journal is another one by now")]
    EpochChanged {
        /// The job.
        job: JobId,
    },
    /// A text cannot be stored.
    #[error("store a text")]
    Text(#[source] TextError),
    /// A number is larger than any that an honest sender reaches.
    #[error("store {field}: the number is out of range")]
    OutOfRange {
        /// Which number.
        field: &'static str,
    },
    /// The file or its folder could not be made ready.
    #[error("{action} {}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The disk, or the store's own size limit, has no room.
    #[error("write to the store: no room left")]
    Full,
    /// The file is as full as new jobs may make it: what is left is for reports on those that were taken.
    #[error("take a job into the store: what room is left is kept for reports")]
    Reserved,
    /// The file is damaged, or a row holds what this program never wrote.
    #[error("trust the store: {what} is damaged")]
    Corrupt {
        /// What was being read.
        what: &'static str,
    },
    /// A change in the history cannot be read or written.
    #[error("read or write a change of the history")]
    Change(#[source] ChangeError),
    /// Another process holds the file.
    #[error("lock the store: another process holds it")]
    Busy,
    /// Written by a later version of the program.
    #[error("read the store: its schema is newer than this program")]
    TooNew,
    /// Written by an earlier version of the program, and opened only to be read.
    #[error("read the store: its schema is older than this program; run the program once")]
    TooOld,
    /// The schema could not be brought up to date.
    #[error("migrate the store")]
    Migrate(#[source] Box<rusqlite_migration::Error>),
    /// SQLite failed in another way. After a failed commit it is not known whether the call was kept.
    #[error("{action} in the store")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// SQLite's answer.
        #[source]
        source: Box<rusqlite::Error>,
    },
}

impl StoreError {
    /// Sorts an error of SQLite into what the caller can act on.
    pub(crate) fn sqlite(action: &'static str, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { what: "the file" }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(_) | None => Self::Io {
                action,
                source: Box::new(error),
            },
        }
    }

    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
        source: std::io::Error,
    ) -> Self {
        if source.kind() == std::io::ErrorKind::StorageFull {
            return Self::Full;
        }
        Self::File {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}
