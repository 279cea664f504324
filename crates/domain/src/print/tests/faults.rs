//! Printers that fail, are away or busy, refuse what the sheet rests on, or are told by a person to stop.

use super::*;
use crate::print::{Asked, Step};
use RemoteState::{AwaitingDocument, Canceled, Completed};

/// A printer that answers every question but fails to make the job; gives the pauses and how it ended.
fn always_failing(mut bench: Bench) -> (Vec<u64>, usize, Bench) {
    let (mut pauses, mut lines) = (Vec::new(), 0);
    for attempt in 1..100 {
        let mut paused = 0;
        while bench.effects() != "survey" {
            assert_eq!(bench.effects(), "", "nothing is asked while it pauses");
            let wake = bench.desk.wake_at(bench.now).unwrap();
            let ms = wake.unix_ms() - bench.now.wall.unix_ms();
            let seconds = u64::try_from(ms).unwrap() / 1000;
            bench.pass(seconds);
            paused += seconds;
        }
        pauses.push(paused);
        let job = job_no(1);
        let mut kinds = vec![bench.survey()];
        if kinds[0] == "ended" {
            return (pauses, lines, bench);
        }
        kinds.push(bench.give(Command::CreateUnclear { job, attempt }));
        kinds.push(bench.give(Command::Sighted {
            job,
            attempt,
            sighting: Sighting::Absent,
        }));
        lines += kinds.join(" ").split(' ').count();
    }
    panic!("it goes on for ever");
}

#[test]
fn a_printer_that_never_makes_the_job_gets_twenty_attempts_in_an_hour_and_is_given_up() {
    let mut order = facts(job_no(1));
    order.not_after = NOON.saturating_add(Duration::from_secs(9 * 86_400));
    let (pauses, lines, bench) = always_failing(Bench::new().at("released"));
    assert_eq!(pauses[..5], [0, 1, 2, 4, 8]);
    assert_eq!(pauses.last(), Some(&300));
    let all: u64 = pauses.iter().sum();
    assert!(all > 3_000 && all < 4_500, "about an hour: {all}");
    assert_eq!(
        lines,
        20 * 3 + 1,
        "three lines an attempt, and one that says why"
    );
    let expect = (JobState::Failed, Some(Reason::AttemptsExhausted));
    assert_eq!(bench.public(), expect);
}

#[test]
fn crashes_are_no_fault_of_the_printer() {
    let mut bench = Bench::new().at("released");
    for attempt in 1..50 {
        assert_eq!(bench.survey(), "attempt-started");
        assert_eq!(bench.give(Command::Resume), "creation-unclear");
        let kinds = bench.give(Command::Sighted {
            job: job_no(1),
            attempt,
            sighting: Sighting::Absent,
        });
        assert_eq!(kinds, "attempt-failed");
    }
    assert_eq!(bench.job().fault_count, 0);
}

#[test]
fn that_a_printer_fails_is_told_once_and_that_it_works_again_too() {
    let mut bench = Bench::new().at("creating");
    let job = job_no(1);
    bench.give(Command::CreateUnclear { job, attempt: 1 });
    assert_eq!(bench.see_nothing(), "attempt-failed waiting");
    let expect = (JobState::Printing, Some(Reason::PrinterFault));
    assert_eq!(bench.public(), expect);
    bench.pass(1);
    bench.survey();
    bench.give(Command::CreateUnclear { job, attempt: 2 });
    let failed = bench.give(Command::Sighted {
        job,
        attempt: 2,
        sighting: Sighting::Absent,
    });
    assert_eq!(failed, "attempt-failed");
    bench.pass(2);
    bench.survey();
    let created = Command::Created {
        job,
        attempt: 3,
        remote: remote(),
        unsupported: Vec::new(),
    };
    assert_eq!(bench.give(created), "waiting remote-created");
    assert_eq!(bench.public(), (JobState::Printing, None));
}

fn waits(bench: &mut Bench, reason: Reason) -> String {
    let job = job_no(1);
    let attempt = bench.job().attempt_count;
    bench.give(Command::Waits {
        job,
        attempt,
        reason,
    })
}

