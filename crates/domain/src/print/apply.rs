//! Folds events: one function a stage, whose last arm names the rest. The same at run time and on recovery.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the last arm of each function names the rest: whatever stands not above it is illegal there"
)]

use std::collections::BTreeSet;

use loket_wire::{JobId, JobState, Reason, Timestamp};

use super::attempt::{
    Attempt, Clearing, Heard, Holds, Left, Phase, PrinterMark, RemoteJob, Step, Withdrawal,
    job_name, parse_job_name,
};
use super::command::Answer;
use super::desk::Desk;
use super::event::{Event, What};
use super::job::{Facts, Job, Origin, Stage};
use crate::core::IllegalEvent;

pub(super) fn apply(desk: &mut Desk, event: &Event) -> Result<(), IllegalEvent> {
    if let What::Accepted { facts } = &event.what {
        return accept(desk, facts, event);
    }
    let Some(job) = desk.jobs.get_mut(&event.job_id) else {
        return Err(IllegalEvent {
            event: event.what.kind(),
            state: "not here",
        });
    };
    // Told again or refused: a report, not a change.
    if matches!(event.what, What::Restated { .. } | What::CancelRefused) {
        return Ok(());
    }
    let stage = next_stage(job, event.at, &event.what).ok_or_else(|| IllegalEvent {
        event: event.what.kind(),
        state: job.stage_name(),
    })?;
    note(job, event.at, &event.what);
    job.stage = stage;
    Ok(())
}

fn next_stage(job: &Job, at: Timestamp, what: &What) -> Option<Stage> {
    match &job.stage {
        Stage::Fetching => fetching(what),
        Stage::Received => received(what),
        Stage::Held => held(what),
        Stage::Released => released(at, what),
        Stage::Clearing(clearing) => clearing_on(job, clearing, at, what),
        Stage::Attempting(attempt) => attempting(attempt, at, what),
        Stage::Unknown {
            reason,
            attempt,
            left,
            called_off,
        } => match what {
            What::Answered {
                answer: Answer::DidNot,
                lets_be,
            } => {
                let left = left.as_ref().filter(|_left| !lets_be);
                let left = left.map(|left| (left, *called_off));
                Some(answered(job.facts.job_id, *attempt, left, at))
            }
            What::CalledOff { reason: why } => Some(Stage::Unknown {
                reason: *reason,
                attempt: *attempt,
                left: left.clone(),
                called_off: Some(*why),
            }),
            rest => ended(rest),
        },
        Stage::Ended { state, reason } => matches!(what, What::Shredded).then_some(Stage::Closed {
            state: *state,
            reason: *reason,
        }),
        Stage::Closed { .. } => None,
    }
}

/// What a job remembers beyond its stage.
fn note(job: &mut Job, at: Timestamp, what: &What) {
    match what {
        What::AttemptFailed => {
            note_unseen(job);
            match &job.stage {
                Stage::Attempting(attempt) if attempt.is_printers_fault() => {
                    job.fault_count = job.fault_count.saturating_add(1);
                    job.faulted_at = Some(at);
                }
                Stage::Attempting(attempt) if !attempt.step.is_before_bytes() => {
                    job.abort_count = job.abort_count.saturating_add(1);
                }
                _crash => {}
            }
        }
        What::Answered { .. } => {
            job.abort_count = 0;
            job.fault_count = 0;
            job.answer_count = job.answer_count.saturating_add(1);
        }
        What::Verified { revision } => job.revision = Some(*revision),
        What::AttemptStarted { no, .. } => job.attempt_count = *no,
        What::ForgottenSeen { no, .. } => {
            job.attempt_count = job.attempt_count.max(*no);
            job.unseen.remove(no);
            job.waits = None;
        }
        What::BecameUnknown { .. } => {
            note_unseen(job);
            job.waits = None;
        }
        What::StrayFound { name, .. } => {
            if let Some((_job, no)) = own_attempt(job.facts.job_id, name) {
                job.attempt_count = job.attempt_count.max(no);
            }
        }
        What::StrayStays => {
            if let Stage::Clearing(clearing) = &job.stage {
                job.let_be.insert(clearing.name.clone());
            }
        }
        What::Waiting { reason } => job.waits = reason.map(|reason| (reason, at)),
        _no_fact => {}
    }
}

/// A document left with its job, or may have, and no job is there: it may be on the line still.
fn note_unseen(job: &mut Job) {
    if let Stage::Attempting(attempt) = &job.stage
        && matches!(attempt.step, Step::Seeking(_))
    {
        job.unseen.insert(attempt.no);
    }
}

fn own_attempt(job: JobId, name: &str) -> Option<(JobId, u32)> {
    parse_job_name(name).filter(|(of, _no)| *of == job)
}

/// Central's word on the last moment stands whatever this machine's clock says. That of a job given by hand is this
/// machine's own, by the clock of that moment: where nobody had confirmed it, or it was put right since, it is none.
fn is_undated(facts: &Facts, accepted: &Event) -> bool {
    match facts.origin {
        Origin::Central { .. } => false,
        Origin::Local { .. } => !accepted.clock_trusted || accepted.at > facts.not_after,
    }
}

