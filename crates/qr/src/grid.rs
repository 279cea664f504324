//! Fits the modules of a code over a grey picture and reads each from all of its area.
//!
//! A reader that takes one pixel of black or white for a module is lost where noise, a halftone screen or too few
//! pixels disturb that one. Here three corner marks give a first guess, which is moved until the patterns that every
//! code of that size has (corner marks, timing, alignment) stand out best; then each module is the mean of its area,
//! judged against its neighbourhood.
#![expect(
    clippy::as_conversions,
    reason = "places in a picture are fractions: from and to pixels, all far below 2^24"
)]

use rxing::common::BitMatrix;

use crate::bits::{Threshold, bits_of};
use crate::luma::Luma;
use crate::restore::{levelled_columns, levelled_rows, opened, range};

/// Modules of the smallest code (version 1).
const LEAST_SIDE: usize = 21;

/// Modules of the largest code that is fitted (version 20): more do not fit into what an office prints on a page.
const MOST_SIDE: usize = 97;

/// Sizes that are tried beside the one that the corner marks suggest.
const SIZES: [isize; 5] = [0, -4, 4, -8, 8];

/// Of these, so many are settled: those whose patterns stand out best at first sight.
const SETTLED_SIZES: usize = 2;

/// How far corners are moved, in modules, one after the other.
const STEPS: [f32; 5] = [0.8, 0.4, 0.2, 0.1, 0.05];

/// The same for a place that is settled nearly: opening takes away what is a twelfth of a module beside its own.
const LAST_STEPS: [f32; 3] = [0.3, 0.15, 0.07];

/// Where a module is looked at, from its middle: the middle alone is quick, but the same for half a module around.
const MIDDLE: [(f32, f32); 1] = [(0.0, 0.0)];
const NEAR_CORNERS: [(f32, f32); 4] = [(-0.3, -0.3), (0.3, -0.3), (-0.3, 0.3), (0.3, 0.3)];

/// A fit is worth decoding when its patterns stand out by this many tones at least.
const LEAST_CONTRAST: f32 = 12.0;

/// It is worth restoring when they stand out by this share of all contrast in it: marks in writing that were taken for
/// a code's gave a tenth at most.
const LEAST_SHARE: f32 = 0.2;

/// Pixels of a module in the picture of a code alone.
const PER_MODULE: usize = 6;

/// How codes are restored, those first that read most: scratches up to five sixths of a module, folds along rows and
/// columns, scratches up to a module, which take thin light modules with them.
const RESTORATIONS: [fn(&Luma) -> Luma; 4] = [
    |code| opened(code, PER_MODULE - 1),
    levelled_rows,
    levelled_columns,
    |code| opened(code, PER_MODULE),
];

/// Where a code lies: its corners in pixels (upper left, upper right, lower right, lower left as the code is written).
pub(crate) type Corners = [(f32, f32); 4];

/// Modules as dark or light, and where they were found.
pub(crate) struct Fitted {
    pub(crate) modules: Vec<BitMatrix>,
    pub(crate) corners: Corners,
    place: Place,
    patterns: Patterns,
    /// Whether its patterns stand out enough to be [`Self::restored`].
    pub(crate) stands_out: bool,
}

impl Fitted {
    /// The modules without what scratches and folds did to them.
    pub(crate) fn restored(&self, luma: &Luma) -> impl Iterator<Item = BitMatrix> + use<> {
        let mut place = self.place;
        place.settle(luma, &self.patterns, &NEAR_CORNERS, &LAST_STEPS);
        let code = place.alone(luma).into_iter();
        let all = code.flat_map(|code| RESTORATIONS.map(|restore| middles(&restore(&code))));
        let ways =
            |tones: Luma| [Threshold::Around(4), Threshold::Whole].map(|way| bits_of(&tones, way));
        all.flatten().flat_map(ways).flatten()
    }
}

/// Fits a code over three marks (upper left, upper right, lower left; centres in pixels) of this width.
pub(crate) fn fit(luma: &Luma, marks: [(f32, f32); 3], mark_size: f32) -> Option<Fitted> {
    let [tl, tr, bl] = marks;
    let module = (mark_size / 7.0).max(1.0);
    let across = (tr.0 - tl.0).hypot(tr.1 - tl.1);
    let down = (bl.0 - tl.0).hypot(bl.1 - tl.1);
    let guess = (across + down) / 2.0 / module + 7.0;
    let guessed = (((guess - 17.0) / 4.0).round() * 4.0 + 17.0).clamp(1.0, 400.0) as isize;
    let mut sizes: Vec<_> = SIZES
        .iter()
        .filter_map(|more| {
            let side = usize::try_from(guessed.checked_add(*more)?).ok()?;
            if !(LEAST_SIDE..=MOST_SIDE).contains(&side) {
                return None;
            }
            let patterns = Patterns::of(side);
            let place = Place::over(marks, side);
            let contrast = place.contrast(luma, &patterns, &MIDDLE);
            Some((contrast, side, place, patterns))
        })
        .collect();
    sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let fits = sizes
        .into_iter()
        .take(SETTLED_SIZES)
        .map(|(_, side, mut place, patterns)| {
            let contrast = place.settle(luma, &patterns, &MIDDLE, &STEPS);
            (contrast, side, place, patterns)
        });
    let (contrast, side, place, patterns) = fits.max_by(|a, b| a.0.total_cmp(&b.0))?;
    if contrast < LEAST_CONTRAST {
        return None;
    }
    let tones = place.tones(luma, side)?;
    let (dark, light) = range(tones.pixels(), 20);
    Some(Fitted {
        modules: judged(&tones),
        corners: place.corners,
        place,
        patterns,
        stands_out: contrast >= LEAST_SHARE * f32::from(light.saturating_sub(dark)),
    })
}

