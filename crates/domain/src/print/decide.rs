//! What a command means in the present state. Decisions about paper stand in `sighting`.

mod sighting;

use loket_wire::{JobId, JobState, Reason, Release};

use super::attempt::{Afterwards, Attempt, RemoteJob, Step};
use super::command::{Answer, Command, Intake, PrinterSurvey, Refusal, Verification};
use super::desk::Desk;
use super::event::{Actor, EVENT_VERSION, Event, What};
use super::job::{Facts, Job, Origin, Stage};
use crate::core::Now;

/// Times a printer may abort a job unprinted before a person must look: a fault that comes five times running will
/// not be mended by a sixth attempt. Attempts that never reached the printer do not count: a crash is no fault of it.
const MAX_ABORTS: u32 = 5;

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
        Command::Cancel { job, by } => (job, by.clone(), cancel(desk, job, &by)?),
        Command::Answer { job, answer, by } => (job, by, answered(desk, job, answer)?),
        observed => {
            let (job, whats) = observe(desk, now, observed)?;
            (job, Actor::Machine, whats)
        }
    };
    Ok(stamp(now, job_id, &actor, whats))
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

fn end(state: JobState, reason: Reason) -> What {
    What::Ended {
        state,
        reason: Some(reason),
        sheet_count: None,
    }
}

/// Whatever was awaited when the program stopped is lost: the printer must be asked.
fn resume(desk: &Desk, now: Now) -> Vec<Event> {
    let lost = |job: &Job| {
        let Stage::Attempting(attempt) = &job.stage else {
            return None;
        };
        match &attempt.step {
            Step::Creating => Some(What::CreationUnclear),
            Step::Sending(_) => Some(What::SendingUnclear),
            Step::Locating
            | Step::Created(_)
            | Step::Probing(_)
            | Step::Sent(_)
            | Step::Cancelling { .. } => None,
        }
    };
    let found = desk
        .jobs
        .values()
        .filter_map(|job| Some((job.facts.job_id, lost(job)?)));
    found
        .flat_map(|(id, what)| stamp(now, id, &Actor::Machine, vec![what]))
        .collect()
}

/// Whether time alone can end the job.
pub(super) const fn may_expire(job: &Job) -> bool {
    matches!(
        job.stage,
        Stage::Fetching | Stage::Received | Stage::Held | Stage::Released
    )
}

fn tick(desk: &Desk, now: Now) -> Vec<Event> {
    let ended = |job: &Job| {
        let what = if may_expire(job) && now.is_past(job.facts.not_after) {
            end(JobState::Expired, Reason::NotAfter)
        } else if is_stranded(desk, job) {
            end(JobState::Failed, Reason::NoPrinter)
        } else {
            return None;
        };
        Some(stamp(now, job.facts.job_id, &Actor::Machine, vec![what]))
    };
    desk.jobs.values().filter_map(ended).flatten().collect()
}

/// Whether a person gave the job a printer by its address that no setting names: nothing will serve its lane again
/// once the command that brought the printer has ended.
fn is_stranded(desk: &Desk, job: &Job) -> bool {
    let is_local = matches!(job.facts.origin, Origin::Local { .. });
    is_local && job.stage == Stage::Released && desk.lane_of(job).is_none()
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
    let mut whats = Vec::new();
    let actor = facts.origin.actor();
    let verdict = bad.or_else(|| now.is_past(facts.not_after).then_some(Reason::NotAfter));
    whats.push(What::Accepted { facts });
    match verdict {
        Some(Reason::NotAfter) => whats.push(end(JobState::Expired, Reason::NotAfter)),
        Some(reason) => whats.push(end(JobState::Rejected, reason)),
        None => {}
    }
    Ok(stamp(now, job_id, &actor, whats))
}

const fn restated(job: &Job) -> What {
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
        Stage::Held if now.is_past(job.facts.not_after) => Err(Refusal::PastNotAfter),
        Stage::Held => Ok(vec![What::Released]),
        // A second tap of the same button is no error.
        Stage::Released | Stage::Attempting(_) => Ok(Vec::new()),
        Stage::Fetching
        | Stage::Received
        | Stage::Unknown { .. }
        | Stage::Ended { .. }
        | Stage::Closed { .. } => Err(Refusal::NotNow {
            state: job.stage_name(),
        }),
    }
}

fn cancel(desk: &Desk, job: JobId, by: &Actor) -> Result<Vec<What>, Refusal> {
    let job = find(desk, job)?;
    let reason = match by {
        Actor::Central => Reason::ByCentral,
        Actor::Officer(_) | Actor::Machine => Reason::ByOfficer,
    };
    match &job.stage {
        Stage::Fetching | Stage::Received | Stage::Held | Stage::Released => {
            Ok(vec![end(JobState::Cancelled, reason)])
        }
        Stage::Attempting(attempt) if attempt.step.is_before_bytes() => match &attempt.step {
            Step::Created(remote) => Ok(vec![call_off(remote, reason)]),
            Step::Creating | Step::Locating | Step::Cancelling { .. }
                if attempt.called_off.is_none() =>
            {
                Ok(vec![What::CalledOff { reason }])
            }
            Step::Creating
            | Step::Locating
            | Step::Sending(_)
            | Step::Probing(_)
            | Step::Sent(_)
            | Step::Cancelling { .. } => Ok(Vec::new()),
        },
        // Central asked over the link and is answered with a report; an officer is told at once.
        Stage::Attempting(_) => match by {
            Actor::Central => Ok(vec![What::CancelRefused]),
            Actor::Officer(_) | Actor::Machine => Err(Refusal::AlreadySending),
        },
        Stage::Unknown { .. } | Stage::Ended { .. } | Stage::Closed { .. } => match by {
            Actor::Central => Ok(vec![restated(job)]),
            Actor::Officer(_) | Actor::Machine => Err(Refusal::NotNow {
                state: job.stage_name(),
            }),
        },
    }
}

