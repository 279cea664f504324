//! What is told of machines and their devices.

use std::collections::BTreeMap;

use loket_domain::dispatch::{Connectivity, Presence, connectivity};
use loket_wire::{Epoch, Heartbeat, JobState, KeyId, MachineId, OfficeId, Stock, Timestamp};

/// The key that orders for a machine are sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealTo {
    /// Its id.
    pub key_id: KeyId,
    /// The raw X25519 public key, base64.
    pub public_key: String,
}

/// The last heartbeat and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastHeartbeat {
    /// What it said.
    pub heartbeat: Heartbeat,
    /// When central got it.
    pub received_at: Timestamp,
}

/// A device as last reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its name in the machine's settings.
    pub device: String,
    /// IPP printer-state keyword or `unreachable`.
    pub state: String,
    /// IPP printer-state-reasons.
    pub reasons: Vec<String>,
    /// Make and model.
    pub model: Option<String>,
    /// The machine's wall clock at the report.
    pub machine_at: Timestamp,
    /// When central got it.
    pub received_at: Timestamp,
    /// What it said last that it has left.
    pub stock: Option<Stock>,
    /// When central heard that.
    pub stock_at: Option<Timestamp>,
    /// Since when `state` and `reasons` are what they are, by central's clock.
    pub since: Timestamp,
}

/// A machine as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRow {
    /// The machine.
    pub id: MachineId,
    /// The office it stands in.
    pub office: OfficeId,
    /// The key that signs its reports, as `loket_wire::sign::VerifyingKey` writes it.
    pub report_key: String,
    /// The key that orders are sealed to from now on.
    pub seal_to: SealTo,
    /// Serial of its certificate, hexadecimal.
    pub certificate_serial: String,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// What is known of its link.
    pub presence: Presence,
    /// Its last connection's number; 0 for none.
    pub session_seq: u64,
    /// Highest number of a connection in the same epoch: a journal that was set back counts below it.
    pub session_ceiling: u64,
    /// The kernel's boot id, for people.
    pub boot_id: Option<String>,
    /// Program version.
    pub software: Option<String>,
    /// Digest of its effective settings.
    pub config_hash: Option<String>,
    /// The life of its journal; orders are sealed for it. `None` until its first sync.
    pub epoch: Option<Epoch>,
    /// Reports of that epoch committed here.
    pub committed_seq: u64,
    /// Up to where they may be acknowledged: not what the machine still holds and did not say again.
    pub acked_seq: u64,
    /// Whether a report differed from the committed one of its number: nothing is acknowledged until the machine's sync
    /// says which journal it is.
    pub is_in_doubt: bool,
    /// Highest command number given out.
    pub last_command_seq: u64,
    /// Reports known to be lost, over all its journals.
    pub lost_report_count: u64,
    /// How often its journal was found lost or set back.
    pub journal_lost_count: u64,
    /// Its last heartbeat.
    pub heartbeat: Option<LastHeartbeat>,
    /// Its devices, by name.
    pub devices: Vec<DeviceRow>,
}

/// Whether a connection is over, where `present` is the present one: an earlier one, or one of a life of the journal that
/// was forgotten when it was set back (docs/adr/0029).
pub(crate) const fn is_late_session(session_seq: u64, present: u64, ceiling: u64) -> bool {
    session_seq < present || (session_seq > present && session_seq <= ceiling)
}

impl MachineRow {
    /// Whether what was said on that connection is of the present one, or of a later one.
    #[must_use]
    pub const fn is_of_present(&self, session_seq: u64) -> bool {
        !is_late_session(session_seq, self.session_seq, self.session_ceiling)
    }

    /// The three-state connectivity that people see.
    #[must_use]
    pub fn connectivity(&self, now: Timestamp) -> Connectivity {
        connectivity(&self.presence, now)
    }
}

/// Numbers for `/metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Jobs that central ordered, by state; states without jobs are there with 0.
    pub jobs: BTreeMap<JobState, u64>,
    /// Jobs that were given to machines by hand, the same way.
    pub local_jobs: BTreeMap<JobState, u64>,
    /// Intake of the oldest job that central ordered and that has not ended.
    pub oldest_open_at: Option<Timestamp>,
    /// Jobs that central ordered, not ended, whose working day is over.
    pub overdue: u64,
    /// Reports set aside.
    pub quarantined: u64,
    /// Reports known to be lost.
    pub lost_reports: u64,
    /// Rows of the history.
    pub history_rows: u64,
}
