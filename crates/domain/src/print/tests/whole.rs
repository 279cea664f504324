//! Printers that take a job only with its document: what is known of it after a crash, and what is not.

use super::*;
use crate::print::{Asked, EffectStep};
use RemoteState::{Aborted, AwaitingDocument, Completed, Held, Pending, Processing};

fn whole() -> Bench {
    let mut bench = Bench::new();
    bench.mark.takes_whole = true;
    bench
}

fn taken(unsupported: &[Asked]) -> Command {
    Command::JobTaken {
        job: job_no(1),
        attempt: 1,
        remote: remote(),
        unsupported: unsupported.to_vec(),
    }
}

fn refused(is_for_good: bool) -> Command {
    Command::JobRefused {
        job: job_no(1),
        attempt: 1,
        is_for_good,
    }
}

const UNCLEAR: fn() -> Command = || Command::SendUnclear {
    job: job_no(1),
    attempt: 1,
};

#[test]
fn the_document_is_compared_and_the_sending_journalled_before_anything_leaves() {
    let mut bench = whole().at("released");
    assert_eq!(bench.survey(), "attempt-started");
    assert_eq!(bench.effects(), "prepare");
    let prepared = Command::Prepared {
        job: job_no(1),
        attempt: 1,
        opened: Some(revision().sha256),
    };
    assert_eq!(bench.give(prepared), "sending-began");
    assert_eq!(bench.effects(), "print");
    assert_eq!(bench.give(taken(&[])), "remote-created sent");
    assert_eq!(bench.effects(), "watch");
    assert_eq!(bench.see(view(Completed, Some(PAGES))), "ended");
    assert_eq!(bench.public(), (JobState::Printed, None));
}

#[test]
fn before_the_sending_it_is_called_off_expires_or_fails_with_nothing_at_the_printer() {
    let mut bench = Bench::new().at("preparing");
    assert_eq!(bench.cancel(officer()), "ended");
    let called_off = (JobState::Cancelled, Some(Reason::ByOfficer));
    assert_eq!(bench.public(), called_off);

    let mut bench = Bench::new().at("preparing");
    bench.pass(2 * 86_400);
    assert_eq!(bench.give(Command::Tick), "ended");
    assert_eq!(bench.public(), (JobState::Expired, Some(Reason::NotAfter)));

    let mut bench = Bench::new().at("preparing");
    let spoiled = Command::Prepared {
        job: job_no(1),
        attempt: 1,
        opened: None,
    };
    assert_eq!(bench.give(spoiled), "ended");
    assert_eq!(bench.public(), (JobState::Failed, Some(Reason::SpoolLost)));
}

#[test]
fn after_a_start_before_the_sending_it_is_looked_for_and_sent_only_where_it_is_not_there() {
    let unsent = || {
        let mut bench = Bench::new().at("preparing");
        assert_eq!(bench.give(Command::Resume), "checking-remote");
        assert_eq!(bench.effects(), "seek");
        assert_eq!(
            bench.give(Command::Resume),
            "",
            "a second start asks the same"
        );
        bench
    };
    let mut bench = unsent();
    assert_eq!(bench.see_nothing(), "sending-began");
    assert_eq!(bench.effects(), "print");

    let mut bench = unsent();
    assert_eq!(bench.cancel(officer()), "called-off");
    assert_eq!(bench.see_nothing(), "ended");
    let called_off = (JobState::Cancelled, Some(Reason::ByOfficer));
    assert_eq!(bench.public(), called_off);

    let mut bench = unsent();
    bench.pass(2 * 86_400);
    assert_eq!(bench.give(Command::Tick), "called-off");
    assert_eq!(bench.see_nothing(), "ended");
    assert_eq!(bench.public(), (JobState::Expired, Some(Reason::NotAfter)));

    // The journal was set back behind a sheet.
    let mut bench = unsent();
    let printed = view(Completed, Some(PAGES));
    assert_eq!(bench.see(printed), "remote-created sent ended");
    assert_eq!(bench.public(), (JobState::Printed, None));
}

#[test]
fn what_was_called_off_before_a_forgotten_sending_came_to_light_is_called_off_at_the_printer() {
    let mut bench = Bench::new().at("preparing");
    bench.give(Command::Resume);
    assert_eq!(bench.cancel(officer()), "called-off");
    let pending = view(Pending, Some(0));
    assert_eq!(
        bench.see(pending.clone()),
        "remote-created cancelling-remote"
    );
    assert_eq!(bench.see(pending), "cancel-due");
    bench.give(Command::CancelTried {
        job: job_no(1),
        attempt: 1,
    });
    assert_eq!(bench.see(view(RemoteState::Canceled, Some(0))), "ended");
    let called_off = (JobState::Cancelled, Some(Reason::ByOfficer));
    assert_eq!(bench.public(), called_off);
}

