//! What an earlier ticket or program left on the wire is never taken for an answer to this one.

use loket_sim::ticket_printer::Truth;
use loket_ticket_printer::{Answering, Outcome, QrBy};

use crate::bench::{Bench, profile, speaking, ticket};

/// Answers that may still lie on a wire, each alone and up to five times.
fn left_overs() -> Vec<Vec<u8>> {
    let one: [&[u8]; 9] = [
        &[0x00],
        &[0x03],
        &[0x12],
        &[0x1a],
        &[0x12, 0x00],
        &[0x00, 0x12],
        &[0x14, 0x00, 0x00, 0x0f],
        b"\x37\x220001\x00",
        &[0x11, 0x13],
    ];
    one.iter()
        .flat_map(|it| (0..=5).map(|times| it.repeat(times)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_sound_printer_prints_whatever_lies_on_the_wire() {
    for answering in [Answering::Status, Answering::InLine, Answering::ProcessId] {
        for left_over in left_overs() {
            let profile = profile(answering, QrBy::Native);
            let bench = Bench::new(&profile, speaking(answering));
            bench.turn(|knobs| knobs.left_over.clone_from(&left_over));
            let mut printer = bench.printer(&profile);
            let outcome = printer.print(&ticket("A-007")).await;
            let printed = matches!(outcome, Outcome::Printed { .. } | Outcome::Accepted { .. });
            assert!(printed, "{left_over:02x?}: {outcome:?}");
            assert_eq!(bench.with_number("A-007").len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_is_offline_is_never_taken_for_ready() {
    for answering in [Answering::Status, Answering::InLine, Answering::ProcessId] {
        for left_over in left_overs() {
            let profile = profile(answering, QrBy::Native);
            let bench = Bench::new(&profile, speaking(answering));
            bench.turn(|knobs| {
                knobs.left_over.clone_from(&left_over);
                knobs.cover_open = true;
            });
            let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
            assert!(
                matches!(outcome, Outcome::NotPrinted(_)),
                "{left_over:02x?}: {outcome:?}"
            );
            bench.mend();
            assert!(bench.slips().is_empty(), "{left_over:02x?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_breaks_off_is_not_printed_by_an_older_answer() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        for left_over in left_overs() {
            let profile = profile(answering, QrBy::Native);
            // 2,300 lies amid the ticket, behind what brings the printer to a fresh sheet.
            for dies_at in [2_100, 2_300, 2_500, 2_700] {
                let bench = Bench::new(&profile, speaking(answering));
                bench.turn(|knobs| {
                    knobs.left_over.clone_from(&left_over);
                    knobs.dies_at = Some(dies_at);
                });
                let outcome = bench.printer(&profile).print(&ticket("A-007")).await;
                assert!(
                    !matches!(outcome, Outcome::Printed { .. })
                        || !bench.with_number("A-007").is_empty(),
                    "{left_over:02x?} {dies_at}: {outcome:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_a_broken_ticket_still_owes_is_not_taken_for_the_next() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        let profile = profile(answering, QrBy::Native);
        let bench = Bench::new(&profile, speaking(answering));
        let mut printer = bench.printer(&profile);
        // The cover opens before the cut: the question of A-001 stays in the buffer, its answer is owed.
        bench.turn(|knobs| knobs.cover_opens_at = Some(2_400));
        let outcome = printer.print(&ticket("A-001")).await;
        assert!(matches!(outcome, Outcome::Unclear { .. }), "{outcome:?}");
        // Closed again, the rest comes out and the owed answer with it; the next ticket dies amid.
        bench.turn(|knobs| {
            knobs.cover_open = false;
            knobs.cover_opens_at = None;
        });
        let worked = bench.device().worked_bytes();
        bench.turn(|knobs| knobs.dies_at = Some(worked + 2_400));
        let outcome = printer.print(&ticket("A-002")).await;
        assert!(matches!(outcome, Outcome::Unclear { .. }), "{outcome:?}");
        assert!(bench.with_number("A-002").iter().all(|slip| !slip.is_cut));
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_whose_answers_stay_doubled_is_not_believed() {
    let profile = profile(Answering::InLine, QrBy::Native);
    let bench = Bench::new(&profile, speaking(Answering::InLine));
    let mut printer = bench.printer(&profile);
    assert!(!printer.print(&ticket("A-001")).await.confirm_on_screen());
    bench.turn(|knobs| knobs.truth = Truth::Twice);
    let outcome = printer.print(&ticket("A-002")).await;
    assert!(outcome.confirm_on_screen(), "{outcome:?}");
    assert!(printer.status().await.is_err());
}
