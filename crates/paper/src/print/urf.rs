//! The headers of URF, the raster of AirPrint.
//!
//! ```text
//! stream  8 bytes  UNIRAST and a zero
//!         4        pages; numbers are big endian
//! page    1        bits of a pixel
//!         1        colours: 0 shades of grey, 1 sRGB
//!         1        sides: 1 one, 2 both at the short edge, 3 both at the long one
//!         1        print-quality of IPP: 4 normal
//!         1        media type: 0 whatever lies in the tray
//!         1        tray: 0 the printer's choice
//!         1        output bin: 0 the printer's choice
//!         5        zeros
//!         4        width in pixels
//!         4        height in pixels
//!         4        pixels an inch
//!         8        zeros
//! ```
//!
//! # Source
//! No specification is public; as libcups reads and writes it, whose programs are the tests' judges.

use super::place::Pixels;
use super::{Colour, Setup, Sides};

const HEAD_BYTES: usize = 12;
const PAGE_HEAD_BYTES: usize = 32;
const QUALITY_NORMAL: u8 = 4;

/// The head of a stream.
pub(super) fn head(page_count: u32) -> [u8; HEAD_BYTES] {
    let [a, b, c, d] = page_count.to_be_bytes();
    [b'U', b'N', b'I', b'R', b'A', b'S', b'T', 0, a, b, c, d]
}

/// The header of a page.
pub(super) fn page_head(setup: &Setup) -> [u8; PAGE_HEAD_BYTES] {
    let Pixels { width, height } = setup.paper.pixels(setup.dpi);
    let (bits, space) = match setup.colour {
        Colour::Gray => (8, 0),
        Colour::Rgb => (24, 1),
    };
    let sides = match setup.sides {
        Sides::One => 1,
        Sides::ShortEdge => 2,
        Sides::LongEdge => 3,
    };
    let mut head = [0; PAGE_HEAD_BYTES];
    let bytes = [bits, space, sides, QUALITY_NORMAL, 0, 0, 0, 0, 0, 0, 0, 0];
    let numbers = [width, height, setup.dpi].map(u32::from);
    let numbers = numbers.into_iter().flat_map(u32::to_be_bytes);
    for (there, byte) in head.iter_mut().zip(bytes.into_iter().chain(numbers)) {
        *there = byte;
    }
    head
}
