//! Jobs of ours at the printer that no attempt owns: empty ones, and those of a journal that was set back.

use super::*;
use crate::print::Answer;
use RemoteState::{
    Aborted, AwaitingDocument, Canceled, Completed, Held, Pending, Processing, Stopped,
};

/// A job of ours in the printer's list.
fn listed(job: u8, attempt: u32, state: RemoteState, impressions: Option<u32>) -> RemoteView {
    RemoteView {
        name: Some(job_name(job_no(job), attempt)),
        ..view(state, impressions)
    }
}

/// A released job whose printer lists these.
fn before(jobs: Vec<RemoteView>) -> Bench {
    let mut bench = Bench::new().at("released");
    bench.jobs = jobs;
    bench
}

/// The stray is looked at: seen so.
fn look(bench: &mut Bench, seen: RemoteView) -> String {
    bench.give(Command::Sighted {
        job: job_no(1),
        attempt: bench.job().attempt_count,
        sighting: Sighting::Seen(seen),
    })
}

fn tried(bench: &mut Bench) -> String {
    bench.give(Command::CancelTried {
        job: job_no(1),
        attempt: bench.job().attempt_count,
    })
}

#[test]
fn an_empty_job_that_no_attempt_owns_is_called_off_before_the_next_attempt() {
    for (job, attempt) in [(9, 1), (9, 7), (1, 1), (1, 3)] {
        let stray = listed(job, attempt, AwaitingDocument, Some(0));
        let mut bench = before(vec![stray.clone()]);
        assert_eq!(bench.survey(), "stray-found");
        assert_eq!(bench.effects(), "withdraw", "looked at first");
        assert_eq!(look(&mut bench, stray), "cancel-due");
        assert_eq!(bench.effects(), "cancel");
        assert_eq!(tried(&mut bench), "cancel-tried");
        assert_eq!(bench.effects(), "follow");
        let gone = listed(job, attempt, Canceled, Some(0));
        assert_eq!(look(&mut bench, gone.clone()), "stray-cleared");
        bench.jobs = vec![gone];
        assert_eq!(bench.survey(), "attempt-started");
        let own = if job == 1 { attempt } else { 0 };
        assert_eq!(bench.attempt().no, own + 1, "under a name of its own");
    }
}

#[test]
fn a_number_that_means_another_job_by_now_is_not_called_off() {
    let mut bench = before(vec![listed(9, 1, AwaitingDocument, Some(0))]);
    assert_eq!(bench.survey(), "stray-found");
    let other = RemoteView {
        name: Some("minutes.pdf".to_owned()),
        uuid: Some("urn:uuid:other".to_owned()),
        ..view(AwaitingDocument, Some(0))
    };
    assert_eq!(look(&mut bench, other), "stray-cleared");
}

#[test]
fn what_an_attempt_owns_or_somebody_else_made_is_let_be() {
    let others = [
        RemoteView {
            name: Some("minutes.pdf".to_owned()),
            ..view(AwaitingDocument, None)
        },
        RemoteView {
            name: Some("loket:nothing:1".to_owned()),
            ..view(AwaitingDocument, None)
        },
        listed(9, 1, Processing, Some(0)),
        listed(9, 1, Completed, Some(1)),
    ];
    for other in others {
        let mut bench = before(vec![other.clone()]);
        assert_eq!(bench.survey(), "attempt-started", "{other:?}");
    }
    // Another lane may be the same printer.
    let mut bench = Bench::new().at("released");
    let mut second = facts(job_no(2));
    second.printer = Some("b".to_owned());
    bench.accept(second);
    bench.give(Command::Received { job: job_no(2) });
    let outcome = Verification::Valid(revision());
    bench.give(Command::Verified {
        job: job_no(2),
        outcome,
    });
    let started = bench.give(Command::Surveyed {
        job: job_no(2),
        printer: "b".to_owned(),
        survey: ready(mark()),
    });
    assert_eq!(started, "attempt-started");
    bench.jobs = vec![listed(2, 1, AwaitingDocument, Some(0))];
    assert_eq!(bench.survey(), "attempt-started");
}

