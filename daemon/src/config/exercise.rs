//! When a printer at rest prints a page by itself.

use std::time::Duration;

use loket_domain::exercise::Rule;
use serde::{Deserialize, Serialize};

use super::OfficeHours;

/// A week: makers of inkjets name two weeks to a month until a head is dry, less in a hot room.
const DEFAULT_IDLE_DAYS: u32 = 7;

/// Beyond it a head is dry, and the page is waste.
const MAX_IDLE_DAYS: u32 = 60;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The rule of exercise, as it stands in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExerciseConfig {
    /// Days without a sheet after which a page is printed; 0 for never.
    pub idle_days: u32,
    /// `HH:MM` from which pages are printed, on the office's working days; when it opens where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `HH:MM` until which pages are printed; when the office closes where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Default for ExerciseConfig {
    /// A week, in office hours.
    fn default() -> Self {
        Self {
            idle_days: DEFAULT_IDLE_DAYS,
            from: None,
            until: None,
        }
    }
}

impl ExerciseConfig {
    /// The rule in an office with these hours; none where no page is wanted.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn rule(&self, office: &OfficeHours) -> Result<Option<Rule>, (&'static str, &'static str)> {
        if self.idle_days > MAX_IDLE_DAYS {
            return Err(("exercise.idle_days", "it must be 1 to 60, or 0 for never"));
        }
        let given =
            |own: &Option<String>, office: &str| own.clone().unwrap_or_else(|| office.to_owned());
        let hours = OfficeHours {
            open: given(&self.from, &office.open),
            close: given(&self.until, &office.close),
            ..office.clone()
        };
        let hours = hours.parse().map_err(|_ignored| {
            (
                "exercise.from",
                "it must be HH:MM before exercise.until, from 00:00 to 24:00",
            )
        })?;
        let rule = Rule {
            after: DAY * self.idle_days,
            hours,
        };
        Ok((self.idle_days > 0).then_some(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Result<Option<Rule>, String> {
        let config: ExerciseConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        let rule = config.rule(&OfficeHours::default());
        rule.map_err(|(key, problem)| format!("{key}: {problem}"))
    }

    #[test]
    fn a_page_is_printed_in_office_hours_unless_the_settings_name_others() {
        let usual = rule("").unwrap().unwrap();
        assert_eq!(usual.after, Duration::from_secs(7 * 86_400));
        assert_eq!((usual.hours.open_min, usual.hours.close_min), (420, 1_020));
        let noon = rule("from = \"12:00\"\nuntil = \"13:00\"")
            .unwrap()
            .unwrap();
        assert_eq!((noon.hours.open_min, noon.hours.close_min), (720, 780));
        assert_eq!(noon.hours.days, usual.hours.days);
        assert_eq!(rule("idle_days = 0"), Ok(None));
    }

    #[test]
    fn settings_that_nobody_meant_are_refused() {
        for (text, word) in [
            ("idle_days = 61", "exercise.idle_days"),
            ("idle_days = -1", "idle_days"),
            ("from = \"7\"", "exercise.from"),
            ("from = \"18:00\"", "exercise.from"),
            ("until = \"06:00\"", "exercise.until"),
            ("days = 7", "days"),
        ] {
            let error = rule(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
