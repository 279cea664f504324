//! The byte form of a fingerprint.
//!
//! ```text
//! "LKF" version=2  levels  dpi:u16  width:u16  height:u16  answers…      all big endian
//! ```
//!
//! A dot is written as answers: is there ink; is it full; bit by bit, which shade between. Each is asked with the chances
//! that its neighbours to the left and above had before.

use super::coder::{Chance, Reader, Writer};
use super::{DPI, Fingerprint, FingerprintError, LEVELS, MAX_BYTES, MAX_SIDE, MIN_SIDE, dot_count};

const MAGIC: [u8; 3] = *b"LKF";
const VERSION: u8 = 2;
const HEAD_BYTES: usize = 11;

/// Bare paper around the page, so that every dot has its neighbours.
const MARGIN: usize = 3;

pub(super) fn packed(fingerprint: &Fingerprint) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 * 1024);
    out.extend(MAGIC);
    out.extend([VERSION, LEVELS]);
    for number in [DPI, fingerprint.width, fingerprint.height] {
        out.extend(number.to_be_bytes());
    }
    let mut writer = Writer::new(out);
    let mut model = Model::new();
    let width = usize::from(fingerprint.width);
    let mut rows = Rows::new(width);
    for row in fingerprint.dots.chunks_exact(width.max(1)) {
        let mut left = Left::default();
        for ((above, higher), dot) in rows.windows().zip(row) {
            let (ink, shade) = (context(left, above, higher), shade_context(left, above));
            write(&mut writer, model.chances(ink, shade), *dot);
            left.pass(*dot);
        }
        rows.pass(row);
    }
    writer.done()
}

pub(super) fn unpacked(bytes: &[u8]) -> Result<Fingerprint, FingerprintError> {
    let (head, answers) = bytes
        .split_at_checked(HEAD_BYTES)
        .ok_or(FingerprintError::Malformed)?;
    let (magic, rest) = head
        .split_first_chunk::<3>()
        .ok_or(FingerprintError::Malformed)?;
    if *magic != MAGIC || bytes.len() > MAX_BYTES {
        return Err(FingerprintError::Malformed);
    }
    let [
        version,
        levels,
        dpi @ ..,
        width_high,
        width_low,
        height_high,
        height_low,
    ] = rest
    else {
        return Err(FingerprintError::Malformed);
    };
    if *version != VERSION || *levels != LEVELS || *dpi != DPI.to_be_bytes() {
        return Err(FingerprintError::Version);
    }
    let width = u16::from_be_bytes([*width_high, *width_low]);
    let height = u16::from_be_bytes([*height_high, *height_low]);
    if ![width, height]
        .iter()
        .all(|side| (MIN_SIDE..=MAX_SIDE).contains(side))
    {
        return Err(FingerprintError::Malformed);
    }
    let dots = read(answers, width, height)?;
    Ok(Fingerprint {
        width,
        height,
        dots,
    })
}

fn read(answers: &[u8], width: u16, height: u16) -> Result<Vec<u8>, FingerprintError> {
    let mut reader = Reader::new(answers);
    let mut model = Model::new();
    let mut dots = Vec::with_capacity(dot_count(width, height));
    let mut rows = Rows::new(usize::from(width));
    let mut row = Vec::with_capacity(usize::from(width));
    for _ in 0..height {
        row.clear();
        let mut left = Left::default();
        for (above, higher) in rows.windows() {
            let (ink, shade) = (context(left, above, higher), shade_context(left, above));
            let dot = read_dot(&mut reader, model.chances(ink, shade))
                .ok_or(FingerprintError::Malformed)?;
            row.push(dot);
            left.pass(dot);
        }
        if reader.is_short() {
            return Err(FingerprintError::Malformed);
        }
        rows.pass(&row);
        dots.extend_from_slice(&row);
    }
    if reader.is_done() {
        Ok(dots)
    } else {
        Err(FingerprintError::Malformed)
    }
}

/// Questions about the shade of an inked dot: is it full, and the bits of the shade between.
const QUESTIONS: usize = 4;

/// Bits of a shade between bare and full.
const BITS: u32 = 2;

const _: () = assert!(LEVELS <= 2 + (1 << BITS), "each shade between has its bits");

fn write(writer: &mut Writer, chances: (&mut Chance, &mut [Chance; QUESTIONS]), dot: u8) {
    let (ink, [full, between @ ..]) = chances;
    writer.put(ink, dot > 0);
    if dot == 0 {
        return;
    }
    writer.put(full, dot == LEVELS - 1);
    if dot == LEVELS - 1 {
        return;
    }
    let shade = dot - 1;
    let mut node = 0_usize;
    for bit in (0..BITS).rev() {
        let answer = (shade >> bit) & 1 == 1;
        if let Some(chance) = between.get_mut(node) {
            writer.put(chance, answer);
        }
        node = node * 2 + 1 + usize::from(answer);
    }
}

