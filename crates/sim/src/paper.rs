//! Simulates a sheet's way through a printer and a scanner: what a page looks like once it was printed and scanned.
//!
//! A page comes in as shades of grey at [`PRINT_DPI`]; a scan goes out at [`SCAN_DPI`]. The same seed gives the same scan.
#![expect(
    clippy::as_conversions,
    reason = "shades and places of pixels, far below 2^24, between floats and integers; what is out of range saturates"
)]

pub mod card;

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};

/// Dots an inch of the page that is printed.
pub const PRINT_DPI: u16 = 300;

/// Dots an inch of the scan.
pub const SCAN_DPI: u16 = 200;

/// Shades of grey, row after row from the top left: 0 is black.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// One byte a pixel.
    pub pixels: Vec<u8>,
}

/// What happens on the way. Lengths in scan pixels of 0.127 mm, shares of 1, shades of 255.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// From where an edge of toner stands: 0.5 where it was drawn, less is fatter.
    pub toner_level: f32,
    /// How ragged toner edges are, as a share.
    pub toner_noise: f32,
    /// Degrees by which the sheet lies askew.
    pub skew_deg: f32,
    /// Quarter turns of the sheet.
    pub quarters: u8,
    /// Stretch across and down, as a share.
    pub stretch: (f32, f32),
    /// Where the sheet lies, from the middle.
    pub offset: (f32, f32),
    /// How far the feeder pulls unevenly.
    pub wobble: f32,
    /// How much narrower the top is than the foot, as a share: a sheet that bends, a camera that leans.
    pub keystone: f32,
    /// Standard deviation of the optics' blur.
    pub blur: f32,
    /// Standard deviation of the sensor's noise.
    pub noise: f32,
    /// Shade of the paper.
    pub paper: f32,
    /// Shade of solid toner.
    pub toner: f32,
    /// How much darker one side is than the other, as a share.
    pub shading: f32,
    /// How much darker the middle folds are, as a share; 0 for none.
    pub fold: f32,
    /// Specks of dust.
    pub specks: u16,
    /// Quality of the JPEG file, from 1 to 100; nothing for none.
    pub jpeg: Option<u8>,
}

impl Way {
    /// Nothing happens but the printing and scanning themselves.
    #[must_use]
    pub const fn clean() -> Self {
        Self {
            toner_level: 0.5,
            toner_noise: 0.0,
            skew_deg: 0.0,
            quarters: 0,
            stretch: (0.0, 0.0),
            offset: (0.0, 0.0),
            wobble: 0.0,
            keystone: 0.0,
            blur: 0.5,
            noise: 1.0,
            paper: 250.0,
            toner: 20.0,
            shading: 0.0,
            fold: 0.0,
            specks: 0,
            jpeg: None,
        }
    }

    /// An office printer and scanner on an ordinary day, each seed another.
    #[must_use]
    pub fn ordinary(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            toner_level: dice.between(0.28, 0.52),
            toner_noise: dice.between(0.02, 0.12),
            skew_deg: dice.between(0.3, 2.0) * dice.sign(),
            quarters: 0,
            stretch: (dice.between(-0.003, 0.003), dice.between(-0.003, 0.003)),
            offset: (dice.between(-16.0, 16.0), dice.between(-16.0, 16.0)),
            wobble: dice.between(0.0, 1.0),
            keystone: dice.between(-0.001, 0.001),
            blur: dice.between(0.5, 0.95),
            noise: dice.between(2.0, 9.0),
            paper: dice.between(215.0, 250.0),
            toner: dice.between(20.0, 60.0),
            shading: dice.between(0.0, 0.2),
            fold: if dice.between(0.0, 1.0) < 0.4 {
                dice.between(0.05, 0.3)
            } else {
                0.0
            },
            specks: dice.between(0.0, 40.0) as u16,
            jpeg: Some(85),
        }
    }
}

/// Prints the page and scans the sheet: the bytes of a JPEG file, or the bare scan.
#[must_use]
pub fn scanned(page: &Sheet, way: &Way, seed: u64) -> Sheet {
    let mut dice = Dice::new(seed ^ 0x5ca9);
    let toner = printed(page, way, &mut dice);
    let optics = blurred(&laid(page, &toner, way), way.blur);
    let Field {
        width,
        height,
        mut ink,
    } = optics;
    shade(&mut ink, width, height, way);
    specks(&mut ink, width, height, way, &mut dice);
    let pixels = ink
        .iter()
        .map(|shade| (shade + dice.normal() * way.noise).clamp(0.0, 255.0) as u8)
        .collect();
    let sheet = Sheet {
        width,
        height,
        pixels,
    };
    match way.jpeg {
        Some(quality) => compressed(&sheet, quality),
        None => sheet,
    }
}

