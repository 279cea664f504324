//! What central tells a machine (`cmd/<kind>`), inside a frame that central signed.

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::event::DecodeError;
use crate::ids::{Epoch, JobId, MachineId, Reference};
use crate::order::{Class, Release, Service};
use crate::sealed::{Binding, Envelope};
use crate::time::Timestamp;

/// A command. The tag `kind` is also the last segment of the topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Command {
    /// Print a document.
    Print(Box<PrintOrder>),
    /// Call a job off, if its document has not left for the printer.
    Cancel(Cancel),
    /// There is a newer trust bundle.
    Trust(TrustNotice),
}

impl Command {
    /// The kinds of version 1.
    pub const KINDS: [&'static str; 3] = ["print", "cancel", "trust"];

    /// The last topic segment.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Print(_order) => "print",
            Self::Cancel(_cancel) => "cancel",
            Self::Trust(_notice) => "trust",
        }
    }

    /// The machine the command is for.
    #[must_use]
    pub const fn machine(&self) -> &MachineId {
        match self {
            Self::Print(order) => &order.machine,
            Self::Cancel(cancel) => &cancel.machine,
            Self::Trust(notice) => &notice.machine,
        }
    }

    /// Reads the body of a frame that arrived as `cmd/<kind>`.
    ///
    /// # Errors
    /// [`DecodeError::UnknownKind`] for a kind this version does not have, [`DecodeError::Malformed`] otherwise.
    pub fn decode(kind: &str, body: &[u8]) -> Result<Self, DecodeError> {
        if !Self::KINDS.contains(&kind) {
            return Err(DecodeError::UnknownKind);
        }
        let command: Self =
            serde_json::from_slice(body).map_err(|_ignored| DecodeError::Malformed)?;
        if command.kind() == kind {
            Ok(command)
        } else {
            Err(DecodeError::Malformed)
        }
    }

    /// Writes the body of a frame.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] when the value cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        serde_json::to_vec(self).map_err(|_ignored| DecodeError::Malformed)
    }
}

/// An order to print one document once.
///
/// What a person could be recognised by (label, code, document) stands only inside `envelope` and the blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintOrder {
    /// The job.
    pub job_id: JobId,
    /// Central's command number for this machine; grows, never reused.
    pub seq: u64,
    /// The machine it is for.
    pub machine: MachineId,
    /// The machine's journal epoch it is for: an order for an earlier life of the journal is a replay.
    pub epoch: Epoch,
    /// When central signed it; raises the machine's clock floor.
    #[serde(rename = "issued_at_ms")]
    pub issued_at: Timestamp,
    /// Last moment it may be printed.
    #[serde(rename = "not_after_ms")]
    pub not_after: Timestamp,
    /// The moment at which signatures are judged: central's intake.
    #[serde(rename = "verified_at_ms")]
    pub verified_at: Timestamp,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// What must happen before printing.
    pub release: Release,
    /// What only the machine opens.
    pub envelope: Envelope,
    /// The sealed document to fetch from central.
    pub blob: Blob,
}

impl PrintOrder {
    /// What the envelope is bound to.
    #[must_use]
    pub fn binding(&self) -> Binding<'_> {
        Binding {
            recipient: self.machine.as_str(),
            job: self.job_id,
            epoch: self.epoch,
            not_after: self.not_after,
        }
    }
}

/// The sealed document: its digest and size say which bytes, never where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256 of the sealed bytes.
    pub sha256: Sha256Digest,
    /// Their number.
    pub size_bytes: u64,
}

/// A question to call a job off; the machine answers with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The job.
    pub job_id: JobId,
    /// Central's command number for this machine.
    pub seq: u64,
    /// The machine it is for.
    pub machine: MachineId,
    /// When central signed it.
    #[serde(rename = "issued_at_ms")]
    pub issued_at: Timestamp,
}

/// A trust bundle to fetch, for a machine whose sync says that it judges by such a one.
///
/// It has no command number: the bundle's own serial says which of two is the newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustNotice {
    /// The machine it is for.
    pub machine: MachineId,
    /// The bundle's serial.
    pub serial: u64,
    /// The sealed bundle to fetch from central.
    pub bundle: Blob,
}
