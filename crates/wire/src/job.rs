//! The public states of a print job, why it is there, and who may end it.
//!
//! ```text
//! created → offered → fetching → journalled → held → printing → printed
//!                                                             ↘ failed | unknown → (officer) → printed | failed | printing
//! created, offered → expired | cancelled (central)    fetching … held → rejected | expired | cancelled (machine)
//! ```

use serde::{Deserialize, Serialize};

/// Where a job stands, in the words that central, machine and API share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Accepted at central, on central's disk.
    Created,
    /// The order has been handed to the link at least once.
    Offered,
    /// The machine has the order and fetches the document.
    Fetching,
    /// Order and document are on the machine's disk; central stops resending.
    Journalled,
    /// Waits for an officer or a pickup code.
    Held,
    /// Released; an attempt is due or under way.
    Printing,
    /// The printer said completed, or an officer saw the sheet. An end.
    Printed,
    /// It will not be printed under this id. An end.
    Failed,
    /// The machine refused the order or the document. An end.
    Rejected,
    /// Its time ran out before printing. An end.
    Expired,
    /// Called off before printing. An end.
    Cancelled,
    /// Whether paper came out cannot be known; an officer looks and says. Not an end.
    Unknown,
}

/// Who asks for a change of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The central office.
    Central,
    /// The machine that holds the job.
    Machine,
}

impl JobState {
    /// The word for it on a screen, in Indonesian: central's console and the machine's command line say the same, so
    /// that two people on the telephone speak of one thing.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Created => "diterima pusat",
            Self::Offered => "ditawarkan ke mesin",
            Self::Fetching => "sedang diambil mesin",
            Self::Journalled => "tersimpan di mesin",
            Self::Held => "menunggu petugas",
            Self::Printing => "sedang dicetak",
            Self::Printed => "tercetak",
            Self::Failed => "gagal",
            Self::Rejected => "ditolak mesin",
            Self::Expired => "kedaluwarsa",
            Self::Cancelled => "dibatalkan",
            Self::Unknown => "belum pasti tercetak",
        }
    }

    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::Offered,
        Self::Fetching,
        Self::Journalled,
        Self::Held,
        Self::Printing,
        Self::Printed,
        Self::Failed,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// Whether nothing can follow: printed, failed, rejected, expired or cancelled.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Self::Printed | Self::Failed | Self::Rejected | Self::Expired | Self::Cancelled
        )
    }

    /// Whether the order stands on the machine's disk, so that central neither resends nor ends it.
    #[must_use]
    pub const fn is_with_machine(self) -> bool {
        matches!(
            self,
            Self::Fetching | Self::Journalled | Self::Held | Self::Printing | Self::Unknown
        )
    }

    /// Whether `party` may end a job that stands here: up to `offered` central, from then on only the machine.
    #[must_use]
    pub const fn may_be_ended_by(self, party: Party) -> bool {
        match party {
            Party::Central => matches!(self, Self::Created | Self::Offered),
            Party::Machine => !self.is_end(),
        }
    }

    /// The word used in JSON, logs and topics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Offered => "offered",
            Self::Fetching => "fetching",
            Self::Journalled => "journalled",
            Self::Held => "held",
            Self::Printing => "printing",
            Self::Printed => "printed",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a job is where it is. The word in JSON is the stable reason code of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The job id came back with other bytes or for another journal epoch.
    Replay,
    /// The order names another machine.
    WrongMachine,
    /// The envelope or the document does not open with this machine's key and the order's binding.
    Altered,
    /// The order is sealed to a key this machine no longer holds.
    KeyUnknown,
    /// The order's bytes are not an order this version can read.
    Malformed,
    /// The order crashed its reader three times.
    Poison,
    /// `not_after` has passed on a trusted clock.
    NotAfter,
    /// Central does not hold the document any more.
    DocumentGone,
    /// What was fetched is not what the order names.
    DocumentMismatch,
    /// The machine's document store has no room.
    SpoolFull,
    /// The signature is invalid: altered, unsigned or revoked.
    SignatureInvalid,
    /// The signature could not be confirmed: untrusted chain, later revisions, missing revocation data.
    SignatureIndeterminate,
    /// No printer of this machine fits the order.
    NoPrinter,
    /// The printer takes no format this machine can give it.
    FormatUnsupported,
    /// The document cannot be drawn for a printer that takes no PDF.
    NotDrawn,
    /// The printer refused the job for good.
    PrinterRefused,
    /// The printer failed too often, and no sheet came out.
    AttemptsExhausted,
    /// The printer takes no job at present: busy, or not accepting.
    PrinterBusy,
    /// The printer cannot be reached.
    PrinterAway,
    /// The printer fails while it takes the job; it is asked again, ever more slowly.
    PrinterFault,
    /// The printer would not print as certified: it refuses one copy, A4, or printing without scaling.
    AttributesRefused,
    /// Somebody called the job off at the printer.
    CancelledAtPrinter,
    /// The printer ended the job after sheets may have come out.
    PrinterAborted,
    /// The printer no longer knows the job after bytes had left.
    PrinterForgot,
    /// The printer restarted after bytes had left.
    PrinterRestarted,
    /// The printer's sheet count is not the document's page count.
    ImpressionsDisagree,
    /// The document had left but its fate was not seen.
    FateNotSeen,
    /// The machine's journal was lost while it held the job.
    JournalLost,
    /// The machine's copy of the document is gone or broken.
    SpoolLost,
    /// An officer called it off.
    ByOfficer,
    /// Central called it off.
    ByCentral,
    /// Too late to call off: the document is on its way to the printer.
    AlreadySending,
    /// An officer saw the sheet.
    OfficerSaw,
    /// An officer found no sheet.
    OfficerFoundNone,
    /// An officer found the sheet damaged.
    SheetDamaged,
    /// Whether a printer's exercise page came out was not seen; nobody is asked, and none is printed in its place.
    ExerciseUnseen,
    /// A reason of a newer version.
    #[serde(other)]
    Other,
}

impl Reason {
    /// The stable code, as it stands in JSON and in the history.
    #[must_use]
    pub fn keyword(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            // Every variant is a word.
            Ok(_) | Err(_) => "other".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn central_may_end_only_what_no_machine_holds() {
        for state in JobState::ALL {
            let central = state.may_be_ended_by(Party::Central);
            assert_eq!(
                central,
                matches!(state, JobState::Created | JobState::Offered),
                "{state}"
            );
            assert_eq!(
                state.may_be_ended_by(Party::Machine),
                !state.is_end(),
                "{state}"
            );
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
    }

    #[test]
    fn a_newer_versions_reason_is_read_as_other() {
        assert_eq!(
            serde_json::from_str::<Reason>("\"from-the-future\"").unwrap(),
            Reason::Other
        );
        assert_eq!(Reason::JournalLost.keyword(), "journal-lost");
    }
}