/// Nothing for a shade that is none.
fn read_dot(
    reader: &mut Reader<'_>,
    chances: (&mut Chance, &mut [Chance; QUESTIONS]),
) -> Option<u8> {
    let (ink, [full, between @ ..]) = chances;
    if !reader.get(ink) {
        return Some(0);
    }
    if reader.get(full) {
        return Some(LEVELS - 1);
    }
    let mut shade = 0_u8;
    let mut node = 0_usize;
    for _ in 0..BITS {
        let answer = between
            .get_mut(node)
            .is_some_and(|chance| reader.get(chance));
        shade = shade * 2 + u8::from(answer);
        node = node * 2 + 1 + usize::from(answer);
    }
    (shade < LEVELS - 2).then_some(shade + 1)
}

/// The chances of each neighbourhood.
struct Model {
    ink: Vec<Chance>,
    shades: Vec<[Chance; QUESTIONS]>,
    /// Answers for a neighbourhood that has no place: none has.
    spare: (Chance, [Chance; QUESTIONS]),
}

/// Four neighbours in four kinds of shade, five more as inked or bare.
const NEIGHBOURHOODS: usize = 1 << 13;

/// The left and the upper neighbour in all shades, two in four kinds, one more as inked or bare.
const SHADE_NEIGHBOURHOODS: usize = 64 << 5;

impl Model {
    fn new() -> Self {
        Self {
            ink: vec![Chance::EVEN; NEIGHBOURHOODS],
            shades: vec![[Chance::EVEN; QUESTIONS]; SHADE_NEIGHBOURHOODS],
            spare: (Chance::EVEN, [Chance::EVEN; QUESTIONS]),
        }
    }

    /// Of ink at all, and of its shade.
    fn chances(&mut self, ink: usize, shade: usize) -> (&mut Chance, &mut [Chance; QUESTIONS]) {
        (
            self.ink.get_mut(ink).unwrap_or(&mut self.spare.0),
            self.shades.get_mut(shade).unwrap_or(&mut self.spare.1),
        )
    }
}

/// The three dots to the left.
#[derive(Clone, Copy, Default)]
struct Left {
    near: u8,
    next: u8,
}

impl Left {
    fn pass(&mut self, dot: u8) {
        self.next = self.near;
        self.near = dot;
    }
}

fn context(left: Left, above: &[u8], higher: &[u8]) -> usize {
    let (
        [_, far_left, up_left, up, up_right, far_right, _],
        [_, _, high_left, high, high_right, _, _],
    ) = (above, higher)
    else {
        return 0;
    };
    let shades = [left.near, *up_left, *up, *up_right];
    let inked = [
        left.next,
        *far_left,
        *far_right,
        *high,
        high_left | high_right,
    ];
    let shades = shades
        .iter()
        .fold(0_usize, |sum, dot| (sum << 2) | kind(*dot));
    inked
        .iter()
        .fold(shades, |sum, dot| (sum << 1) | usize::from(*dot > 0))
}

/// What tells a shade is what stands next to it.
fn shade_context(left: Left, above: &[u8]) -> usize {
    let [_, _, up_left, up, up_right, _, _] = above else {
        return 0;
    };
    let near = usize::from(left.near & 7) * 8 + usize::from(*up & 7);
    ((near * 4 + kind(*up_left)) * 4 + kind(*up_right)) * 2 + usize::from(left.next > 0)
}

/// Of four kinds of shade: bare, light, dark, full.
const fn kind(dot: u8) -> usize {
    if dot == 0 {
        0
    } else if dot < LEVELS / 2 {
        1
    } else if dot < LEVELS - 1 {
        2
    } else {
        3
    }
}

/// The last two rows, with bare paper around them.
struct Rows {
    above: Vec<u8>,
    higher: Vec<u8>,
}

impl Rows {
    fn new(width: usize) -> Self {
        let bare = vec![0; width + 2 * MARGIN];
        Self {
            above: bare.clone(),
            higher: bare,
        }
    }

    /// For each dot of the row below: seven dots of each of the two rows, the middle one straight above.
    fn windows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let side = 2 * MARGIN + 1;
        self.above.windows(side).zip(self.higher.windows(side))
    }

    fn pass(&mut self, row: &[u8]) {
        std::mem::swap(&mut self.above, &mut self.higher);
        self.above
            .iter_mut()
            .skip(MARGIN)
            .zip(row)
            .for_each(|(cell, dot)| *cell = *dot);
    }
}
