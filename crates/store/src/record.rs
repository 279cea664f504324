//! What the store knows of a match record: where it is from and how long it stays, nothing of what it says.

use loket_wire::{JobId, MachineId, Sha256Digest, Timestamp};

use crate::actor::{Actor, check_text};
use crate::error::TextError;

/// A code as the store keeps it: a keyed digest of what a QR code says.
pub type CodeKey = [u8; 32];

/// Records that one question finds at most: sheets that bear the same QR code are few.
pub const MAX_FOUND: u32 = 8;

/// A match record's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The job that put the sheet on paper.
    pub job: JobId,
    /// The machine that printed it.
    pub machine: MachineId,
    /// When central took it.
    pub received_at: Timestamp,
    /// Until when it stays, by the office's rule of that day.
    pub keep_until: Timestamp,
    /// Length of the sealed bytes.
    pub size_bytes: u64,
    /// Their digest.
    pub sha256: Sha256Digest,
}

/// What a question looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Records of documents that bear one of these codes.
    Codes(Vec<CodeKey>),
    /// The record of this job.
    Job(JobId),
}

/// Longest reason for a look, in bytes: a sentence.
const MAX_REASON_BYTES: usize = 200;

/// Why somebody looks at a record, for the history.
///
/// Shape: 1 to 200 bytes without control characters and without 16 digits in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookReason(String);

impl LookReason {
    /// Checks a reason.
    ///
    /// # Errors
    /// [`TextError`] when the text is empty, too long, or could be a personal number.
    pub fn new(text: &str) -> Result<Self, TextError> {
        check_text("reason", text, MAX_REASON_BYTES)?;
        Ok(Self(text.to_owned()))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who looks at a record.
#[derive(Debug, Clone, Copy)]
pub struct Looker<'a> {
    /// The person.
    pub by: &'a Actor,
    /// The machine at which they ask; `None` at central.
    pub machine: Option<&'a MachineId>,
    /// Why, where they say so.
    pub reason: Option<&'a LookReason>,
}
