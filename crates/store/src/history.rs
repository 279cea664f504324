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
    /// The oldest lines of the history were removed after their time; the chain goes on from the last of them.
    HistorySealed {
        /// Number of the last line that was removed.
        up_to: u64,
        /// Its digest.
        sha256: Sha256Digest,
        /// How many were removed with it.
        line_count: u64,
        /// Lines written before this may be removed.
        before: Timestamp,
    },
    /// Lines of a job that is not over left with the oldest ones; the job stays.
    CarriedForward {
        /// First of them.
        from_seq: u64,
        /// Last of them.
        to_seq: u64,
        /// How many.
        line_count: u32,
        /// Who did what the first one told.
        by: String,
        /// When.
        since: Timestamp,
    },
    /// More of a code came from a machine than is kept one by one; from here on it is counted.
    AsideQuotaReached {
        /// The code.
        code: String,
        /// How many are kept.
        kept: u32,
    },
    /// A trust bundle was made for machines.
    TrustBundleMade {
        /// Its serial.
        serial: u64,
        /// What it holds.
        content_sha256: Sha256Digest,
    },
    /// What a printed sheet must look like was taken, sealed.
    RecordKept {
        /// Digest of the sealed bytes.
        sha256: Sha256Digest,
        /// Until when it stays.
        #[serde(rename = "until_ms")]
        until: Timestamp,
    },
    /// It was opened for somebody who doubts a sheet.
    RecordShown {
        /// Why, where they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
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
            Self::HistorySealed { .. } => "history-sealed",
            Self::CarriedForward { .. } => "carried-forward",
            Self::AsideQuotaReached { .. } => "aside-quota-reached",
            Self::TrustBundleMade { .. } => "trust-bundle-made",
            Self::RecordKept { .. } => "record-kept",
            Self::RecordShown { .. } => "record-shown",
            Self::Did { .. } => "did",
        }
    }
}

/// One row of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number, rising by one; the first line ever has 1.
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

/// The last line that was removed after its time: where the chain begins. Number 0 while none was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Front {
    /// Its number.
    pub seq: u64,
    /// Its digest; of nothing for number 0.
    pub sha256: Sha256Digest,
}

/// What following the chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryVerdict {
    /// Every row follows from the one before, none is missing at the end, and where rows are missing at the beginning
    /// the newest seal says so.
    ///
    /// Who can write the file can write a whole new chain: compare the head with one noted elsewhere.
    Intact {
        /// Rows.
        row_count: u64,
        /// Number of the last row; 0 for an empty history.
        head_seq: u64,
        /// Digest of the last row; of nothing for an empty history.
        head_sha256: Sha256Digest,
        /// Where the chain begins.
        front: Front,
    },
    /// The row, or the one before it, was altered, removed or put in.
    Broken {
        /// Its number.
        seq: u64,
    },
}

/// What the store knows of a line by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownLine {
    /// Its digest: it stands here, or a seal names it.
    Digest(Sha256Digest),
    /// It was removed after its time, and no seal stands at it.
    Removed,
    /// There was no such line yet.
    None,
}
