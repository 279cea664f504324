//! What a command means in the present state. Decisions about paper stand in `sighting`, those before an attempt in
//! `survey`, and what a job that must go from a printer tells in `clearing`.

mod clearing;
mod pace;
mod sighting;
mod steps;
mod survey;

use loket_wire::{JobId, JobState, Reason, Release};

use super::attempt::{Afterwards, Attempt, Heard, Left, Phase, RemoteJob, Step};
use super::command::{Answer, Command, Intake, Refusal, Verification};
use super::desk::Desk;
use super::event::{Actor, EVENT_VERSION, Event, What};
use super::job::{Facts, Job, Origin, Stage};
use crate::core::Now;

pub(super) use pace::{fault_pause, may_survey};

pub(super) fn decide(desk: &Desk, now: Now, command: Command) -> Result<Vec<Event>, Refusal> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other command is an observation"
    )]
    let (job_id, actor, whats) = match command {
        Command::Resume => return Ok(resume(desk, now)),
        Command::Tick => return Ok(tick(desk, now)),
        Command::Accept(intake) => return accept(desk, now, intake),
        Command::Restate { job } => (job, Actor::Machine, vec![restated(find(desk, job)?)]),
        Command::Release { job, by } => (job, by, release(desk, now, job)?),
        Command::Cancel { job, by } => (job, by.clone(), cancel(find(desk, job)?, &by)?),
        Command::Answer {
            job,
            attempt,
            answer,
            by,
        } => (job, by, answered(desk, job, attempt, answer)?),
        observed => {
            let (job, whats) = observe(desk, now, observed)?;
            let whats = if find(desk, job)?.facts.is_exercise() {
                whats.into_iter().map(unasked).collect()
            } else {
                whats
            };
            (job, Actor::Machine, whats)
        }
    };
    Ok(stamp(now, job_id, &actor, whats))
}

/// Nobody is asked whether an exercise page came out: it is waste either way, and one in its place would be a second.
fn unasked(what: What) -> What {
    if matches!(
        what,
        What::BecameUnknown { .. } | What::ForgottenSeen { .. }
    ) {
        return end(JobState::Failed, Reason::ExerciseUnseen);
    }
    what
}

fn stamp(now: Now, job_id: JobId, actor: &Actor, whats: Vec<What>) -> Vec<Event> {
    let event = |what| Event {
        v: EVENT_VERSION,
        job_id,
        at: now.wall,
        clock_trusted: now.trusted,
        actor: actor.clone(),
        what,
    };
    whats.into_iter().map(event).collect()
}

fn find(desk: &Desk, job: JobId) -> Result<&Job, Refusal> {
    desk.jobs.get(&job).ok_or(Refusal::UnknownJob)
}

const fn end(state: JobState, reason: Reason) -> What {
    What::Ended {
        state,
        reason: Some(reason),
        sheet_count: None,
    }
}

/// How a job ends that was called off, by a person or because its time ran out.
fn called_off_end(reason: Reason) -> What {
    end(called_off_state(reason), reason)
}

fn called_off_state(reason: Reason) -> JobState {
    if reason == Reason::NotAfter {
        JobState::Expired
    } else {
        JobState::Cancelled
    }
}

/// Whatever was awaited when the program stopped is lost: the printer must be asked.
fn resume(desk: &Desk, now: Now) -> Vec<Event> {
    let lost = |job: &Job| match &job.stage {
        Stage::Attempting(attempt) => match &attempt.step {
            Step::Creating => Some(What::CreationUnclear { by_printer: false }),
            Step::Created(_) | Step::Preparing => Some(What::CheckingRemote),
            Step::Sending(_) | Step::SendingWhole => Some(What::SendingUnclear),
            Step::Cancelling { withdrawal, .. } => {
                (withdrawal.phase == Phase::Ask).then_some(What::CancelTried)
            }
            Step::Locating
            | Step::Seeking(_)
            | Step::Checking(_)
            | Step::Probing(_)
            | Step::Sent(_) => None,
        },
        Stage::Clearing(clearing) => {
            (clearing.withdrawal.phase == Phase::Ask).then_some(What::CancelTried)
        }
        Stage::Fetching
        | Stage::Received
        | Stage::Held
        | Stage::Released
        | Stage::Unknown { .. }
        | Stage::Ended { .. }
        | Stage::Closed { .. } => None,
    };
    let found = desk
        .jobs
        .values()
        .filter_map(|job| Some((job.facts.job_id, lost(job)?)));
    found
        .flat_map(|(id, what)| stamp(now, id, &Actor::Machine, vec![what]))
        .collect()
}

