//! Reads the codes of a page: a look at the whole of it, then closer looks where a code is likely.
//!
//! ```text
//! page ─> first look ─┬─> codes ────────────────────────────────────────> done, unless marks were left over
//!                     └─> none ─> busiest areas ─> each in every one of WAYS ─> done
//! look ─> marks ─> rxing ─> a grid fitted over the marks ─> the code restored (scratches, folds)
//! ```
//!
//! The work is bounded by the number of looks: [`MAX_PIXELS`] once for the page (twice for a photograph), then
//! at most [`MAX_AREAS`] areas of [`MAX_AREA_PIXELS`], each looked at in [`WAYS`]; and by [`MAX_FITS_IN_ALL`] and
//! [`MAX_RESTORATIONS`].

use rxing::common::BitMatrix;
use thiserror::Error;

use crate::bits::{Threshold, bits_of};
use crate::decode::{Look, Read, Triple, look, read_modules};
use crate::grid::fit;
use crate::luma::{Area, Luma};
use crate::payload::Payload;
use crate::restore::{levelled_columns, levelled_rows, refocused};
use crate::texture::busiest;

/// The largest picture that is looked at: A4 at 400 dpi, or a telephone's 16 million pixels. A caller halves larger ones.
pub const MAX_PIXELS: usize = 1 << 24;

/// Codes that are read from one page: an honest one has one or two.
pub const MAX_CODES: usize = 16;

/// The narrowest picture that can hold a code: 21 modules of one pixel, and some light around them.
const LEAST_PIXELS: usize = 25;

/// Areas that get closer looks in a page: a code is in the first one or two.
const PAGE_AREAS: usize = 2;

/// The same in a photograph, where other busy things lie beside the page.
const MAX_AREAS: usize = 4;

/// The largest area that gets closer looks: 12 cm at 300 dpi. A larger code has no need of them.
const MAX_AREA_PIXELS: usize = 1 << 21;

/// Fits of a grid in one look: the code's own marks are among the likeliest.
const MAX_FITS: usize = 3;

/// Fits of a grid in all looks: each costs a few milliseconds, and a page may take a hundred.
const MAX_FITS_IN_ALL: usize = 8;

/// Codes that are restored, in all looks: each costs as much as two fits. What the first two do not read, no other does.
const MAX_RESTORATIONS: usize = 2;

/// Marks that gave no code are worth closer looks beside a code that was read when they lie this well.
const LIKELY_SKEW: f32 = 0.2;

/// How much is done to find codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A rendered or scanned page.
    Page,
    /// A picture that a telephone took: slanted, with things around the page.
    Photograph,
}

/// What was read from one picture.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The codes, from the top down, those at one height from the left.
    pub codes: Vec<Code>,
    /// Whether there were more than [`MAX_CODES`].
    pub is_cut: bool,
    /// Whether the decoder failed at some place (`Q-304`); codes may be missing.
    pub has_failed: bool,
}

/// One code as it was read; `Debug` shows no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What it says.
    pub payload: Payload,
    /// Where it lies.
    pub area: CodeArea,
    /// Whether it is one part of a message over several codes (structured append).
    pub is_part: bool,
    /// Whether it is marked as data of trade or industry (FNC1).
    pub is_trade: bool,
}

/// The upright rectangle around a code, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeArea {
    /// From the upper edge; first, as codes are told from the top down.
    pub top: u32,
    /// From the left edge.
    pub left: u32,
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// Why a picture is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QrError {
    /// It has more than [`MAX_PIXELS`] (`Q-303`).
    #[error("read codes of a picture: more than {MAX_PIXELS} pixels")]
    TooLarge,
    /// Its bytes are not width times height.
    #[error("read codes of a picture: the number of its bytes is not width times height")]
    Shape,
}

/// One way to look closer at an area.
type Way = (fn(&Luma) -> Option<Luma>, Threshold);

/// Closer looks, those first that read most of what the first look leaves (measured on the grid of `cargo xtask bench
/// qr`, with other seeds): grain is softened, blur sharpened, small modules are enlarged, large coarse ones halved; folds
/// along rows and columns are levelled, stains left above what is dark, and what is far out of focus is brought back.
const WAYS: [Way; 11] = [
    (|area| Some(area.softened()), Threshold::Mean(24)),
    (|area| Some(area.clone()), Threshold::Whole),
    (|area| Some(area.sharpened()), Threshold::Blocks),
    (|area| area.doubled(), Threshold::Blocks),
    (|area| Some(area.softened().softened()), Threshold::Blocks),
    (|area| Some(levelled_rows(area)), Threshold::Blocks),
    (|area| Some(area.clone()), Threshold::Dark),
    (refocused, Threshold::Mean(24)),
    (|area| Some(levelled_columns(area)), Threshold::Blocks),
    (|area| area.halved(), Threshold::Mean(16)),
    (|area| Some(area.inverted()), Threshold::Blocks),
];

