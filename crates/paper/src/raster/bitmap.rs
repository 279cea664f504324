//! Pixels in rows, from the top left.

use std::fmt;

use zeroize::Zeroize;

/// Shades of grey: 0 is black, 255 white.
///
/// Shape: `pixels` has `width * height` bytes, row after row from the top left.
#[derive(Clone, PartialEq, Eq, Zeroize)]
pub struct Gray {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The shades.
    pub pixels: Vec<u8>,
    /// Pixels an inch, where the file says so or the page was rendered so.
    pub dpi: Option<u16>,
}

/// Colours, three bytes a pixel: red, green, blue.
///
/// Shape: `pixels` has `3 * width * height` bytes, row after row from the top left.
#[derive(Clone, PartialEq, Eq, Zeroize)]
pub struct Rgb {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The colours.
    pub pixels: Vec<u8>,
}

/// A page shows persons: its size alone is told.
impl fmt::Debug for Gray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Gray({} x {}, {:?} dpi)",
            self.width, self.height, self.dpi
        )
    }
}

/// As for [`Gray`].
impl fmt::Debug for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rgb({} x {})", self.width, self.height)
    }
}