/// The page as a rasteriser draws it that fills every dot which an area touches: rules are a dot thicker, stems and
/// modules of codes fatter, to the right and to the foot.
#[must_use]
pub fn filled(page: &Sheet) -> Sheet {
    let width = page.width.max(1);
    let mut pixels = page.pixels.clone();
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let from = |left: usize, up: usize| {
                let (column, line) = (x.checked_sub(left)?, y.checked_sub(up)?);
                page.pixels.get(line * width + column).copied()
            };
            let touched = [from(1, 0), from(0, 1), from(1, 1)];
            *pixel = touched.into_iter().flatten().fold(*pixel, u8::min);
        }
    }
    Sheet {
        pixels,
        ..page.clone()
    }
}

/// As the file would give it back.
fn compressed(sheet: &Sheet, quality: u8) -> Sheet {
    let mut file = Vec::new();
    let (width, height) = (sheet.width as u32, sheet.height as u32);
    let written = JpegEncoder::new_with_quality(&mut file, quality).encode(
        &sheet.pixels,
        width,
        height,
        ExtendedColorType::L8,
    );
    let read = image::ImageReader::with_format(Cursor::new(&file), ImageFormat::Jpeg).decode();
    match (written, read) {
        (Ok(()), Ok(picture)) => Sheet {
            pixels: picture.into_luma8().into_raw(),
            ..sheet.clone()
        },
        _failed => sheet.clone(),
    }
}

struct Field {
    width: usize,
    height: usize,
    ink: Vec<f32>,
}

/// Toner on the sheet: the page's ink, spread a little and cut where toner holds; ragged.
fn printed(page: &Sheet, way: &Way, dice: &mut Dice) -> Field {
    let ink = page
        .pixels
        .iter()
        .map(|shade| 1.0 - f32::from(*shade) / 255.0)
        .collect();
    let spread = blurred(
        &Field {
            width: page.width,
            height: page.height,
            ink,
        },
        0.8,
    );
    let cut = spread.ink.iter().map(|ink| {
        if *ink < 0.02 {
            return 0.0;
        }
        ((ink + dice.normal() * way.toner_noise - way.toner_level) * 4.0 + 0.5).clamp(0.0, 1.0)
    });
    Field {
        width: page.width,
        height: page.height,
        ink: cut.collect(),
    }
}

/// The sheet as it lies under the scanner, each pixel the mean of what it sees.
fn laid(page: &Sheet, toner: &Field, way: &Way) -> Field {
    let ratio = f32::from(PRINT_DPI) / f32::from(SCAN_DPI);
    let (long, short) = (
        (page.width as f32 / ratio) as usize,
        (page.height as f32 / ratio) as usize,
    );
    let (width, height) = if way.quarters.is_multiple_of(2) {
        (long, short)
    } else {
        (short, long)
    };
    let (sine, cosine) = (way.skew_deg + 90.0 * f32::from(way.quarters))
        .to_radians()
        .sin_cos();
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let mut ink = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (
                x as f32 + 0.5 - middle_x - way.offset.0,
                y as f32 + 0.5 - middle_y - way.offset.1,
            );
            // Turned back to the page's own directions.
            let (u, v) = (dx * cosine + dy * sine, dy * cosine - dx * sine);
            let lean = 1.0 + way.keystone * v / middle_y;
            let pull = way.wobble * (v / 180.0).sin();
            let (u, v) = (
                u * lean / (1.0 + way.stretch.0),
                (v + pull) / (1.0 + way.stretch.1),
            );
            let (px, py) = (
                (u + long as f32 / 2.0) * ratio,
                (v + short as f32 / 2.0) * ratio,
            );
            let at = |across: f32, down: f32| toner.at(px + across - 0.5, py + down - 0.5);
            let (near, far) = (-ratio / 4.0, ratio / 4.0);
            ink.push((at(near, near) + at(far, near) + at(near, far) + at(far, far)) / 4.0);
        }
    }
    Field { width, height, ink }
}

impl Field {
    /// Between four pixels; bare outside.
    fn at(&self, x: f32, y: f32) -> f32 {
        if x < 0.0 || y < 0.0 || x >= (self.width - 1) as f32 {
            return 0.0;
        }
        let (left, top) = (x as usize, y as usize);
        let (across, down) = (x - left as f32, y - top as f32);
        let pair = |row: usize| match self
            .ink
            .get(row * self.width + left..row * self.width + left + 2)
        {
            Some([one, two]) => one + (two - one) * across,
            _outside => 0.0,
        };
        let (high, low) = (pair(top), pair(top + 1));
        high + (low - high) * down
    }
}

/// A bell curve of three weights to each side, along rows and along columns.
fn blurred(field: &Field, sigma: f32) -> Field {
    let weights: Vec<f32> = (-3..=3_i8)
        .map(|at| (-0.5 * (f32::from(at) / sigma).powi(2)).exp())
        .collect();
    let sum: f32 = weights.iter().sum();
    let mut across = vec![0.0_f32; field.ink.len()];
    for (out, row) in across
        .chunks_exact_mut(field.width)
        .zip(field.ink.chunks_exact(field.width))
    {
        for (cell, window) in out.iter_mut().skip(3).zip(row.windows(7)) {
            *cell = window
                .iter()
                .zip(&weights)
                .map(|(ink, weight)| ink * weight)
                .sum::<f32>()
                / sum;
        }
    }
    let mut ink = vec![0.0_f32; field.ink.len()];
    for (y, out) in ink.chunks_exact_mut(field.width).enumerate() {
        for (offset, weight) in weights.iter().enumerate() {
            let from = (y + offset).saturating_sub(3).min(field.height - 1) * field.width;
            let Some(row) = across.get(from..from + field.width) else {
                continue;
            };
            out.iter_mut()
                .zip(row)
                .for_each(|(cell, value)| *cell += value * weight / sum);
        }
    }
    Field {
        width: field.width,
        height: field.height,
        ink,
    }
}

