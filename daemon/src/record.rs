//! Records of printed sheets on a machine: made before the document dies, sealed to central's audit key at once.
//!
//! ```text
//! printed ─► render, reduce ─► seal ─► <state>/records ─► central ─► erased here
//! ```
//!
//! What lies here opens for central alone. A record is worth less than what it is made of: where one cannot be made (no
//! key heard yet, no room, a page that does not render), the document is destroyed all the same.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use loket_domain::print::Revision;
use loket_spool::{Spool, SpoolError};
use loket_verify::{Code, Policy, Trust, check};
use loket_wire::record::RecordError;
use loket_wire::sealed::{AUDIT, RecordBinding, SealError, SealingPublic};
use loket_wire::{JobId, MachineId, MatchRecord};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::document::{DocumentError, Documents};
use crate::identity::{IdentityError, OsRandom, write_private};

mod reduce;

pub use reduce::ReduceError;
pub(crate) use reduce::{Reduced, codes_of, reduce};

/// Sealed records that may wait for central: at some 20 kB each, what a busy station prints in months without a link.
const QUOTA_BYTES: u64 = 64 * 1024 * 1024;

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
    /// Its pages could not be reduced.
    #[error("reduce the printed pages")]
    Reduce(#[from] ReduceError),
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

/// Makes records, keeps them sealed until central has them.
pub struct Records {
    spool: Spool,
    key_path: PathBuf,
    key: Mutex<Option<SealingPublic>>,
    machine: MachineId,
    clock: Clock,
    /// A record waits.
    pub(crate) bell: Notify,
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
    ) -> Result<Arc<Self>, SpoolError> {
        let spool = Spool::open(&state_dir.join("records"), QUOTA_BYTES)?;
        let key_path = state_dir.join("audit-key.json");
        let key = std::fs::read(&key_path).ok();
        let key = key.and_then(|bytes| AuditKey::read(&bytes));
        Ok(Arc::new(Self {
            spool,
            key_path,
            key: Mutex::new(key.map(|(_key, public)| public)),
            machine,
            clock,
            bell: Notify::new(),
            turns: Semaphore::new(1),
        }))
    }

    /// Waits for the turn to make a record; it is over when the permit is dropped.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing but its place in the queue.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed: there is always a permit, sooner or later.
        self.turns.acquire().await.ok()
    }

    /// Takes the key that central tells and keeps it for starts without central; blocks.
    ///
    /// # Errors
    /// What the disk said; the key counts all the same.
    pub(crate) fn take_key(
        &self,
        key: &AuditKey,
        public: SealingPublic,
    ) -> Result<(), IdentityError> {
        if self.lock().replace(public) == Some(public) {
            return Ok(());
        }
        let content = |_unwritable| IdentityError::Content(self.key_path.clone());
        write_private(&self.key_path, &serde_json::to_vec(key).map_err(content)?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SealingPublic>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the record of a printed document and keeps it sealed; blocks. One that was made before stands.
    ///
    /// # Errors
    /// [`RecordFault`]; nothing is left behind then.
    pub(crate) fn make(
        &self,
        documents: &Documents,
        job: JobId,
        revision: &Revision,
    ) -> Result<(), RecordFault> {
        let name = job.to_string();
        if self.spool.jobs()?.contains(&name) {
            return Ok(());
        }
        let public = (*self.lock()).ok_or(RecordFault::NoKey)?;
        let document = documents.revision(job, revision)?;
        let document = document.ok_or(RecordFault::OtherDocument)?;
        let Reduced { codes, pages } = reduce(&document, revision.page_count)?;
        let made_at = self.clock.now().wall;
        // What it says of the signature was asked before the print; here it is asked what the pages rest on.
        let report = check(&document, &Trust::default(), &Policy::default(), made_at);
        let fonts_inside = !report.has(Code::FontStandard) && !report.has(Code::FontMissing);
        drop(document);
        let record = MatchRecord {
            job_id: job,
            revision_sha256: revision.sha256,
            made_at,
            fonts_inside,
            codes,
            pages,
        };
        let binding = RecordBinding {
            recipient: AUDIT,
            machine: &self.machine,
            job,
        };
        let sealed = public.seal_record(&binding, &record.encode()?, &mut OsRandom::default())?;
        self.spool.admit_bytes(&name, &sealed)?;
        self.bell.notify_one();
        Ok(())
    }

    /// Jobs whose record waits for central; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn waiting(&self) -> Result<Vec<JobId>, SpoolError> {
        let names = self.spool.jobs()?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// The sealed record of a job; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn sealed(&self, job: JobId) -> Result<Vec<u8>, SpoolError> {
        self.spool.blob(&job.to_string())
    }

    /// Erases a record that central has, or will never take; blocks.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(crate) fn erase(&self, job: JobId) -> Result<(), SpoolError> {
        self.spool.shred(&job.to_string())
    }
}
