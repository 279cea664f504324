//! One job inside the simulated printer.

use ipp::attribute::IppAttribute;
use tokio::time::Instant;
use uuid::Uuid;

/// Who ended a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CanceledBy {
    /// A client, by Cancel-Job.
    User,
    /// Somebody at the printer's own panel.
    Device,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It waits for its document.
    Awaiting,
    /// Its document is on the way.
    Incoming,
    /// It waits for its turn.
    Pending,
    /// Its sheets come out.
    Processing,
    /// Somebody ended it.
    Canceled(CanceledBy),
    /// The printer gave it up.
    Aborted,
    /// It is done, as the printer says.
    Completed,
}

impl Phase {
    /// True where it never changes again.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Canceled(_) | Self::Aborted | Self::Completed)
    }

    /// The `job-state`, where a fault stops a job in the middle.
    pub(crate) fn code(self, stopped: bool) -> i32 {
        match self {
            Self::Awaiting | Self::Incoming => 4,
            Self::Pending => 3,
            Self::Processing if stopped => 6,
            Self::Processing => 5,
            Self::Canceled(_) => 7,
            Self::Aborted => 8,
            Self::Completed => 9,
        }
    }

    /// The keyword of `job-state`.
    pub(crate) fn keyword(self, stopped: bool) -> &'static str {
        match self {
            Self::Awaiting | Self::Incoming => "pending-held",
            Self::Pending => "pending",
            Self::Processing if stopped => "processing-stopped",
            Self::Processing => "processing",
            Self::Canceled(_) => "canceled",
            Self::Aborted => "aborted",
            Self::Completed => "completed",
        }
    }

    /// The `job-state-reasons`.
    pub(crate) fn reasons(self, stopped: bool) -> &'static [&'static str] {
        match self {
            Self::Awaiting => &["job-incoming", "job-data-insufficient"],
            Self::Incoming => &["job-incoming"],
            Self::Pending => &["none"],
            Self::Processing if stopped => &["job-printing", "printer-stopped"],
            Self::Processing => &["job-printing"],
            Self::Canceled(CanceledBy::User) => &["job-canceled-by-user"],
            Self::Canceled(CanceledBy::Device) => &["job-canceled-at-device"],
            Self::Aborted => &["aborted-by-system"],
            Self::Completed => &["job-completed-successfully"],
        }
    }
}

/// A document a job was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) sha256: [u8; 32],
    pub(crate) size_bytes: u64,
    pub(crate) sheets: u32,
}

/// What a job is created with.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewJob {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) copies: u32,
    pub(crate) template: Vec<IppAttribute>,
}

/// One job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: i32,
    pub(crate) uuid: Uuid,
    pub(crate) asked: NewJob,
    pub(crate) phase: Phase,
    pub(crate) documents: Vec<Document>,
    pub(crate) sheets_done: u32,
    /// Documents of which all sheets came out.
    pub(crate) documents_done: usize,
    /// When it was last spoken of; the time-out of a job without a document counts from here.
    pub(crate) touched: Instant,
    /// Values of `printer-up-time`, in seconds.
    pub(crate) created_s: i32,
    pub(crate) processing_s: Option<i32>,
    pub(crate) completed_s: Option<i32>,
}

impl Job {
    /// Sheets that all its documents and copies take.
    pub(crate) fn sheets(&self) -> u32 {
        let sheets: u32 = self.documents.iter().map(|document| document.sheets).sum();
        sheets.saturating_mul(self.asked.copies.max(1))
    }

    /// Tells this job from another one that got its number after a power cycle.
    pub(crate) fn key(&self) -> JobKey {
        JobKey {
            id: self.id,
            uuid: self.uuid,
        }
    }
}

/// A number and a uuid: the number alone may be another job's by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JobKey {
    pub(crate) id: i32,
    pub(crate) uuid: Uuid,
}
