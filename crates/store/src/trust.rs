//! What is remembered of trust bundles: their numbers and what they hold, never the bytes.

use loket_wire::{Sha256Digest, Timestamp};

/// A trust bundle that central made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustRow {
    /// Its serial, never given twice.
    pub serial: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// What it holds, whatever its serial.
    pub content_sha256: Sha256Digest,
}