#[test]
fn why_a_job_waits_is_told_when_it_changes_and_at_most_once_a_minute() {
    for stage in ["released", "creating", "clearing"] {
        let mut bench = Bench::new().at(stage);
        assert_eq!(waits(&mut bench, Reason::PrinterAway), "waiting", "{stage}");
        assert_eq!(waits(&mut bench, Reason::PrinterAway), "");
        assert_eq!(waits(&mut bench, Reason::PrinterBusy), "", "too soon");
        bench.pass(60);
        assert_eq!(waits(&mut bench, Reason::PrinterBusy), "waiting");
        let expect = (JobState::Printing, Some(Reason::PrinterBusy));
        assert_eq!(bench.public(), expect);
    }
}

#[test]
fn a_printer_that_stays_busy_is_asked_again_what_it_holds() {
    let mut bench = Bench::new().at("creating");
    waits(&mut bench, Reason::PrinterBusy);
    bench.pass(300);
    assert_eq!(waits(&mut bench, Reason::PrinterBusy), "attempt-failed");
    assert_eq!(bench.job().fault_count, 0, "no failure");
    assert_eq!(bench.effects(), "survey");
}

#[test]
fn a_job_called_off_or_out_of_time_while_its_printer_is_away_ends_without_it() {
    let mut bench = Bench::new().at("calling-off");
    assert_eq!(waits(&mut bench, Reason::PrinterAway), "ended");
    let expect = (JobState::Cancelled, Some(Reason::ByOfficer));
    assert_eq!(bench.public(), expect);

    let mut bench = Bench::new().at("creating");
    bench.pass(90_000);
    assert_eq!(waits(&mut bench, Reason::PrinterAway), "ended");
    let expired = (JobState::Expired, Some(Reason::NotAfter));
    assert_eq!(bench.public(), expired);
}

#[test]
fn nothing_is_sent_after_its_time() {
    let expired = (JobState::Expired, Some(Reason::NotAfter));
    let (job, attempt) = (job_no(1), 1);
    for stage in ["creating", "created", "locating", "checking"] {
        let mut bench = Bench::new().at(stage);
        bench.pass(90_000);
        let kinds = match stage {
            "creating" => bench.give(Command::Created {
                job,
                attempt,
                remote: remote(),
                unsupported: Vec::new(),
            }),
            "created" => bench.give(Command::Prepared {
                job,
                attempt,
                opened: Some(revision().sha256),
            }),
            _looked_for => {
                assert_eq!(bench.give(Command::Tick), "called-off");
                bench.see(view(AwaitingDocument, Some(0)))
            }
        };
        assert_eq!(kinds, "cancelling-remote", "{stage}");
        assert_eq!(bench.see(view(Canceled, Some(0))), "ended");
        assert_eq!(bench.public(), expired, "{stage}");
    }
}

#[test]
fn a_document_that_was_not_taken_leaves_no_doubt_the_first_time() {
    let (job, attempt) = (job_no(1), 1);
    let mut bench = Bench::new().at("sending");
    let kinds = bench.give(Command::SendNotTaken { job, attempt });
    assert_eq!(kinds, "cancelling-remote", "the empty job does not stay");
    for (seen, expect) in [
        (None, "attempt-failed waiting"),
        (Some(1), "became-unknown"),
    ] {
        let mut bench = Bench::new().at("sending");
        bench.give(Command::SendNotTaken { job, attempt });
        let kinds = match seen {
            Some(pages) => bench.see(view(Completed, Some(pages))),
            None => bench.see_nothing(),
        };
        assert_eq!(kinds, expect);
    }
    let mut bench = Bench::new().at("probing");
    bench.see(view(AwaitingDocument, None));
    let kinds = bench.give(Command::SendNotTaken { job, attempt });
    assert_eq!(kinds, "sending-unclear", "an earlier one may have arrived");
}

#[test]
fn a_document_that_cannot_be_drawn_ends_its_job_and_leaves_none_at_the_printer() {
    let (job, attempt) = (job_no(1), 1);
    let not_drawn = Command::SendNotDrawn { job, attempt };
    let mut bench = Bench::new().at("sending");
    assert_eq!(bench.give(not_drawn.clone()), "cancelling-remote");
    assert_eq!(bench.see(view(Canceled, Some(0))), "ended");
    let failed = (JobState::Failed, Some(Reason::NotDrawn));
    assert_eq!(bench.public(), failed);
    let mut bench = Bench::new().at("probing");
    bench.see(view(AwaitingDocument, None));
    let kinds = bench.give(not_drawn);
    assert_eq!(kinds, "sending-unclear", "an earlier one may have arrived");
}