#[test]
fn an_attempt_that_the_journal_forgot_and_that_may_have_printed_is_asked_of_the_officer() {
    for (state, impressions) in [
        (Processing, None),
        (Stopped, Some(0)),
        (Completed, None),
        (Completed, Some(PAGES)),
        (Aborted, Some(1)),
        (Aborted, Some(0)),
        (Canceled, None),
        (AwaitingDocument, Some(1)),
    ] {
        let mut bench = before(vec![listed(1, 1, state, impressions)]);
        assert_eq!(
            bench.survey(),
            "forgotten-seen",
            "{state:?} {impressions:?}"
        );
        let expect = (JobState::Unknown, Some(Reason::FateNotSeen));
        assert_eq!(bench.public(), expect);
        assert_eq!(bench.job().attempt_count, 1);
    }
    for state in [Pending, Held] {
        let mut bench = before(vec![listed(1, 1, state, None)]);
        assert_eq!(bench.survey(), "stray-found", "it may print yet");
        assert_eq!(look(&mut bench, listed(1, 1, state, None)), "cancel-due");
        tried(&mut bench);
        let fates = bench.desk.clone();
        for (seen, expect) in [
            (listed(1, 1, Canceled, Some(0)), "stray-cleared"),
            (listed(1, 1, Canceled, None), "became-unknown"),
            (listed(1, 1, Canceled, Some(1)), "became-unknown"),
            (listed(1, 1, Completed, Some(PAGES)), "became-unknown"),
        ] {
            bench.desk = fates.clone();
            assert_eq!(look(&mut bench, seen.clone()), expect, "{seen:?}");
        }
    }
}

#[test]
fn a_job_that_may_be_on_paper_neither_expires_nor_fails_unseen() {
    let mut bench = before(vec![listed(1, 1, Completed, Some(PAGES))]);
    bench.pass(90_000);
    assert_eq!(bench.survey(), "forgotten-seen");
}

#[test]
fn an_empty_job_that_will_not_go_is_asked_five_times_and_then_let_be() {
    let stray = listed(9, 1, AwaitingDocument, Some(0));
    let mut bench = before(vec![stray.clone()]);
    bench.survey();
    for ask in 0..5_u32 {
        assert_eq!(look(&mut bench, stray.clone()), "cancel-due", "{ask}");
        assert_eq!(tried(&mut bench), "cancel-tried");
        assert_eq!(look(&mut bench, stray.clone()), "", "it may take a moment");
        bench.pass(2 << ask);
    }
    assert_eq!(look(&mut bench, stray), "stray-stays");
    assert_eq!(
        bench.survey(),
        "attempt-started",
        "it is not taken up again"
    );
}

#[test]
fn calling_a_job_off_while_a_stray_goes_ends_it_when_the_stray_has_gone() {
    let mut bench = Bench::new().at("clearing");
    assert_eq!(bench.cancel(officer()), "called-off");
    assert_eq!(bench.cancel(officer()), "");
    let gone = listed(9, 1, Canceled, Some(0));
    assert_eq!(look(&mut bench, gone), "ended");
    assert_eq!(
        bench.public(),
        (JobState::Cancelled, Some(Reason::ByOfficer))
    );
}

/// Job 1 is unknown while its job stands at the printer without paper.
fn unknown_and_stopped() -> Bench {
    let mut bench = before(vec![listed(1, 1, Stopped, Some(0))]);
    assert_eq!(bench.survey(), "forgotten-seen");
    bench
}

fn did_not(attempt: Option<u32>) -> Command {
    Command::Answer {
        job: job_no(1),
        attempt,
        answer: Answer::DidNot,
        by: officer(),
    }
}

#[test]
fn after_did_not_the_old_job_goes_from_the_printer_before_another_is_made() {
    let mut bench = unknown_and_stopped();
    assert_eq!(bench.give(did_not(None)), "answered");
    assert_eq!(bench.effects(), "withdraw");
    assert_eq!(
        look(&mut bench, listed(1, 1, Stopped, Some(0))),
        "cancel-due"
    );
    tried(&mut bench);
    let fates = bench.desk.clone();
    for (seen, expect) in [
        (listed(1, 1, Canceled, Some(0)), "stray-cleared"),
        // Paper was loaded after the officer had looked.
        (listed(1, 1, Canceled, Some(1)), "became-unknown"),
        (listed(1, 1, Completed, Some(PAGES)), "became-unknown"),
    ] {
        bench.desk = fates.clone();
        assert_eq!(look(&mut bench, seen.clone()), expect, "{seen:?}");
    }
}

