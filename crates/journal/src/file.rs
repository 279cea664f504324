//! The journal's file: made, opened, brought to the present schema, set aside.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use rusqlite_migration::{M, MigrationDefinitionError, Migrations};

use crate::error::JournalError;

/// Largest journal file, 1 GiB: 500 jobs a day of 20 events of 1 KiB are 0.3 GB in the 30 days
/// until closed streams are swept. Beyond it an append answers [`JournalError::Full`].
pub const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// Size of a database page; SQLite's default, named because the size limit is counted in pages.
const PAGE_BYTES: u64 = 4096;
/// How long a write waits for another process's lock: longer than a checkpoint on slow flash.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of the write-ahead log (4 MiB) after which SQLite moves them into the file.
const WAL_CHECKPOINT_PAGES: i64 = 1000;
/// Size in bytes that the write-ahead log's file is cut to after a checkpoint: the same 4 MiB.
const WAL_KEEP_BYTES: i64 = 4 * 1024 * 1024;

const STEPS: &[M<'static>] = &[M::up(include_str!("../migrations/0001_journal.sql"))];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// What an open found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The file's epoch: the given one if the file was made now, else the one kept in it.
    pub epoch: [u8; 16],
    /// Whether the file was made now.
    pub made_new: bool,
    /// Whether the last user closed it; true for a new file. After an unclean stop the caller runs
    /// [`crate::check_integrity`] before it trusts the file with anything that cannot be undone.
    pub was_clean: bool,
}

/// Opens or makes the file and marks it as in use.
pub(crate) fn open_file(
    path: &Path,
    fresh_epoch: [u8; 16],
    max_size_bytes: u64,
) -> Result<(Connection, Opened), JournalError> {
    create_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)
        .map_err(|error| JournalError::sqlite("open a file", error))?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| JournalError::sqlite("switch on the write-ahead log", error))?;
    if mode != "wal" {
        let error = std::io::Error::new(ErrorKind::Unsupported, "no shared memory on this disk");
        return Err(JournalError::file(
            "keep a write-ahead log beside",
            path,
            error,
        ));
    }
    set_pragmas(&connection, max_size_bytes)?;
    let opened = prepare(&mut connection, fresh_epoch)?;
    if opened.made_new {
        sync_folder(path)?;
    }
    Ok((connection, opened))
}

/// Opens a journal that lives in memory, with the same schema.
pub(crate) fn open_memory(epoch: [u8; 16]) -> Result<(Connection, Opened), JournalError> {
    let mut connection =
        Connection::open_in_memory().map_err(|error| JournalError::sqlite("open memory", error))?;
    set_pragmas(&connection, MAX_FILE_BYTES)?;
    let opened = prepare(&mut connection, epoch)?;
    Ok((connection, opened))
}

/// Sets the journal aside: the file, its write-ahead log and its shared memory are renamed to
/// `<name>.broken-<stamp>` with their endings, so that a new one can begin and the old can be
/// studied.
///
/// `stamp` is the caller's, of `[A-Za-z0-9-]`; a name that is taken is an error, nothing is
/// overwritten. The journal must be closed. Returns the new path of the database file.
///
/// # Errors
/// [`JournalError::NotFound`] if there is no such file, [`JournalError::File`] if a rename fails.
pub fn set_aside(path: &Path, stamp: &str) -> Result<PathBuf, JournalError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if stamp.is_empty() || !stamp.chars().all(fits) {
        let error = std::io::Error::new(ErrorKind::InvalidInput, "the stamp is not [A-Za-z0-9-]+");
        return Err(JournalError::file("set aside", path, error));
    }
    if !exists(path)? {
        return Err(JournalError::NotFound {
            path: path.to_path_buf(),
        });
    }
    let target = with_ending(path, &format!(".broken-{stamp}"));
    // The database goes first: without its log it would open as an older state of the same epoch.
    // A log that a power cut left alone is deleted by SQLite when the new file is made.
    for ending in ["", "-wal", "-shm"] {
        let from = with_ending(path, ending);
        let to = with_ending(&target, ending);
        if !exists(&from)? {
            continue;
        }
        if exists(&to)? {
            let error = std::io::Error::from(ErrorKind::AlreadyExists);
            return Err(JournalError::file("set aside to", &to, error));
        }
        std::fs::rename(&from, &to)
            .map_err(|error| JournalError::file("set aside", &from, error))?;
    }
    sync_folder(path)?;
    Ok(target)
}

/// Appends an ending to the whole file name, as SQLite names the files beside a database.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn exists(path: &Path) -> Result<bool, JournalError> {
    path.try_exists()
        .map_err(|error| JournalError::file("look for", path, error))
}

/// Makes the file readable by its owner alone; SQLite gives its log the same mode.
fn create_private(path: &Path) -> Result<(), JournalError> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(JournalError::file("create", path, error)),
    }
}

fn sync_folder(path: &Path) -> Result<(), JournalError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(|error| JournalError::file("flush folder", folder, error))
}

fn set_pragmas(connection: &Connection, max_size_bytes: u64) -> Result<(), JournalError> {
    let set = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // FULL flushes the log at every commit: an acknowledged batch survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        // Sorted events must not spill into the system's folder for temporary files.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", WAL_KEEP_BYTES)?;
        let max_pages = i64::try_from(max_size_bytes / PAGE_BYTES).unwrap_or(i64::MAX);
        connection.pragma_update(None, "max_page_count", max_pages)
    };
    set().map_err(|error| JournalError::sqlite("set the pragmas", error))
}

/// Migrates, gives a new file its epoch and marks it as in use, in this order: a file without an
/// epoch row was never used, whatever stopped its making.
fn prepare(connection: &mut Connection, fresh_epoch: [u8; 16]) -> Result<Opened, JournalError> {
    MIGRATIONS.to_latest(connection).map_err(migrate_error)?;
    let sort = |error| JournalError::sqlite("read the epoch", error);
    let found: Option<([u8; 16], bool)> = connection
        .query_row("SELECT epoch, clean FROM journal WHERE id = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(sort)?;
    let opened = match found {
        Some((epoch, was_clean)) => Opened {
            epoch,
            made_new: false,
            was_clean,
        },
        None => Opened {
            epoch: fresh_epoch,
            made_new: true,
            was_clean: true,
        },
    };
    connection
        .execute(
            "INSERT INTO journal (id, epoch, clean) VALUES (1, ?1, 0)
             ON CONFLICT (id) DO UPDATE SET clean = 0",
            [opened.epoch.as_slice()],
        )
        .map_err(|error| JournalError::sqlite("mark the file as open", error))?;
    Ok(opened)
}

fn migrate_error(error: rusqlite_migration::Error) -> JournalError {
    use rusqlite_migration::Error as Migration;
    if let Migration::RusqliteError { err, .. } = error {
        return JournalError::sqlite("migrate", err);
    }
    let newer = MigrationDefinitionError::DatabaseTooFarAhead;
    if matches!(&error, Migration::MigrationDefinition(found) if *found == newer) {
        return JournalError::TooNew;
    }
    JournalError::Migrate {
        source: Arc::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_sound() {
        assert_eq!(MIGRATIONS.validate(), Ok(()));
    }

    #[test]
    fn a_stamp_cannot_lead_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        File::create(&path).unwrap();
        for stamp in ["", "../x", "a/b", "a b"] {
            assert!(set_aside(&path, stamp).is_err(), "{stamp:?}");
        }
        assert!(path.exists());
    }
}