#[test]
fn a_raster_is_sent_in_the_shape_that_the_mark_says() {
    let setup = RasterSetup {
        format: RasterFormat::Pwg,
        colours: RasterColours::Gray,
        resolution_dpi: 600,
        coarser_dpi: None,
    };
    let mark = PrinterMark {
        format: setup.format.media_type().to_owned(),
        raster: Some(setup),
        ..mark()
    };
    let json = serde_json::to_value(&mark).unwrap();
    assert_eq!(json["raster"]["resolution_dpi"], 600);
    assert_eq!(serde_json::from_value::<PrinterMark>(json).unwrap(), mark);
}

#[test]
fn a_document_goes_only_to_the_very_job_that_was_made() {
    let reused = RemoteView {
        name: Some("minutes.pdf".to_owned()),
        uuid: Some("urn:uuid:other".to_owned()),
        ..view(AwaitingDocument, None)
    };
    let mut bench = Bench::new().at("checking");
    assert_eq!(bench.see(reused), "attempt-failed");
    let mut bench = Bench::new().at("checking");
    assert_eq!(
        bench.see(view(AwaitingDocument, None)),
        "remote-confirmed sending-began"
    );
    assert_eq!(bench.attempt().step, Step::Sending(remote()));
    let mut bench = Bench::new().at("checking");
    bench.pass(2 * 86_400);
    assert_eq!(
        bench.see(view(AwaitingDocument, None)),
        "cancelling-remote",
        "past its time while the program was off"
    );
    let mut bench = Bench::new().at("checking");
    assert_eq!(bench.see(view(Completed, None)), "became-unknown");
}

#[test]
fn a_printer_that_started_again_is_not_sent_to_again() {
    let mut bench = Bench::new().at("probing");
    let restarted = RemoteView {
        up_time_s: Some(3),
        ..view(AwaitingDocument, Some(0))
    };
    assert_eq!(bench.see(restarted), "cancelling-remote");
    let canceled = RemoteView {
        up_time_s: Some(4),
        ..view(Canceled, Some(0))
    };
    assert_eq!(bench.see(canceled), "became-unknown");
    let expect = (JobState::Unknown, Some(Reason::PrinterRestarted));
    assert_eq!(bench.public(), expect);
}

/// Its word about what came out is another printer's, and its numbers are.
#[test]
fn another_printer_at_the_same_address_counts_as_one_that_started_again() {
    let on = |device: &str, state| RemoteView {
        printer_uuid: Some(device.to_owned()),
        ..view(state, Some(0))
    };
    let (same, other) = ("urn:uuid:printer", "urn:uuid:another");
    for (device, next) in [(same, "sending-began"), (other, "cancelling-remote")] {
        let mut bench = Bench::new().at("probing");
        assert_eq!(bench.see(on(device, AwaitingDocument)), next, "{device}");
    }
    for (device, next) in [
        (same, "remote-confirmed sending-began"),
        (other, "cancelling-remote"),
    ] {
        let mut bench = Bench::new().at("checking");
        assert_eq!(bench.see(on(device, AwaitingDocument)), next, "{device}");
    }
    let mut bench = Bench::new().at("sent");
    assert_eq!(bench.see(on(same, Canceled)), "attempt-failed");
    let mut bench = Bench::new().at("sent");
    assert_eq!(bench.see(on(other, Canceled)), "became-unknown");
    let expect = (JobState::Unknown, Some(Reason::PrinterRestarted));
    assert_eq!(bench.public(), expect);
}

/// The mark says 500 s of up-time, and the job was made after it.
#[test]
fn a_job_that_is_older_than_its_attempt_tells_of_a_printer_that_started_again() {
    for (created_at_s, next) in [
        (Some(501), "sending-began"),
        (Some(490), "sending-began"),
        (Some(12), "cancelling-remote"),
        (Some(0), "cancelling-remote"),
        (Some(-40), "cancelling-remote"),
        (None, "sending-began"),
    ] {
        let mut bench = Bench::new().at("probing");
        let seen = RemoteView {
            created_at_s,
            ..view(AwaitingDocument, Some(0))
        };
        assert_eq!(bench.see(seen), next, "{created_at_s:?}");
    }
}

