//! A crash at each step, with and without the step having happened at the printer.

use loket_domain::print::{Answer, Command};
use loket_wire::{JobState, Reason, Release};

use crate::printer::{Fate, Op, ready};
use crate::world::{World, job_no, officer, until};

/// Lets the machine die while `op` is under way (after the printer did it, or before), and gives it back restarted.
async fn crashed(op: Op, fate: Fate, is_single_document: bool) -> World {
    let mut world = World::new();
    let printer = world.printer();
    printer.answers_survey(ready(is_single_document));
    printer.set(op, fate);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the step is under way", |printer| printer.count(op) == 1)
        .await;
    world.crash().await;
    printer.set(op, Fate::Answered);
    world.start().await;
    world
}

async fn check(op: Op, fate: Fate, is_single_document: bool) {
    let case = format!("{op:?} {fate:?} single: {is_single_document}");
    let world = crashed(op, fate, is_single_document).await;
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None), "{case}");
    assert_eq!(world.printer().sheets().len(), 1, "{case}");
}

#[tokio::test]
async fn a_crash_at_any_step_costs_no_sheet_and_makes_no_second_one() {
    for is_single_document in [true, false] {
        for op in [Op::Survey, Op::Create, Op::Send, Op::Look] {
            for fate in [Fate::Silent, Fate::Stuck] {
                check(op, fate, is_single_document).await;
            }
        }
    }
}

#[tokio::test]
async fn a_job_made_and_not_heard_of_is_adopted() {
    let world = crashed(Op::Create, Fate::Silent, true).await;
    world.until_closed(job_no(1)).await;
    assert_eq!(world.printer().count(Op::Create), 1);
    assert_eq!(world.printer().count(Op::Locate), 1);
}

#[tokio::test]
async fn a_document_taken_and_not_heard_of_is_not_sent_again() {
    let world = crashed(Op::Send, Fate::Silent, true).await;
    world.until_closed(job_no(1)).await;
    assert_eq!(world.printer().count(Op::Send), 1);
}

#[tokio::test]
async fn a_document_that_never_left_is_sent_to_the_same_job_where_a_second_one_would_be_refused() {
    let world = crashed(Op::Send, Fate::Stuck, true).await;
    world.until_closed(job_no(1)).await;
    let printer = world.printer();
    assert_eq!((printer.count(Op::Create), printer.count(Op::Send)), (1, 2));
    assert_eq!(printer.count(Op::Cancel), 0);
}

#[tokio::test]
async fn a_document_that_may_have_left_is_not_sent_twice_to_a_printer_of_many_documents() {
    let world = crashed(Op::Send, Fate::Stuck, false).await;
    world.until_closed(job_no(1)).await;
    let printer = world.printer();
    assert_eq!(printer.count(Op::Cancel), 1, "the first job is called off");
    assert_eq!(printer.count(Op::Create), 2);
}

#[tokio::test]
async fn a_crash_while_shredding_is_followed_by_shredding() {
    let mut world = World::new();
    world.start().await;
    world
        .accept(&world.spooled(1, Release::Officer))
        .await
        .unwrap();
    world.until_state(job_no(1), JobState::Held).await;
    let cancel = Command::Cancel {
        job: job_no(1),
        by: officer(),
    };
    world.desk().submit(cancel).await.unwrap();
    world.crash().await;
    world.start().await;
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Cancelled, Some(Reason::ByOfficer)));
}

#[tokio::test]
async fn a_stop_lets_a_document_that_is_leaving_finish_and_keeps_its_answer() {
    let mut world = World::new();
    let printer = world.printer();
    printer.set(Op::Send, Fate::Silent);
    printer.hold_sheets();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the document is leaving", |printer| {
            printer.count(Op::Send) == 1
        })
        .await;
    let stopping = tokio::join!(world.stop(), async {
        // The unit waits for the answer, which comes while it is stopping.
        tokio::task::yield_now().await;
        printer.set(Op::Send, Fate::Answered);
    });
    stopping.0.unwrap();
    assert_eq!(world.events(job_no(1)).await.last().unwrap(), "sent");
    assert_eq!(printer.dropped(Op::Send), 0);
    printer.finish();
    world.start().await;
    world.until_closed(job_no(1)).await;
    assert_eq!(printer.count(Op::Send), 1);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_printer_that_is_only_asked() {
    let mut world = World::new();
    let printer = world.printer();
    printer.set(Op::Survey, Fate::Stuck);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the printer is asked", |printer| {
            printer.count(Op::Survey) == 1
        })
        .await;
    world.stop().await.unwrap();
    assert_eq!(printer.dropped(Op::Survey), 1);
}

#[tokio::test]
async fn a_job_whose_printer_left_the_settings_is_asked_of_the_officer() {
    let mut world = World::new();
    let printer = world.printer();
    printer.hold_sheets();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the sheet is under way", |printer| {
            printer.count(Op::Look) > 0
        })
        .await;
    world.crash().await;
    world.printers.clear();
    world.lanes.clear();
    world.start().await;
    world.until_state(job_no(1), JobState::Unknown).await;
    let unknown = Some(Reason::NoPrinter);
    assert_eq!(world.job(job_no(1)).await.reason, unknown);
    // That none came out cannot be checked there, so it takes a second word that names the attempt.
    let did_not = |attempt| Command::Answer {
        job: job_no(1),
        attempt,
        answer: Answer::DidNot,
        by: officer(),
    };
    world.desk().submit(did_not(None)).await.unwrap();
    until("it is asked again", || async {
        let events = world.events(job_no(1)).await;
        events
            .iter()
            .filter(|kind| *kind == "became-unknown")
            .count()
            == 2
    })
    .await;
    let vague = world.desk().submit(did_not(None)).await;
    assert!(vague.is_err(), "{vague:?}");
    world.desk().submit(did_not(Some(1))).await.unwrap();
    world.until_state(job_no(1), JobState::Printing).await;
}