/// The modules of one size whose colour is known, as their middles, and what each must be.
struct Patterns {
    side: f32,
    dark: Vec<(f32, f32)>,
    light: Vec<(f32, f32)>,
}

impl Patterns {
    /// # Source
    /// ISO/IEC 18004, 6.3 (finder, timing and alignment patterns).
    fn of(side: usize) -> Self {
        let mut patterns = Self {
            side: side as f32,
            dark: Vec::new(),
            light: Vec::new(),
        };
        let last = side.saturating_sub(7);
        for (left, top) in [(0, 0), (last, 0), (0, last)] {
            patterns.ring(left, top, 7, 3);
        }
        for at in 8..side.saturating_sub(8) {
            patterns.put(at, 6, at % 2 == 0);
            patterns.put(6, at, at % 2 == 0);
        }
        if side > LEAST_SIDE {
            let corner = side.saturating_sub(9);
            patterns.ring(corner, corner, 5, 1);
        }
        patterns
    }

    /// A dark square ring around a light one around a dark core.
    fn ring(&mut self, left: usize, top: usize, side: usize, core: usize) {
        let from = side.saturating_sub(core) / 2;
        let inner = from..from.saturating_add(core);
        let last = side.saturating_sub(1);
        for y in 0..side {
            for x in 0..side {
                let edge = x == 0 || y == 0 || x == last || y == last;
                let dark = edge || (inner.contains(&x) && inner.contains(&y));
                self.put(left.saturating_add(x), top.saturating_add(y), dark);
            }
        }
    }

    fn put(&mut self, x: usize, y: usize, dark: bool) {
        let place = (x as f32 + 0.5, y as f32 + 0.5);
        if dark {
            self.dark.push(place);
        } else {
            self.light.push(place);
        }
    }
}

/// Four corners, between which modules lie as on a plane seen from anywhere.
#[derive(Debug, Clone, Copy)]
struct Place {
    corners: Corners,
    side: f32,
}

impl Place {
    /// The first guess: a parallelogram.
    fn over(marks: [(f32, f32); 3], side: usize) -> Self {
        let [tl, tr, bl] = marks;
        let span = side as f32 - 7.0;
        let at = |u: f32, v: f32| {
            let (u, v) = ((u - 3.5) / span, (v - 3.5) / span);
            (
                tl.0 + (tr.0 - tl.0) * u + (bl.0 - tl.0) * v,
                tl.1 + (tr.1 - tl.1) * u + (bl.1 - tl.1) * v,
            )
        };
        let side = side as f32;
        Self {
            corners: [at(0.0, 0.0), at(side, 0.0), at(side, side), at(0.0, side)],
            side,
        }
    }

    /// The projection from modules to pixels.
    ///
    /// # Source
    /// Heckbert: Fundamentals of Texture Mapping and Image Warping (1989), 2.2.3.
    fn projection(&self) -> Projection {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = self.corners;
        let (dx1, dx2, sx) = (x1 - x2, x3 - x2, x0 - x1 + x2 - x3);
        let (dy1, dy2, sy) = (y1 - y2, y3 - y2, y0 - y1 + y2 - y3);
        let whole = dx1 * dy2 - dx2 * dy1;
        let whole = if whole.abs() < 1e-6 { 1e-6 } else { whole };
        let g = (sx * dy2 - dx2 * sy) / whole;
        let h = (dx1 * sy - sx * dy1) / whole;
        let scale = 1.0 / self.side;
        Projection {
            x: [(x1 - x0 + g * x1) * scale, (x3 - x0 + h * x3) * scale, x0],
            y: [(y1 - y0 + g * y1) * scale, (y3 - y0 + h * y3) * scale, y0],
            w: [g * scale, h * scale],
        }
    }

