//! Toner, ink and trays of a simulated printer: knobs that go down with what comes out, told in both dialects.

use ipp::attribute::IppAttribute;
use ipp::value::IppValue;
use serde::{Deserialize, Serialize};

use super::knobs::Knobs;
use super::reply::{attribute, keywords, set};

/// At this percentage a supply says that it is low, as ippeveprinter does.
const LOW_PERCENT: i32 = 10;

/// What the one tray of a printer holds that was given no others.
const CAPACITY: u32 = 250;

/// A toner, ink or waste box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimSupply {
    /// Its type in `printer-supply` and `marker-types`: `toner`, `ink`, `wasteToner`, …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its colour, as a word.
    pub colour: String,
    /// Percent, or −1, −2, −3 as in RFC 3805; anything else is said as it is.
    pub level: i32,
    /// Sheets that take one percent; 0 for one that is never used up.
    #[serde(default)]
    pub sheets_a_percent: u32,
    /// Sheets that came out since the last percent.
    #[serde(default)]
    pub sheets_since: u32,
}

impl Default for SimSupply {
    fn default() -> Self {
        Self {
            kind: "toner".to_owned(),
            name: "Toner".to_owned(),
            colour: "black".to_owned(),
            level: 75,
            sheets_a_percent: 0,
            sheets_since: 0,
        }
    }
}

impl SimSupply {
    fn print(&mut self) {
        if self.sheets_a_percent == 0 || self.level <= 0 {
            return;
        }
        self.sheets_since = self.sheets_since.saturating_add(1);
        if self.sheets_since >= self.sheets_a_percent {
            self.sheets_since = 0;
            self.level -= 1;
        }
    }
}

/// A tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimTray {
    /// Its name.
    pub name: String,
    /// The sheets in it, counted down.
    pub sheets: u32,
    /// What it holds.
    pub capacity: u32,
    /// Width and length of its sheets in millimetres.
    pub size_mm: (u32, u32),
}

/// The dialects in which supplies are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Both.
    #[default]
    Both,
    /// `printer-supply` and `printer-input-tray` (PWG 5100.13).
    Pwg,
    /// `marker-*`, as CUPS names them.
    Markers,
    /// None: the printer says nothing of it.
    Silent,
}

impl Knobs {
    /// Takes a sheet, and what is printed on it.
    pub(super) fn pull_sheet(&mut self) {
        self.paper = self.paper.map(|left| left.saturating_sub(1));
        self.jam_after = self.jam_after.map(|left| left.saturating_sub(1));
        if let Some(tray) = self.trays.iter_mut().find(|tray| tray.sheets > 0) {
            tray.sheets -= 1;
        }
        for supply in &mut self.supplies {
            supply.print();
        }
    }

    /// True where a sheet can be pulled.
    pub(super) fn has_paper(&self) -> bool {
        let has_sheets = self.trays.iter().any(|tray| tray.sheets > 0);
        self.paper != Some(0) && (self.trays.is_empty() || has_sheets)
    }

    /// True where a toner or ink has run out.
    pub(super) fn is_dry(&self) -> bool {
        self.prints_with().any(|supply| supply.level == 0)
    }

    /// Keywords of `printer-state-reasons` that keep no sheet from coming out.
    pub(super) fn notices(&self) -> Vec<&'static str> {
        let is_low = |supply: &SimSupply| (1..=LOW_PERCENT).contains(&supply.level);
        let is_low = self.prints_with().any(is_low);
        is_low.then_some("toner-low").into_iter().collect()
    }

    fn prints_with(&self) -> impl Iterator<Item = &SimSupply> {
        let is_waste = |supply: &&SimSupply| supply.kind.starts_with("waste");
        self.supplies.iter().filter(move |supply| !is_waste(supply))
    }
}

/// Everything that is left, as attributes.
pub(super) fn attributes(knobs: &Knobs) -> Vec<IppAttribute> {
    let (says_pwg, says_markers) = match knobs.dialect {
        Dialect::Both => (true, true),
        Dialect::Pwg => (true, false),
        Dialect::Markers => (false, true),
        Dialect::Silent => (false, false),
    };
    let mut all = Vec::new();
    if says_pwg {
        all.extend(printer_supply(knobs));
    }
    if says_markers {
        all.extend(markers(knobs));
    }
    all.into_iter().flatten().collect()
}

