//! The scan with its differences marked.

use super::warp::Warp;
use super::{Comparison, DOTS_PER_MM, Region};
use crate::num::{count, float};
use crate::raster::{Gray, Rgb};

/// Around a difference, so that the mark does not cover it.
pub(super) const GAP_MM: f32 = 0.8;

/// Of a mark's line.
pub(super) const LINE_MM: f32 = 0.35;

/// Seen by most who do not tell red from green, too.
pub(super) const MARK: [u8; 3] = [214, 0, 60];

/// Shades of an overview: a scan's noise would fill its file otherwise, and whoever looks at it does not see it.
const OVERVIEW_SHADES: u8 = 16;

/// The scan in colours with a frame around each region.
#[must_use]
pub fn draw(scan: &Gray, comparison: &Comparison) -> Rgb {
    framed(scan, comparison, 1)
}

/// The same for a screen: its longer side has at most `most` pixels.
#[must_use]
pub fn overview(scan: &Gray, comparison: &Comparison, most: u32) -> Rgb {
    let long = scan.width.max(scan.height);
    let shrink = long.div_ceil(most.max(1)).max(1);
    framed(&shrunk(scan, shrink), comparison, shrink)
}

fn framed(scan: &Gray, comparison: &Comparison, shrink: u32) -> Rgb {
    let pixels = scan.pixels.iter().flat_map(|shade| [*shade; 3]).collect();
    let mut picture = Rgb {
        width: scan.width,
        height: scan.height,
        pixels,
    };
    if let Some(place) = &comparison.place {
        let factor = place.factor / float(side(shrink));
        for region in &comparison.regions {
            frame(&mut picture, region, (&place.warp, factor));
        }
    }
    picture
}

/// Every `shrink` by `shrink` pixels as their mean, in a few shades.
fn shrunk(scan: &Gray, shrink: u32) -> Gray {
    let (width, height) = (scan.width / shrink, scan.height / shrink);
    let (from, to, group) = (side(scan.width), side(width), side(shrink));
    let mut pixels = Vec::with_capacity(to.saturating_mul(side(height)));
    let mut sums = vec![0_u32; to];
    let per_shade = shrink.saturating_mul(shrink).max(1);
    let rows = scan.pixels.chunks_exact(from.max(1));
    for (row, no) in rows.take(group.saturating_mul(side(height))).zip(1_usize..) {
        for (sum, cells) in sums.iter_mut().zip(row.chunks_exact(group)) {
            *sum = cells
                .iter()
                .fold(*sum, |sum, cell| sum.saturating_add(u32::from(*cell)));
        }
        if no.is_multiple_of(group) {
            pixels.extend(sums.iter().map(|sum| few(*sum / per_shade)));
            sums.fill(0);
        }
    }
    Gray {
        width,
        height,
        pixels,
        dpi: None,
    }
}

/// The nearest of a few shades, white and black among them.
fn few(shade: u32) -> u8 {
    let last = u32::from(OVERVIEW_SHADES - 1);
    let step = (shade.saturating_mul(last).saturating_add(127) / 255).min(last);
    u8::try_from(step.saturating_mul(255) / last).unwrap_or(u8::MAX)
}

fn side(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or_default()
}

fn frame(picture: &mut Rgb, region: &Region, (warp, factor): (&Warp, f32)) {
    let (left, top) = (region.x_mm - GAP_MM, region.y_mm - GAP_MM);
    let (right, foot) = (
        region.x_mm + region.width_mm + GAP_MM,
        region.y_mm + region.height_mm + GAP_MM,
    );
    // Half a dot from mark to mark, so that the line has no holes however the scan is turned.
    let step = 0.5 / DOTS_PER_MM / factor;
    let across = count((right - left) / step);
    let down = count((foot - top) / step);
    let thick = count(LINE_MM / step);
    let mut mark = |x_mm: f32, y_mm: f32| {
        let (x, y) = warp.apply(x_mm * DOTS_PER_MM, y_mm * DOTS_PER_MM);
        dot(picture, (x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5);
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

pub(super) fn dot(picture: &mut Rgb, x: f32, y: f32) {
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