/// From ink to light: paper, toner, a shadow over one side, folds across the middle.
fn shade(ink: &mut [f32], width: usize, height: usize, way: &Way) {
    let (fold_sine, fold_cosine) = (way.skew_deg + way.fold).to_radians().sin_cos();
    for (y, row) in ink.chunks_exact_mut(width).enumerate() {
        for (x, cell) in row.iter_mut().enumerate() {
            let light = way.paper + (way.toner - way.paper) * *cell;
            let shadow = 1.0
                - way.shading * (x as f32 / width as f32 * 0.7 + y as f32 / height as f32 * 0.3);
            let (dx, dy) = (
                x as f32 - width as f32 * 0.52,
                y as f32 - height as f32 * 0.47,
            );
            // The sheet was folded along its own sides, to a third of a degree.
            let from_fold = (dx * fold_cosine + dy * fold_sine)
                .abs()
                .min((dy * fold_cosine - dx * fold_sine).abs());
            let crease = 1.0 - way.fold * (-0.5 * (from_fold / 1.5).powi(2)).exp();
            *cell = light * shadow * crease;
        }
    }
}

/// Dust on paper and glass: dots up to a third of a millimetre, most dark.
fn specks(ink: &mut [f32], width: usize, height: usize, way: &Way, dice: &mut Dice) {
    for _ in 0..way.specks {
        let (x, y) = (
            dice.between(0.0, width as f32),
            dice.between(0.0, height as f32),
        );
        let (radius, shade) = (
            dice.between(0.3, 1.3),
            if dice.between(0.0, 1.0) < 0.8 {
                dice.between(60.0, 150.0)
            } else {
                245.0
            },
        );
        for row in (y - 2.0).max(0.0) as usize..(y + 3.0) as usize {
            for column in (x - 2.0).max(0.0) as usize..(x + 3.0) as usize {
                let distance = (column as f32 - x).hypot(row as f32 - y);
                let share = (radius - distance + 0.5).clamp(0.0, 1.0);
                if column < width
                    && let Some(cell) = ink.get_mut(row * width + column)
                {
                    *cell += (shade - *cell) * share;
                }
            }
        }
    }
}

/// Numbers that look thrown; SplitMix64, as in `loket_fuzz`.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / 16_777_216.0)
    }

    fn sign(&mut self) -> f32 {
        if self.next() & 1 == 0 { 1.0 } else { -1.0 }
    }

    /// Nearly a bell curve: four throws of 16 bits each.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u32 = [0, 16, 32, 48]
            .iter()
            .map(|shift| ((bits >> shift) & 0xffff) as u32)
            .sum();
        (sum as f32 / 65_536.0 - 2.0) * 1.732
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar() -> Sheet {
        let pixels = (0..150 * 75)
            .map(|at| {
                if (60..90).contains(&(at % 150)) {
                    0
                } else {
                    255
                }
            })
            .collect();
        Sheet {
            width: 150,
            height: 75,
            pixels,
        }
    }

    #[test]
    fn a_bar_stays_a_bar_and_the_same_seed_gives_the_same_scan() {
        let scan = scanned(&bar(), &Way::clean(), 1);
        assert_eq!((scan.width, scan.height), (100, 50));
        let row = &scan.pixels[25 * 100..26 * 100];
        assert!(row[50] < 40 && row[20] > 230, "{row:?}");
        let way = Way::ordinary(7);
        assert_eq!(scanned(&bar(), &way, 7), scanned(&bar(), &way, 7));
        assert_ne!(scanned(&bar(), &way, 7), scanned(&bar(), &way, 8));
    }

    #[test]
    fn a_rasteriser_that_fills_what_it_touches_draws_a_bar_one_dot_wider() {
        let row = &filled(&bar()).pixels[..150];
        assert_eq!(row.iter().filter(|it| **it == 0).count(), 31);
        assert!(row[60] == 0 && row[90] == 0 && row[59] == 255);
    }

    #[test]
    fn fatter_toner_makes_a_wider_bar() {
        let dark = |level: f32| {
            let way = Way {
                toner_level: level,
                ..Way::clean()
            };
            scanned(&bar(), &way, 1)
                .pixels
                .iter()
                .map(|shade| 255 - u32::from(*shade))
                .sum::<u32>()
        };
        assert!(dark(0.2) > dark(0.5) + 1_000);
    }
}
