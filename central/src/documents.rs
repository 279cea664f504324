//! Sealed documents on central's disk: `<job>.blob` for machines to fetch, `<job>.key` for central alone,
//! `<job>.order` with the envelope that was last sealed to the machine.
//!
//! A document never lies here in clear. The key file holds the job's secrets sealed to central's own key; it is
//! what makes the blob mean anything, and it dies with the job.

use std::io;
use std::path::{Path, PathBuf};

use loket_wire::order::Reprint;
use loket_wire::sealed::{Binding, Envelope, SealError, Secrets};
use loket_wire::{Blob, Epoch, JobId, Sha256Digest, Timestamp, presence};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files;
use crate::identity::Identity;
use crate::random::{RandomnessFailed, SystemRandomness};

/// A sealed copy of the secrets is below 1 kB.
const MAX_KEY_FILE_BYTES: u64 = 16 * 1024;

/// The recipient that central's own copies name.
const CENTRAL: &str = "central";

/// Why a document could not be kept or brought back.
#[derive(Debug, Error)]
pub(crate) enum DocumentError {
    /// The files could not be written, read or removed.
    #[error("use the sealed document of job {job}")]
    Io {
        /// The job.
        job: JobId,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Sealing or opening failed.
    #[error("seal or open the secrets of job {job}")]
    Seal {
        /// The job.
        job: JobId,
        /// Why.
        #[source]
        source: SealError,
    },
    /// The key file is not one.
    #[error("read the key file of job {job}")]
    KeyFile {
        /// The job.
        job: JobId,
    },
    /// No randomness to seal with.
    #[error("seal a document")]
    Randomness(#[from] RandomnessFailed),
}

/// What is known of a document before it is sealed.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// The bytes as taken in.
    pub(crate) document: &'a [u8],
    /// What the officer reads.
    pub(crate) label: &'a str,
    /// Pages of the signed revision.
    pub(crate) page_count: u32,
    /// Last moment it may be printed.
    pub(crate) not_after: Timestamp,
    /// What it replaces on paper.
    pub(crate) reprint: Option<Reprint>,
}

/// An envelope with the life of the journal that it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfferedEnvelope {
    /// Version of this file; 1.
    pub(crate) v: u16,
    /// The machine's journal epoch.
    pub(crate) epoch: Epoch,
    /// What only the machine opens.
    pub(crate) envelope: Envelope,
}

/// The folder of sealed documents.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    folder: PathBuf,
}

impl Documents {
    /// Opens the folder, making it when absent.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        files::make_dir(&folder)?;
        Ok(Self { folder })
    }

    /// Where the blob of `job` lies.
    pub(crate) fn blob_path(&self, job: JobId) -> PathBuf {
        self.folder.join(format!("{job}.blob"))
    }

    fn key_path(&self, job: JobId) -> PathBuf {
        self.folder.join(format!("{job}.key"))
    }

    fn order_path(&self, job: JobId) -> PathBuf {
        self.folder.join(format!("{job}.order"))
    }

    /// Seals a document under a fresh key and writes both files durably; blocks.
    pub(crate) fn keep(
        &self,
        job: JobId,
        facts: &Facts<'_>,
        identity: &Identity,
    ) -> Result<Blob, DocumentError> {
        let mut random = SystemRandomness::new();
        let secrets = Secrets::new(
            facts.label.to_owned(),
            None,
            facts.document,
            facts.page_count,
            &mut random,
        )
        .with_reprint(facts.reprint.clone());
        let seal = |source| DocumentError::Seal { job, source };
        let blob = secrets.seal_document(job, facts.document).map_err(seal)?;
        let binding = own_binding(job, facts.not_after);
        let envelope = identity
            .sealing_public
            .seal(&binding, &secrets, &mut random)
            .map_err(seal)?;
        random.check()?;
        let key = presence::encode(&envelope).map_err(|_ignored| DocumentError::KeyFile { job })?;
        let io = |source| DocumentError::Io { job, source };
        files::write_durably(&self.blob_path(job), &blob).map_err(io)?;
        files::write_durably(&self.key_path(job), &key).map_err(io)?;
        Ok(Blob {
            sha256: Sha256Digest::of(&blob),
            size_bytes: u64::try_from(blob.len()).unwrap_or(u64::MAX),
        })
    }

    /// Opens the secrets of `job` with central's own key; blocks.
    pub(crate) fn secrets(
        &self,
        job: JobId,
        not_after: Timestamp,
        identity: &Identity,
    ) -> Result<Secrets, DocumentError> {
        let bytes = files::read_bounded(&self.key_path(job), MAX_KEY_FILE_BYTES)
            .map_err(|source| DocumentError::Io { job, source })?;
        let envelope: Envelope =
            presence::decode(&bytes).map_err(|_ignored| DocumentError::KeyFile { job })?;
        identity
            .sealing
            .open(&own_binding(job, not_after), &envelope)
            .map_err(|source| DocumentError::Seal { job, source })
    }

    /// The envelope last sealed to the machine of `job`, if there is one that can be read; blocks.
    ///
    /// A repeated offer must carry the same bytes: others for the same job are a replay to the machine.
    pub(crate) fn offered(&self, job: JobId) -> Option<OfferedEnvelope> {
        let bytes = files::read_bounded(&self.order_path(job), MAX_KEY_FILE_BYTES).ok()?;
        presence::decode(&bytes).ok()
    }

    /// Keeps the envelope sealed to the machine of `job`, before it is offered; blocks.
    pub(crate) fn keep_offered(
        &self,
        job: JobId,
        offered: &OfferedEnvelope,
    ) -> Result<(), DocumentError> {
        let bytes = presence::encode(offered).map_err(|_ignored| DocumentError::KeyFile { job })?;
        files::write_durably(&self.order_path(job), &bytes)
            .map_err(|source| DocumentError::Io { job, source })
    }

    /// Destroys key and blob of `job`; what is gone already is success; blocks.
    pub(crate) fn shred(&self, job: JobId) -> Result<(), DocumentError> {
        let io = |source| DocumentError::Io { job, source };
        // The key first: without it the blob says nothing, whatever happens next.
        for path in [
            self.key_path(job),
            self.order_path(job),
            self.blob_path(job),
        ] {
            files::shred(&path).map_err(io)?;
            files::shred(&part_of(&path)).map_err(io)?;
        }
        Ok(())
    }

    /// Every job that has a file here, temporary ones included.
    pub(crate) fn jobs(&self) -> io::Result<Vec<JobId>> {
        let mut jobs = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let stem = name.to_str().and_then(|name| name.split('.').next());
            if let Some(job) = stem.and_then(|stem| stem.parse().ok()) {
                jobs.push(job);
            }
        }
        jobs.sort();
        jobs.dedup();
        Ok(jobs)
    }
}

fn own_binding(job: JobId, not_after: Timestamp) -> Binding<'static> {
    Binding {
        recipient: CENTRAL,
        job,
        epoch: Epoch::from_bytes([0; 16]),
        not_after,
    }
}

/// The temporary name that [`files::write_durably`] uses: a crash may have left it.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
