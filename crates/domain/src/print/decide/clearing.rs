//! What is seen of a job that must go from a printer: an attempt's own that is called off, or one that no attempt owns.

use std::time::Duration;

use loket_wire::Timestamp;

use super::super::attempt::{
    Clearing, Holds, Phase, RemoteJob, RemoteState, RemoteView, Sighting, Withdrawal,
    parse_job_name,
};
use super::super::command::Refusal;
use super::super::event::What;
use super::super::job::Job;
use super::called_off_end;
use super::sighting::{Evidence, fate_not_seen, seen};
use crate::core::Now;

/// Times Cancel-Job is asked for: with the pauses below a printer has a minute to follow.
const MAX_ASKS: u32 = 5;

/// Pause after the first, doubling.
const FIRST_ASK_PAUSE: Duration = Duration::from_secs(2);

/// What a look at a job means that is being called off and goes on.
pub(super) enum Next {
    /// Ask for Cancel-Job.
    Ask,
    /// Look again.
    Wait,
    /// It will not go.
    GiveUp,
}

/// A job that prints or stands without paper is followed to its end: asked once more it would do the same.
pub(super) fn next(
    now: Now,
    withdrawal: &Withdrawal,
    since: Timestamp,
    state: RemoteState,
) -> Result<Next, Refusal> {
    let pause = FIRST_ASK_PAUSE
        .saturating_mul(2_u32.saturating_pow(withdrawal.ask_count.saturating_sub(1)));
    let is_at_work = matches!(state, RemoteState::Processing | RemoteState::Stopped);
    match withdrawal.phase {
        Phase::Look => Ok(Next::Ask),
        Phase::Ask => Err(Refusal::Stale),
        Phase::Follow if !now.is_after(since, pause) => Ok(Next::Wait),
        Phase::Follow if withdrawal.ask_count < MAX_ASKS => Ok(Next::Ask),
        Phase::Follow if is_at_work => Ok(Next::Wait),
        Phase::Follow => Ok(Next::GiveUp),
    }
}

/// A job that no attempt owns was looked at.
pub(super) fn sighted(
    now: Now,
    job: &Job,
    clearing: &Clearing,
    sighting: Sighting,
) -> Result<Vec<What>, Refusal> {
    if let Sighting::Seen(view) = &sighting
        && view.id != clearing.withdrawal.remote.id
    {
        return Err(Refusal::Stale);
    }
    let gone = || vec![cleared(clearing)];
    let is_asked = sighting != Sighting::Unasked;
    let view = match seen(sighting, &clearing.withdrawal.remote, &clearing.name) {
        Ok(view) => view,
        Err(unknown) => return Ok(vec![not_there(clearing, is_asked, *unknown)]),
    };
    let is_own = parse_job_name(&clearing.name).is_some_and(|(of, _no)| of == job.facts.job_id);
    let evidence = Evidence {
        mark: &clearing.mark,
        marked_at: clearing.marked_at,
        // It stood there when the mark was taken.
        is_made_since: false,
        now,
    };
    if clearing.holds == Holds::Nothing && view.has_pages() && is_own {
        return Ok(vec![fate_not_seen(still_there(&view))]);
    }
    match view.state {
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed
            if clearing.holds == Holds::Nothing =>
        {
            Ok(gone())
        }
        RemoteState::Canceled | RemoteState::Aborted if evidence.says_unprinted(&view) => {
            Ok(gone())
        }
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed => {
            Ok(vec![fate_not_seen(None)])
        }
        // It has a document after all. Another job's is its own affair; this one's is judged as such by the next
        // survey.
        RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped
            if clearing.holds == Holds::Nothing =>
        {
            Ok(match clearing.called_off {
                Some(_reason) if is_own => vec![fate_not_seen(Some(view.remote()))],
                Some(_) | None => gone(),
            })
        }
        RemoteState::AwaitingDocument
        | RemoteState::Pending
        | RemoteState::Held
        | RemoteState::Processing
        | RemoteState::Stopped => {
            let next = next(now, &clearing.withdrawal, clearing.since, view.state)?;
            Ok(match (next, clearing.called_off) {
                (Next::Ask, _) => vec![What::CancelDue],
                (Next::Wait, _) => Vec::new(),
                (Next::GiveUp, _) if clearing.holds != Holds::Nothing => {
                    vec![fate_not_seen(Some(view.remote()))]
                }
                (Next::GiveUp, Some(reason)) => vec![called_off_end(reason)],
                (Next::GiveUp, None) => vec![What::StrayStays],
            })
        }
    }
}

fn cleared(clearing: &Clearing) -> What {
    clearing
        .called_off
        .map_or(What::StrayCleared, called_off_end)
}

/// What it means that the job was not seen: an officer's word that nothing came out needs a printer that can be asked.
fn not_there(clearing: &Clearing, is_asked: bool, unknown: What) -> What {
    match clearing.holds {
        Holds::Nothing => cleared(clearing),
        Holds::Answered if is_asked => cleared(clearing),
        Holds::Answered | Holds::Document => unknown,
    }
}

fn still_there(view: &RemoteView) -> Option<RemoteJob> {
    let is_over = matches!(
        view.state,
        RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed
    );
    (!is_over).then(|| view.remote())
}
