//! What is news of a stock, and that there is never much of it.

use loket_wire::stock::Colour;
use proptest::prelude::*;

use super::*;
use crate::core::Core as _;
use crate::health::{Command, Event, Health, Look};

fn toner(level: Level) -> Stock {
    Stock {
        supplies: vec![Supply {
            kind: SupplyKind::Toner,
            colour: Some(Colour::Black),
            name: None,
            level,
            low_percent: None,
        }],
        trays: Vec::new(),
    }
}

fn tray(level: Level) -> Stock {
    Stock {
        supplies: Vec::new(),
        trays: vec![Tray {
            name: Some("Tray 1".to_owned()),
            media: Some("iso_a4_210x297mm".to_owned()),
            level,
            capacity: Some(250),
            is_out_of_order: false,
        }],
    }
}

fn at(s: u64) -> Now {
    let morning = Timestamp::from_unix_ms(1_795_568_400_000);
    Now {
        wall: morning.saturating_add(Duration::from_secs(s)),
        trusted: true,
        floor: Timestamp::UNIX_EPOCH,
    }
}

fn look(stock: Option<Stock>) -> Command {
    Command::Looked {
        device: "a4".to_owned(),
        look: Look {
            state: "idle".to_owned(),
            reasons: Vec::new(),
            model: None,
            stock,
        },
    }
}

/// Which of these looks, one every two seconds, are told of for their stock.
fn told(stocks: impl IntoIterator<Item = Option<Stock>>) -> Vec<usize> {
    let mut health = Health::new(Duration::from_secs(900));
    let mut told = Vec::new();
    for (no, stock) in stocks.into_iter().enumerate() {
        let now = at(2 * u64::try_from(no).unwrap());
        for event in health.decide(now, look(stock)).unwrap() {
            health.apply(&event).unwrap();
            if matches!(event, Event::Used { .. }) {
                told.push(no);
            }
        }
    }
    told
}

fn check(levels: &[Level], expect: &[usize]) {
    assert_eq!(told(levels.iter().map(|level| Some(toner(*level)))), expect);
}

const fn known(percent: u32) -> Level {
    Level::Known(percent)
}

