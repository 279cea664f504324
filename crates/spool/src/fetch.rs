//! Fetched documents: parts that grow, and their admission.

use std::io::Read as _;

use ring::digest::{Context, SHA256};

use crate::error::SpoolError;
use crate::files::{Kind, Slot, flush_folder};
use crate::spool::{MAX_BLOB_BYTES, Spool, len};

/// Bytes read at once while a digest is computed.
const CHUNK_BYTES: usize = 64 * 1024;

impl Spool {
    /// Returns how much of a job's document a fetch has brought; 0 where there is nothing. A
    /// resumed fetch asks for the rest from this byte on.
    ///
    /// # Errors
    /// [`SpoolError::BadJobName`], [`SpoolError::Io`].
    pub fn part_len(&self, job: &str) -> Result<u64, SpoolError> {
        let slot = self.slot(job, Kind::Part)?;
        let _guard = self.guard();
        Ok(slot.size_bytes()?.unwrap_or(0))
    }

    /// Continues a job's part. `offset` must be its present length, so that a late or doubled
    /// answer cannot corrupt it. Nothing is flushed here: [`Spool::admit`] does it once.
    ///
    /// # Errors
    /// [`SpoolError::WrongOffset`], [`SpoolError::TooLarge`] beyond [`MAX_BLOB_BYTES`],
    /// [`SpoolError::OverQuota`], [`SpoolError::Full`]; the part then stands as it was before the
    /// call. [`SpoolError::BadJobName`], [`SpoolError::Io`].
    pub fn append_part(&self, job: &str, offset: u64, bytes: &[u8]) -> Result<(), SpoolError> {
        let slot = self.slot(job, Kind::Part)?;
        let claims = self.guard();
        let have_bytes = slot.size_bytes()?.unwrap_or(0);
        if offset != have_bytes {
            return Err(SpoolError::WrongOffset {
                file: slot.name,
                offset,
                have_bytes,
            });
        }
        let then_bytes = have_bytes.saturating_add(len(bytes));
        slot.check_size(then_bytes, MAX_BLOB_BYTES)?;
        if claims.get(job).is_none_or(|claimed| then_bytes > *claimed) {
            self.check_quota(&claims, len(bytes))?;
        }
        self.note_room(slot.append(offset, bytes))
    }

    /// Drops a job's part, for instance when the server's document has changed; harmless where
    /// there is none.
    ///
    /// # Errors
    /// [`SpoolError::BadJobName`], [`SpoolError::Io`].
    pub fn drop_part(&self, job: &str) -> Result<(), SpoolError> {
        let slot = self.slot(job, Kind::Part)?;
        let _guard = self.guard();
        slot.remove()
    }

    /// Makes a job's part its blob, if it is exactly the document of this size and SHA-256. The
    /// blob is on disk when this returns. Repeating it with the same size and digest is harmless.
    ///
    /// # Errors
    /// [`SpoolError::NotFound`] without part and blob; [`SpoolError::Incomplete`] if the part is
    /// too short, which keeps it; [`SpoolError::Mismatch`] if it is another document, which drops
    /// it; [`SpoolError::OtherAdmitted`] if the job has another blob already;
    /// [`SpoolError::BadJobName`], [`SpoolError::Io`]. A part that could not be flushed is dropped
    /// too, because what the disk holds of it is unknown.
    pub fn admit(&self, job: &str, size_bytes: u64, sha256: [u8; 32]) -> Result<(), SpoolError> {
        let (part, blob) = (self.slot(job, Kind::Part)?, self.slot(job, Kind::Blob)?);
        blob.check_size(size_bytes, MAX_BLOB_BYTES)?;
        let _guard = self.guard();
        if blob.size_bytes()?.is_some() {
            if !matches(&blob, size_bytes, sha256)? {
                return Err(SpoolError::OtherAdmitted { file: blob.name });
            }
            // A crash may have come between the rename and the folder's flush.
            part.remove()?;
            return flush_folder(&self.folder);
        }
        let have_bytes = part.size_bytes()?.ok_or_else(|| SpoolError::NotFound {
            file: part.name.clone(),
        })?;
        if have_bytes < size_bytes {
            return Err(SpoolError::Incomplete {
                file: part.name,
                have_bytes,
                size_bytes,
            });
        }
        if !matches(&part, size_bytes, sha256)? {
            part.remove()?;
            return Err(SpoolError::Mismatch { file: part.name });
        }
        if let Err(error) = part.flush() {
            part.remove()?;
            return Err(error);
        }
        part.rename_to(&blob)?;
        flush_folder(&self.folder)
    }
}

fn matches(slot: &Slot, size_bytes: u64, sha256: [u8; 32]) -> Result<bool, SpoolError> {
    if slot.size_bytes()? != Some(size_bytes) {
        return Ok(false);
    }
    let mut file = slot.open_bounded(MAX_BLOB_BYTES)?;
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = file
            .read(&mut chunk)
            .map_err(|error| slot.error("read", error))?;
        if count == 0 {
            return Ok(context.finish().as_ref() == sha256);
        }
        context.update(chunk.get(..count).unwrap_or_default());
    }
}
