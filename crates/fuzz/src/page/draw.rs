//! Ink on white paper, each pixel as dark as the share of it that is covered.

use super::Picture;
use crate::seed::Seeded;

/// A4, the long side across.
const A4_WIDTH_MM: f32 = 297.0;
const A4_HEIGHT_MM: f32 = 210.0;

/// What paper and ink give back of the light.
const PAPER: f32 = 250.0;
const INK: f32 = 25.0;

/// A QR code to be printed: its modules without the quiet zone, row by row, `true` for dark.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Modules of a side.
    pub side: usize,
    /// `side * side` modules.
    pub modules: Vec<bool>,
    /// Length of a side on paper.
    pub side_mm: f32,
    /// Where its upper left corner stands on paper.
    pub at_mm: (f32, f32),
}

/// An empty A4 page, the long side across.
#[must_use]
pub fn landscape(dpi: u32) -> Picture {
    let pixels = |mm: f32| (mm / 25.4 * dpi as f32).round() as u32;
    Picture::plain(pixels(A4_WIDTH_MM), pixels(A4_HEIGHT_MM), PAPER as u8)
}

/// A page like a family card: a heading, two tables with lines of writing, and QR codes.
#[must_use]
pub fn family_card(dpi: u32, symbols: &[Symbol], seeded: &mut Seeded) -> Picture {
    let blank = landscape(dpi);
    let mut sheet = Sheet {
        width: blank.width as usize,
        height: blank.height as usize,
        ink: vec![0.0; blank.pixels.len()],
        per_mm: dpi as f32 / 25.4,
    };
    for (top, rows, left) in [
        (12.0, 1, 100.0),
        (24.0, 5, 18.0),
        (62.0, 11, 12.0),
        (125.0, 11, 12.0),
    ] {
        for row in 0..rows {
            let y = top + row as f32 * 5.2;
            sheet.writing(left, y, seeded);
            sheet.fill(12.0, y + 4.0, 285.0, y + 4.15);
        }
    }
    for column in 0..12 {
        let x = 12.0 + column as f32 * 24.8;
        sheet.fill(x, 61.0, x + 0.15, 118.0);
        sheet.fill(x, 124.0, x + 0.15, 181.0);
    }
    for symbol in symbols {
        sheet.symbol(symbol);
    }
    let tones = sheet.ink.iter().map(|ink| {
        let ink = ink.min(1.0);
        (PAPER - ink * (PAPER - INK)).round() as u8
    });
    Picture {
        pixels: tones.collect(),
        ..blank
    }
}

struct Sheet {
    width: usize,
    height: usize,
    ink: Vec<f32>,
    per_mm: f32,
}

impl Sheet {
    /// Covers a rectangle; its edges may lie inside pixels.
    fn fill(&mut self, left: f32, top: f32, right: f32, bottom: f32) {
        let scale = self.per_mm;
        let across = shares(left * scale, right * scale, self.width);
        for (y, tall) in shares(top * scale, bottom * scale, self.height) {
            for (x, wide) in &across {
                self.ink[y * self.width + x] += tall * wide;
            }
        }
    }

    /// Whitens a rectangle, as a printed code has a quiet zone of its own.
    fn clear(&mut self, left: f32, top: f32, right: f32, bottom: f32) {
        let scale = self.per_mm;
        let across = shares(left * scale, right * scale, self.width);
        for (y, _) in shares(top * scale, bottom * scale, self.height) {
            for (x, _) in &across {
                self.ink[y * self.width + x] = 0.0;
            }
        }
    }

    /// A line of marks about as large and as dense as eight-point letters.
    fn writing(&mut self, left: f32, top: f32, seeded: &mut Seeded) {
        let mut x = left;
        while x < 280.0 {
            if seeded.below(6) == 0 {
                x += 2.0;
                continue;
            }
            let strokes = 2 + seeded.below(3);
            for _stroke in 0..strokes {
                let (dx, dy) = (seeded.below(4) as f32 * 0.4, seeded.below(6) as f32 * 0.4);
                if seeded.below(2) == 0 {
                    self.fill(x + dx, top + 0.4, x + dx + 0.22, top + 0.4 + 2.2 - dy / 2.0);
                } else {
                    self.fill(x, top + 0.4 + dy, x + 1.4, top + 0.4 + dy + 0.2);
                }
            }
            x += 1.9;
        }
    }

    fn symbol(&mut self, symbol: &Symbol) {
        let (left, top) = symbol.at_mm;
        let module = symbol.side_mm / symbol.side as f32;
        let quiet = module * 4.0;
        let end = symbol.side_mm + quiet;
        self.clear(left - quiet, top - quiet, left + end, top + end);
        for (at, _) in symbol.modules.iter().enumerate().filter(|(_, dark)| **dark) {
            let x = left + (at % symbol.side) as f32 * module;
            let y = top + (at / symbol.side) as f32 * module;
            self.fill(x, y, x + module, y + module);
        }
    }
}

/// The pixels between two places, and which share of each lies between them.
fn shares(from: f32, to: f32, end: usize) -> Vec<(usize, f32)> {
    let first = from.max(0.0).floor() as usize;
    let last = (to.max(0.0).ceil() as usize).min(end);
    (first..last)
        .map(|at| {
            let share = (at as f32 + 1.0).min(to) - (at as f32).max(from);
            (at, share.clamp(0.0, 1.0))
        })
        .collect()
}
