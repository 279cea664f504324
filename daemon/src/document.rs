//! Sealed documents: kept in the spool, opened in memory only, judged there.

use std::sync::Arc;

use bytes::Bytes;
use loket_domain::print::{Revision, Verification};
use loket_paper::form::EXERCISE_PAGES;
use loket_spool::{Spool, SpoolError};
use loket_verify::{Policy, Report, Verdict};
use loket_wire::sealed::{Binding, Envelope, SealError, SealingKey, SealingPublic, Secrets};
use loket_wire::{Class, Epoch, JobId, Reason, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use zeroize::Zeroizing;

use crate::trust::TrustStore;

/// Documents opened, judged or sealed at a time: one a core of the smallest PC. Each takes three times 8 MiB at most.
const MAX_TURNS: usize = 2;

/// Why a document cannot be opened.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// The spool cannot give it.
    #[error("read the sealed document")]
    Spool(#[from] SpoolError),
    /// Its key file is not one.
    #[error("understand the sealed document's key file")]
    KeyFile,
    /// Its key file was written by a later version of this program. It is left as it is.
    #[error(
        "read the sealed document's key file: it is of version {0}, this program reads up to {KEY_FILE_VERSION}"
    )]
    TooNew(u16),
    /// It does not open.
    #[error("open the sealed document")]
    Seal(#[from] SealError),
    /// It is shorter than its signed revision.
    #[error("cut the document at its signed revision")]
    Short,
}

/// Version of the key file's shape.
pub const KEY_FILE_VERSION: u16 = 1;

/// What stands beside a sealed document: the envelope, still sealed, and what it is bound to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyFile {
    /// Version of this shape; [`KEY_FILE_VERSION`] where this program writes it.
    pub v: u16,
    /// The recipient the envelope names.
    pub recipient: String,
    /// The job.
    pub job_id: JobId,
    /// The journal epoch.
    pub epoch: Epoch,
    /// Last moment the job may be printed.
    #[serde(rename = "not_after_ms")]
    pub not_after: Timestamp,
    /// The sealed secrets.
    pub envelope: Envelope,
}

/// What every version of a key file says first.
#[derive(Deserialize)]
struct Versioned {
    v: u16,
}

impl KeyFile {
    /// Reads one of this or an earlier version; a later one may have another shape.
    fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let Versioned { v } =
            serde_json::from_slice(bytes).map_err(|_bad| DocumentError::KeyFile)?;
        if v > KEY_FILE_VERSION {
            return Err(DocumentError::TooNew(v));
        }
        serde_json::from_slice(bytes).map_err(|_bad| DocumentError::KeyFile)
    }

    fn open(&self, key: &SealingKey) -> Result<Secrets, SealError> {
        let binding = Binding {
            recipient: &self.recipient,
            job: self.job_id,
            epoch: self.epoch,
            not_after: self.not_after,
        };
        key.open(&binding, &self.envelope)
    }
}

/// Spool, key and trust in one place. Every method but [`Documents::turn`] blocks and belongs on a blocking thread.
#[derive(Debug)]
pub struct Documents {
    /// Where sealed documents lie.
    pub spool: Spool,
    sealing: SealingKey,
    trust: Arc<TrustStore>,
    policy: Policy,
    turns: Semaphore,
}

impl Documents {
    /// Joins spool, key and trust.
    #[must_use]
    pub fn new(
        spool: Spool,
        sealing: SealingKey,
        trust: Arc<TrustStore>,
        policy: Policy,
    ) -> Arc<Self> {
        Arc::new(Self {
            spool,
            sealing,
            trust,
            policy,
            turns: Semaphore::new(MAX_TURNS),
        })
    }

    /// What documents are judged by.
    #[must_use]
    pub const fn trust(&self) -> &Arc<TrustStore> {
        &self.trust
    }

