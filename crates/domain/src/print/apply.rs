//! Folds events: one function a stage, whose last arm names the rest. The same at run time and on recovery.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the last arm of each function names the rest: whatever stands not above it is illegal there"
)]

use loket_wire::JobState;

use super::attempt::{Attempt, Step};
use super::command::Answer;
use super::desk::Desk;
use super::event::{Event, What};
use super::job::{Facts, Job, Origin, Stage};
use crate::core::IllegalEvent;

pub(super) fn apply(desk: &mut Desk, event: &Event) -> Result<(), IllegalEvent> {
    if let What::Accepted { facts } = &event.what {
        return accept(desk, facts);
    }
    let Some(job) = desk.jobs.get_mut(&event.job_id) else {
        return Err(IllegalEvent {
            event: event.what.kind(),
            state: "not here",
        });
    };
    let illegal = || IllegalEvent {
        event: event.what.kind(),
        state: job.stage_name(),
    };
    // Told again or refused: a report, not a change.
    if matches!(event.what, What::Restated { .. } | What::CancelRefused) {
        return Ok(());
    }
    let next = match &job.stage {
        Stage::Fetching => fetching(&event.what),
        Stage::Received => received(&event.what),
        Stage::Held => held(&event.what),
        Stage::Released => released(&event.what),
        Stage::Attempting(attempt) => attempting(attempt, &event.what),
        Stage::Unknown { reason, attempt } => match (&event.what, reason, attempt) {
            (
                What::Answered {
                    answer: Answer::DidNot,
                },
                _,
                _,
            ) => Some(Stage::Released),
            (What::Ended { state, reason, .. }, _, _) => Some(Stage::Ended {
                state: *state,
                reason: *reason,
            }),
            (_rest, _, _) => None,
        },
        Stage::Ended { state, reason } => {
            matches!(event.what, What::Shredded).then_some(Stage::Closed {
                state: *state,
                reason: *reason,
            })
        }
        Stage::Closed { .. } => None,
    };
    let stage = next.ok_or_else(illegal)?;
    let had_bytes = matches!(&job.stage, Stage::Attempting(at) if !at.step.is_before_bytes());
    match &event.what {
        What::AttemptFailed if had_bytes => job.abort_count = job.abort_count.saturating_add(1),
        What::Answered { .. } => job.abort_count = 0,
        What::Verified { revision } => job.revision = Some(*revision),
        What::AttemptStarted { no, .. } => job.attempt_count = *no,
        _no_fact => {}
    }
    job.stage = stage;
    Ok(())
}

fn accept(desk: &mut Desk, facts: &Facts) -> Result<(), IllegalEvent> {
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

fn released(what: &What) -> Option<Stage> {
    match what {
        What::AttemptStarted { no, printer, mark } => Some(Stage::Attempting(Attempt {
            no: *no,
            printer: printer.clone(),
            mark: mark.clone(),
            step: Step::Creating,
            send_count: 0,
            called_off: None,
        })),
        rest => ended(rest),
    }
}

/// Events that any step of an attempt may end with, and those of its own step.
fn attempting(attempt: &Attempt, what: &What) -> Option<Stage> {
    match what {
        What::AttemptFailed => return Some(Stage::Released),
        What::BecameUnknown { reason } => {
            return Some(Stage::Unknown {
                reason: *reason,
                attempt: attempt.no,
            });
        }
        What::Ended { state, .. } if may_end(&attempt.step, *state) => return ended(what),
        What::CalledOff { reason } if attempt.step.is_before_bytes() => {
            let called_off = Some(*reason);
            return Some(Stage::Attempting(Attempt {
                called_off,
                ..attempt.clone()
            }));
        }
        What::CancellingRemote {
            remote,
            bytes_left,
            then,
        } => {
            let step = Step::Cancelling {
                remote: remote.clone(),
                bytes_left: *bytes_left,
                then: *then,
            };
            return Some(Stage::Attempting(Attempt {
                step,
                ..attempt.clone()
            }));
        }
        _step_event => {}
    }
    let step = next_step(&attempt.step, what)?;
    let sends = u32::from(*what == What::SendingBegan);
    Some(Stage::Attempting(Attempt {
        step,
        send_count: attempt.send_count.saturating_add(sends),
        ..attempt.clone()
    }))
}

fn next_step(step: &Step, what: &What) -> Option<Step> {
    match (step, what) {
        (Step::Creating | Step::Locating, What::RemoteCreated { remote }) => {
            Some(Step::Created(remote.clone()))
        }
        (Step::Creating, What::CreationUnclear) => Some(Step::Locating),
        (Step::Created(remote) | Step::Probing(remote), What::SendingBegan) => {
            Some(Step::Sending(remote.clone()))
        }
        (Step::Sending(remote), What::SendingUnclear) => Some(Step::Probing(remote.clone())),
        (Step::Sending(remote) | Step::Probing(remote), What::Sent) => {
            Some(Step::Sent(remote.clone()))
        }
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
