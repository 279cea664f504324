//! The spool itself: its folder, its quota, keys and blobs.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::SpoolError;
use crate::files::{FOLDER, Kind, Slot, flush_folder};

/// Largest key file, 32 KiB: an order is one MQTT payload, and that is at most 32,768 bytes.
pub const MAX_KEY_BYTES: u64 = 32 * 1024;
/// Largest blob: a document of 8 MiB, the order's limit, and 64 KiB for what sealing adds.
pub const MAX_BLOB_BYTES: u64 = 8 * 1024 * 1024 + 64 * 1024;

/// A handle to a spool folder; clones share its lock.
#[derive(Clone, Debug)]
pub struct Spool {
    pub(crate) folder: Arc<Path>,
    quota_bytes: u64,
    claims: Arc<Mutex<Claims>>,
    is_short: Arc<AtomicBool>,
}

/// Whole sizes of the documents that are being fetched, by job: their missing bytes count as used.
pub(crate) type Claims = BTreeMap<String, u64>;

/// Room in the quota for one document while it is fetched; given back when it is dropped.
#[derive(Debug)]
#[must_use = "the room is given back when this is dropped"]
pub struct Claim {
    spool: Spool,
    job: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.spool.guard().remove(&self.job);
    }
}

/// How much a spool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolStats {
    /// Bytes of all files in the folder.
    pub size_bytes: u64,
    /// Number of files in the folder.
    pub file_count: u64,
    /// The quota that the spool was opened with.
    pub quota_bytes: u64,
}

impl Spool {
    /// Opens the folder, or makes it where there is none (its parent must exist), and closes it to
    /// everyone but its owner.
    ///
    /// # Errors
    /// [`SpoolError::NotAFile`] if the path is not a folder, [`SpoolError::NotFound`] without its
    /// parent, [`SpoolError::Io`] if it cannot be made or closed to others.
    pub fn open(dir: &Path, quota_bytes: u64) -> Result<Self, SpoolError> {
        let sort = |error| SpoolError::io("open", FOLDER, error);
        match DirBuilder::new().mode(0o700).create(dir) {
            // Names given in it are worth nothing if a power cut takes its own.
            Ok(()) => flush_folder(&dir.join(".."))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(SpoolError::io("make", FOLDER, error)),
        }
        let found = std::fs::symlink_metadata(dir).map_err(sort)?;
        if !found.is_dir() {
            return Err(SpoolError::NotAFile {
                file: FOLDER.into(),
            });
        }
        let mut permissions = found.permissions();
        if permissions.mode() & 0o777 != 0o700 {
            permissions.set_mode(0o700);
            std::fs::set_permissions(dir, permissions)
                .map_err(|error| SpoolError::io("close to others", FOLDER, error))?;
        }
        Ok(Self {
            folder: dir.into(),
            quota_bytes,
            claims: Arc::default(),
            is_short: Arc::default(),
        })
    }

    /// Stores a job's key file, whole or not at all; an existing one is replaced. It is on disk
    /// when this returns.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`] over [`MAX_KEY_BYTES`], [`SpoolError::OverQuota`],
    /// [`SpoolError::Full`], [`SpoolError::BadJobName`], [`SpoolError::Io`].
    pub fn put_key(&self, job: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let slot = self.slot(job, Kind::Key)?;
        let size_bytes = len(bytes);
        slot.check_size(size_bytes, MAX_KEY_BYTES)?;
        let claims = self.guard();
        self.check_quota(&claims, size_bytes)?;
        self.write_whole(job, bytes, &slot)
    }

    /// Stores a job's blob from bytes at hand, for jobs that were made on this machine. It is on
    /// disk when this returns; repeating it with the same bytes is harmless.
    ///
    /// # Errors
    /// [`SpoolError::OtherAdmitted`] if the job has another blob, [`SpoolError::TooLarge`] over
    /// [`MAX_BLOB_BYTES`], [`SpoolError::OverQuota`], [`SpoolError::Full`],
    /// [`SpoolError::BadJobName`], [`SpoolError::Io`].
    pub fn admit_bytes(&self, job: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let slot = self.slot(job, Kind::Blob)?;
        let size_bytes = len(bytes);
        slot.check_size(size_bytes, MAX_BLOB_BYTES)?;
        let claims = self.guard();
        if slot.size_bytes()?.is_some() {
            if slot.read(MAX_BLOB_BYTES)? != bytes {
                return Err(SpoolError::OtherAdmitted { file: slot.name });
            }
            return flush_folder(&self.folder);
        }
        self.check_quota(&claims, size_bytes)?;
        self.write_whole(job, bytes, &slot)
    }

