//! One try at a printer, and what is seen of it there.

use loket_wire::{JobId, JobState, Reason};
use serde::{Deserialize, Serialize};

/// One try at a printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub no: u32,
    /// The lane, by the device's name in the settings.
    pub printer: String,
    /// What was known of the printer just before.
    pub mark: PrinterMark,
    /// How far it got.
    pub step: Step,
    /// Times the document was sent to this remote job.
    pub send_count: u32,
    /// Who called the job off while it was not yet too late, and why.
    pub called_off: Option<Reason>,
}

/// How far an attempt got. Up to and including `Created` no document byte has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Create-Job is asked for; its answer is awaited.
    Creating,
    /// Create-Job was asked for and its answer was lost: look whether the job is there.
    Locating,
    /// The printer's job id is on disk.
    Created(RemoteJob),
    /// Send-Document is on its way; bytes may have left.
    Sending(RemoteJob),
    /// Send-Document was asked for and its answer was lost: look what became of the job.
    Probing(RemoteJob),
    /// The printer has the document.
    Sent(RemoteJob),
    /// The job at the printer is being called off.
    Cancelling {
        /// The job there.
        remote: RemoteJob,
        /// Whether document bytes may have left.
        bytes_left: bool,
        /// What follows when it is certain that nothing was printed.
        then: Afterwards,
    },
}

/// What follows a cancelled remote job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Afterwards {
    /// Another attempt.
    TryAgain,
    /// The job's end.
    End {
        /// How.
        state: JobState,
        /// Why.
        reason: Reason,
    },
}

impl Step {
    /// Whether no document byte has left: up to and including `Created`.
    pub(super) const fn is_before_bytes(&self) -> bool {
        match self {
            Self::Creating | Self::Locating | Self::Created(_) => true,
            Self::Cancelling { bytes_left, .. } => !*bytes_left,
            Self::Sending(_) | Self::Probing(_) | Self::Sent(_) => false,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Locating => "locating",
            Self::Created(_) => "created",
            Self::Sending(_) => "sending",
            Self::Probing(_) => "probing",
            Self::Sent(_) => "sent",
            Self::Cancelling { .. } => "cancelling",
        }
    }
}

/// What a printer said of itself before an attempt; decides later what its answers are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrinterMark {
    /// printer-uuid (RFC 8011 §5.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// printer-up-time in seconds (RFC 8011 §5.4.29).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_time_s: Option<u32>,
    /// The format the document will be sent in.
    pub format: String,
    /// Whether a second Send-Document to the same job is refused (multiple-document-jobs-supported is false).
    pub is_single_document: bool,
    /// Whether job-impressions-completed may be believed; a device profile can say no.
    pub trusts_impressions: bool,
}

/// A job as the printer named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteJob {
    /// job-id; printers reuse them.
    pub id: i32,
    /// job-uuid, where the printer has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
}

/// job-state (RFC 8011 §5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteState {
    /// 3.
    Pending,
    /// 4, waiting for its document (job-data-insufficient, job-incoming).
    AwaitingDocument,
    /// 4 for any other reason.
    Held,
    /// 5.
    Processing,
    /// 6.
    Stopped,
    /// 7.
    Canceled,
    /// 8.
    Aborted,
    /// 9.
    Completed,
}

/// What the printer says of one of its jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteView {
    /// job-id.
    pub id: i32,
    /// job-uuid.
    pub uuid: Option<String>,
    /// job-name.
    pub name: Option<String>,
    /// job-state.
    pub state: RemoteState,
    /// job-impressions-completed.
    pub impressions: Option<u32>,
    /// printer-up-time with the answer.
    pub up_time_s: Option<u32>,
}

/// What was seen when the printer was asked for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// The printer knows no such job.
    Absent,
    /// It knows this one.
    Seen(RemoteView),
}

impl Sighting {
    /// The view, if it is of the very job `remote` with job-name `name`: ids are reused, so id alone is no proof.
    pub(super) fn of(self, remote: &RemoteJob, name: &str) -> Option<RemoteView> {
        let Self::Seen(view) = self else { return None };
        let same_uuid = match (&view.uuid, &remote.uuid) {
            (Some(seen), Some(known)) => seen == known,
            (None, _) | (_, None) => true,
        };
        let same_name = view.name.as_deref() == Some(name);
        (view.id == remote.id && same_uuid && same_name).then_some(view)
    }
}

/// The job-name an attempt bears at the printer, by which it is found again.
#[must_use]
pub fn job_name(job: JobId, attempt: u32) -> String {
    format!("loket:{job}:{attempt}")
}
