//! The lines of a day's account.

use loket_wire::{Class, JobId, JobState, Reason, Reference, Service, Timestamp};
use serde::{Deserialize, Serialize};

use super::known::Ordered;

/// How a document ended at the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its sheets are out, whole.
    Printed,
    /// Its sheets came out and are spoiled.
    Spoiled,
    /// It will not be printed, and no sheet came out.
    Failed,
    /// The machine refused it.
    Rejected,
    /// Its time ran out.
    Expired,
    /// It was called off.
    Cancelled,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Printed,
        Self::Spoiled,
        Self::Failed,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
    ];
}

/// Who counted sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SheetCount {
    /// There is no sheet.
    None,
    /// The printer.
    Printer,
    /// Nobody: the printer said that it printed all of them and counts none. One a page of what was verified.
    Pages,
    /// An officer saw them: one a page.
    Officer,
    /// Nobody, and how many pages the document has is not known either.
    Unknown,
}

/// What was answered to the question whether a sheet came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It did, whole.
    Whole,
    /// It did, and is spoiled.
    Damaged,
    /// None did.
    None,
}

/// Documents and sheets of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLine {
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// What became of them.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Documents by what became of them, and the sheets of those that have any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Documents, each once.
    pub documents: u32,
    /// Of them printed.
    pub printed: u32,
    /// Of them spoiled.
    pub spoiled: u32,
    /// Of them not printed.
    pub failed: u32,
    /// Of them refused by the machine.
    pub rejected: u32,
    /// Of them past their time.
    pub expired: u32,
    /// Of them called off.
    pub cancelled: u32,
    /// Sheets of the printed ones.
    pub good_sheets: u32,
    /// Sheets of the spoiled ones.
    pub spoiled_sheets: u32,
}

impl Sums {
    /// Counts one document.
    pub(super) const fn count(&mut self, outcome: Outcome, sheets: u32) {
        let (documents, sheet_sum) = match outcome {
            Outcome::Printed => (&mut self.printed, Some(&mut self.good_sheets)),
            Outcome::Spoiled => (&mut self.spoiled, Some(&mut self.spoiled_sheets)),
            Outcome::Failed => (&mut self.failed, None),
            Outcome::Rejected => (&mut self.rejected, None),
            Outcome::Expired => (&mut self.expired, None),
            Outcome::Cancelled => (&mut self.cancelled, None),
        };
        *documents = documents.saturating_add(1);
        if let Some(sum) = sheet_sum {
            *sum = sum.saturating_add(sheets);
        }
        self.documents = self.documents.saturating_add(1);
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            documents: self.documents.saturating_add(other.documents),
            printed: self.printed.saturating_add(other.printed),
            spoiled: self.spoiled.saturating_add(other.spoiled),
            failed: self.failed.saturating_add(other.failed),
            rejected: self.rejected.saturating_add(other.rejected),
            expired: self.expired.saturating_add(other.expired),
            cancelled: self.cancelled.saturating_add(other.cancelled),
            good_sheets: self.good_sheets.saturating_add(other.good_sheets),
            spoiled_sheets: self.spoiled_sheets.saturating_add(other.spoiled_sheets),
        }
    }
}

/// One document that counts on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLine {
    /// When its sheet came out, or it ended, by the machine's clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// Who gave it.
    pub ordered: Ordered,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where there is a why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its sheets.
    pub sheets: u32,
    /// Who counted them.
    pub counted_by: SheetCount,
    /// Attempts at the printer.
    pub attempt_count: u32,
    /// Who released it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<String>,
    /// Who ended it, where a person did: said what became of the sheet, or called it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Whether it replaces another on paper.
    pub is_reprint: bool,
}

/// Sheets of the day that are spoiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoiledLine {
    /// When they came out.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// How many.
    pub sheets: u32,
    /// Why somebody was asked to look: what the printer did. Absent where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_because: Option<Reason>,
    /// Who said that they are spoiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_by: Option<String>,
    /// When.
    #[serde(rename = "said_at_ms")]
    pub said_at: Timestamp,
}

/// A document of the day that replaces another on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReprintLine {
    /// When its sheet came out, or it ended.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// What became of it.
    pub outcome: Outcome,
    /// The job that it replaces.
    pub replaces: JobId,
    /// Why.
    pub because: String,
    /// Who ordered it.
    pub ordered_by: String,
    /// What became of the earlier one, where this station had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Outcome>,
    /// Who said so, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_by: Option<String>,
}

/// A question about a sheet that was asked or answered on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionLine {
    /// When it was asked.
    #[serde(rename = "asked_at_ms")]
    pub asked_at: Timestamp,
    /// Whether the clock was trusted then.
    pub clock_trusted: bool,
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// Why the machine could not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What was answered; absent while nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// When.
    #[serde(
        default,
        rename = "answered_at_ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub answered_at: Option<Timestamp>,
}

/// A document that the machine held when the day ended, and of which it is not known what becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLine {
    /// Since when it stood so.
    #[serde(rename = "since_ms")]
    pub since: Timestamp,
    /// Whether the clock was trusted then.
    pub clock_trusted: bool,
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Where it stood.
    pub state: JobState,
    /// Why, where there is a why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