    /// Claims room for a whole document of which a part may stand already, before a fetch begins:
    /// two documents that are fetched side by side must not each take what the other needs to
    /// become whole. While it is held [`Spool::append_part`] asks the quota nothing. One fetch a
    /// job at a time.
    ///
    /// # Errors
    /// [`SpoolError::BeyondQuota`] for a document that the quota can never hold,
    /// [`SpoolError::OverQuota`] for one that it cannot hold at present,
    /// [`SpoolError::TooLarge`] over [`MAX_BLOB_BYTES`], [`SpoolError::BadJobName`],
    /// [`SpoolError::Io`].
    pub fn claim(&self, job: &str, size_bytes: u64) -> Result<Claim, SpoolError> {
        let (part, key) = (self.slot(job, Kind::Part)?, self.slot(job, Kind::Key)?);
        self.slot(job, Kind::Blob)?
            .check_size(size_bytes, MAX_BLOB_BYTES)?;
        let mut claims = self.guard();
        let with_key = size_bytes.saturating_add(key.size_bytes()?.unwrap_or(0));
        if with_key > self.quota_bytes {
            return Err(SpoolError::BeyondQuota {
                need_bytes: with_key,
                quota_bytes: self.quota_bytes,
            });
        }
        let missing = size_bytes.saturating_sub(part.size_bytes()?.unwrap_or(0));
        self.note_room(self.check_quota(&claims, missing))?;
        claims.insert(job.to_owned(), size_bytes);
        Ok(Claim {
            spool: self.clone(),
            job: job.to_owned(),
        })
    }

    /// Returns a job's key file.
    ///
    /// # Errors
    /// [`SpoolError::NotFound`] if there is none; [`SpoolError::Io`] if it could not be read.
    pub fn key(&self, job: &str) -> Result<Vec<u8>, SpoolError> {
        let slot = self.slot(job, Kind::Key)?;
        let _guard = self.guard();
        slot.read(MAX_KEY_BYTES)
    }

    /// Returns a job's sealed document, as it was admitted.
    ///
    /// # Errors
    /// [`SpoolError::NotFound`] if there is none; [`SpoolError::Io`] if it could not be read.
    pub fn blob(&self, job: &str) -> Result<Vec<u8>, SpoolError> {
        let slot = self.slot(job, Kind::Blob)?;
        let _guard = self.guard();
        slot.read(MAX_BLOB_BYTES)
    }

    /// The jobs whose blob was admitted, in the order of their ids.
    ///
    /// # Errors
    /// [`SpoolError::Io`] if the folder could not be read.
    pub fn jobs(&self) -> Result<Vec<String>, SpoolError> {
        let _guard = self.guard();
        let names = self.names()?;
        let admitted = names.iter().filter_map(|name| match Slot::parse(name) {
            Some((job, Kind::Blob)) => Some(job.to_owned()),
            Some((_, Kind::Key | Kind::Part | Kind::Temp)) | None => None,
        });
        Ok(admitted.collect())
    }

    /// Whether the last document that was to be brought here found no room, in the quota or on the
    /// disk, and may find some later.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    /// Remembers whether a document found room.
    pub(crate) fn note_room<T>(&self, outcome: Result<T, SpoolError>) -> Result<T, SpoolError> {
        match &outcome {
            Ok(_) => self.is_short.store(false, Ordering::Relaxed),
            Err(SpoolError::OverQuota { .. } | SpoolError::Full { .. }) => {
                self.is_short.store(true, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        outcome
    }

    /// Counts what the folder holds, files of other names too.
    ///
    /// # Errors
    /// [`SpoolError::Io`] if the folder could not be read.
    pub fn stats(&self) -> Result<SpoolStats, SpoolError> {
        let _guard = self.guard();
        self.count()
    }

    /// Writes beside the name, flushes, renames, flushes the folder.
    fn write_whole(&self, job: &str, bytes: &[u8], target: &Slot) -> Result<(), SpoolError> {
        let temp = self.slot(job, Kind::Temp)?;
        temp.write_new(bytes)?;
        temp.rename_to(target)?;
        flush_folder(&self.folder)
    }

    /// Refuses to write so many bytes more than the quota leaves. The caller holds the lock.
    pub(crate) fn check_quota(&self, claims: &Claims, need_bytes: u64) -> Result<(), SpoolError> {
        let mut used_bytes = self.count()?.size_bytes;
        for (job, size_bytes) in claims {
            let have_bytes = self.slot(job, Kind::Part)?.size_bytes()?.unwrap_or(0);
            used_bytes = used_bytes.saturating_add(size_bytes.saturating_sub(have_bytes));
        }
        let quota_bytes = self.quota_bytes;
        if used_bytes.saturating_add(need_bytes) > quota_bytes {
            return Err(SpoolError::OverQuota {
                need_bytes,
                used_bytes,
                quota_bytes,
            });
        }
        Ok(())
    }

    /// Adds up the folder each time: a kiosk's spool has tens of files, and a sum that is kept
    /// could only be wrong.
    fn count(&self) -> Result<SpoolStats, SpoolError> {
        let sort = |error| SpoolError::io("list", FOLDER, error);
        let mut stats = SpoolStats {
            size_bytes: 0,
            file_count: 0,
            quota_bytes: self.quota_bytes,
        };
        for entry in std::fs::read_dir(&self.folder).map_err(sort)? {
            // The entry's own metadata follows no link.
            let found = entry.and_then(|entry| entry.metadata()).map_err(sort)?;
            stats.size_bytes = stats.size_bytes.saturating_add(found.len());
            stats.file_count += 1;
        }
        Ok(stats)
    }

    pub(crate) fn slot(&self, job: &str, kind: Kind) -> Result<Slot, SpoolError> {
        Slot::new(&self.folder, job, kind)
    }

    /// Takes the lock; a panic of another holder leaves the disk as a crash would, which every
    /// operation is built to meet.
    pub(crate) fn guard(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A length as the 64 bits in which files are measured.
pub(crate) fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
