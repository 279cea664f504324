//! Bytes that are nearly right: what a broken disk, a broken line or an enemy makes of good ones.

use crate::seed::Seeded;

/// Most edits of one text: more make it noise that is refused at its first byte.
const MAX_EDITS: u64 = 4;

/// The longest stretch that is taken out or put in again.
const MAX_STRETCH_BYTES: u64 = 64;

/// What readers of text and numbers stumble over.
const STUMBLING: [&[u8]; 14] = [
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\"",
    b"{",
    b"]",
    b"99999999999999999999999",
    b"-1",
    b"1e999",
    b"null",
    b"\r\n",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\u{202e}\u{feff}".as_bytes(),
];

/// Alters bytes, the same way for the same seed.
#[derive(Debug)]
pub struct Mutator {
    seeded: Seeded,
}

impl Mutator {
    /// Draws from `seeded`.
    #[must_use]
    pub const fn new(seeded: Seeded) -> Self {
        Self { seeded }
    }

    /// A copy of `bytes` with one to four edits.
    pub fn alter(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut altered = bytes.to_vec();
        for _edit in 0..=self.seeded.below(MAX_EDITS) {
            self.edit(&mut altered);
        }
        altered
    }

    fn edit(&mut self, bytes: &mut Vec<u8>) {
        let at = self.place(bytes.len());
        let end = at
            .saturating_add(self.place_below(MAX_STRETCH_BYTES))
            .min(bytes.len());
        match self.seeded.below(6) {
            0 => {
                let bit = self.seeded.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1_u8.rotate_left(u32::try_from(bit).unwrap_or_default());
                }
            }
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let stretch = bytes.get(at..end).unwrap_or_default().to_vec();
                let to = self.place(bytes.len());
                bytes.splice(to..to, stretch);
            }
            4 => {
                let noise: Vec<u8> = (at..end)
                    .map(|_byte| u8::try_from(self.seeded.below(256)).unwrap_or_default())
                    .collect();
                bytes.splice(at..end, noise);
            }
            _five => {
                let word = self.seeded.pick(&STUMBLING).unwrap_or_default();
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }

    fn place(&mut self, len: usize) -> usize {
        self.place_below(u64::try_from(len).unwrap_or(u64::MAX).saturating_add(1))
            .min(len)
    }

    fn place_below(&mut self, end: u64) -> usize {
        usize::try_from(self.seeded.below(end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn most_of_many_are_altered_and_differ_from_each_other() -> Result<(), crate::seed::SeedError> {
        let good = br#"{"reference":"KK-1","release":"now"}"#;
        let mut mutator = Mutator::new(Seeded::new(7)?);
        let altered: BTreeSet<Vec<u8>> = (0..200).map(|_| mutator.alter(good)).collect();
        assert!(altered.len() > 150, "{}", altered.len());
        assert!(altered.iter().any(|bytes| bytes.len() > good.len()));
        assert!(altered.iter().any(|bytes| bytes.len() < good.len()));
        Ok(())
    }

    #[test]
    fn nothing_can_be_altered_too() -> Result<(), crate::seed::SeedError> {
        let mut mutator = Mutator::new(Seeded::new(7)?);
        assert!((0..100).any(|_| !mutator.alter(b"").is_empty()));
        Ok(())
    }
}
