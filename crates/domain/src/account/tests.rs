//! An account is held to its parts.

use std::time::Duration;

use loket_wire::order::Reprint;
use loket_wire::{Class, JobId, JobState, Reason, Service, Timestamp, Zone};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

mod sums;
mod tables;

/// 2026-11-27 09:00 WIB.
const MORNING: Timestamp = Timestamp::from_unix_ms(1_795_744_800_000);

fn of(day: &str) -> Of {
    Of {
        machine: "desa-contoh-1".parse().unwrap(),
        day: day.parse().unwrap(),
        zone: Zone::Wib,
    }
}

fn job_id(no: u8) -> JobId {
    JobId::from_parts(1_795_744_800_000, [0, 0, 0, 0, 0, 0, 0, 0, 0, no])
}

/// A document of two pages that arrived in the morning.
fn known(no: u8) -> Known {
    Known {
        job_id: job_id(no),
        reference: format!("KK-{no}").parse().unwrap(),
        service: Service::new("kk").unwrap(),
        class: Class::Controlled,
        ordered: Ordered::Central,
        reprint: None,
        page_count: Some(2),
        steps: vec![step(0, JobState::Fetching)],
    }
}

fn step(minutes: u64, state: JobState) -> Step {
    Step {
        at: MORNING.saturating_add(Duration::from_secs(60 * minutes)),
        clock_trusted: true,
        by: None,
        state,
        reason: None,
        attempt: None,
        sheet_count: None,
    }
}

fn because(minutes: u64, state: JobState, reason: Reason) -> Step {
    Step {
        reason: Some(reason),
        ..step(minutes, state)
    }
}

fn said_by(name: &str, step: Step) -> Step {
    Step {
        by: Some(format!("officer:{name}")),
        ..step
    }
}

fn with(mut known: Known, steps: impl IntoIterator<Item = Step>) -> Known {
    known.steps.extend(steps);
    known
}

fn printed(no: u8, minutes: u64) -> Known {
    let end = Step {
        sheet_count: Some(2),
        attempt: Some(1),
        ..step(minutes, JobState::Printed)
    };
    with(known(no), [end])
}

/// Asked about in the minute, and called spoiled by wati a quarter of an hour later.
fn spoiled(no: u8, minutes: u64) -> Known {
    let asked = because(minutes, JobState::Unknown, Reason::ImpressionsDisagree);
    let end = Step {
        sheet_count: Some(2),
        ..because(minutes + 15, JobState::Failed, Reason::SheetDamaged)
    };
    with(known(no), [asked, said_by("wati", end)])
}

fn friday(known: &[Known]) -> Day {
    day(&of("2026-11-27"), known).unwrap()
}

#[test]
fn sheets_that_an_officer_calls_spoiled_are_told_with_what_the_printer_did() {
    let day = friday(&[printed(1, 5), spoiled(2, 10)]);
    let sums = day.totals.controlled;
    assert_eq!(
        (sums.documents, sums.printed, sums.spoiled),
        (2, 1, 1),
        "{day:?}"
    );
    assert_eq!((sums.good_sheets, sums.spoiled_sheets), (2, 2));
    let [line] = day.spoiled.as_slice() else {
        panic!("{day:?}");
    };
    assert_eq!(line.asked_because, Some(Reason::ImpressionsDisagree));
    assert_eq!(line.said_by.as_deref(), Some("officer:wati"));
    assert_eq!(
        (day.totals.questions_asked, day.totals.questions_answered),
        (1, 1)
    );
    assert_eq!(day.questions[0].found, Some(Found::Damaged));
}

#[test]
fn a_reprint_says_who_ordered_it_and_what_became_of_the_first_and_by_whose_word() {
    let again = Known {
        reprint: Some(Reprint {
            job: job_id(2),
            reason: "kertas sobek".to_owned(),
            by: "token:siti".to_owned(),
        }),
        ..printed(3, 60)
    };
    let day = friday(&[spoiled(2, 10), again]);
    let [line] = day.reprints.as_slice() else {
        panic!("{day:?}");
    };
    assert_eq!(
        (line.ordered_by.as_str(), line.because.as_str()),
        ("token:siti", "kertas sobek")
    );
    assert_eq!(line.earlier, Some(Outcome::Spoiled));
    assert_eq!(line.earlier_by.as_deref(), Some("officer:wati"));
    assert_eq!(day.totals.reprints, 1);
}

/// 23:50 of Friday, answered on Saturday at 08:00.
#[test]
fn a_sheet_counts_on_the_day_it_lay_in_the_tray_and_its_answer_on_the_day_it_was_given() {
    let (late, next_day) = (14 * 60 + 50, 23 * 60);
    let asked = because(late, JobState::Unknown, Reason::PrinterForgot);
    let pending = with(known(1), [asked.clone()]);
    let before = friday(std::slice::from_ref(&pending));
    assert_eq!(before.totals.settled, 0);
    assert_eq!(
        (before.totals.carried_out, before.totals.sheets_in_doubt),
        (1, 1)
    );
    assert_eq!(before.open[0].state, JobState::Unknown);
    let answer = Step {
        sheet_count: Some(2),
        ..because(next_day, JobState::Printed, Reason::OfficerSaw)
    };
    let answered = [with(pending, [said_by("wati", answer)])];
    let friday = friday(&answered);
    assert_eq!(friday.totals.controlled.good_sheets, 2);
    assert_eq!((friday.totals.carried_out, friday.open.len()), (0, 0));
    assert_eq!(
        (
            friday.totals.questions_asked,
            friday.totals.questions_answered
        ),
        (1, 0)
    );
    let saturday = day(&of("2026-11-28"), &answered).unwrap();
    assert_eq!(saturday.totals.settled, 0);
    assert_eq!(
        (
            saturday.totals.questions_asked,
            saturday.totals.questions_answered
        ),
        (0, 1)
    );
    assert_eq!(
        saturday.questions[0].answered_by.as_deref(),
        Some("officer:wati")
    );
}

