//! How long each part of an exchange may take.

use std::time::Duration;

/// A printer on the site's own network answers a dial within milliseconds; 5 s covers one that
/// wakes from sleep and two lost SYN packets.
const CONNECT: Duration = Duration::from_secs(5);

/// Printers warm up for up to 20 s between the last byte of a document and their answer.
const IDLE: Duration = Duration::from_secs(30);

/// The largest document (8 MiB) at the slowest link met (USB 1.1 behind a print server,
/// 1 Mbit/s) takes 70 s.
const WHOLE: Duration = Duration::from_secs(120);

/// How long one exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the byte stream stands, TLS handshake included.
    pub connect: Duration,
    /// Between two bytes, in either direction.
    pub idle: Duration,
    /// From the first byte of the request to the last of the answer.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            idle: IDLE,
            whole: WHOLE,
        }
    }
}
