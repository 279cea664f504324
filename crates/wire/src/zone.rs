//! The local time of a place in Indonesia: its zone and the days of its week, as settings and files name them.

use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const MINUTES_PER_HOUR: i16 = 60;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// The three zones of Indonesia; none has had daylight saving time since 1964.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Zone {
    /// Waktu Indonesia Barat, UTC+7.
    #[serde(rename = "Asia/Jakarta", alias = "Asia/Pontianak", alias = "WIB")]
    Wib,
    /// Waktu Indonesia Tengah, UTC+8.
    #[serde(rename = "Asia/Makassar", alias = "WITA")]
    Wita,
    /// Waktu Indonesia Timur, UTC+9.
    #[serde(rename = "Asia/Jayapura", alias = "WIT")]
    Wit,
}

impl Zone {
    /// The short name on screens.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Wib => "WIB",
            Self::Wita => "WITA",
            Self::Wit => "WIT",
        }
    }

    const fn utc_offset_hours(self) -> i8 {
        match self {
            Self::Wib => 7,
            Self::Wita => 8,
            Self::Wit => 9,
        }
    }

    /// Minutes east of UTC.
    #[must_use]
    pub fn utc_offset_minutes(self) -> i16 {
        i16::from(self.utc_offset_hours()).saturating_mul(MINUTES_PER_HOUR)
    }

    /// When the day of that moment began for people of the zone.
    #[must_use]
    pub fn day_start(self, at: Timestamp) -> Timestamp {
        let offset_ms = i64::from(self.utc_offset_minutes()).saturating_mul(MINUTE_MS);
        let into_day = at.unix_ms().saturating_add(offset_ms).rem_euclid(DAY_MS);
        Timestamp::from_unix_ms(at.unix_ms().saturating_sub(into_day))
    }

    /// The moment as people of the zone write it, for instance `24-01-2026 09:30 WIB`.
    #[must_use]
    pub fn local_text(self, at: Timestamp) -> String {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.unix_ms()) else {
            return "-".to_owned();
        };
        let local = moment.to_zoned(TimeZone::fixed(Offset::constant(self.utc_offset_hours())));
        format!(
            "{:02}-{:02}-{} {:02}:{:02} {}",
            local.day(),
            local.month(),
            local.year(),
            local.hour(),
            local.minute(),
            self.short()
        )
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// The week, Monday first.
    pub const WEEK: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// The usual working days of an office.
    pub const MONDAY_TO_FRIDAY: [Self; 5] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri];

    /// Which days of the week `days` names, Monday first; one that is named twice counts once.
    #[must_use]
    pub fn week(days: &[Self]) -> [bool; 7] {
        Self::WEEK.map(|day| days.contains(&day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_bear_their_zone() {
        let at = Timestamp::parse_rfc3339("2026-01-24T03:05:00Z").unwrap();
        assert_eq!(Zone::Wib.local_text(at), "24-01-2026 10:05 WIB");
        assert_eq!(Zone::Wit.local_text(at), "24-01-2026 12:05 WIT");
    }

    #[test]
    fn a_day_begins_at_the_zones_own_midnight() {
        let at = Timestamp::parse_rfc3339("2026-01-24T16:30:00Z").unwrap();
        for (zone, start) in [
            (Zone::Wib, "2026-01-23T17:00:00Z"),
            (Zone::Wita, "2026-01-24T16:00:00Z"),
            (Zone::Wit, "2026-01-24T15:00:00Z"),
        ] {
            assert_eq!(zone.day_start(at).to_string(), start);
        }
    }

    #[test]
    fn a_week_begins_on_monday() {
        let week = Day::week(&[Day::Sun, Day::Mon, Day::Mon]);
        assert_eq!(week, [true, false, false, false, false, false, true]);
    }
}
