//! Files that are whole or absent, also after a power cut: temporary file, fsync, rename, fsync of the folder.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::ProvisionError;

/// The largest file that is read: a revocation list of some 25,000 entries. Ours are smaller by far, and a wrong
/// path (a disk image, a device) must not fill the memory.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone: keys and state.
    Owner,
    /// Everyone: certificates, lists and settings that the broker reads after it dropped its privileges.
    All,
}

impl Readers {
    const fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }

    const fn folder_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::All => 0o755,
        }
    }
}

/// Puts `bytes` at `path`, in one step for any reader.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), ProvisionError> {
    write_checked(path, bytes, readers, |_bytes| Ok(()))
}

/// Like [`write`], but `check` judges what the disk gives back before it takes the place of the old file.
pub(crate) fn write_checked(
    path: &Path,
    bytes: &[u8],
    readers: Readers,
    check: impl FnOnce(&[u8]) -> Result<(), ProvisionError>,
) -> Result<(), ProvisionError> {
    let temporary = temporary_path(path);
    write_new(&temporary, bytes, readers).map_err(|source| failed(&temporary, source))?;
    check(&read(&temporary)?)?;
    fs::rename(&temporary, path).map_err(|source| failed(path, source))?;
    sync_folder_of(path)
}

/// Puts a key at `path`, where nothing may be yet.
pub(crate) fn write_once(path: &Path, bytes: &[u8]) -> Result<(), ProvisionError> {
    if path.exists() {
        return Err(failed(path, io::ErrorKind::AlreadyExists.into()));
    }
    write(path, bytes, Readers::Owner)
}

/// Moves a file to a folder of the same file system; the move is on disk when this returns.
pub(crate) fn move_file(from: &Path, to: &Path) -> Result<(), ProvisionError> {
    fs::rename(from, to).map_err(|source| failed(to, source))?;
    sync_folder_of(to)?;
    sync_folder_of(from)
}

/// Removes a file. A power cut may bring it back, so that whoever removes must be able to do so again.
pub(crate) fn remove(path: &Path) -> Result<(), ProvisionError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes `dir` and what is missing above it.
pub(crate) fn create_folder(dir: &Path, readers: Readers) -> Result<(), ProvisionError> {
    DirBuilder::new()
        .recursive(true)
        .mode(readers.folder_mode())
        .create(dir)
        .map_err(|source| failed(dir, source))
}

/// Makes `dir` readable by all, though an earlier version may have made it its owner's alone.
pub(crate) fn open_folder(dir: &Path) -> Result<(), ProvisionError> {
    create_folder(dir, Readers::All)?;
    let open = Permissions::from_mode(Readers::All.folder_mode());
    fs::set_permissions(dir, open).map_err(|source| failed(dir, source))
}

/// Reads a whole file of at most [`MAX_FILE_BYTES`].
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ProvisionError> {
    let unreadable = |source: io::Error| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound {
            ProvisionError::NotFound { path }
        } else {
            ProvisionError::Read { path, source }
        }
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let size_bytes = file
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(size_bytes).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(ProvisionError::TooLarge {
            path: path.to_owned(),
            limit_bytes: MAX_FILE_BYTES,
        });
    }
    Ok(bytes)
}

/// Reads a whole file as text.
pub(crate) fn read_text(path: &Path) -> Result<String, ProvisionError> {
    String::from_utf8(read(path)?).map_err(|error| ProvisionError::Read {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })
}

/// Reads a file that may be absent.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, ProvisionError> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ProvisionError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names of the `.json` files in `dir`, sorted; an absent folder has none.
pub(crate) fn json_names(dir: &Path) -> Result<Vec<String>, ProvisionError> {
    let unreadable = |source| ProvisionError::Read {
        path: dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        if let Some(name) = name.to_str()
            && name.ends_with(".json")
            && !name.starts_with('.')
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Held while state changes, so that two commands at once do not undo each other; the system frees it with the process.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "an open file is the lock")] File);

/// Waits for the lock of `dir`.
pub(crate) fn lock(dir: &Path) -> Result<Lock, ProvisionError> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(Readers::Owner.file_mode())
        .open(&path)
        .map_err(|source| failed(&path, source))?;
    file.lock().map_err(|source| failed(&path, source))?;
    Ok(Lock(file))
}

fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // What an interrupted write left must not lend its permissions to a key.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(Readers::Owner.file_mode())
        .open(path)?;
    // Set rather than asked for: the umask of an administrator's shell must not lock the broker out.
    file.set_permissions(Permissions::from_mode(readers.file_mode()))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder_of(path: &Path) -> Result<(), ProvisionError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)
        .and_then(|dir| dir.sync_all())
        .map_err(|source| failed(folder, source))
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

fn failed(path: &Path, source: io::Error) -> ProvisionError {
    ProvisionError::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_write_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        write(&path, b"old", Readers::All).unwrap();
        let refused = write_checked(&path, b"new", Readers::All, |_bytes| {
            Err(ProvisionError::Crl { what: "planted" })
        });
        assert!(matches!(refused, Err(ProvisionError::Crl { .. })));
        assert_eq!(read(&path).unwrap(), b"old");
        write(&path, b"newer", Readers::Owner).unwrap();
        assert_eq!(read(&path).unwrap(), b"newer");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_too_large_or_absent_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        let size = usize::try_from(MAX_FILE_BYTES).unwrap() + 1;
        write_new(&path, &vec![0; size], Readers::Owner).unwrap();
        assert!(matches!(read(&path), Err(ProvisionError::TooLarge { .. })));
        let absent = read(&dir.path().join("absent"));
        assert!(matches!(absent, Err(ProvisionError::NotFound { .. })));
        assert!(read_if_there(&dir.path().join("absent")).unwrap().is_none());
    }
}
