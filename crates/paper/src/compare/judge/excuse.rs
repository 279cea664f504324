//! What lies on paper without being a change of it: a speck of dust, a crease, a scratch.
//!
//! A window that is far from what was printed is looked at again with a speck in it, then with a line through it. What
//! such a speck or line leaves unexplained tells whether strokes of print were changed.

use super::super::DOTS_PER_MM;
use super::super::solve::explained;
use super::misfit::{EXCUSES, Scene, USUAL};
use crate::num::{count, float, length, place};

/// Standard deviations of a speck's shade around its middle: dust of up to half a millimetre, as the scan blurs it.
const SPECKS_MM: [f32; 3] = [0.08, 0.12, 0.16];

/// A window's half width and half height.
const HALF_MM: (f32, f32) = (0.9, 1.2);

/// How far the middle of a speck is looked for around the largest difference, in dots, and by which steps.
const SEARCH: f32 = 1.5;
const SEARCH_STEP: f32 = 0.75;

/// The excuses with one more: how much of the speck or line is there.
const TERMS: usize = EXCUSES + 1;

/// How much of a speck or line is there: all of it, or less where the scan blurs it.
const USUAL_SHARE: f32 = 1.0;

/// What a speck or line looks like, in ink: nothing (it hides print), or grey. It is opaque: ink below it is not seen.
const SHADES: [f32; 4] = [0.0, 0.4, 0.65, 0.9];

/// A line is followed so far to both sides of a window.
const LINE_MM: f32 = 6.0;

/// Half of a line's width: a crease of paper, as the scan blurs it.
const LINE_SIGMA_MM: f32 = 0.2;

/// No crease or streak darkens paper further; a line drawn with a pen does.
const MAX_LINE: f32 = 0.4;

/// A line outside the window must stand out so much, in standard deviations of the mean of its dots.
const LINE_STANDS_OUT: f32 = 5.0;

/// Where more ink is expected a line is not seen: it is followed along the edges of a table's rules, too.
const HALF_INK: f32 = 0.5;

/// Angles at which lines are looked for: 3 degrees from one to the next.
const ANGLES: u8 = 60;

/// One window, looked at dot by dot.
struct Window<'a> {
    scene: &'a Scene,
    x: isize,
    y: isize,
    half: (isize, isize),
}

/// The least that a speck or a line leaves unexplained around a place, a dot, on the scale of [`Scene::map`].
pub(super) fn excused(scene: &Scene, (x, y): (usize, usize)) -> Vec<f32> {
    let half = |mm: f32| place(count(mm * DOTS_PER_MM));
    let window = Window {
        scene,
        x: place(x),
        y: place(y),
        half: (half(HALF_MM.0), half(HALF_MM.1)),
    };
    let mut found = vec![window.with_speck()];
    found.extend(window.with_line());
    found
}

