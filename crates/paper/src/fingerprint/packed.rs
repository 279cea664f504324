//! The byte form of a fingerprint.
//!
//! ```text
//! "LKF" version=1  levels  dpi:u16  width:u16  height:u16  answers…      all big endian
//! ```
//!
//! A dot is written as answers: is there ink; is it full; is it the darker shade of the two between. Each is asked with
//! the chances that its neighbours to the left and above had before.

use super::coder::{Chance, Reader, Writer};
use super::{DPI, Fingerprint, FingerprintError, LEVELS, MAX_BYTES, MAX_SIDE, MIN_SIDE, dot_count};

const MAGIC: [u8; 3] = *b"LKF";
const VERSION: u8 = 1;
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
            let chances = model.chances(context(left, above, higher));
            write(&mut writer, chances, *dot);
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
            let dot = read_dot(&mut reader, model.chances(context(left, above, higher)));
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

fn write(writer: &mut Writer, [ink, full, darker]: &mut [Chance; 3], dot: u8) {
    writer.put(ink, dot > 0);
    if dot > 0 {
        writer.put(full, dot == 3);
        if dot < 3 {
            writer.put(darker, dot == 2);
        }
    }
}

fn read_dot(reader: &mut Reader<'_>, [ink, full, darker]: &mut [Chance; 3]) -> u8 {
    if !reader.get(ink) {
        0
    } else if reader.get(full) {
        3
    } else if reader.get(darker) {
        2
    } else {
        1
    }
}

/// The chances of each neighbourhood.
struct Model {
    chances: Vec<[Chance; 3]>,
    /// Answers for a neighbourhood that has no place: none has.
    spare: [Chance; 3],
}

/// Four neighbours in four shades, five more as inked or bare.
const NEIGHBOURHOODS: usize = 1 << 13;

impl Model {
    fn new() -> Self {
        Self {
            chances: vec![[Chance::EVEN; 3]; NEIGHBOURHOODS],
            spare: [Chance::EVEN; 3],
        }
    }

    fn chances(&mut self, neighbourhood: usize) -> &mut [Chance; 3] {
        self.chances
            .get_mut(neighbourhood)
            .unwrap_or(&mut self.spare)
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
        .fold(0_usize, |sum, dot| (sum << 2) | usize::from(*dot & 3));
    inked
        .iter()
        .fold(shades, |sum, dot| (sum << 1) | usize::from(*dot > 0))
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
