//! What came of an attempt's own steps: Create-Job, the comparison before sending, Send-Document, Cancel-Job.

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
        Command::SendUnclear { job, attempt } => {
            let awaited = matches!(attempt_of(desk, job, attempt)?.step, Step::Sending(_));
            only_if(awaited, job, What::SendingUnclear)
        }
        Command::SendNotTaken { job, attempt } => {
            let what = not_taken(attempt_of(desk, job, attempt)?)?;
            Ok((job, vec![what]))
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
    if job.facts.class == Class::Controlled && unsupported.iter().copied().any(is_binding) {
        let then = Afterwards::End {
            state: JobState::Failed,
            reason: Reason::AttributesRefused,
        };
        return Ok(vec![withdraw(&remote, then)]);
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
    let Step::Created(remote) = &attempt.step else {
        return Err(Refusal::Stale);
    };
    if job.is_past(now) {
        return Ok(vec![call_off(remote, Reason::NotAfter)]);
    }
    let expected = job.revision.map(|revision| revision.sha256);
    if opened.is_some() && opened == expected {
        return Ok(vec![What::SendingBegan]);
    }
    let then = Afterwards::End {
        state: JobState::Failed,
        reason: Reason::SpoolLost,
    };
    Ok(vec![withdraw(remote, then)])
}

/// The same pages would not be drawn the next time either. What an earlier sending left is looked for first.
fn not_drawn(attempt: &Attempt) -> Result<What, Refusal> {
    let Step::Sending(remote) = &attempt.step else {
        return Err(Refusal::Stale);
    };
    if attempt.send_count > 1 {
        return Ok(What::SendingUnclear);
    }
    let then = Afterwards::End {
        state: JobState::Failed,
        reason: Reason::NotDrawn,
    };
    Ok(withdraw(remote, then))
}

/// Where this was the first sending no byte of the document is at the printer: the empty job goes, and another attempt
/// may follow. Later ones say nothing of what an earlier one left.
fn not_taken(attempt: &Attempt) -> Result<What, Refusal> {
    let Step::Sending(remote) = &attempt.step else {
        return Err(Refusal::Stale);
    };
    if attempt.send_count > 1 {
        return Ok(What::SendingUnclear);
    }
    Ok(What::CancellingRemote {
        remote: remote.clone(),
        bytes_left: false,
        then: Afterwards::TryAgain,
        by_printer: true,
    })
}
