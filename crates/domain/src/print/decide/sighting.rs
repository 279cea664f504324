//! What a look at the printer means for paper: adopt, wait, send again to the same job, call off, printed, unknown.
//!
//! The rules (CONTRACT, one machine): a new attempt by itself only if no document byte had left, or the printer says
//! aborted or canceled with impressions present and 0 and they may be believed. Impressions absent or 0 after
//! completed are no evidence; another number than the document's pages makes the sheet unknown.

use std::time::Duration;

use loket_wire::{JobState, Reason, Timestamp};

use super::super::attempt::{
    Afterwards, Attempt, Heard, PrinterMark, RemoteJob, RemoteState, RemoteView, Sighting, Step,
    Withdrawal, job_name,
};
use super::super::command::Refusal;
use super::super::event::What;
use super::super::job::Job;
use super::clearing::{self, Next};
use super::{call_off, called_off_end, called_off_state, end, pace, withdraw};
use crate::core::Now;

/// Times one remote job is sent the document: a printer that still waits for it after three is called off.
const MAX_SENDS: u32 = 3;

/// A printer that took a document with success and still waits for it after so long will wait for ever; printers give
/// up a job without its document after 60 s (field notes of printing, 3.1).
const DOCUMENT_WAIT: Duration = Duration::from_secs(60);

/// How much a printer's clock and ours may drift apart, and an answer be late, before a lower up-time than expected
/// means that the printer started again: 100 ppm, which is twice what a cheap crystal does, over a quarter of a minute,
/// and never more than a printer needs to start and be asked anew.
const UP_TIME_SLACK_S: i64 = 15;
const UP_TIME_DRIFT: i64 = 10_000;
const MAX_UP_TIME_SLACK_S: i64 = 90;

/// What an answer about paper is judged by.
pub(super) struct Evidence<'a> {
    pub(super) mark: &'a PrinterMark,
    pub(super) marked_at: Timestamp,
    /// Whether the job was made after the mark was taken.
    pub(super) is_made_since: bool,
    pub(super) now: Now,
}

impl Evidence<'_> {
    /// A printer that started again since may have lost its count with its power.
    pub(super) fn says_unprinted(&self, view: &RemoteView) -> bool {
        view.impressions == Some(0) && self.mark.trusts_impressions && !self.has_restarted(view)
    }

    /// Whether the printer started again since the mark, or another one took its place: what it counted and which
    /// documents it was sent is forgotten, and its numbers are given anew.
    pub(super) fn has_restarted(&self, view: &RemoteView) -> bool {
        self.mark.is_of_another(view) || self.is_job_of_earlier(view) || self.is_up_too_short(view)
    }

    /// A job that was made since the mark stands on the printer's clock before it (RFC 8011 section 5.3.14): that clock
    /// began anew.
    fn is_job_of_earlier(&self, view: &RemoteView) -> bool {
        let (Some(marked_s), Some(created_s)) = (self.mark.up_time_s, view.created_at_s) else {
            return false;
        };
        let latest_s = i64::from(created_s).saturating_add(UP_TIME_SLACK_S);
        self.is_made_since && latest_s < i64::from(marked_s)
    }

    /// The up-time is lower than at the mark, or lower than it must be by the time that passed. A wrong clock makes
    /// this say yes too often, which asks a person.
    fn is_up_too_short(&self, view: &RemoteView) -> bool {
        let (Some(before), Some(after)) = (self.mark.up_time_s, view.up_time_s) else {
            return false;
        };
        let passed_ms = self
            .now
            .wall
            .unix_ms()
            .saturating_sub(self.marked_at.unix_ms());
        let passed_s = passed_ms.checked_div(1_000).unwrap_or(0);
        let drift_s = passed_s.checked_div(UP_TIME_DRIFT).unwrap_or(0);
        let slack_s = UP_TIME_SLACK_S
            .saturating_add(drift_s)
            .min(MAX_UP_TIME_SLACK_S);
        let expected_s = i64::from(before)
            .saturating_add(passed_s)
            .saturating_sub(slack_s);
        after < before || i64::from(after) < expected_s
    }
}

const fn evidence(attempt: &Attempt, now: Now) -> Evidence<'_> {
    Evidence {
        mark: &attempt.mark,
        marked_at: attempt.marked_at,
        is_made_since: true,
        now,
    }
}

