//! What a look at the printer means for paper: the recovery table.

use super::*;
use crate::print::Step;
use crate::print::attempt::Afterwards;
use RemoteState::{
    Aborted, AwaitingDocument, Canceled, Completed, Held, Pending, Processing, Stopped,
};

const ALL: [RemoteState; 8] = [
    Pending,
    AwaitingDocument,
    Held,
    Processing,
    Stopped,
    Canceled,
    Aborted,
    Completed,
];

/// What is seen of a job at a step, and what follows.
fn check(step: &str, state: RemoteState, impressions: Option<u32>, expect: &str) {
    let mut bench = Bench::new().at(step);
    let kinds = bench.see(view(state, impressions));
    assert_eq!(kinds, expect, "{step} {state:?} {impressions:?}");
}

#[test]
fn completed_with_the_documents_page_count_or_without_a_count_is_printed() {
    for (impressions, sheet_count) in [(Some(PAGES), Some(PAGES)), (None, None), (Some(0), None)] {
        check("sent", Completed, impressions, "ended");
        check("probing", Completed, impressions, "sent ended");
        let mut bench = Bench::new().at("sent");
        let sighting = Sighting::Seen(view(Completed, impressions));
        let command = Command::Sighted {
            job: job_no(1),
            attempt: 1,
            sighting,
        };
        let events = bench.submit(command).unwrap();
        let ended = What::Ended {
            state: JobState::Printed,
            reason: None,
            sheet_count,
        };
        assert_eq!(events[0].what, ended);
        assert_eq!(bench.public(), (JobState::Printed, None));
    }
}

#[test]
fn completed_with_another_count_than_the_documents_pages_is_unknown() {
    for count in [1, 3, u32::MAX] {
        check("sent", Completed, Some(count), "became-unknown");
        check("probing", Completed, Some(count), "sent became-unknown");
    }
    let mut bench = Bench::new().at("sent");
    bench.see(view(Completed, Some(1)));
    let expect = (JobState::Unknown, Some(Reason::ImpressionsDisagree));
    assert_eq!(bench.public(), expect);
}

#[test]
fn a_job_ended_by_the_printer_is_tried_again_only_on_its_word_that_no_page_came_out() {
    for state in [Canceled, Aborted] {
        for step in ["probing", "sent"] {
            check(step, state, Some(0), "attempt-failed");
            check(step, state, Some(1), "became-unknown");
            check(step, state, Some(PAGES), "became-unknown");
            check(step, state, None, "became-unknown");
        }
    }
    let mut bench = Bench::new().at("sent");
    bench.see(view(Aborted, None));
    assert_eq!(
        bench.public(),
        (JobState::Unknown, Some(Reason::PrinterAborted))
    );
    assert_eq!(
        bench.effects(),
        "",
        "an unknown sheet waits for a person alone"
    );
}

#[test]
fn a_count_that_the_profile_distrusts_never_allows_another_attempt() {
    for state in [Canceled, Aborted] {
        for step in ["probing", "sent"] {
            let mut bench = Bench::new();
            bench.mark.trusts_impressions = false;
            let mut bench = bench.at(step);
            assert_eq!(bench.see(view(state, Some(0))), "became-unknown");
        }
    }
}

#[test]
fn a_printer_that_restarted_is_not_believed_that_no_page_came_out() {
    for (before, passed_s, after, expect) in [
        (Some(500), 0, Some(499), "became-unknown"),
        (Some(500), 0, Some(500), "attempt-failed"),
        (None, 0, Some(1), "attempt-failed"),
        (Some(500), 0, None, "attempt-failed"),
        // Up for two minutes, power lost, up for three.
        (Some(120), 190, Some(180), "became-unknown"),
        (Some(120), 190, Some(310), "attempt-failed"),
        (Some(120), 190, Some(298), "attempt-failed"),
        // Drift over a night; a day in which it was switched off and on.
        (Some(120), 43_200, Some(43_305), "attempt-failed"),
        (Some(120), 43_200, Some(43_190), "became-unknown"),
    ] {
        let mut bench = Bench::new();
        bench.mark.up_time_s = before;
        let mut bench = bench.at("sent");
        bench.pass(passed_s);
        let up_time_s = after;
        let seen = RemoteView {
            up_time_s,
            ..view(Aborted, Some(0))
        };
        assert_eq!(bench.see(seen), expect, "{before:?} {passed_s} {after:?}");
        if expect == "became-unknown" {
            assert_eq!(bench.public().1, Some(Reason::PrinterRestarted));
        }
    }
}

