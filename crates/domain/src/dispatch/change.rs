//! What happened to a job at central. Its JSON is the disk form of the history.

use loket_wire::order::ReprintOf;
use loket_wire::{Epoch, JobState, LocalJob, LocalRevision, MachineId, Reason, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::job::Place;

/// Version of the disk form below.
pub const CHANGE_VERSION: u16 = 1;

/// One change of one job.
///
/// Shape on disk: `{"v":1,"kind":"<kind>", …}`. When it happened and who did it stand beside it in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// Central took it in.
    Created {
        /// The machine that prints it.
        machine: MachineId,
        /// Last moment it may be printed.
        #[serde(rename = "not_after_ms")]
        not_after: Timestamp,
        /// The job it replaces on paper, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reprint_of: Option<ReprintOf>,
    },
    /// A person gave it to the machine by hand; central heard of it and ordered nothing.
    GivenByHand {
        /// The machine that prints it.
        machine: MachineId,
        /// What the machine says of it.
        local: Box<LocalJob>,
    },
    /// The machine said which document a job given by hand prints.
    DocumentTold {
        /// What was verified.
        revision: LocalRevision,
    },
    /// The order is handed to the link.
    Offered {
        /// The journal epoch it is sealed for.
        epoch: Epoch,
        /// Its command number.
        command_seq: u64,
        /// When it may be offered again.
        #[serde(rename = "next_offer_at_ms")]
        next_offer_at: Timestamp,
    },
    /// The machine said that it does not have it: it may be offered at once.
    OfferDue {
        /// Whether the order must be sealed anew, because the machine's journal is another one.
        seal_anew: bool,
    },
    /// The machine reported a state.
    Reported {
        /// The report's place.
        place: Place,
        /// The state.
        state: JobState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        /// The attempt at the printer, from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
        /// Sheets counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet_count: Option<u32>,
        /// The machine's wall clock; for people, never for order.
        #[serde(rename = "machine_at_ms")]
        machine_at: Timestamp,
        /// Whether that clock was trusted.
        clock_trusted: bool,
    },
    /// A report that changes nothing: after an end, out of order, or of a refused replay.
    LateReport {
        /// The report's place.
        place: Place,
        /// The state it named.
        state: JobState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The machine listed it among its open jobs, though central had no report of that.
    Listed {
        /// Place of the last report the list takes into account.
        place: Place,
        /// The state it named.
        state: JobState,
    },
    /// The machine asked for the sealed document: it has the order on its disk.
    DocumentAsked,
    /// The machine's journal was lost while it held the job.
    Lost,
    /// The machine holds a copy of a job that is lost or over here.
    CopyHeld {
        /// The state it named.
        state: JobState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The machine's copy of a lost job is over without paper, which says nothing of paper that was there before.
    CopyOver {
        /// The report's place.
        place: Place,
        /// How the copy ended.
        state: JobState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The machine said, asked for it, that it holds no copy.
    CopyGone,
    /// A person said that the machine is out of service: it prints nothing any more.
    WrittenOff,
    /// The machine is asked to call it off.
    CancelAsked {
        /// The number of the command that asks.
        command_seq: u64,
    },
    /// Central called it off.
    Cancelled,
    /// Its time ran out before a machine had it.
    Expired,
    /// A person said what became of a job whose journal is lost.
    Resolved {
        /// Printed or failed.
        state: JobState,
        /// What was seen.
        reason: Reason,
    },
}

/// Why bytes are no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// Written by a later version of this program.
    #[error("read a change: version {version} is not known here")]
    Version {
        /// Version met.
        version: u16,
    },
    /// Not the JSON of a change.
    #[error("read a change: not a change")]
    Malformed,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u16,
    #[serde(flatten)]
    change: Change,
}

impl Change {
    /// The word in `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::GivenByHand { .. } => "given-by-hand",
            Self::DocumentTold { .. } => "document-told",
            Self::Offered { .. } => "offered",
            Self::OfferDue { .. } => "offer-due",
            Self::Reported { .. } => "reported",
            Self::LateReport { .. } => "late-report",
            Self::Listed { .. } => "listed",
            Self::DocumentAsked => "document-asked",
            Self::Lost => "lost",
            Self::CopyHeld { .. } => "copy-held",
            Self::CopyOver { .. } => "copy-over",
            Self::CopyGone => "copy-gone",
            Self::WrittenOff => "written-off",
            Self::CancelAsked { .. } => "cancel-asked",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Resolved { .. } => "resolved",
        }
    }

    /// Writes the disk form.
    ///
    /// # Errors
    /// [`ChangeError::Malformed`] when the value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, ChangeError> {
        let stored = Stored {
            v: CHANGE_VERSION,
            change: self.clone(),
        };
        serde_json::to_string(&stored).map_err(|_ignored| ChangeError::Malformed)
    }

    /// Reads the disk form.
    ///
    /// # Errors
    /// Any [`ChangeError`].
    pub fn from_json(json: &str) -> Result<Self, ChangeError> {
        #[derive(Deserialize)]
        struct Head {
            v: u16,
        }
        let head: Head = serde_json::from_str(json).map_err(|_ignored| ChangeError::Malformed)?;
        if head.v != CHANGE_VERSION {
            return Err(ChangeError::Version { version: head.v });
        }
        let stored: Stored =
            serde_json::from_str(json).map_err(|_ignored| ChangeError::Malformed)?;
        Ok(stored.change)
    }
}
