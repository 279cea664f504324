//! The whole sheet as it lies on the page, with marks, so that an eye finds both at one place.

use super::close_up::{MARK, between};
use super::{Comparison, DOTS_PER_MM, Region};
use crate::fingerprint::Fingerprint;
use crate::num::{count, float};
use crate::raster::{Gray, Rgb};

/// Around a difference, so that the mark does not cover it.
const GAP_MM: f32 = 1.2;

/// Of a mark's line: to be seen on a page that is shrunk to half a screen.
const LINE_MM: f32 = 0.7;

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
        let (x, y) = (
            (x + 0.5) * place.factor - 0.5,
            (y + 0.5) * place.factor - 0.5,
        );
        *pixel = u8::try_from(count(between(scan, x, y))).unwrap_or(u8::MAX);
    }
    Some(picture)
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
        let border = |mm: f32| bounds(region, mm);
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

/// Left, top, right, foot of a region with a border, in dots of the page.
fn bounds(region: &Region, border_mm: f32) -> (usize, usize, usize, usize) {
    let dots = |mm: f32| count(mm * DOTS_PER_MM);
    (
        dots(region.x_mm - border_mm),
        dots(region.y_mm - border_mm),
        dots(region.x_mm + region.width_mm + border_mm),
        dots(region.y_mm + region.height_mm + border_mm),
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
