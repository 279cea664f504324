//! What a printer has left, from the hand's words into those of the protocol.

use loket_ipp_printer::{self as ipp, SupplyKind as Kind, TrayKind};
use loket_wire::Stock;
use loket_wire::stock::{Colour, Level, Supply, SupplyKind, Tray};

/// Reasons of RFC 8011 section 5.4.12 by which a printer without a measure says that it has run out.
const TONER_EMPTY: &str = "toner-empty";
const MARKER_EMPTY: &str = "marker-supply-empty";

/// What is told of it; none where the printer says nothing. Trays that are fed by hand are none of the stock.
pub(super) fn stock_of(supplies: ipp::Supplies, reasons: &[String]) -> Option<Stock> {
    let mut consumed: Vec<_> = supplies.consumed.into_iter().map(supply_of).collect();
    take_word(&mut consumed, reasons);
    let fed = |tray: &ipp::Tray| tray.kind == TrayKind::Fed;
    let trays = supplies.trays.into_iter().filter(fed).map(tray_of);
    let stock = Stock {
        supplies: consumed,
        trays: trays.collect(),
    };
    (!stock.is_empty()).then(|| stock.bounded())
}

/// A printer that has one toner or ink and no measure of it says by a reason that it is empty.
fn take_word(supplies: &mut [Supply], reasons: &[String]) {
    let has = |keyword: &str| reasons.iter().any(|reason| reason == keyword);
    let is_meant = |kind: SupplyKind| match kind {
        SupplyKind::Toner => has(TONER_EMPTY) || has(MARKER_EMPTY),
        SupplyKind::Ink => has(MARKER_EMPTY),
        SupplyKind::Waste
        | SupplyKind::Drum
        | SupplyKind::Fuser
        | SupplyKind::Paper
        | SupplyKind::Other => false,
    };
    let prints = |supply: &&mut Supply| matches!(supply.kind, SupplyKind::Toner | SupplyKind::Ink);
    let mut printing: Vec<_> = supplies.iter_mut().filter(prints).collect();
    if let [only] = printing.as_mut_slice()
        && !matches!(only.level, Level::Known(_))
        && is_meant(only.kind)
    {
        only.level = Level::Known(0);
    }
}

fn supply_of(supply: ipp::Supply) -> Supply {
    let kind = match supply.kind {
        Kind::Toner => SupplyKind::Toner,
        Kind::Ink => SupplyKind::Ink,
        Kind::Waste => SupplyKind::Waste,
        Kind::Drum => SupplyKind::Drum,
        Kind::Fuser => SupplyKind::Fuser,
        Kind::Paper => SupplyKind::Paper,
        Kind::Other => SupplyKind::Other,
    };
    let colour = supply.colour.map(|colour| match colour {
        ipp::Colour::Black => Colour::Black,
        ipp::Colour::Cyan => Colour::Cyan,
        ipp::Colour::Magenta => Colour::Magenta,
        ipp::Colour::Yellow => Colour::Yellow,
    });
    Supply {
        kind,
        colour,
        name: supply.name,
        level: level_of(supply.level),
        low_percent: supply.low_percent,
    }
}

fn tray_of(tray: ipp::Tray) -> Tray {
    Tray {
        name: tray.name,
        media: tray.media,
        level: level_of(tray.level),
        capacity: tray.max_capacity,
        is_out_of_order: !tray.is_usable,
    }
}

const fn level_of(level: ipp::Level) -> Level {
    match level {
        ipp::Level::Known(left) => Level::Known(left),
        ipp::Level::Other => Level::Other,
        ipp::Level::Unknown => Level::Unknown,
        ipp::Level::Some => Level::Some,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(level: ipp::Level, count: usize) -> ipp::Supplies {
        let toner = ipp::Supply {
            kind: Kind::Toner,
            name: None,
            colour: None,
            level,
            max_capacity: None,
            low_percent: None,
        };
        ipp::Supplies {
            consumed: vec![toner; count],
            trays: Vec::new(),
        }
    }

    fn level(said: ipp::Supplies, reason: &str) -> Level {
        stock_of(said, &[reason.to_owned()]).unwrap().supplies[0].level
    }

    #[test]
    fn a_printer_without_a_measure_is_empty_where_its_reasons_say_so_of_its_only_toner() {
        for (level_said, reason, expect) in [
            (ipp::Level::Some, "toner-empty", Level::Known(0)),
            (ipp::Level::Unknown, "marker-supply-empty", Level::Known(0)),
            (ipp::Level::Some, "toner-low", Level::Some),
            // What is measured is believed.
            (ipp::Level::Known(40), "toner-empty", Level::Known(40)),
        ] {
            assert_eq!(level(said(level_said, 1), reason), expect, "{reason}");
        }
        assert_eq!(level(said(ipp::Level::Some, 2), "toner-empty"), Level::Some);
    }

    #[test]
    fn nothing_said_is_no_stock_and_a_slot_for_single_sheets_is_no_tray() {
        assert_eq!(stock_of(ipp::Supplies::default(), &[]), None);
        let tray = |kind| ipp::Tray {
            kind,
            name: Some("Tray 1".to_owned()),
            media: None,
            level: ipp::Level::Known(9),
            max_capacity: Some(250),
            is_usable: false,
        };
        let supplies = ipp::Supplies {
            consumed: Vec::new(),
            trays: vec![tray(TrayKind::ByHand), tray(TrayKind::Fed)],
        };
        let stock = stock_of(supplies, &[]).unwrap();
        assert_eq!(stock.trays.len(), 1);
        assert!(stock.trays[0].is_out_of_order);
    }
}
