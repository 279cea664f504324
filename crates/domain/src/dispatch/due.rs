//! The one-working-day clock: when a document is due at the counter.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use loket_wire::Timestamp;
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDay(i64);

impl LocalDay {
    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days_since_1970(self) -> i64 {
        self.0
    }

    /// The day of a moment, `offset_minutes` east of UTC.
    #[must_use]
    pub fn of(at: Timestamp, offset_minutes: i16) -> Self {
        let offset_ms = i64::from(offset_minutes) * MINUTE_MS;
        Self(at.unix_ms().saturating_add(offset_ms).div_euclid(DAY_MS))
    }

    /// The first moment of the day, `offset_minutes` east of UTC.
    #[must_use]
    pub fn start(self, offset_minutes: i16) -> Timestamp {
        let offset_ms = i64::from(offset_minutes) * MINUTE_MS;
        Timestamp::from_unix_ms(self.0.saturating_mul(DAY_MS).saturating_sub(offset_ms))
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
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

impl fmt::Display for LocalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start(0).to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

impl TryFrom<String> for LocalDay {
    type Error = CalendarError;

    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<LocalDay> for String {
    fn from(day: LocalDay) -> Self {
        day.to_string()
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
    due_under(taken_at, calendar, |_any_day| Some(calendar))
}

/// The same, where another calendar may count from a day on: each day that could be the next working day is judged by
/// the calendar `of` that day, and by `present` where there is none. The local hour is that of `present`.
#[must_use]
pub fn due_under<'a>(
    taken_at: Timestamp,
    present: &'a Calendar,
    of: impl Fn(LocalDay) -> Option<&'a Calendar>,
) -> Timestamp {
    let taken_day = LocalDay::of(taken_at, present.utc_offset_minutes);
    let is_working = |day: LocalDay| day.is_working(of(day).unwrap_or(present));
    let ahead_days = (1..=MAX_SEARCH_DAYS)
        .find(|ahead| is_working(LocalDay(taken_day.0.saturating_add(*ahead))))
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
    fn a_day_is_written_as_it_is_read() {
        for text in ["2026-11-27", "1970-01-01", "2024-02-29"] {
            let day: LocalDay = text.parse().unwrap();
            assert_eq!(day.to_string(), text);
            let json = serde_json::to_string(&day).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<LocalDay>(&json).unwrap(), day);
        }
        assert!(serde_json::from_str::<LocalDay>("\"2026-02-30\"").is_err());
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
    fn the_next_working_day_is_judged_by_the_rules_of_that_day() {
        let calendar = |week, holidays: &[&str]| {
            let holidays = holidays.iter().map(|day| day.parse().unwrap()).collect();
            Calendar::new(7 * 60, week, holidays).unwrap()
        };
        let old = calendar(MONDAY_TO_FRIDAY, &[]);
        // From the first of January on also on Saturdays; New Year's Day is a Friday.
        let new = calendar([true, true, true, true, true, true, false], &["2027-01-01"]);
        let from: LocalDay = "2027-01-01".parse().unwrap();
        let taken = Timestamp::parse_rfc3339("2026-12-31T09:00:00+07:00").unwrap();
        let of = |day| Some(if day < from { &old } else { &new });
        let due = due_under(taken, &old, of);
        assert_eq!(
            due,
            Timestamp::parse_rfc3339("2027-01-02T09:00:00+07:00").unwrap()
        );
        assert_eq!(
            due_at(&old, taken),
            Timestamp::parse_rfc3339("2027-01-01T09:00:00+07:00").unwrap()
        );
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_place() {
        let at = Timestamp::parse_rfc3339("2026-11-22T23:30:00Z").unwrap();
        let day = LocalDay::of(at, 7 * 60);
        assert_eq!(day, "2026-11-23".parse().unwrap());
        let midnight = Timestamp::parse_rfc3339("2026-11-23T00:00:00+07:00").unwrap();
        assert_eq!(day.start(7 * 60), midnight);
        assert_eq!(LocalDay::of(day.next().start(7 * 60), 7 * 60), day.next());
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
