//! What the shell must do for the desk; each answer is a command.
//!
//! Each effect may run twice without a second sheet, with exceptions that a start never repeats without a look in
//! between: Create-Job leaves a stray empty job (hence `Locate`), Send-Document relies on a printer that refuses a
//! second document (hence `Probe`), Print-Job is a sheet each time (hence `Seek`), and Cancel-Job relies on a number that
//! still means the same job.

use loket_wire::{Blob, Class, JobId, JobState, RasterSetup, Timestamp};

use super::attempt::{Phase, PrinterMark, RemoteJob, Step, Withdrawal, job_name};
use super::decide::may_survey;
use super::desk::Desk;
use super::job::{Job, Origin, Revision, Stage};
use crate::core::Now;

/// One thing to do, with the id under which it runs once at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Its id.
    pub id: EffectId,
    /// What to do.
    pub action: Action,
}

/// Names an effect: while one runs, the same is not started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectId {
    /// The job.
    pub job: JobId,
    /// The attempt, 0 before the first.
    pub attempt: u32,
    /// The step.
    pub step: EffectStep,
}

/// The steps that have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EffectStep {
    /// Fetch the sealed document.
    Fetch,
    /// Open and judge it.
    Verify,
    /// Ask the printer what it is.
    Survey,
    /// Create-Job.
    Create,
    /// Look for the job by name.
    Locate,
    /// Print-Job.
    Print,
    /// Look by its name for the job of a Print-Job.
    Seek,
    /// Look whether the job made before a start is still there.
    Check,
    /// Open the document and compare digests.
    Prepare,
    /// Send-Document.
    Send,
    /// Ask once what became of the job.
    Probe,
    /// Follow the job to its end.
    Watch,
    /// Look at a job that is to be called off.
    Withdraw,
    /// Cancel-Job.
    Cancel,
    /// Look what came of it.
    Follow,
    /// Destroy the document.
    Shred,
}

/// What to do. Actions at a printer are repeated by the shell, with pauses, until their answer is a command that
/// changes the job; an unreachable or busy printer is waited for, and named by `Waits` when that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Fetch the sealed document into the spool, resuming what is there; answer `Received` or `FetchFailed`.
    Fetch {
        /// What to fetch.
        blob: Blob,
    },
    /// Open the document and judge it at this moment; answer `Verified`.
    Verify {
        /// Controlled documents are verified.
        class: Class,
        /// Whether it is a page that this machine drew itself: there is nothing to verify.
        is_exercise: bool,
        /// The moment of judgement.
        at: Timestamp,
    },
    /// Ask the lane's printer what it is and can, and which jobs of ours it has; answer `Surveyed`.
    Survey {
        /// The lane.
        printer: String,
    },
    /// Create-Job; answer `Created`, `CreateRefused` or `CreateUnclear`.
    Create {
        /// The lane.
        printer: String,
        /// job-name.
        name: String,
    },
    /// Find the job by its exact name; answer `Sighted`.
    Locate {
        /// The lane.
        printer: String,
        /// job-name.
        name: String,
    },
    /// Open the document and digest the revision; answer `Prepared`.
    Prepare {
        /// What must be there.
        revision: Revision,
    },
    /// Send-Document with the revision's bytes; answer `Sent`, `SendNotTaken`, `SendNotDrawn` or
    /// `SendUnclear`.
    Send {
        /// The lane.
        printer: String,
        /// The job there.
        remote: RemoteJob,
        /// What to send.
        revision: Revision,
        /// In which format.
        format: String,
        /// In what shape, where that format is a raster of its pages.
        raster: Option<RasterSetup>,
    },
    /// Print-Job with the revision's bytes; answer `JobTaken`, `JobRefused`, `SendNotTaken`, `SendNotDrawn` or
    /// `SendUnclear`.
    Print {
        /// The lane.
        printer: String,
        /// job-name.
        name: String,
        /// Of controlled documents nothing may be ignored that shows on the sheet.
        class: Class,
        /// What to send.
        revision: Revision,
        /// In which format.
        format: String,
        /// In what shape, where that format is a raster of its pages.
        raster: Option<RasterSetup>,
    },
    /// Get-Job-Attributes; answer `Sighted`.
    Look {
        /// The lane.
        printer: String,
        /// The job there.
        remote: RemoteJob,
    },
    /// Cancel-Job; answer `CancelTried`, whatever the printer said.
    Cancel {
        /// The lane.
        printer: String,
        /// The job there.
        remote: RemoteJob,
    },
    /// Overwrite and remove key and document; answer `Shredded`.
    Shred {
        /// What came out on paper, where something did: the last chance to make the record of it.
        printed: Option<Revision>,
    },
}

