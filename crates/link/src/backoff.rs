//! The pause before the next connection attempt: exponential, with full jitter.

use std::time::Duration;

/// The range of pauses between rounds of connection attempts.
///
/// The pause before attempt *n* (from 0) is drawn evenly from `min ..= min(max, min × 2^(n+1))`,
/// so that machines that lost the same broker at the same moment come back spread out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest pause.
    pub min: Duration,
    /// The longest pause; taken as `min` when it is shorter.
    pub max: Duration,
}

impl Default for Backoff {
    /// 1 s to 300 s: a mutual-TLS connect costs a broker's one thread 2.4 ms, so 84,000 machines
    /// need 203 s of it.
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_secs(300),
        }
    }
}

impl Backoff {
    /// Returns the longest pause that may precede attempt `attempt`.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let max = self.max.max(self.min);
        let factor = 2_u32
            .checked_pow(attempt.saturating_add(1))
            .unwrap_or(u32::MAX);
        self.min
            .checked_mul(factor)
            .map_or(max, |grown| grown.min(max))
    }

    /// Returns the pause before attempt `attempt`, drawn with the 64 random bits of `random`.
    pub fn delay(&self, attempt: u32, random: u64) -> Duration {
        let min_us = as_micros(self.min);
        let span_us = as_micros(self.ceiling(attempt)).saturating_sub(min_us);
        let drawn_us = random
            .checked_rem(span_us.saturating_add(1))
            .unwrap_or(random);
        Duration::from_micros(min_us.saturating_add(drawn_us))
    }
}

fn as_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The pauses of one link: where it is in the backoff, with its own seeded randomness.
#[derive(Debug)]
pub(crate) struct Schedule {
    backoff: Backoff,
    attempt: u32,
    state: u64,
}

impl Schedule {
    pub(crate) fn new(backoff: Backoff, seed: u64) -> Self {
        Self {
            backoff,
            attempt: 0,
            state: seed,
        }
    }

    /// Draws the next pause; each is drawn from a wider range until [`Self::lived`] says otherwise.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let random = self.next_random();
        let delay = self.backoff.delay(self.attempt, random);
        self.attempt = self.attempt.saturating_add(1);
        delay
    }

    /// Starts over if a connection outlived the longest pause that could have preceded it; true then.
    ///
    /// A broker that accepts and throws out at once (two machines with one client id, say) is
    /// thereby met ever more rarely, as one that does not answer is.
    pub(crate) fn lived(&mut self, lifetime: Duration) -> bool {
        let has_lasted = lifetime > self.backoff.ceiling(self.attempt.saturating_sub(1));
        if has_lasted {
            self.attempt = 0;
        }
        has_lasted
    }

    /// SplitMix64: small, seeded, even enough for jitter; nothing secret hangs on it.
    fn next_random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Backoff = Backoff {
        min: Duration::from_secs(1),
        max: Duration::from_secs(300),
    };

    #[test]
    fn the_ceiling_doubles_up_to_the_maximum() {
        let seconds: Vec<u64> = (0..10).map(|n| RANGE.ceiling(n).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(RANGE.ceiling(u32::MAX), RANGE.max);
    }

    #[test]
    fn every_pause_lies_between_the_minimum_and_its_ceiling() {
        for attempt in [0, 1, 5, 9, 40, u32::MAX] {
            for random in [0, 1, 999_999, u64::MAX / 3, u64::MAX] {
                let delay = RANGE.delay(attempt, random);
                assert!(
                    delay >= RANGE.min && delay <= RANGE.ceiling(attempt),
                    "{delay:?}"
                );
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_another_seed_others() {
        let draw = |seed| {
            let mut schedule = Schedule::new(RANGE, seed);
            (0..8).map(|_| schedule.next_delay()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_thousand_machines_spread_over_the_whole_range() {
        let mut slots = [0_u32; 10];
        for seed in 0..1000 {
            let mut schedule = Schedule::new(RANGE, seed);
            schedule.attempt = 9;
            let tenth = (schedule.next_delay().as_secs() / 30).min(9);
            slots[usize::try_from(tenth).unwrap()] += 1;
        }
        assert!(
            slots.iter().all(|count| (60..140).contains(count)),
            "{slots:?}"
        );
    }

    #[test]
    fn only_a_connection_that_lasted_starts_the_backoff_over() {
        let mut schedule = Schedule::new(RANGE, 1);
        for _ in 0..5 {
            schedule.next_delay();
        }
        assert!(!schedule.lived(Duration::from_secs(32)));
        assert_eq!(schedule.attempt, 5);
        assert!(schedule.lived(Duration::from_secs(33)));
        assert_eq!(schedule.attempt, 0);
    }

    #[test]
    fn a_maximum_below_the_minimum_is_read_as_the_minimum() {
        let odd = Backoff {
            min: Duration::from_secs(9),
            max: Duration::from_secs(3),
        };
        assert_eq!(odd.delay(4, 12345), Duration::from_secs(9));
    }
}
