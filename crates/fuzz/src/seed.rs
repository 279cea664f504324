//! Random moments that can be had again.

use thiserror::Error;

/// Names the seed of a run that is to be repeated.
const VARIABLE: &str = "LOKET_SEED";

/// The variable holds no number.
#[derive(Debug, Error)]
#[error("read {VARIABLE}={text}: it is no number")]
pub struct SeedError {
    text: String,
}

/// SplitMix64: every seed is as good as any other.
///
/// # Source
/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Seeded {
    seed: u64,
    state: u64,
}

impl From<u64> for Seeded {
    /// Starts from this seed, whatever `LOKET_SEED` says.
    fn from(seed: u64) -> Self {
        Self { seed, state: seed }
    }
}

/// `LOKET_SEED`, or else `usual`.
///
/// # Errors
/// [`SeedError`].
pub fn of_run(usual: u64) -> Result<u64, SeedError> {
    match std::env::var(VARIABLE) {
        Ok(text) => text.parse().map_err(|_wrong| SeedError { text }),
        Err(_unset) => Ok(usual),
    }
}

impl Seeded {
    /// Starts from `LOKET_SEED`, or else from `usual`.
    ///
    /// # Errors
    /// [`SeedError`].
    pub fn new(usual: u64) -> Result<Self, SeedError> {
        Self::of_round(usual, 0)
    }

    /// The same for a round of several; named, it is had again as the first round.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_round(usual: u64, round: u64) -> Result<Self, SeedError> {
        Ok(Self::from(of_run(usual)?.wrapping_add(round)))
    }

    /// What a failure must say to be had again.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{VARIABLE}={}", self.seed)
    }

    /// A number from 0 up to and without `end`; 0 for an `end` of 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The bias of the remainder is far below what a few hundred draws can show.
        (mixed ^ (mixed >> 31)).checked_rem(end).unwrap_or_default()
    }

    /// Another one whose numbers have nothing to do with those that this one still gives.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::from(self.below(u64::MAX))
    }

    /// The same for places and lengths.
    pub fn place(&mut self, end: usize) -> usize {
        let place = self.below(u64::try_from(end).unwrap_or(u64::MAX));
        usize::try_from(place).unwrap_or_default()
    }

    /// One of `items`; `None` when there is none.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let count = u64::try_from(items.len()).ok()?;
        let at = usize::try_from(self.below(count)).ok()?;
        items.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_moments_all_in_range() {
        let draw = || {
            let mut seeded = Seeded::from(7);
            (0..100).map(|_| seeded.below(9)).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        assert!(
            (0..9).all(|number| draw().contains(&number)),
            "{:?}",
            draw()
        );
        assert!(draw().iter().all(|number| *number < 9));
    }
}
