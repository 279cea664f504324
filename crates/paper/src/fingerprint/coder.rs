//! Yes and no written in as many bits as they surprise: a range coder with chances that learn.
//!
//! # Source
//! G. N. N. Martin, Range encoding (1979); the carry is handled as in the LZMA specification.

/// What is known about one question: how often it was yes.
#[derive(Clone, Copy)]
pub(super) struct Chance {
    /// Of yes, in 65,536ths.
    yes: u16,
    /// How often it was asked, up to [`MEMORY`].
    asked: u16,
}

/// After so many answers older ones fade: pages repeat themselves from top to foot.
const MEMORY: u16 = 250;

/// No answer is so sure that the other one could not be written: 2^-13.
const LEAST: u16 = 8;

impl Chance {
    pub(super) const EVEN: Self = Self {
        yes: 1 << 15,
        asked: 0,
    };

    fn learn(&mut self, answer: bool) {
        let share = u32::from(self.asked) + 2;
        let yes = u32::from(self.yes);
        let moved = if answer {
            yes + (65_535 - yes) / share
        } else {
            yes - yes / share
        };
        self.yes = u16::try_from(moved)
            .unwrap_or(u16::MAX)
            .clamp(LEAST, u16::MAX - LEAST);
        self.asked = (self.asked + 1).min(MEMORY);
    }

    fn part(self, range: u32) -> u32 {
        (range >> 16) * u32::from(self.yes)
    }
}

/// Below it the range is widened by a byte.
const NARROW: u32 = 1 << 24;

/// Writes answers.
pub(super) struct Writer {
    low: u64,
    range: u32,
    held: u8,
    held_back: usize,
    has_held: bool,
    out: Vec<u8>,
}

impl Writer {
    pub(super) const fn new(out: Vec<u8>) -> Self {
        Self {
            low: 0,
            range: u32::MAX,
            held: 0,
            held_back: 0,
            has_held: false,
            out,
        }
    }

    pub(super) fn put(&mut self, chance: &mut Chance, answer: bool) {
        let part = chance.part(self.range);
        if answer {
            self.range = part;
        } else {
            self.low += u64::from(part);
            self.range -= part;
        }
        chance.learn(answer);
        while self.range < NARROW {
            self.range <<= 8;
            self.shift();
        }
    }

    /// Sends the top byte on, unless a carry may still change it.
    fn shift(&mut self) {
        let [_, _, _, carry, top, rest @ ..] = self.low.to_be_bytes();
        if carry > 0 || top < u8::MAX {
            if self.has_held {
                self.out.push(self.held.wrapping_add(carry));
            }
            let filler = u8::MAX.wrapping_add(carry);
            self.out.extend(std::iter::repeat_n(filler, self.held_back));
            self.held_back = 0;
            self.held = top;
            self.has_held = true;
        } else {
            self.held_back += 1;
        }
        let [one, two, three] = rest;
        self.low = u64::from(u32::from_be_bytes([one, two, three, 0]));
    }

    pub(super) fn done(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        self.out
    }
}

/// Reads the answers that [`Writer`] wrote, with the same chances in the same order.
pub(super) struct Reader<'a> {
    code: u32,
    range: u32,
    rest: std::slice::Iter<'a, u8>,
    is_short: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self {
            code: 0,
            range: u32::MAX,
            rest: bytes.iter(),
            is_short: false,
        };
        for _ in 0..4 {
            reader.next();
        }
        reader
    }

    fn next(&mut self) {
        let byte = self.rest.next().copied();
        self.is_short |= byte.is_none();
        self.code = (self.code << 8) | u32::from(byte.unwrap_or_default());
    }

    pub(super) fn get(&mut self, chance: &mut Chance) -> bool {
        let part = chance.part(self.range);
        let answer = self.code < part;
        if answer {
            self.range = part;
        } else {
            self.code = self.code.wrapping_sub(part);
            self.range -= part;
        }
        chance.learn(answer);
        while self.range < NARROW {
            self.range <<= 8;
            self.next();
        }
        answer
    }

    /// Whether every byte was needed and none was missing.
    pub(super) fn is_done(&self) -> bool {
        !self.is_short && self.rest.len() == 0
    }

    pub(super) const fn is_short(&self) -> bool {
        self.is_short
    }
}
