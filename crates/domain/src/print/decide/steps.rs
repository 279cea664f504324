//! What came of an attempt's own steps: Create-Job, the comparison before sending, Send-Document, Print-Job, Cancel-Job.

use loket_wire::{Class, JobId, JobState, Reason, Sha256Digest};

use super::super::attempt::{Afterwards, Attempt, Phase, RemoteJob, Step};
use super::super::command::{Asked, Command, Refusal};
use super::super::desk::Desk;
use super::super::event::What;
use super::super::job::{Job, Stage};
use super::{attempt_of, call_off, called_off_end, end, find, only_if, pace, withdraw};
use crate::core::Now;

/// Whether a sheet rests on it: a printer that will not honour it would print something else than was certified.
///
/// One side is asked for and not insisted on. Printed on two, each page is whole and of its size, and a document of one
/// page is the same sheet; and a printer without a duplex unit is free to call the attribute itself unknown, though it
/// can do nothing else.
const fn is_binding(asked: Asked) -> bool {
    match asked {
        Asked::Copies | Asked::Scaling | Asked::Media => true,
        Asked::Sides => false,
    }
}

/// What came of an attempt's own steps.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other command is no step of an attempt"
)]
pub(super) fn of_attempt(
    desk: &Desk,
    now: Now,
    command: Command,
) -> Result<(JobId, Vec<What>), Refusal> {
    match command {
        Command::Created {
            job,
            attempt,
            remote,
            unsupported,
        } => {
            let seen = attempt_of(desk, job, attempt)?;
            let whats = created(now, find(desk, job)?, seen, remote, &unsupported)?;
            Ok((job, whats))
        }
        Command::CreateRefused { job, attempt } => {
            let seen = attempt_of(desk, job, attempt)?;
            let refused = end(JobState::Failed, Reason::PrinterRefused);
            let what = seen.called_off.map_or(refused, called_off_end);
            only_if(seen.step == Step::Creating, job, what)
        }
        Command::CreateUnclear { job, attempt } => {
            let awaited = attempt_of(desk, job, attempt)?.step == Step::Creating;
            only_if(awaited, job, What::CreationUnclear { by_printer: true })
        }
        Command::Prepared {
            job,
            attempt,
            opened,
        } => {
            let seen = attempt_of(desk, job, attempt)?;
            Ok((job, prepared(now, find(desk, job)?, seen, opened)?))
        }
        Command::Sent { job, attempt } => {
            let awaited = matches!(attempt_of(desk, job, attempt)?.step, Step::Sending(_));
            only_if(awaited, job, What::Sent)
        }
        Command::JobTaken {
            job,
            attempt,
            remote,
            unsupported,
        } => {
            let seen = attempt_of(desk, job, attempt)?;
            let whats = job_taken(find(desk, job)?, seen, remote, &unsupported)?;
            Ok((job, whats))
        }
        Command::JobRefused {
            job,
            attempt,
            is_for_good,
        } => {
            let awaited = attempt_of(desk, job, attempt)?.step == Step::SendingWhole;
            only_if(awaited, job, What::JobRefused { is_for_good })
        }
        Command::SendUnclear { job, attempt } => {
            let step = &attempt_of(desk, job, attempt)?.step;
            let awaited = matches!(step, Step::Sending(_) | Step::SendingWhole);
            only_if(awaited, job, What::SendingUnclear)
        }
        Command::SendNotTaken { job, attempt } => {
            let whats = not_taken(find(desk, job)?, attempt_of(desk, job, attempt)?)?;
            Ok((job, whats))
        }
        Command::SendNotDrawn { job, attempt } => {
            let what = not_drawn(attempt_of(desk, job, attempt)?)?;
            Ok((job, vec![what]))
        }
        _no_step => Err(Refusal::Stale),
    }
}

pub(super) fn asks_to_cancel(job: &Job, no: u32) -> bool {
    let withdrawal = match &job.stage {
        Stage::Clearing(clearing) => &clearing.withdrawal,
        Stage::Attempting(Attempt {
            step: Step::Cancelling { withdrawal, .. },
            ..
        }) => withdrawal,
        Stage::Attempting(_)
        | Stage::Fetching
        | Stage::Received
        | Stage::Held
        | Stage::Released
        | Stage::Unknown { .. }
        | Stage::Ended { .. }
        | Stage::Closed { .. } => return false,
    };
    job.attempt_count == no && withdrawal.phase == Phase::Ask
}

