//! In what shape a raster is wanted.

use super::place::{Back, Paper};

/// The format of a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `image/pwg-raster` (PWG 5102.4).
    Pwg,
    /// `image/urf`: the raster of AirPrint.
    Urf,
}

/// The colours of a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// `sgray_8`, in URF `W8`: shades of grey with the curve of sRGB.
    Gray,
    /// `srgb_8`, in URF `SRGB24`: red, green, blue.
    Rgb,
}

impl Colour {
    /// Bytes of a pixel.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
        }
    }
}

/// On which sides of a sheet pages are printed.
///
/// # Source
/// `sides`: RFC 8011 section 5.2.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Each page on a sheet of its own.
    One,
    /// On both, bound at the long edge.
    LongEdge,
    /// On both, bound at the short edge.
    ShortEdge,
}

/// In what shape a raster is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The format.
    pub form: Form,
    /// The colours.
    pub colour: Colour,
    /// Pixels an inch in both directions, from 36 to 600.
    pub dpi: u16,
    /// The paper.
    pub paper: Paper,
    /// Which sides are printed.
    pub sides: Sides,
    /// How the printer wants the back of a sheet.
    pub back: Back,
}

impl Setup {
    /// Whether a page, counted from 0, comes to lie on the back of a sheet.
    pub(super) const fn is_back(&self, page: u32) -> bool {
        match self.sides {
            Sides::One => false,
            Sides::LongEdge | Sides::ShortEdge => page % 2 == 1,
        }
    }

    /// By which signs the two directions of a page, counted from 0, are multiplied: along a row, and from row to row.
    pub(super) const fn signs(&self, page: u32) -> (i32, i32) {
        if self.is_back(page) {
            self.back.signs(matches!(self.sides, Sides::ShortEdge))
        } else {
            (1, 1)
        }
    }
}