#[test]
fn a_document_that_the_printer_does_not_find_is_taken_back_after_a_minute() {
    let mut bench = Bench::new().at("sent");
    let seen = || view(AwaitingDocument, Some(0));
    assert_eq!(bench.see(seen()), "");
    bench.pass(59);
    assert_eq!(bench.see(seen()), "");
    bench.pass(1);
    let later = RemoteView {
        up_time_s: Some(660),
        ..seen()
    };
    assert_eq!(bench.see(later), "cancelling-remote");
}

#[test]
fn a_count_that_the_profile_distrusts_holds_no_sheet_back() {
    for count in [0, 1, 7] {
        let mut bench = Bench::new();
        bench.mark.trusts_impressions = false;
        let mut bench = bench.at("sent");
        assert_eq!(bench.see(view(Completed, Some(count))), "ended");
        assert_eq!(bench.public(), (JobState::Printed, None));
    }
}

#[test]
fn a_person_who_cancels_at_the_printer_is_not_fought() {
    let by_person = |impressions| RemoteView {
        is_canceled_by_person: true,
        ..view(Canceled, impressions)
    };
    for step in ["probing", "sent"] {
        for (impressions, state) in [
            (Some(0), JobState::Cancelled),
            (None, JobState::Unknown),
            (Some(1), JobState::Unknown),
        ] {
            let mut bench = Bench::new().at(step);
            bench.see(by_person(impressions));
            let expect = (state, Some(Reason::CancelledAtPrinter));
            assert_eq!(bench.public(), expect, "{step} {impressions:?}");
        }
    }
}

#[test]
fn a_printer_that_would_scale_or_choose_other_paper_is_not_sent_a_certified_sheet() {
    let created = |unsupported: &[Asked]| Command::Created {
        job: job_no(1),
        attempt: 1,
        remote: remote(),
        unsupported: unsupported.to_vec(),
    };
    for asked in [Asked::Copies, Asked::Scaling, Asked::Media] {
        let mut bench = Bench::new().at("creating");
        let both = [Asked::Sides, asked];
        assert_eq!(bench.give(created(&both)), "cancelling-remote");
        assert_eq!(bench.see(view(Canceled, Some(0))), "ended");
        let expect = (JobState::Failed, Some(Reason::AttributesRefused));
        assert_eq!(bench.public(), expect);
    }
    let mut bench = Bench::new().at("creating");
    assert_eq!(bench.give(created(&[Asked::Sides])), "remote-created");
}

#[test]
fn a_job_whose_lane_left_the_settings_says_so_and_goes_on_when_it_is_back() {
    let mut bench = Bench::new().at("released");
    let lanes = std::mem::take(&mut bench.desk.lanes);
    assert_eq!(bench.give(Command::Tick), "waiting");
    assert_eq!(bench.give(Command::Tick), "");
    let expect = (JobState::Printing, Some(Reason::NoPrinter));
    assert_eq!(bench.public(), expect);
    bench.desk.lanes = lanes;
    assert_eq!(bench.give(Command::Tick), "waiting");
    assert_eq!(bench.public(), (JobState::Printing, None));
}

#[test]
fn a_job_for_a_printer_that_is_not_there_is_rejected() {
    let mut bench = Bench::new();
    let mut elsewhere = facts(job_no(1));
    elsewhere.printer = Some("c".to_owned());
    bench.accept(elsewhere);
    bench.give(Command::Received { job: job_no(1) });
    let outcome = Verification::Valid(revision());
    assert_eq!(
        bench.give(Command::Verified {
            job: job_no(1),
            outcome
        }),
        "ended"
    );
    assert_eq!(
        bench.public(),
        (JobState::Rejected, Some(Reason::NoPrinter))
    );
}

#[test]
fn a_printer_that_cannot_or_will_not_fails_the_job_before_any_byte() {
    let job = job_no(1);
    let mut bench = Bench::new().at("released");
    let survey = PrinterSurvey::FormatUnsupported;
    let printer = "a".to_owned();
    assert_eq!(
        bench.give(Command::Surveyed {
            job,
            printer,
            survey
        }),
        "ended"
    );
    assert_eq!(
        bench.public(),
        (JobState::Failed, Some(Reason::FormatUnsupported))
    );
    let mut bench = Bench::new().at("creating");
    assert_eq!(
        bench.give(Command::CreateRefused { job, attempt: 1 }),
        "ended"
    );
    assert_eq!(
        bench.public(),
        (JobState::Failed, Some(Reason::PrinterRefused))
    );
}
