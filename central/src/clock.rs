//! The wall clock: read here and handed on as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use loket_wire::Timestamp;

/// The present moment; 1970 when the clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::UNIX_EPOCH.saturating_add(since)
}
