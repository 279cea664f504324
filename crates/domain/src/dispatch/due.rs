//! The one-working-day clock: when a document is due at the counter.

use std::collections::BTreeSet;
use std::str::FromStr;

use loket_wire::Timestamp;
use thiserror::Error;

/// Milliseconds of a day; offices have fixed offsets (WIB, WITA, WIT know no summer time).
const DAY_MS: i64 = 86_400_000;
/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;
/// Days looked ahead for a working day: a year without one is a wrong calendar.
const MAX_SEARCH_DAYS: i64 = 366;
/// Offsets of the world's zones lie within 14 hours.
const MAX_OFFSET_MINUTES: i16 = 14 * 60;

/// A local calendar day, counted from 1970-01-01. Text form: `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalDay(i64);

impl LocalDay {
    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days_since_1970(self) -> i64 {
        self.0
    }

    /// Whether the day is one that the office works on.
    fn is_working(self, calendar: &Calendar) -> bool {
        // 1970-01-01 was a Thursday, index 3 from Monday.
        let weekday = usize::try_from((self.0 + 3).rem_euclid(7)).unwrap_or(0);
        let works = calendar
            .working_weekdays
            .get(weekday)
            .copied()
            .unwrap_or(false);
        works && !calendar.holidays.contains(&self)
    }
}

/// Why a calendar cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// Not `YYYY-MM-DD`, or no such day.
    #[error("read a day: not a date of the form YYYY-MM-DD")]
    Day,
    /// Further from UTC than any zone.
    #[error("read a calendar: {minutes} minutes is no offset from UTC")]
    Offset {
        /// What was given.
        minutes: i16,
    },
    /// No weekday is a working day.
    #[error("read a calendar: no weekday is a working day")]
    NoWorkingDay,
}

impl FromStr for LocalDay {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        if text.len() != 10 {
            return Err(CalendarError::Day);
        }
        let start = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"))
            .map_err(|_ignored| CalendarError::Day)?;
        Ok(Self(start.unix_ms().div_euclid(DAY_MS)))
    }
}

/// When an office works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    utc_offset_minutes: i16,
    working_weekdays: [bool; 7],
    holidays: BTreeSet<LocalDay>,
}

impl Calendar {
    /// A calendar; weekdays begin with Monday.
    ///
    /// # Errors
    /// [`CalendarError::Offset`] beyond 14 hours, [`CalendarError::NoWorkingDay`] without a working weekday.
    pub fn new(
        utc_offset_minutes: i16,
        working_weekdays: [bool; 7],
        holidays: BTreeSet<LocalDay>,
    ) -> Result<Self, CalendarError> {
        if !(-MAX_OFFSET_MINUTES..=MAX_OFFSET_MINUTES).contains(&utc_offset_minutes) {
            return Err(CalendarError::Offset {
                minutes: utc_offset_minutes,
            });
        }
        if working_weekdays == [false; 7] {
            return Err(CalendarError::NoWorkingDay);
        }
        Ok(Self {
            utc_offset_minutes,
            working_weekdays,
            holidays,
        })
    }
}

/// The same local hour on the office's next working day after `taken_at`; after a year of holidays, a year later.
#[must_use]
pub fn due_at(calendar: &Calendar, taken_at: Timestamp) -> Timestamp {
    let offset_ms = i64::from(calendar.utc_offset_minutes) * MINUTE_MS;
    let taken_day = taken_at
        .unix_ms()
        .saturating_add(offset_ms)
        .div_euclid(DAY_MS);
    let ahead_days = (1..=MAX_SEARCH_DAYS)
        .find(|ahead| LocalDay(taken_day + ahead).is_working(calendar))
        .unwrap_or(MAX_SEARCH_DAYS);
    Timestamp::from_unix_ms(taken_at.unix_ms().saturating_add(ahead_days * DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY_TO_FRIDAY: [bool; 7] = [true, true, true, true, true, false, false];

    fn check(taken: &str, holidays: &[&str], expect: &str) {
        let holidays = holidays.iter().map(|day| day.parse().unwrap()).collect();
        let wib = Calendar::new(7 * 60, MONDAY_TO_FRIDAY, holidays).unwrap();
        let due = due_at(&wib, Timestamp::parse_rfc3339(taken).unwrap());
        assert_eq!(due, Timestamp::parse_rfc3339(expect).unwrap(), "{taken}");
    }

    #[test]
    fn due_is_the_same_local_hour_on_the_next_working_day() {
        check(
            "2026-11-23T10:30:00+07:00",
            &[],
            "2026-11-24T10:30:00+07:00",
        );
        check(
            "2026-11-27T15:00:00+07:00",
            &[],
            "2026-11-30T15:00:00+07:00",
        );
        check(
            "2026-11-28T09:00:00+07:00",
            &[],
            "2026-11-30T09:00:00+07:00",
        );
        // Late on Sunday in UTC is Monday at the office.
        check("2026-11-22T23:30:00Z", &[], "2026-11-23T23:30:00Z");
        check(
            "2026-12-24T08:00:00+07:00",
            &["2026-12-25", "2026-12-28"],
            "2026-12-29T08:00:00+07:00",
        );
    }

    #[test]
    fn a_calendar_that_cannot_be_is_refused() {
        let none = BTreeSet::new();
        assert_eq!(
            Calendar::new(0, [false; 7], none.clone()),
            Err(CalendarError::NoWorkingDay)
        );
        assert_eq!(
            Calendar::new(900, MONDAY_TO_FRIDAY, none),
            Err(CalendarError::Offset { minutes: 900 })
        );
        for text in ["2026-02-30", "2026-1-1", "20260101", ""] {
            assert_eq!(text.parse::<LocalDay>(), Err(CalendarError::Day), "{text}");
        }
    }
}