/// Whether time alone can end the job, or call it off: no document byte has left.
pub(super) fn may_expire(job: &Job) -> bool {
    match &job.stage {
        Stage::Fetching | Stage::Received | Stage::Held | Stage::Released | Stage::Clearing(_) => {
            true
        }
        Stage::Attempting(attempt) => attempt.step.is_before_bytes(),
        Stage::Unknown { .. } | Stage::Ended { .. } | Stage::Closed { .. } => false,
    }
}

/// What time does: ends what is past its time, and notes who waits for a printer that left the settings.
fn tick(desk: &Desk, now: Now) -> Vec<Event> {
    let due = |job: &Job| {
        if may_expire(job) && job.is_past(now) {
            return called_off(job, Reason::NotAfter);
        }
        if job.stage != Stage::Released {
            return Vec::new();
        }
        match (desk.lane_of(job), job.waits) {
            (None, _other) if is_local(job) => vec![end(JobState::Failed, Reason::NoPrinter)],
            (None, Some((Reason::NoPrinter, _since))) => Vec::new(),
            (None, _other) => vec![waiting(Reason::NoPrinter)],
            (Some(_lane), Some((Reason::NoPrinter, _since))) => {
                vec![What::Waiting { reason: None }]
            }
            (Some(_lane), _other) => Vec::new(),
        }
    };
    let jobs = desk.jobs.values();
    jobs.flat_map(|job| stamp(now, job.facts.job_id, &Actor::Machine, due(job)))
        .collect()
}

const fn waiting(reason: Reason) -> What {
    What::Waiting {
        reason: Some(reason),
    }
}

/// What calling a job off means while no document byte has left; nothing where it is being called off already.
fn called_off(job: &Job, reason: Reason) -> Vec<What> {
    match &job.stage {
        Stage::Fetching | Stage::Received | Stage::Held | Stage::Released => {
            vec![called_off_end(reason)]
        }
        Stage::Clearing(clearing) if clearing.called_off.is_none() => {
            vec![What::CalledOff { reason }]
        }
        Stage::Attempting(attempt) => match &attempt.step {
            Step::Created(remote) => vec![call_off(remote, reason)],
            // Nothing of it is at the printer.
            Step::Preparing => vec![called_off_end(reason)],
            Step::Creating
            | Step::Locating
            | Step::Seeking(Heard::Unsent)
            | Step::Checking(_)
            | Step::Cancelling {
                bytes_left: false,
                then: Afterwards::TryAgain,
                ..
            } if attempt.called_off.is_none() => vec![What::CalledOff { reason }],
            Step::Creating
            | Step::Locating
            | Step::Checking(_)
            | Step::SendingWhole
            | Step::Seeking(_)
            | Step::Sending(_)
            | Step::Probing(_)
            | Step::Sent(_)
            | Step::Cancelling { .. } => Vec::new(),
        },
        Stage::Clearing(_) | Stage::Unknown { .. } | Stage::Ended { .. } | Stage::Closed { .. } => {
            Vec::new()
        }
    }
}

/// Whether a person gave the job a printer by its address. Where no setting names that one, nothing will serve its lane
/// again once the command that brought the printer has ended.
const fn is_local(job: &Job) -> bool {
    matches!(job.facts.origin, Origin::Local { .. })
}

fn accept(desk: &Desk, now: Now, intake: Intake) -> Result<Vec<Event>, Refusal> {
    let (facts, bad) = match intake {
        Intake::Good(facts) => (facts, None),
        Intake::Bad { facts, reason } => (facts, Some(reason)),
    };
    let job_id = facts.job_id;
    if let Some(known) = desk.jobs.get(&job_id) {
        return if is_same_order(known, &facts) {
            let told = vec![restated(known)];
            Ok(stamp(now, job_id, &Actor::Machine, told))
        } else {
            Err(Refusal::Replay)
        };
    }
    if bad == Some(Reason::Replay) {
        // Journalled, it would use up the id: central gives the same job anew for the present journal.
        return Err(Refusal::Replay);
    }
    let lane = facts.printer.as_deref().unwrap_or_default();
    if facts.is_exercise() && desk.is_lane_taken(lane) {
        return Err(Refusal::LaneTaken);
    }
    let mut whats = Vec::new();
    let actor = facts.origin.actor();
    // What a person gave a moment ago is over only by a clock that was put right in between.
    let is_over = matches!(facts.origin, Origin::Central { .. }) && now.is_past(facts.not_after);
    let verdict = bad.or_else(|| is_over.then_some(Reason::NotAfter));
    whats.push(What::Accepted { facts });
    match verdict {
        Some(Reason::NotAfter) => whats.push(end(JobState::Expired, Reason::NotAfter)),
        Some(reason) => whats.push(end(JobState::Rejected, reason)),
        None => {}
    }
    Ok(stamp(now, job_id, &actor, whats))
}

