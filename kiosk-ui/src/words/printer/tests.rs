//! What an officer reads of a printer, case by case.

use loket_wire::stock::Colour;

use super::todo::todo_of_reason;
use super::*;

fn supply(kind: SupplyKind, level: Level) -> Supply {
    Supply {
        kind,
        colour: Some(Colour::Black),
        name: None,
        level,
        low_percent: None,
    }
}

fn tray(level: Level) -> Tray {
    Tray {
        name: Some("Tray 1".to_owned()),
        media: Some("iso_a4_210x297mm".to_owned()),
        level,
        capacity: Some(250),
        is_out_of_order: false,
    }
}

fn stock(supplies: &[Supply], trays: &[Tray]) -> Stock {
    Stock {
        supplies: supplies.to_vec(),
        trays: trays.to_vec(),
    }
}

fn of(state: &str, reasons: &[&str], stock: &Stock) -> Shown {
    let reasons: Vec<String> = reasons.iter().map(|it| (*it).to_owned()).collect();
    shown(PrinterKind::Documents, state, &reasons, Some(stock))
}

#[test]
fn a_printer_that_is_well_wants_nothing() {
    let full = stock(
        &[supply(SupplyKind::Toner, Level::Known(75))],
        &[tray(Level::Known(120))],
    );
    let shown = of("idle", &["none", "suspend"], &full);
    assert_eq!((shown.word, shown.tone), ("siap", Tone::Good));
    assert!(shown.todos.is_empty(), "{shown:?}");
    let said = |left: &Left| format!("{} {} {}", left.what, left.word, left.note);
    let left: Vec<_> = shown.left.iter().map(said).collect();
    assert_eq!(
        left,
        ["Baki 1 (A4) cukup ±120 lembar", "Toner hitam cukup 75 %"]
    );
    let percents: Vec<_> = shown.left.iter().map(|left| left.percent).collect();
    assert_eq!(percents, [Some(48), Some(75)]);
}

/// Which tray and which colour says more than that something is out; it is said once.
#[test]
fn what_is_out_is_said_once_with_what_to_bring() {
    let out = stock(
        &[supply(SupplyKind::Toner, Level::Known(8))],
        &[tray(Level::Known(0))],
    );
    let shown = of(
        "stopped",
        &["media-empty", "media-needed", "toner-low"],
        &out,
    );
    let todos: Vec<_> = shown
        .todos
        .iter()
        .map(|todo| (todo.tone, todo.happened.as_str(), todo.bring.as_deref()))
        .collect();
    assert_eq!(
        todos,
        [
            (Tone::Bad, "Baki 1 (A4) habis.", Some("kertas A4")),
            (Tone::Wait, "Toner hitam hampir habis.", Some("Toner hitam")),
        ]
    );
    assert_eq!((shown.word, shown.tone), ("berhenti", Tone::Bad));
    // A printer that measures nothing says it by reasons alone.
    let silent = of("idle", &["media-empty", "toner-low"], &stock(&[], &[]));
    assert_eq!(silent.tone, Tone::Bad);
    let said: Vec<_> = silent.todos.iter().map(|it| it.happened.as_str()).collect();
    assert_eq!(said, ["Kertas habis.", "Toner hampir habis."]);
    // Another tray has paper: nothing stands still.
    let second = of(
        "idle",
        &[],
        &stock(&[], &[tray(Level::Known(0)), tray(Level::Some)]),
    );
    assert_eq!((second.word, second.tone), ("siap", Tone::Wait));
}

#[test]
fn a_level_that_nobody_knows_is_said_to_be_so() {
    let unknown = stock(
        &[
            supply(SupplyKind::Ink, Level::Unknown),
            supply(SupplyKind::Toner, Level::Some),
            supply(SupplyKind::Waste, Level::Known(3)),
        ],
        &[],
    );
    let shown = of("idle", &[], &unknown);
    let left: Vec<_> = shown
        .left
        .iter()
        .map(|left| (left.word, left.class, left.note.as_str(), left.percent))
        .collect();
    assert_eq!(
        left,
        [
            ("tidak diketahui", "soft", "", None),
            ("masih ada", "good", UNMEASURED, None),
        ]
    );
    assert_eq!(shown.tone, Tone::Good);
}

/// No dead end: each says what happened, what to do, and where it may not help, whom to ask.
#[test]
fn every_fault_says_what_to_do() {
    for keyword in [
        "media-empty",
        "media-low",
        "media-jam",
        "toner-empty",
        "toner-low",
        "marker-supply-empty",
        "marker-supply-low",
        "cover-open",
        "output-area-full",
        "input-tray-missing",
        "marker-waste-full",
        "paused",
        "offline",
        "certificate-mismatch",
        "timed-out",
        "usb-not-there",
        "busy",
        "ipp-0x0401",
        "x-vendor-trouble",
    ] {
        let todo = todo_of_reason(PrinterKind::Documents, keyword).unwrap();
        let said = format!("{} {}", todo.happened, todo.what);
        assert!(
            todo.happened.ends_with('.') && todo.what.ends_with('.'),
            "{said}"
        );
        assert!(said.starts_with(char::is_uppercase), "{said}");
        assert!(
            !said.contains("; periksa") && !said.contains(".."),
            "{said}"
        );
        assert!(todo.tone >= Tone::Wait, "{said}");
    }
}

#[test]
fn what_a_printer_is_by_nature_and_its_sleep_want_nothing_of_an_officer() {
    let whole = stock(&[], &[tray(Level::Known(100))]);
    for reason in ["no-create-job", "hibernate"] {
        let shown = of("idle", &[reason], &whole);
        assert_eq!((shown.word, shown.tone), ("siap", Tone::Good), "{reason}");
        assert_eq!(shown.todos, [], "{reason}");
    }
}
