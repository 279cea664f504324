//! Sealed documents: kept in the spool, opened in memory only, judged there.

use std::sync::Arc;

use bytes::Bytes;
use loket_domain::print::{Revision, Verification};
use loket_spool::{Spool, SpoolError};
use loket_trust_folder::TrustFolder;
use loket_verify::{Policy, Report, Revocation, Verdict};
use loket_wire::sealed::{Binding, Envelope, SealError, SealingKey, SealingPublic, Secrets};
use loket_wire::{Class, Epoch, JobId, Reason, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::config::{Config, RevocationPolicy};

/// Why a document cannot be opened.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// The spool cannot give it.
    #[error("read the sealed document")]
    Spool(#[from] SpoolError),
    /// Its key file is not one.
    #[error("understand the sealed document's key file")]
    KeyFile,
    /// It does not open.
    #[error("open the sealed document")]
    Seal(#[from] SealError),
    /// It is shorter than its signed revision.
    #[error("cut the document at its signed revision")]
    Short,
}

/// What stands beside a sealed document: the envelope, still sealed, and what it is bound to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyFile {
    /// Version of this shape; 1.
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

impl KeyFile {
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

/// Spool, key and trust in one place. Every method blocks and belongs on a blocking thread.
#[derive(Debug)]
pub struct Documents {
    /// Where sealed documents lie.
    pub spool: Spool,
    sealing: SealingKey,
    trust: TrustFolder,
    policy: Policy,
}

impl Documents {
    /// Joins spool, key and trust.
    #[must_use]
    pub fn new(spool: Spool, sealing: SealingKey, trust: TrustFolder, policy: Policy) -> Arc<Self> {
        Arc::new(Self {
            spool,
            sealing,
            trust,
            policy,
        })
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

    /// Opens and judges a document.
    ///
    /// # Errors
    /// [`DocumentError::Spool`] when it cannot be read at present; what does not open is a refusal.
    pub fn judge(
        &self,
        job: JobId,
        class: Class,
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
        let report = loket_verify::check(&document, &self.trust.current(), &self.policy, at);
        match class {
            Class::Controlled => Ok(outcome(&report)),
            // Only loket itself makes such papers; none is made in this version.
            Class::Own => Ok(Verification::Refused(Reason::Malformed)),
        }
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
        let file: KeyFile =
            serde_json::from_slice(&bytes).map_err(|_bad| DocumentError::KeyFile)?;
        Ok(file.open(&self.sealing)?)
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

/// The verification policy of the settings.
#[must_use]
pub const fn policy_of(config: &Config) -> Policy {
    Policy {
        revocation: match config.revocation {
            RevocationPolicy::Required => Revocation::Required,
            RevocationPolicy::IfKnown => Revocation::IfKnown,
        },
    }
}
