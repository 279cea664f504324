//! Reads PWG raster and URF as a printer does: whole pages or none.
//!
//! It shares no line with what writes rasters here, so that a fault of one is not hidden by the other.
//!
//! # Source
//! PWG 5102.4 sections 4.2 to 4.4; URF as libcups reads it.

use thiserror::Error;

/// A0 at 600 dpi: no printer of an office takes more, and a hostile header does not take the memory.
const MAX_SIDE_PIXELS: u32 = 28_100;

/// More pages than a tray holds.
const MAX_PAGES: usize = 5_000;

/// Pixels of all pages that are kept, in bytes: two pages of A4 at 600 dpi in colour.
const MAX_KEPT_BYTES: usize = 220_000_000;

/// Why bytes are no raster; each a place where a printer would stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RasterFault {
    /// It begins as neither format does.
    #[error("find a raster")]
    Kind,
    /// It ends in the middle.
    #[error("read the raster to its end")]
    Cut,
    /// A header says what this reader cannot print, or what does not fit together.
    #[error("understand the header of a page")]
    Head,
    /// A run goes over the end of its row, or a row over the foot of its page.
    #[error("keep to the page")]
    Overrun,
    /// No page, too many, or another number than was told.
    #[error("count the pages")]
    Count,
}

/// One page.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes of a pixel: 1 for shades of grey, 3 for red, green, blue.
    pub bytes: usize,
    /// Pixels an inch.
    pub resolution_dpi: u32,
    /// Row after row from the head of the sheet; empty where pages are only counted.
    pub pixels: Vec<u8>,
}

/// A page shows persons: its size alone is told.
impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, .. } = self;
        write!(f, "Page({width} x {height}, {} dpi)", self.resolution_dpi)
    }
}

/// The pages of a raster with their pixels.
///
/// # Errors
/// [`RasterFault`]
pub fn pages(raster: &[u8]) -> Result<Vec<Page>, RasterFault> {
    read(raster, true)
}

/// How many pages a raster has, all of it read.
///
/// # Errors
/// [`RasterFault`]
pub fn count(raster: &[u8]) -> Result<u32, RasterFault> {
    let pages = read(raster, false)?;
    u32::try_from(pages.len()).map_err(|_many| RasterFault::Count)
}

fn read(raster: &[u8], keeps: bool) -> Result<Vec<Page>, RasterFault> {
    let mut bytes = Bytes(raster);
    let is_pwg = raster.starts_with(b"RaS2");
    let mut told = if is_pwg {
        bytes.take(4)?;
        0
    } else if raster.starts_with(b"UNIRAST\0") {
        bytes.take(8)?;
        bytes.number()?
    } else {
        return Err(RasterFault::Kind);
    };
    let mut pages = Vec::new();
    let mut kept_bytes = 0_usize;
    while !bytes.0.is_empty() {
        if pages.len() >= MAX_PAGES {
            return Err(RasterFault::Count);
        }
        let mut page = if is_pwg {
            let (page, total) = pwg_head(bytes.take(1_796)?)?;
            told = told.max(total);
            page
        } else {
            urf_head(bytes.take(32)?)?
        };
        if keeps {
            let size = page.width * page.height * page.bytes;
            kept_bytes = kept_bytes.saturating_add(size);
            if kept_bytes > MAX_KEPT_BYTES {
                return Err(RasterFault::Head);
            }
            page.pixels.reserve_exact(size);
        }
        rows(&mut bytes, &mut page, keeps, !is_pwg)?;
        pages.push(page);
    }
    let is_told = told == 0 || usize::try_from(told) == Ok(pages.len());
    if pages.is_empty() || !is_told {
        return Err(RasterFault::Count);
    }
    Ok(pages)
}

/// The bytes that were not read yet.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RasterFault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RasterFault::Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, RasterFault> {
        let (byte, rest) = self.0.split_first().ok_or(RasterFault::Cut)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u32, RasterFault> {
        number(self.take(4)?, 0).ok_or(RasterFault::Cut)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes))
}

/// A page without its pixels, and how many pages there are in all where that is told.
fn pwg_head(head: &[u8]) -> Result<(Page, u32), RasterFault> {
    let field = |at: usize| number(head, at).ok_or(RasterFault::Cut);
    let (width, height, dpi) = (field(372)?, field(376)?, field(276)?);
    let colours = match field(400)? {
        18 => 1,
        19 => 3,
        _no_standard_space => return Err(RasterFault::Head),
    };
    let is_sign = |value: u32| value == 1 || value == u32::MAX;
    // A page is as large as its paper, to the pixel that rounding costs.
    let is_side = |pixels: u32, points: u32| pixels.abs_diff(points * dpi / 72) <= dpi / 72 + 1;
    let fits = head.starts_with(b"PwgRaster\0")
        && field(280)? == dpi
        && (1..=2_400).contains(&dpi)
        && field(384)? == 8
        && field(388)? == 8 * colours
        && field(392)?.checked_div(colours) == Some(width)
        && field(396)? == 0
        && field(420)? == colours
        && is_sign(field(456)?)
        && is_sign(field(460)?)
        && field(352)?.max(field(356)?) < 10_000
        && is_side(width, field(352)?)
        && is_side(height, field(356)?);
    if !fits {
        return Err(RasterFault::Head);
    }
    Ok((page(width, height, colours, dpi)?, field(452)?))
}

fn urf_head(head: &[u8]) -> Result<Page, RasterFault> {
    let field = |at: usize| number(head, at).ok_or(RasterFault::Cut);
    let (width, height, dpi) = (field(12)?, field(16)?, field(20)?);
    let colours = match head {
        [8, 0, 1..=3, ..] => 1,
        [24, 1, 1..=3, ..] => 3,
        _other => return Err(RasterFault::Head),
    };
    page(width, height, colours, dpi)
}

