//! What the pages need of the machine; `daemon` implements it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use loket_domain::account::Day as AccountOfDay;
pub use loket_domain::dispatch::LocalDay;
use loket_wire::{JobId, Stock, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use crate::guard::REQUEST_DEADLINE;
pub use crate::sheet::PaperReport;
use crate::words::Trouble;
pub use loket_inspection::{
    Certificate, Compared, Cut, Document, Found, Judgement, Leads, MAX_DOCUMENT_BYTES,
    MAX_SCAN_BYTES, Paper, Qr, Region, RegionKind, Revision, RevisionChange, Revocation,
    SheetPictures, SheetVerdict, Signature, Verdict,
};

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Bytes that somebody brought; wiped when they are dropped.
pub type Brought = Zeroizing<Vec<u8>>;

/// Who reads the answer, and so how much of it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// A resident: the verdict.
    Resident,
    /// An officer: everything, and pictures of what differs.
    Officer,
}

/// Judges documents.
pub trait VerifyDesk: Send + Sync {
    /// Judges what somebody brought, bounded in time, memory and number. The bytes are gone when it answers.
    ///
    /// # Errors
    /// The [`Trouble`] that the person is told: the document was not judged.
    ///
    /// # Cancel safety
    /// Dropping the future ends the judging and drops the bytes.
    fn verify(&self, document: Brought, reader: Reader) -> Answer<'_, Result<Judgement, Trouble>>;
}

/// A sheet that somebody doubts.
pub struct PaperQuestion {
    /// Its scan: PNG, JPEG, or a PDF that a scanner made.
    pub scan: Brought,
    /// The job that printed it; the QR code on it tells where absent.
    pub job: Option<JobId>,
    /// The officer who asks; central keeps the name in its history.
    pub by: String,
}

impl fmt::Debug for PaperQuestion {
    /// A scan holds everything that must stand in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaperQuestion")
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}

/// What became of the question.
#[derive(Debug, Clone, PartialEq)]
pub struct PaperAnswer {
    /// The answer.
    pub report: PaperReport,
    /// Where something differs, how.
    pub pictures: Option<SheetPictures>,
}

/// Holds sheets against the records of their printing.
pub trait PaperDesk: Send + Sync {
    /// Reads the scan, asks central for the record and compares, bounded in time, memory and number. Scan and record are
    /// gone when it answers.
    ///
    /// # Errors
    /// The [`Trouble`] that the officer is told: nothing was compared.
    ///
    /// # Cancel safety
    /// Dropping the future ends the question; central may have its line of it.
    fn ask(&self, question: PaperQuestion) -> Answer<'_, Result<PaperAnswer, Trouble>>;
}

/// A question about a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayQuestion {
    /// The day of the office.
    pub day: LocalDay,
    /// The officer who asks; the name stands on the form.
    pub by: String,
}

/// The account of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayAnswer {
    /// The account.
    pub day: AccountOfDay,
    /// The office's name.
    pub office: String,
    /// When the account was made.
    pub made_at: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
}

/// Accounts for days of this station, without the outside.
pub trait DayDesk: Send + Sync {
    /// The present day of the office.
    fn today(&self) -> Answer<'_, LocalDay>;

    /// Accounts for a day.
    ///
    /// # Errors
    /// The [`Trouble`] that the officer is told: there is no account.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    fn day(&self, question: DayQuestion) -> Answer<'_, Result<DayAnswer, Trouble>>;
}

/// What a printer prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrinterKind {
    /// Documents on A4.
    Documents,
    /// Queue tickets on a roll.
    Tickets,
}

/// A printer of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterSeen {
    /// Its name in the settings.
    pub name: String,
    /// What it prints.
    pub kind: PrinterKind,
    /// How it was seen a moment ago; none where nobody saw it.
    pub state: Option<PrinterState>,
}

/// How a printer was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterState {
    /// IPP printer-state keyword, or `unreachable` or `refusing`.
    pub state: String,
    /// Why, as keywords.
    pub reasons: Vec<String>,
    /// Make and model as it says.
    pub model: Option<String>,
    /// What it has left; none where it says nothing of that.
    pub stock: Option<Stock>,
    /// When, by the machine's clock.
    pub at: Timestamp,
}

/// Knows how printers were seen last. No page asks a printer.
pub trait PrinterDesk: Send + Sync {
    /// The printers of the settings, in their order.
    fn printers(&self) -> Answer<'_, Vec<PrinterSeen>>;
}

/// What became of a test ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestTicket {
    /// How sure that is.
    pub fate: TestFate,
    /// Why it is no better, as keywords; of a printed one, what the printer wants soon.
    pub reasons: Vec<String>,
    /// All causes, for the one who mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How sure it is that a test ticket came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestFate {
    /// The printer said so.
    Printed,
    /// A printer that can say no more took all of it.
    Accepted,
    /// Nothing of it left.
    NotPrinted,
    /// It may have come out whole, in part or not at all.
    Unclear,
}

/// Prints test tickets.
pub trait TicketDesk: Send + Sync {
    /// Prints one, once. It bears no number of a queue.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves open what became of the ticket.
    fn test(&self) -> Answer<'_, TestTicket>;
}

/// A document on a medium that somebody plugged in.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// Which of the folders of the settings it lies under.
    pub folder: usize,
    /// Its path below that folder.
    pub path: std::path::PathBuf,
    /// Its name, for the screen alone.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
}

impl fmt::Debug for MediaFile {
    /// File names hold names of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaFile").finish_non_exhaustive()
    }
}

/// What was found on what is plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Documents, by name, up to a bound.
    pub files: Vec<MediaFile>,
    /// Whether there are more than were looked at.
    pub has_more: bool,
}

/// Reads what somebody plugged in.
pub trait MediaDesk: Send + Sync {
    /// Lists the documents on it.
    fn list(&self) -> Answer<'_, Listing>;

    /// Reads one that was listed, up to one byte more than [`MAX_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`Trouble::MediumGone`]
    fn read(&self, file: MediaFile) -> Answer<'_, Result<Brought, Trouble>>;
}
