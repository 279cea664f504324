//! How long a machine stays with a broker at which central is not.
//!
//! ```text
//! arrived ──► waits ── central is here ──► stays ── central left ──► waits
//!               └── patience is over ──► leaves for the next broker of the list
//! ```
//!
//! A connection that ends changes none of this: over a bad line patience runs out as it does over a good one, and where
//! it ran out meanwhile, the machine leaves as soon as it is back.
//!
//! A broker is left for a reason at that broker and for no other: a machine does not go back to an earlier one of its
//! list by itself, so it cannot flap between two that are both good. Each pause is drawn anew and evenly, because what
//! sends one machine away sends all of them. Where central is at no broker at all, the pauses grow.
//!
//! It does not know how brokers are reached, nor what proves that central spoke.

use std::time::Duration;

/// The longest patience: the silence after which central itself counts a machine as offline. A move costs some five
/// kilobytes of TLS and sync; while central is at no broker at all, a day of such moves costs about 230 kB.
pub const PATIENCE_MAX: Duration = Duration::from_secs(3_600);

/// Where a machine stands with the brokers of its list. Moments are counted from any fixed start, on a clock that only
/// grows.
#[derive(Debug, Clone)]
pub struct Roam {
    broker_count: usize,
    patience_min: Duration,
    /// Brokers left in a row without having met central.
    vain_count: u32,
    leave_at: Option<Duration>,
}

impl Roam {
    /// For a list of so many brokers; a machine that has only one never leaves it.
    #[must_use]
    pub const fn new(broker_count: usize, patience_min: Duration) -> Self {
        Self {
            broker_count,
            patience_min,
            vain_count: 0,
            leave_at: None,
        }
    }

    /// A connection to another broker than the last stands; nothing of central was heard on it.
    pub fn arrived(&mut self, now: Duration, random: u64) {
        self.wait(now, random);
    }

    /// A connection to the same broker stands again. Where central was here before, it is waited for anew; where it was
    /// not, it is not waited for any longer than before.
    pub fn returned(&mut self, now: Duration, random: u64) {
        if self.leave_at.is_none() {
            self.wait(now, random);
        }
    }

    /// Central said on this connection that it is here, or that it is not.
    pub fn heard(&mut self, is_here: bool, now: Duration, random: u64) {
        if is_here {
            self.vain_count = 0;
            self.leave_at = None;
        } else if self.leave_at.is_none() {
            self.wait(now, random);
        }
    }

    /// The broker was left.
    pub const fn left(&mut self) {
        self.leave_at = None;
        self.vain_count = self.vain_count.saturating_add(1);
    }

    /// When the broker is to be left, unless central is heard before.
    #[must_use]
    pub const fn leave_at(&self) -> Option<Duration> {
        self.leave_at
    }

    fn wait(&mut self, now: Duration, random: u64) {
        if self.broker_count > 1 {
            self.leave_at = Some(now.saturating_add(self.patience(random)));
        }
    }

    /// Drawn evenly from the shortest patience up to a bound that doubles with each broker left in vain.
    fn patience(&self, random: u64) -> Duration {
        let most = PATIENCE_MAX.max(self.patience_min);
        let factor = 2_u32
            .checked_pow(self.vain_count.saturating_add(1))
            .unwrap_or(u32::MAX);
        let grown = self.patience_min.saturating_mul(factor).min(most);
        let span_ms = grown.saturating_sub(self.patience_min).as_millis();
        let span_ms = u64::try_from(span_ms).unwrap_or(u64::MAX);
        let drawn_ms = random.checked_rem(span_ms.saturating_add(1)).unwrap_or(0);
        self.patience_min
            .saturating_add(Duration::from_millis(drawn_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(300);
    const DRAWS: [u64; 5] = [0, 1, 299_999, u64::MAX / 7, u64::MAX];

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_broker_without_central_is_left_after_its_time_and_one_with_it_never() {
        let mut roam = Roam::new(2, MIN);
        assert_eq!(roam.leave_at(), None, "not linked");
        roam.arrived(at(10), 0);
        assert_eq!(roam.leave_at(), Some(at(310)));
        roam.heard(true, at(11), 0);
        assert_eq!(roam.leave_at(), None);
        roam.heard(false, at(1_000), 0);
        assert_eq!(roam.leave_at(), Some(at(1_300)));
        roam.heard(false, at(1_200), 0);
        assert_eq!(
            roam.leave_at(),
            Some(at(1_300)),
            "said again, it is no later"
        );
        roam.heard(true, at(1_299), 0);
        assert_eq!(roam.leave_at(), None, "it was only a restart");
    }

    #[test]
    fn a_line_that_breaks_again_and_again_keeps_nobody_at_a_broker_without_central() {
        let mut roam = Roam::new(2, MIN);
        roam.arrived(at(0), 0);
        for seconds in (60..600).step_by(60) {
            roam.returned(at(seconds), u64::MAX);
            assert_eq!(roam.leave_at(), Some(at(300)), "also where it has passed");
        }
        roam.left();
        roam.returned(at(600), 0);
        assert_eq!(roam.leave_at(), Some(at(900)), "no other can be reached");
        roam.heard(true, at(601), 0);
        roam.returned(at(700), 0);
        assert_eq!(
            roam.leave_at(),
            Some(at(1_000)),
            "central was here meanwhile"
        );
        roam.arrived(at(800), 0);
        assert_eq!(roam.leave_at(), Some(at(1_100)), "another broker");
    }

    #[test]
    fn an_only_broker_is_never_left() {
        for count in [0, 1] {
            let mut roam = Roam::new(count, MIN);
            roam.arrived(at(0), 0);
            roam.heard(false, at(1), 0);
            assert_eq!(roam.leave_at(), None);
        }
    }

    #[test]
    fn each_pause_lies_between_the_shortest_and_a_bound_that_doubles_up_to_an_hour() {
        let mut roam = Roam::new(3, MIN);
        for bound_s in [600, 1_200, 2_400, 3_600, 3_600] {
            for random in DRAWS {
                roam.arrived(at(0), random);
                let leave_at = roam.leave_at().unwrap();
                assert!((MIN..=at(bound_s)).contains(&leave_at), "{leave_at:?}");
            }
            let span_ms = u64::try_from((at(bound_s) - MIN).as_millis()).unwrap();
            roam.arrived(at(0), span_ms);
            assert_eq!(roam.leave_at(), Some(at(bound_s)), "the bound is reached");
            roam.left();
        }
        roam.arrived(at(0), 0);
        roam.heard(true, at(1), 0);
        roam.heard(false, at(2), 0);
        roam.arrived(at(0), 300_000);
        assert_eq!(roam.leave_at(), Some(at(600)), "central was met: anew");
    }

    #[test]
    fn a_fleet_that_lost_central_at_one_moment_does_not_leave_at_one() {
        let mut minutes = [0_u32; 5];
        for random in 0..1_000_u64 {
            let mut roam = Roam::new(2, MIN);
            roam.arrived(at(0), random.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let late_s = (roam.leave_at().unwrap() - MIN).as_secs();
            minutes[usize::try_from(late_s / 60).unwrap().min(4)] += 1;
        }
        assert!(minutes.iter().all(|count| *count > 150), "{minutes:?}");
    }

    #[test]
    fn patience_longer_than_the_bound_stands_alone() {
        let mut roam = Roam::new(2, PATIENCE_MAX * 3);
        roam.arrived(at(0), u64::MAX);
        assert_eq!(roam.leave_at(), Some(PATIENCE_MAX * 3));
    }
}
