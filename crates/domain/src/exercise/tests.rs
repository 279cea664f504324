//! When a page is due, case by case.

use loket_wire::stock::{Colour, Level, Supply};

use super::*;

/// 2026-11-26 09:00 WIB, a Thursday.
const MORNING: Timestamp = Timestamp::from_unix_ms(1_795_658_400_000);
const DAY: Duration = Duration::from_secs(24 * 3_600);

const RULE: Rule = Rule {
    after: Duration::from_secs(7 * 24 * 3_600),
    hours: OfficeHours {
        utc_offset_min: 7 * 60,
        days: [true, true, true, true, true, false, false],
        open_min: 7 * 60,
        close_min: 17 * 60,
    },
};

const fn at(wall: Timestamp) -> Now {
    Now {
        wall,
        trusted: true,
        floor: Timestamp::UNIX_EPOCH,
    }
}

fn ink(level: Level) -> Supply {
    Supply {
        kind: SupplyKind::Ink,
        colour: Some(Colour::Cyan),
        name: None,
        level,
        low_percent: None,
    }
}

fn tray(media: &str, level: Level) -> Tray {
    Tray {
        name: None,
        media: Some(media.to_owned()),
        level,
        capacity: Some(250),
        is_out_of_order: false,
    }
}

fn idle(stock: Option<Stock>) -> Look {
    Look {
        state: "idle".to_owned(),
        reasons: Vec::new(),
        model: None,
        stock,
    }
}

fn rest(days: u32) -> Rest {
    Rest {
        since: MORNING.saturating_sub(DAY * days),
        clock_trusted: true,
        impressions: None,
    }
}

fn judged(now: Now, rest: Rest, look: &Look) -> Verdict {
    let sight = Sight {
        look,
        impressions: None,
        at: MORNING,
    };
    judge(now, &RULE, Some(rest), false, Some(sight))
}

#[test]
fn a_page_is_due_after_a_week_in_office_hours_at_a_printer_that_is_ready_and_free() {
    let look = idle(None);
    let not = Verdict::NotYet;
    assert_eq!(judged(at(MORNING), rest(7), &look), Verdict::Due);
    assert_eq!(judged(at(MORNING), rest(300), &look), Verdict::Due);
    let early = Rest {
        since: rest(7).since.saturating_add(Duration::from_millis(1)),
        ..rest(7)
    };
    assert_eq!(judged(at(MORNING), early, &look), not(WhyNot::Rested));
    for hours in [9, 48, 72] {
        let later = at(MORNING.saturating_add(Duration::from_secs(hours * 3_600)));
        assert_eq!(
            judged(later, rest(7), &look),
            not(WhyNot::OutOfHours),
            "in the evening, on Saturday, on Sunday"
        );
    }
    let sight = Sight {
        look: &look,
        impressions: None,
        at: MORNING,
    };
    let taken = judge(at(MORNING), &RULE, Some(rest(7)), true, Some(sight));
    assert_eq!(taken, not(WhyNot::LaneTaken));
    let unseen = judge(at(MORNING), &RULE, Some(rest(7)), false, None);
    assert_eq!(unseen, not(WhyNot::NotSeen));
}

#[test]
fn nothing_is_due_or_noted_by_a_clock_that_nobody_confirmed() {
    let unsure = Now {
        trusted: false,
        ..at(MORNING)
    };
    let why = Verdict::NotYet(WhyNot::ClockUntrusted);
    assert_eq!(judged(unsure, rest(300), &idle(None)), why);
    assert_eq!(judge(unsure, &RULE, None, false, None), why);
}

/// Else a machine whose clock once said 2040 would never move its ink again, and one of 1970 at once.
#[test]
fn a_rest_of_which_the_beginning_is_not_known_begins_now() {
    let from_now = Verdict::Note(Rest {
        since: MORNING,
        clock_trusted: true,
        impressions: None,
    });
    assert_eq!(judge(at(MORNING), &RULE, None, false, None), from_now);
    let ahead = Rest {
        since: MORNING.saturating_add(DAY),
        ..rest(0)
    };
    let dead = Rest {
        since: Timestamp::UNIX_EPOCH,
        clock_trusted: false,
        impressions: None,
    };
    for rest in [ahead, dead] {
        assert_eq!(judged(at(MORNING), rest, &idle(None)), from_now, "{rest:?}");
    }
}

