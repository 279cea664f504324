//! Orders, cancels, releases, answers, lanes and time limits.

use super::*;
use crate::print::Answer;
use crate::print::attempt::RemoteState::{AwaitingDocument, Canceled};

#[test]
fn the_same_order_again_is_answered_with_its_present_state() {
    for stage in STAGES {
        let mut bench = Bench::new().at(stage);
        let before = bench.desk.clone();
        let mut again = facts(job_no(1));
        if let Origin::Central { command_seq, .. } = &mut again.origin {
            *command_seq = 8;
        }
        let events = bench
            .submit(Command::Accept(Intake::Good(Box::new(again))))
            .unwrap();
        let (state, reason) = bench.public();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].what, What::Restated { state, reason }, "{stage}");
        assert_eq!(bench.desk, before, "{stage}: told, not changed");
    }
}

#[test]
fn other_bytes_under_a_known_id_are_a_replay() {
    let sealed_anew = |facts: &mut Facts| {
        if let Origin::Central { envelope, .. } = &mut facts.origin {
            *envelope = Sha256Digest::from_bytes([9; 32]);
        }
    };
    let of_another_journal = |facts: &mut Facts| {
        if let Origin::Central { epoch, .. } = &mut facts.origin {
            *epoch = Epoch::from_bytes([9; 16]);
        }
    };
    let of_another_document = |facts: &mut Facts| {
        if let Origin::Central { blob, .. } = &mut facts.origin {
            blob.size_bytes += 1;
        }
    };
    let local = |facts: &mut Facts| facts.origin = Origin::Local { by: None };
    let changes: [&dyn Fn(&mut Facts); 4] = [
        &sealed_anew,
        &of_another_journal,
        &of_another_document,
        &local,
    ];
    for stage in STAGES {
        for change in changes {
            let mut bench = Bench::new().at(stage);
            let before = bench.desk.clone();
            let mut facts = facts(job_no(1));
            change(&mut facts);
            assert_eq!(bench.accept(facts), Refusal::Replay.code(), "{stage}");
            let again = Command::Restate { job: job_no(1) };
            assert_eq!(bench.give(again), "restated", "who sent it may not know");
            assert_eq!(bench.desk, before);
        }
    }
}

#[test]
fn an_order_for_another_journal_does_not_use_up_its_id() {
    let mut bench = Bench::new();
    let order = Box::new(facts(job_no(1)));
    let bad = Intake::Bad {
        facts: order,
        reason: Reason::Replay,
    };
    assert_eq!(bench.give(Command::Accept(bad)), Refusal::Replay.code());
    assert_eq!(
        bench.accept(facts(job_no(1))),
        "accepted",
        "central seals it anew"
    );
}

#[test]
fn an_order_that_cannot_be_taken_is_rejected_with_its_reason() {
    for (reason, state) in [
        (Reason::Altered, JobState::Rejected),
        (Reason::WrongMachine, JobState::Rejected),
        (Reason::NotAfter, JobState::Expired),
    ] {
        let mut bench = Bench::new();
        let facts = Box::new(facts(job_no(1)));
        let kinds = bench.give(Command::Accept(Intake::Bad { facts, reason }));
        assert_eq!(kinds, "accepted ended");
        assert_eq!(bench.public(), (state, Some(reason)));
    }
}

#[test]
fn a_document_that_cannot_be_had_or_is_not_valid_is_rejected() {
    let job = job_no(1);
    let mut bench = Bench::new().at("fetching");
    let reason = Reason::DocumentGone;
    assert_eq!(bench.give(Command::FetchFailed { job, reason }), "ended");
    assert_eq!(bench.public(), (JobState::Rejected, Some(reason)));
    let mut bench = Bench::new().at("received");
    let outcome = Verification::Refused(Reason::SignatureInvalid);
    assert_eq!(bench.give(Command::Verified { job, outcome }), "ended");
    assert_eq!(
        bench.public(),
        (JobState::Rejected, Some(Reason::SignatureInvalid))
    );
    assert_eq!(bench.effects(), "shred");
    assert_eq!(bench.give(Command::Shredded { job }), "shredded");
    assert_eq!(bench.effects(), "");
}

