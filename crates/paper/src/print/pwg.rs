//! The headers of PWG raster.
//!
//! # Source
//! PWG 5102.4-2012, section 4.3: the header of a page has 1,796 bytes, its numbers are big endian, its texts end with
//! zeros, and what stands at no place below is zero.

use super::place::Pixels;
use super::{Colour, Setup, Sides};

/// What a stream begins with.
pub(super) const SYNC: &[u8] = b"RaS2";

const HEAD_BYTES: usize = 1_796;

/// Where the texts begin; each has 64 bytes.
const CLASS: usize = 0;
const MEDIA_TYPE: usize = 128;
const CONTENT_OPTIMIZE: usize = 192;
const PAGE_SIZE_NAME: usize = 1_732;

/// Numbers of enumerations of the format.
const SGRAY: u32 = 18;
const SRGB: u32 = 19;
const QUALITY_NORMAL: u32 = 4;
const WHITE: u32 = 0x00ff_ffff;

/// The header of a page, counted from 0.
pub(super) fn page_head(setup: &Setup, page: u32, page_count: u32) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    for (place, text) in [
        (CLASS, "PwgRaster"),
        (MEDIA_TYPE, "stationery"),
        (CONTENT_OPTIMIZE, "text-and-graphic"),
        (PAGE_SIZE_NAME, setup.paper.name()),
    ] {
        put(&mut head, place, text.as_bytes());
    }
    for (place, number) in numbers(setup, page, page_count) {
        put(&mut head, place, &number.to_be_bytes());
    }
    head
}

/// Each number with the place where it stands.
fn numbers(setup: &Setup, page: u32, page_count: u32) -> [(usize, u32); 26] {
    let Pixels { width, height } = setup.paper.pixels(setup.dpi);
    let (width, height, dpi) = (u32::from(width), u32::from(height), u32::from(setup.dpi));
    let (width_points, height_points) = setup.paper.points();
    let (space, colour_count) = match setup.colour {
        Colour::Gray => (SGRAY, 1),
        Colour::Rgb => (SRGB, 3),
    };
    let (along, down) = setup.signs(page);
    [
        (272, u32::from(setup.sides != Sides::One)), // Duplex
        (276, dpi),                                  // HWResolution
        (280, dpi),
        (340, 1),            // NumCopies
        (352, width_points), // PageSize
        (356, height_points),
        (368, u32::from(setup.sides == Sides::ShortEdge)), // Tumble
        (372, width),                                      // Width
        (376, height),                                     // Height
        (384, 8),                                          // BitsPerColor
        (388, 8 * colour_count),                           // BitsPerPixel
        (392, width * colour_count),                       // BytesPerLine
        (396, 0),                                          // ColorOrder: a pixel's colours together
        (400, space),                                      // ColorSpace
        (420, colour_count),                               // NumColors
        (452, page_count),                                 // TotalPageCount
        (456, along.cast_unsigned()),                      // CrossFeedTransform
        (460, down.cast_unsigned()),                       // FeedTransform
        (464, 0),                                          // ImageBoxLeft
        (468, 0),                                          // ImageBoxTop
        (472, width),                                      // ImageBoxRight
        (476, height),                                     // ImageBoxBottom
        (480, WHITE),                                      // AlternatePrimary
        (484, QUALITY_NORMAL),                             // PrintQuality
        (508, 0),                                          // VendorIdentifier
        (512, 0),                                          // VendorLength
    ]
}

fn put(head: &mut [u8], place: usize, bytes: &[u8]) {
    let room = head.iter_mut().skip(place);
    for (there, byte) in room.zip(bytes) {
        *there = *byte;
    }
}
