//! What a printer says before an attempt. It is the witness of what this journal may have forgotten: an attempt that
//! the journal does not hold was made before it was lost or set back (docs/adr/0008).

use loket_wire::{JobId, JobState, Reason};

use super::super::attempt::{Holds, PrinterMark, RemoteState, RemoteView, parse_job_name};
use super::super::command::{PrinterSurvey, Refusal};
use super::super::desk::Desk;
use super::super::event::What;
use super::super::job::{Job, Stage};
use super::{end, pace};
use crate::core::Now;

pub(super) fn surveyed(
    desk: &Desk,
    now: Now,
    job: &Job,
    printer: String,
    survey: PrinterSurvey,
) -> Result<Vec<What>, Refusal> {
    if job.stage != Stage::Released
        || !desk.is_next_in_lane(job)
        || desk.lane_of(job) != Some(printer.as_str())
        || !pace::may_survey(job, now)
    {
        return Err(Refusal::Stale);
    }
    let (mark, jobs) = match survey {
        PrinterSurvey::FormatUnsupported => {
            return Ok(vec![end(JobState::Failed, Reason::FormatUnsupported)]);
        }
        PrinterSurvey::OperationsMissing => {
            return Ok(vec![end(JobState::Failed, Reason::PrinterRefused)]);
        }
        PrinterSurvey::Ready { mark, jobs } => (mark, jobs),
    };
    let named: Vec<Named<'_>> = jobs.iter().filter_map(Named::of).collect();
    let of_this = |named: &&Named<'_>| named.job == job.facts.job_id;
    let forgotten = named.iter().filter(of_this).find_map(|named| {
        let what = forgotten(job, named, &printer, &mark);
        what.map(|what| vec![what])
    });
    // What is at the printer comes first: a job that may be on paper neither expires nor fails.
    if let Some(whats) = forgotten {
        return Ok(whats);
    }
    let stray = named
        .iter()
        .find_map(|named| Some((named, stray(desk, job, named)?)));
    if let Some((named, holds)) = stray {
        return Ok(vec![What::StrayFound {
            printer,
            name: named.name.to_owned(),
            remote: named.view.remote(),
            holds,
            mark,
        }]);
    }
    if job.is_past(now) {
        return Ok(vec![end(JobState::Expired, Reason::NotAfter)]);
    }
    if let Some(exhausted) = pace::exhausted(job) {
        return Ok(vec![exhausted]);
    }
    let used = named.iter().filter(of_this).map(|named| named.no);
    let last = used.fold(job.attempt_count, u32::max);
    Ok(vec![What::AttemptStarted {
        no: last.saturating_add(1),
        printer,
        mark,
    }])
}

/// A job at the printer whose name is of our form.
struct Named<'a> {
    view: &'a RemoteView,
    name: &'a str,
    job: JobId,
    no: u32,
}

impl<'a> Named<'a> {
    fn of(view: &'a RemoteView) -> Option<Self> {
        let name = view.name.as_deref()?;
        let (job, no) = parse_job_name(name)?;
        Some(Self {
            view,
            name,
            job,
            no,
        })
    }
}

/// An attempt at this very job that the journal does not hold, or of which no job was ever seen: where it may have
/// printed, only a person can say.
fn forgotten(job: &Job, named: &Named<'_>, printer: &str, mark: &PrinterMark) -> Option<What> {
    if named.no <= job.attempt_count && !job.unseen.contains(&named.no) {
        return None;
    }
    let is_open = match named.view.state {
        RemoteState::Processing | RemoteState::Stopped => true,
        // What an ended job printed rests on a count, and nothing is known of the printer at that time.
        RemoteState::Completed | RemoteState::Canceled | RemoteState::Aborted => false,
        RemoteState::AwaitingDocument | RemoteState::Pending | RemoteState::Held => {
            if !named.view.has_pages() {
                return None;
            }
            true
        }
    };
    Some(What::ForgottenSeen {
        no: named.no,
        printer: printer.to_owned(),
        mark: mark.clone(),
        left: is_open.then(|| named.view.remote()),
    })
}

/// Whether a job must go from the printer before this one is tried: an empty one blocks printers that take one job at
/// a time, and one of this job with a document would make a second sheet.
fn stray(desk: &Desk, job: &Job, named: &Named<'_>) -> Option<Holds> {
    if named.job == job.facts.job_id {
        return match named.view.state {
            RemoteState::AwaitingDocument if job.let_be.contains(named.name) => None,
            RemoteState::AwaitingDocument => Some(Holds::Nothing),
            RemoteState::Pending
            | RemoteState::Held
            | RemoteState::Processing
            | RemoteState::Stopped => Some(Holds::Document),
            RemoteState::Completed | RemoteState::Canceled | RemoteState::Aborted => None,
        };
    }
    let is_empty = named.view.state == RemoteState::AwaitingDocument && !named.view.has_pages();
    let goes = is_empty && !job.let_be.contains(named.name) && !is_owned(desk, named);
    goes.then_some(Holds::Nothing)
}

/// Whether an attempt is at work on it, or an officer is asked about it.
fn is_owned(desk: &Desk, named: &Named<'_>) -> bool {
    let Some(job) = desk.jobs.get(&named.job) else {
        return false;
    };
    match &job.stage {
        Stage::Attempting(attempt) => attempt.no == named.no,
        Stage::Unknown { attempt, .. } => *attempt == named.no,
        Stage::Clearing(clearing) => clearing.name == named.name,
        Stage::Fetching
        | Stage::Received
        | Stage::Held
        | Stage::Released
        | Stage::Ended { .. }
        | Stage::Closed { .. } => false,
    }
}
