//! What a printer has left: toner, ink, paper, as a machine tells it in a device report.
//!
//! Whatever a later version adds is read: a kind or colour that is not known here is `other`, a level that is none is
//! unknown. How a report becomes rare is for the machine's health; here stand the bounds that both sides know, so that
//! what a machine tells of at once is what central shows as low.

mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Supplies of one device in a report; a colour printer with all it has comes to eleven.
pub const MAX_SUPPLIES: usize = 16;

/// Trays of one device in a report.
pub const MAX_TRAYS: usize = 8;

/// Characters of a name: 24 of them at their longest leave a device report far below the bound of a payload.
pub const MAX_NAME_CHARS: usize = 63;

/// Percent of a supply at which it counts as low where the printer has no bound of its own: some 200 sheets of the usual
/// toner, enough for the days until another is brought.
pub const LOW_PERCENT: u32 = 10;

/// The highest percentage that a printer's own bound may have: one that calls half a cartridge low says nothing.
const LOW_PERCENT_MAX: u32 = 50;

/// Sheets at which a tray counts as low: a tenth of the usual 250.
pub const LOW_SHEETS: u32 = 25;

/// What a device has left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stock {
    /// Toner, ink and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supplies: Vec<Supply>,
    /// The trays that feed paper by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trays: Vec<Tray>,
}

/// One thing that is used up, or that fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    /// What it is.
    pub kind: SupplyKind,
    /// Its colour, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// What the printer calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Percent left, 0 to 100; −1 no measure, −2 unknown, −3 some.
    #[serde(default)]
    pub level: Level,
    /// The percentage at which the printer itself calls it low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_percent: Option<u32>,
}

/// One tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tray {
    /// What the printer calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What lies in it, as PWG 5101.1 names it (`iso_a4_210x297mm`), or its dimensions alone (`210x297mm`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Sheets in it; −1 no measure, −2 unknown, −3 some.
    #[serde(default)]
    pub level: Level,
    /// Sheets that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Whether the printer says that it is broken, off line or wants a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_out_of_order: bool,
}

/// What a supply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SupplyKind {
    /// Toner.
    Toner,
    /// Ink.
    Ink,
    /// A box that fills with waste. Printers differ in whether its level is what is in it or what room is left, so
    /// nothing follows from its level; that it is full is a reason of the printer's state.
    Waste,
    /// A drum or photoconductor.
    Drum,
    /// A fuser.
    Fuser,
    /// Paper, where it is told as a supply.
    Paper,
    /// Anything else, also what a later version knows.
    #[serde(other)]
    Other,
}

impl SupplyKind {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Toner => "toner",
            Self::Ink => "ink",
            Self::Waste => "waste",
            Self::Drum => "drum",
            Self::Fuser => "fuser",
            Self::Paper => "paper",
            Self::Other => "other",
        }
    }
}

/// A colour that printers print with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// K.
    Black,
    /// C.
    Cyan,
    /// M.
    Magenta,
    /// Y.
    Yellow,
    /// One that a later version knows.
    #[serde(other)]
    Other,
}

impl Colour {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Cyan => "cyan",
            Self::Magenta => "magenta",
            Self::Yellow => "yellow",
            Self::Other => "other",
        }
    }
}

/// How much is left, as a number in JSON: what is known from 0 up, else −1, −2 or −3.
///
/// # Source
/// RFC 3805, prtMarkerSuppliesLevel and prtInputCurrentLevel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum Level {
    /// Percent of a supply, sheets of a tray.
    Known(u32),
    /// −1: there is no measure for it.
    Other,
    /// −2.
    #[default]
    Unknown,
    /// −3: some is left, nobody knows how much.
    Some,
}

impl From<i64> for Level {
    fn from(number: i64) -> Self {
        match number {
            -1 => Self::Other,
            -3 => Self::Some,
            number => u32::try_from(number).map_or(Self::Unknown, Self::Known),
        }
    }
}

impl From<Level> for i64 {
    fn from(level: Level) -> Self {
        match level {
            Level::Known(number) => number.into(),
            Level::Other => -1,
            Level::Unknown => -2,
            Level::Some => -3,
        }
    }
}

/// How urgent a level is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Nothing is left.
    Empty,
    /// Little is left.
    Low,
    /// Enough is left.
    Enough,
    /// Nobody can tell.
    Unknown,
}

impl Supply {
    /// The percentage at which it counts as low.
    #[must_use]
    pub fn low(&self) -> u32 {
        self.low_percent
            .map_or(LOW_PERCENT, |low| low.clamp(1, LOW_PERCENT_MAX))
    }

    /// How urgent it is.
    #[must_use]
    pub fn band(&self) -> Band {
        if self.kind == SupplyKind::Waste {
            return Band::Unknown;
        }
        band(self.level, self.low())
    }
}

impl Tray {
    /// How urgent it is.
    #[must_use]
    pub fn band(&self) -> Band {
        band(self.level, LOW_SHEETS)
    }
}

fn band(level: Level, low: u32) -> Band {
    match level {
        Level::Known(0) => Band::Empty,
        Level::Known(left) if left <= low => Band::Low,
        Level::Known(_) | Level::Some => Band::Enough,
        Level::Other | Level::Unknown => Band::Unknown,
    }
}