#[test]
fn a_job_that_the_printer_no_longer_knows_is_unknown_once_bytes_may_have_left() {
    for step in ["probing", "sent"] {
        let mut bench = Bench::new().at(step);
        assert_eq!(bench.see_nothing(), "became-unknown", "{step}");
        assert_eq!(
            bench.public(),
            (JobState::Unknown, Some(Reason::PrinterForgot))
        );
    }
}

#[test]
fn a_job_under_our_number_with_another_name_or_uuid_is_not_ours() {
    let foreign = [
        RemoteView {
            name: Some("minutes.pdf".to_owned()),
            ..view(Completed, Some(PAGES))
        },
        RemoteView {
            name: None,
            ..view(Completed, Some(PAGES))
        },
        RemoteView {
            name: Some(job_name(job_no(1), 2)),
            ..view(Completed, Some(PAGES))
        },
        RemoteView {
            name: Some(job_name(job_no(2), 1)),
            ..view(Completed, Some(PAGES))
        },
        RemoteView {
            uuid: Some("urn:uuid:other".to_owned()),
            ..view(Completed, Some(PAGES))
        },
        RemoteView {
            id: 13,
            ..view(Completed, Some(PAGES))
        },
    ];
    for seen in foreign {
        for step in ["probing", "sent"] {
            let mut bench = Bench::new().at(step);
            assert_eq!(bench.see(seen.clone()), "became-unknown", "{step} {seen:?}");
        }
    }
    // A printer that tells no uuid is matched by id and name.
    let mut bench = Bench::new().at("sent");
    let seen = RemoteView {
        uuid: None,
        ..view(Completed, Some(PAGES))
    };
    assert_eq!(bench.see(seen), "ended");
}

#[test]
fn a_job_that_goes_on_is_waited_for() {
    for state in [Pending, Held, Processing, Stopped] {
        check("sent", state, Some(1), "");
        check("probing", state, None, "sent");
    }
    // It was answered with success: the printer takes its time to say so.
    check("sent", AwaitingDocument, None, "");
}

#[test]
fn a_job_that_still_waits_is_sent_again_where_the_printer_refuses_a_second_document() {
    let mut bench = Bench::new().at("probing");
    for send in 2..=3 {
        assert_eq!(bench.see(view(AwaitingDocument, None)), "sending-began");
        assert_eq!(bench.attempt().send_count, send);
        assert_eq!(bench.effects(), "send");
        let unclear = Command::SendUnclear {
            job: job_no(1),
            attempt: 1,
        };
        assert_eq!(bench.give(unclear), "sending-unclear");
    }
    let kinds = bench.see(view(AwaitingDocument, None));
    assert_eq!(kinds, "cancelling-remote", "three times are enough");
    assert_eq!(bench.see(view(Canceled, Some(0))), "attempt-failed");
    assert_eq!(bench.effects(), "survey", "another attempt");
}

