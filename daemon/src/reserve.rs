//! Room on the disk that is kept for a start: a disk that others filled must not keep a machine dark.
//!
//! Opening the journal needs room for its log and the log's index, which a clean stop gives back. While the program
//! runs, a full disk is waited out; without this file a restart could not even say that the disk is full.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// Room for the log's index (32 KiB) and some hundred pages of log: a session's first reports and what it hears from
/// central, until somebody makes room.
const RESERVE_BYTES: u64 = 512 * 1024;

/// The reserve is made again when so much is free beside it: it must not be what fills the disk.
const FREE_BEFORE_BYTES: u64 = 2 * RESERVE_BYTES;

/// The reserved room of one state folder.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(crate) fn of(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("reserve"),
        }
    }

    /// Gives the room back to the disk; true where there was some.
    pub(crate) fn release(&self) -> bool {
        std::fs::remove_file(&self.path).is_ok()
    }

    /// Whether the room is held.
    pub(crate) fn stands(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|found| found.len() == RESERVE_BYTES)
    }

    /// Holds the room, where the disk has enough for it; true when it is held afterwards. Blocks on the disk.
    ///
    /// # Errors
    /// Those of the disk; a disk that cannot set room aside holds none.
    pub(crate) fn hold(&self) -> Result<bool> {
        if self.stands() {
            return Ok(true);
        }
        let dir = self.path.parent().unwrap_or_else(|| Path::new("."));
        if free_bytes(dir)? < RESERVE_BYTES + FREE_BEFORE_BYTES {
            return Ok(false);
        }
        let made = self.allocate();
        if made.is_err() {
            self.release();
        }
        match made {
            Err(error) if error.kind() == ErrorKind::StorageFull => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn allocate(&self) -> Result<()> {
        let file: File = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.path)?;
        // Blocks are given, not only a length: a hole would hold no room.
        fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES)?;
        file.sync_all()
    }
}

fn free_bytes(dir: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn it_holds_real_blocks_gives_them_back_and_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        assert!(!reserve.stands() && !reserve.release());
        assert!(reserve.hold().unwrap() && reserve.hold().unwrap());
        let held = std::fs::metadata(&reserve.path).unwrap();
        assert!(held.blocks() * 512 >= RESERVE_BYTES, "{}", held.blocks());
        assert!(reserve.release() && !reserve.stands());
        assert!(reserve.hold().unwrap() && reserve.stands());
    }

    #[test]
    fn half_of_it_is_not_it() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        File::create(&reserve.path).unwrap().set_len(5).unwrap();
        assert!(!reserve.stands());
        assert!(reserve.hold().unwrap() && reserve.stands());
    }
}
