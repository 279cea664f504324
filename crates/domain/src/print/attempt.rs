//! One try at a printer, and what is seen of it there.

use loket_wire::{JobId, JobState, RasterSetup, Reason, Timestamp};
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
    /// When the mark was taken.
    pub marked_at: Timestamp,
    /// When the present step began.
    pub since: Timestamp,
    /// Whether the printer, which answered, failed to make the job or to take its document.
    pub is_faulted: bool,
}

impl Attempt {
    /// Whether one that fails now, unprinted, does so because the printer that answered would not take the job.
    pub(super) const fn is_printers_fault(&self) -> bool {
        let is_refused = matches!(
            self.step,
            Step::SendingWhole | Step::Seeking(Heard::Nothing | Heard::NotNow | Heard::Never)
        );
        is_refused || (self.is_faulted && self.step.is_before_bytes())
    }
}

/// How far an attempt got. No document byte has left up to and including `Created`, in `Preparing`, and in `Seeking` where
/// nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Create-Job is asked for; its answer is awaited.
    Creating,
    /// Create-Job was asked for and its answer was lost: look whether the job is there.
    Locating,
    /// At a printer that takes a job only with its document: nothing has left yet.
    Preparing,
    /// Print-Job is on its way; bytes may have left, and the printer's job id is not known.
    SendingWhole,
    /// Print-Job was asked for and did not come to a job: look by its name whether there is one.
    Seeking(Heard),
    /// The program started with the printer's job id on disk and nothing sent: look whether it is still that job.
    Checking(RemoteJob),
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
        /// The job there, and how far calling it off got.
        withdrawal: Withdrawal,
        /// Whether document bytes may have left.
        bytes_left: bool,
        /// What follows when it is certain that nothing was printed.
        then: Afterwards,
    },
}

/// What was heard of a Print-Job that came to no job as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing was sent, as this journal says; it is looked for after a start, for the journal may have been set back.
    Unsent,
    /// Nothing.
    Nothing,
    /// That the printer does not take it now.
    NotNow,
    /// That it never will.
    Never,
}

/// Calling a job off at a printer: look whether it is there and the very job, ask, look what came of it. A number
/// alone is never called off: printers give it to somebody else's job after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The job there.
    pub remote: RemoteJob,
    /// What is done about it.
    pub phase: Phase,
    /// Times Cancel-Job was asked for.
    pub ask_count: u32,
}

impl Withdrawal {
    pub(super) const fn new(remote: RemoteJob) -> Self {
        Self {
            remote,
            phase: Phase::Look,
            ask_count: 0,
        }
    }
}

/// What is done about a job that is called off at a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Look whether it is there.
    Look,
    /// Cancel-Job.
    Ask,
    /// Look what came of it.
    Follow,
}

/// A job of ours at a printer that no attempt owns; it must go before the next attempt there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearing {
    /// The lane.
    pub printer: String,
    /// Its job-name.
    pub name: String,
    /// How far calling it off got.
    pub withdrawal: Withdrawal,
    /// What it may hold.
    pub holds: Holds,
    /// What the printer said of itself before.
    pub mark: PrinterMark,
    /// When the mark was taken.
    pub marked_at: Timestamp,
    /// Who called the job off meanwhile, and why.
    pub called_off: Option<Reason>,
    /// When the present phase began.
    pub since: Timestamp,
}

/// What a job at a printer that no attempt owns may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// No document, as the printer says.
    Nothing,
    /// A document that this journal does not know to have been sent.
    Document,
    /// The document of an attempt of which an officer said that nothing came out.
    Answered,
}

/// A job that may still stand at a printer though its attempt is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The lane.
    pub printer: String,
    /// The job there.
    pub remote: RemoteJob,
    /// What the printer said of itself before the attempt.
    pub mark: PrinterMark,
    /// When the mark was taken.
    pub marked_at: Timestamp,
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
            Self::Creating
            | Self::Locating
            | Self::Preparing
            | Self::Checking(_)
            | Self::Created(_) => true,
            Self::Cancelling { bytes_left, .. } => !*bytes_left,
            Self::Seeking(heard) => matches!(heard, Heard::Unsent),
            Self::SendingWhole | Self::Sending(_) | Self::Probing(_) | Self::Sent(_) => false,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Locating => "locating",
            Self::Preparing => "preparing",
            Self::SendingWhole => "sending-whole",
            Self::Seeking(_) => "seeking",
            Self::Checking(_) => "checking",
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
    /// In what shape, where that format is a raster of its pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raster: Option<RasterSetup>,
    /// Whether a second Send-Document to the same job is refused (multiple-document-jobs-supported is false).
    pub is_single_document: bool,
    /// Whether job-impressions-completed may be believed; a device profile can say no.
    pub trusts_impressions: bool,
    /// Whether it takes a job only together with its document (Print-Job): then nothing tells, after a crash while
    /// sending, that a job of which the printer says nothing never began.
    #[serde(default, skip_serializing_if = "is_false")]
    pub takes_whole: bool,
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl PrinterMark {
    /// Whether the answer came from another device at the same address: what was known of this one counts no more.
    pub(super) fn is_of_another(&self, view: &RemoteView) -> bool {
        match (&self.uuid, &view.printer_uuid) {
            (Some(known), Some(seen)) => known != seen,
            (None, _) | (_, None) => false,
        }
    }
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
    /// time-at-creation, on the clock of printer-up-time; 0 or less for a job from before the printer started.
    pub created_at_s: Option<i32>,
    /// printer-uuid of the device that answered, where it was asked for.
    pub printer_uuid: Option<String>,
    /// Whether somebody called it off (job-canceled-by-user, -by-operator, -at-device).
    pub is_canceled_by_person: bool,
}

impl RemoteView {
    pub(super) fn remote(&self) -> RemoteJob {
        RemoteJob {
            id: self.id,
            uuid: self.uuid.clone(),
        }
    }

    pub(super) fn has_pages(&self) -> bool {
        self.impressions.is_some_and(|count| count > 0)
    }
}

/// What was seen when the printer was asked for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// The printer knows no such job.
    Absent,
    /// The printer is in the settings no more: nobody can be asked, and the job may stand there still.
    Unasked,
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

/// What a job-name says, where it is of the form that [`job_name`] gives.
pub(super) fn parse_job_name(name: &str) -> Option<(JobId, u32)> {
    let (job, attempt) = name.strip_prefix("loket:")?.rsplit_once(':')?;
    let parsed = (job.parse().ok()?, attempt.parse().ok()?);
    // Written the same way: nobody else's name passes for ours by luck.
    (job_name(parsed.0, parsed.1) == name).then_some(parsed)
}
