//! The scan with its differences marked.

use super::{Comparison, DOTS_PER_MM, Region};
use crate::num::{count, float};
use crate::raster::{Gray, Rgb};

/// Around a difference, so that the mark does not cover it.
const GAP_MM: f32 = 0.8;

/// Of a mark's line.
const LINE_MM: f32 = 0.35;

/// Seen by most who do not tell red from green, too.
pub(super) const MARK: [u8; 3] = [214, 0, 60];

/// The scan in colours with a frame around each region.
#[must_use]
pub fn draw(scan: &Gray, comparison: &Comparison) -> Rgb {
    let pixels = scan.pixels.iter().flat_map(|shade| [*shade; 3]).collect();
    let mut picture = Rgb {
        width: scan.width,
        height: scan.height,
        pixels,
    };
    for region in &comparison.regions {
        frame(&mut picture, region, comparison);
    }
    picture
}

fn frame(picture: &mut Rgb, region: &Region, comparison: &Comparison) {
    let Some(place) = &comparison.place else {
        return;
    };
    let (left, top) = (region.x_mm - GAP_MM, region.y_mm - GAP_MM);
    let (right, foot) = (
        region.x_mm + region.width_mm + GAP_MM,
        region.y_mm + region.height_mm + GAP_MM,
    );
    // Half a dot from mark to mark, so that the line has no holes however the scan is turned.
    let step = 0.5 / DOTS_PER_MM / place.factor;
    let across = count((right - left) / step);
    let down = count((foot - top) / step);
    let thick = count(LINE_MM / step);
    let mut mark = |x_mm: f32, y_mm: f32| {
        let (x, y) = place.warp.apply(x_mm * DOTS_PER_MM, y_mm * DOTS_PER_MM);
        dot(
            picture,
            (x + 0.5) * place.factor - 0.5,
            (y + 0.5) * place.factor - 0.5,
        );
    };
    for inner in 0..thick {
        let out = float(inner) * step;
        for at in 0..=across {
            let x = left + float(at) * step;
            mark(x, top - out);
            mark(x, foot + out);
        }
        for at in 0..=down {
            let y = top + float(at) * step;
            mark(left - out, y);
            mark(right + out, y);
        }
    }
}

fn dot(picture: &mut Rgb, x: f32, y: f32) {
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or_default();
    let (width, height) = (side(picture.width), side(picture.height));
    if x < -0.5 || y < -0.5 || count(x) >= width || count(y) >= height {
        return;
    }
    let start = count(y)
        .saturating_mul(width)
        .saturating_add(count(x))
        .saturating_mul(3);
    if let Some(pixel) = picture.pixels.get_mut(start..start.saturating_add(3)) {
        pixel
            .iter_mut()
            .zip(MARK)
            .for_each(|(cell, value)| *cell = value);
    }
}