#[test]
fn at_a_printer_that_left_the_settings_only_what_may_have_been_sent_is_asked_about() {
    let unasked = |bench: &mut Bench| {
        bench.give(Command::Sighted {
            job: job_no(1),
            attempt: 1,
            sighting: Sighting::Unasked,
        })
    };
    let mut bench = Bench::new().at("preparing");
    bench.give(Command::Resume);
    assert_eq!(unasked(&mut bench), "attempt-failed");

    let mut bench = Bench::new().at("sending-whole");
    bench.give(refused(false));
    assert_eq!(unasked(&mut bench), "attempt-failed waiting");

    let mut bench = Bench::new().at("seeking");
    assert_eq!(unasked(&mut bench), "became-unknown");
    let unknown = (JobState::Unknown, Some(Reason::NoPrinter));
    assert_eq!(bench.public(), unknown);
}

#[test]
fn once_it_is_sent_it_is_too_late_to_call_off() {
    for stage in ["sending-whole", "seeking"] {
        let mut bench = Bench::new().at(stage);
        assert_eq!(bench.cancel(officer()), "P-103", "{stage}");
        bench.pass(9 * 86_400);
        assert_eq!(bench.give(Command::Tick), "", "{stage}");
    }
}

#[test]
fn after_a_start_the_job_is_looked_for_and_the_document_not_sent_again() {
    let mut bench = Bench::new().at("sending-whole");
    assert_eq!(bench.give(Command::Resume), "sending-unclear");
    assert_eq!(bench.effects(), "seek");
    assert_eq!(
        bench.give(Command::Resume),
        "",
        "a second start asks the same"
    );
    let all = bench.desk.effects(bench.now);
    assert!(all.iter().all(|todo| todo.id.step != EffectStep::Print));
}

#[test]
fn a_job_that_is_found_by_its_name_is_adopted_and_judged_as_any_other() {
    for (seen, kinds, public) in [
        (
            view(Completed, Some(PAGES)),
            "remote-created sent ended",
            (JobState::Printed, None),
        ),
        (
            view(Processing, None),
            "remote-created sent",
            (JobState::Printing, None),
        ),
        (
            view(Pending, None),
            "remote-created sent",
            (JobState::Printing, None),
        ),
        (
            view(Held, None),
            "remote-created sent",
            (JobState::Printing, None),
        ),
        (
            view(Aborted, Some(0)),
            "remote-created attempt-failed",
            (JobState::Printing, None),
        ),
        (
            view(Aborted, None),
            "remote-created became-unknown",
            (JobState::Unknown, Some(Reason::PrinterAborted)),
        ),
    ] {
        let mut bench = Bench::new().at("seeking");
        let name = format!("{seen:?}");
        assert_eq!(bench.see(seen), kinds, "{name}");
        assert_eq!(bench.public(), public, "{name}");
    }
}

#[test]
fn a_document_that_stopped_half_way_is_waited_for_and_taken_back_and_never_sent_into_the_same_job()
{
    let mut bench = Bench::new().at("seeking");
    let torn = || view(AwaitingDocument, Some(0));
    assert_eq!(bench.see(torn()), "remote-created sent");
    assert_eq!(bench.see(torn()), "", "it may come yet");
    bench.pass(61);
    assert_eq!(bench.see(torn()), "cancelling-remote");
    assert_eq!(bench.see(torn()), "cancel-due");
}

#[test]
fn of_a_job_that_is_not_there_only_an_officer_can_say() {
    let mut bench = Bench::new().at("seeking");
    assert_eq!(bench.see_nothing(), "became-unknown");
    let unknown = (JobState::Unknown, Some(Reason::FateNotSeen));
    assert_eq!(bench.public(), unknown);
}