fn page(width: u32, height: u32, colours: u32, resolution_dpi: u32) -> Result<Page, RasterFault> {
    let side = |pixels: u32| {
        let is_side = (1..=MAX_SIDE_PIXELS).contains(&pixels);
        let pixels = usize::try_from(pixels).ok().filter(|_pixels| is_side);
        pixels.ok_or(RasterFault::Head)
    };
    Ok(Page {
        width: side(width)?,
        height: side(height)?,
        bytes: side(colours)?,
        resolution_dpi,
        pixels: Vec::new(),
    })
}

fn rows(
    bytes: &mut Bytes<'_>,
    page: &mut Page,
    keeps: bool,
    may_clear: bool,
) -> Result<(), RasterFault> {
    let row_bytes = page.width * page.bytes;
    let mut row = Vec::with_capacity(row_bytes);
    let mut done = 0;
    while done < page.height {
        let times = usize::from(bytes.byte()?) + 1;
        done += times;
        if done > page.height {
            return Err(RasterFault::Overrun);
        }
        row.clear();
        while row.len() < row_bytes {
            match bytes.byte()? {
                128 if may_clear => row.resize(row_bytes, u8::MAX),
                128 => return Err(RasterFault::Overrun),
                more @ 0..128 => {
                    let pixel = bytes.take(page.bytes)?;
                    for _time in 0..=more {
                        row.extend_from_slice(pixel);
                    }
                }
                fewer => {
                    let count = 257 - usize::from(fewer);
                    row.extend_from_slice(bytes.take(count * page.bytes)?);
                }
            }
        }
        if row.len() > row_bytes {
            return Err(RasterFault::Overrun);
        }
        for _time in 0..times * usize::from(keeps) {
            page.pixels.extend_from_slice(&row);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of one page of 3 by 2 points at 72 dpi in shades of grey, written by hand.
    fn pwg() -> Vec<u8> {
        let mut head = vec![0; 1_796];
        head[..9].copy_from_slice(b"PwgRaster");
        for (at, number) in [
            (276, 72_u32),
            (280, 72),
            (352, 3),
            (356, 2),
            (372, 3),
            (376, 2),
            (384, 8),
            (388, 8),
            (392, 3),
            (400, 18),
            (420, 1),
            (452, 1),
            (456, 1),
            (460, u32::MAX),
        ] {
            head[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        [b"RaS2".as_slice(), &head, &[0, 2, 9, 0, 254, 7, 8, 9]].concat()
    }

    fn urf(rows: &[u8]) -> Vec<u8> {
        let head = b"UNIRAST\0\0\0\0\x01\x08\0\x01\x04\0\0\0\0\0\0\0\0";
        let sizes = [3_u32, 2, 72, 0, 0].map(u32::to_be_bytes).concat();
        [head.as_slice(), &sizes, rows].concat()
    }

    #[test]
    fn rows_are_read_as_the_formats_say() {
        let page = pages(&pwg()).unwrap().remove(0);
        assert_eq!((page.width, page.height, page.bytes), (3, 2, 1));
        assert_eq!(page.pixels, [9, 9, 9, 7, 8, 9]);
        assert_eq!(count(&pwg()), Ok(1));
        let page = pages(&urf(&[1, 0, 5, 128])).unwrap().remove(0);
        assert_eq!(page.pixels, [5, 255, 255, 5, 255, 255]);
    }

    #[test]
    fn what_is_no_whole_raster_is_told() {
        let whole = pwg();
        for len in 0..whole.len() {
            assert!(count(&whole[..len]).is_err(), "{len}");
        }
        assert_eq!(
            count(&[whole.as_slice(), b"x"].concat()),
            Err(RasterFault::Cut)
        );
        assert_eq!(count(b"%PDF-1.7"), Err(RasterFault::Kind));
        assert_eq!(count(&urf(&[2, 2, 9])), Err(RasterFault::Overrun));
        assert_eq!(count(&urf(&[1, 3, 9])), Err(RasterFault::Overrun));
        let two = [whole.as_slice(), &whole[4..]].concat();
        assert_eq!(count(&two), Err(RasterFault::Count), "one was told");
        for (at, byte) in [(4 + 403, 3), (4 + 375, 9), (4 + 399, 1), (4 + 459, 2)] {
            let mut other = pwg();
            other[at] = byte;
            assert_eq!(count(&other), Err(RasterFault::Head), "{at}");
        }
    }

    /// Whatever a writer made wrong: whole pages or none, and no more memory than a page may take.
    #[test]
    fn fuzz_rasters_no_bytes_make_the_reader_panic_and_what_is_read_is_whole() {
        let good = [
            pwg(),
            urf(&[1, 0, 5, 128]),
            urf(&[0, 2, 9, 0, 254, 7, 8, 9]),
        ];
        let good: Vec<&[u8]> = good.iter().map(Vec::as_slice).collect();
        loket_fuzz::fuzz("rasters", 100_000, &good, |bytes| {
            // A header may tell of a page that is larger than a test should take.
            let Ok(count) = count(bytes) else {
                assert!(pages(bytes).is_err());
                return;
            };
            let Ok(pages) = pages(bytes) else {
                return;
            };
            assert_eq!(u32::try_from(pages.len()), Ok(count));
            for page in pages {
                assert_eq!(page.pixels.len(), page.width * page.height * page.bytes);
            }
        });
    }
}
