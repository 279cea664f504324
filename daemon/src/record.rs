//! Records of printed sheets on a machine: made before the document dies, sealed to central's audit key at once.
//!
//! ```text
//! printed ─► inspector: render, reduce ─► seal ─► <state>/records ─► central ─► erased here
//! ```
//!
//! What lies here opens for central alone. A record is worth less than what it is made of: where one cannot be made (no
//! key heard yet, no room, a page that does not render), the document is destroyed all the same.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use loket_domain::print::Revision;
use loket_spool::{Spool, SpoolError};
use loket_wire::record::RecordError;
use loket_wire::sealed::{AUDIT, RecordBinding, SealError, SealingPublic};
use loket_wire::{JobId, MachineId, MatchRecord};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore};

use crate::blocking::blocking;
use crate::clock::{Clock, certain};
use crate::document::{DocumentError, Documents};
use crate::identity::{IdentityError, OsRandom, write_private};
use crate::sheets::SheetReader;
use loket_inspection::Fault;

/// Sealed records that may wait for central: at some 20 kB each, what a busy station prints in months without a link.
const QUOTA_BYTES: u64 = 64 * 1024 * 1024;

/// Sealed records that central cannot open, until somebody gives it the key back: a year of a village's sheets.
const REFUSED_QUOTA_BYTES: u64 = 32 * 1024 * 1024;

/// The same as a count: a record of many pages is larger, one of a ticket smaller.
const MAX_REFUSED: usize = 1_000;

/// Central forgets jobs after five years, and then takes no record of one; sooner its office's days are over, which it
/// says when it is asked.
const REFUSED_DAYS: i64 = 5 * 366;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Version of the key's file and of central's answer.
const KEY_VERSION: u16 = 1;

/// Longest answer to the question for the key.
pub(crate) const MAX_KEY_ANSWER_BYTES: usize = 4 * 1024;

