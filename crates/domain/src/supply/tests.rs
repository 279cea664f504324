//! Forecasts of cartridges whose truth is known.

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_unix_ms(1_795_568_400_000);
const HOUR: u64 = 3_600;

fn hours(count: u64) -> Timestamp {
    START.saturating_add(Duration::from_secs(count * HOUR))
}

fn days(count: u64) -> Timestamp {
    hours(24 * count)
}

fn now(wall: Timestamp) -> Now {
    Now {
        wall,
        trusted: true,
        floor: Timestamp::UNIX_EPOCH,
    }
}

fn reading(at: Timestamp, level: Level) -> Reading {
    Reading { at, level }
}

fn known(day: u64, percent: u32) -> Reading {
    reading(days(day), Level::Known(percent))
}

/// Of each day so many sheets.
fn each_day(count: u64, sheets: u32) -> Vec<Printed> {
    let at = |day| days(day);
    (0..count)
        .map(|day| Printed {
            at: at(day),
            sheets,
        })
        .collect()
}

fn left(forecast: Forecast) -> (u32, Option<u64>) {
    match forecast {
        Forecast::Lasts(lasts) => (lasts.days_left, lasts.sheets_left),
        Forecast::Empty | Forecast::NotYet(_) => panic!("{forecast:?}"),
    }
}

#[test]
fn a_toner_that_falls_evenly_lasts_as_long_as_it_fell() {
    let readings = [known(0, 80), known(10, 70), known(20, 60), known(30, 50)];
    let at = now(days(30));
    let printed = each_day(31, 20);
    assert_eq!(
        left(supply(at, &readings, Some(&printed))),
        (50, Some(1_000))
    );
    assert_eq!(left(supply(at, &readings, None)), (50, None));
    let Forecast::Lasts(lasts) = supply(at, &readings, None) else {
        panic!("it lasts");
    };
    assert_eq!((lasts.ends_at, lasts.order_by), (days(80), days(73)));
    assert!(!supply(at, &readings, None).must_order(at));
}

#[test]
fn what_passed_since_the_last_step_counts_and_a_long_silence_slows() {
    let readings = [known(0, 80), known(10, 70), known(20, 60), known(30, 50)];
    // Five days on: five points less.
    assert_eq!(left(supply(now(days(35)), &readings, None)).0, 45);
    // Forty days without a step: no more than nine points can be gone, in seventy days.
    let (days_left, _) = left(supply(now(days(70)), &readings, None));
    assert!((70..=90).contains(&days_left), "{days_left}");
}

#[test]
fn a_refill_keeps_the_rate_and_the_time_without_toner_is_none() {
    let readings = [
        known(0, 30),
        known(10, 20),
        known(20, 10),
        known(30, 0),
        known(50, 100),
        known(60, 90),
    ];
    assert_eq!(left(supply(now(days(60)), &readings, None)).0, 90);
    let fresh = readings.get(..5).unwrap();
    assert_eq!(left(supply(now(days(50)), fresh, None)).0, 100);
}

#[test]
fn a_spike_and_gaps_change_nothing() {
    let plain = [known(0, 80), known(10, 70), known(20, 60), known(30, 50)];
    let expect = supply(now(days(30)), &plain, None);
    for spike in [known(15, 100), known(15, 0)] {
        let mut spiked = plain.to_vec();
        spiked.push(spike);
        let (days_left, _) = left(supply(now(days(30)), &spiked, None));
        assert_eq!(days_left, 50, "{spike:?}");
    }
    let mut gaps = plain.to_vec();
    gaps.push(reading(days(12), Level::Unknown));
    gaps.push(reading(days(22), Level::Other));
    gaps.push(known(4_000, 3));
    assert_eq!(supply(now(days(30)), &gaps, None), expect);
}