fn restated(job: &Job) -> What {
    let (state, reason) = job.public_state();
    What::Restated { state, reason }
}

/// A redelivery has the very envelope that was taken; anything else under a known id is a replay.
fn is_same_order(known: &Job, facts: &Facts) -> bool {
    match (&known.facts.origin, &facts.origin) {
        (
            Origin::Central {
                epoch,
                envelope,
                blob,
                ..
            },
            Origin::Central {
                epoch: again_epoch,
                envelope: again,
                blob: again_blob,
                ..
            },
        ) => epoch == again_epoch && envelope == again && blob == again_blob,
        (Origin::Local { .. }, _) | (_, Origin::Local { .. }) => false,
    }
}

fn release(desk: &Desk, now: Now, job: JobId) -> Result<Vec<What>, Refusal> {
    let job = find(desk, job)?;
    match &job.stage {
        Stage::Held if job.is_past(now) => Err(Refusal::PastNotAfter),
        Stage::Held => Ok(vec![What::Released]),
        // A second tap of the same button is no error.
        Stage::Released | Stage::Clearing(_) | Stage::Attempting(_) => Ok(Vec::new()),
        Stage::Fetching
        | Stage::Received
        | Stage::Unknown { .. }
        | Stage::Ended { .. }
        | Stage::Closed { .. } => Err(Refusal::NotNow {
            state: job.stage_name(),
        }),
    }
}

fn cancel(job: &Job, by: &Actor) -> Result<Vec<What>, Refusal> {
    let reason = match by {
        Actor::Central => Reason::ByCentral,
        Actor::Officer(_) | Actor::Machine => Reason::ByOfficer,
    };
    if may_expire(job) {
        return Ok(called_off(job, reason));
    }
    match (&job.stage, by) {
        // Central asked over the link and is answered with a report; an officer is told at once.
        (Stage::Attempting(_), Actor::Central) => Ok(vec![What::CancelRefused]),
        (Stage::Attempting(_), Actor::Officer(_) | Actor::Machine) => Err(Refusal::AlreadySending),
        (
            Stage::Unknown {
                called_off: None, ..
            },
            Actor::Central,
        ) => Ok(vec![What::CalledOff { reason }, restated(job)]),
        (_over, Actor::Central) => Ok(vec![restated(job)]),
        (_over, Actor::Officer(_) | Actor::Machine) => Err(Refusal::NotNow {
            state: job.stage_name(),
        }),
    }
}

/// Calls off a job at the printer to which no byte was sent.
fn call_off(remote: &RemoteJob, reason: Reason) -> What {
    let state = called_off_state(reason);
    withdraw(remote, Afterwards::End { state, reason })
}

fn withdraw(remote: &RemoteJob, then: Afterwards) -> What {
    What::CancellingRemote {
        remote: remote.clone(),
        bytes_left: false,
        then,
        by_printer: false,
    }
}

fn answered(
    desk: &Desk,
    job: JobId,
    seen: Option<u32>,
    answer: Answer,
) -> Result<Vec<What>, Refusal> {
    let job = find(desk, job)?;
    let not_now = Refusal::NotNow {
        state: job.stage_name(),
    };
    let Stage::Unknown {
        reason,
        attempt,
        left,
        called_off,
    } = &job.stage
    else {
        return Err(not_now);
    };
    let attempt = *attempt;
    match seen {
        Some(seen) if seen != attempt => return Err(Refusal::SayWhich { attempt }),
        None if job.answer_count > 0 => return Err(Refusal::SayWhich { attempt }),
        Some(_) | None => {}
    }
    // The first answer is checked at the printer. Where that printer is out of the settings nobody can check it, and an
    // officer who says so again has the last word.
    let is_gone = |left: &Left| !desk.lanes.contains(&left.printer);
    let lets_be =
        *reason == Reason::NoPrinter && job.answer_count > 0 && left.as_ref().is_some_and(is_gone);
    let pages = job.revision.map(|revision| revision.page_count);
    let ended = |state, reason| What::Ended {
        state,
        reason: Some(reason),
        sheet_count: pages,
    };
    Ok(match answer {
        Answer::DidNot if (left.is_none() || lets_be) && called_off.is_some() => {
            called_off.map(called_off_end).into_iter().collect()
        }
        // `Answered` alone brings the job back to its lane; an end stands by itself with its actor.
        Answer::DidNot => vec![What::Answered { answer, lets_be }],
        Answer::CameOut => vec![ended(JobState::Printed, Reason::OfficerSaw)],
        Answer::Damaged => vec![ended(JobState::Failed, Reason::SheetDamaged)],
    })
}

