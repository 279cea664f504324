//! Where the page lies in the scan, to about two millimetres: turned by which quarter, how askew, how large, where.

use super::ink::INK;
use super::warp::Affine;
use crate::num::{count, float, length, place};
use crate::plane::{Plane, dot};

/// Dots per millimetre of what is looked at here: lines are still lines, and a page has 240,000 dots.
pub(super) const DOTS_PER_MM: f32 = 50.0 / 25.4;

/// A sheet laid by hand on a scanner or under a camera is not further askew.
const MAX_SKEW_DEG: f32 = 15.0;

/// More inked dots say nothing more about how the lines run.
const MAX_POINTS: usize = 12_000;

/// Below this likeness of blurred pages the scan does not show the page at all.
const MIN_LIKENESS: f32 = 0.15;

/// An inked dot, counted from the middle of its picture.
type Point = (f32, f32);

/// Finds the page in the scan; both have [`DOTS_PER_MM`], the scan only about.
///
/// Gives the places in the scan of the places of the page, and how alike the two are (1: the same).
pub(super) fn locate(page: &Plane, scan: &Plane) -> Option<(Affine, f32)> {
    let points = points(scan);
    if points.len() < 50 {
        return None;
    }
    let skew = skew(&points);
    let own = profiles(&self::points(page), page);
    let smooth_page = page.blurred(1.5);
    let smooth_scan = scan.blurred(1.5);
    let mut best: Option<(Affine, f32)> = None;
    for quarter in 0..4_u8 {
        let turned: Vec<Point> = points
            .iter()
            .map(|it| turn(*it, -skew - 90.0 * f32::from(quarter)))
            .collect();
        let Some((scale_x, shift_x)) = fit(&own.0, &turned, |point| point.0) else {
            continue;
        };
        let Some((scale_y, shift_y)) = fit(&own.1, &turned, |point| point.1) else {
            continue;
        };
        let back = skew + 90.0 * f32::from(quarter);
        let affine = Affine::new(page, scan, back, (scale_x, scale_y), (shift_x, shift_y));
        let (affine, likeness) = nudged(&smooth_page, &smooth_scan, &affine);
        if best.as_ref().is_none_or(|(_, so_far)| likeness > *so_far) {
            best = Some((affine, likeness));
        }
    }
    best.filter(|(_, likeness)| *likeness >= MIN_LIKENESS)
}

/// Inked dots from the middle, every so many of them.
fn points(picture: &Plane) -> Vec<Point> {
    let (middle_x, middle_y) = (float(picture.width) / 2.0, float(picture.height) / 2.0);
    let mut found = Vec::new();
    for y in 0..picture.height {
        for (x, value) in picture.row(y).iter().enumerate() {
            if *value > INK * 0.6 {
                found.push((float(x) + 0.5 - middle_x, float(y) + 0.5 - middle_y));
            }
        }
    }
    let step = found.len().div_ceil(MAX_POINTS).max(1);
    found.into_iter().step_by(step).collect()
}

pub(super) fn turn(point: Point, degrees: f32) -> Point {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    (
        point.0 * cosine - point.1 * sine,
        point.0 * sine + point.1 * cosine,
    )
}

/// The angle at which rows and columns of dots stand out most: by half degrees, then finer.
fn skew(points: &[Point]) -> f32 {
    let mut best = 0.0;
    for (step, reach) in [(0.5, MAX_SKEW_DEG), (0.1, 0.5), (0.025, 0.1)] {
        let around = best;
        let mut most = f32::MIN;
        let steps = count(reach / step);
        for at in 0..=steps.saturating_mul(2) {
            let angle = around + (float(at) - float(steps)) * step;
            let standing = standing_out(points, angle);
            if standing > most {
                (most, best) = (standing, angle);
            }
        }
    }
    best
}

fn standing_out(points: &[Point], angle: f32) -> f32 {
    let (mut rows, mut columns) = (vec![0.0_f32; BINS], vec![0.0_f32; BINS]);
    for point in points {
        let (x, y) = turn(*point, -angle);
        bump(&mut columns, x);
        bump(&mut rows, y);
    }
    [rows, columns]
        .iter()
        .flat_map(|bins| bins.windows(2))
        .map(|pair| match pair {
            [one, two] => (one - two) * (one - two),
            _other => 0.0,
        })
        .sum()
}

/// Twice the diagonal of A3 at [`DOTS_PER_MM`], so that every turned dot has its bin.
const BINS: usize = 2_100;

fn bump(bins: &mut [f32], at: f32) {
    if let Some(bin) = bins.get_mut(count(at + float(BINS) / 2.0)) {
        *bin += 1.0;
    }
}