#[test]
fn whoever_calls_a_job_off_before_bytes_left_ends_it() {
    for (by, reason) in [
        (officer(), Reason::ByOfficer),
        (Actor::Central, Reason::ByCentral),
    ] {
        let expect = (JobState::Cancelled, Some(reason));
        for stage in ["fetching", "received", "held", "released"] {
            let mut bench = Bench::new().at(stage);
            assert_eq!(bench.cancel(by.clone()), "ended", "{stage}");
            assert_eq!(bench.public(), expect);
        }
        let mut bench = Bench::new().at("created");
        assert_eq!(bench.cancel(by.clone()), "cancelling-remote");
        assert_eq!(bench.see_nothing(), "ended");
        assert_eq!(bench.public(), expect);

        let mut bench = Bench::new().at("creating");
        assert_eq!(bench.cancel(by.clone()), "called-off");
        assert_eq!(bench.cancel(by.clone()), "", "once is enough");
        let created = Command::Created {
            job: job_no(1),
            attempt: 1,
            remote: remote(),
            unsupported: Vec::new(),
        };
        assert_eq!(bench.give(created), "cancelling-remote", "no orphan stays");
        assert_eq!(bench.see(view(Canceled, None)), "ended");
        assert_eq!(bench.public(), expect);

        for is_there in [false, true] {
            let mut bench = Bench::new().at("locating");
            assert_eq!(bench.cancel(by.clone()), "called-off");
            if is_there {
                assert_eq!(bench.see(view(AwaitingDocument, None)), "cancelling-remote");
            }
            assert_eq!(bench.see_nothing(), "ended");
            assert_eq!(bench.public(), expect);
        }
    }
}

#[test]
fn calling_off_is_too_late_once_bytes_may_have_left() {
    for stage in ["sending", "probing", "sent"] {
        let mut bench = Bench::new().at(stage);
        let before = bench.desk.clone();
        assert_eq!(
            bench.cancel(officer()),
            Refusal::AlreadySending.code(),
            "{stage}"
        );
        assert_eq!(bench.cancel(Actor::Central), "cancel-refused", "{stage}");
        assert_eq!(bench.desk, before);
    }
}

#[test]
fn calling_off_what_is_over_or_unknown_tells_central_and_refuses_the_officer() {
    for stage in ["unknown", "ended", "closed"] {
        let mut bench = Bench::new().at(stage);
        assert_eq!(bench.cancel(officer()), "P-102", "{stage}");
        let told = bench.cancel(Actor::Central);
        assert_eq!(
            told.trim_start_matches("called-off "),
            "restated",
            "{stage}"
        );
        assert_eq!(bench.cancel(Actor::Central), "restated", "{stage}");
    }
    assert_eq!(
        Bench::new().cancel(Actor::Central),
        Refusal::UnknownJob.code()
    );
}

/// Central does not want it any more: where no sheet came out, none is made.
#[test]
fn what_central_called_off_while_it_was_unknown_is_not_printed_by_an_answer() {
    let (job, by) = (job_no(1), officer());
    let mut bench = Bench::new().at("unknown");
    assert_eq!(bench.cancel(Actor::Central), "called-off restated");
    let (attempt, answer) = (None, Answer::DidNot);
    let kinds = bench.give(Command::Answer {
        job,
        attempt,
        answer,
        by,
    });
    assert_eq!(kinds, "ended");
    let expect = (JobState::Cancelled, Some(Reason::ByCentral));
    assert_eq!(bench.public(), expect);
}

#[test]
fn an_officer_releases_what_is_held_once() {
    let job = job_no(1);
    for stage in STAGES {
        let mut bench = Bench::new().at(stage);
        let kinds = bench.give(Command::Release { job, by: officer() });
        let expect = match stage {
            "held" => "released",
            "fetching" | "received" | "unknown" | "ended" | "closed" => "P-102",
            _under_way => "",
        };
        assert_eq!(kinds, expect, "{stage}");
    }
}

#[test]
fn an_officers_answer_ends_an_unknown_sheet_or_allows_another() {
    let job = job_no(1);
    for (answer, kinds, public) in [
        (
            Answer::CameOut,
            "ended",
            (JobState::Printed, Some(Reason::OfficerSaw)),
        ),
        (
            Answer::Damaged,
            "ended",
            (JobState::Failed, Some(Reason::SheetDamaged)),
        ),
        (Answer::DidNot, "answered", (JobState::Printing, None)),
    ] {
        let mut bench = Bench::new().at("unknown");
        assert_eq!(
            bench.give(Command::Answer {
                job,
                attempt: None,
                answer,
                by: officer()
            }),
            kinds
        );
        assert_eq!(bench.public(), public);
        let effect = if answer == Answer::DidNot {
            "survey"
        } else {
            "shred"
        };
        assert_eq!(bench.effects(), effect);
    }
    for stage in STAGES.iter().filter(|stage| **stage != "unknown") {
        let mut bench = Bench::new().at(stage);
        let answer = Answer::DidNot;
        assert_eq!(
            bench.give(Command::Answer {
                job,
                attempt: None,
                answer,
                by: officer()
            }),
            "P-102",
            "{stage}"
        );
    }
}