pub(super) fn sighted(
    now: Now,
    job: &Job,
    attempt: &Attempt,
    sighting: Sighting,
) -> Result<Vec<What>, Refusal> {
    let name = job_name(job.facts.job_id, attempt.no);
    match &attempt.step {
        Step::Locating => Ok(located(job, attempt, sighting, &name)),
        Step::Seeking(heard) => Ok(sought(now, job, attempt, *heard, sighting)),
        Step::Checking(remote) => Ok(checked(now, job, attempt, sighting.of(remote, &name))),
        Step::Probing(remote) => Ok(match seen(sighting, remote, &name) {
            Err(unknown) => vec![*unknown],
            Ok(view) => probed(now, job, attempt, remote, &view),
        }),
        Step::Sent(remote) => Ok(match seen(sighting, remote, &name) {
            Err(unknown) => vec![*unknown],
            Ok(view) => watched(now, job, attempt, &view),
        }),
        Step::Cancelling {
            withdrawal,
            bytes_left,
            then,
        } => {
            let view = seen(sighting, &withdrawal.remote, &name);
            cancelled(now, job, attempt, view, withdrawal, (*bytes_left, *then))
        }
        Step::Creating
        | Step::Preparing
        | Step::SendingWhole
        | Step::Created(_)
        | Step::Sending(_) => Err(Refusal::Stale),
    }
}

/// No document byte has left by this journal: a job that waits for its document is adopted, any other is of no use.
/// A job that prints or has printed tells that the journal was set back behind a sheet.
fn located(job: &Job, attempt: &Attempt, sighting: Sighting, name: &str) -> Vec<What> {
    let view = match sighting {
        Sighting::Seen(view) if view.name.as_deref() == Some(name) => view,
        Sighting::Seen(_) | Sighting::Absent | Sighting::Unasked => {
            return none_there(job, attempt);
        }
    };
    let adopted = vec![What::RemoteCreated {
        remote: view.remote(),
    }];
    empty(job, attempt, &view, adopted)
}

/// After a Print-Job of which no job is known, or before the first after a start: one of this name is adopted. Of one that
/// is not there nothing tells whether it never began or is forgotten, unless it was not sent, or the printer itself said
/// that it did not take it.
fn sought(now: Now, job: &Job, attempt: &Attempt, heard: Heard, sighting: Sighting) -> Vec<What> {
    let name = job_name(job.facts.job_id, attempt.no);
    let view = match sighting {
        Sighting::Seen(view) if view.name.as_deref() == Some(name.as_str()) => view,
        Sighting::Seen(_) | Sighting::Absent => return not_found(now, job, attempt, heard, true),
        Sighting::Unasked => return not_found(now, job, attempt, heard, false),
    };
    let remote = view.remote();
    let mut whats = vec![What::RemoteCreated {
        remote: remote.clone(),
    }];
    let adopted = Attempt {
        step: Step::Probing(remote.clone()),
        ..attempt.clone()
    };
    let is_over = matches!(
        view.state,
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed
    );
    match attempt.called_off {
        // Called off while this journal said that nothing was sent.
        Some(reason) if !is_over => whats.push(What::CancellingRemote {
            remote,
            bytes_left: true,
            then: Afterwards::End {
                state: called_off_state(reason),
                reason,
            },
            by_printer: false,
        }),
        Some(_) | None => whats.extend(probed(now, job, &adopted, &remote, &view)),
    }
    whats
}

/// No job of that name, as the printer says, or as nobody can say: it is in the settings no more.
fn not_found(now: Now, job: &Job, attempt: &Attempt, heard: Heard, is_asked: bool) -> Vec<What> {
    match (heard, is_asked) {
        (Heard::Unsent, true) => vec![begin_or_end(now, job, attempt)],
        (Heard::Unsent, false) => none_there(job, attempt),
        (Heard::Nothing, true) => vec![fate_not_seen(None)],
        (Heard::Nothing, false) => vec![What::BecameUnknown {
            reason: Reason::NoPrinter,
            left: None,
        }],
        (Heard::NotNow, _) => pace::attempt_failed(job, attempt),
        (Heard::Never, _) => vec![end(JobState::Failed, Reason::PrinterRefused)],
    }
}

/// As in [`checked`], the sending begins in the very commit: the bytes are compared before the first one leaves.
fn begin_or_end(now: Now, job: &Job, attempt: &Attempt) -> What {
    let past = job.is_past(now).then_some(Reason::NotAfter);
    match attempt.called_off.or(past) {
        Some(reason) => called_off_end(reason),
        None => What::SendingBegan,
    }
}