    /// Waits for a turn to hold a whole document in memory; it is over when the permit is dropped.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing but its place in the queue.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed: there is always a permit, sooner or later.
        self.turns.acquire().await.ok()
    }

    /// By what documents are judged.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the officer reads of a job; empty when its key file is gone.
    #[must_use]
    pub fn label(&self, job: JobId) -> Zeroizing<String> {
        let label = self.secrets(job).map(|secrets| secrets.label.clone());
        Zeroizing::new(label.unwrap_or_default())
    }

    /// The public half of this machine's sealing key.
    ///
    /// # Errors
    /// [`SealError::Key`] when the key file held none.
    pub fn public(&self) -> Result<SealingPublic, SealError> {
        self.sealing.public()
    }

    /// Opens and judges a document. A page that this machine drew itself is what it is; no other of class `own` is taken.
    ///
    /// # Errors
    /// [`DocumentError::Spool`] when it cannot be read at present; what does not open is a refusal.
    pub fn judge(
        &self,
        job: JobId,
        (class, is_exercise): (Class, bool),
        at: Timestamp,
    ) -> Result<Verification, DocumentError> {
        let document = match self.open(job) {
            Ok(document) => document,
            Err(DocumentError::Seal(SealError::OtherKey)) => {
                return Ok(Verification::Refused(Reason::KeyUnknown));
            }
            Err(DocumentError::Seal(_) | DocumentError::KeyFile | DocumentError::Short) => {
                return Ok(Verification::Refused(Reason::Altered));
            }
            Err(DocumentError::Spool(SpoolError::NotFound { .. })) => {
                return Ok(Verification::Refused(Reason::SpoolLost));
            }
            Err(error) => return Err(error),
        };
        Ok(match class {
            Class::Controlled => {
                let trust = self.trust.current();
                outcome(&loket_verify::check(&document, &trust, &self.policy, at))
            }
            // Opened with a key of this machine's own, it is the page that was sealed.
            Class::Own if is_exercise => Verification::Valid(Revision {
                size_bytes: u64::try_from(document.len()).unwrap_or(u64::MAX),
                sha256: Sha256Digest::of(&document),
                page_count: EXERCISE_PAGES,
            }),
            Class::Own => Verification::Refused(Reason::Malformed),
        })
    }

    /// Opens the document and gives the bytes of its signed revision, if they are still the journalled ones.
    ///
    /// # Errors
    /// [`DocumentError`]; `Ok(None)` when the digest is another.
    pub fn revision(
        &self,
        job: JobId,
        revision: &Revision,
    ) -> Result<Option<Bytes>, DocumentError> {
        let document = self.open(job)?;
        let size = usize::try_from(revision.size_bytes).map_err(|_large| DocumentError::Short)?;
        let bytes = document.get(..size).ok_or(DocumentError::Short)?;
        if Sha256Digest::of(bytes) != revision.sha256 {
            return Ok(None);
        }
        // `Wiped` clears the plain bytes when the last part has been handed to the socket.
        Ok(Some(Bytes::from_owner(Wiped(Zeroizing::new(
            bytes.to_vec(),
        )))))
    }

    fn open(&self, job: JobId) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
        let secrets = self.secrets(job)?;
        let blob = self.spool.blob(&job.to_string())?;
        Ok(secrets.open_document(job, &blob)?)
    }

    fn secrets(&self, job: JobId) -> Result<Secrets, DocumentError> {
        let bytes = self.spool.key(&job.to_string())?;
        Ok(KeyFile::read(&bytes)?.open(&self.sealing)?)
    }
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn outcome(report: &Report) -> Verification {
    match (report.verdict, &report.revision) {
        (Verdict::Valid, Some(revision)) => Verification::Valid(Revision {
            size_bytes: revision.size_bytes,
            sha256: revision.sha256,
            page_count: revision.page_count,
        }),
        (Verdict::Valid, None) | (Verdict::Indeterminate, _) => {
            Verification::Refused(Reason::SignatureIndeterminate)
        }
        (Verdict::Invalid, _) => Verification::Refused(Reason::SignatureInvalid),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use loket_verify::Revocation;

    use super::*;
    use crate::identity::OsRandom;

    /// A key file and its document as version 1 wrote them: held documents are opened across an upgrade.
    const KEY_V1: &[u8] = include_bytes!("../tests/fixtures/key-file-v1.json");
    const BLOB_V1: &[u8] = include_bytes!("../tests/fixtures/key-file-v1.blob");

    /// A test key, and says so.
    const KEY: [u8; 32] = *b"only-a-test-key-only-a-test-key!";
    const DOCUMENT: &[u8] = b"a document of version 1";

    fn job() -> JobId {
        "0190f3a1-7b2c-7d4e-8f10-0123456789ab".parse().unwrap()
    }

    fn documents(dir: &Path) -> Arc<Documents> {
        let policy = Policy {
            revocation: Revocation::IfKnown,
            ..Policy::default()
        };
        let folder = loket_trust_folder::TrustFolder::open(dir.to_owned()).unwrap();
        let trust = TrustStore::of_folder(folder);
        let spool = Spool::open(&dir.join("spool"), u64::MAX).unwrap();
        Documents::new(spool, SealingKey::from_bytes(KEY), trust, policy)
    }

    /// Writes the present version into the folder in `LOKET_TEST_FIXTURE`. A released version's fixture is never
    /// written again: run this once, before the version is raised.
    #[test]
    fn write_a_fixture_where_one_is_asked_for() {
        let Ok(dir) = std::env::var("LOKET_TEST_FIXTURE") else {
            return;
        };
        let mut random = OsRandom::default();
        let (epoch, not_after) = (Epoch::from_bytes([7; 16]), Timestamp::from_unix_ms(1));
        let secrets = Secrets::new("Contoh".to_owned(), None, DOCUMENT, 1, &mut random);
        let binding = Binding {
            recipient: "desa-contoh-1",
            job: job(),
            epoch,
            not_after,
        };
        let public = SealingKey::from_bytes(KEY).public().unwrap();
        let file = KeyFile {
            v: KEY_FILE_VERSION,
            recipient: "desa-contoh-1".to_owned(),
            job_id: job(),
            epoch,
            not_after,
            envelope: public.seal(&binding, &secrets, &mut random).unwrap(),
        };
        let spool = Spool::open(Path::new(&dir), u64::MAX).unwrap();
        let key = serde_json::to_vec(&file).unwrap();
        spool.put_key(&job().to_string(), &key).unwrap();
        let blob = secrets.seal_document(job(), DOCUMENT).unwrap();
        spool.admit_bytes(&job().to_string(), &blob).unwrap();
    }

    #[test]
    fn a_held_document_of_version_1_opens() {
        let dir = tempfile::tempdir().unwrap();
        let documents = documents(dir.path());
        let name = job().to_string();
        documents.spool.put_key(&name, KEY_V1).unwrap();
        documents.spool.admit_bytes(&name, BLOB_V1).unwrap();
        assert_eq!(documents.label(job()).as_str(), "Contoh");
        assert_eq!(documents.open(job()).unwrap().as_slice(), DOCUMENT);
    }

    #[test]
    fn a_key_file_of_a_later_version_is_neither_opened_nor_called_altered() {
        let dir = tempfile::tempdir().unwrap();
        let documents = documents(dir.path());
        let later = br#"{"v":2,"something":"else"}"#;
        documents.spool.put_key(&job().to_string(), later).unwrap();
        let controlled = (Class::Controlled, false);
        let judged = documents.judge(job(), controlled, Timestamp::UNIX_EPOCH);
        assert!(
            matches!(judged, Err(DocumentError::TooNew(2))),
            "{judged:?}"
        );
    }

    /// Some ten seconds without optimisation.
    const CASES: u64 = 10_000;

    #[test]
    fn fuzz_key_files() {
        let key = SealingKey::from_bytes(KEY);
        let mut opened = 0_u64;
        loket_fuzz::fuzz("key-files", CASES, &[KEY_V1], |bytes| {
            let Some(secrets) = KeyFile::read(bytes)
                .ok()
                .and_then(|file| file.open(&key).ok())
            else {
                return;
            };
            // Nothing else than the document comes out, whatever became of its key file.
            let document = secrets.open_document(job(), BLOB_V1).unwrap();
            opened += 1;
            assert_eq!(document.as_slice(), DOCUMENT);
        });
        assert!(opened > 0, "control: some still open it");
    }
}
