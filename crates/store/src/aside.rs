//! How much of what a machine says is kept where it cannot be taken.

/// Rows kept of one machine and code in [`crate::ASIDE_KEPT`]: the first ones show how a trouble began, and no flood
/// pushes them out. An honest machine has a handful in a year; one gone mad fills some 30 kB a code.
pub const KEPT_A_CODE: u32 = 64;

/// Jobs given by hand that are taken of one machine in [`crate::ASIDE_KEPT`]: an office prints some tens a day that way, so
/// a hundred on each of the 90 days; with 3.8 kB a job a machine gone mad fills some 34 MB.
pub const LOCAL_JOBS_KEPT: u32 = 9000;

/// What was set aside of one machine's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AsideCount {
    /// Reports ever set aside.
    pub total: u64,
    /// Of them those beyond the quota: counted, acknowledged, and not kept one by one.
    pub counted_only: u64,
}