#[test]
fn what_is_not_known_says_why() {
    let why = |readings: &[Reading], at, printed: Option<&[Printed]>| match supply(
        now(at),
        readings,
        printed,
    ) {
        Forecast::NotYet(why) => why.keyword(),
        other @ (Forecast::Empty | Forecast::Lasts(_)) => panic!("{other:?}"),
    };
    let some = [reading(days(0), Level::Some)];
    let used = each_day(20, 10);
    assert_eq!(why(&[], days(1), None), "no-reading");
    let unknown = [reading(days(0), Level::Unknown)];
    assert_eq!(why(&unknown, days(9), None), "not-measured");
    assert_eq!(why(&[known(0, 80)], days(2), None), "too-short");
    let little = [known(0, 80), known(5, 75)];
    assert_eq!(why(&little, days(9), None), "too-little-used");
    assert_eq!(why(&some, days(9), Some(&used)), "never-empty");
    assert_eq!(why(&some, days(9), None), "no-sheets");
    let keywords: std::collections::BTreeSet<_> = WhyNot::ALL.map(WhyNot::keyword).into();
    assert_eq!(keywords.len(), WhyNot::ALL.len());
}

#[test]
fn an_empty_one_must_be_ordered_and_a_full_one_need_not() {
    let at = now(days(30));
    let empty = supply(at, &[known(0, 80), known(29, 0)], None);
    assert_eq!((empty, empty.must_order(at)), (Forecast::Empty, true));
    let soon = supply(at, &[known(0, 36), known(30, 6)], None);
    assert_eq!((left(soon).0, soon.must_order(at)), (6, true));
    let later = supply(at, &[known(0, 38), known(30, 8)], None);
    assert_eq!((left(later).0, later.must_order(at)), (8, false));
}

#[test]
fn a_printer_that_says_some_and_none_is_known_by_the_sheets_of_its_last_cycles() {
    let level = |day, level| reading(days(day), level);
    let readings = [
        level(0, Level::Known(0)),
        level(1, Level::Some),
        level(31, Level::Known(0)),
        level(32, Level::Some),
    ];
    // Thirty sheets a day: 900 a cycle; ten days on, 600 are left.
    let printed = each_day(80, 30);
    let (days_left, sheets_left) = left(supply(now(days(42)), &readings, Some(&printed)));
    assert_eq!(sheets_left, Some(600));
    assert!((19..=20).contains(&days_left), "{days_left}");
    // Long past its cycle it is about to end, not below nothing.
    let past = left(supply(now(days(75)), &readings, Some(&printed)));
    assert_eq!(past, (0, Some(0)));
}

#[test]
fn the_paper_of_a_tray_lasts_by_the_sheets_of_the_window() {
    let printed = each_day(28, 40);
    let at = now(days(28));
    let full = reading(days(26), Level::Known(240));
    // Forty of them came out on the day after.
    let (days_left, sheets_left) = left(tray(at, full, Some(&printed)));
    assert_eq!((days_left, sheets_left), (5, Some(200)));
    let none = reading(days(26), Level::Known(0));
    assert_eq!(tray(at, none, Some(&printed)), Forecast::Empty);
    let why = |reading, printed| match tray(at, reading, printed) {
        Forecast::NotYet(why) => why,
        Forecast::Empty | Forecast::Lasts(_) => panic!("known"),
    };
    assert_eq!(why(full, None), WhyNot::NoSheets);
    assert_eq!(why(full, Some(&[])), WhyNot::NoSheets);
    let some = reading(days(26), Level::Some);
    assert_eq!(why(some, Some(&printed)), WhyNot::NotMeasured);
}

/// What a printer that uses a point each `hours_a_point` hours reports: each tenth point, from 100 down, for so many
/// points, with a refill at 10.
fn reports(hours_a_point: u64, points: u64) -> (Vec<Reading>, Now, u64) {
    let (mut readings, mut percent) = (vec![reading(hours(0), Level::Known(100))], 100_u32);
    let mut told = percent;
    for point in 1..=points {
        let at = hours(point * hours_a_point);
        if percent <= 10 {
            percent = 100;
        } else {
            percent -= 1;
        }
        if told.abs_diff(percent) >= 10 {
            told = percent;
            readings.push(reading(at, Level::Known(percent)));
        }
    }
    let truth_days = u64::from(percent) * hours_a_point / 24;
    (readings, now(hours(points * hours_a_point)), truth_days)
}