impl Action {
    /// The lane whose printer it asks; none for what needs no printer.
    #[must_use]
    pub fn printer(&self) -> Option<&str> {
        match self {
            Self::Survey { printer }
            | Self::Create { printer, .. }
            | Self::Locate { printer, .. }
            | Self::Send { printer, .. }
            | Self::Print { printer, .. }
            | Self::Look { printer, .. }
            | Self::Cancel { printer, .. } => Some(printer),
            Self::Fetch { .. }
            | Self::Verify { .. }
            | Self::Prepare { .. }
            | Self::Shred { .. } => None,
        }
    }
}

/// Everything to do now, in the order of acceptance.
pub(super) fn effects(desk: &Desk, now: Now) -> Vec<Effect> {
    let next = desk.next_in_lanes();
    let is_next = |job: &Job| next.values().any(|id| *id == job.facts.job_id);
    let mut jobs: Vec<&Job> = desk.jobs.values().collect();
    jobs.retain(|job| job.stage != Stage::Released || is_next(job));
    jobs.sort_by_key(|job| job.accepted_no);
    jobs.into_iter()
        .filter_map(|job| effect_of(desk, now, job))
        .collect()
}

fn effect_of(desk: &Desk, now: Now, job: &Job) -> Option<Effect> {
    let (step, action) = match &job.stage {
        Stage::Fetching => match &job.facts.origin {
            Origin::Central { blob, .. } => (EffectStep::Fetch, Action::Fetch { blob: *blob }),
            Origin::Local { .. } => return None,
        },
        Stage::Received => {
            let action = Action::Verify {
                class: job.facts.class,
                is_exercise: job.facts.is_exercise(),
                at: job.facts.verified_at,
            };
            (EffectStep::Verify, action)
        }
        Stage::Released => {
            if job.is_past(now) || !may_survey(job, now) {
                return None;
            }
            let printer = desk.lane_of(job)?.to_owned();
            (EffectStep::Survey, Action::Survey { printer })
        }
        Stage::Clearing(clearing) => withdrawal_effect(&clearing.withdrawal, &clearing.printer),
        Stage::Attempting(attempt) => {
            let name = job_name(job.facts.job_id, attempt.no);
            let document = (job.facts.class, job.revision?);
            attempt_effect(
                &attempt.step,
                &attempt.printer,
                &attempt.mark,
                name,
                document,
            )
        }
        Stage::Ended { state, .. } => {
            // Nobody will ever bring an exercise page and ask whether it was altered.
            let has_record = *state == JobState::Printed && !job.facts.is_exercise();
            let printed = job.revision.filter(|_it| has_record);
            (EffectStep::Shred, Action::Shred { printed })
        }
        Stage::Held | Stage::Unknown { .. } | Stage::Closed { .. } => return None,
    };
    let id = EffectId {
        job: job.facts.job_id,
        attempt: job.attempt_count,
        step,
    };
    Some(Effect { id, action })
}

fn attempt_effect(
    step: &Step,
    printer: &str,
    mark: &PrinterMark,
    name: String,
    (class, revision): (Class, Revision),
) -> (EffectStep, Action) {
    let lane = printer.to_owned();
    let look = |remote: &RemoteJob| Action::Look {
        printer: printer.to_owned(),
        remote: remote.clone(),
    };
    match step {
        Step::Creating => (
            EffectStep::Create,
            Action::Create {
                printer: lane,
                name,
            },
        ),
        Step::Locating => (
            EffectStep::Locate,
            Action::Locate {
                printer: lane,
                name,
            },
        ),
        Step::SendingWhole => (
            EffectStep::Print,
            Action::Print {
                printer: lane,
                name,
                class,
                revision,
                format: mark.format.clone(),
                raster: mark.raster,
            },
        ),
        Step::Seeking(_heard) => (
            EffectStep::Seek,
            Action::Locate {
                printer: lane,
                name,
            },
        ),
        Step::Checking(remote) => (EffectStep::Check, look(remote)),
        Step::Preparing | Step::Created(_) => (EffectStep::Prepare, Action::Prepare { revision }),
        Step::Sending(remote) => {
            let (remote, format) = (remote.clone(), mark.format.clone());
            let action = Action::Send {
                printer: lane,
                remote,
                revision,
                format,
                raster: mark.raster,
            };
            (EffectStep::Send, action)
        }
        Step::Probing(remote) => (EffectStep::Probe, look(remote)),
        Step::Sent(remote) => (EffectStep::Watch, look(remote)),
        Step::Cancelling { withdrawal, .. } => withdrawal_effect(withdrawal, printer),
    }
}

fn withdrawal_effect(withdrawal: &Withdrawal, printer: &str) -> (EffectStep, Action) {
    let (printer, remote) = (printer.to_owned(), withdrawal.remote.clone());
    match withdrawal.phase {
        Phase::Look => (EffectStep::Withdraw, Action::Look { printer, remote }),
        Phase::Ask => (EffectStep::Cancel, Action::Cancel { printer, remote }),
        Phase::Follow => (EffectStep::Follow, Action::Look { printer, remote }),
    }
}
