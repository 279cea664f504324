//! What the store knows of a match record: where it is from and how long it stays, nothing of what it says.

use loket_wire::{JobId, MachineId, Sha256Digest, Timestamp};

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
