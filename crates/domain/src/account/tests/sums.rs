//! Whatever happened, sums are those of the lines.

use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::dispatch::LocalDay;

fn step_of() -> impl Strategy<Value = Step> {
    let word = prop_oneof![
        Just((JobState::Held, None)),
        Just((JobState::Printing, None)),
        Just((JobState::Printing, Some(Reason::PrinterAway))),
        Just((JobState::Printing, Some(Reason::OfficerFoundNone))),
        Just((JobState::Printing, Some(Reason::AlreadySending))),
        Just((JobState::Unknown, Some(Reason::PrinterForgot))),
        Just((JobState::Unknown, Some(Reason::ImpressionsDisagree))),
        Just((JobState::Printed, None)),
        Just((JobState::Printed, Some(Reason::OfficerSaw))),
        Just((JobState::Failed, Some(Reason::SheetDamaged))),
        Just((JobState::Failed, Some(Reason::PrinterRefused))),
        Just((JobState::Rejected, Some(Reason::SpoolFull))),
        Just((JobState::Expired, Some(Reason::NotAfter))),
        Just((JobState::Cancelled, Some(Reason::ByOfficer))),
    ];
    // Four days, and a clock that may go back.
    let minutes = 0..(4 * 24 * 60_u64);
    let sheets = proptest::option::of(0..4_u32);
    let by = proptest::option::of("[a-z]{1,4}");
    (word, minutes, any::<bool>(), sheets, by).prop_map(
        |((state, reason), minutes, clock_trusted, sheet_count, by)| Step {
            clock_trusted,
            reason,
            sheet_count,
            by: by.map(|name| format!("officer:{name}")),
            ..step(minutes, state)
        },
    )
}

fn known_of() -> impl Strategy<Value = Known> {
    let reprint = proptest::option::of(0..20_u8);
    let pages = proptest::option::of(0..4_u32);
    (vec(step_of(), 0..8), any::<bool>(), 0..3_u8, reprint, pages).prop_map(
        |(steps, is_own, orderer, reprint, page_count)| Known {
            class: if is_own {
                Class::Own
            } else {
                Class::Controlled
            },
            service: match (is_own, orderer) {
                (true, 2) => Service::exercise(),
                (true, _other) => Service::new("tiket").unwrap(),
                (false, _any) => Service::new("kk").unwrap(),
            },
            ordered: match orderer {
                0 => Ordered::Central,
                1 => Ordered::ByHand { by: None },
                _other => Ordered::Machine,
            },
            reprint: reprint.map(|no| Reprint {
                job: job_id(no),
                reason: "sobek".to_owned(),
                by: "folder".to_owned(),
            }),
            page_count,
            steps,
            ..known(0)
        },
    )
}

fn count(there_are: usize) -> u32 {
    u32::try_from(there_are).unwrap()
}

fn check_sums(day: &Day) {
    let totals = &day.totals;
    assert_eq!(
        totals.carried_in + totals.arrived,
        totals.settled + totals.carried_out,
        "nothing comes from nowhere: {totals:?}"
    );
    assert_eq!(totals.settled, count(day.jobs.len()));
    assert_eq!(totals.carried_out, count(day.open.len()));
    assert_eq!(totals.reprints, count(day.reprints.len()));
    let all = totals.all();
    assert_eq!(all.documents, totals.settled);
    let by_outcome = [
        all.printed,
        all.spoiled,
        all.failed,
        all.rejected,
        all.expired,
        all.cancelled,
    ];
    assert_eq!(by_outcome.iter().sum::<u32>(), all.documents);
    for (outcome, sum) in Outcome::ALL.into_iter().zip(by_outcome) {
        let lines = day.jobs.iter().filter(|line| line.outcome == outcome);
        assert_eq!(count(lines.count()), sum, "{outcome:?}");
    }
    let sheets = |outcome| {
        let lines = day.jobs.iter().filter(|line| line.outcome == outcome);
        lines.map(|line| line.sheets).sum::<u32>()
    };
    assert_eq!(all.good_sheets, sheets(Outcome::Printed));
    assert_eq!(all.spoiled_sheets, sheets(Outcome::Spoiled));
    let spoiled = day.spoiled.iter().map(|line| line.sheets);
    assert_eq!(all.spoiled_sheets, spoiled.sum::<u32>());
    let of_services = day
        .services
        .iter()
        .fold(Sums::default(), |sums, line| sums.plus(line.sums));
    assert_eq!(of_services, all);
    let (start, end) = of(&day.day.to_string()).span();
    let is_today = |at: Timestamp| (start..end).contains(&at);
    assert!(day.jobs.iter().all(|line| is_today(line.at)));
    let asked = day.questions.iter().filter(|line| is_today(line.asked_at));
    assert_eq!(count(asked.count()), totals.questions_asked);
    let answered = day
        .questions
        .iter()
        .filter(|line| line.answered_at.is_some_and(is_today));
    assert_eq!(count(answered.count()), totals.questions_answered);
}

/// Histories that are made up: with these each kind of step meets each other many times within a second.
const CASES: u32 = 100;

/// The same in every run.
fn check(test: impl Fn(Vec<Known>)) {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let outcome = TestRunner::new_with_rng(config, rng).run(&vec(known_of(), 0..12), |lives| {
        let numbered = lives.into_iter().zip(0_u8..);
        let all = numbered.map(|(known, no)| Known {
            job_id: job_id(no),
            ..known
        });
        test(all.collect());
        Ok(())
    });
    outcome.unwrap();
}

fn of_day(on: LocalDay, all: &[Known]) -> Day {
    let of = Of {
        day: on,
        ..of("2026-11-26")
    };
    day(&of, all).unwrap()
}

#[test]
fn sums_are_those_of_the_lines_and_each_document_counts_on_one_day() {
    check(|all| {
        let mut settled = 0;
        let mut carried = None;
        let mut on = of("2026-11-26").day;
        for _day in 0..7 {
            let day = of_day(on, &all);
            check_sums(&day);
            if let Some(carried) = carried {
                assert_eq!(
                    day.totals.carried_in, carried,
                    "what is open in the evening is so in the morning"
                );
            }
            carried = Some(day.totals.carried_out);
            settled += day.totals.settled;
            let turned: Vec<Known> = all.iter().rev().cloned().collect();
            assert_eq!(of_day(on, &turned), day, "their order is no matter");
            on = on.next();
        }
        let held = all.iter().filter(|known| !known.steps.is_empty());
        assert_eq!(settled + carried.unwrap_or_default(), count(held.count()));
    });
}
