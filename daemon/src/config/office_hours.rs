//! When the office is open: data, not code, since it differs by place and changes with decrees.

use loket_domain::health;
use loket_wire::{Day, Zone};
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
            zone: Zone::Wib,
            working_days: Day::MONDAY_TO_FRIDAY.to_vec(),
            open: "07:00".to_owned(),
            close: "17:00".to_owned(),
        }
    }
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
            utc_offset_min: i64::from(self.zone.utc_offset_minutes()),
            days: Day::week(&self.working_days),
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
            zone: Zone::Wit,
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
