//! What a look at the printer means for paper: adopt, wait, send again to the same job, call off, printed, unknown.
//!
//! The rules (CONTRACT, one machine): a new attempt by itself only if no document byte had left, or the printer says
//! aborted or canceled with impressions present and 0 and they may be believed. Impressions absent or 0 after
//! completed are no evidence; another number than the document's pages makes the sheet unknown.

use loket_wire::{JobState, Reason};

use super::super::attempt::{
    Afterwards, Attempt, PrinterMark, RemoteJob, RemoteState, RemoteView, Sighting, Step, job_name,
};
use super::super::command::Refusal;
use super::super::event::What;
use super::super::job::Job;
use super::{call_off, end};

/// Times one remote job is sent the document: a printer that still waits for it after three is called off.
const MAX_SENDS: u32 = 3;

pub(super) fn sighted(
    job: &Job,
    attempt: &Attempt,
    sighting: Sighting,
) -> Result<Vec<What>, Refusal> {
    let name = job_name(job.facts.job_id, attempt.no);
    match &attempt.step {
        Step::Locating => Ok(located(attempt, sighting, &name)),
        Step::Probing(remote) => Ok(match sighting.of(remote, &name) {
            None => vec![forgotten()],
            Some(view) => probed(job, attempt, remote, &view),
        }),
        Step::Sent(remote) => Ok(match sighting.of(remote, &name) {
            None => vec![forgotten()],
            Some(view) => watched(job, attempt, &view),
        }),
        Step::Cancelling {
            remote,
            bytes_left,
            then,
        } => Ok(cancelled(
            job,
            attempt,
            sighting.of(remote, &name),
            *bytes_left,
            *then,
        )),
        Step::Creating | Step::Created(_) | Step::Sending(_) => Err(Refusal::Stale),
    }
}

/// No document byte has left by this journal: a job that waits for its document is adopted, any other is of no use.
/// A job that prints or has printed tells that the journal was set back behind a sheet.
fn located(attempt: &Attempt, sighting: Sighting, name: &str) -> Vec<What> {
    let view = match sighting {
        Sighting::Seen(view) if view.name.as_deref() == Some(name) => view,
        Sighting::Seen(_) | Sighting::Absent => return none_there(attempt),
    };
    let is_on_paper = has_pages(&view);
    let remote = RemoteJob {
        id: view.id,
        uuid: view.uuid,
    };
    match (view.state, attempt.called_off) {
        (RemoteState::Processing | RemoteState::Stopped | RemoteState::Completed, _) => {
            vec![fate_not_seen()]
        }
        (RemoteState::Canceled | RemoteState::Aborted, _) if is_on_paper => vec![fate_not_seen()],
        (RemoteState::Canceled | RemoteState::Aborted, _) => none_there(attempt),
        (_open, Some(reason)) => vec![call_off(&remote, reason)],
        (RemoteState::AwaitingDocument, None) => vec![What::RemoteCreated { remote }],
        (RemoteState::Pending | RemoteState::Held, None) => vec![What::CancellingRemote {
            remote,
            bytes_left: false,
            then: Afterwards::TryAgain,
        }],
    }
}

fn none_there(attempt: &Attempt) -> Vec<What> {
    match attempt.called_off {
        Some(reason) => vec![end(JobState::Cancelled, reason)],
        None => vec![What::AttemptFailed],
    }
}

/// After a lost answer to Send-Document.
fn probed(job: &Job, attempt: &Attempt, remote: &RemoteJob, view: &RemoteView) -> Vec<What> {
    match view.state {
        // Where the printer takes one document a job, it refuses a second one itself: sending again is idempotent.
        RemoteState::AwaitingDocument
            if attempt.mark.is_single_document && attempt.send_count < MAX_SENDS =>
        {
            vec![What::SendingBegan]
        }

        RemoteState::AwaitingDocument => vec![What::CancellingRemote {
            remote: remote.clone(),
            bytes_left: true,
            then: Afterwards::TryAgain,
        }],
        RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => vec![What::Sent],
        RemoteState::Canceled | RemoteState::Aborted => vec![given_up(attempt, view)],
        RemoteState::Completed => {
            let mut whats = vec![What::Sent];
            whats.push(completed(job, view));
            whats
        }
    }
}