fn accept(desk: &mut Desk, facts: &Facts, event: &Event) -> Result<(), IllegalEvent> {
    if desk.jobs.contains_key(&facts.job_id) {
        return Err(IllegalEvent {
            event: "accepted",
            state: "known",
        });
    }
    let stage = match facts.origin {
        Origin::Central { .. } => Stage::Fetching,
        Origin::Local { .. } => Stage::Received,
    };
    let job = Job {
        facts: facts.clone(),
        accepted_no: desk.next_no,
        stage,
        revision: None,
        attempt_count: 0,
        abort_count: 0,
        fault_count: 0,
        faulted_at: None,
        answer_count: 0,
        waits: None,
        let_be: BTreeSet::new(),
        unseen: BTreeSet::new(),
        is_undated: is_undated(facts, event),
    };
    desk.next_no = desk.next_no.saturating_add(1);
    desk.jobs.insert(facts.job_id, job);
    Ok(())
}

fn ended(what: &What) -> Option<Stage> {
    match what {
        What::Ended { state, reason, .. } => Some(Stage::Ended {
            state: *state,
            reason: *reason,
        }),
        _rest => None,
    }
}

fn fetching(what: &What) -> Option<Stage> {
    match what {
        What::Received => Some(Stage::Received),
        rest => ended(rest),
    }
}

fn received(what: &What) -> Option<Stage> {
    match what {
        // Held or Released stands behind it in the same transaction.
        What::Verified { .. } => Some(Stage::Received),
        What::Held => Some(Stage::Held),
        What::Released => Some(Stage::Released),
        rest => ended(rest),
    }
}

fn held(what: &What) -> Option<Stage> {
    match what {
        What::Released => Some(Stage::Released),
        rest => ended(rest),
    }
}

fn released(at: Timestamp, what: &What) -> Option<Stage> {
    match what {
        What::AttemptStarted { no, printer, mark } => Some(Stage::Attempting(Attempt {
            no: *no,
            printer: printer.clone(),
            mark: mark.clone(),
            step: if mark.takes_whole {
                Step::Preparing
            } else {
                Step::Creating
            },
            send_count: 0,
            called_off: None,
            marked_at: at,
            since: at,
            is_faulted: false,
        })),
        What::StrayFound {
            printer,
            name,
            remote,
            holds,
            mark,
        } => Some(Stage::Clearing(Clearing {
            printer: printer.clone(),
            name: name.clone(),
            withdrawal: Withdrawal::new(remote.clone()),
            holds: *holds,
            mark: mark.clone(),
            marked_at: at,
            called_off: None,
            since: at,
        })),
        What::ForgottenSeen {
            no,
            printer,
            mark,
            left,
        } => Some(Stage::Unknown {
            reason: Reason::FateNotSeen,
            attempt: *no,
            left: stands(printer, mark, at, left.as_ref()),
            called_off: None,
        }),
        What::Waiting { .. } => Some(Stage::Released),
        rest => ended(rest),
    }
}

fn stands(
    printer: &str,
    mark: &PrinterMark,
    marked_at: Timestamp,
    left: Option<&RemoteJob>,
) -> Option<Left> {
    left.map(|remote| Left {
        printer: printer.to_owned(),
        remote: remote.clone(),
        mark: mark.clone(),
        marked_at,
    })
}

/// That none came out allows another attempt once the old job can print no more.
fn answered(
    job: JobId,
    attempt: u32,
    left: Option<(&Left, Option<Reason>)>,
    at: Timestamp,
) -> Stage {
    let Some((left, called_off)) = left else {
        return Stage::Released;
    };
    Stage::Clearing(Clearing {
        printer: left.printer.clone(),
        name: job_name(job, attempt),
        withdrawal: Withdrawal::new(left.remote.clone()),
        holds: Holds::Answered,
        mark: left.mark.clone(),
        marked_at: left.marked_at,
        called_off,
        since: at,
    })
}

fn clearing_on(job: &Job, clearing: &Clearing, at: Timestamp, what: &What) -> Option<Stage> {
    let next = clearing.clone();
    match what {
        What::StrayCleared => Some(Stage::Released),
        What::StrayStays if clearing.holds == Holds::Nothing => Some(Stage::Released),
        What::CalledOff { reason } => Some(Stage::Clearing(Clearing {
            called_off: Some(*reason),
            ..next
        })),
        What::Waiting { .. } => Some(Stage::Clearing(next)),
        What::BecameUnknown { reason, left } => {
            let (printer, mark) = (&clearing.printer, &clearing.mark);
            let own = own_attempt(job.facts.job_id, &clearing.name);
            Some(Stage::Unknown {
                reason: *reason,
                attempt: own.map_or(job.attempt_count, |(_job, no)| no),
                left: stands(printer, mark, clearing.marked_at, left.as_ref()),
                called_off: clearing.called_off,
            })
        }
        step => match withdrawn(&clearing.withdrawal, step) {
            Some(withdrawal) => Some(Stage::Clearing(Clearing {
                withdrawal,
                since: at,
                ..next
            })),
            None => ended(step),
        },
    }
}

