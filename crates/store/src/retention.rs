//! How long central remembers (CONTRACT: envelope and documents; docs/adr/0019).

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A job's facts and history stay so long after its end, a token's row after the token's: five years with the leap days
/// that they may hold.
pub const LEDGER_KEPT: Duration = DAY.saturating_mul(5 * 365 + 2);

/// So much longer a line of the history waits for the job that it tells of: the job's five years begin with its end.
/// An order is good for days; what takes longer than this is not waited for, or one job would hold up all the rest.
pub const LINE_WAITS: Duration = DAY.saturating_mul(90);

/// What was set aside of a machine's reports is looked at within days; then its count and its line in the history do.
pub const ASIDE_KEPT: Duration = DAY.saturating_mul(90);

/// What one round of [`crate::Store::purge`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Jobs, each with its idempotency key and digests.
    pub jobs: u64,
    /// Lines of the history.
    pub lines: u64,
    /// Rows of other tables: what was set aside, tokens, lives of journals.
    pub others: u64,
    /// Whether the round was full, so that there may be more.
    pub more: bool,
}