const ATTRIBUTES_REFUSED: Afterwards = Afterwards::End {
    state: JobState::Failed,
    reason: Reason::AttributesRefused,
};

/// Whether the job must not print where these are not honoured.
fn is_bound(job: &Job, unsupported: &[Asked]) -> bool {
    job.facts.class == Class::Controlled && unsupported.iter().copied().any(is_binding)
}

fn created(
    now: Now,
    job: &Job,
    attempt: &Attempt,
    remote: RemoteJob,
    unsupported: &[Asked],
) -> Result<Vec<What>, Refusal> {
    if attempt.step != Step::Creating {
        return Err(Refusal::Stale);
    }
    let past = job.is_past(now).then_some(Reason::NotAfter);
    if let Some(reason) = attempt.called_off.or(past) {
        return Ok(vec![call_off(&remote, reason)]);
    }
    if is_bound(job, unsupported) {
        return Ok(vec![withdraw(&remote, ATTRIBUTES_REFUSED)]);
    }
    let mut whats = pace::waits_no_more(job);
    whats.push(What::RemoteCreated { remote });
    Ok(whats)
}

fn prepared(
    now: Now,
    job: &Job,
    attempt: &Attempt,
    opened: Option<Sha256Digest>,
) -> Result<Vec<What>, Refusal> {
    let remote = if let Step::Created(remote) = &attempt.step {
        Some(remote)
    } else if attempt.step == Step::Preparing {
        None
    } else {
        return Err(Refusal::Stale);
    };
    if job.is_past(now) {
        let past = Reason::NotAfter;
        return Ok(vec![remote.map_or_else(
            || called_off_end(past),
            |remote| call_off(remote, past),
        )]);
    }
    let expected = job.revision.map(|revision| revision.sha256);
    if opened.is_some() && opened == expected {
        return Ok(vec![What::SendingBegan]);
    }
    Ok(vec![without_sheet(remote, Reason::SpoolLost)])
}

/// A job fails of which nothing can have printed: an empty one at the printer is called off first.
fn without_sheet(remote: Option<&RemoteJob>, reason: Reason) -> What {
    let state = JobState::Failed;
    remote.map_or_else(
        || end(state, reason),
        |remote| withdraw(remote, Afterwards::End { state, reason }),
    )
}

/// The printer made a job of it and has the document. Where it will not honour what the sheet rests on, that is known
/// only now, though it was asked to refuse such a job: the job is called off, and what came out meanwhile is asked about.
fn job_taken(
    job: &Job,
    attempt: &Attempt,
    remote: RemoteJob,
    unsupported: &[Asked],
) -> Result<Vec<What>, Refusal> {
    if attempt.step != Step::SendingWhole {
        return Err(Refusal::Stale);
    }
    let mut whats = pace::waits_no_more(job);
    let next = if is_bound(job, unsupported) {
        What::CancellingRemote {
            remote: remote.clone(),
            bytes_left: true,
            then: ATTRIBUTES_REFUSED,
            by_printer: false,
        }
    } else {
        What::Sent
    };
    whats.extend([What::RemoteCreated { remote }, next]);
    Ok(whats)
}

/// The same pages would not be drawn the next time either. What an earlier sending left is looked for first.
fn not_drawn(attempt: &Attempt) -> Result<What, Refusal> {
    if attempt.step == Step::SendingWhole {
        return Ok(without_sheet(None, Reason::NotDrawn));
    }
    let Step::Sending(remote) = &attempt.step else {
        return Err(Refusal::Stale);
    };
    if attempt.send_count > 1 {
        return Ok(What::SendingUnclear);
    }
    Ok(without_sheet(Some(remote), Reason::NotDrawn))
}

/// Where this was the first sending no byte of the document is at the printer: the empty job goes, and another attempt
/// may follow. Later ones say nothing of what an earlier one left. A job that would have come with its document is not
/// there; an empty one that came all the same is found by the next survey.
fn not_taken(job: &Job, attempt: &Attempt) -> Result<Vec<What>, Refusal> {
    if attempt.step == Step::SendingWhole {
        return Ok(pace::attempt_failed(job, attempt));
    }
    let Step::Sending(remote) = &attempt.step else {
        return Err(Refusal::Stale);
    };
    if attempt.send_count > 1 {
        return Ok(vec![What::SendingUnclear]);
    }
    Ok(vec![What::CancellingRemote {
        remote: remote.clone(),
        bytes_left: false,
        then: Afterwards::TryAgain,
        by_printer: true,
    }])
}
