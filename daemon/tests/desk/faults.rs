//! Printers that lose answers or refuse, journals without room, documents that take the program down.

use std::time::Duration;

use loket_daemon::clock::Word;
use loket_daemon::unit::print::DeskError;
use loket_domain::print::{Asked, Command, PrinterSurvey};
use loket_journal::{Batch, Journal, JournalError};
use loket_wire::event::QuarantineReport;
use loket_wire::{JobReport, JobState, Reason, Release, Report, Sha256Digest};

use crate::printer::{Fate, Op};
use crate::world::{DAY, EPOCH, World, job_no, officer, until};

#[tokio::test]
async fn a_lost_answer_makes_no_second_sheet() {
    let cases = [
        (Op::Create, Fate::AnswerLost),
        (Op::Create, Fate::Lost),
        (Op::Send, Fate::AnswerLost),
        (Op::Send, Fate::Lost),
        (Op::Survey, Fate::Away),
        (Op::Look, Fate::Lost),
    ];
    for (op, fate) in cases {
        let mut world = World::new();
        let printer = world.printer();
        printer.set(op, fate);
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        world
            .until_printer("the answer is lost", |printer| printer.count(op) >= 1)
            .await;
        printer.set(op, Fate::Answered);
        let end = world.until_closed(job_no(1)).await;
        assert_eq!(end, (JobState::Printed, None), "{op:?} {fate:?}");
        assert_eq!(printer.sheets().len(), 1, "{op:?} {fate:?}");
    }
}

#[tokio::test]
async fn a_printer_that_refuses_or_cannot_do_it_ends_the_job_with_its_reason() {
    let cases = [
        (
            None,
            PrinterSurvey::OperationsMissing,
            Reason::PrinterRefused,
        ),
        (
            None,
            PrinterSurvey::FormatUnsupported,
            Reason::FormatUnsupported,
        ),
        (
            Some(Fate::Refused),
            crate::printer::ready(true),
            Reason::PrinterRefused,
        ),
    ];
    for (create, survey, reason) in cases {
        let mut world = World::new();
        let printer = world.printer();
        printer.answers_survey(survey);
        if let Some(fate) = create {
            printer.set(Op::Create, fate);
        }
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        let end = world.until_closed(job_no(1)).await;
        assert_eq!(end, (JobState::Failed, Some(reason)));
        assert_eq!(printer.count(Op::Send), 0);
    }
}

#[tokio::test]
async fn a_printer_that_never_makes_the_job_is_asked_twenty_times_and_given_up() {
    let mut world = World::new();
    let printer = world.printer();
    printer.set(Op::Create, Fate::Lost);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    // The longest pause is five minutes: in each the clock is set past it, until the job is over.
    for attempt in 1..=20_u32 {
        until("the attempt failed", || async {
            // Asking wakes the desk, which looks at the clock.
            world.job(job_no(1)).await;
            let events = world.events(job_no(1)).await;
            let failed = events.iter().filter(|kind| *kind == "attempt-failed");
            failed.count() >= usize::try_from(attempt).unwrap()
        })
        .await;
        let pauses = Duration::from_secs(301).saturating_mul(attempt);
        let word = Word::Command(u64::from(attempt) + 1);
        world.clock.hear(word, DAY.saturating_add(pauses));
    }
    let end = world.until_closed(job_no(1)).await;
    let exhausted = (JobState::Failed, Some(Reason::AttemptsExhausted));
    assert_eq!(end, exhausted);
    assert_eq!(printer.count(Op::Create), 20);
    assert!(world.events(job_no(1)).await.len() < 80);
    let told = world.told(job_no(1)).await;
    let printing = told
        .iter()
        .filter(|report| report.state == JobState::Printing);
    let reasons: Vec<_> = printing.map(|report| report.reason).collect();
    assert_eq!(reasons, [None, None, Some(Reason::PrinterFault)]);
}

#[tokio::test]
async fn a_job_that_waits_says_why_and_that_it_goes_on() {
    for (op, fate, reason) in [
        (Op::Create, Fate::Busy, Reason::PrinterBusy),
        (Op::Survey, Fate::Away, Reason::PrinterAway),
    ] {
        let mut world = World::new();
        let printer = world.printer();
        printer.set(op, fate);
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        until("central is told why", || async {
            world.job(job_no(1)).await.reason == Some(reason)
        })
        .await;
        printer.set(op, Fate::Answered);
        assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
        let told = world.told(job_no(1)).await;
        let is_printing = |report: &&JobReport| report.state == JobState::Printing;
        let printing = told.iter().filter(is_printing).map(|report| report.reason);
        let mut reasons: Vec<_> = printing.collect();
        reasons.dedup();
        assert_eq!(reasons, [None, Some(reason), None], "{op:?}");
    }
}