fn call_off(remote: &RemoteJob, reason: Reason) -> What {
    let then = Afterwards::End {
        state: JobState::Cancelled,
        reason,
    };
    What::CancellingRemote {
        remote: remote.clone(),
        bytes_left: false,
        then,
    }
}

fn answered(desk: &Desk, job: JobId, answer: Answer) -> Result<Vec<What>, Refusal> {
    let job = find(desk, job)?;
    let Stage::Unknown { .. } = job.stage else {
        return Err(Refusal::NotNow {
            state: job.stage_name(),
        });
    };
    let pages = job.revision.map(|revision| revision.page_count);
    let ended = |state, reason| What::Ended {
        state,
        reason: Some(reason),
        sheet_count: pages,
    };
    Ok(match answer {
        // `Answered` alone brings the job back to its lane; an end stands by itself with its actor.
        Answer::DidNot => vec![What::Answered { answer }],
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
        } => Ok((job, surveyed(desk, now, find(desk, job)?, printer, survey)?)),
        Command::Created {
            job,
            attempt,
            remote,
        } => Ok((job, created(attempt_of(desk, job, attempt)?, remote)?)),
        Command::CreateRefused { job, attempt } => {
            let awaited = matches!(attempt_of(desk, job, attempt)?.step, Step::Creating);
            only_if(awaited, job, end(JobState::Failed, Reason::PrinterRefused))
        }
        Command::CreateUnclear { job, attempt } => {
            let awaited = matches!(attempt_of(desk, job, attempt)?.step, Step::Creating);
            only_if(awaited, job, What::CreationUnclear)
        }
        Command::Prepared {
            job,
            attempt,
            opened,
        } => {
            let seen = attempt_of(desk, job, attempt)?;
            Ok((job, prepared(find(desk, job)?, seen, opened)?))
        }
        Command::Sent { job, attempt } => {
            let awaited = matches!(attempt_of(desk, job, attempt)?.step, Step::Sending(_));
            only_if(awaited, job, What::Sent)
        }
        Command::SendUnclear { job, attempt } => {
            let awaited = matches!(attempt_of(desk, job, attempt)?.step, Step::Sending(_));
            only_if(awaited, job, What::SendingUnclear)
        }
        Command::Sighted {
            job,
            attempt,
            sighting,
        } => {
            let seen = attempt_of(desk, job, attempt)?;
            Ok((job, sighting::sighted(find(desk, job)?, seen, sighting)?))
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

fn surveyed(
    desk: &Desk,
    now: Now,
    job: &Job,
    printer: String,
    survey: PrinterSurvey,
) -> Result<Vec<What>, Refusal> {
    if job.stage != Stage::Released
        || !desk.is_next_in_lane(job)
        || desk.lane_of(job) != Some(printer.as_str())
    {
        return Err(Refusal::Stale);
    }
    if now.is_past(job.facts.not_after) {
        return Ok(vec![end(JobState::Expired, Reason::NotAfter)]);
    }
    if job.abort_count >= MAX_ABORTS {
        return Ok(vec![end(JobState::Failed, Reason::AttemptsExhausted)]);
    }
    Ok(match survey {
        PrinterSurvey::FormatUnsupported => vec![end(JobState::Failed, Reason::FormatUnsupported)],
        PrinterSurvey::OperationsMissing => vec![end(JobState::Failed, Reason::PrinterRefused)],
        PrinterSurvey::Ready(mark) => {
            vec![What::AttemptStarted {
                no: job.attempt_count.saturating_add(1),
                printer,
                mark,
            }]
        }
    })
}

fn created(attempt: &Attempt, remote: RemoteJob) -> Result<Vec<What>, Refusal> {
    if attempt.step != Step::Creating {
        return Err(Refusal::Stale);
    }
    Ok(vec![match attempt.called_off {
        None => What::RemoteCreated { remote },
        Some(reason) => call_off(&remote, reason),
    }])
}

fn prepared(
    job: &Job,
    attempt: &Attempt,
    opened: Option<loket_wire::Sha256Digest>,
) -> Result<Vec<What>, Refusal> {
    let Step::Created(remote) = &attempt.step else {
        return Err(Refusal::Stale);
    };
    let expected = job.revision.map(|revision| revision.sha256);
    if opened.is_some() && opened == expected {
        return Ok(vec![What::SendingBegan]);
    }
    let then = Afterwards::End {
        state: JobState::Failed,
        reason: Reason::SpoolLost,
    };
    Ok(vec![What::CancellingRemote {
        remote: remote.clone(),
        bytes_left: false,
        then,
    }])
}