fn observe(desk: &Desk, now: Now, command: Command) -> Result<(JobId, Vec<What>), Refusal> {
    match command {
        Command::Received { job } => {
            let awaited = find(desk, job)?.stage == Stage::Fetching;
            only_if(awaited, job, What::Received)
        }
        Command::FetchFailed { job, reason } => {
            let awaited = find(desk, job)?.stage == Stage::Fetching;
            only_if(awaited, job, end(JobState::Rejected, reason))
        }
        Command::Verified { job, outcome } => Ok((job, verified(desk, find(desk, job)?, outcome)?)),
        Command::Surveyed {
            job,
            printer,
            survey,
        } => Ok((
            job,
            survey::surveyed(desk, now, find(desk, job)?, printer, survey)?,
        )),
        Command::Waits {
            job,
            attempt,
            reason,
        } => Ok((job, pace::waits(now, find(desk, job)?, attempt, reason)?)),
        Command::Created { .. }
        | Command::CreateRefused { .. }
        | Command::CreateUnclear { .. }
        | Command::Prepared { .. }
        | Command::Sent { .. }
        | Command::JobTaken { .. }
        | Command::JobRefused { .. }
        | Command::SendUnclear { .. }
        | Command::SendNotTaken { .. }
        | Command::SendNotDrawn { .. } => steps::of_attempt(desk, now, command),
        Command::CancelTried { job, attempt } => only_if(
            steps::asks_to_cancel(find(desk, job)?, attempt),
            job,
            What::CancelTried,
        ),
        Command::Sighted {
            job,
            attempt,
            sighting,
        } => {
            let found = find(desk, job)?;
            if let Stage::Clearing(clearing) = &found.stage
                && found.attempt_count == attempt
            {
                return Ok((job, clearing::sighted(now, found, clearing, sighting)?));
            }
            let seen = attempt_of(desk, job, attempt)?;
            Ok((job, sighting::sighted(now, found, seen, sighting)?))
        }
        Command::Shredded { job } => {
            let awaited = matches!(find(desk, job)?.stage, Stage::Ended { .. });
            only_if(awaited, job, What::Shredded)
        }
        Command::Resume
        | Command::Tick
        | Command::Accept(_)
        | Command::Restate { .. }
        | Command::Release { .. }
        | Command::Cancel { .. }
        | Command::Answer { .. } => Err(Refusal::Stale),
    }
}

/// The attempt an observation is about, if it is still under way.
fn attempt_of(desk: &Desk, job: JobId, no: u32) -> Result<&Attempt, Refusal> {
    let Stage::Attempting(attempt) = &find(desk, job)?.stage else {
        return Err(Refusal::Stale);
    };
    if attempt.no == no {
        Ok(attempt)
    } else {
        Err(Refusal::Stale)
    }
}

/// An observation counts only while its step waits for it.
fn only_if(awaited: bool, job: JobId, what: What) -> Result<(JobId, Vec<What>), Refusal> {
    if awaited {
        Ok((job, vec![what]))
    } else {
        Err(Refusal::Stale)
    }
}

fn verified(desk: &Desk, job: &Job, outcome: Verification) -> Result<Vec<What>, Refusal> {
    if job.stage != Stage::Received {
        return Err(Refusal::Stale);
    }
    let revision = match outcome {
        Verification::Refused(reason) => return Ok(vec![end(JobState::Rejected, reason)]),
        Verification::Valid(revision) => revision,
    };
    if desk.lane_of(job).is_none() {
        return Ok(vec![end(JobState::Rejected, Reason::NoPrinter)]);
    }
    let next = match job.facts.release {
        Release::Now => What::Released,
        Release::Officer | Release::Code => What::Held,
    };
    Ok(vec![What::Verified { revision }, next])
}