/// After a start: the job that was made before is sent to only when the printer says that it is that job.
///
/// Both in one commit: a program that dies after each single one would ask the printer at every start and never come
/// forward. The bytes are compared by the sending itself, before the first one leaves.
fn checked(now: Now, job: &Job, attempt: &Attempt, view: Option<RemoteView>) -> Vec<What> {
    let Some(view) = view else {
        return none_there(job, attempt);
    };
    let confirmed = if job.is_past(now) {
        vec![call_off(&view.remote(), Reason::NotAfter)]
    } else {
        vec![What::RemoteConfirmed, What::SendingBegan]
    };
    empty(job, attempt, &view, confirmed)
}

/// A job that should hold no document; goes on with `confirmed` where it waits for one.
fn empty(job: &Job, attempt: &Attempt, view: &RemoteView, confirmed: Vec<What>) -> Vec<What> {
    let remote = view.remote();
    match (view.state, attempt.called_off) {
        (RemoteState::Processing | RemoteState::Stopped, _) => vec![fate_not_seen(Some(remote))],
        (RemoteState::Completed, _) => vec![fate_not_seen(None)],
        (RemoteState::Canceled | RemoteState::Aborted, _) if view.has_pages() => {
            vec![fate_not_seen(None)]
        }
        (RemoteState::Canceled | RemoteState::Aborted, _) => none_there(job, attempt),
        (_open, Some(reason)) => vec![call_off(&remote, reason)],
        // What the survey found out about sending was another printer's.
        (RemoteState::AwaitingDocument, None) if attempt.mark.is_of_another(view) => {
            vec![withdraw(&remote, Afterwards::TryAgain)]
        }
        (RemoteState::AwaitingDocument, None) => confirmed,
        (RemoteState::Pending | RemoteState::Held, None) => {
            vec![withdraw(&remote, Afterwards::TryAgain)]
        }
    }
}

fn none_there(job: &Job, attempt: &Attempt) -> Vec<What> {
    match attempt.called_off {
        Some(reason) => vec![called_off_end(reason)],
        None => pace::attempt_failed(job, attempt),
    }
}

/// After a lost answer to Send-Document, or to Print-Job that made a job.
fn probed(
    now: Now,
    job: &Job,
    attempt: &Attempt,
    remote: &RemoteJob,
    view: &RemoteView,
) -> Vec<What> {
    let has_restarted = evidence(attempt, now).has_restarted(view);
    match view.state {
        // Where the printer takes one document a job, it refuses a second one itself: sending again is idempotent.
        // One that started again may have forgotten the first.
        // The job came with its document, which is under way: it is watched, and taken back if that never ends.
        RemoteState::AwaitingDocument if attempt.mark.takes_whole => vec![What::Sent],
        RemoteState::AwaitingDocument
            if attempt.mark.is_single_document
                && attempt.send_count < MAX_SENDS
                && !has_restarted =>
        {
            vec![What::SendingBegan]
        }
        RemoteState::AwaitingDocument => vec![take_back(remote)],
        RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => vec![What::Sent],
        RemoteState::Canceled | RemoteState::Aborted => given_up(now, job, attempt, view),
        RemoteState::Completed => vec![What::Sent, completed(job, attempt, view)],
    }
}

/// Calls off a job that may have bytes of the document.
fn take_back(remote: &RemoteJob) -> What {
    What::CancellingRemote {
        remote: remote.clone(),
        bytes_left: true,
        then: Afterwards::TryAgain,
        by_printer: false,
    }
}

/// While the printer has the document. No news: no event.
fn watched(now: Now, job: &Job, attempt: &Attempt, view: &RemoteView) -> Vec<What> {
    match view.state {
        RemoteState::AwaitingDocument if now.is_after(attempt.since, DOCUMENT_WAIT) => {
            vec![take_back(&view.remote())]
        }
        RemoteState::AwaitingDocument
        | RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => pace::waits_no_more(job),
        RemoteState::Canceled | RemoteState::Aborted => given_up(now, job, attempt, view),
        RemoteState::Completed => vec![completed(job, attempt, view)],
    }
}

