//! Who is there: a machine's retained state and heartbeat, what it holds on connect, central's acknowledgements.

use serde::{Deserialize, Serialize};

use crate::event::{DeviceReport, LocalJob};
use crate::ids::{Epoch, Hello, JobId, KeyId};
use crate::job::JobState;
use crate::time::Timestamp;

/// A machine's retained presence; the same with `online: false` is its will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineState {
    /// Whether it is linked.
    pub online: bool,
    /// The kernel's boot id; for people.
    pub boot_id: String,
    /// Grows with each connection ([`session_seq`]), so that a late will of an earlier one is recognised.
    pub session_seq: u64,
    /// The life of its journal.
    pub epoch: Epoch,
    /// Program version.
    pub software: String,
    /// First 16 hexadecimal digits of the SHA-256 of its effective settings.
    pub config_hash: String,
    /// The sealing key that orders must use.
    pub key_id: KeyId,
}

/// Health by exception: sent when a bound was crossed or a report found no room, and now and then as a sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The connection it belongs to.
    pub session_seq: u64,
    /// The machine's wall clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Whether that clock is trusted.
    pub clock_trusted: bool,
    /// Wall clock minus central's last signed time, carried forward on the monotonic clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// Seconds since the program started.
    pub up_time_s: u64,
    /// Jobs not ended.
    pub open_job_count: u32,
    /// Reports not yet acknowledged.
    pub outbox_count: u64,
    /// Bytes of sealed documents on disk.
    pub spool_bytes: u64,
    /// Free bytes where the state folder lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free_bytes: Option<u64>,
    /// Whole days until the machine's certificate ends; negative once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_days_left: Option<i64>,
    /// Bytes written to the broker's socket since the program started, TLS included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_sent_bytes: Option<u64>,
    /// Bytes read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_received_bytes: Option<u64>,
    /// Bounds that are crossed, by keyword: `disk-low`, `disk-full`, `spool-high`, `clock-untrusted`, `clock-off`,
    /// `certificate-ends-soon`, `certificate-ended`, `trust-old`, `trust-ended`, `trust-broken`,
    /// `records-refused`, `inspector-missing`; unknown ones pass through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
    /// Serial of the trust bundle that documents are judged by; 0 while there is none, absent where a folder alone counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_serial: Option<u64>,
    /// When central made it.
    #[serde(
        rename = "trust_made_at_ms",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub trust_made_at: Option<Timestamp>,
    /// Documents that people had checked on this machine's pages since the program started; absent while there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// Devices whose last change is not in the outbox, because the journal had no room for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceReport>,
}

/// What was answered to people who had documents checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// To residents.
    #[serde(default, skip_serializing_if = "Answers::is_none")]
    pub kiosk: Answers,
    /// To officers.
    #[serde(default, skip_serializing_if = "Answers::is_none")]
    pub station: Answers,
    /// Judging processes that were killed: they took too long or too much.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub killed: u32,
}

/// How many documents got which answer; one that none got is left out in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Genuine.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub valid: u32,
    /// Not to be used.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub invalid: u32,
    /// Neither could be said.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub indeterminate: u32,
    /// A picture of paper.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paper: u32,
    /// No answer: no document, too much, or the machine could not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_judged: u32,
}

impl Answers {
    /// Whether nobody got one.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Each answer with its word, in one order.
    #[must_use]
    pub const fn each(&self) -> [(&'static str, u32); 5] {
        [
            ("valid", self.valid),
            ("invalid", self.invalid),
            ("indeterminate", self.indeterminate),
            ("paper", self.paper),
            ("not_judged", self.not_judged),
        ]
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A heartbeat that says nothing but this: what the last [`Heartbeat`] of this connection counted is as it was.
///
/// An idle machine has little else to say, and on a metered link a quarter of an hour of silence is cheaper than the
/// counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The connection it belongs to.
    pub session_seq: u64,
    /// The machine's wall clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
}

/// The number of one connection: grows with each connection of one start of the program, and with each start.
///
/// `start_seq` counts starts on the machine's disk, `generation` attempts to connect since the start. More attempts
/// than one start has numbers for (a million: ten years of hourly ones) share the last.
#[must_use]
pub const fn session_seq(start_seq: u64, generation: u64) -> u64 {
    const ATTEMPTS: u64 = 1 << 20;
    let within = if generation < ATTEMPTS {
        generation
    } else {
        ATTEMPTS - 1
    };
    start_seq.saturating_mul(ATTEMPTS).saturating_add(within)
}

/// What a machine holds, said on each connect before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// The life of its journal.
    pub epoch: Epoch,
    /// The connection it belongs to.
    pub session_seq: u64,
    /// Highest command number on its disk in this epoch; 0 for none.
    pub last_command_seq: u64,
    /// Lowest report still held, if any.
    pub first_event_seq: Option<u64>,
    /// Highest report ever numbered in this epoch; 0 for none.
    pub last_event_seq: u64,
    /// Jobs not ended, with their states.
    pub open_jobs: Vec<OpenJob>,
    /// Whether `open_jobs` is whole; false when there were more than fit a payload.
    pub is_complete: bool,
    /// What central drew last, as far as the machine heard it: in its presence or in an acknowledgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
    /// Serial of the trust bundle on its disk; 0 while there is none, absent where it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_serial: Option<u64>,
}

/// A job a machine holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenJob {
    /// The job.
    pub job_id: JobId,
    /// Its state.
    pub state: JobState,
    /// What it is, where a person gave it to the machine by hand: a central that was set back may not know it. Where
    /// many are open, the last ones go without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Box<LocalJob>>,
}

/// Central's word that everything up to `seq` of `epoch` is committed, or stands in its quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The life of the machine's journal.
    pub epoch: Epoch,
    /// Highest contiguous report committed.
    pub seq: u64,
    /// Central's clock when it signed; raises the machine's clock floor.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Central asks this machine for its sync again: it must know that it was made after this question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
    /// The last command number that central drew for this machine before it signed; 0 for none. With it a machine
    /// knows which commands are older than this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_seq: Option<u64>,
    /// The number of the connection on which central heard the machine last when it signed; 0 where it heard of none.
    /// An acknowledgement that names the present one shows that central is at this broker, one that lay there does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_seq: Option<u64>,
}

/// Central's retained presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CentralState {
    /// Whether central is linked.
    pub online: bool,
    /// Central's clock when it signed.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Drawn anew on each of central's connections: whoever meets another one than before says its sync again. A will
    /// bears that of its connection. A central that draws none is met by time alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
}

/// Reads the JSON body of one of the messages above.
///
/// # Errors
/// [`crate::event::DecodeError::Malformed`] when it is not of that shape.
pub fn decode<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, crate::event::DecodeError> {
    serde_json::from_slice(body).map_err(|_ignored| crate::event::DecodeError::Malformed)
}

/// Writes the JSON body of one of the messages above.
///
/// # Errors
/// [`crate::event::DecodeError::Malformed`] when it cannot be written.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, crate::event::DecodeError> {
    serde_json::to_vec(message).map_err(|_ignored| crate::event::DecodeError::Malformed)
}