/// Reads the QR codes of a grey picture, row by row, 0 for black. Micro QR and rMQR codes are no codes here.
///
/// The same picture gives the same codes; a picture without any gives none and no error.
///
/// # Errors
/// [`QrError`].
///
/// # Source
/// ISO/IEC 18004; what is decoded is what rxing decodes.
pub fn read(width: u32, height: u32, luma: &[u8], effort: Effort) -> Result<Reading, QrError> {
    let size = |length: u32| usize::try_from(length).map_err(|_| QrError::TooLarge);
    let (width, height) = (size(width)?, size(height)?);
    if width.checked_mul(height).is_none_or(|all| all > MAX_PIXELS) {
        return Err(QrError::TooLarge);
    }
    if width.checked_mul(height) != Some(luma.len()) {
        return Err(QrError::Shape);
    }
    let mut found = Found::default();
    if width.min(height) >= LEAST_PIXELS {
        let page = Luma::new(width, height, luma.to_vec()).ok_or(QrError::Shape)?;
        found.search(&page, effort);
    }
    Ok(found.told())
}

/// From pixels of a look to pixels of the page.
#[derive(Debug, Clone, Copy)]
struct Frame {
    left: f32,
    top: f32,
    scale: f32,
}

const WHOLE: Frame = Frame {
    left: 0.0,
    top: 0.0,
    scale: 1.0,
};

#[derive(Debug, Default)]
struct Found {
    codes: Vec<Code>,
    is_cut: bool,
    has_failed: bool,
    fits: usize,
    restorations: usize,
}

impl Found {
    fn search(&mut self, page: &Luma, effort: Effort) {
        let left_over = self.look_at(page, Threshold::Blocks, WHOLE);
        let is_photograph = effort == Effort::Photograph;
        let half = page
            .halved()
            .filter(|_| is_photograph && self.codes.is_empty());
        if let Some(half) = half {
            let frame = Frame {
                scale: 2.0,
                ..WHOLE
            };
            self.look_at(&half, Threshold::Mean(24), frame);
        }
        let most = match effort {
            Effort::Page => PAGE_AREAS,
            Effort::Photograph => MAX_AREAS,
        };
        let areas = if self.codes.is_empty() {
            busiest(page, most)
        } else {
            let likely = left_over.iter().filter(|triple| triple.skew < LIKELY_SKEW);
            likely.take(most).map(around).collect()
        };
        for area in areas {
            self.look_closer(page, &area);
        }
    }

    /// Looks at an area in every way until one gives a code.
    fn look_closer(&mut self, page: &Luma, area: &Area) {
        let known = |code: &Code| area_of(&code.area).meets(area);
        let is_large = area.width.saturating_mul(area.height) > MAX_AREA_PIXELS;
        if is_large || self.codes.iter().any(known) {
            return;
        }
        let Some(cut) = page.cut(area) else {
            return;
        };
        let before = self.codes.len();
        for (prepare, threshold) in WAYS {
            let Some(picture) = prepare(&cut) else {
                continue;
            };
            let frame = Frame {
                left: float(area.left),
                top: float(area.top),
                scale: float(cut.width()) / float(picture.width().max(1)),
            };
            self.look_at(&picture, threshold, frame);
            if self.codes.len() > before {
                return;
            }
        }
    }

    /// One look: black and white, marks, codes; then grids over the marks that gave none. Gives what is left over.
    fn look_at(&mut self, picture: &Luma, threshold: Threshold, frame: Frame) -> Vec<Triple> {
        let Some(bits) = bits_of(picture, threshold) else {
            return Vec::new();
        };
        let Look {
            read,
            missed,
            failed,
        } = look(&bits, MAX_CODES.saturating_add(1));
        self.has_failed |= failed;
        let was_empty = read.is_empty();
        for read in read {
            self.add(read, frame);
        }
        let fits = if was_empty { MAX_FITS } else { 0 };
        for triple in missed.iter().take(fits) {
            if let Some(read) = self.fitted(picture, triple) {
                self.add(read, frame);
                return Vec::new();
            }
        }
        missed
    }

