//! Files that must outlive a power cut, or must not outlive their use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Files of central hold keys and sealed documents: no one else reads them.
const FILE_MODE: u32 = 0o600;
/// The same for their folders.
const DIR_MODE: u32 = 0o700;
/// One write of zeros while shredding.
const SHRED_BLOCK_BYTES: usize = 64 * 1024;

/// Makes `path` and its parents with mode 0700.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(DIR_MODE)
        .create(path)
}

/// Writes `bytes` so that `path` holds all of them or what it held before: temporary file, fsync, rename, fsync folder.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_owned();
    name.push(".part");
    let temporary = folder.join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_dir(folder)
}

/// Makes `path` with `bytes` if it is not there yet; says whether it was made.
pub(crate) fn create_durably(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if path.try_exists()? {
        return Ok(false);
    }
    write_durably(path, bytes)?;
    Ok(true)
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Overwrites `path` with zeros, syncs, unlinks, syncs the folder; a file that is gone is success.
///
/// On flash and on copy-on-write file systems the overwritten blocks may survive below; what is shredded here is
/// sealed, and without its key file it stays so.
pub(crate) fn shred(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut left = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let zeros = vec![0_u8; SHRED_BLOCK_BYTES];
    while left > 0 {
        let block = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(SHRED_BLOCK_BYTES);
        file.write_all(zeros.get(..block).unwrap_or(&zeros))?;
        left = left.saturating_sub(u64::try_from(block).unwrap_or(u64::MAX));
    }
    file.sync_all()?;
    drop(file);
    fs::remove_file(path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Reads at most `limit_bytes`; a larger file is an error of kind `FileTooLarge`.
pub(crate) fn read_bounded(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let file = File::open(path)?;
    // Room for all of it at once: a growing vector would leave copies of what it held behind.
    let size_bytes = file.metadata()?.len().min(limit_bytes).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(size_bytes).unwrap_or(0));
    file.take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit_bytes {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_written_file_is_whole_private_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.key");
        write_durably(&path, b"one").unwrap();
        write_durably(&path, b"two").unwrap();
        assert!(!create_durably(&path, b"three").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn shredding_twice_is_shredding_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.blob");
        write_durably(&path, &vec![7; SHRED_BLOCK_BYTES + 3]).unwrap();
        shred(&path).unwrap();
        shred(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_over_the_bound_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_durably(&path, b"1234").unwrap();
        assert_eq!(read_bounded(&path, 4).unwrap(), b"1234");
        assert_eq!(
            read_bounded(&path, 3).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
    }
}
