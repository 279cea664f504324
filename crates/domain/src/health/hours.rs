//! How often an idle printer is looked at.

use std::time::Duration;

use super::Look;
use crate::core::Now;

const MS_PER_MINUTE: i64 = 60_000;
const MINUTES_PER_DAY: i64 = 24 * 60;

/// The first of January 1970 was a Thursday, three days after a Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// printer-state-reasons of a printer that sleeps and that a look may wake (PWG 5100.22 section 8.1).
const ASLEEP: [&str; 4] = ["hibernate", "power-down", "standby", "suspend"];

/// When an office is open, in a zone without summer time, as all of Indonesia is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfficeHours {
    /// Minutes east of UTC.
    pub utc_offset_min: i64,
    /// Working days, Monday first.
    pub days: [bool; 7],
    /// Minutes of the day from which it is open.
    pub open_min: i64,
    /// Minutes of the day at which it closes.
    pub close_min: i64,
}

impl OfficeHours {
    /// Whether it is open; always where the clock is not trusted, since a dead battery must not slow the looks.
    #[must_use]
    pub fn is_open(&self, now: Now) -> bool {
        let local_min = now.wall.unix_ms().div_euclid(MS_PER_MINUTE) + self.utc_offset_min;
        let day = local_min.div_euclid(MINUTES_PER_DAY) + EPOCH_WEEKDAY;
        let of_day = local_min.rem_euclid(MINUTES_PER_DAY);
        let is_working_day = usize::try_from(day.rem_euclid(7))
            .ok()
            .and_then(|day| self.days.get(day))
            .copied()
            .unwrap_or_default();
        !now.trusted || (is_working_day && (self.open_min..self.close_min).contains(&of_day))
    }
}

/// How long after one look at an idle printer the next one comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollRule {
    /// In office hours.
    pub in_hours: Duration,
    /// Outside them, and while the printer sleeps.
    pub quiet: Duration,
    /// The office hours.
    pub hours: OfficeHours,
}

impl PollRule {
    /// The pause after `look`.
    #[must_use]
    pub fn pause(&self, now: Now, look: &Look) -> Duration {
        let is_asleep = look
            .reasons
            .iter()
            .any(|reason| ASLEEP.contains(&reason.as_str()));
        if self.hours.is_open(now) && !is_asleep {
            self.in_hours
        } else {
            self.quiet.max(self.in_hours)
        }
    }
}
