//! The end of a document on this machine.

use std::collections::BTreeSet;

use crate::error::SpoolError;
use crate::files::{FOLDER, Kind, Slot, flush_folder};
use crate::spool::Spool;

impl Spool {
    /// Destroys all files of a job, the key first: each is overwritten with zeros, flushed and
    /// unlinked, then the folder is flushed. Repeating it is harmless, and finishes what a crash
    /// left.
    ///
    /// # Errors
    /// [`SpoolError::BadJobName`]; [`SpoolError::Io`] or [`SpoolError::Full`] if a file could not
    /// be overwritten, though it is unlinked all the same where that is possible; the other files
    /// are still taken.
    pub fn shred(&self, job: &str) -> Result<(), SpoolError> {
        let slots = Kind::ALL
            .into_iter()
            .map(|kind| self.slot(job, kind))
            .collect::<Result<Vec<_>, _>>()?;
        let _guard = self.guard();
        self.shred_slots(&slots)
    }

    /// Destroys the files of all jobs that are not in `keep`, and everything left half-written:
    /// temporary files, and parts beside an admitted blob. Returns the ids of the jobs that it
    /// destroyed, in order. Files of other names are not the spool's and stay.
    ///
    /// # Errors
    /// [`SpoolError::Io`] if the folder could not be read, or the first failure of a shred; the
    /// other jobs are still taken.
    pub fn sweep(&self, keep: &BTreeSet<String>) -> Result<Vec<String>, SpoolError> {
        let _guard = self.guard();
        let (mut doomed, mut gone) = (Vec::new(), BTreeSet::new());
        for name in self.names()? {
            let Some((job, kind)) = Slot::parse(&name) else {
                continue;
            };
            let is_kept = keep.contains(job);
            let is_left_over = match kind {
                Kind::Temp => true,
                Kind::Part => self.slot(job, Kind::Blob)?.size_bytes()?.is_some(),
                Kind::Key | Kind::Blob => false,
            };
            if !is_kept {
                gone.insert(job.to_owned());
            }
            if !is_kept || is_left_over {
                doomed.push(self.slot(job, kind)?);
            }
        }
        self.shred_slots(&doomed)?;
        Ok(gone.into_iter().collect())
    }

    /// Shreds each, whatever becomes of the others; returns the first failure.
    fn shred_slots(&self, slots: &[Slot]) -> Result<(), SpoolError> {
        let mut outcome = Ok(());
        for slot in slots {
            let overwritten = slot.overwrite();
            // Bytes that cannot be overwritten are better unlinked than left in reach.
            outcome = outcome.and(overwritten).and(slot.remove());
        }
        outcome.and(flush_folder(&self.folder))
    }

    /// Lists the file names that are text, sorted; the spool gives no others.
    pub(crate) fn names(&self) -> Result<BTreeSet<String>, SpoolError> {
        let sort = |error| SpoolError::io("list", FOLDER, error);
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(&self.folder).map_err(sort)? {
            if let Ok(name) = entry.map_err(sort)?.file_name().into_string() {
                names.insert(name);
            }
        }
        Ok(names)
    }
}