#[test]
fn an_answer_given_again_does_not_count_for_a_later_sheet() {
    let mut bench = unknown_and_stopped();
    bench.give(did_not(None));
    assert_eq!(bench.give(did_not(None)), "P-102", "nothing is asked");
    look(&mut bench, listed(1, 1, Completed, Some(PAGES)));
    assert_eq!(bench.public().0, JobState::Unknown);
    let which = Refusal::SayWhich { attempt: 1 }.code();
    assert_eq!(bench.give(did_not(None)), which);
    assert_eq!(bench.give(did_not(Some(2))), which);
    assert_eq!(bench.give(did_not(Some(1))), "answered");
}

#[test]
fn an_officers_word_on_a_job_that_is_over_is_not_asked_for_again() {
    let mut bench = Bench::new().at("sent");
    bench.see(view(Completed, Some(1)));
    assert_eq!(bench.public().0, JobState::Unknown);
    assert_eq!(bench.give(did_not(None)), "answered");
    bench.jobs = vec![listed(1, 1, Completed, Some(1))];
    assert_eq!(bench.survey(), "attempt-started");
}

/// The lane's printer is out of the settings: nobody answers.
fn unasked(bench: &mut Bench) -> String {
    bench.desk.lanes = vec!["b".to_owned()];
    bench.give(Command::Sighted {
        job: job_no(1),
        attempt: bench.job().attempt_count,
        sighting: Sighting::Unasked,
    })
}

fn has_left(bench: &Bench) -> bool {
    matches!(&bench.job().stage, Stage::Unknown { left: Some(left), .. } if left.printer == "a")
}

const NO_PRINTER: (JobState, Option<Reason>) = (JobState::Unknown, Some(Reason::NoPrinter));

#[test]
fn a_document_at_a_printer_that_left_the_settings_is_gone_only_by_an_officers_second_word() {
    for step in ["sent", "probing"] {
        let mut bench = Bench::new().at(step);
        assert_eq!(unasked(&mut bench), "became-unknown", "{step}");
        assert_eq!(bench.public(), NO_PRINTER);
        assert!(has_left(&bench), "{step}: it may stand there still");
        assert_eq!(bench.give(did_not(None)), "answered");
        assert_eq!(bench.effects(), "withdraw", "nobody is asked twice in vain");
        assert_eq!(unasked(&mut bench), "became-unknown");
        assert_eq!(bench.public(), NO_PRINTER);
        assert!(has_left(&bench));
        let which = Refusal::SayWhich { attempt: 1 }.code();
        assert_eq!(bench.give(did_not(None)), which);
        let (missing, back) = (bench.desk.clone(), vec!["a".to_owned()]);
        assert_eq!(bench.give(did_not(Some(1))), "answered");
        assert_eq!(bench.job().stage, Stage::Released);
        // Where the printer is back, it is asked, whoever said what.
        bench.desk = missing;
        bench.desk.lanes = back;
        assert_eq!(bench.give(did_not(Some(1))), "answered");
        assert_eq!(bench.effects(), "withdraw");
        let stopped = listed(1, 1, Stopped, Some(0));
        assert_eq!(look(&mut bench, stopped), "cancel-due");
    }
}

#[test]
fn what_is_called_off_at_a_printer_that_left_the_settings_is_called_off_by_the_second_word() {
    let mut bench = Bench::new().at("sent");
    unasked(&mut bench);
    bench.give(did_not(None));
    assert_eq!(bench.cancel(Actor::Central), "called-off");
    assert_eq!(unasked(&mut bench), "became-unknown");
    assert_eq!(bench.give(did_not(Some(1))), "ended");
    assert_eq!(
        bench.public(),
        (JobState::Cancelled, Some(Reason::ByCentral))
    );
}

#[test]
fn a_job_that_may_print_at_a_printer_that_left_the_settings_is_not_taken_for_gone() {
    let mut bench = before(vec![listed(1, 1, Pending, None)]);
    assert_eq!(bench.survey(), "stray-found");
    assert_eq!(unasked(&mut bench), "became-unknown");
    assert_eq!(bench.public(), NO_PRINTER);
    assert!(has_left(&bench));
    let mut bench = before(vec![listed(9, 1, AwaitingDocument, Some(0))]);
    assert_eq!(bench.survey(), "stray-found");
    assert_eq!(unasked(&mut bench), "stray-cleared", "it holds nothing");
}