    /// Reads a code by a grid over its marks, as it stands or restored.
    fn fitted(&mut self, picture: &Luma, triple: &Triple) -> Option<Read> {
        if self.fits >= MAX_FITS_IN_ALL {
            return None;
        }
        self.fits = self.fits.saturating_add(1);
        let fitted = fit(picture, triple.marks, triple.size)?;
        let read = |modules: &BitMatrix| read_modules(modules, fitted.corners);
        let as_it_stands = fitted.modules.iter().find_map(read);
        if as_it_stands.is_some() || self.restorations >= MAX_RESTORATIONS || !fitted.stands_out {
            return as_it_stands;
        }
        self.restorations = self.restorations.saturating_add(1);
        fitted.restored(picture).find_map(|modules| read(&modules))
    }

    /// Keeps a code, unless it is one that is known already.
    fn add(&mut self, read: Read, frame: Frame) {
        let area = frame.area(&read.corners);
        let is_known = |code: &Code| {
            code.payload == read.payload && area_of(&code.area).meets(&area_of(&area))
        };
        if self.codes.iter().any(is_known) {
            return;
        }
        if self.codes.len() >= MAX_CODES {
            self.is_cut = true;
            return;
        }
        self.codes.push(Code {
            payload: read.payload,
            area,
            is_part: read.is_part,
            is_trade: read.is_trade,
        });
    }

    fn told(mut self) -> Reading {
        self.codes.sort_by_key(|code| code.area);
        Reading {
            codes: self.codes,
            is_cut: self.is_cut,
            has_failed: self.has_failed,
        }
    }
}

impl Frame {
    /// The upright rectangle around four corners.
    fn area(&self, corners: &[(f32, f32); 4]) -> CodeArea {
        let least = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).fold(f32::MAX, f32::min);
        let most = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).fold(0.0, f32::max);
        let (left, right) = (least(|corner| corner.0), most(|corner| corner.0));
        let (top, bottom) = (least(|corner| corner.1), most(|corner| corner.1));
        CodeArea {
            top: whole(self.top + top * self.scale),
            left: whole(self.left + left * self.scale),
            width: whole((right - left) * self.scale),
            height: whole((bottom - top) * self.scale),
        }
    }
}

fn area_of(area: &CodeArea) -> Area {
    let size = |length: u32| usize::try_from(length).unwrap_or(usize::MAX);
    Area {
        left: size(area.left),
        top: size(area.top),
        width: size(area.width),
        height: size(area.height),
    }
}

/// The square that a code with these marks would lie in, with room around it.
fn around(triple: &Triple) -> Area {
    let xs = triple.marks.iter().map(|mark| mark.0);
    let ys = triple.marks.iter().map(|mark| mark.1);
    let (left, right) = (xs.clone().fold(f32::MAX, f32::min), xs.fold(0.0, f32::max));
    let (top, bottom) = (ys.clone().fold(f32::MAX, f32::min), ys.fold(0.0, f32::max));
    let side = (right - left).max(bottom - top) + triple.size * 4.0;
    let from = |least: f32, most: f32| index((least + most - side) / 2.0);
    Area {
        left: from(left, right),
        top: from(top, bottom),
        width: index(side),
        height: index(side),
    }
}

#[expect(
    clippy::as_conversions,
    reason = "a float's cast to an integer saturates, and lengths of pictures are far below 2^24"
)]
mod cast {
    pub(super) const fn float(length: usize) -> f32 {
        length as f32
    }

    pub(super) const fn index(place: f32) -> usize {
        place as usize
    }

    pub(super) const fn whole(place: f32) -> u32 {
        place.round() as u32
    }
}

use cast::{float, index, whole};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_that_is_too_large_gets_no_closer_look() {
        let code = qrcode::QrCode::new(b"tel:0").unwrap();
        let side = code.width();
        let colors = code.to_colors();
        let is_dark = |x: usize, y: usize| {
            let module = (y / 8).checked_sub(8).zip((x / 8).checked_sub(8));
            module.is_some_and(|(row, column)| {
                row < side && column < side && colors[row * side + column] == qrcode::Color::Dark
            })
        };
        let pixels = (0..1_500 * 1_500).map(|at| {
            if is_dark(at % 1_500, at / 1_500) {
                0
            } else {
                255
            }
        });
        let page = Luma::new(1_500, 1_500, pixels.collect()).unwrap();
        let looked_at = |side: usize| {
            let mut found = Found::default();
            let area = Area {
                left: 0,
                top: 0,
                width: side,
                height: side,
            };
            found.look_closer(&page, &area);
            found.codes.len()
        };
        assert_eq!((looked_at(1_400), looked_at(1_500)), (1, 0));
    }
}
