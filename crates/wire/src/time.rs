//! Wall-clock time as it stands in messages and journals.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::IdError;

/// A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Range: years 0001–9999 when read from text. It never decides order between machines
/// (kiosks have dead clock batteries): epoch and sequence do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z: what a clock with an empty battery says.
    pub const UNIX_EPOCH: Self = Self(0);

    /// Wraps milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Adds `duration`, staying at the largest moment rather than wrapping.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(ms))
    }

    /// Subtracts `duration`, staying at the smallest moment rather than wrapping.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(ms))
    }

    /// How long after `earlier` this moment is; zero if it is before it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339 text with an offset, for instance `2026-11-22T10:00:00Z`.
    ///
    /// # Errors
    /// [`IdError::Time`] when the text is no such moment.
    pub fn parse_rfc3339(text: &str) -> Result<Self, IdError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_ignored| IdError::Time)?;
        Ok(Self(parsed.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_outside_calendar) => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_milliseconds_agree() {
        let moment = Timestamp::parse_rfc3339("2026-11-22T10:00:00.250Z").unwrap();
        assert_eq!(moment.to_string(), "2026-11-22T10:00:00.25Z");
        assert_eq!(Timestamp::from_unix_ms(moment.unix_ms()), moment);
        assert!(Timestamp::parse_rfc3339("yesterday").is_err());
    }

    #[test]
    fn arithmetic_saturates() {
        let last = Timestamp::from_unix_ms(i64::MAX);
        assert_eq!(last.saturating_add(Duration::from_secs(1)), last);
        assert_eq!(Timestamp::UNIX_EPOCH.since(last), Duration::ZERO);
    }
}
