//! A job whose machine lost its journal or came back with an older one: what is asked, and what an answer is worth.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own helpers fail like the test"
)]

use loket_domain::dispatch::{
    ASK_AGAIN_FIRST, ASK_AGAIN_MAX, Answer, Change, EndedBy, Input, Job, MachineCopy, Place,
    Refusal, apply, decide,
};
use loket_wire::{Epoch, JobId, JobReport, JobState, Reason, Timestamp};

const LOST: (JobState, Option<Reason>) = (JobState::Unknown, Some(Reason::JournalLost));

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000)
}

fn feed(job: &mut Job, input: Input<'_>) -> Vec<Change> {
    let changes = decide(job, at(100), input).unwrap();
    for change in &changes {
        apply(job, at(100), change);
    }
    changes
}

fn report_in(job: &mut Job, generation: u64, seq: u64, state: JobState, reason: Option<Reason>) {
    let report = JobReport {
        job_id: job.id,
        state,
        reason,
        attempt: None,
        sheet_count: None,
        actor: None,
        local: None,
        at: at(0),
        clock_trusted: false,
    };
    let place = Place { generation, seq };
    feed(
        job,
        Input::Reported {
            place,
            report: &report,
        },
    );
}

/// A job that was held in the first life of its machine's journal, which is then set back.
fn lost() -> Job {
    let id = JobId::from_parts(1, [1; 10]);
    let mut job = Job::created(id, "desa-1".parse().unwrap(), at(100_000), at(0));
    let epoch = Epoch::from_bytes([1; 16]);
    feed(
        &mut job,
        Input::Offer {
            epoch,
            command_seq: 1,
        },
    );
    report_in(&mut job, 1, 1, JobState::Held, None);
    feed(&mut job, Input::JournalLost);
    assert_eq!(told(&job), LOST);
    job
}

/// The same, and the machine lists its copy.
fn held_there() -> Job {
    let mut job = lost();
    feed(&mut job, listed(JobState::Held));
    feed(&mut job, Input::CancelAgain { command_seq: 2 });
    job
}

fn listed(state: JobState) -> Input<'static> {
    Input::Listed {
        place: Place {
            generation: 2,
            seq: 1,
        },
        state,
        is_settled: true,
    }
}

fn unlisted() -> Input<'static> {
    Input::Unlisted {
        is_settled: true,
        asked_at: Some(at(3_600)),
    }
}

fn told(job: &Job) -> (JobState, Option<Reason>) {
    (job.state, job.reason)
}

fn none(job: &Job) -> Result<Vec<Change>, Refusal> {
    decide(job, at(100), Input::Answered(Answer::FoundNone))
}

fn is_taken(job: &Job) -> bool {
    none(job).is_ok()
}

#[test]
fn none_is_taken_only_once_the_machine_called_its_copy_off() {
    let mut job = lost();
    assert_eq!(none(&job), Err(Refusal::MachineUnheard));
    feed(&mut job, listed(JobState::Held));
    assert_eq!(none(&job), Err(Refusal::CopyHeld));
    assert!(job.is_to_be_asked());
    feed(&mut job, Input::CancelAgain { command_seq: 2 });
    report_in(&mut job, 2, 2, JobState::Held, None);
    assert_eq!((told(&job), none(&job)), (LOST, Err(Refusal::CopyHeld)));
    report_in(&mut job, 2, 3, JobState::Cancelled, Some(Reason::ByCentral));
    assert_eq!(told(&job), LOST, "that says nothing of an earlier sheet");
    assert!(!job.is_to_be_asked() && !job.cancel_asked);
    // The question was asked twice, and so it is answered twice.
    report_in(&mut job, 2, 4, JobState::Cancelled, Some(Reason::ByCentral));
    assert_eq!(told(&job), LOST);
    feed(&mut job, Input::Answered(Answer::FoundNone));
    assert_eq!(
        (told(&job), job.ended_by),
        (
            (JobState::Failed, Some(Reason::OfficerFoundNone)),
            Some(EndedBy::Person)
        )
    );
}

#[test]
fn a_machine_that_is_sending_must_say_how_that_ended() {
    let mut sending = held_there();
    let refused = Some(Reason::AlreadySending);
    report_in(&mut sending, 2, 2, JobState::Printing, refused);
    assert_eq!(none(&sending), Err(Refusal::CopyHeld));
    assert!(!sending.cancel_asked, "it answered");
    assert!(sending.is_to_be_asked(), "and may begin another attempt");
    let mut printed = sending.clone();
    report_in(&mut printed, 2, 3, JobState::Printed, None);
    assert_eq!(told(&printed), (JobState::Printed, None));
    let mut failed = sending.clone();
    let why = Some(Reason::AttemptsExhausted);
    report_in(&mut failed, 2, 3, JobState::Failed, why);
    assert!(is_taken(&failed) && told(&failed) == LOST);
    // Where the machine does not know either, its own officer is asked, and nobody at central.
    let mut unknown = sending;
    let why = Some(Reason::PrinterForgot);
    report_in(&mut unknown, 2, 3, JobState::Unknown, why);
    let state = JobState::Unknown;
    assert_eq!(none(&unknown), Err(Refusal::NotLost { state }));
    assert!(!unknown.is_to_be_asked());
}