#[test]
fn time_ends_what_no_byte_has_left_of_and_only_on_a_clock_that_is_sure() {
    let late = NOON.saturating_add(Duration::from_secs(90_000));
    for (wall, trusted, floor, is_past) in [
        (late, true, NOON, true),
        (late, false, NOON, false),
        (NOON, false, late, true),
        (NOON, true, NOON, false),
    ] {
        for stage in STAGES {
            let mut bench = Bench::new().at(stage);
            let wakes = bench.desk.wake_at(bench.now);
            bench.now = Now {
                wall,
                trusted,
                floor,
            };
            let expect = match stage {
                "fetching" | "received" | "held" | "released" | "preparing" => "ended",
                // Nothing has left; what is at the printer goes first.
                "created" => "cancelling-remote",
                "clearing" | "creating" | "locating" | "checking" => "called-off",
                _bytes_left_or_over => "",
            };
            let can = !expect.is_empty() || stage == "cancelling";
            assert_eq!(wakes, can.then(|| bench.job().facts.not_after), "{stage}");
            let expect = if is_past { expect } else { "" };
            assert_eq!(bench.give(Command::Tick), expect, "{stage} {trusted}");
            assert_eq!(bench.give(Command::Tick), "", "{stage}: once is enough");
            if expect == "ended" {
                assert_eq!(bench.public(), (JobState::Expired, Some(Reason::NotAfter)));
            }
        }
    }
}

#[test]
fn an_order_past_its_time_is_not_printed_whatever_comes_first() {
    let late = NOON.saturating_add(Duration::from_secs(90_000));
    let mut bench = Bench::new();
    bench.now.wall = late;
    assert_eq!(bench.accept(facts(job_no(1))), "accepted ended");
    assert_eq!(bench.public(), (JobState::Expired, Some(Reason::NotAfter)));

    let mut bench = Bench::new().at("held");
    bench.now.wall = late;
    let release = Command::Release {
        job: job_no(1),
        by: officer(),
    };
    assert_eq!(bench.give(release), Refusal::PastNotAfter.code());

    let mut bench = Bench::new().at("released");
    bench.now.wall = late;
    assert_eq!(bench.effects(), "", "nothing is begun any more");
    let survey = ready(mark());
    let surveyed = Command::Surveyed {
        job: job_no(1),
        printer: "a".to_owned(),
        survey,
    };
    assert_eq!(bench.give(surveyed), "ended");
}

#[test]
fn a_clock_that_nobody_confirmed_lets_a_job_be_printed() {
    let mut bench = Bench::new();
    bench.now = Now {
        wall: NOON.saturating_add(Duration::from_secs(9_000_000)),
        trusted: false,
        floor: NOON,
    };
    let bench = bench.at("released");
    assert_eq!(bench.effects(), "survey");
}

#[test]
fn central_is_told_every_public_state_and_nothing_of_inner_steps() {
    for (stage, last) in [
        ("fetching", Some(JobState::Fetching)),
        ("received", Some(JobState::Journalled)),
        ("held", Some(JobState::Held)),
        ("sent", Some(JobState::Printing)),
        ("unknown", Some(JobState::Unknown)),
        ("closed", Some(JobState::Cancelled)),
    ] {
        let mut bench = Bench::new();
        let mut order = facts(job_no(1));
        order.release = if stage == "held" {
            Release::Officer
        } else {
            Release::Now
        };
        let accept = Command::Accept(Intake::Good(Box::new(order)));
        let mut told = None;
        let way = bench.way_to(stage);
        for command in std::iter::once(accept).chain(way) {
            for event in bench.desk.decide(bench.now, command).unwrap() {
                bench.desk.apply(&event).unwrap();
                if let Some(loket_wire::Report::Job(report)) = event.report(bench.job()) {
                    assert_eq!(report.state, bench.public().0, "{stage}: told what is");
                    told = Some(report.state);
                }
            }
        }
        assert_eq!(told, last, "{stage}");
    }
}

#[test]
fn an_answer_that_none_came_out_is_told_to_central_at_once() {
    let mut bench = Bench::new().at("unknown");
    let command = Command::Answer {
        job: job_no(1),
        attempt: None,
        answer: Answer::DidNot,
        by: officer(),
    };
    let events = bench.submit(command).unwrap();
    let Some(loket_wire::Report::Job(report)) = events[0].report(bench.job()) else {
        panic!("central would go on showing unknown");
    };
    let told = (report.state, report.reason, report.actor);
    let by = Some("officer:sari".to_owned());
    assert_eq!(
        told,
        (JobState::Printing, Some(Reason::OfficerFoundNone), by)
    );
}

#[test]
fn the_open_jobs_are_those_without_an_end() {
    for stage in STAGES {
        let bench = Bench::new().at(stage);
        let is_over = matches!(stage, "ended" | "closed");
        assert_eq!(bench.desk.open_jobs().is_empty(), is_over, "{stage}");
    }
}
