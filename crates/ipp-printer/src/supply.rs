//! Toner, ink, paper: what the printer has left, one list out of the dialects that printers speak.
//!
//! ```text
//! printer-supply, printer-supply-description ──┐ values paired by their place,
//! marker-names, -types, -colors, -levels ──────┴ where both lists are of the same things ──> Vec<Supply>
//! printer-input-tray ──> Vec<Tray>
//! ```
//!
//! What a printer says here steers nothing: it is shown, and told to those who order. So what cannot be read is unknown,
//! and what is too much is left out; nothing of it is an error.
//!
//! # Source
//! `printer-supply`, `printer-input-tray`: PWG 5100.13. Levels and kinds: RFC 3805, prtMarkerSuppliesTable and
//! prtInputTable. `marker-*`: as CUPS names them.

mod tray;
mod words;

use ipp::attribute::IppAttributeGroup;

use crate::attributes::{integers, octets, texts};
pub use tray::{Tray, TrayKind};
use words::{Pairs, colour_of, kind_of, name_of};

/// Supplies that are read: a colour printer has four toners, four drums, waste box, fuser and transfer belt.
pub const MAX_SUPPLIES: usize = 16;

/// Trays that are read: with every option, office printers have six.
pub const MAX_TRAYS: usize = 8;

/// Characters of a name: it is to be read in one line, and RFC 3805 lets a description have 255 bytes.
pub const MAX_NAME_CHARS: usize = 63;

/// Everything that is used up, as the printer says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Supplies {
    /// Toner, ink and the like, in the printer's order.
    pub consumed: Vec<Supply>,
    /// The trays that paper is fed from, in the printer's order.
    pub trays: Vec<Tray>,
}

/// One thing that is used up, or that fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    /// What it is.
    pub kind: SupplyKind,
    /// What the printer calls it, up to [`MAX_NAME_CHARS`].
    pub name: Option<String>,
    /// Its colour, where it has one.
    pub colour: Option<Colour>,
    /// How much is left, in percent. Of [`SupplyKind::Waste`] printers differ: most say how full it is, RFC 3805 wants
    /// how much room is left. It is passed on and nothing follows from it.
    pub level: Level,
    /// The capacity, in the printer's own unit; for people.
    pub max_capacity: Option<u32>,
    /// The percentage at which the printer itself calls it low.
    pub low_percent: Option<u32>,
}

/// What a supply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SupplyKind {
    /// Toner, alone or in a cartridge.
    Toner,
    /// Ink, alone, in a cartridge or on a ribbon.
    Ink,
    /// A box that fills with waste.
    Waste,
    /// A drum or photoconductor.
    Drum,
    /// A fuser or its parts.
    Fuser,
    /// Paper, where it is told as a supply.
    Paper,
    /// Anything else.
    Other,
}

/// The colours that printers print with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    /// K.
    Black,
    /// C.
    Cyan,
    /// M.
    Magenta,
    /// Y.
    Yellow,
}

/// How much is left.
///
/// # Source
/// RFC 3805, prtMarkerSuppliesLevel and prtInputCurrentLevel: −1 other, −2 unknown, −3 some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// That much: percent of a supply, sheets of a tray.
    Known(u32),
    /// −1: there is no measure for it.
    Other,
    /// −2, or nothing that can be read.
    #[default]
    Unknown,
    /// −3: some is left, nobody knows how much.
    Some,
}

impl Level {
    /// A level as it stands in the attribute, where `capacity` is a full one. What is above a full one is no level.
    fn of(value: i64, capacity: Option<u32>) -> Self {
        match value {
            -1 => Self::Other,
            -3 => Self::Some,
            _ => u32::try_from(value)
                .ok()
                .filter(|value| capacity.is_none_or(|capacity| *value <= capacity))
                .map_or(Self::Unknown, Self::Known),
        }
    }

    /// The same as a percentage of `capacity`; rounded up, so that a little is not nothing.
    fn in_percent(self, capacity: Option<u32>) -> Self {
        match (self, capacity) {
            (Self::Known(level), Some(capacity)) if capacity > 0 => {
                let percent = (u64::from(level) * 100).div_ceil(u64::from(capacity));
                u32::try_from(percent).map_or(Self::Unknown, Self::Known)
            }
            // Without a capacity a number is a percentage or nothing.
            (Self::Known(level), None) if level <= 100 => self,
            (Self::Known(_), Some(_) | None) => Self::Unknown,
            (Self::Other | Self::Unknown | Self::Some, _) => self,
        }
    }
}

