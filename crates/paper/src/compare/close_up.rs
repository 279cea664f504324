//! One region from near, on the sheet and as it was printed: the same millimetres dot by dot, so that the two are laid
//! beside each other.

use super::{Comparison, DOTS_PER_MM, Region};
use crate::fingerprint::Fingerprint;
use crate::num::{count, float, floor, from_place, length};
use crate::raster::{Gray, Rgb};

/// Around a difference, so that the mark does not cover it.
const GAP_MM: f32 = 0.8;

/// Of a mark's line.
const LINE_MM: f32 = 0.35;

/// Seen by most who do not tell red from green, too.
pub(super) const MARK: [u8; 3] = [214, 0, 60];

/// Twice what a scan of 100 dpi has, and what one of 200 has.
const CLOSE_UP_DOTS_PER_MM: f32 = 8.0;

/// What stands around a region tells where it is.
const AROUND_MM: f32 = 5.0;

/// Of a close-up: room for some words, and no more than fits a screen beside another.
const WIDTH_MM: (f32, f32) = (36.0, 90.0);
const HEIGHT_MM: (f32, f32) = (12.0, 45.0);

/// The region on the sheet, straightened; `None` where the page was not found in the scan.
#[must_use]
pub fn close_up(scan: &Gray, comparison: &Comparison, region: &Region) -> Option<Rgb> {
    let place = comparison.place.as_ref()?;
    Some(View::of(region).drawn(|x_mm, y_mm| {
        let (x, y) = place.warp.apply(x_mm * DOTS_PER_MM, y_mm * DOTS_PER_MM);
        let (x, y) = (
            (x + 0.5) * place.factor - 0.5,
            (y + 0.5) * place.factor - 0.5,
        );
        between(scan, x, y)
    }))
}

/// The same region as the record has it.
#[must_use]
pub fn close_up_printed(fingerprint: &Fingerprint, region: &Region) -> Rgb {
    let ink = fingerprint.plane();
    View::of(region).drawn(|x_mm, y_mm| {
        let ink = ink.sample(x_mm * DOTS_PER_MM, y_mm * DOTS_PER_MM);
        (1.0 - ink) * 255.0
    })
}

/// What a close-up shows.
struct View<'a> {
    region: &'a Region,
    left_mm: f32,
    top_mm: f32,
    width: usize,
    height: usize,
}

impl<'a> View<'a> {
    fn of(region: &'a Region) -> Self {
        let (least, most) = WIDTH_MM;
        let width_mm = (region.width_mm + 2.0 * AROUND_MM).clamp(least, most);
        let (least, most) = HEIGHT_MM;
        let height_mm = (region.height_mm + 2.0 * AROUND_MM).clamp(least, most);
        Self {
            region,
            left_mm: region.x_mm + (region.width_mm - width_mm) / 2.0,
            top_mm: region.y_mm + (region.height_mm - height_mm) / 2.0,
            width: count(width_mm * CLOSE_UP_DOTS_PER_MM),
            height: count(height_mm * CLOSE_UP_DOTS_PER_MM),
        }
    }

    /// Draws shades from 0 to 255 by their place on the page, and the frame.
    fn drawn(&self, shade: impl Fn(f32, f32) -> f32) -> Rgb {
        let mut pixels = Vec::with_capacity(self.width.saturating_mul(self.height) * 3);
        for y in 0..self.height {
            let y_mm = self.top_mm + float(y) / CLOSE_UP_DOTS_PER_MM;
            for x in 0..self.width {
                let x_mm = self.left_mm + float(x) / CLOSE_UP_DOTS_PER_MM;
                let shade = count(shade(x_mm, y_mm)).min(255);
                pixels.extend([u8::try_from(shade).unwrap_or(u8::MAX); 3]);
            }
        }
        let mut picture = Rgb {
            width: u32::try_from(self.width).unwrap_or_default(),
            height: u32::try_from(self.height).unwrap_or_default(),
            pixels,
        };
        self.frame(&mut picture);
        picture
    }

    fn frame(&self, picture: &mut Rgb) {
        let x = |x_mm: f32| (x_mm - self.left_mm) * CLOSE_UP_DOTS_PER_MM;
        let y = |y_mm: f32| (y_mm - self.top_mm) * CLOSE_UP_DOTS_PER_MM;
        let region = self.region;
        let (left, top) = (x(region.x_mm - GAP_MM), y(region.y_mm - GAP_MM));
        let (right, foot) = (
            x(region.x_mm + region.width_mm + GAP_MM),
            y(region.y_mm + region.height_mm + GAP_MM),
        );
        for inner in 0..count(LINE_MM * CLOSE_UP_DOTS_PER_MM) {
            let out = float(inner);
            for at in 0..=count(right - left) {
                dot(picture, left + float(at), top - out);
                dot(picture, left + float(at), foot + out);
            }
            for at in 0..=count(foot - top) {
                dot(picture, left - out, top + float(at));
                dot(picture, right + out, top + float(at));
            }
        }
    }
}

/// The shade between four pixels; white outside.
pub(super) fn between(scan: &Gray, x: f32, y: f32) -> f32 {
    let (left, top) = (floor(x), floor(y));
    let (right_share, low_share) = (x - length(left), y - length(top));
    let (width, height) = (side(scan.width), side(scan.height));
    let at = |x: isize, y: isize| {
        let is_inside = x >= 0 && y >= 0 && from_place(x) < width && from_place(y) < height;
        let index = from_place(y)
            .saturating_mul(width)
            .saturating_add(from_place(x));
        let shade = scan.pixels.get(index).filter(|_shade| is_inside);
        f32::from(shade.copied().unwrap_or(u8::MAX))
    };
    let row =
        |y: isize| at(left, y) * (1.0 - right_share) + at(left.saturating_add(1), y) * right_share;
    row(top) * (1.0 - low_share) + row(top.saturating_add(1)) * low_share
}

fn dot(picture: &mut Rgb, x: f32, y: f32) {
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

fn side(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or_default()
}