    /// How much lighter what must be light is than what must be dark, in tones, at these places of each module.
    fn contrast(&self, luma: &Luma, patterns: &Patterns, spread: &[(f32, f32)]) -> f32 {
        let projection = self.projection();
        let mean = |places: &[(f32, f32)]| {
            let sum: f32 = places
                .iter()
                .flat_map(|at| spread.iter().map(move |by| (at.0 + by.0, at.1 + by.1)))
                .map(|at| projection.tone(luma, at.0, at.1))
                .sum();
            sum / places.len().saturating_mul(spread.len()).max(1) as f32
        };
        mean(&patterns.light) - mean(&patterns.dark)
    }

    /// Moves the corners by these steps until nothing makes the patterns stand out better; gives their contrast.
    fn settle(
        &mut self,
        luma: &Luma,
        patterns: &Patterns,
        spread: &[(f32, f32)],
        steps: &[f32],
    ) -> f32 {
        let (x0, y0) = self.corners[0];
        let (x1, y1) = self.corners[1];
        let module = ((x1 - x0).hypot(y1 - y0) / patterns.side).max(0.5);
        let mut best = self.contrast(luma, patterns, spread);
        for step in steps {
            let step = step * module;
            for _turn in 0..2 {
                let before = best;
                for corner in [2, 1, 3, 0] {
                    for (dx, dy) in [(step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)] {
                        let mut moved = *self;
                        if let Some(place) = moved.corners.get_mut(corner) {
                            place.0 += dx;
                            place.1 += dy;
                        }
                        let contrast = moved.contrast(luma, patterns, spread);
                        if contrast > best {
                            best = contrast;
                            *self = moved;
                        }
                    }
                }
                if best <= before {
                    break;
                }
            }
        }
        best
    }

    /// The code alone and upright, each module a square of [`PER_MODULE`] pixels.
    fn alone(&self, luma: &Luma) -> Option<Luma> {
        let projection = self.projection();
        let side = (self.side as usize).checked_mul(PER_MODULE)?;
        let at = |pixel: usize| (pixel as f32 + 0.5) / PER_MODULE as f32;
        let mut tones = Vec::with_capacity(side.checked_mul(side)?);
        for y in 0..side {
            let v = at(y);
            tones.extend((0..side).map(|x| projection.tone(luma, at(x), v) as u8));
        }
        Luma::new(side, side, tones)
    }

    /// The modules, each the mean of its area.
    fn tones(&self, luma: &Luma, side: usize) -> Option<Luma> {
        let projection = self.projection();
        let mut tones = Vec::with_capacity(side.checked_mul(side)?);
        for y in 0..side {
            for x in 0..side {
                let mut sum = 0.0;
                for dy in [0.25, 0.5, 0.75] {
                    for dx in [0.25, 0.5, 0.75] {
                        let weight = if dx == 0.5 && dy == 0.5 { 2.0 } else { 1.0 };
                        sum += weight * projection.tone(luma, x as f32 + dx, y as f32 + dy);
                    }
                }
                tones.push((sum / 10.0).clamp(0.0, 255.0) as u8);
            }
        }
        Luma::new(side, side, tones)
    }
}

/// Modules as dark or light, judged in three ways: against their near and far neighbourhood, and all by one bound.
fn judged(tones: &Luma) -> Vec<BitMatrix> {
    let ways = [Threshold::Around(4), Threshold::Whole, Threshold::Around(8)];
    ways.iter().filter_map(|way| bits_of(tones, *way)).collect()
}

/// The modules of a code alone, each the mean of its middle.
fn middles(code: &Luma) -> Option<Luma> {
    let side = code.width() / PER_MODULE;
    let rows: Vec<&[u8]> = code.rows().collect();
    let mut tones = Vec::with_capacity(side.checked_mul(side)?);
    for rows in rows.chunks_exact(PER_MODULE) {
        for x in 0..side {
            let from = x.saturating_mul(PER_MODULE).saturating_add(1);
            let to = from.saturating_add(PER_MODULE).saturating_sub(2);
            let inner = rows.iter().take(PER_MODULE - 1).skip(1);
            let inner = inner.flat_map(|row| row.get(from..to).unwrap_or_default());
            let sum: u32 = inner.clone().map(|tone| u32::from(*tone)).sum();
            let mean = sum.checked_div(u32::try_from(inner.count()).unwrap_or_default());
            tones.push(u8::try_from(mean.unwrap_or_default()).unwrap_or(u8::MAX));
        }
    }
    Luma::new(side, side, tones)
}

struct Projection {
    x: [f32; 3],
    y: [f32; 3],
    w: [f32; 2],
}

impl Projection {
    /// The tone at a place that is given in modules.
    fn tone(&self, luma: &Luma, u: f32, v: f32) -> f32 {
        let [xu, xv, x0] = self.x;
        let [yu, yv, y0] = self.y;
        let [wu, wv] = self.w;
        let w = wu * u + wv * v + 1.0;
        luma.tone_at((xu * u + xv * v + x0) / w, (yu * u + yv * v + y0) / w)
    }
}