#[tokio::test]
async fn an_empty_job_that_nobody_owns_is_called_off_at_the_printer() {
    for name in [
        format!("loket:{}:1", job_no(9)),
        format!("loket:{}:4", job_no(1)),
    ] {
        let mut world = World::new();
        let printer = world.printer();
        printer.leave_stray(&name);
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
        assert_eq!(printer.waiting(), Vec::<String>::new(), "{name}");
        assert_eq!(printer.sheets().len(), 1);
    }
}

#[tokio::test]
async fn a_document_that_did_not_leave_goes_into_nobody_elses_job() {
    let mut world = World::new();
    let printer = world.printer();
    printer.set(Op::Send, Fate::Stuck);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the document is about to leave", |printer| {
            printer.count(Op::Send) == 1
        })
        .await;
    printer.restart_with_others_jobs();
    printer.set(Op::Send, Fate::Away);
    world
        .until_printer("it is tried anew", |printer| printer.count(Op::Send) == 2)
        .await;
    printer.set(Op::Send, Fate::Answered);
    assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
    let names: Vec<_> = printer
        .sheets()
        .into_iter()
        .map(|(name, _digest)| name)
        .collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].starts_with("loket:"), "{names:?}");
    assert_eq!(printer.waiting(), ["minutes.pdf"], "and stops none");
}

#[tokio::test]
async fn a_printer_that_would_print_something_else_is_not_sent_a_certified_sheet() {
    let mut world = World::new();
    let printer = world.printer();
    printer.ignores(&[Asked::Scaling]);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Failed, Some(Reason::AttributesRefused)));
    assert_eq!(printer.count(Op::Send), 0);
    assert!(printer.waiting().is_empty());
}

/// A world over a journal file of 512 KiB.
fn small() -> (World, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let (journal, _opened) = Journal::open_bounded(&path, *EPOCH.as_bytes(), 512 * 1024).unwrap();
    (World::over(journal), dir)
}

#[tokio::test]
async fn an_order_that_finds_no_room_in_the_journal_changes_nothing_and_may_come_again() {
    let (mut world, _dir) = small();
    world.start().await;
    let facts = world.spooled(1, Release::Now);
    let last = world.fill_journal().await;
    let refused = world.accept(&facts).await;
    assert!(
        matches!(refused, Err(DeskError::Journal(JournalError::Full))),
        "{refused:?}"
    );
    assert!(world.desk().jobs().await.unwrap().is_empty());
    world.journal.settle(last).await.unwrap();
    assert!(world.accept(&facts).await.unwrap());
    world.until_closed(job_no(1)).await;
}

#[tokio::test]
async fn an_answer_that_finds_no_room_is_told_until_there_is_and_the_step_is_not_repeated() {
    for op in [Op::Create, Op::Send] {
        let (mut world, _dir) = small();
        let printer = world.printer();
        printer.set(op, Fate::Silent);
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        world
            .until_printer("the step is done", |printer| printer.count(op) == 1)
            .await;
        let last = world.fill_journal().await;
        printer.set(op, Fate::Answered);
        let release = Command::Release {
            job: job_no(1),
            by: officer(),
        };
        // A few turns of the desk pass while the answer finds no room.
        for _turn in 0..8 {
            let _no_change = world.desk().submit(release.clone()).await;
        }
        world.journal.settle(last).await.unwrap();
        assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
        assert_eq!(printer.count(op), 1, "{op:?}");
        assert_eq!(printer.sheets().len(), 1, "{op:?}");
    }
}

#[tokio::test]
async fn a_start_without_room_answers_officers_and_asks_the_printer_once_there_is() {
    let (mut world, _dir) = small();
    let printer = world.printer();
    printer.set(Op::Send, Fate::Silent);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the document is leaving", |printer| {
            printer.count(Op::Send) == 1
        })
        .await;
    world.crash().await;
    let last = world.fill_journal().await;
    printer.set(Op::Send, Fate::Answered);
    world.start().await;
    assert_eq!(world.job(job_no(1)).await.state, JobState::Printing);
    assert_eq!(printer.count(Op::Look), 0);
    world.journal.settle(last).await.unwrap();
    assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
    assert_eq!(printer.count(Op::Send), 1);
}

