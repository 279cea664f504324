//! Pages as a scanner or a telephone sees them: a family card with QR codes, and what print, dirt, light and lens do.
//!
//! The same page for the same seed. Lengths are millimetres where they are of paper, pixels where they are of optics.
#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "arithmetic of pixels of our own making: every index and every number comes from a bounded loop"
)]

mod defect;
mod draw;
mod optics;

pub use defect::Defect;
pub use draw::{Symbol, family_card, landscape};

/// A grey picture, row by row, 0 for black.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` pixels.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// A picture of one tone.
    #[must_use]
    pub fn plain(width: u32, height: u32, tone: u8) -> Self {
        Self {
            width,
            height,
            pixels: vec![tone; width as usize * height as usize],
        }
    }

    /// The pixel at a place, or the nearest one of the edge.
    #[must_use]
    pub fn near(&self, x: i64, y: i64) -> u8 {
        let x = x.clamp(0, i64::from(self.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.height) - 1) as usize;
        self.pixels[y * self.width as usize + x]
    }

    /// As a file that every program for pictures reads (portable greymap, binary).
    #[must_use]
    pub fn to_pgm(&self) -> Vec<u8> {
        let mut file = format!("P5\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend_from_slice(&self.pixels);
        file
    }

    /// Changes every pixel by its place.
    pub(crate) fn shade(&mut self, mut tone: impl FnMut(f32, f32, f32) -> f32) {
        let width = self.width as usize;
        for (y, row) in self.pixels.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = tone(x as f32, y as f32, f32::from(*pixel)).clamp(0.0, 255.0) as u8;
            }
        }
    }
}
