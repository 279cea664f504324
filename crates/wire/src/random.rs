//! Randomness as an argument: words make none of their own.

/// A source of unpredictable bytes, given by a program.
///
/// An implementation must be fit for keys (`ring::rand::SystemRandom`, for instance); tests give seeded bytes.
pub trait Randomness {
    /// Fills `out` with unpredictable bytes.
    fn fill(&mut self, out: &mut [u8]);
}

/// Draws an array from `random`.
#[must_use]
pub fn draw<const N: usize>(random: &mut dyn Randomness) -> [u8; N] {
    let mut out = [0_u8; N];
    random.fill(&mut out);
    out
}