/// Why there is no record of a sheet.
#[derive(Debug, Error)]
pub enum RecordFault {
    /// Central's audit key was not heard yet.
    #[error("seal a record: central's audit key was never heard")]
    NoKey,
    /// The document does not open any more.
    #[error("open the printed document")]
    Document(#[from] DocumentError),
    /// It is not the one that was verified.
    #[error("open the printed document: it is another one")]
    OtherDocument,
    /// What reads it gave no record.
    #[error("read the printed document")]
    Child(#[from] Fault),
    /// The work ended without an answer.
    #[error("make a record: the work ended without an answer")]
    Ended,
    /// More than a record holds.
    #[error("write a record")]
    Record(#[from] RecordError),
    /// It could not be sealed.
    #[error("seal a record")]
    Seal(#[from] SealError),
    /// It could not be kept.
    #[error("keep a sealed record")]
    Spool(#[from] SpoolError),
}

/// The key that records are sealed to, as central tells it and as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditKey {
    version: u16,
    public_key: String,
}

impl AuditKey {
    /// Reads central's answer or the file.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, SealingPublic)> {
        let key: Self = serde_json::from_slice(bytes).ok()?;
        if key.version != KEY_VERSION {
            return None;
        }
        let public = SealingPublic::parse(&key.public_key).ok()?;
        Some((key, public))
    }
}

/// In which folder a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lying {
    /// `records`: it is handed in.
    Waiting,
    /// `records-refused`: central cannot open it.
    Refused,
}

/// Makes records, keeps them sealed until central has them.
pub struct Records {
    spool: Spool,
    refused: Spool,
    /// Records in `refused`, for whoever only wants to know.
    refused_count: AtomicUsize,
    key_path: PathBuf,
    key: Mutex<Option<SealingPublic>>,
    machine: MachineId,
    clock: Clock,
    sheets: Arc<SheetReader>,
    /// A record waits.
    pub(crate) bell: Notify,
    /// One at a time: each holds a document in memory.
    turns: Semaphore,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

impl Records {
    /// Opens the folder under a state folder; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub fn open(
        state_dir: &Path,
        machine: MachineId,
        clock: Clock,
        sheets: Arc<SheetReader>,
    ) -> Result<Arc<Self>, SpoolError> {
        let spool = Spool::open(&state_dir.join("records"), QUOTA_BYTES)?;
        let refused = Spool::open(&state_dir.join("records-refused"), REFUSED_QUOTA_BYTES)?;
        let refused_count = AtomicUsize::new(refused.jobs()?.len());
        let key_path = state_dir.join("audit-key.json");
        let key = std::fs::read(&key_path).ok();
        let key = key.and_then(|bytes| AuditKey::read(&bytes));
        Ok(Arc::new(Self {
            spool,
            refused,
            refused_count,
            key_path,
            key: Mutex::new(key.map(|(_key, public)| public)),
            machine,
            clock,
            sheets,
            bell: Notify::new(),
            turns: Semaphore::new(1),
        }))
    }

    /// Takes the key that central tells and keeps it for starts without central; true where it is another. Blocks.
    ///
    /// # Errors
    /// What the disk said; the key counts all the same.
    pub(crate) fn take_key(
        &self,
        key: &AuditKey,
        public: SealingPublic,
    ) -> Result<bool, IdentityError> {
        if self.lock().replace(public) == Some(public) {
            return Ok(false);
        }
        let content = |_unwritable| IdentityError::Content(self.key_path.clone());
        write_private(&self.key_path, &serde_json::to_vec(key).map_err(content)?)?;
        Ok(true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SealingPublic>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the record of a printed document, in a process of its own, and keeps it sealed. One that was made before
    /// stands.
    ///
    /// # Errors
    /// [`RecordFault`]; nothing is left behind then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves a whole record or none.
    pub(crate) async fn make(
        self: &Arc<Self>,
        documents: &Arc<Documents>,
        job: JobId,
        revision: Revision,
    ) -> Result<(), RecordFault> {
        // One at a time and not in a turn of those who judge: a document that waits to be printed comes first. Never
        // closed: there is always a turn, sooner or later.
        let _turn = self.turns.acquire().await;
        let (records, documents) = (Arc::clone(self), Arc::clone(documents));
        let opened = blocking(move || records.opened(&documents, job, &revision)).await;
        let Some((public, document)) = opened.ok_or(RecordFault::Ended)?? else {
            return Ok(());
        };
        let made_at = self.clock.now().wall;
        let record = self
            .sheets
            .record(&document, (job, &revision), made_at)
            .await?;
        drop(document);
        let records = Arc::clone(self);
        let kept = blocking(move || records.keep(job, &public, &record)).await;
        kept.ok_or(RecordFault::Ended)??;
        self.bell.notify_one();
        Ok(())
    }

    /// What a record is made of; nothing where there is one.
    fn opened(
        &self,
        documents: &Documents,
        job: JobId,
        revision: &Revision,
    ) -> Result<Option<(SealingPublic, Bytes)>, RecordFault> {
        if self.spool.jobs()?.contains(&job.to_string()) {
            return Ok(None);
        }
        let public = (*self.lock()).ok_or(RecordFault::NoKey)?;
        let document = documents.revision(job, revision)?;
        let document = document.ok_or(RecordFault::OtherDocument)?;
        Ok(Some((public, document)))
    }

    fn keep(
        &self,
        job: JobId,
        public: &SealingPublic,
        record: &MatchRecord,
    ) -> Result<(), RecordFault> {
        let binding = RecordBinding {
            recipient: AUDIT,
            machine: &self.machine,
            job,
        };
        let plain = record.encode()?;
        let sealed = public.seal_record(&binding, &plain, &mut OsRandom::default())?;
        Ok(self.spool.admit_bytes(&job.to_string(), &sealed)?)
    }

    /// Jobs whose record waits for central; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn waiting(&self) -> Result<Vec<JobId>, SpoolError> {
        let names = self.spool.jobs()?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Jobs whose record central cannot open, the oldest first; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn refused(&self) -> Result<Vec<JobId>, SpoolError> {
        let names = self.refused.jobs()?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// How many those are.
    pub(crate) fn refused_count(&self) -> usize {
        self.refused_count.load(Ordering::Relaxed)
    }

    /// The sealed record of a job; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn sealed(&self, job: JobId, lying: Lying) -> Result<Vec<u8>, SpoolError> {
        self.folder(lying).blob(&job.to_string())
    }

    /// Erases a record that central has, or will never take; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn erase(&self, job: JobId, lying: Lying) -> Result<(), SpoolError> {
        self.folder(lying).shred(&job.to_string())?;
        self.count_refused()
    }

    /// Puts a waiting record aside, which central cannot open; what is too old or too much goes, the oldest first.
    /// Blocks.
    ///
    /// # Errors
    /// [`SpoolError`]; it waits on then.
    pub(crate) fn put_aside(&self, job: JobId) -> Result<(), SpoolError> {
        let name = job.to_string();
        let sealed = self.spool.blob(&name)?;
        self.drop_old_refused()?;
        let mut kept = self.refused.jobs()?.into_iter();
        let surplus = kept.len().saturating_add(1).saturating_sub(MAX_REFUSED);
        for oldest in kept.by_ref().take(surplus) {
            self.give_up(&oldest)?;
        }
        loop {
            let admitted = self.refused.admit_bytes(&name, &sealed);
            match (admitted, kept.next()) {
                (Err(SpoolError::OverQuota { .. }), Some(oldest)) => self.give_up(&oldest)?,
                (admitted, _oldest) => break admitted?,
            }
        }
        self.spool.shred(&name)?;
        self.count_refused()
    }

    /// Erases every record that central cannot open; gives how many. Blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn forget_refused(&self) -> Result<usize, SpoolError> {
        let all = self.refused.jobs()?;
        for name in &all {
            self.refused.shred(name)?;
        }
        self.count_refused()?;
        Ok(all.len())
    }

    /// Erases those of jobs that central has forgotten by now; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn drop_old_refused(&self) -> Result<(), SpoolError> {
        let now = certain(self.clock.now()).unix_ms();
        for job in self.refused()? {
            let days = now.saturating_sub(made_at_ms(job)) / DAY_MS;
            if days > REFUSED_DAYS {
                self.give_up(&job.to_string())?;
            }
        }
        self.count_refused()
    }

    fn give_up(&self, name: &str) -> Result<(), SpoolError> {
        tracing::error!(
            job.id = name,
            "a record that central cannot open is erased: it is too old, or there are too many"
        );
        self.refused.shred(name)
    }

    fn count_refused(&self) -> Result<(), SpoolError> {
        let count = self.refused.jobs()?.len();
        self.refused_count.store(count, Ordering::Relaxed);
        Ok(())
    }

    const fn folder(&self, lying: Lying) -> &Spool {
        match lying {
            Lying::Waiting => &self.spool,
            Lying::Refused => &self.refused,
        }
    }
}

/// When a job's id was made, by its own word (RFC 9562, section 5.7).
fn made_at_ms(job: JobId) -> i64 {
    let bytes = job.as_bytes().iter().take(6);
    bytes.fold(0, |ms, byte| (ms << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests;