/// What the attributes of a printer say of supplies and trays.
pub(crate) fn read(group: &IppAttributeGroup) -> Supplies {
    let trays = octets(group, "printer-input-tray");
    let ready = texts(group, "media-ready");
    Supplies {
        consumed: consumed(group),
        trays: tray::read(&trays, &ready),
    }
}

/// `printer-supply` says more than `marker-*` and counts first; the other list fills what it leaves open.
fn consumed(group: &IppAttributeGroup) -> Vec<Supply> {
    let mut of_pwg = of_printer_supply(
        &octets(group, "printer-supply"),
        &texts(group, "printer-supply-description"),
    );
    let of_cups = of_markers(&Markers {
        names: texts(group, "marker-names"),
        types: texts(group, "marker-types"),
        colours: texts(group, "marker-colors"),
        levels: integers(group, "marker-levels"),
        lows: integers(group, "marker-low-levels"),
    });
    if of_pwg.is_empty() {
        return of_cups;
    }
    let is_same = of_pwg.len() == of_cups.len()
        && of_pwg.iter().zip(&of_cups).all(|(one, other)| {
            one.kind == other.kind
                || one.kind == SupplyKind::Other
                || other.kind == SupplyKind::Other
        });
    if is_same {
        for (supply, other) in of_pwg.iter_mut().zip(of_cups) {
            fill(supply, other);
        }
    }
    of_pwg
}

fn fill(supply: &mut Supply, other: Supply) {
    if supply.kind == SupplyKind::Other {
        supply.kind = other.kind;
    }
    if supply.level == Level::Unknown {
        supply.level = other.level;
    }
    supply.name = supply.name.take().or(other.name);
    supply.colour = supply.colour.or(other.colour);
    supply.low_percent = supply.low_percent.or(other.low_percent);
}

fn of_printer_supply(values: &[&[u8]], descriptions: &[String]) -> Vec<Supply> {
    let each = values.iter().take(MAX_SUPPLIES).enumerate();
    each.map(|(place, value)| {
        let pairs = Pairs::read(value);
        let said = |key| pairs.text(key).unwrap_or_default();
        let name = descriptions.get(place).and_then(|name| name_of(name));
        let is_full_box = said("class").eq_ignore_ascii_case("receptacleThatIsFilled");
        // What collects waste is told by its type; the class alone is not believed of one that has a type.
        let kind = match (kind_of(said("type")), is_full_box) {
            (SupplyKind::Other, true) => SupplyKind::Waste,
            (kind, _) => kind,
        };
        let capacity = pairs.count("maxcapacity").filter(|capacity| *capacity > 0);
        let level = pairs.number("level").map_or(Level::Unknown, |level| {
            Level::of(level, capacity).in_percent(capacity)
        });
        Supply {
            kind,
            colour: colour_of(said("colorantname")).or_else(|| named_colour(kind, name.as_deref())),
            name,
            level,
            max_capacity: capacity,
            low_percent: None,
        }
    })
    .collect()
}

/// The lists of `marker-*`, each in the same order.
struct Markers {
    names: Vec<String>,
    types: Vec<String>,
    colours: Vec<String>,
    levels: Vec<i32>,
    lows: Vec<i32>,
}

fn of_markers(markers: &Markers) -> Vec<Supply> {
    let percent = |value: i32| Level::of(value.into(), Some(100));
    let each = 0..markers.levels.len().min(MAX_SUPPLIES);
    each.map(|place| {
        let kind = kind_of(markers.types.get(place).map_or("", String::as_str));
        let name = markers.names.get(place).and_then(|name| name_of(name));
        let colour = markers.colours.get(place).map_or("", String::as_str);
        let low = markers.lows.get(place).copied().map(percent);
        Supply {
            kind,
            colour: colour_of(colour).or_else(|| named_colour(kind, name.as_deref())),
            name,
            level: markers
                .levels
                .get(place)
                .copied()
                .map_or(Level::Unknown, percent),
            max_capacity: None,
            low_percent: match low {
                Some(Level::Known(low)) if low > 0 => Some(low),
                Some(_) | None => None,
            },
        }
    })
    .collect()
}

/// The colour in a name like `Black Toner`, where nothing else says it.
fn named_colour(kind: SupplyKind, name: Option<&str>) -> Option<Colour> {
    if kind == SupplyKind::Waste {
        return None;
    }
    name?
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(colour_of)
}

#[cfg(test)]
mod tests;
