//! How long what a printer has left will do.
//!
//! A pure function of dated readings and of the sheets that central's own ledger says were printed:
//!
//! ```text
//! readings ──> gaps and spikes out ──> points used since, over refills ──> points a day ──┐
//! sheets ────> sheets a point ────────────────────────────────────────────────────────────┴──> Forecast
//! readings of some and none ──> sheets between a refill and the next end ──> sheets left ─┘
//! ```
//!
//! Readings come when a level moved by ten points (`health/stock.rs`), so between two of them up to nine points are
//! unseen: a silence longer than the usual one lowers the rate, and what is left is taken to be less by what passed since.
//! Where the two can differ, the earlier end is told: paper that waits for toner is worse than toner that waits for paper.
//!
//! It does not know what the sheets show, who printed beside Loket on a shared printer (then a sheet seems dearer, and the
//! end earlier), nor what stands in the cupboard.

mod readings;
mod sheets;

use std::time::Duration;

use loket_wire::Timestamp;
use loket_wire::stock::Level;

use crate::core::Now;
use readings::Used;

const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// What is looked back on. Sheets: four weeks, so that each weekday counts four times and an office that became busier
/// shows within the month. Levels: a quarter, since a cartridge of a village lasts for months and falls by tens.
pub const SHEETS_WINDOW: Duration = Duration::from_secs(28 * 24 * 3_600);
/// See [`SHEETS_WINDOW`].
pub const LEVELS_WINDOW: Duration = Duration::from_secs(90 * 24 * 3_600);

/// Less than this says more of one busy morning than of an office.
const SPAN_MIN: Duration = Duration::from_secs(3 * 24 * 3_600);

/// Points that must have been used: one step of the readings.
const USED_MIN: u32 = 10;

/// Sheets that must have come out before a sheet's part of a cartridge is told.
const SHEETS_MIN: u64 = 50;

/// A rise of this much is a refill, not a measure that trembles.
const REFILL_POINTS: u32 = 10;

/// Beyond two years a toner dries or the printer is gone: the number stops there.
pub const DAYS_MAX: u32 = 730;

/// How long before the end it must be ordered: a week from the regency's store to the last village.
pub const ORDER_LEAD: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A level at a moment of central's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it was reported.
    pub at: Timestamp,
    /// The level.
    pub level: Level,
}

/// Sheets that came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// When, to the day.
    pub at: Timestamp,
    /// How many.
    pub sheets: u32,
}

/// What is known of the end of a supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// It is there.
    Empty,
    /// It is ahead.
    Lasts(Lasts),
    /// Nothing can be said of it yet.
    NotYet(WhyNot),
}

/// How long it lasts, from the moment of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasts {
    /// Whole days, up to [`DAYS_MAX`].
    pub days_left: u32,
    /// Sheets like those printed so far; none where that is not known.
    pub sheets_left: Option<u64>,
    /// The end.
    pub ends_at: Timestamp,
    /// When it must be ordered at the latest; it may have passed.
    pub order_by: Timestamp,
}

/// Why nothing can be said yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyNot {
    /// No level was ever reported.
    NoReading,
    /// The printer has no measure of it.
    NotMeasured,
    /// It is watched for less than three days.
    TooShort,
    /// Less than one step was used.
    TooLittleUsed,
    /// The printer says only some and none, and was not seen to run out.
    NeverEmpty,
    /// Its sheets are not known, or none came out.
    NoSheets,
}

impl WhyNot {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::NoReading,
        Self::NotMeasured,
        Self::TooShort,
        Self::TooLittleUsed,
        Self::NeverEmpty,
        Self::NoSheets,
    ];

    /// The stable keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::NoReading => "no-reading",
            Self::NotMeasured => "not-measured",
            Self::TooShort => "too-short",
            Self::TooLittleUsed => "too-little-used",
            Self::NeverEmpty => "never-empty",
            Self::NoSheets => "no-sheets",
        }
    }
}

impl Forecast {
    /// Whether somebody must order it, or should have.
    #[must_use]
    pub fn must_order(&self, now: Now) -> bool {
        match self {
            Self::Empty => true,
            Self::Lasts(lasts) => now.wall >= lasts.order_by,
            Self::NotYet(_) => false,
        }
    }
}