impl Stock {
    /// Whether nothing is told.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.supplies.is_empty() && self.trays.is_empty()
    }

    /// The same within the bounds of a report; what is beyond them is left out.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.supplies.truncate(MAX_SUPPLIES);
        self.trays.truncate(MAX_TRAYS);
        for supply in &mut self.supplies {
            supply.name = supply.name.as_deref().map(cut);
        }
        for tray in &mut self.trays {
            tray.name = tray.name.as_deref().map(cut);
            tray.media = tray.media.as_deref().map(cut);
        }
        self
    }

    /// The supplies, each with a key under which its readings are kept: kind and colour, for instance `toner-black`, with
    /// a number from the second of the same on. A printer's own name is no part of it, since another cartridge may bear
    /// another.
    #[must_use]
    pub fn keyed(&self) -> Vec<(String, &Supply)> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let each = self.supplies.iter().map(|supply| {
            let colour = supply.colour.map(Colour::as_str);
            let parts: Vec<_> = [Some(supply.kind.as_str()), colour]
                .into_iter()
                .flatten()
                .collect();
            let key = parts.join("-");
            let count = counts.entry(key.clone()).or_default();
            *count += 1;
            let key = if *count > 1 {
                format!("{key}-{count}")
            } else {
                key
            };
            (key, supply)
        });
        each.collect()
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(kind: SupplyKind, colour: Option<Colour>) -> Supply {
        Supply {
            kind,
            colour,
            name: None,
            level: Level::Known(40),
            low_percent: None,
        }
    }

    #[test]
    fn a_level_is_a_number_and_what_is_none_is_unknown() {
        for (text, level) in [
            ("0", Level::Known(0)),
            ("120", Level::Known(120)),
            ("-1", Level::Other),
            ("-2", Level::Unknown),
            ("-3", Level::Some),
            ("-9", Level::Unknown),
            ("9999999999", Level::Unknown),
        ] {
            assert_eq!(serde_json::from_str::<Level>(text).unwrap(), level);
        }
        let written = [Level::Known(7), Level::Some].map(|it| serde_json::to_string(&it).unwrap());
        assert_eq!(written, ["7", "-3"]);
    }

    #[test]
    fn a_kind_or_colour_of_a_later_version_is_read_as_other() {
        let read: Supply =
            serde_json::from_str(r#"{"kind":"transfer-belt","colour":"white","level":40}"#)
                .unwrap();
        assert_eq!(read, supply(SupplyKind::Other, Some(Colour::Other)));
    }

    #[test]
    fn the_words_of_kinds_and_colours_are_those_of_json() {
        for kind in [
            SupplyKind::Toner,
            SupplyKind::Ink,
            SupplyKind::Waste,
            SupplyKind::Drum,
            SupplyKind::Fuser,
            SupplyKind::Paper,
            SupplyKind::Other,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for colour in [
            Colour::Black,
            Colour::Cyan,
            Colour::Magenta,
            Colour::Yellow,
            Colour::Other,
        ] {
            assert_eq!(serde_json::to_value(colour).unwrap(), colour.as_str());
        }
    }

    #[test]
    fn keys_tell_supplies_apart_and_outlive_a_cartridge_of_another_name() {
        let toner = supply(SupplyKind::Toner, Some(Colour::Black));
        let named = Supply {
            name: Some("Black XL".to_owned()),
            ..toner.clone()
        };
        let stock = Stock {
            supplies: vec![toner, named, supply(SupplyKind::Waste, None)],
            trays: Vec::new(),
        };
        let keys: Vec<_> = stock.keyed().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["toner-black", "toner-black-2", "waste"]);
    }

    #[test]
    fn a_bound_of_the_printer_counts_where_it_makes_sense() {
        let at = |level, low_percent| {
            let kind = SupplyKind::Toner;
            let supply = Supply {
                level,
                low_percent,
                ..supply(kind, None)
            };
            supply.band()
        };
        assert_eq!(at(Level::Known(10), None), Band::Low);
        assert_eq!(at(Level::Known(11), None), Band::Enough);
        assert_eq!(at(Level::Known(20), Some(20)), Band::Low);
        assert_eq!(at(Level::Known(60), Some(99)), Band::Enough);
        assert_eq!(at(Level::Known(0), None), Band::Empty);
        assert_eq!(at(Level::Some, None), Band::Enough);
        assert_eq!(at(Level::Unknown, None), Band::Unknown);
        assert_eq!(supply(SupplyKind::Waste, None).band(), Band::Unknown);
    }

    #[test]
    fn what_is_too_much_for_a_report_is_left_out() {
        let mut long = supply(SupplyKind::Other, None);
        long.name = Some("é".repeat(500));
        let tray = Tray {
            name: long.name.clone(),
            media: long.name.clone(),
            level: Level::Some,
            capacity: None,
            is_out_of_order: false,
        };
        let stock = Stock {
            supplies: vec![long; 900],
            trays: vec![tray; 900],
        };
        let written = serde_json::to_vec(&stock.bounded()).unwrap();
        assert!(written.len() < 8 * 1024, "{}", written.len());
    }
}
