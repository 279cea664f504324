//! What printers say of their supplies, honest and hostile.

use proptest::prelude::*;

use super::*;

fn pwg(values: &[&str], descriptions: &[&str]) -> Vec<Supply> {
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    let descriptions: Vec<_> = descriptions.iter().map(|name| (*name).to_owned()).collect();
    of_printer_supply(&values, &descriptions)
}

fn level(value: &str) -> Level {
    pwg(&[value], &[])[0].level
}

fn trays(values: &[&str], ready: &[&str]) -> Vec<Tray> {
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    let ready: Vec<_> = ready.iter().map(|media| (*media).to_owned()).collect();
    tray::read(&values, &ready)
}

#[test]
fn a_supply_of_pwg_5100_13_is_read_with_its_kind_colour_name_and_level() {
    let said = "index=2;class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=100;level=75;colorantname=black;";
    let expect = Supply {
        kind: SupplyKind::Toner,
        name: Some("Black Toner".to_owned()),
        colour: Some(Colour::Black),
        level: Level::Known(75),
        max_capacity: Some(100),
        low_percent: None,
    };
    assert_eq!(pwg(&[said], &["Black Toner"]), [expect]);
}

#[test]
fn a_level_is_a_part_of_its_capacity_or_says_why_it_is_none() {
    for (said, expect) in [
        ("type=toner;maxcapacity=4000;level=1000", Level::Known(25)),
        // A little is not nothing.
        ("type=toner;maxcapacity=4000;level=1", Level::Known(1)),
        ("type=toner;maxcapacity=4000;level=0", Level::Known(0)),
        ("type=toner;level=42", Level::Known(42)),
        ("type=toner;maxcapacity=-2;level=42", Level::Known(42)),
        ("type=toner;maxcapacity=100;level=-1", Level::Other),
        ("type=toner;maxcapacity=100;level=-2", Level::Unknown),
        ("type=toner;maxcapacity=100;level=-3", Level::Some),
        ("type=toner;maxcapacity=-2;level=-3", Level::Some),
        // More than full, more than a number, no number, nothing.
        ("type=toner;maxcapacity=100;level=250", Level::Unknown),
        ("type=toner;level=250", Level::Unknown),
        ("type=toner;level=99999999999999999999", Level::Unknown),
        ("type=toner;level=-9223372036854775808", Level::Unknown),
        ("type=toner;level=many", Level::Unknown),
        ("type=toner", Level::Unknown),
    ] {
        assert_eq!(level(said), expect, "{said}");
    }
}

#[test]
fn the_kinds_of_both_dialects_are_one() {
    for (word, kind) in [
        ("tonerCartridge", SupplyKind::Toner),
        ("toner-cartridge", SupplyKind::Toner),
        ("inkCartridge", SupplyKind::Ink),
        ("wasteToner", SupplyKind::Waste),
        ("waste-toner", SupplyKind::Waste),
        ("opc", SupplyKind::Drum),
        ("fuser", SupplyKind::Fuser),
        ("staples", SupplyKind::Other),
        ("", SupplyKind::Other),
    ] {
        assert_eq!(kind_of(word), kind, "{word}");
    }
}

fn markers(levels: &[i32]) -> Markers {
    let all = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Markers {
        names: all(&["Waste Toner", "Black Cartridge HP CF283A"]),
        types: all(&["waste-toner", "toner"]),
        colours: all(&["none", "#000000"]),
        levels: levels.to_vec(),
        lows: vec![-1, 15],
    }
}

#[test]
fn markers_are_read_as_percentages_and_lists_of_unlike_length_are_cut_to_the_levels() {
    let read = of_markers(&markers(&[-3, 12]));
    assert_eq!(
        (read[0].kind, read[0].level),
        (SupplyKind::Waste, Level::Some)
    );
    let expect = (Level::Known(12), Some(15), Some(Colour::Black));
    assert_eq!((read[1].level, read[1].low_percent, read[1].colour), expect);
    assert_eq!(of_markers(&markers(&[])), []);
    let many = of_markers(&markers(&[7; 5_000]));
    assert_eq!(many.len(), MAX_SUPPLIES);
    assert_eq!(
        (many[9].kind, many[9].name.clone()),
        (SupplyKind::Other, None)
    );
    assert_eq!(of_markers(&markers(&[101]))[0].level, Level::Unknown);
}

#[test]
fn the_other_list_fills_what_is_open_where_both_are_of_the_same_things() {
    let mut supplies = pwg(&["type=wasteToner;level=-2", "type=toner;level=30"], &[]);
    for (supply, other) in supplies.iter_mut().zip(of_markers(&markers(&[25, 12]))) {
        fill(supply, other);
    }
    assert_eq!(supplies[0].level, Level::Known(25));
    assert_eq!(
        supplies[1].level,
        Level::Known(30),
        "what is said is not overwritten"
    );
    assert_eq!(
        supplies[1].name.as_deref(),
        Some("Black Cartridge HP CF283A")
    );
    assert_eq!(supplies[1].low_percent, Some(15));
}