fn withdrawn(withdrawal: &Withdrawal, what: &What) -> Option<Withdrawal> {
    let (phase, asks) = match (withdrawal.phase, what) {
        (Phase::Look | Phase::Follow, What::CancelDue) => (Phase::Ask, 0),
        (Phase::Ask, What::CancelTried) => (Phase::Follow, 1),
        (_phase, _rest) => return None,
    };
    Some(Withdrawal {
        phase,
        ask_count: withdrawal.ask_count.saturating_add(asks),
        ..withdrawal.clone()
    })
}

/// Events that any step of an attempt may end with, and those of its own step.
fn attempting(attempt: &Attempt, at: Timestamp, what: &What) -> Option<Stage> {
    let next = attempt.clone();
    match what {
        What::AttemptFailed => Some(Stage::Released),
        What::BecameUnknown { reason, left } => Some(Stage::Unknown {
            reason: *reason,
            attempt: attempt.no,
            left: stands(
                &attempt.printer,
                &attempt.mark,
                attempt.marked_at,
                left.as_ref(),
            ),
            called_off: attempt.called_off,
        }),
        What::Ended { state, .. } if may_end(&attempt.step, *state) => ended(what),
        What::CalledOff { reason } if attempt.step.is_before_bytes() => {
            Some(Stage::Attempting(Attempt {
                called_off: Some(*reason),
                ..next
            }))
        }
        What::Waiting { .. } => Some(Stage::Attempting(next)),
        What::CancellingRemote {
            remote,
            bytes_left,
            then,
            by_printer,
        } => Some(Stage::Attempting(Attempt {
            step: Step::Cancelling {
                withdrawal: Withdrawal::new(remote.clone()),
                bytes_left: *bytes_left,
                then: *then,
            },
            since: at,
            is_faulted: *by_printer || attempt.is_faulted,
            ..next
        })),
        step => Some(Stage::Attempting(Attempt {
            step: next_step(&attempt.step, step)?,
            send_count: attempt
                .send_count
                .saturating_add(u32::from(*step == What::SendingBegan)),
            is_faulted: match step {
                What::CreationUnclear { by_printer } => *by_printer,
                What::CancelDue | What::CancelTried => attempt.is_faulted,
                _rest => false,
            },
            since: at,
            ..next
        })),
    }
}

fn next_step(step: &Step, what: &What) -> Option<Step> {
    match (step, what) {
        (Step::Creating | Step::Locating, What::RemoteCreated { remote }) => {
            Some(Step::Created(remote.clone()))
        }
        (Step::Creating, What::CreationUnclear { .. }) => Some(Step::Locating),
        (Step::Preparing, What::CheckingRemote) => Some(Step::Seeking(Heard::Unsent)),
        (Step::Preparing | Step::Seeking(Heard::Unsent), What::SendingBegan) => {
            Some(Step::SendingWhole)
        }
        (Step::SendingWhole, What::SendingUnclear) => Some(Step::Seeking(Heard::Nothing)),
        (Step::SendingWhole, What::JobRefused { is_for_good: false }) => {
            Some(Step::Seeking(Heard::NotNow))
        }
        (Step::SendingWhole, What::JobRefused { is_for_good: true }) => {
            Some(Step::Seeking(Heard::Never))
        }
        // Its document is there, or on the way: what becomes of it is seen.
        (Step::SendingWhole | Step::Seeking(_), What::RemoteCreated { remote }) => {
            Some(Step::Probing(remote.clone()))
        }
        (Step::Created(remote), What::CheckingRemote) => Some(Step::Checking(remote.clone())),
        (Step::Checking(remote), What::RemoteConfirmed) => Some(Step::Created(remote.clone())),
        (Step::Created(remote) | Step::Probing(remote), What::SendingBegan) => {
            Some(Step::Sending(remote.clone()))
        }
        (Step::Sending(remote), What::SendingUnclear) => Some(Step::Probing(remote.clone())),
        (Step::Sending(remote) | Step::Probing(remote), What::Sent) => {
            Some(Step::Sent(remote.clone()))
        }
        (
            Step::Cancelling {
                withdrawal,
                bytes_left,
                then,
            },
            rest,
        ) => withdrawn(withdrawal, rest).map(|withdrawal| Step::Cancelling {
            withdrawal,
            bytes_left: *bytes_left,
            then: *then,
        }),
        (_step, _rest) => None,
    }
}

/// `Printed` needs a document that was sent; the other ends need that none was, or that it certainly did not print.
const fn may_end(step: &Step, state: JobState) -> bool {
    match state {
        JobState::Printed => !step.is_before_bytes(),
        JobState::Failed | JobState::Cancelled | JobState::Expired => true,
        JobState::Created
        | JobState::Offered
        | JobState::Fetching
        | JobState::Journalled
        | JobState::Held
        | JobState::Printing
        | JobState::Rejected
        | JobState::Unknown => false,
    }
}
