//! The store's file: made, opened, brought to the present schema.

use std::cmp::Ordering;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, MigrationDefinitionError, Migrations};

use crate::error::StoreError;
use crate::size::MAX_FILE_BYTES;

/// Size of a database page; SQLite's default, named because the size limit is counted in pages.
pub(super) const PAGE_BYTES: u64 = 4096;
/// Room beyond the bound for a round that removes rows: the lines it may have to write, of some 400 bytes each with
/// their index.
pub(super) const FORGET_BYTES: u64 = 64 * PAGE_BYTES;
/// How long a write waits for another process's lock, a backup for instance.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of the write-ahead log (4 MiB) after which SQLite moves them into the file.
const WAL_CHECKPOINT_PAGES: i64 = 1000;
/// Size in bytes that the write-ahead log's file is cut to after a checkpoint: the same 4 MiB.
const WAL_KEEP_BYTES: i64 = 4 * 1024 * 1024;

const STEPS: &[M<'_>] = &[
    M::up(include_str!("../../migrations/0001_store.sql")),
    M::up(include_str!("../../migrations/0002_console.sql")),
    M::up(include_str!("../../migrations/0003_local.sql")),
    M::up(include_str!("../../migrations/0004_retention.sql")),
    M::up(include_str!("../../migrations/0005_search.sql")),
    M::up(include_str!("../../migrations/0006_lost.sql")),
    M::up(include_str!("../../migrations/0007_doubts.sql")),
    M::up(include_str!("../../migrations/0008_trust.sql")),
    M::up(include_str!("../../migrations/0009_records.sql")),
    M::up(include_str!("../../migrations/0010_stock.sql")),
];
const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// Opens or makes the file; it grows to `max_bytes` at most.
pub(super) fn open_file(path: &Path, max_bytes: u64) -> Result<Connection, StoreError> {
    create_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)
        .map_err(|error| StoreError::sqlite("open a file", error))?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| StoreError::sqlite("switch on the write-ahead log", error))?;
    if mode != "wal" {
        let error = std::io::Error::new(ErrorKind::Unsupported, "no shared memory on this disk");
        return Err(StoreError::file(
            "keep a write-ahead log beside",
            path,
            error,
        ));
    }
    prepare(&mut connection, max_bytes)?;
    sync_folder(path)?;
    Ok(connection)
}

/// Opens a file of the present schema, to be read and not touched.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    // SQLite says of a file that is not there only that it cannot be opened.
    File::open(path).map_err(|error| StoreError::file("read", path, error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |error| StoreError::sqlite("open a file to read it", error);
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(fault)?;
    match version.cmp(&i64::try_from(STEPS.len()).unwrap_or(i64::MAX)) {
        Ordering::Equal => Ok(connection),
        Ordering::Greater => Err(StoreError::TooNew),
        Ordering::Less => Err(StoreError::TooOld),
    }
}

/// Opens a store that lives in memory, with the same schema.
pub(super) fn open_memory() -> Result<Connection, StoreError> {
    let mut connection =
        Connection::open_in_memory().map_err(|error| StoreError::sqlite("open memory", error))?;
    prepare(&mut connection, MAX_FILE_BYTES)?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, max_bytes: u64) -> Result<(), StoreError> {
    set_pragmas(connection, max_bytes)
        .map_err(|error| StoreError::sqlite("set the pragmas", error))?;
    MIGRATIONS.to_latest(connection).map_err(migrate_error)
}

fn set_pragmas(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // FULL flushes the log at every commit: what central acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Revoked tokens and pruned rows are overwritten in the file; the log keeps old pages until it is reused,
    // which is why nothing secret is ever a row.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEEP_BYTES)?;
    set_max_pages(connection, max_bytes)
}

/// Bounds the file; one that is larger already stays as large as it is.
pub(super) fn set_max_bytes(connection: &Connection, max_bytes: u64) -> Result<(), StoreError> {
    set_max_pages(connection, max_bytes)
        .map_err(|error| StoreError::sqlite("bound the file", error))
}

fn set_max_pages(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    let max_pages = i64::try_from(max_bytes / PAGE_BYTES).unwrap_or(i64::MAX);
    connection.pragma_update(None, "max_page_count", max_pages)
}

/// Makes the file readable by its owner alone; SQLite gives its log the same mode.
fn create_private(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_made) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::file("create", path, error)),
    }
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(|error| StoreError::file("flush folder", folder, error))
}

fn migrate_error(error: rusqlite_migration::Error) -> StoreError {
    if let rusqlite_migration::Error::RusqliteError { err, .. } = error {
        return StoreError::sqlite("migrate", err);
    }
    let too_far = MigrationDefinitionError::DatabaseTooFarAhead;
    if error == rusqlite_migration::Error::MigrationDefinition(too_far) {
        return StoreError::TooNew;
    }
    StoreError::Migrate(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_sound() {
        assert_eq!(MIGRATIONS.validate(), Ok(()));
    }
}
