//! Rows of pixels packed as PWG raster and URF both pack them.
//!
//! ```text
//! row     1 byte   how often it stands again, 0 to 255; then runs until its pixels are told
//! run     0 to 127:    the pixel that follows stands so often again
//!         129 to 255:  257 less this number of pixels follow, one after the other
//! ```
//! 128 never stands there: the two formats mean different things by it.

use zeroize::{Zeroize as _, Zeroizing};

use super::bands::{BYTES, Row};
use super::{Colour, PrintError};

/// Rows that one counter tells.
const MAX_ROWS: u16 = 256;

/// Pixels that one run tells.
const MAX_RUN: usize = 128;

/// Packs the rows of one page.
pub(super) struct Packer {
    colour: Colour,
    /// The row that was given last, in the colours of the raster.
    line: Zeroizing<Vec<u8>>,
    /// How often it stands there.
    times: u16,
    /// Rows that were given.
    row_count: u32,
    width: usize,
    packed: Vec<u8>,
    is_over: bool,
}

impl Packer {
    pub(super) fn new(width: u16, colour: Colour) -> Self {
        let width = usize::from(width);
        Self {
            colour,
            line: Zeroizing::new(Vec::with_capacity(width * colour.bytes())),
            times: 0,
            row_count: 0,
            width,
            packed: Vec::new(),
            is_over: false,
        }
    }

    /// Takes the next row.
    pub(super) fn row(&mut self, row: Row<'_>) -> Result<(), PrintError> {
        self.row_count = self.row_count.saturating_add(1);
        match row {
            Row::Again if self.times == 0 => return Err(PrintError::Shape),
            Row::Again if self.times < MAX_ROWS => {
                self.times = self.times.saturating_add(1);
                return Ok(());
            }
            Row::Again => self.tell_line()?,
            Row::Pixels(pixels) => {
                self.tell_line()?;
                self.line.clear();
                match self.colour {
                    Colour::Gray => shades(pixels, &mut self.line),
                    Colour::Rgb => colours(pixels, &mut self.line),
                }
                if self.line.len() != self.width.saturating_mul(self.colour.bytes()) {
                    return Err(PrintError::Shape);
                }
            }
        }
        self.times = 1;
        Ok(())
    }

    /// Ends the page, which has so many rows.
    pub(super) fn finish(&mut self, height: u16) -> Result<(), PrintError> {
        self.tell_line()?;
        self.is_over = true;
        if self.row_count == u32::from(height) {
            Ok(())
        } else {
            Err(PrintError::Shape)
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// What is packed and was not forgotten.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Wipes what is packed.
    pub(super) fn forget(&mut self) {
        self.packed.zeroize();
    }

    fn tell_line(&mut self) -> Result<(), PrintError> {
        let Some(again) = self.times.checked_sub(1) else {
            return Ok(());
        };
        self.times = 0;
        self.packed
            .push(u8::try_from(again).map_err(|_many| PrintError::Shape)?);
        match self.colour {
            Colour::Gray => runs::<1>(&self.line, &mut self.packed),
            Colour::Rgb => runs::<3>(&self.line, &mut self.packed),
        }
        Ok(())
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Packs one row of pixels of `N` bytes.
fn runs<const N: usize>(line: &[u8], packed: &mut Vec<u8>) {
    let (pixels, _none) = line.as_chunks::<N>();
    let mut rest = pixels;
    while let Some(first) = rest.first() {
        let run = alike(rest, first).min(MAX_RUN);
        if run >= 2 {
            let (_told, after) = rest.split_at(run);
            packed.push(u8::try_from(run - 1).unwrap_or_default());
            packed.extend_from_slice(first);
            rest = after;
            continue;
        }
        let other = unlike(rest).min(MAX_RUN);
        let (told, after) = rest.split_at(other);
        match other {
            // One pixel that stands alone is a run of one.
            0 | 1 => packed.push(0),
            more => packed.push(u8::try_from(257 - more).unwrap_or_default()),
        }
        packed.extend_from_slice(told.as_flattened());
        rest = after;
    }
}

/// How many of the first pixels are `first`; stops where it is more than a run tells.
fn alike<const N: usize>(pixels: &[[u8; N]], first: &[u8; N]) -> usize {
    let most = pixels.get(..MAX_RUN).unwrap_or(pixels);
    // Most of a page is white: sixteen pixels at a time.
    let mut count = 0;
    let (blocks, _rest) = most.as_chunks::<16>();
    let block = [*first; 16];
    for pixels in blocks {
        if *pixels != block {
            break;
        }
        count += 16;
    }
    let rest = most.get(count..).unwrap_or_default();
    count + rest.iter().take_while(|pixel| *pixel == first).count()
}

/// How many of the first pixels differ from the one after them; the last of all does.
fn unlike<const N: usize>(pixels: &[[u8; N]]) -> usize {
    let most = pixels.get(..MAX_RUN + 1).unwrap_or(pixels);
    let pairs = most.windows(2);
    let differing = pairs.take_while(|pair| matches!(pair, [one, next] if one != next));
    let count = differing.count();
    if count + 1 == pixels.len() {
        pixels.len()
    } else {
        count
    }
}

fn colours(pixels: &[u8], line: &mut Vec<u8>) {
    let (pixels, _none) = pixels.as_chunks::<BYTES>();
    for [red, green, blue, _opaque] in pixels {
        line.extend_from_slice(&[*red, *green, *blue]);
    }
}

fn shades(pixels: &[u8], line: &mut Vec<u8>) {
    let (pixels, _none) = pixels.as_chunks::<BYTES>();
    line.extend(pixels.iter().map(crate::raster::shade));
}