#[test]
fn an_attempt_that_printed_nothing_is_a_question_and_no_sheet() {
    let steps = [
        because(5, JobState::Unknown, Reason::PrinterAborted),
        said_by(
            "wati",
            because(9, JobState::Printing, Reason::OfficerFoundNone),
        ),
        Step {
            attempt: Some(2),
            ..step(12, JobState::Printed)
        },
    ];
    let day = friday(&[with(known(1), steps)]);
    assert_eq!(day.totals.controlled.good_sheets, 2);
    assert_eq!(day.jobs[0].counted_by, SheetCount::Pages);
    assert_eq!(day.jobs[0].attempt_count, 2);
    assert_eq!(day.questions[0].found, Some(Found::None));
    assert!(day.spoiled.is_empty());
}

#[test]
fn what_is_only_told_again_counts_once() {
    let asked = because(5, JobState::Unknown, Reason::PrinterForgot);
    let end = because(9, JobState::Printed, Reason::OfficerSaw);
    let told_once = with(known(1), [asked.clone(), end.clone()]);
    let late = because(7, JobState::Printing, Reason::AlreadySending);
    let told_twice = with(known(1), [asked.clone(), late, asked, end.clone(), end]);
    assert_eq!(friday(&[told_once]), friday(&[told_twice]));
}

#[test]
fn own_papers_stand_apart_and_an_unconfirmed_clock_is_marked() {
    let mut ticket = printed(1, 5);
    ticket.class = Class::Own;
    ticket.service = Service::new("tiket").unwrap();
    let mut untrusted = printed(2, 6);
    untrusted.steps[1].clock_trusted = false;
    let day = friday(&[ticket, untrusted]);
    assert_eq!(
        (day.totals.own.documents, day.totals.own.good_sheets),
        (1, 2)
    );
    assert_eq!(day.totals.controlled.documents, 1);
    assert_eq!(day.totals.by_untrusted_clock, 1);
    assert_eq!(day.services.len(), 2);
    assert_eq!(day.services[0].class, Class::Controlled, "documents first");
}

#[test]
fn an_exercise_page_is_for_nobody_and_stands_in_no_sum_of_documents() {
    let exercise = |no, end: Step| Known {
        class: Class::Own,
        service: Service::exercise(),
        ordered: Ordered::Machine,
        page_count: Some(1),
        ..with(known(no), [end])
    };
    let out = Step {
        sheet_count: Some(1),
        ..step(5, JobState::Printed)
    };
    let unseen = because(9, JobState::Failed, Reason::ExerciseUnseen);
    let day = friday(&[printed(1, 4), exercise(2, out), exercise(3, unseen)]);
    let totals = &day.totals;
    assert_eq!((totals.controlled.documents, totals.own.documents), (1, 0));
    assert_eq!(
        (totals.exercise.documents, totals.exercise.good_sheets),
        (2, 1)
    );
    assert_eq!((totals.by_hand, totals.questions_asked), (0, 0));
    let printed = Printed {
        office: "Kecamatan Contoh".to_owned(),
        at: MORNING,
        clock_trusted: true,
        by: "wati".to_owned(),
        source: "catatan stasiun ini",
    };
    let form = form(&day, &printed);
    let summary = &form.tables[0].rows;
    let row = |what: &str| summary.iter().find(|row| row[0].contains(what)).unwrap();
    assert_eq!(row("Lembar perawatan printer")[1], "1");
    assert_eq!(row("Dokumen tercetak")[1], "1");
    assert_eq!(row("Kertas sendiri")[1], "0");
    let text = format!("{form:?}");
    for said in [
        "lembar perawatan printer",
        "mesin sendiri",
        "tidak terlihat",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("gagal, tanpa kertas"), "nobody knows that");
}

#[test]
fn who_released_and_who_gave_it_by_hand_are_told() {
    let by_hand = Known {
        ordered: Ordered::ByHand {
            by: Some("budi".to_owned()),
        },
        ..printed(1, 9)
    };
    let released = with(known(2), [said_by("wati", step(3, JobState::Printing))]);
    let end = step(4, JobState::Printed);
    let day = friday(&[by_hand, with(released, [end])]);
    assert_eq!(day.totals.by_hand, 1);
    assert_eq!(day.jobs[0].released_by.as_deref(), Some("officer:wati"));
    assert_eq!(
        day.jobs[1].ordered,
        Ordered::ByHand {
            by: Some("budi".to_owned())
        }
    );
}

#[test]
fn a_day_of_more_than_an_account_holds_is_refused() {
    let many: Vec<Known> = (0..=MAX_DAY_JOBS)
        .map(|no| {
            let [.., high, low] = no.to_be_bytes();
            let random = [0, 0, 0, 0, 0, 0, 0, 0, high, low];
            Known {
                job_id: JobId::from_parts(1_795_744_800_000, random),
                ..printed(1, 5)
            }
        })
        .collect();
    let refused = day(&of("2026-11-27"), &many);
    assert_eq!(
        refused,
        Err(DayError::TooMany {
            jobs: MAX_DAY_JOBS + 1
        })
    );
    assert!(day(&of("2026-11-27"), &many[1..]).is_ok());
    assert!(day(&of("2026-11-28"), &many).is_ok(), "none of them counts");
}

#[test]
fn a_day_is_read_as_it_is_written() {
    let day = friday(&[printed(1, 5), spoiled(2, 10), known(3)]);
    let json = serde_json::to_string(&day).unwrap();
    assert_eq!(serde_json::from_str::<Day>(&json).unwrap(), day);
}
