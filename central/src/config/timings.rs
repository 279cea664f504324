//! What the settings say of waits and limits of time.

use serde::Deserialize;

/// Waits and limits of time; the defaults are the contract's.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timings {
    /// How often due work is looked for.
    pub tick_ms: u64,
    /// How long a stop waits for requests under way.
    pub drain_ms: u64,
    /// How long a request may take until its answer begins, its upload included.
    pub request_ms: u64,
    /// How long an upload waits for a place when many come at once.
    pub upload_wait_ms: u64,
    /// The shortest pause before the broker is called again.
    pub reconnect_min_ms: u64,
    /// The longest one.
    pub reconnect_max_ms: u64,
    /// How long all links must have stood without a break before a machine's silence is taken for its own.
    pub listened_ms: u64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            tick_ms: 1_000,
            // Below systemd's 90 s by a wide margin, above the slowest honest upload of 8 MiB on a LAN.
            drain_ms: 10_000,
            // 8 MiB at 1 Mbit/s take 67 s.
            request_ms: 180_000,
            // Above the few seconds of a usual upload; who waits longer had better come again.
            upload_wait_ms: 10_000,
            // Central is one client, so it need not spread out as machines do.
            reconnect_min_ms: 500,
            reconnect_max_ms: 10_000,
            // As long as the silence itself: what was said in it would have been heard. Shorter is for tests.
            listened_ms: 3_600_000,
        }
    }
}