#[test]
fn a_printer_that_has_a_fault_or_nothing_to_print_with_is_left_alone() {
    let why = Verdict::NotYet(WhyNot::NotReady);
    for state in ["processing", "stopped", "unreachable", "refusing", "other"] {
        let look = Look {
            state: state.to_owned(),
            ..idle(None)
        };
        assert_eq!(judged(at(MORNING), rest(9), &look), why, "{state}");
    }
    for (reason, is_ready) in [
        ("media-empty", false),
        ("marker-supply-empty", false),
        ("cover-open", false),
        ("media-jam", false),
        ("marker-waste-full", false),
        ("input-tray-missing", false),
        ("x-vendor-head-failure", false),
        ("marker-waste-almost-full", true),
        ("marker-supply-low", true),
        ("media-low", true),
        ("suspend", true),
        ("none", true),
    ] {
        let look = Look {
            reasons: vec![reason.to_owned()],
            ..idle(None)
        };
        let due = judged(at(MORNING), rest(9), &look) == Verdict::Due;
        assert_eq!(due, is_ready, "{reason}");
    }
    let stocked = |supplies: Vec<Supply>, trays: Vec<Tray>| {
        let look = idle(Some(Stock { supplies, trays }));
        judged(at(MORNING), rest(9), &look) == Verdict::Due
    };
    let broken = Tray {
        is_out_of_order: true,
        ..tray("iso_a4_210x297mm", Level::Some)
    };
    let a4 = |level| tray("iso_a4_210x297mm", level);
    let a5 = || tray("iso_a5_148x210mm", Level::Some);
    assert!(stocked(
        vec![ink(Level::Known(3))],
        vec![a4(Level::Known(9))]
    ));
    assert!(stocked(vec![ink(Level::Unknown)], vec![]));
    assert!(!stocked(vec![ink(Level::Known(0))], vec![]));
    assert!(!stocked(vec![], vec![a4(Level::Known(0))]));
    assert!(!stocked(vec![], vec![broken.clone(), a5()]));
    assert!(stocked(
        vec![],
        vec![a4(Level::Known(0)), a4(Level::Unknown)]
    ));
    assert!(stocked(vec![], vec![a5(), tray("210x297mm", Level::Some)]));
}

/// Somebody copies at it, or prints from another computer.
#[test]
fn sheets_that_the_printer_counts_for_others_end_its_rest() {
    let look = idle(None);
    let seen = |known: Option<u32>, days: u32, count: u32| {
        let rest = Rest {
            impressions: known,
            ..rest(days)
        };
        let sight = Sight {
            look: &look,
            impressions: Some(count),
            at: MORNING,
        };
        judge(at(MORNING), &RULE, Some(rest), false, Some(sight))
    };
    let noted = |since, impressions| {
        Verdict::Note(Rest {
            since,
            clock_trusted: true,
            impressions: Some(impressions),
        })
    };
    assert_eq!(seen(Some(40), 8, 40), Verdict::Due);
    assert_eq!(seen(Some(40), 8, 41), noted(MORNING, 41));
    assert_eq!(
        seen(Some(40), 0, 41),
        Verdict::NotYet(WhyNot::Rested),
        "not at each sheet of a busy hour"
    );
    let since = rest(8).since;
    assert_eq!(seen(None, 8, 41), noted(since, 41), "counted from here on");
    assert_eq!(seen(Some(40), 8, 0), noted(since, 0), "switched off and on");
}

/// The sheet that began the rest is in the count too: a look from before it would make it somebody else's.
#[test]
fn a_look_from_before_the_rest_says_nothing_of_the_count() {
    let look = idle(None);
    let rest = rest(8);
    let before = Sight {
        look: &look,
        impressions: Some(40),
        at: rest.since.saturating_sub(Duration::from_millis(1)),
    };
    let due = judge(at(MORNING), &RULE, Some(rest), false, Some(before));
    assert_eq!(due, Verdict::Due, "no count is noted");
}

#[test]
fn exercise_is_wanted_as_the_settings_say_else_the_profile_else_the_ink() {
    let stock = |kind| {
        let supplies = vec![Supply {
            kind,
            ..ink(Level::Some)
        }];
        Stock {
            supplies,
            trays: Vec::new(),
        }
    };
    let (inkjet, laser) = (stock(SupplyKind::Ink), stock(SupplyKind::Toner));
    for (setting, profile, stock, expect) in [
        (None, None, None, false),
        (None, None, Some(&laser), false),
        (None, None, Some(&inkjet), true),
        (None, Some(false), Some(&inkjet), false),
        (None, Some(true), None, true),
        (Some(false), Some(true), Some(&inkjet), false),
        (Some(true), Some(false), Some(&laser), true),
    ] {
        assert_eq!(
            is_wanted(setting, profile, stock),
            expect,
            "{setting:?} {profile:?} {stock:?}"
        );
    }
}