/// How many inked dots each column and each row of the page has.
fn profiles(points: &[Point], page: &Plane) -> (Vec<f32>, Vec<f32>) {
    let mut columns = vec![0.0; page.width];
    let mut rows = vec![0.0; page.height];
    for (x, y) in points {
        for (bins, at, side) in [(&mut columns, x, page.width), (&mut rows, y, page.height)] {
            if let Some(bin) = bins.get_mut(count(at + float(side) / 2.0 - 0.5)) {
                *bin += 1.0;
            }
        }
    }
    (smoothed(&columns), smoothed(&rows))
}

/// Over three dots, with the mean taken off.
fn smoothed(bins: &[f32]) -> Vec<f32> {
    let at = |index: Option<usize>| {
        index
            .and_then(|it| bins.get(it))
            .copied()
            .unwrap_or_default()
    };
    let sums: Vec<f32> = (0..bins.len())
        .map(|index| at(index.checked_sub(1)) + 2.0 * at(Some(index)) + at(index.checked_add(1)))
        .collect();
    let mean = sums.iter().sum::<f32>() / float(sums.len().max(1));
    sums.iter().map(|value| value - mean).collect()
}

/// How much larger the scan's profile is than the page's, and how far it is shifted from the middle.
fn fit(own: &[f32], points: &[Point], side: impl Fn(&Point) -> f32) -> Option<(f32, f32)> {
    let mut best: Option<(f32, f32, f32)> = None;
    let reach = place(own.len() / 4);
    for step in 0..=60_u8 {
        let scale = 0.88 + 0.004 * f32::from(step);
        let mut bins = vec![0.0; own.len().saturating_mul(2)];
        for point in points {
            if let Some(bin) = bins.get_mut(count(side(point) / scale + float(own.len()) - 0.5)) {
                *bin += 1.0;
            }
        }
        let bins = smoothed(&bins);
        let first = place(own.len() / 2);
        for shift in -reach..=reach {
            let Ok(start) = usize::try_from(first.saturating_add(shift)) else {
                continue;
            };
            let Some(part) = bins.get(start..start.saturating_add(own.len())) else {
                continue;
            };
            let alike = dot(own, part) / (dot(part, part) + 1e-3).sqrt();
            if best.is_none_or(|(so_far, _, _)| alike > so_far) {
                best = Some((alike, scale, length(shift) * scale));
            }
        }
    }
    best.map(|(_, scale, shift)| (scale, shift))
}

/// Moves the page a little over the scan to where both are most alike: by two dots, then by one; pages that are smoothed
/// over three dots are alike from as far.
fn nudged(page: &Plane, scan: &Plane, affine: &Affine) -> (Affine, f32) {
    let mut best = (affine.clone(), likeness(page, scan, affine));
    for step in [2.0, 1.0] {
        let around = best.0.clone();
        for (across, down) in AROUND {
            let moved = around.moved(across * step, down * step);
            let alike = likeness(page, scan, &moved);
            if alike > best.1 {
                best = (moved, alike);
            }
        }
    }
    best
}

/// To a place's eight neighbours.
const AROUND: [(f32, f32); 8] = [
    (-1.0, -1.0),
    (0.0, -1.0),
    (1.0, -1.0),
    (-1.0, 0.0),
    (1.0, 0.0),
    (-1.0, 1.0),
    (0.0, 1.0),
    (1.0, 1.0),
];

/// Pearson's correlation of every third dot.
fn likeness(page: &Plane, scan: &Plane, affine: &Affine) -> f32 {
    let mut sums = Correlation::default();
    for y in (0..page.height).step_by(3) {
        for (x, value) in page.row(y).iter().enumerate().step_by(3) {
            let (at_x, at_y) = affine.apply(float(x), float(y));
            sums.add(*value, scan.sample(at_x, at_y));
        }
    }
    sums.value()
}

/// Pearson's correlation, gathered pair by pair.
#[derive(Default)]
pub(super) struct Correlation {
    count: f64,
    sums: (f64, f64),
    squares: (f64, f64),
    both: f64,
}

impl Correlation {
    pub(super) fn add(&mut self, one: f32, two: f32) {
        let (one, two) = (f64::from(one), f64::from(two));
        self.count += 1.0;
        self.sums.0 += one;
        self.sums.1 += two;
        self.squares.0 += one * one;
        self.squares.1 += two * two;
        self.both += one * two;
    }

    /// From -1 to 1; 0 where one of the two does not vary.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "a number from -1 to 1 loses digits that nobody compares"
    )]
    pub(super) fn value(&self) -> f32 {
        let spread = |sum: f64, square: f64| (square - sum * sum / self.count.max(1.0)).max(0.0);
        let spreads = spread(self.sums.0, self.squares.0) * spread(self.sums.1, self.squares.1);
        if spreads < 1e-9 {
            return 0.0;
        }
        ((self.both - self.sums.0 * self.sums.1 / self.count.max(1.0)) / spreads.sqrt()) as f32
    }
}
