//! What the settings say of the store's size.

use serde::Deserialize;

const MIB: u64 = 1024 * 1024;

/// How much central's store may hold.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreLimits {
    /// The file's bound; an eighth of it, at most 1 GiB, is kept for reports.
    pub max_mib: u64,
    /// Below so much free disk no new document is taken.
    pub disk_reserve_mib: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            max_mib: loket_store::MAX_FILE_BYTES / MIB,
            // A busy day of 500 offices writes some 60 MB: a week of reports finds room while somebody comes.
            disk_reserve_mib: 512,
        }
    }
}

impl StoreLimits {
    /// The file's bound.
    #[must_use]
    pub const fn max_bytes(&self) -> u64 {
        self.max_mib.saturating_mul(MIB)
    }

    /// Free disk that new documents leave alone.
    #[must_use]
    pub const fn disk_reserve_bytes(&self) -> u64 {
        self.disk_reserve_mib.saturating_mul(MIB)
    }
}