#[test]
fn a_job_that_still_waits_is_called_off_where_the_printer_takes_several_documents() {
    let mut bench = Bench::new();
    bench.mark.is_single_document = false;
    let mut bench = bench.at("probing");
    assert_eq!(bench.see(view(AwaitingDocument, None)), "cancelling-remote");
    assert_eq!(bench.effects(), "withdraw");
    let called_off = bench.desk.clone();
    for state in [Pending, Held, Processing, Stopped, AwaitingDocument] {
        bench.desk = called_off.clone();
        assert_eq!(bench.see(view(state, None)), "cancel-due");
        assert_eq!(bench.effects(), "cancel");
        let (job, attempt) = (job_no(1), 1);
        assert_eq!(
            bench.give(Command::CancelTried { job, attempt }),
            "cancel-tried"
        );
        assert_eq!(bench.effects(), "follow");
        assert_eq!(
            bench.see(view(state, None)),
            "",
            "not yet called off: {state:?}"
        );
    }
    for (state, impressions, expect) in [
        (Canceled, Some(0), "attempt-failed"),
        (Aborted, Some(0), "attempt-failed"),
        (Canceled, Some(1), "became-unknown"),
        (Canceled, None, "became-unknown"),
        (Completed, Some(PAGES), "ended"),
        (Completed, Some(1), "became-unknown"),
    ] {
        bench.desk = called_off.clone();
        assert_eq!(
            bench.see(view(state, impressions)),
            expect,
            "{state:?} {impressions:?}"
        );
    }
    bench.desk = called_off;
    assert_eq!(bench.see_nothing(), "became-unknown");
}

#[test]
fn a_lost_creation_is_adopted_where_the_job_waits_for_its_document() {
    let mut bench = Bench::new().at("creating");
    assert_eq!(bench.give(Command::Resume), "creation-unclear");
    assert_eq!(bench.effects(), "locate");
    assert_eq!(bench.see(view(AwaitingDocument, None)), "remote-created");
    assert_eq!(bench.attempt().step, Step::Created(remote()));
    assert_eq!(
        bench.effects(),
        "prepare",
        "no byte leaves before the bytes are checked"
    );
}

#[test]
fn a_lost_creation_that_cannot_be_adopted_is_called_off_and_tried_again() {
    for state in ALL {
        let mut bench = Bench::new().at("locating");
        let kinds = bench.see(view(state, None));
        match state {
            AwaitingDocument => assert_eq!(kinds, "remote-created"),
            Canceled | Aborted => assert_eq!(kinds, "attempt-failed waiting", "{state:?}"),
            Pending | Held => {
                assert_eq!(
                    kinds, "cancelling-remote",
                    "an orphan blocks the printer: {state:?}"
                );
                assert_eq!(bench.effects(), "withdraw");
                assert_eq!(bench.see(view(Canceled, None)), "attempt-failed waiting");
            }
            Processing | Stopped | Completed => assert_eq!(kinds, "became-unknown", "{state:?}"),
        }
    }
}

#[test]
fn a_job_that_printed_though_the_journal_never_sent_it_is_unknown() {
    for state in [Processing, Stopped, Completed] {
        for called_off in [false, true] {
            let mut bench = Bench::new().at("locating");
            if called_off {
                assert_eq!(bench.cancel(officer()), "called-off");
            }
            assert_eq!(bench.see(view(state, None)), "became-unknown", "{state:?}");
            let expect = (JobState::Unknown, Some(Reason::FateNotSeen));
            assert_eq!(bench.public(), expect);
        }
    }
    check("locating", Aborted, Some(1), "became-unknown");
    check("locating", Canceled, Some(1), "became-unknown");
    check("locating", Canceled, Some(0), "attempt-failed waiting");
    check("cancelling", Canceled, Some(1), "became-unknown");
    check("cancelling", Completed, Some(1), "became-unknown");
    check("cancelling", Completed, Some(PAGES), "became-unknown");
    check("cancelling", Canceled, Some(0), "ended");
    check("cancelling", Completed, None, "ended");
}

#[test]
fn a_creation_that_did_not_happen_is_a_new_attempt_under_a_new_name() {
    for by_name_of_another in [false, true] {
        let mut bench = Bench::new().at("locating");
        let kinds = if by_name_of_another {
            let name = Some(job_name(job_no(1), 2));
            bench.see(RemoteView {
                name,
                ..view(AwaitingDocument, None)
            })
        } else {
            bench.see_nothing()
        };
        assert_eq!(kinds, "attempt-failed waiting");
        bench.pass(1);
        assert_eq!(bench.survey(), "attempt-started");
        assert_eq!(bench.attempt().no, 2);
        assert_eq!(bench.job().abort_count, 0, "no fault of the printer");
    }
}