#[test]
fn trays_are_read_as_ippeveprinter_and_pappl_write_them() {
    let read = trays(
        &[
            "type=sheetFeedAutoRemovableTray;mediafeed=0;mediaxfeed=0;maxcapacity=-2;level=-2;status=0;name=auto",
            "type=sheetFeedAutoRemovableTray;mediafeed=29700;mediaxfeed=21000;maxcapacity=250;level=100;status=0;name=main",
            "type=sheetFeedManual;mediafeed=0;mediaxfeed=0;maxcapacity=1;level=-2;status=0;name=manual",
        ],
        &["iso_a4_210x297mm"],
    );
    assert_eq!(read.len(), 2, "auto is no tray");
    let main = Tray {
        kind: TrayKind::Fed,
        name: Some("main".to_owned()),
        media: Some("210x297mm".to_owned()),
        level: Level::Known(100),
        max_capacity: Some(250),
        is_usable: true,
    };
    assert_eq!(read[0], main);
    assert_eq!(
        (read[1].kind, read[1].media.clone()),
        (TrayKind::ByHand, None)
    );
}

#[test]
fn what_lies_in_a_tray_is_said_by_its_dimensions_or_by_media_ready() {
    let one = |said: &str, ready: &[&str]| trays(&[said], ready)[0].media.clone();
    let a4 = Some("210x297mm".to_owned());
    assert_eq!(
        one(
            "type=sheetFeedAutoRemovableTray;mediafeed=297000;mediaxfeed=210000;dimunit=micrometers",
            &[]
        ),
        a4
    );
    assert_eq!(
        one(
            "type=sheetFeedAutoRemovableTray;mediafeed=116929;mediaxfeed=82677;dimunit=tenThousandthsOfInches",
            &[]
        ),
        a4
    );
    assert_eq!(
        one(
            "type=sheetFeedAutoRemovableTray;mediafeed=0;mediaxfeed=0",
            &["iso_a4_210x297mm"]
        ),
        Some("iso_a4_210x297mm".to_owned())
    );
    assert_eq!(one("type=sheetFeedAutoRemovableTray", &[]), None);
}

#[test]
fn a_tray_that_is_broken_off_line_or_wants_a_person_is_not_usable() {
    for (status, is_usable) in [
        (0, true),
        (4, true),
        (8, true),
        (3, false),
        (16, false),
        (32, false),
        (-7, true),
    ] {
        let said = format!("type=sheetFeedAutoRemovableTray;status={status}");
        assert_eq!(trays(&[&said], &[])[0].is_usable, is_usable, "{status}");
    }
}

#[test]
fn what_is_no_text_no_pair_or_endless_is_passed_over() {
    let broken: &[u8] = b"type=toner;level=40;\xff\xfe;colorantname=black";
    assert_eq!(of_printer_supply(&[broken], &[])[0].level, Level::Known(40));
    let long = format!("{}level=40", "x=1;".repeat(20_000));
    assert_eq!(level(&long), Level::Unknown);
    let names = vec!["\u{1}\u{2}".to_owned(), "n".repeat(5_000)];
    let values: &[&[u8]] = &[b"type=toner", b"type=toner"];
    let read = of_printer_supply(values, &names);
    assert_eq!(read[0].name, None);
    assert_eq!(read[1].name.as_deref().map(str::len), Some(MAX_NAME_CHARS));
    assert!(trays(&["", ";;;=", "level=3"], &[]).is_empty());
    let many = vec!["type=sheetFeedAutoRemovableTray;name=t"; 4_000];
    assert_eq!(trays(&many, &[]).len(), MAX_TRAYS);
}

proptest! {
    #[test]
    fn whatever_is_said_levels_stay_percentages_and_lists_short(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..40),
        levels in proptest::collection::vec(any::<i32>(), 0..40),
        capacity in any::<i64>(),
        number in any::<i64>(),
    ) {
        let numbers = format!("type=toner;maxcapacity={capacity};level={number}");
        let mut all: Vec<&[u8]> = vec![numbers.as_bytes()];
        all.extend(values.iter().map(Vec::as_slice));
        let mut supplies = of_printer_supply(&all, &[]);
        supplies.extend(of_markers(&markers(&levels)));
        prop_assert!(supplies.len() <= 2 * MAX_SUPPLIES);
        for supply in supplies {
            if let Level::Known(percent) = supply.level {
                prop_assert!(percent <= 100);
            }
        }
        prop_assert!(tray::read(&all, &[]).len() <= MAX_TRAYS);
    }
}
