//! When the office is open: data, not code, since it differs by place and changes with decrees.

use loket_domain::health;
use serde::{Deserialize, Serialize};

/// Hours of the day in minutes.
const MINUTES_PER_HOUR: i64 = 60;

/// When the office is open, as it stands in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfficeHours {
    /// Its time zone, by the name that central's `offices.toml` uses too.
    pub zone: Zone,
    /// Days on which it is open.
    pub working_days: Vec<Day>,
    /// `HH:MM` from which it is open.
    pub open: String,
    /// `HH:MM` at which it closes; `24:00` for midnight.
    pub close: String,
}

impl Default for OfficeHours {
    /// Monday to Friday, 07:00 to 17:00 WIB: the usual hours with half an hour before and after.
    fn default() -> Self {
        Self {
            zone: Zone::Jakarta,
            working_days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
            open: "07:00".to_owned(),
            close: "17:00".to_owned(),
        }
    }
}

/// The zones of Indonesia; none has summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Zone {
    /// WIB, UTC+7.
    #[serde(rename = "Asia/Jakarta", alias = "Asia/Pontianak", alias = "WIB")]
    Jakarta,
    /// WITA, UTC+8.
    #[serde(rename = "Asia/Makassar", alias = "WITA")]
    Makassar,
    /// WIT, UTC+9.
    #[serde(rename = "Asia/Jayapura", alias = "WIT")]
    Jayapura,
}

impl Zone {
    const fn utc_offset_hours(self) -> i64 {
        match self {
            Self::Jakarta => 7,
            Self::Makassar => 8,
            Self::Jayapura => 9,
        }
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    const WEEK: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];
}

impl OfficeHours {
    /// The hours as the core of health takes them.
    ///
    /// # Errors
    /// What is wrong with a time of day.
    pub fn parse(&self) -> Result<health::OfficeHours, &'static str> {
        let problem = "it must be HH:MM from 00:00 to 24:00";
        let open_min = minutes(&self.open).ok_or(problem)?;
        let close_min = minutes(&self.close).ok_or(problem)?;
        if open_min >= close_min {
            return Err("it must open before it closes");
        }
        Ok(health::OfficeHours {
            utc_offset_min: self.zone.utc_offset_hours() * MINUTES_PER_HOUR,
            days: Day::WEEK.map(|day| self.working_days.contains(&day)),
            open_min,
            close_min,
        })
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| {
        let is_two = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_two.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let of_day = hours * MINUTES_PER_HOUR + minutes;
    (minutes < MINUTES_PER_HOUR && of_day <= 24 * MINUTES_PER_HOUR).then_some(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_and_what_is_none_is_refused() {
        let hours = |open: &str, close: &str| OfficeHours {
            zone: Zone::Jayapura,
            open: open.to_owned(),
            close: close.to_owned(),
            ..OfficeHours::default()
        };
        let read = hours("07:30", "24:00").parse().unwrap();
        assert_eq!(
            (read.utc_offset_min, read.open_min, read.close_min),
            (540, 450, 1_440)
        );
        assert_eq!(read.days, [true, true, true, true, true, false, false]);
        for (open, close) in [
            ("7:30", "16:00"),
            ("07:60", "16:00"),
            ("07:30", "24:01"),
            ("16:00", "07:30"),
            ("", "16:00"),
            ("+7:00", "16:00"),
        ] {
            assert!(hours(open, close).parse().is_err(), "{open} {close}");
        }
        assert!(toml::from_str::<OfficeHours>("hours = 1").is_err());
    }
}
