//! Durations as the figures that a reader compares.

use std::fmt;
use std::time::Duration;

/// Durations of one kind, sorted.
#[derive(Debug)]
pub(crate) struct Figures(Vec<Duration>);

impl Figures {
    /// Takes them in any order.
    pub(crate) fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The smallest one that `percent` of all do not exceed (nearest rank); zero of none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        let at = self.0.get(rank.saturating_sub(1));
        at.copied().unwrap_or_default()
    }

    /// The middle one.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {}, p99 {}, max {} (n = {})",
            ms(self.median()),
            ms(self.percentile(99)),
            ms(self.percentile(100)),
            self.0.len()
        )
    }
}

/// Milliseconds with as many digits as mean something.
pub(crate) fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1_000.0;
    let digits = if ms < 10.0 { 2 } else { 1 };
    format!("{ms:.digits$} ms")
}

/// How many times `part` goes into `whole`.
pub(crate) fn ratio(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// So many of something in so long, per second.
pub(crate) fn per_second(count: u32, elapsed: Duration) -> f64 {
    f64::from(count) / elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
}