fn any_level() -> impl Strategy<Value = Level> {
    prop_oneof![
        8 => (0_u32..=100).prop_map(Level::Known),
        1 => any::<u32>().prop_map(Level::Known),
        1 => Just(Level::Some),
        1 => Just(Level::Unknown),
        1 => Just(Level::Other),
    ]
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let at = prop_oneof![
        any::<i64>().prop_map(Timestamp::from_unix_ms),
        (0_u64..200).prop_map(days),
    ];
    (at, any_level()).prop_map(|(at, level)| Reading { at, level })
}

fn any_printed() -> impl Strategy<Value = Printed> {
    let at = prop_oneof![
        any::<i64>().prop_map(Timestamp::from_unix_ms),
        (0_u64..200).prop_map(days),
    ];
    (at, any::<u32>()).prop_map(|(at, sheets)| Printed { at, sheets })
}

proptest! {
    /// Whatever was noted: an answer, within its bounds, and the same in any order.
    #[test]
    fn any_history_has_an_answer(
        readings in proptest::collection::vec(any_reading(), 0..24),
        printed in proptest::collection::vec(any_printed(), 0..24),
        has_sheets in any::<bool>(),
        day in 0_u64..300,
    ) {
        let at = now(days(day));
        let sheets = has_sheets.then_some(printed.as_slice());
        let forecast = supply(at, &readings, sheets);
        let mut turned = readings.clone();
        turned.reverse();
        prop_assert_eq!(supply(at, &turned, sheets), forecast);
        if let Forecast::Lasts(lasts) = forecast {
            prop_assert!(lasts.days_left <= DAYS_MAX);
            prop_assert!(lasts.ends_at >= at.wall && lasts.order_by <= lasts.ends_at);
        }
        for reading in readings {
            if let Forecast::Lasts(lasts) = tray(at, reading, sheets) {
                prop_assert!(lasts.days_left <= DAYS_MAX);
            }
        }
    }

    /// An even use is told within a seventh of the truth and two days, over refills, from a busy office to a quiet one.
    #[test]
    fn an_even_use_is_told_nearly_as_it_is(hours_a_point in 4_u64..60, points in 20_u64..150) {
        prop_assume!(hours_a_point * points > 24 * 5);
        let (readings, at, truth) = reports(hours_a_point, points);
        let (days_left, _) = left(supply(at, &readings, None));
        let off = u64::from(days_left).abs_diff(truth);
        let points_unseen = 10 * hours_a_point / 24;
        prop_assert!(
            off <= truth / 7 + 2 + points_unseen,
            "{days_left} days told, {truth} true, a point in {hours_a_point} h, {points} points"
        );
    }

    /// A measure that trembles by two points changes the answer by less than a fifth and two days.
    #[test]
    fn a_trembling_measure_says_nearly_the_same(
        hours_a_point in 6_u64..60,
        trembles in proptest::collection::vec(0_u32..=2, 24),
    ) {
        let (readings, at, _) = reports(hours_a_point, 60);
        let shaken: Vec<_> = readings
            .iter()
            .zip(trembles)
            .map(|(reading, off)| match reading.level {
                Level::Known(percent) => Reading { level: Level::Known(percent.saturating_sub(off)), ..*reading },
                Level::Some | Level::Other | Level::Unknown => *reading,
            })
            .collect();
        let ((plain, _), (shaken, _)) = (left(supply(at, &readings, None)), left(supply(at, &shaken, None)));
        prop_assert!(plain.abs_diff(shaken) <= plain / 5 + 2, "{plain} and {shaken}");
    }

    /// More toner never lasts shorter.
    #[test]
    fn a_fuller_one_lasts_longer(more in 1_u32..40) {
        let used = [known(0, 60), known(10, 50), known(20, 40)];
        let at = now(days(20));
        let mut fuller = used.to_vec();
        fuller.push(reading(days(20), Level::Known(40 + more)));
        prop_assert!(left(supply(at, &fuller, None)).0 >= left(supply(at, &used, None)).0);
    }
}
