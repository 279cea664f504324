//! What a machine reports (`evt/<kind>`), inside a frame that the machine signed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Sha256Digest;
use crate::ids::{Epoch, JobId, KeyId, Reference};
use crate::job::{JobState, Reason};
use crate::order::{Class, Service};
use crate::stock::Stock;
use crate::time::Timestamp;

/// Why the body of a frame is no message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A kind that this version does not have: acknowledged, set aside, never retried.
    #[error("read a message: its kind is not known here")]
    UnknownKind,
    /// Not the JSON of that kind.
    #[error("read a message: its bytes are not of its kind")]
    Malformed,
}

/// One report with its place in the machine's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The life of the journal that numbered it.
    pub epoch: Epoch,
    /// Its number in that journal's outbox; grows by one, never reset.
    pub seq: u64,
    /// What is reported.
    pub report: Report,
}

/// The place of an event whose report this version cannot read: enough to set it aside and acknowledge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct EventPlace {
    /// The life of the journal that numbered it.
    pub epoch: Epoch,
    /// Its number.
    pub seq: u64,
}

impl Event {
    /// Reads the body of a frame.
    ///
    /// # Errors
    /// [`DecodeError::UnknownKind`] when place and kind are readable but the kind is new, else `Malformed`.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }
        #[derive(Deserialize)]
        struct Head {
            report: Kind,
        }
        serde_json::from_slice(body).map_err(|_ignored| {
            match serde_json::from_slice::<Head>(body) {
                Ok(head) if !Report::KINDS.contains(&head.report.kind.as_str()) => {
                    DecodeError::UnknownKind
                }
                Ok(_known) => DecodeError::Malformed,
                Err(_no_head) => DecodeError::Malformed,
            }
        })
    }

    /// Writes the body of a frame.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] when the value cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        serde_json::to_vec(self).map_err(|_ignored| DecodeError::Malformed)
    }
}

/// What is reported; the tag `kind` is also the last segment of the topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Report {
    /// A job changed.
    Job(JobReport),
    /// A device changed.
    Device(DeviceReport),
    /// The machine has a new sealing key.
    Key(KeyReport),
    /// Something could not be read and was set aside.
    Quarantine(QuarantineReport),
}

impl Report {
    /// The kinds of version 1.
    pub const KINDS: [&'static str; 4] = ["job", "device", "key", "quarantine"];

    /// The last topic segment.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Job(_report) => "job",
            Self::Device(_report) => "device",
            Self::Key(_report) => "key",
            Self::Quarantine(_report) => "quarantine",
        }
    }
}

/// A job's new state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    /// The job.
    pub job_id: JobId,
    /// Its state.
    pub state: JobState,
    /// Why, where there is a why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The attempt at the printer, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Sheets the printer or an officer counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet_count: Option<u32>,
    /// Who did it: `officer:<name>`, `central`, or the machine itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The machine's wall clock; for people, never for order.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
    /// What the job is, where a person gave it to the machine by hand and central ordered none. Every report of such a
    /// job says it, so that no single one is missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Box<LocalJob>>,
}

/// A job that a person gave to a machine by hand. No name of the document's people, no file name: the machine keeps none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalJob {
    /// The machine's own name for it.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// When it was given, by the machine's wall clock; for people.
    #[serde(rename = "given_at_ms")]
    pub given_at: Timestamp,
    /// Last moment it may be printed.
    #[serde(rename = "not_after_ms")]
    pub not_after: Timestamp,
    /// Who gave it: the name an officer signs with, or that of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The printer, by its name in the machine's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer: Option<String>,
    /// What may be printed; absent until the document was verified, and for one that is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<LocalRevision>,
}

impl LocalJob {
    /// Whether nobody gave it: it is the page that the machine prints so that the ink of a printer at rest does not dry.
    #[must_use]
    pub fn is_exercise(&self) -> bool {
        self.class == Class::Own && self.by.is_none() && self.service.is_exercise()
    }
}

/// The signed revision of a document that was given by hand. Its digest tells central whether it is one that central
/// ordered too; a signature is in it, so that nobody can guess it from what a family card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRevision {
    /// SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// Its size.
    pub size_bytes: u64,
    /// Its pages.
    pub page_count: u32,
}

/// A device's state as last observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// The device's name in the machine's settings.
    pub device: String,
    /// IPP printer-state keyword (`idle`, `processing`, `stopped`), `refusing` where it answers and says no, or
    /// `unreachable`.
    pub state: String,
    /// IPP printer-state-reasons, unknown keywords passed through. Where it refuses or is not reached, what stands in
    /// between: `certificate-mismatch`, `tls-failed`, `connection-refused`, `connection-lost`, `name-unknown`,
    /// `no-route`, `not-reached`, `timed-out`, `http-<status>`, `not-ipp`, `busy`, `ipp-0x<status>`,
    /// `address-invalid`. And `no-create-job` of one that takes a job only with its document, whatever its state.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Make and model as the device says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it has left; absent where it says nothing of that, and in heartbeats. Then what it said last stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<Stock>,
    /// The machine's wall clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
}

/// A sealing key that orders may be sealed to from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyReport {
    /// Its id.
    pub key_id: KeyId,
    /// The raw X25519 public key, base64.
    pub public_key: String,
}

/// Every code that a machine sets a message aside under: those of the frame, then its own.
pub const QUARANTINE_CODES: [&str; 13] = [
    "W-101", "W-102", "W-103", "W-104", "M-101", "M-102", "M-103", "M-104", "M-105", "M-106",
    "M-107", "M-108", "M-109",
];

/// A command that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineReport {
    /// The stable code of the refusal.
    pub code: String,
    /// SHA-256 of the payload, to find it again in a capture.
    pub payload_sha256: Sha256Digest,
    /// Its size.
    pub size_bytes: u64,
}
