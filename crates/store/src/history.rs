//! The append-only history: who did what, when, each row chained to the one before.

use loket_domain::dispatch::{Change, ChangeError};
use loket_wire::{Epoch, JobId, JobState, MachineId, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// Something that happened and is no change of a job. Its JSON is the disk form, with `v` beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Note {
    /// The authority's record of a machine was taken over.
    MachineRecorded {
        /// Serial of its certificate.
        certificate_serial: String,
        /// Id of its sealing key.
        key_id: String,
    },
    /// The machine announced a sealing key.
    KeyAnnounced {
        /// Its id.
        key_id: String,
    },
    /// A life of the machine's journal began, as far as central knows.
    JournalBegun {
        /// Its epoch.
        epoch: Epoch,
        /// How many lives central met, with this one.
        generation: u64,
        /// Whether it is an earlier copy of the same journal.
        is_rolled_back: bool,
    },
    /// Reports are lost.
    ReportsLost {
        /// The journal's epoch.
        epoch: Epoch,
        /// First number.
        from_seq: u64,
        /// Last number.
        to_seq: u64,
    },
    /// A report was set aside.
    ReportSetAside {
        /// The journal's epoch.
        epoch: Epoch,
        /// Its number.
        seq: u64,
        /// Why: a stable code.
        code: String,
        /// SHA-256 of the payload.
        payload_sha256: Sha256Digest,
    },
    /// The machine set a command aside.
    CommandSetAside {
        /// Why: a stable code.
        code: String,
        /// SHA-256 of the payload.
        payload_sha256: Sha256Digest,
    },
    /// The machine lists a job that is over here, or that central does not know.
    UnexpectedJob {
        /// The state it names.
        state: JobState,
    },
    /// A token was made.
    TokenMade {
        /// Its name.
        name: String,
        /// Its role.
        role: String,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Its name.
        name: String,
    },
    /// Central's own sealed copy of a document was erased.
    SecretsDropped,
    /// A person did or saw something at central.
    Did {
        /// A short word, for instance `signed-in`.
        action: String,
    },
}

impl Note {
    /// The word in `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MachineRecorded { .. } => "machine-recorded",
            Self::KeyAnnounced { .. } => "key-announced",
            Self::JournalBegun { .. } => "journal-begun",
            Self::ReportsLost { .. } => "reports-lost",
            Self::ReportSetAside { .. } => "report-set-aside",
            Self::CommandSetAside { .. } => "command-set-aside",
            Self::UnexpectedJob { .. } => "unexpected-job",
            Self::TokenMade { .. } => "token-made",
            Self::TokenRevoked { .. } => "token-revoked",
            Self::SecretsDropped => "secrets-dropped",
            Self::Did { .. } => "did",
        }
    }
}

/// One row of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When, by central's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// The job it is about.
    pub job: Option<JobId>,
    /// The machine it is about.
    pub machine: Option<MachineId>,
    /// The word in the body's `kind`.
    pub kind: String,
    /// The JSON of a [`Change`] or a [`Note`], exactly as stored.
    pub body: String,
    /// SHA-256 over the row before and this one.
    pub sha256: Sha256Digest,
}

impl HistoryRow {
    /// The change of the job, if the row is one.
    ///
    /// # Errors
    /// [`ChangeError`] when it is a note, or of a later version.
    pub fn change(&self) -> Result<Change, ChangeError> {
        Change::from_json(&self.body)
    }
}

/// What following the chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryVerdict {
    /// Every row follows from the one before, and none is missing at the end.
    ///
    /// Who can write the file can write a whole new chain: compare `head_sha256` with one noted elsewhere.
    Intact {
        /// Rows.
        row_count: u64,
        /// Digest of the last row; of nothing for an empty history.
        head_sha256: Sha256Digest,
    },
    /// The row, or the one before it, was altered, removed or put in.
    Broken {
        /// Its number.
        seq: u64,
    },
}
