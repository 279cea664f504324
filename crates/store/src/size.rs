//! How much the store holds and may hold.

/// Largest store file unless the settings say otherwise, 128 GiB: 500 offices with 30 jobs a day on 250 days a year make
/// 3.75 million jobs a year, and five years of them are kept, each of [`BYTES_A_JOB`] at most. Beyond it a call answers
/// [`crate::StoreError::Full`].
pub const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024 * 1024;

/// What a printed job takes with its history, indexes included; a test measures it.
pub const BYTES_A_JOB: u64 = 5 * 1024;

/// Room that new jobs leave to the reports on those that were taken, at most: a report takes some 300 bytes, so this is
/// for three million.
const MAX_RESERVE_BYTES: u64 = 1024 * 1024 * 1024;

/// A smaller file keeps an eighth of itself for reports: of what a job takes, two thirds come after its intake, and few
/// of the jobs in a full file are open.
const RESERVE_PART: u64 = 8;

/// Somebody is told when so many hundredths of what new jobs may fill are used: months before it is full, as a store
/// grows over years.
const WARN_PERCENT: u64 = 80;

/// Size of the store's parts in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSize {
    /// Pages of the file that hold something.
    pub used_bytes: u64,
    /// Pages of the file that are free to be used again.
    pub free_bytes: u64,
    /// The write-ahead log's file; 0 in memory.
    pub log_bytes: u64,
    /// What the file may grow to.
    pub limit_bytes: u64,
}

/// How full it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fullness {
    /// There is room.
    Fine,
    /// Four fifths of the room for jobs are used.
    Low,
    /// No room for new jobs; what is left is for reports.
    Reserved,
}

impl StoreSize {
    /// What new jobs may fill.
    #[must_use]
    pub const fn room_for_jobs_bytes(&self) -> u64 {
        let part = self.limit_bytes / RESERVE_PART;
        let reserve = if part < MAX_RESERVE_BYTES {
            part
        } else {
            MAX_RESERVE_BYTES
        };
        self.limit_bytes.saturating_sub(reserve)
    }

    /// How full it is.
    #[must_use]
    pub const fn fullness(&self) -> Fullness {
        let room = self.room_for_jobs_bytes();
        if self.used_bytes >= room {
            Fullness::Reserved
        } else if self.used_bytes / WARN_PERCENT >= room / 100 {
            Fullness::Low
        } else {
            Fullness::Fine
        }
    }
}
