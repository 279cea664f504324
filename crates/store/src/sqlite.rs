//! The store in one SQLite file: write-ahead log, `synchronous=FULL`, one connection.

mod file;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::StoreError;

pub use file::MAX_FILE_BYTES;

/// Central's truth in one SQLite file.
///
/// Calls wait for each other: SQLite has one writer, and a flush is what takes the time.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens the file, or makes it for its owner alone, and brings it to the present schema.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::TooNew`], [`StoreError::Migrate`], [`StoreError::Corrupt`],
    /// [`StoreError::Busy`], [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::over(file::open_file(path)?))
    }

    /// A store that lives in memory, for tests.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`].
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Ok(Self::over(file::open_memory()?))
    }

    const fn over(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
        }
    }

    /// Runs `work` in one transaction; whatever it fails with, nothing of it is kept.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| StoreError::sqlite("begin", error))?;
        let answer = work(&tx)?;
        tx.commit()
            .map_err(|error| StoreError::sqlite("commit", error))?;
        Ok(answer)
    }

    /// Runs `work` on one state of the file.
    fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let tx = connection
            .transaction()
            .map_err(|error| StoreError::sqlite("begin reading", error))?;
        work(&tx)
    }

    /// A panic in another call rolled its transaction back as it unwound, so the connection is as good as before.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