fn printer_supply(knobs: &Knobs) -> Vec<Option<IppAttribute>> {
    let octets = |text: String| Some(IppValue::OctetString(text.into()));
    let supplies = knobs.supplies.iter().zip(1..).map(|(supply, index)| {
        let SimSupply {
            kind,
            colour,
            level,
            ..
        } = supply;
        octets(format!(
            "index={index};type={kind};maxcapacity=100;level={level};unit=percent;colorantname={colour};"
        ))
    });
    let names = knobs
        .supplies
        .iter()
        .map(|supply| IppValue::new_text_without_language(&*supply.name).ok());
    let trays = trays(knobs).into_iter().map(octets);
    vec![
        attribute("printer-supply", set(supplies)),
        attribute("printer-supply-description", set(names)),
        attribute("printer-input-tray", set(trays)),
    ]
}

/// The trays, or the one that `paper` counts.
fn trays(knobs: &Knobs) -> Vec<String> {
    let line = |name: &str, (x, y): (u32, u32), capacity: u32, level: i64| {
        format!(
            "type=sheetFeedAutoRemovableTray;mediafeed={};mediaxfeed={};maxcapacity={capacity};level={level};status=0;name={name};",
            y.saturating_mul(100),
            x.saturating_mul(100),
        )
    };
    if knobs.trays.is_empty() {
        let level = knobs.paper.map_or(-3, i64::from);
        let capacity = knobs.paper.unwrap_or(CAPACITY).max(CAPACITY);
        return vec![line("main", (210, 297), capacity, level)];
    }
    let each = knobs.trays.iter();
    each.map(|tray| line(&tray.name, tray.size_mm, tray.capacity, tray.sheets.into()))
        .collect()
}

fn markers(knobs: &Knobs) -> Vec<Option<IppAttribute>> {
    let supplies = || knobs.supplies.iter();
    let name = |text: &str| IppValue::new_name_without_language(text).ok();
    let kinds: Vec<_> = supplies().map(|supply| supply.kind.as_str()).collect();
    vec![
        attribute(
            "marker-names",
            set(supplies().map(|supply| name(&supply.name))),
        ),
        attribute("marker-types", keywords(&kinds)),
        attribute(
            "marker-colors",
            set(supplies().map(|supply| name(&supply.colour))),
        ),
        attribute(
            "marker-levels",
            set(supplies().map(|supply| Some(IppValue::Integer(supply.level)))),
        ),
        attribute(
            "marker-low-levels",
            set(supplies().map(|_supply| Some(IppValue::Integer(LOW_PERCENT)))),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toner_and_paper_go_down_with_what_comes_out() {
        let tray = |name: &str, sheets| SimTray {
            name: name.to_owned(),
            sheets,
            capacity: 250,
            size_mm: (210, 297),
        };
        let mut knobs = Knobs {
            supplies: vec![SimSupply {
                level: 11,
                sheets_a_percent: 2,
                ..SimSupply::default()
            }],
            trays: vec![tray("Tray 1", 1), tray("Tray 2", 2)],
            ..Knobs::default()
        };
        assert_eq!(knobs.notices(), [""; 0]);
        knobs.pull_sheet();
        knobs.pull_sheet();
        assert_eq!(knobs.supplies[0].level, 10);
        assert_eq!(knobs.notices(), ["toner-low"]);
        assert_eq!((knobs.trays[0].sheets, knobs.trays[1].sheets), (0, 1));
        assert!(knobs.has_paper());
        knobs.pull_sheet();
        assert_eq!(knobs.faults(), ["media-empty"]);
        knobs.supplies[0].level = 0;
        assert_eq!(knobs.faults(), ["media-empty", "toner-empty"]);
    }

    #[test]
    fn each_dialect_says_what_it_can() {
        let said = |dialect| {
            let knobs = Knobs {
                dialect,
                ..Knobs::default()
            };
            let names = attributes(&knobs);
            let has = |name: &str| names.iter().any(|each| each.name().as_str() == name);
            (has("printer-supply"), has("marker-levels"))
        };
        assert_eq!(said(Dialect::Both), (true, true));
        assert_eq!(said(Dialect::Pwg), (true, false));
        assert_eq!(said(Dialect::Markers), (false, true));
        assert_eq!(said(Dialect::Silent), (false, false));
    }
}