impl Window<'_> {
    fn dots(&self) -> impl Iterator<Item = (isize, isize)> {
        let (across, down) = self.half;
        let (x, y) = (self.x, self.y);
        (-down..=down).flat_map(move |dy| {
            (-across..=across).map(move |dx| (x.saturating_add(dx), y.saturating_add(dy)))
        })
    }

    /// As the windows of the map fade out towards their edges.
    fn share(&self, x: isize, y: isize) -> f32 {
        let far = |at: isize, middle: isize, half: isize| {
            length(at.saturating_sub(middle)) / length(half)
        };
        let (across, down) = (far(x, self.x, self.half.0), far(y, self.y, self.half.1));
        (-2.0 * (across * across + down * down)).exp()
    }

    /// What is left over beside the excuses and something of that shape on the paper.
    fn rest(&self, shade: f32, shape: impl Fn(f32, f32) -> f32) -> f32 {
        let mut left = [[0.0; TERMS]; TERMS];
        let mut right = [0.0; TERMS];
        let (mut all, mut area) = (0.0, 0.0);
        for (x, y) in self.dots() {
            let share = self.share(x, y);
            area += share;
            let weight = self.scene.trust.at(x, y) * share;
            let over = self.scene.left_over.at(x, y);
            let lying = shape(length(x), length(y)) * (shade - self.scene.due.at(x, y));
            let [across, down, ink, paper, blurring] = self.scene.excuses(x, y);
            let terms = [across, down, ink, paper, blurring, lying];
            for ((row, cell), one) in left.iter_mut().zip(&mut right).zip(terms) {
                let weighted = one * weight;
                row.iter_mut()
                    .zip(terms)
                    .for_each(|(sum, other)| *sum += weighted * other);
                *cell += weighted * over;
            }
            all += over * over * weight;
        }
        let usual = USUAL.into_iter().chain([USUAL_SHARE]);
        for (at, (row, usual)) in left.iter_mut().zip(usual).enumerate() {
            if let Some(cell) = row.get_mut(at) {
                *cell += 1.0 / (usual * usual);
            }
        }
        (all - explained(left, right)).max(0.0) / area.max(1.0)
    }

    /// With the speck that explains most.
    fn with_speck(&self) -> f32 {
        let heaviest = self.dots().max_by(|one, two| {
            let weight = |(x, y): (isize, isize)| {
                let over = self.scene.left_over.at(x, y);
                over * over * self.scene.trust.at(x, y) * self.share(x, y)
            };
            weight(*one).total_cmp(&weight(*two))
        });
        let Some((x, y)) = heaviest else {
            return f32::MAX;
        };
        // A dark speck adds ink where most differs, a light one takes it away.
        let (light, dark) = SHADES.split_at(1);
        let shades = if self.scene.left_over.at(x, y) > 0.0 {
            dark
        } else {
            light
        };
        let steps = count(SEARCH / SEARCH_STEP);
        let around =
            |middle: isize, at: usize| length(middle) + (float(at) - float(steps)) * SEARCH_STEP;
        let mut least = f32::MAX;
        for size_mm in SPECKS_MM {
            let bend = 0.5 / (size_mm * DOTS_PER_MM).powi(2);
            for row in 0..=steps.saturating_mul(2) {
                for column in 0..=steps.saturating_mul(2) {
                    let (middle_x, middle_y) = (around(x, column), around(y, row));
                    for shade in shades {
                        let rest = self.rest(*shade, |x, y| {
                            let (dx, dy) = (x - middle_x, y - middle_y);
                            (-(dx * dx + dy * dy) * bend).exp()
                        });
                        least = least.min(rest);
                    }
                }
            }
        }
        least
    }

    /// With the line through the window that goes on outside it; nothing where none does.
    fn with_line(&self) -> Option<f32> {
        let mut best: Option<(f32, f32, f32)> = None;
        for angle in 0..ANGLES {
            let (sine, cosine) = (f32::from(angle) * 3.0).to_radians().sin_cos();
            for offset in -10..=10_i8 {
                let off = f32::from(offset) * 0.7;
                let stands_out = self.stands_out((sine, cosine), off);
                if stands_out > best.map_or(LINE_STANDS_OUT, |(most, _, _)| most) {
                    best = Some((stands_out, f32::from(angle) * 3.0, off));
                }
            }
        }
        let (_, angle, off) = best?;
        let (sine, cosine) = angle.to_radians().sin_cos();
        let (middle_x, middle_y) = (length(self.x), length(self.y));
        let bend = 0.5 / (LINE_SIGMA_MM * DOTS_PER_MM).powi(2);
        // A crease only darkens paper: on ink there is nothing of it.
        Some(self.rest(1.0, |x, y| {
            let far = (y - middle_y) * cosine - (x - middle_x) * sine - off;
            (-far * far * bend).exp()
        }))
    }

    /// How far the bare dots on a line outside the window differ from paper, in deviations of their mean; on both sides.
    fn stands_out(&self, (sine, cosine): (f32, f32), off: f32) -> f32 {
        let from = count(length(self.half.0.max(self.half.1)));
        let to = from.saturating_add(count(LINE_MM * DOTS_PER_MM));
        let side = |sign: f32| {
            let (mut sum, mut variance, mut dots) = (0.0_f32, 0.0, 0.0_f32);
            for step in from..to {
                let along = float(step) * sign;
                let x = length(self.x) + along * cosine - off * sine;
                let y = length(self.y) + along * sine + off * cosine;
                let (x, y) = (place(count(x)), place(count(y)));
                if self.scene.due.at(x, y) < HALF_INK {
                    sum += self.scene.left_over.at(x, y);
                    variance += 1.0 / self.scene.trust.at(x, y).max(1.0);
                    dots += 1.0;
                }
            }
            let mean = sum / dots.max(1.0);
            // Neighbours are smoothed together: of two dots one counts.
            if dots < 10.0 || mean.abs() > MAX_LINE {
                0.0
            } else {
                sum / (2.0 * variance).sqrt().max(1e-6)
            }
        };
        let (one, other) = (side(1.0), side(-1.0));
        if one * other <= 0.0 {
            0.0
        } else {
            one.abs().min(other.abs())
        }
    }
}