#[test]
fn a_start_asks_the_printer_wherever_an_answer_was_awaited() {
    for (step, kinds, effect) in [
        ("creating", "creation-unclear", "locate"),
        ("locating", "", "locate"),
        ("created", "checking-remote", "check"),
        ("checking", "", "check"),
        ("clearing", "", "withdraw"),
        ("sending", "sending-unclear", "probe"),
        ("probing", "", "probe"),
        ("sent", "", "watch"),
        ("cancelling", "", "withdraw"),
        ("fetching", "", "fetch"),
        ("received", "", "verify"),
        ("held", "", ""),
        ("released", "", "survey"),
        ("unknown", "", ""),
        ("ended", "", "shred"),
        ("closed", "", ""),
    ] {
        let mut bench = Bench::new().at(step);
        assert_eq!(bench.give(Command::Resume), kinds, "{step}");
        assert_eq!(bench.effects(), effect, "{step}");
    }
}

#[test]
fn a_printer_that_aborts_five_times_is_given_up() {
    let mut bench = Bench::new().at("sent");
    for attempt in 1..=5 {
        let name = Some(job_name(job_no(1), attempt));
        let sighting = Sighting::Seen(RemoteView {
            name,
            ..view(Aborted, Some(0))
        });
        let aborted = Command::Sighted {
            job: job_no(1),
            attempt,
            sighting,
        };
        assert_eq!(bench.give(aborted), "attempt-failed");
        let attempt = attempt + 1;
        let survey = ready(mark());
        let again = Command::Surveyed {
            job: job_no(1),
            printer: "a".to_owned(),
            survey,
        };
        if attempt > 5 {
            assert_eq!(bench.give(again), "ended");
            continue;
        }
        assert_eq!(bench.give(again), "attempt-started");
        let (job, opened) = (job_no(1), Some(revision().sha256));
        bench.give(Command::Created {
            job,
            attempt,
            remote: remote(),
            unsupported: Vec::new(),
        });
        bench.give(Command::Prepared {
            job,
            attempt,
            opened,
        });
        assert_eq!(bench.give(Command::Sent { job, attempt }), "sent");
    }
    assert_eq!(
        bench.public(),
        (JobState::Failed, Some(Reason::AttemptsExhausted))
    );
}

#[test]
fn bytes_that_are_not_the_verified_ones_never_leave() {
    for opened in [None, Some(Sha256Digest::from_bytes([5; 32]))] {
        let mut bench = Bench::new().at("created");
        let command = Command::Prepared {
            job: job_no(1),
            attempt: 1,
            opened,
        };
        assert_eq!(bench.give(command), "cancelling-remote");
        let Step::Cancelling {
            then, bytes_left, ..
        } = bench.attempt().step
        else {
            panic!("the empty job at the printer is called off");
        };
        let (state, reason) = (JobState::Failed, Reason::SpoolLost);
        assert_eq!(
            (then, bytes_left),
            (Afterwards::End { state, reason }, false)
        );
        assert_eq!(bench.see(view(Canceled, None)), "ended");
        assert_eq!(bench.public(), (state, Some(reason)));
    }
}

#[test]
fn an_observation_of_an_attempt_or_step_that_is_over_is_stale() {
    let job = job_no(1);
    let sighting = Sighting::Absent;
    for attempt in [0, 2] {
        let mut bench = Bench::new().at("sent");
        let command = Command::Sighted {
            job,
            attempt,
            sighting: sighting.clone(),
        };
        assert_eq!(bench.give(command), Refusal::Stale.code());
    }
    for stage in STAGES {
        let mut bench = Bench::new().at(stage);
        let seen = bench.see(view(Completed, None));
        let looks = [
            "locating",
            "checking",
            "seeking",
            "probing",
            "sent",
            "cancelling",
        ];
        assert_eq!(
            seen == Refusal::Stale.code(),
            !looks.contains(&stage),
            "{stage}"
        );
        let mut bench = Bench::new().at(stage);
        let sent = bench.give(Command::Sent { job, attempt: 1 });
        assert_eq!(sent == "sent", stage == "sending", "{stage}");
    }
}
