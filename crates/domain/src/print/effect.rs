//! What the shell must do for the desk; each answer is a command.
//!
//! Each effect may run twice without a second sheet, with two exceptions that a start never repeats without a look
//! in between: Create-Job leaves a stray empty job (hence `Locate`), and Send-Document relies on a printer that
//! refuses a second document (hence `Probe`).

use loket_wire::{Blob, Class, JobId, Timestamp};

use super::attempt::{PrinterMark, RemoteJob, Step, job_name};
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
    /// Open the document and compare digests.
    Prepare,
    /// Send-Document.
    Send,
    /// Ask once what became of the job.
    Probe,
    /// Follow the job to its end.
    Watch,
    /// Cancel-Job, then look.
    Cancel,
    /// Destroy the document.
    Shred,
}

/// What to do. Actions at a printer are repeated by the shell, with pauses, until their answer is a command that
/// changes the job; an unreachable printer is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Fetch the sealed document into the spool, resuming what is there; answer `Received` or `FetchFailed`.
    Fetch {
        /// What to fetch.
        blob: Blob,
    },
    /// Open the document and judge it at this moment; answer `Verified`.
    Verify {
        /// Controlled documents are verified, own ones only counted.
        class: Class,
        /// The moment of judgement.
        at: Timestamp,
    },
    /// Ask the lane's printer what it is and can; answer `Surveyed`.
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
    /// Send-Document with the revision's bytes; answer `Sent` or `SendUnclear`.
    Send {
        /// The lane.
        printer: String,
        /// The job there.
        remote: RemoteJob,
        /// What to send.
        revision: Revision,
        /// In which format.
        format: String,
    },
    /// Get-Job-Attributes; answer `Sighted`.
    Look {
        /// The lane.
        printer: String,
        /// The job there.
        remote: RemoteJob,
    },
    /// Cancel-Job, then Get-Job-Attributes; answer `Sighted`.
    Cancel {
        /// The lane.
        printer: String,
        /// The job there.
        remote: RemoteJob,
    },
    /// Overwrite and remove key and document; answer `Shredded`.
    Shred,
}

/// Everything to do now, in the order of acceptance.
pub(super) fn effects(desk: &Desk, now: Now) -> Vec<Effect> {
    let mut jobs: Vec<&Job> = desk.jobs.values().collect();
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
            let (class, at) = (job.facts.class, job.facts.verified_at);
            (EffectStep::Verify, Action::Verify { class, at })
        }
        Stage::Released => {
            if now.is_past(job.facts.not_after) || !desk.is_next_in_lane(job) {
                return None;
            }
            let printer = desk.lane_of(job)?.to_owned();
            (EffectStep::Survey, Action::Survey { printer })
        }
        Stage::Attempting(attempt) => {
            let name = job_name(job.facts.job_id, attempt.no);
            attempt_effect(
                &attempt.step,
                &attempt.printer,
                &attempt.mark,
                name,
                job.revision?,
            )
        }
        Stage::Ended { .. } => (EffectStep::Shred, Action::Shred),
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
    revision: Revision,
) -> (EffectStep, Action) {
    let printer = printer.to_owned();
    match step {
        Step::Creating => (EffectStep::Create, Action::Create { printer, name }),
        Step::Locating => (EffectStep::Locate, Action::Locate { printer, name }),
        Step::Created(_remote) => (EffectStep::Prepare, Action::Prepare { revision }),
        Step::Sending(remote) => {
            let (remote, format) = (remote.clone(), mark.format.clone());
            (
                EffectStep::Send,
                Action::Send {
                    printer,
                    remote,
                    revision,
                    format,
                },
            )
        }
        Step::Probing(remote) => (
            EffectStep::Probe,
            Action::Look {
                printer,
                remote: remote.clone(),
            },
        ),
        Step::Sent(remote) => (
            EffectStep::Watch,
            Action::Look {
                printer,
                remote: remote.clone(),
            },
        ),
        Step::Cancelling { remote, .. } => (
            EffectStep::Cancel,
            Action::Cancel {
                printer,
                remote: remote.clone(),
            },
        ),
    }
}
