//! What the machine sees of itself, and what follows from it.

use std::collections::BTreeSet;

use loket_wire::{Stock, Timestamp};

use super::Trouble;

/// What was seen, or became of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A device was looked at.
    Looked {
        /// Its name in the machine's settings.
        device: String,
        /// How it was seen.
        look: Look,
    },
    /// The machine was measured.
    Measured(Measures),
    /// The report of a device stands in the outbox.
    Kept {
        /// Its name.
        device: String,
    },
    /// The report of a device found no room in the journal.
    NotKept {
        /// Its name.
        device: String,
    },
    /// A heartbeat left.
    Beaten,
    /// Another trust bundle counts.
    TrustRenewed,
}

/// A device as one look sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// IPP printer-state keyword, or `unreachable` or `refusing`.
    pub state: String,
    /// Why, as keywords.
    pub reasons: Vec<String>,
    /// Make and model as the device says.
    pub model: Option<String>,
    /// What it has left; none where it says nothing of that, or is not reached.
    pub stock: Option<Stock>,
}

impl Look {
    /// Whether two looks see the same state. Idle and processing alternate with every job, which job reports tell already.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let shown = |look: &Self| match look.state.as_str() {
            "processing" => "idle".to_owned(),
            state => state.to_owned(),
        };
        shown(self) == shown(other) && self.reasons == other.reasons
    }
}

/// What bounds are put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// Free bytes where the state folder lies; none where that cannot be told.
    pub disk_free_bytes: Option<u64>,
    /// Bytes of sealed documents.
    pub spool_bytes: u64,
    /// The most there may be of them.
    pub spool_quota_bytes: u64,
    /// System clock minus trusted time; none while nothing is trusted.
    pub clock_offset_ms: Option<i64>,
    /// Whole days until the machine's certificate ends; negative once it has.
    pub certificate_days_left: Option<i64>,
    /// Whether the trust bundle is older than the settings allow.
    pub is_trust_old: bool,
    /// Whether records of printed sheets lie here that central cannot open.
    pub has_refused_records: bool,
    /// Whether the program that reads documents and scans is not there.
    pub is_inspector_missing: bool,
    /// Whether one of the newest revocation lists that documents are judged by has ended.
    pub is_trust_ended: bool,
    /// Whether the trust folder cannot be read, so that what was last good in it counts.
    pub is_trust_broken: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A device is not as it was, or is seen for the first time.
    Changed {
        /// Its name.
        device: String,
        /// How it is.
        look: Look,
        /// When it was seen.
        at: Timestamp,
    },
    /// A device is as it was, and what it has left is worth a report.
    Used {
        /// Its name.
        device: String,
        /// How it is.
        look: Look,
        /// When it was seen.
        at: Timestamp,
    },
    /// Measures crossed a bound, in either direction.
    Crossed {
        /// All bounds that are crossed from here on.
        troubles: BTreeSet<Trouble>,
    },
    /// The report of a device's last change stands in the outbox.
    Kept {
        /// Its name.
        device: String,
    },
    /// The report of a device's last change found no room, for the first time.
    NotKept {
        /// Its name.
        device: String,
    },
    /// A heartbeat left.
    Beaten {
        /// When.
        at: Timestamp,
    },
    /// Another trust bundle counts: central should hear of it.
    TrustRenewed,
}
