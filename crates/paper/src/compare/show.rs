//! The sheet as it lies on the page, so that an eye finds both at one place: whole with marks, or a cut of it.

use super::draw::MARK;
use super::{Comparison, DOTS_PER_MM, Region};
use crate::fingerprint::{self, Fingerprint};
use crate::num::{count, float, floor, length};
use crate::raster::{Gray, Rgb};

/// Around a difference, so that the mark does not cover it.
const GAP_MM: f32 = 1.2;

/// Of a mark's line: to be seen on a page that is shrunk to half a screen.
const LINE_MM: f32 = 0.7;

/// Bare paper.
const BARE: u8 = 255;

/// The scan turned, straightened and cut as the page lies, at the page's resolution; `None` where the page was not
/// found in it.
#[must_use]
pub fn laid(scan: &Gray, page: &Fingerprint, comparison: &Comparison) -> Option<Gray> {
    let place = comparison.place.as_ref()?;
    let mut picture = page.picture();
    let width = side(picture.width);
    for (at, pixel) in picture.pixels.iter_mut().enumerate() {
        let (x, y) = (float(at % width.max(1)), float(at / width.max(1)));
        let (x, y) = place.warp.apply(x, y);
        *pixel = sample(
            scan,
            (x + 0.5) * place.factor - 0.5,
            (y + 0.5) * place.factor - 0.5,
        );
    }
    Some(picture)
}

/// Between four pixels, linearly; bare paper outside.
fn sample(scan: &Gray, x: f32, y: f32) -> u8 {
    let (left, top) = (floor(x), floor(y));
    let (right_share, low_share) = (x - length(left), y - length(top));
    let shade = |x: isize, y: isize| {
        let inside = |at: isize, side: u32| u32::try_from(at).is_ok_and(|at| at < side);
        if !inside(x, scan.width) || !inside(y, scan.height) {
            return f32::from(BARE);
        }
        let at = usize::try_from(y)
            .unwrap_or_default()
            .saturating_mul(side(scan.width))
            .saturating_add(usize::try_from(x).unwrap_or_default());
        f32::from(scan.pixels.get(at).copied().unwrap_or(BARE))
    };
    let between = |y: isize| {
        let (here, next) = (shade(left, y), shade(left.saturating_add(1), y));
        here + (next - here) * right_share
    };
    let (high, low) = (between(top), between(top.saturating_add(1)));
    u8::try_from(count(high + (low - high) * low_share)).unwrap_or(BARE)
}

/// The picture of a page in colours with a frame around each region.
#[must_use]
pub fn marked(picture: &Gray, regions: &[Region]) -> Rgb {
    let pixels = picture.pixels.iter().flat_map(|shade| [*shade; 3]);
    let mut marked = Rgb {
        width: picture.width,
        height: picture.height,
        pixels: pixels.collect(),
    };
    for region in regions {
        let border = |mm: f32| bounds(region, (mm, mm));
        let (inner, outer) = (border(GAP_MM), border(GAP_MM + LINE_MM));
        for y in outer.1..outer.3 {
            for x in outer.0..outer.2 {
                let is_inside = (inner.0..inner.2).contains(&x) && (inner.1..inner.3).contains(&y);
                if !is_inside && x < side(marked.width) && y < side(marked.height) {
                    let start = (y * side(marked.width) + x) * 3;
                    if let Some(pixel) = marked.pixels.get_mut(start..start + 3) {
                        pixel.copy_from_slice(&MARK);
                    }
                }
            }
        }
    }
    marked
}

/// What stands in and around a region of a page's picture, cut at its edge; `around_mm` is what is added left and right, and
/// what above and below.
#[must_use]
pub fn cut(picture: &Gray, region: &Region, around_mm: (f32, f32)) -> Gray {
    let (left, top, right, foot) = bounds(region, around_mm);
    let (width, height) = (side(picture.width), side(picture.height));
    let (right, foot) = (right.min(width), foot.min(height));
    let (left, top) = (left.min(right), top.min(foot));
    let rows = picture.pixels.chunks_exact(width.max(1));
    let rows = rows.take(foot).skip(top);
    let pixels = rows.flat_map(|row| row.get(left..right).unwrap_or_default());
    Gray {
        width: u32::try_from(right - left).unwrap_or_default(),
        height: u32::try_from(foot - top).unwrap_or_default(),
        pixels: pixels.copied().collect(),
        dpi: Some(fingerprint::DPI),
    }
}

/// Left, top, right, foot of a region with a border, in dots of the page.
fn bounds(region: &Region, (across_mm, down_mm): (f32, f32)) -> (usize, usize, usize, usize) {
    let dots = |mm: f32| count(mm * DOTS_PER_MM);
    (
        dots(region.x_mm - across_mm),
        dots(region.y_mm - down_mm),
        dots(region.x_mm + region.width_mm + across_mm),
        dots(region.y_mm + region.height_mm + down_mm),
    )
}

fn side(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn region(x_mm: f32, y_mm: f32) -> Region {
        Region {
            x_mm,
            y_mm,
            width_mm: 4.0,
            height_mm: 2.0,
            score: 1.0,
            kind: Kind::Changed,
        }
    }

    fn page() -> Gray {
        Gray {
            width: 200,
            height: 100,
            pixels: (0..200 * 100)
                .map(|at| u8::try_from(at % 100).unwrap())
                .collect(),
            dpi: None,
        }
    }

    #[test]
    fn a_cut_is_what_stands_around_a_region_and_ends_at_the_edge() {
        let cut_out = cut(&page(), &region(10.0, 5.0), (1.0, 1.0));
        assert_eq!((cut_out.width, cut_out.height), (36, 23));
        // 9 mm are 53 dots, 4 mm are 24.
        assert_eq!(cut_out.pixels[..3], page().pixels[24 * 200 + 53..][..3]);
        let at_corner = cut(&page(), &region(-1.0, -1.0), (1.0, 1.0));
        assert_eq!(at_corner.pixels[0], page().pixels[0]);
        for outside in [
            region(500.0, 0.0),
            region(0.0, 500.0),
            region(f32::NAN, 0.0),
        ] {
            let cut_out = cut(&page(), &outside, (1.0, 1.0));
            let size = cut_out.width * cut_out.height;
            assert_eq!(cut_out.pixels.len(), side(size));
        }
    }

    #[test]
    fn a_mark_stands_around_a_region_and_covers_nothing_of_it() {
        let picture = marked(&page(), &[region(10.0, 5.0), region(400.0, 400.0)]);
        let at = |x: usize, y: usize| {
            let start = (y * 200 + x) * 3;
            <[u8; 3]>::try_from(&picture.pixels[start..start + 3]).unwrap()
        };
        assert_eq!(at(50, 35), MARK);
        // Within the region the page is as it was.
        assert_eq!(
            at(70, 35),
            [u8::try_from((35 * 200 + 70) % 100).unwrap(); 3]
        );
        let marks = picture.pixels.chunks_exact(3).filter(|it| *it == MARK);
        assert!(marks.count() > 100);
    }
}