/// How long a supply lasts whose levels are percentages. Readings and sheets may come in any order; those of the future,
/// which a clock that was wrong noted, count as none. `printed` is none where it is not known which printer they left.
#[must_use]
pub fn supply(now: Now, readings: &[Reading], printed: Option<&[Printed]>) -> Forecast {
    let kept = readings::kept(now.wall, readings);
    let Some(last) = kept.last() else {
        return Forecast::NotYet(if readings.is_empty() {
            WhyNot::NoReading
        } else {
            WhyNot::NotMeasured
        });
    };
    match last.level {
        Level::Known(0) => Forecast::Empty,
        Level::Known(percent) => by_level(now.wall, percent, &kept, printed),
        Level::Some => sheets::by_cycles(now.wall, &kept, printed),
        Level::Other | Level::Unknown => Forecast::NotYet(WhyNot::NotMeasured),
    }
}

/// How long the paper in a tray lasts, by the sheets printed of late and since its level was read.
#[must_use]
pub fn tray(now: Now, reading: Reading, printed: Option<&[Printed]>) -> Forecast {
    match reading.level {
        Level::Known(0) => Forecast::Empty,
        Level::Known(sheets) => {
            let Some(printed) = printed else {
                return Forecast::NotYet(WhyNot::NoSheets);
            };
            let since = sheets::between(printed, reading.at, now.wall);
            sheets::at_rate(now.wall, u64::from(sheets).saturating_sub(since), printed)
        }
        Level::Some | Level::Other | Level::Unknown => Forecast::NotYet(WhyNot::NotMeasured),
    }
}

/// The rate is what was used by the time of the last step, or what can have been used by now where that is less.
fn by_level(
    now: Timestamp,
    percent: u32,
    kept: &[Reading],
    printed: Option<&[Printed]>,
) -> Forecast {
    let Some(used) = Used::of(now, kept) else {
        return Forecast::NotYet(WhyNot::TooShort);
    };
    if used.span_to_now_ms < ms(SPAN_MIN) {
        return Forecast::NotYet(WhyNot::TooShort);
    }
    if used.points < USED_MIN {
        return Forecast::NotYet(WhyNot::TooLittleUsed);
    }
    // Points a span, as a fraction, so that nothing is rounded on the way.
    let by_step = (u64::from(used.points), used.span_to_last_ms.max(1));
    let unseen = u64::from(USED_MIN) - 1;
    let by_now = (u64::from(used.points) + unseen, used.span_to_now_ms);
    let (points, span_ms) = if is_less(by_now, by_step) {
        by_now
    } else {
        by_step
    };
    let silent_ms = now.since(used.last_at).as_millis();
    let passed = u128::from(points) * silent_ms / u128::from(span_ms);
    let passed = u32::try_from(passed).unwrap_or(u32::MAX);
    let left = percent.saturating_sub(passed.min(USED_MIN - 1));
    let left_ms = u128::from(left) * u128::from(span_ms) / u128::from(points);
    let sheets_left = printed.and_then(|printed| {
        let sheets = sheets::between(printed, used.first_at, used.last_at);
        let is_enough = sheets >= SHEETS_MIN;
        is_enough.then(|| u64::from(left) * sheets / u64::from(used.points))
    });
    Forecast::Lasts(lasts(now, left_ms, sheets_left))
}

/// Whether the first fraction is less than the second.
fn is_less((one, of_one): (u64, u64), (two, of_two): (u64, u64)) -> bool {
    u128::from(one) * u128::from(of_two) < u128::from(two) * u128::from(of_one)
}

fn lasts(now: Timestamp, left_ms: u128, sheets_left: Option<u64>) -> Lasts {
    let most = u64::from(DAYS_MAX) * DAY_MS;
    let left_ms = u64::try_from(left_ms).map_or(most, |left| left.min(most));
    let ends_at = now.saturating_add(Duration::from_millis(left_ms));
    Lasts {
        days_left: u32::try_from(left_ms / DAY_MS).unwrap_or(DAYS_MAX),
        sheets_left,
        ends_at,
        order_by: ends_at.saturating_sub(ORDER_LEAD),
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