#[tokio::test]
async fn a_desk_whose_journal_is_gone_ends_whatever_was_asked() {
    let report = || {
        Report::Quarantine(QuarantineReport {
            code: "M-101".to_owned(),
            payload_sha256: Sha256Digest::of(b"x"),
            size_bytes: 1,
        })
    };
    for ask in 0..3 {
        let mut world = World::new();
        world.start().await;
        let facts = world.spooled(1, Release::Now);
        let _answers = world.desk().jobs().await.unwrap();
        world.journal.clone().close().await.unwrap();
        let desk = world.desk();
        let refused = match ask {
            0 => world.accept(&facts).await.map(drop),
            1 => desk.report(report()).await,
            _ => desk.held().await.map(drop),
        };
        assert!(
            matches!(refused, Err(DeskError::Journal(JournalError::Stopped))),
            "{refused:?}"
        );
        assert!(world.ends().await.is_err());
    }
}

/// What an earlier run leaves that died three times while it read this document.
async fn died_reading(world: &World, times: u32) {
    let bytes = serde_json::to_vec(&serde_json::json!({ job_no(1).to_string(): times })).unwrap();
    let batch = Batch {
        meta: vec![("readings".to_owned(), bytes)],
        ..Batch::default()
    };
    world.journal.append(batch).await.unwrap();
}

#[tokio::test]
async fn a_document_that_took_the_program_down_three_times_is_set_aside() {
    for (times, expect) in [
        (2, (JobState::Printed, None)),
        (3, (JobState::Rejected, Some(Reason::Poison))),
    ] {
        let mut world = World::new();
        died_reading(&world, times).await;
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        world.accept(&world.spooled(2, Release::Now)).await.unwrap();
        assert_eq!(world.until_closed(job_no(1)).await, expect);
        assert_eq!(
            world.until_closed(job_no(2)).await,
            (JobState::Printed, None)
        );
    }
}

#[tokio::test]
async fn readings_that_were_answered_are_forgotten_at_an_orderly_end() {
    let mut world = World::new();
    died_reading(&world, 2).await;
    for _start in 0..3 {
        world.start().await;
        world.desk().jobs().await.unwrap();
        world.stop().await.unwrap();
    }
    let kept = world.journal.meta("readings").await.unwrap().unwrap();
    assert_eq!(kept, b"{}");
}

#[tokio::test]
async fn many_orders_at_once_are_all_printed_once() {
    let mut world = World::new();
    world.start().await;
    for no in 1..=20 {
        world
            .accept(&world.spooled(no, Release::Now))
            .await
            .unwrap();
    }
    until("every job is over", || async {
        world.desk().jobs().await.unwrap().is_empty()
    })
    .await;
    assert_eq!(world.printer().sheets().len(), 20);
}

/// A printer that takes a job only with its document.
#[tokio::test]
async fn a_job_that_comes_with_its_document_is_one_sheet_whatever_becomes_of_the_answer() {
    for fate in [Fate::AnswerLost, Fate::Lost, Fate::Away, Fate::Busy] {
        let mut world = World::new();
        let printer = world.printer();
        printer.answers_survey(crate::printer::ready_whole());
        printer.set(Op::Print, fate);
        world.start().await;
        world.accept(&world.spooled(1, Release::Now)).await.unwrap();
        world
            .until_printer("it was asked for", |printer| printer.count(Op::Print) >= 1)
            .await;
        printer.set(Op::Print, Fate::Answered);
        // A fault pauses the job for a second by the clock, which stands still in a test.
        world
            .clock
            .hear(Word::Command(2), DAY.saturating_add(Duration::from_secs(2)));
        let end = world.until_closed(job_no(1)).await;
        assert_eq!(end, (JobState::Printed, None), "{fate:?}");
        assert_eq!(printer.sheets().len(), 1, "{fate:?}");
        assert_eq!(printer.count(Op::Create), 0, "{fate:?}");
    }
}

#[tokio::test]
async fn a_job_that_comes_with_its_document_and_is_refused_for_good_fails() {
    let mut world = World::new();
    let printer = world.printer();
    printer.answers_survey(crate::printer::ready_whole());
    printer.set(Op::Print, Fate::Refused);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Failed, Some(Reason::PrinterRefused)));
    assert_eq!((printer.count(Op::Print), printer.sheets().len()), (1, 0));
}
