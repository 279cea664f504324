//! When what a device has left is worth a report.
//!
//! Links are slow and a toner goes down by a percent every few dozen sheets, so a level is compared with the one that
//! was told last, and is news in these cases alone:
//!
//! - it becomes empty or low, or is enough again by a margin ([`SLACK_PERCENT`], [`SLACK_SHEETS`]) that a trembling
//!   measure does not pass;
//! - it moved by [`STEP_PERCENT`] points, or by a tenth of what the tray holds ([`STEP_SHEETS`] where that is not known),
//!   in either direction: a refill is such a move;
//! - it is known for the first time, or a supply, a tray or what lies in a tray is another;
//! - a tray is out of order, or is so no longer.
//!
//! What says nothing is never news: a list that a sleeping printer leaves out, a level that has become unknown. And as a
//! broken sensor may jump all day, a device has [`NEWS_PER_SPAN`] reports of this kind in a [`SPAN`]; what comes then is
//! told in the next, as it is by that time.

use std::time::Duration;

use loket_wire::stock::{Band, LOW_SHEETS, Level, Supply, SupplyKind, Tray};
use loket_wire::{Stock, Timestamp};

use crate::core::Now;

/// Ten reports a cartridge, each of some 600 bytes.
const STEP_PERCENT: u32 = 10;

/// Half of a usual step: measures tremble by one or two points.
const SLACK_PERCENT: u32 = 5;

/// Sheets of a step where it is not known what a tray holds: a tenth of a ream.
const STEP_SHEETS: u32 = 50;

/// Sheets above its bound at which a tray is no longer low.
const SLACK_SHEETS: u32 = 10;

/// Twice what an office day with a new ream in the morning and four supplies asks for.
const NEWS_PER_SPAN: u8 = 12;

/// The time for which the quota stands.
const SPAN: Duration = Duration::from_secs(3_600);

/// How many reports for its stock alone a device had of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Quota {
    from: Option<Timestamp>,
    used: u8,
}

impl Quota {
    /// Whether one more may be written.
    pub(super) fn has_room(self, now: Now) -> bool {
        let is_over = |from: Timestamp| now.is_after(from, SPAN);
        self.used < NEWS_PER_SPAN || self.from.is_none_or(is_over)
    }

    /// Counts one that is written.
    pub(super) fn take(&mut self, at: Timestamp) {
        let is_over = |from: Timestamp| at < from || at >= from.saturating_add(SPAN);
        if self.from.is_none_or(is_over) {
            *self = Self {
                from: Some(at),
                used: 0,
            };
        }
        self.used = self.used.saturating_add(1);
    }
}

/// Whether `seen` is worth a report where `told` was reported last.
pub(super) fn is_news(told: Option<&Stock>, seen: Option<&Stock>) -> bool {
    let Some(seen) = seen else {
        return false;
    };
    let Some(told) = told else {
        return !seen.is_empty();
    };
    is_supply_news(&told.supplies, &seen.supplies) || is_tray_news(&told.trays, &seen.trays)
}

fn is_supply_news(told: &[Supply], seen: &[Supply]) -> bool {
    if seen.is_empty() {
        return false;
    }
    let what = |supply: &Supply| (supply.kind, supply.colour);
    told.len() != seen.len()
        || told.iter().zip(seen).any(|(told, seen)| {
            what(told) != what(seen)
                || (seen.kind != SupplyKind::Waste
                    && is_level_news(
                        (told.level, told.band()),
                        (seen.level, seen.band()),
                        Steps {
                            step: STEP_PERCENT,
                            enough: seen.low().saturating_add(SLACK_PERCENT),
                            some: SLACK_PERCENT,
                        },
                    ))
        })
}

fn is_tray_news(told: &[Tray], seen: &[Tray]) -> bool {
    if seen.is_empty() {
        return false;
    }
    told.len() != seen.len()
        || told.iter().zip(seen).any(|(told, seen)| {
            let step = seen.capacity.map_or(STEP_SHEETS, |sheets| sheets / 10);
            let is_other_media = seen.media.is_some() && seen.media != told.media;
            told.name != seen.name
                || is_other_media
                || told.is_out_of_order != seen.is_out_of_order
                || is_level_news(
                    (told.level, told.band()),
                    (seen.level, seen.band()),
                    Steps {
                        step: step.max(SLACK_SHEETS),
                        enough: LOW_SHEETS.saturating_add(SLACK_SHEETS),
                        some: SLACK_SHEETS,
                    },
                )
        })
}

/// How far a level must move.
struct Steps {
    /// Between two reports.
    step: u32,
    /// To count as enough after it was low.
    enough: u32,
    /// To count as more than nothing after it was empty.
    some: u32,
}

fn is_level_news(told: (Level, Band), seen: (Level, Band), steps: Steps) -> bool {
    let ((told, told_band), (seen, seen_band)) = (told, seen);
    match (told, seen) {
        (_, Level::Unknown | Level::Other) => false,
        (Level::Unknown | Level::Other, Level::Known(_) | Level::Some) => true,
        (Level::Known(was), Level::Known(is)) => {
            was.abs_diff(is) >= steps.step
                || seen_band < told_band
                || (told_band == Band::Low && is >= steps.enough)
                || (told_band == Band::Empty && is >= steps.some)
        }
        // It says that it is not empty, and that may be what was not so.
        (Level::Known(_), Level::Some) => told_band < Band::Enough,
        (Level::Some, Level::Known(_)) => seen_band < Band::Enough,
        (Level::Some, Level::Some) => false,
    }
}

#[cfg(test)]
mod tests;