#[test]
fn a_toner_is_told_of_by_tens_and_where_it_becomes_low_and_empty() {
    let down: Vec<_> = (0..=100).rev().map(known).collect();
    // 100 goes with the first look; then 90, 80, … 20, 10; and 0.
    check(&down, &[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    check(
        &[known(15), known(11), known(10), known(1), known(0)],
        &[2, 4],
    );
}

#[test]
fn a_measure_that_trembles_at_a_bound_is_told_of_once() {
    check(
        &[
            known(11),
            known(10),
            known(11),
            known(10),
            known(14),
            known(10),
        ],
        &[1],
    );
    check(&[known(1), known(0), known(1), known(0), known(4)], &[1]);
}

#[test]
fn a_refill_is_told_of_at_once() {
    check(&[known(3), known(98)], &[1]);
    check(&[known(8), known(15)], &[1]);
    check(&[known(0), known(5)], &[1]);
    check(&[known(0), Level::Some], &[1]);
}

#[test]
fn a_printer_that_knows_only_some_and_none_is_told_of_at_the_change() {
    check(&[Level::Some, Level::Some, known(0), Level::Some], &[2, 3]);
    check(&[Level::Some, known(60)], &[]);
}

#[test]
fn what_says_nothing_is_no_news_and_the_first_word_is() {
    check(&[known(40), Level::Unknown, known(40), Level::Other], &[]);
    check(
        &[Level::Unknown, known(40), Level::Unknown, known(38)],
        &[1],
    );
    let gone = [Some(toner(known(40))), None, Some(Stock::default())];
    assert_eq!(told(gone), [0; 0]);
    assert_eq!(told([None, Some(toner(known(40)))]), [1]);
}

#[test]
fn waste_is_never_told_of_by_its_level() {
    let waste = |level| {
        let mut stock = toner(level);
        for supply in &mut stock.supplies {
            supply.kind = SupplyKind::Waste;
        }
        Some(stock)
    };
    assert_eq!(told([waste(known(90)), waste(known(0))]), [0; 0]);
}

#[test]
fn a_tray_is_told_of_by_tenths_and_where_it_is_low_empty_or_filled() {
    let of = |sheets: &[u32]| told(sheets.iter().map(|it| Some(tray(known(*it)))));
    assert_eq!(of(&[250, 240, 226, 225]), [3]);
    assert_eq!(of(&[30, 26, 25, 24, 0, 3]), [2, 4]);
    assert_eq!(of(&[0, 9, 10, 250]), [2, 3]);
    let mut other = tray(known(100));
    for tray in &mut other.trays {
        tray.media = Some("iso_a5_148x210mm".to_owned());
    }
    let mut broken = other.clone();
    for tray in &mut broken.trays {
        tray.is_out_of_order = true;
    }
    let seen = [tray(known(100)), other, broken].map(Some);
    assert_eq!(told(seen), [1, 2]);
}

#[test]
fn a_sensor_that_jumps_has_its_quota_and_then_the_next_span() {
    let jumps = (0..4_000).map(|no| Some(toner(known(if no % 2 == 0 { 0 } else { 100 }))));
    let told = told(jumps);
    let per_span = usize::from(NEWS_PER_SPAN);
    // 4,000 looks of two seconds are a little more than two hours.
    assert_eq!(told.len(), 3 * per_span);
    assert_eq!(told[..per_span], (1..=per_span).collect::<Vec<_>>());
}

#[test]
fn a_change_of_state_is_told_of_whatever_the_quota() {
    let mut health = Health::new(Duration::from_secs(900));
    for no in 0..100 {
        let stock = toner(known(if no % 2 == 0 { 0 } else { 100 }));
        for event in health.decide(at(no), look(Some(stock))).unwrap() {
            health.apply(&event).unwrap();
        }
    }
    let Command::Looked { device, mut look } = look(Some(toner(known(50)))) else {
        unreachable!("made above");
    };
    look.reasons = vec!["media-jam".to_owned()];
    let decided = health.decide(at(101), Command::Looked { device, look });
    assert!(matches!(
        decided.unwrap().as_slice(),
        [Event::Changed { .. }]
    ));
}

fn any_level() -> impl Strategy<Value = Level> {
    prop_oneof![
        (0_u32..=100).prop_map(Level::Known),
        Just(Level::Some),
        Just(Level::Unknown),
        Just(Level::Other),
    ]
}

proptest! {
    /// Whatever a printer says: what central was told is never wrong by more than a step, nor by a band for the worse.
    #[test]
    fn what_was_told_is_never_far_from_what_is(levels in proptest::collection::vec(any_level(), 1..12)) {
        let mut health = Health::new(Duration::from_secs(900));
        let mut told = Level::Unknown;
        for (no, level) in levels.iter().enumerate() {
            let now = at(u64::try_from(no).unwrap());
            for event in health.decide(now, look(Some(toner(*level)))).unwrap() {
                health.apply(&event).unwrap();
                told = *level;
            }
            match (told, *level) {
                (Level::Known(was), Level::Known(is)) => {
                    prop_assert!(was.abs_diff(is) < STEP_PERCENT);
                    prop_assert!(toner(*level).supplies[0].band() >= toner(told).supplies[0].band());
                }
                (Level::Some, Level::Known(is)) => prop_assert!(is > 10),
                (Level::Unknown | Level::Other, Level::Known(_) | Level::Some) => {
                    prop_assert!(false, "{level:?} was not told");
                }
                (_, Level::Unknown | Level::Other | Level::Some) => {}
            }
        }
    }

    /// However it jumps, a span has no more than its quota.
    #[test]
    fn reports_of_a_span_are_few(levels in proptest::collection::vec(any_level(), 1..400)) {
        let told = told(levels.into_iter().map(|level| Some(toner(level))));
        prop_assert!(told.len() <= usize::from(NEWS_PER_SPAN));
    }
}