/// While the printer has the document. No news: no event.
fn watched(job: &Job, attempt: &Attempt, view: &RemoteView) -> Vec<What> {
    match view.state {
        RemoteState::AwaitingDocument
        | RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => Vec::new(),
        RemoteState::Canceled | RemoteState::Aborted => vec![given_up(attempt, view)],
        RemoteState::Completed => vec![completed(job, view)],
    }
}

fn completed(job: &Job, view: &RemoteView) -> What {
    let pages = job.revision.map(|revision| revision.page_count);
    match view.impressions {
        None | Some(0) => What::Ended {
            state: JobState::Printed,
            reason: None,
            sheet_count: None,
        },
        Some(count) if Some(count) == pages => What::Ended {
            state: JobState::Printed,
            reason: None,
            sheet_count: Some(count),
        },
        Some(_other) => What::BecameUnknown {
            reason: Reason::ImpressionsDisagree,
        },
    }
}

/// The printer ended the job: only its word that no sheet came out allows another attempt.
fn given_up(attempt: &Attempt, view: &RemoteView) -> What {
    if says_unprinted(attempt, view) {
        What::AttemptFailed
    } else if has_restarted(&attempt.mark, view) {
        What::BecameUnknown {
            reason: Reason::PrinterRestarted,
        }
    } else {
        What::BecameUnknown {
            reason: Reason::PrinterAborted,
        }
    }
}

/// A printer that started again since may have lost its count with its power.
fn says_unprinted(attempt: &Attempt, view: &RemoteView) -> bool {
    view.impressions == Some(0)
        && attempt.mark.trusts_impressions
        && !has_restarted(&attempt.mark, view)
}

/// Whether the printer's up-time went down since the mark. One that has run longer since than before is not seen.
fn has_restarted(mark: &PrinterMark, view: &RemoteView) -> bool {
    matches!((mark.up_time_s, view.up_time_s), (Some(before), Some(after)) if after < before)
}

fn has_pages(view: &RemoteView) -> bool {
    view.impressions.is_some_and(|count| count > 0)
}

const fn fate_not_seen() -> What {
    What::BecameUnknown {
        reason: Reason::FateNotSeen,
    }
}

const fn forgotten() -> What {
    What::BecameUnknown {
        reason: Reason::PrinterForgot,
    }
}

/// After Cancel-Job: what follows once it is certain that nothing was printed.
fn cancelled(
    job: &Job,
    attempt: &Attempt,
    view: Option<RemoteView>,
    bytes_left: bool,
    then: Afterwards,
) -> Vec<What> {
    let nothing_left = !bytes_left && attempt.step.is_before_bytes();
    let Some(view) = view else {
        return if nothing_left {
            vec![afterwards(attempt, then)]
        } else {
            vec![forgotten()]
        };
    };
    if nothing_left && has_pages(&view) {
        return vec![fate_not_seen()];
    }
    match view.state {
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed if nothing_left => {
            vec![afterwards(attempt, then)]
        }
        RemoteState::Canceled | RemoteState::Aborted if says_unprinted(attempt, &view) => {
            vec![afterwards(attempt, then)]
        }
        RemoteState::Canceled | RemoteState::Aborted => vec![given_up(attempt, &view)],
        RemoteState::Completed => vec![completed(job, &view)],
        RemoteState::AwaitingDocument
        | RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => Vec::new(),
    }
}

fn afterwards(attempt: &Attempt, then: Afterwards) -> What {
    match (then, attempt.called_off) {
        (Afterwards::End { state, reason }, _) => end(state, reason),
        (Afterwards::TryAgain, Some(reason)) => end(JobState::Cancelled, reason),
        (Afterwards::TryAgain, None) => What::AttemptFailed,
    }
}
