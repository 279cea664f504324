//! What the ledger's sheets say: of paper, and of printers that know no more than some and none.

use loket_wire::Timestamp;
use loket_wire::stock::Level;

use super::{DAY_MS, Forecast, Printed, Reading, SHEETS_WINDOW, SPAN_MIN, WhyNot, lasts, ms};

/// Cycles that are compared: the last three, of which the shortest counts.
const CYCLES: usize = 3;

/// The sheets that came out after one moment, up to another.
pub(super) fn between(printed: &[Printed], after: Timestamp, until: Timestamp) -> u64 {
    let within = |each: &&Printed| each.at > after && each.at <= until;
    let each = printed.iter().filter(within);
    each.fold(0, |sum: u64, each| sum.saturating_add(each.sheets.into()))
}

/// How long so many sheets last at the rate of the window.
pub(super) fn at_rate(now: Timestamp, left: u64, printed: &[Printed]) -> Forecast {
    let from = now.saturating_sub(SHEETS_WINDOW);
    let of_late = printed
        .iter()
        .filter(|each| each.at > from && each.at <= now && each.sheets > 0);
    let Some(first) = of_late.map(|each| each.at).min() else {
        return Forecast::NotYet(WhyNot::NoSheets);
    };
    // Sheets bear the moment of their day's last one, so that the day itself counts too.
    let span_ms = ms(now.since(first)).saturating_add(DAY_MS);
    if span_ms < ms(SPAN_MIN) {
        return Forecast::NotYet(WhyNot::TooShort);
    }
    let sheets = between(printed, from, now).max(1);
    let left_ms = u128::from(left) * u128::from(span_ms) / u128::from(sheets);
    Forecast::Lasts(lasts(now, left_ms, Some(left)))
}

/// How long a supply lasts whose printer says some and none: as many sheets as came out between a refill and the next
/// end, less those since the last refill.
pub(super) fn by_cycles(now: Timestamp, kept: &[Reading], printed: Option<&[Printed]>) -> Forecast {
    let Some(printed) = printed else {
        return Forecast::NotYet(WhyNot::NoSheets);
    };
    let (mut cycles, mut filled_at, mut was_empty) = (Vec::new(), None, false);
    for reading in kept {
        let is_empty = reading.level == Level::Known(0);
        if is_empty && !was_empty {
            let cycle = filled_at.map(|from| between(printed, from, reading.at));
            cycles.extend(cycle.filter(|sheets| *sheets > 0));
        } else if !is_empty && was_empty {
            filled_at = Some(reading.at);
        }
        was_empty = is_empty;
    }
    let of_late = cycles.iter().rev().take(CYCLES);
    match (of_late.min(), filled_at) {
        (Some(cycle), Some(filled_at)) => {
            let since = between(printed, filled_at, now);
            at_rate(now, cycle.saturating_sub(since), printed)
        }
        (_, None) | (None, Some(_)) => Forecast::NotYet(WhyNot::NeverEmpty),
    }
}
