//! The trays that paper is fed from.

use super::words::{Pairs, name_of};
use super::{Level, MAX_TRAYS};

/// Bits of PrtSubUnitStatusTC (RFC 3805): a critical alert, and off line.
const CRITICAL_OR_OFF: i64 = 16 | 32;

/// The availability in its lowest three bits: 3 is broken, 5 is unknown.
const AVAILABILITY: i64 = 7;
const BROKEN: i64 = 3;

/// One tray.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tray {
    /// How paper comes out of it.
    pub kind: TrayKind,
    /// What the printer calls it.
    pub name: Option<String>,
    /// What lies in it: a self-describing name of PWG 5101.1 (`iso_a4_210x297mm`), or its dimensions alone
    /// (`210x297mm`).
    pub media: Option<String>,
    /// Sheets in it.
    pub level: Level,
    /// Sheets that it holds.
    pub max_capacity: Option<u32>,
    /// False where the printer says that it is broken, off line or wants a person.
    pub is_usable: bool,
}

/// How paper comes out of a tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrayKind {
    /// By itself.
    Fed,
    /// A sheet at a time, by hand: empty is how it should be.
    ByHand,
}

/// Reads the values of `printer-input-tray`. Where a tray does not say what lies in it and there are as many values of
/// `media-ready` as trays, that is it; a single one lies in the only tray that is not fed by hand.
pub(super) fn read(values: &[&[u8]], ready: &[String]) -> Vec<Tray> {
    let mut trays: Vec<Tray> = values
        .iter()
        .filter_map(|value| one(value))
        .take(MAX_TRAYS)
        .collect();
    let count = trays.len();
    let fed = |tray: &&mut Tray| tray.kind == TrayKind::Fed;
    if count == ready.len() {
        for (tray, media) in trays.iter_mut().zip(ready) {
            tray.media = tray.media.take().or_else(|| name_of(media));
        }
    } else if let [media] = ready
        && trays.iter_mut().filter(fed).count() == 1
    {
        for tray in trays.iter_mut().filter(fed) {
            tray.media = tray.media.take().or_else(|| name_of(media));
        }
    }
    trays
}

/// `auto` is no tray: it says that the printer chooses one (PAPPL and ippeveprinter list it).
fn one(value: &[u8]) -> Option<Tray> {
    let pairs = Pairs::read(value);
    let name = pairs.text("name").and_then(name_of);
    if name.as_deref() == Some("auto") {
        return None;
    }
    let kind = match pairs.text("type") {
        Some(kind) if kind.eq_ignore_ascii_case("sheetFeedManual") => TrayKind::ByHand,
        Some(_) => TrayKind::Fed,
        // Bytes without a type and without a name are nothing.
        None if name.is_some() => TrayKind::Fed,
        None => return None,
    };
    let max_capacity = pairs.count("maxcapacity").filter(|sheets| *sheets > 0);
    let status = pairs.number("status").unwrap_or_default().max(0);
    Some(Tray {
        kind,
        media: media(&pairs),
        level: pairs
            .number("level")
            .map_or(Level::Unknown, |level| Level::of(level, max_capacity)),
        max_capacity,
        is_usable: status & CRITICAL_OR_OFF == 0 && status & AVAILABILITY != BROKEN,
        name,
    })
}

/// The dimensions of the sheet, across and along. Without a unit they are hundredths of a millimetre, as in media-col;
/// 0 and less stand for anything.
fn media(pairs: &Pairs<'_>) -> Option<String> {
    let in_mm = |value: u32| {
        let value = u64::from(value);
        match pairs.text("dimunit") {
            Some(unit) if unit.eq_ignore_ascii_case("micrometers") => (value + 500) / 1_000,
            Some(unit) if unit.eq_ignore_ascii_case("tenThousandthsOfInches") => {
                (value * 254 + 50_000) / 100_000
            }
            Some(_) | None => (value + 50) / 100,
        }
    };
    let side = |key| pairs.count(key).map(in_mm).filter(|mm| *mm > 0);
    let (across, along) = (side("mediaxfeed")?, side("mediafeed")?);
    Some(format!("{across}x{along}mm"))
}
