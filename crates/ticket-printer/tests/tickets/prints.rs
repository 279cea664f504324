//! What becomes of a ticket, on sound printers and with each fault.

use std::time::Duration;

use loket_sim::ticket_printer::{Knobs, Truth};
use loket_ticket_printer::{
    Answering, Doubt, Evidence, Fault, Outcome, Profile, ProfileError, QrBy, Refusal,
    TicketPrinter, render,
};

use crate::bench::{ANSWERING, Bench, clean_slip, profile, speaking, ticket};

/// Turns a printer's knobs.
type Turn = fn(&mut Knobs);

fn keywords(outcome: &Outcome) -> Vec<&'static str> {
    match outcome {
        Outcome::NotPrinted(refusal) => refusal.keywords(),
        Outcome::Unclear { why, .. } => why.keywords(),
        Outcome::Printed { after, .. } | Outcome::Accepted { after, .. } => {
            after.iter().flat_map(|status| status.keywords()).collect()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sound_printer_says_as_much_as_it_can() {
    for answering in ANSWERING {
        let profile = profile(answering, QrBy::Native);
        let bench = Bench::new(&profile, speaking(answering));
        let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
        let len = render(&ticket("A-007"), &profile).len();
        match (answering, outcome) {
            (Answering::InLine, Outcome::Printed { evidence, after }) => {
                assert_eq!(evidence, Evidence::InLine);
                assert!(after.unwrap().faults.is_empty());
            }
            (Answering::ProcessId, Outcome::Printed { evidence, .. }) => {
                assert_eq!(evidence, Evidence::ProcessId);
            }
            (Answering::Nothing, Outcome::Accepted { bytes, after }) => {
                assert_eq!((bytes, after.map(|it| it.is_known)), (len, Some(false)));
            }
            (Answering::Status, Outcome::Accepted { bytes, after }) => {
                assert_eq!((bytes, after.map(|it| it.is_known)), (len, Some(true)));
            }
            (answering, outcome) => panic!("{answering:?}: {outcome:?}"),
        }
        assert_eq!(bench.with_number("A-007").len(), 1);
        assert_eq!(bench.device().drawer_kicks(), 0);
        assert_eq!(bench.device().unknown_commands(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn tickets_come_out_one_by_one_each_whole() {
    for answering in ANSWERING {
        for qr in [QrBy::Native, QrBy::Raster] {
            let profile = profile(answering, qr);
            let bench = Bench::new(&profile, speaking(answering));
            let mut printer = bench.printer(&profile);
            for number in 1..=5 {
                let number = format!("C-{number:03}");
                let outcome = printer.print(&ticket(&number)).await;
                assert_eq!(outcome.confirm_on_screen(), answering < Answering::InLine);
                let clean = clean_slip(&profile, &ticket(&number)).await;
                assert_eq!(bench.slips().last(), Some(&clean));
            }
            assert_eq!(bench.slips().len(), 5);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_cannot_print_is_told_and_gets_nothing() {
    let cases: [(Turn, Fault); 7] = [
        (|it| it.paper_dots = Some(0), Fault::PaperEnd),
        (|it| it.cover_open = true, Fault::CoverOpen),
        (|it| it.offline = true, Fault::Offline),
        (|it| it.hot = true, Fault::TooHot),
        (|it| it.broken = true, Fault::Broken),
        (|it| it.failure = true, Fault::Failure),
        (
            |it| {
                it.paper_dots = Some(0);
                it.near_end = true;
            },
            Fault::PaperEnd,
        ),
    ];
    for answering in [Answering::Status, Answering::InLine, Answering::ProcessId] {
        for (turn, fault) in cases {
            let profile = profile(answering, QrBy::Native);
            let bench = Bench::new(&profile, speaking(answering));
            bench.turn(turn);
            let mut printer = bench.printer(&profile);
            let outcome = printer.print(&ticket("A-007")).await;
            let Outcome::NotPrinted(Refusal::Faults(status)) = &outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(status.faults.first(), Some(&fault));
            // Eight zeroes, the four questions, and these once more after a silence are all that it was sent.
            assert_eq!(bench.device().received_bytes(), 8 + 24);
            assert_eq!(printer.status().await.unwrap(), *status);
            bench.mend();
            assert!(bench.slips().is_empty());
            let outcome = printer.print(&ticket("A-008")).await;
            let clean = clean_slip(&profile, &ticket("A-008")).await;
            assert_eq!(bench.slips(), [clean], "{outcome:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_usb_printer_that_only_tells_its_interface_is_heard() {
    let profile = profile(Answering::Nothing, QrBy::Native);
    let mut bench = Bench::new(&profile, speaking(Answering::Nothing));
    bench.has_port_status = true;
    let mut printer = bench.printer(&profile);
    assert!(printer.status().await.unwrap().is_known);
    bench.turn(|knobs| knobs.paper_dots = Some(0));
    let outcome = printer.print(&ticket("A-007")).await;
    assert!(
        matches!(outcome, Outcome::NotPrinted(Refusal::Faults(_))),
        "{outcome:?}"
    );
    assert_eq!(keywords(&outcome), ["media-empty"]);
    assert_eq!(bench.device().received_bytes(), 0);
    bench.turn(|knobs| {
        knobs.paper_dots = None;
        knobs.cover_open = true;
    });
    assert_eq!(printer.status().await.unwrap().faults, [Fault::Offline]);
}

#[tokio::test(start_paused = true)]
async fn a_roll_that_is_nearly_at_its_end_still_prints_and_says_so() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        let profile = profile(answering, QrBy::Native);
        let bench = Bench::new(&profile, speaking(answering));
        bench.turn(|knobs| knobs.near_end = true);
        let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
        assert!(!outcome.confirm_on_screen(), "{outcome:?}");
        assert_eq!(keywords(&outcome), ["media-low"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_that_ends_amid_a_ticket_and_a_stuck_knife_are_unclear_within_moments() {
    let cases: [(Turn, &str); 2] = [
        (|it| it.paper_dots = Some(600), "media-empty"),
        (|it| it.cutter_jams = true, "separation-cutter-jam"),
    ];
    for answering in [Answering::InLine, Answering::ProcessId] {
        for (turn, keyword) in cases {
            let profile = profile(answering, QrBy::Native);
            let bench = Bench::new(&profile, speaking(answering));
            let mut printer = bench.printer(&profile);
            assert!(!printer.print(&ticket("A-006")).await.confirm_on_screen());
            bench.turn(turn);
            let before = bench.now();
            let outcome = printer.print(&ticket("A-007")).await;
            assert_eq!(keywords(&outcome), [keyword], "{outcome:?}");
            let Outcome::Unclear {
                accepted_bytes,
                of_bytes,
                why: Doubt::Stopped(_),
            } = outcome
            else {
                panic!("{outcome:?}");
            };
            assert_eq!(accepted_bytes, of_bytes);
            assert!(
                bench.now() - before <= Duration::from_secs(2),
                "virtual time"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_printer_with_a_small_buffer_prints_and_is_waited_for() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        let profile = profile(answering, QrBy::Raster);
        let bench = Bench::new(&profile, speaking(answering));
        bench.turn(|knobs| {
            knobs.buffer_bytes = 300;
            knobs.bytes_per_s = Some(5_000);
        });
        let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
        assert!(!outcome.confirm_on_screen(), "{outcome:?}");
        assert_eq!(bench.with_number("A-007").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_stops_taking_amid_a_ticket_is_unclear_with_what_it_took() {
    let profile = profile(Answering::InLine, QrBy::Raster);
    let bench = Bench::new(&profile, speaking(Answering::InLine));
    let mut printer = bench.printer(&profile);
    assert!(!printer.print(&ticket("A-006")).await.confirm_on_screen());
    bench.turn(|knobs| {
        knobs.buffer_bytes = 512;
        knobs.paper_dots = Some(400);
    });
    let outcome = printer.print(&ticket("A-007")).await;
    let Outcome::Unclear {
        accepted_bytes,
        of_bytes,
        why,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(
        0 < accepted_bytes && accepted_bytes < of_bytes,
        "{accepted_bytes} of {of_bytes}"
    );
    // Its buffer is full, so not even a question at once reaches it.
    assert!(matches!(why, Doubt::Stalled), "{why:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_come_late_are_waited_for_and_too_late_ones_are_silence() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        let profile = profile(answering, QrBy::Native);
        let bench = Bench::new(&profile, speaking(answering));
        bench.turn(|knobs| knobs.answer_ms = 400);
        let mut printer = bench.printer(&profile);
        let outcome = printer.print(&ticket("A-007")).await;
        assert!(!outcome.confirm_on_screen(), "{outcome:?}");
        bench.turn(|knobs| knobs.answer_ms = 1_500);
        let outcome = printer.print(&ticket("A-008")).await;
        assert!(
            matches!(outcome, Outcome::NotPrinted(Refusal::Silent)),
            "{outcome:?}"
        );
        assert!(bench.with_number("A-008").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_print_nothing() {
    for (truth, keyword) in [
        (Truth::Garbage, "not-answering"),
        (Truth::WrongBits, "not-answering"),
        (Truth::Twice, "answers-not-understood"),
    ] {
        for answering in [Answering::Status, Answering::InLine, Answering::ProcessId] {
            let profile = profile(answering, QrBy::Native);
            let bench = Bench::new(&profile, speaking(answering));
            bench.turn(|knobs| knobs.truth = truth);
            let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
            assert_eq!(keywords(&outcome), [keyword], "{truth:?} {outcome:?}");
            assert!(matches!(outcome, Outcome::NotPrinted(_)), "{outcome:?}");
            assert!(bench.slips().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_promises_more_than_the_printer_answers_prints_nothing() {
    let profile = profile(Answering::ProcessId, QrBy::Native);
    for answering in [Answering::Nothing, Answering::Status, Answering::InLine] {
        let bench = Bench::new(&profile, speaking(answering));
        let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
        assert_eq!(keywords(&outcome), ["not-answering"], "{answering:?}");
        assert!(bench.slips().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_answers_in_line_too_early_is_found_out_where_it_stops() {
    let profile = profile(Answering::InLine, QrBy::Native);
    let bench = Bench::new(&profile, speaking(Answering::InLine));
    let mut printer = bench.printer(&profile);
    bench.turn(|knobs| {
        knobs.truth = Truth::Early;
        knobs.paper_dots = Some(600);
    });
    let outcome = printer.print(&ticket("A-007")).await;
    assert_eq!(keywords(&outcome), ["media-empty"], "{outcome:?}");
    assert!(outcome.confirm_on_screen());
}

#[tokio::test(start_paused = true)]
async fn a_print_that_is_dropped_amid_the_ticket_leaves_the_next_one_whole() {
    for answering in ANSWERING {
        let profile = profile(answering, QrBy::Raster);
        let clean = clean_slip(&profile, &ticket("A-008")).await;
        for stop_ms in [1, 40, 80, 120, 160, 200, 400, 800] {
            let bench = Bench::new(&profile, speaking(answering));
            bench.turn(|knobs| {
                knobs.bytes_per_s = Some(20_000);
                knobs.buffer_bytes = 128;
            });
            let mut printer = bench.printer(&profile);
            let first = ticket("A-007");
            let dropped = printer.print(&first);
            tokio::time::timeout(Duration::from_millis(stop_ms), dropped)
                .await
                .ok();
            bench.mend();
            let outcome = printer.print(&ticket("A-008")).await;
            assert_eq!(
                outcome.confirm_on_screen(),
                answering < Answering::InLine,
                "{outcome:?}"
            );
            assert_eq!(
                bench.slips().last(),
                Some(&clean),
                "{answering:?} {stop_ms}"
            );
        }
    }
}

#[test]
fn a_profile_that_cannot_be_makes_no_printer() {
    let broken = Profile {
        columns: 3,
        ..Profile::plain_80mm()
    };
    let address = "127.0.0.1:9".parse().unwrap();
    let transport = Box::new(loket_ticket_printer::TcpTransport::new(address));
    let refused = TicketPrinter::new(transport, broken, 0).unwrap_err();
    assert_eq!(refused, ProfileError::Columns(3));
}