#[test]
fn a_sheet_may_be_seen_at_any_time_and_the_copy_is_called_off_all_the_same() {
    let mut heard_nothing = lost();
    feed(&mut heard_nothing, Input::Answered(Answer::Printed));
    assert_eq!(heard_nothing.state, JobState::Printed);
    let mut job = held_there();
    feed(&mut job, Input::Answered(Answer::Printed));
    assert_eq!(job.state, JobState::Printed);
    assert!(job.is_to_be_asked(), "it would make a second sheet");
    report_in(&mut job, 2, 2, JobState::Printing, None);
    report_in(&mut job, 2, 3, JobState::Cancelled, Some(Reason::ByCentral));
    assert_eq!(
        told(&job),
        (JobState::Printed, Some(Reason::OfficerSaw)),
        "the copy's end calls no sheet back"
    );
    assert!(!job.is_to_be_asked());
}

#[test]
fn a_sheet_that_comes_to_light_wins_over_a_person_who_found_none() {
    let mut job = lost();
    feed(&mut job, unlisted());
    feed(&mut job, Input::Answered(Answer::FoundNone));
    for (seq, state) in [(2, JobState::Held), (3, JobState::Cancelled)] {
        report_in(&mut job, 2, seq, state, None);
        assert_eq!(job.state, JobState::Failed);
    }
    report_in(&mut job, 1, 2, JobState::Printed, None);
    assert_eq!(
        (job.state, job.ended_by),
        (JobState::Printed, Some(EndedBy::Machine))
    );
}

#[test]
fn a_machine_that_holds_no_copy_needs_no_question() {
    let mut job = lost();
    let unasked = Input::Unlisted {
        is_settled: true,
        asked_at: None,
    };
    let kept = decide(&job, at(100), unasked);
    assert_eq!(kept, Err(Refusal::Unproven), "it may be an older list");
    let unsettled = Input::Unlisted {
        is_settled: false,
        asked_at: Some(at(3_600)),
    };
    let kept = decide(&job, at(3_700), unsettled);
    assert_eq!(kept, Err(Refusal::Unsettled), "asked again once they came");
    assert_eq!(none(&job), Err(Refusal::MachineUnheard));
    assert!(job.is_to_be_asked());
    assert_eq!(feed(&mut job, unlisted()), [Change::CopyGone]);
    assert!(is_taken(&job) && !job.is_to_be_asked());
}

#[test]
fn what_the_machine_said_of_a_copy_ends_with_the_life_of_its_journal() {
    let mut job = lost();
    feed(&mut job, unlisted());
    assert_eq!(feed(&mut job, Input::JournalLost), [Change::Lost]);
    assert_eq!(none(&job), Err(Refusal::MachineUnheard));
    // Set back to where it held the job, after all was said and done.
    feed(&mut job, unlisted());
    feed(&mut job, Input::Answered(Answer::FoundNone));
    feed(&mut job, listed(JobState::Held));
    assert_eq!(job.copy, Some(MachineCopy::Held));
    assert!(job.is_to_be_asked() && job.state == JobState::Failed);
    feed(&mut job, unlisted());
    assert!(!job.is_to_be_asked());
}

#[test]
fn a_machine_out_of_service_prints_nothing_until_it_is_heard_again() {
    for mut job in [lost(), held_there()] {
        assert_eq!(feed(&mut job, Input::WrittenOff), [Change::WrittenOff]);
        assert!(is_taken(&job));
        assert!(feed(&mut job, Input::WrittenOff).is_empty());
        feed(&mut job, listed(JobState::Held));
        assert_eq!(none(&job), Err(Refusal::CopyHeld), "it came back");
    }
    // A job that its machine held when it broke, and of which nobody knew that anything was lost.
    let id = JobId::from_parts(1, [1; 10]);
    let mut held = Job::created(id, "desa-1".parse().unwrap(), at(100_000), at(0));
    assert!(feed(&mut held, Input::WrittenOff).is_empty(), "never sent");
    report_in(&mut held, 1, 1, JobState::Held, None);
    feed(&mut held, Input::WrittenOff);
    assert!(told(&held) == LOST && is_taken(&held));
    // The same life of its journal: what it says is no copy's word.
    report_in(&mut held, 1, 2, JobState::Printing, None);
    assert_eq!(told(&held), (JobState::Printing, None));
}

#[test]
fn the_question_is_asked_again_after_a_minute_then_doubling_up_to_an_hour() {
    let mut job = held_there();
    let mut waits = Vec::new();
    for command_seq in 3..12 {
        waits.push(job.next_ask_at.since(at(100)));
        feed(&mut job, Input::CancelAgain { command_seq });
    }
    assert_eq!(waits.first(), Some(&ASK_AGAIN_FIRST));
    assert_eq!(waits.get(1), Some(&(2 * ASK_AGAIN_FIRST)));
    assert_eq!(waits.last(), Some(&ASK_AGAIN_MAX));
}

#[test]
fn no_document_of_a_lost_job_or_of_one_that_is_over_is_served() {
    let id = JobId::from_parts(1, [1; 10]);
    let mut job = Job::created(id, "desa-1".parse().unwrap(), at(100_000), at(0));
    let asked = feed(&mut job, Input::DocumentAsked);
    assert_eq!(asked, [Change::DocumentAsked]);
    report_in(&mut job, 1, 1, JobState::Held, None);
    assert!(feed(&mut job, Input::DocumentAsked).is_empty());
    report_in(&mut job, 1, 2, JobState::Printed, None);
    for job in [lost(), job] {
        let state = job.state;
        let asked = decide(&job, at(100), Input::DocumentAsked);
        assert_eq!(asked, Err(Refusal::NotServed { state }));
    }
}