#[test]
fn what_the_printer_itself_refused_is_tried_again_later_or_over_but_looked_for_first() {
    let mut bench = Bench::new().at("sending-whole");
    assert_eq!(bench.give(refused(false)), "job-refused");
    assert_eq!(bench.effects(), "seek");
    assert_eq!(bench.see_nothing(), "attempt-failed waiting");
    assert_eq!(bench.effects(), "", "it pauses, as after each fault");
    assert_eq!(bench.job().fault_count, 1);

    let mut bench = Bench::new().at("sending-whole");
    assert_eq!(bench.give(refused(true)), "job-refused");
    assert_eq!(bench.see_nothing(), "ended");
    let never = (JobState::Failed, Some(Reason::PrinterRefused));
    assert_eq!(bench.public(), never);

    // A printer that lies.
    let mut bench = Bench::new().at("sending-whole");
    assert_eq!(bench.give(refused(true)), "job-refused");
    let printed = view(Completed, Some(PAGES));
    assert_eq!(bench.see(printed), "remote-created sent ended");
    assert_eq!(bench.public(), (JobState::Printed, None));
}

#[test]
fn where_no_byte_left_it_is_tried_again_without_a_look() {
    let mut bench = Bench::new().at("sending-whole");
    let not_taken = Command::SendNotTaken {
        job: job_no(1),
        attempt: 1,
    };
    assert_eq!(bench.give(not_taken), "attempt-failed waiting");
    bench.pass(1);
    assert_eq!(bench.survey(), "attempt-started");
    assert_eq!(bench.attempt().no, 2);

    let mut bench = Bench::new().at("sending-whole");
    let not_drawn = Command::SendNotDrawn {
        job: job_no(1),
        attempt: 1,
    };
    assert_eq!(bench.give(not_drawn), "ended");
    assert_eq!(bench.public(), (JobState::Failed, Some(Reason::NotDrawn)));
}

#[test]
fn a_job_that_comes_to_light_after_the_officer_found_no_sheet_is_asked_about_once_more() {
    for seen in [Processing, Completed, Aborted] {
        let mut bench = Bench::new().at("seeking");
        assert_eq!(bench.see_nothing(), "became-unknown");
        let none = |bench: &mut Bench| {
            bench.give(Command::Answer {
                job: job_no(1),
                attempt: Some(1),
                answer: crate::print::Answer::DidNot,
                by: officer(),
            })
        };
        assert_eq!(none(&mut bench), "answered");
        bench.jobs = vec![view(seen, None)];
        assert_eq!(bench.survey(), "forgotten-seen", "{seen:?}");
        let unknown = (JobState::Unknown, Some(Reason::FateNotSeen));
        assert_eq!(bench.public(), unknown);
        assert_eq!(none(&mut bench), "answered");
        if seen != Processing {
            assert_eq!(bench.survey(), "attempt-started", "asked once, and no more");
        }
    }
}

#[test]
fn a_late_job_that_has_not_begun_is_called_off_before_the_next_attempt() {
    let mut bench = Bench::new().at("sending-whole");
    assert_eq!(bench.give(refused(false)), "job-refused");
    assert_eq!(bench.see_nothing(), "attempt-failed waiting");
    bench.pass(1);
    bench.jobs = vec![view(Pending, None)];
    assert_eq!(bench.survey(), "stray-found");
}

#[test]
fn a_job_that_was_taken_though_it_will_not_be_honoured_is_called_off_and_asked_about() {
    for (asked, kinds) in [
        (Asked::Scaling, "cancelling-remote remote-created"),
        (Asked::Sides, "remote-created sent"),
    ] {
        let mut bench = Bench::new().at("sending-whole");
        let mut got: Vec<String> = bench
            .give(taken(&[asked]))
            .split(' ')
            .map(str::to_owned)
            .collect();
        got.sort();
        assert_eq!(got.join(" "), kinds, "{asked:?}");
    }
    let mut bench = Bench::new().at("sending-whole");
    bench.give(taken(&[Asked::Media]));
    assert_eq!(bench.see(view(Pending, Some(0))), "cancel-due");
    bench.give(Command::CancelTried {
        job: job_no(1),
        attempt: 1,
    });
    assert_eq!(bench.see(view(RemoteState::Canceled, Some(0))), "ended");
    let refused = (JobState::Failed, Some(Reason::AttributesRefused));
    assert_eq!(bench.public(), refused);
}

#[test]
fn answers_of_other_steps_are_stale() {
    for stage in ["creating", "created", "sending", "sent", "seeking"] {
        let mut bench = Bench::new().at(stage);
        assert_eq!(bench.give(taken(&[])), "P-105", "{stage}");
        assert_eq!(bench.give(refused(true)), "P-105", "{stage}");
    }
    for stage in ["preparing", "seeking"] {
        let mut bench = Bench::new().at(stage);
        assert_eq!(bench.give(UNCLEAR()), "P-105", "{stage}");
    }
}
