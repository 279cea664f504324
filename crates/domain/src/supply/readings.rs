//! What readings of a level say of its use, through gaps, spikes and refills.

use loket_wire::Timestamp;
use loket_wire::stock::Level;

use super::{LEVELS_WINDOW, REFILL_POINTS, Reading, ms};

/// The readings that say something, oldest first, within the window; the newest that is older stands at its beginning.
pub(super) fn kept(now: Timestamp, readings: &[Reading]) -> Vec<Reading> {
    let says = |level: Level| match level {
        Level::Known(percent) => percent <= 100,
        Level::Some => true,
        Level::Other | Level::Unknown => false,
    };
    let mut kept: Vec<_> = readings
        .iter()
        .copied()
        .filter(|reading| says(reading.level) && reading.at <= now)
        .collect();
    kept.sort_by_key(|reading| (reading.at, reading.level));
    let from = now.saturating_sub(LEVELS_WINDOW);
    let older = kept.iter().take_while(|reading| reading.at < from).count();
    kept.split_off(older.saturating_sub(1).min(kept.len()))
}

/// How much was used in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Used {
    /// Percentage points, over all refills.
    pub(super) points: u32,
    /// From the first reading to the last step, without the time for which it was empty.
    pub(super) span_to_last_ms: u64,
    /// The same to the present.
    pub(super) span_to_now_ms: u64,
    /// The first reading.
    pub(super) first_at: Timestamp,
    /// The last step down, or the last refill.
    pub(super) last_at: Timestamp,
}

impl Used {
    /// Goes through percentages, oldest first; none where there is none.
    pub(super) fn of(now: Timestamp, kept: &[Reading]) -> Option<Self> {
        let points = without_spikes(kept);
        let (&(first_at, mut lowest), rest) = points.split_first()?;
        let mut used = Self {
            points: 0,
            span_to_last_ms: 0,
            span_to_now_ms: 0,
            first_at,
            last_at: first_at,
        };
        let (mut empty_ms, mut empty_since) = (0, None);
        for (at, percent) in rest {
            if *percent >= lowest.saturating_add(REFILL_POINTS) {
                let empty = empty_since.take().map_or(0, |since| span(since, *at));
                empty_ms += empty;
                (lowest, used.last_at) = (*percent, *at);
            } else if *percent < lowest {
                used.points = used.points.saturating_add(lowest - percent);
                (lowest, used.last_at) = (*percent, *at);
                empty_since = (lowest == 0).then_some(*at);
            }
        }
        used.span_to_last_ms = span(used.first_at, used.last_at).saturating_sub(empty_ms);
        used.span_to_now_ms = span(used.first_at, now).saturating_sub(empty_ms);
        Some(used)
    }
}

/// The percentages without spikes: single ones a refill or more above both neighbours, or below both, where these are
/// two steps from each other at most. First and last are believed, since one side of them is not known.
fn without_spikes(kept: &[Reading]) -> Vec<(Timestamp, u32)> {
    let known: Vec<_> = kept
        .iter()
        .filter_map(|reading| match reading.level {
            Level::Known(percent) => Some((reading.at, percent)),
            Level::Some | Level::Other | Level::Unknown => None,
        })
        .collect();
    let is_spike = |three: &[(Timestamp, u32)]| match three {
        [(_, before), (_, percent), (_, after)] => {
            let is_above = *percent >= before.max(after).saturating_add(REFILL_POINTS);
            let is_below = percent.saturating_add(REFILL_POINTS) <= *before.min(after);
            (is_above || is_below) && before.abs_diff(*after) <= 2 * REFILL_POINTS
        }
        _shorter => false,
    };
    let spikes = known.windows(3).map(is_spike);
    let spikes: Vec<_> = std::iter::once(false).chain(spikes).collect();
    let each = known
        .iter()
        .zip(spikes.iter().chain(std::iter::repeat(&false)));
    each.filter(|(_, is_spike)| !**is_spike)
        .map(|(point, _)| *point)
        .collect()
}

fn span(from: Timestamp, to: Timestamp) -> u64 {
    ms(to.since(from))
}
