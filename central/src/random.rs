//! The system's randomness, as the words ask for it.

use loket_wire::Randomness;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// The system gave no random bytes: whatever was drawn must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("draw random bytes from the system")]
pub struct RandomnessFailed;

/// Draws from the system and remembers whether a draw failed.
///
/// What was drawn may be used after [`Self::check`] alone.
#[derive(Debug)]
pub(crate) struct SystemRandomness {
    source: SystemRandom,
    failed: bool,
}

impl SystemRandomness {
    pub(crate) fn new() -> Self {
        Self {
            source: SystemRandom::new(),
            failed: false,
        }
    }

    /// Says whether all draws since the beginning succeeded.
    pub(crate) const fn check(&self) -> Result<(), RandomnessFailed> {
        if self.failed {
            Err(RandomnessFailed)
        } else {
            Ok(())
        }
    }
}

impl Randomness for SystemRandomness {
    fn fill(&mut self, out: &mut [u8]) {
        self.failed |= self.source.fill(out).is_err();
    }
}