/// A count that the profile distrusts says nothing, for a sheet or against it.
fn completed(job: &Job, attempt: &Attempt, view: &RemoteView) -> What {
    let pages = job.revision.map(|revision| revision.page_count);
    let trusted = view
        .impressions
        .filter(|count| *count > 0 && attempt.mark.trusts_impressions);
    match trusted {
        Some(count) if Some(count) != pages => What::BecameUnknown {
            reason: Reason::ImpressionsDisagree,
            left: None,
        },
        sheet_count => What::Ended {
            state: JobState::Printed,
            reason: None,
            sheet_count,
        },
    }
}

/// The printer ended the job: only its word that no sheet came out allows another attempt, and a person's wish that it
/// should not print is not fought.
fn given_up(now: Now, job: &Job, attempt: &Attempt, view: &RemoteView) -> Vec<What> {
    let by_person = view.state == RemoteState::Canceled && view.is_canceled_by_person;
    let evidence = evidence(attempt, now);
    let unknown = |reason| vec![What::BecameUnknown { reason, left: None }];
    match (evidence.says_unprinted(view), by_person) {
        (true, true) => vec![end(JobState::Cancelled, Reason::CancelledAtPrinter)],
        (true, false) => pace::attempt_failed(job, attempt),
        (false, true) => unknown(Reason::CancelledAtPrinter),
        (false, false) if evidence.has_restarted(view) => unknown(Reason::PrinterRestarted),
        (false, false) => unknown(Reason::PrinterAborted),
    }
}

pub(super) const fn fate_not_seen(left: Option<RemoteJob>) -> What {
    What::BecameUnknown {
        reason: Reason::FateNotSeen,
        left,
    }
}

const fn forgotten() -> What {
    What::BecameUnknown {
        reason: Reason::PrinterForgot,
        left: None,
    }
}

/// The view of a job that has a document, if it is of the very job; else what is not known of it now. Only a printer
/// that was asked can have lost a job: one that is out of the settings may have it still, and print it.
pub(super) fn seen(
    sighting: Sighting,
    remote: &RemoteJob,
    name: &str,
) -> Result<RemoteView, Box<What>> {
    let unknown = if sighting == Sighting::Unasked {
        What::BecameUnknown {
            reason: Reason::NoPrinter,
            left: Some(remote.clone()),
        }
    } else {
        forgotten()
    };
    sighting.of(remote, name).ok_or_else(|| Box::new(unknown))
}

/// While the job is called off: what follows once it is certain that nothing was printed.
fn cancelled(
    now: Now,
    job: &Job,
    attempt: &Attempt,
    view: Result<RemoteView, Box<What>>,
    withdrawal: &Withdrawal,
    (bytes_left, then): (bool, Afterwards),
) -> Result<Vec<What>, Refusal> {
    let nothing_left = !bytes_left;
    let view = match view {
        Ok(view) => view,
        Err(_gone) if nothing_left => return Ok(afterwards(job, attempt, then)),
        Err(unknown) => return Ok(vec![*unknown]),
    };
    let is_over = matches!(
        view.state,
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed
    );
    if nothing_left && view.has_pages() {
        return Ok(vec![fate_not_seen((!is_over).then(|| view.remote()))]);
    }
    Ok(match view.state {
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed if nothing_left => {
            afterwards(job, attempt, then)
        }
        RemoteState::Canceled | RemoteState::Aborted
            if evidence(attempt, now).says_unprinted(&view) =>
        {
            afterwards(job, attempt, then)
        }
        // It was this program that called it off.
        RemoteState::Canceled | RemoteState::Aborted => {
            let ours = RemoteView {
                is_canceled_by_person: false,
                ..view
            };
            given_up(now, job, attempt, &ours)
        }
        RemoteState::Completed => vec![completed(job, attempt, &view)],
        RemoteState::AwaitingDocument
        | RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => {
            match clearing::next(now, withdrawal, attempt.since, view.state)? {
                Next::Ask => vec![What::CancelDue],
                Next::Wait => Vec::new(),
                Next::GiveUp if nothing_left && view.state == RemoteState::AwaitingDocument => {
                    afterwards(job, attempt, then)
                }
                Next::GiveUp => vec![fate_not_seen(Some(view.remote()))],
            }
        }
    })
}

fn afterwards(job: &Job, attempt: &Attempt, then: Afterwards) -> Vec<What> {
    match (then, attempt.called_off) {
        (Afterwards::End { state, reason }, _) => vec![end(state, reason)],
        (Afterwards::TryAgain, Some(reason)) => vec![called_off_end(reason)],
        (Afterwards::TryAgain, None) => pace::attempt_failed(job, attempt),
    }
}
