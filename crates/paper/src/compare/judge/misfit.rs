//! How far each window of the size of a digit is from what was printed, after all that printing and scanning may do to it.
//!
//! ```text
//! left over ─┐
//! expected ──┴─> Scene: smoothed, its slopes, how much each dot is to be trusted ─> map: what nothing explains
//! ```
//!
//! A window is laid beside what it should be shifted, fainter or darker, blurred or sharper, within what is usual for
//! each. What none of these explains is told against the noise of the same scan, so that 1 is what noise alone leaves.

use std::collections::VecDeque;

use super::super::DOTS_PER_MM;
use super::super::solve::{Normal, explained, narrowed};
use crate::num::{count, float, place};
use crate::plane::Plane;

/// Smoothing before anything is compared, in dots: noise of single dots goes, strokes of 1.5 dots stay.
const SMOOTHING: f32 = 0.8;

/// What may explain a window: shifted across or down, darker or fainter, darker paper, blurred or sharper.
pub(super) const EXCUSES: usize = 5;

/// How large each of them usually is (standard deviations): dots, dots, shares of ink, ink, shares of the blur's change.
pub(super) const USUAL: [f32; EXCUSES] = [0.33, 0.33, 0.15, 0.03, 0.5];

/// A window's standard deviations across and down: a digit of 6 points is 1.0 mm wide and 1.5 mm high.
const WINDOW_MM: (f32, f32) = (0.45, 0.6);

/// Where a window ends, in standard deviations.
const WINDOW_REACH: f32 = 2.5;

/// Dots from window to window.
pub(super) const STEP: usize = 3;

/// No scan is so clean that a dot's smoothed ink is known better than to this variance (1.4 % of full ink).
const LEAST_VARIANCE: f32 = 2e-4;

/// Products of two excuses, of an excuse with what is left over, and that with itself.
const PRODUCTS: usize = EXCUSES * (EXCUSES + 1) / 2 + EXCUSES + 1;

/// A page and its scan, ready to be looked at window by window.
pub(super) struct Scene {
    /// Ink of the scan beyond what is expected.
    pub(super) left_over: Plane,
    /// Ink that is expected.
    pub(super) due: Plane,
    across: Plane,
    down: Plane,
    blurring: Plane,
    /// One over the variance of what is left over where nothing was changed.
    pub(super) trust: Plane,
}

impl Scene {
    pub(super) fn of(left_over: &Plane, predicted: &Plane) -> Self {
        let left_over = left_over.blurred(SMOOTHING);
        let due = predicted.blurred(SMOOTHING);
        let slope = |dx: isize, dy: isize| {
            Plane::drawn(due.width, due.height, |x, y| {
                let (x, y) = (place(x), place(y));
                let after = due.near(x.saturating_add(dx), y.saturating_add(dy));
                let before = due.near(x.saturating_sub(dx), y.saturating_sub(dy));
                (after - before) / 2.0
            })
        };
        let (across, down) = (slope(1, 0), slope(0, 1));
        let blurring = due
            .blurred(0.8)
            .with(&due, |blurred, sharp| blurred - sharp);
        let steep = across.with(&down, |across, down| across * across + down * down);
        let trust = trust(&left_over, &due, &steep);
        Self {
            left_over,
            due,
            across,
            down,
            blurring,
            trust,
        }
    }

    /// The excuses' values at a dot.
    pub(super) fn excuses(&self, x: isize, y: isize) -> [f32; EXCUSES] {
        [
            self.across.at(x, y),
            self.down.at(x, y),
            self.due.at(x, y),
            1.0,
            self.blurring.at(x, y),
        ]
    }

    /// What nothing explains in the windows around every [`STEP`]th dot of every [`STEP`]th row; windows below `least`
    /// are told as they are before excuses.
    pub(super) fn map(&self, least: f32) -> Plane {
        let (wide, high) = (bell(WINDOW_MM.0), bell(WINDOW_MM.1));
        let (columns, rows) = (
            self.due.width.div_ceil(STEP),
            self.due.height.div_ceil(STEP),
        );
        let area = wide.iter().sum::<f32>() * high.iter().sum::<f32>();
        let reach = high.len() / 2;
        let mut map = Plane::new(columns, rows);
        let mut waiting: VecDeque<Vec<[f32; PRODUCTS]>> = VecDeque::new();
        let bare = vec![[0.0; PRODUCTS]; columns];
        waiting.extend(std::iter::repeat_n(bare.clone(), reach));
        for y in 0..self.due.height.saturating_add(reach) {
            waiting.push_back(if y < self.due.height {
                self.gathered(y, &wide)
            } else {
                bare.clone()
            });
            if waiting.len() < high.len() {
                continue;
            }
            let middle = y.saturating_sub(reach);
            if middle.is_multiple_of(STEP) {
                for column in 0..columns {
                    let window = down(&waiting, &high, column);
                    map.set(column, middle / STEP, judged(&window, area, least));
                }
            }
            waiting.pop_front();
        }
        map
    }

    /// The products of row `y`, summed over the width of a window around every [`STEP`]th dot.
    fn gathered(&self, y: usize, wide: &[f32]) -> Vec<[f32; PRODUCTS]> {
        let reach = wide.len() / 2;
        let width = self.due.width;
        let mut padded = vec![[0.0; PRODUCTS]; width.saturating_add(2 * reach)];
        let rows = (
            self.left_over.row(y).iter().zip(self.trust.row(y)),
            self.due.row(y).iter().zip(self.blurring.row(y)),
            self.across.row(y).iter().zip(self.down.row(y)),
        );
        let dots = rows.0.zip(rows.1).zip(rows.2);
        for (cell, (((over, trust), (due, blurring)), (across, down))) in
            padded.iter_mut().skip(reach).zip(dots)
        {
            *cell = products(*over, *trust, &[*across, *down, *due, 1.0, *blurring]);
        }
        padded
            .windows(wide.len())
            .step_by(STEP)
            .map(|window| summed(window.iter().zip(wide)))
            .collect()
    }
}

/// Sums of products, each with its share.
fn summed<'a>(parts: impl Iterator<Item = (&'a [f32; PRODUCTS], &'a f32)>) -> [f32; PRODUCTS] {
    let mut sums = [0.0; PRODUCTS];
    for (products, share) in parts {
        sums.iter_mut()
            .zip(products)
            .for_each(|(sum, product)| *sum += product * share);
    }
    sums
}

fn down(rows: &VecDeque<Vec<[f32; PRODUCTS]>>, high: &[f32], column: usize) -> [f32; PRODUCTS] {
    summed(
        rows.iter()
            .zip(high)
            .filter_map(|(row, share)| row.get(column).map(|products| (products, share))),
    )
}

fn products(over: f32, trust: f32, excuses: &[f32; EXCUSES]) -> [f32; PRODUCTS] {
    let mut all = [0.0; PRODUCTS];
    let mut cells = all.iter_mut();
    for (at, one) in excuses.iter().enumerate() {
        let weighted = one * trust;
        for (other, cell) in excuses
            .iter()
            .take(at.saturating_add(1))
            .zip(cells.by_ref())
        {
            *cell = weighted * other;
        }
    }
    for (one, cell) in excuses.iter().zip(cells.by_ref()) {
        *cell = one * over * trust;
    }
    if let Some(cell) = cells.next() {
        *cell = over * over * trust;
    }
    all
}

/// What a window's products leave unexplained, a dot.
fn judged(window: &[f32; PRODUCTS], area: f32, least: f32) -> f32 {
    let [.., all] = *window;
    let before = all / area;
    if before < least {
        return before;
    }
    let mut left = [[0.0; EXCUSES]; EXCUSES];
    let mut right = [0.0; EXCUSES];
    let mut cells = window.iter();
    for (at, (row, usual)) in left.iter_mut().zip(USUAL).enumerate() {
        for (inner, (cell, value)) in (0..=at).zip(row.iter_mut().zip(cells.by_ref())) {
            *cell = *value
                + if inner == at {
                    1.0 / (usual * usual)
                } else {
                    0.0
                };
        }
    }
    right
        .iter_mut()
        .zip(cells)
        .for_each(|(cell, value)| *cell = *value);
    (all - explained(left, right)).max(0.0) / area
}

/// A bell curve of that standard deviation, 1 at its top.
fn bell(sigma_mm: f32) -> Vec<f32> {
    let sigma = sigma_mm * DOTS_PER_MM;
    let reach = count(sigma * WINDOW_REACH);
    (0..=reach.saturating_mul(2))
        .map(|at| {
            let far = (float(at) - float(reach)) / sigma;
            (-0.5 * far * far).exp()
        })
        .collect()
}

/// Every so many dots the variance is measured; of bare paper, of which there is most, every so many more.
const STRIDE: usize = 3;
const BARE_STRIDE: usize = 8;

/// Below it a dot is bare paper.
const BARE: f32 = 0.03;

/// What is further off than so many variances is a difference, not noise.
const OUTLIER: f32 = 9.0;

/// For the outliers that the fit leaves out, as if noise were a bell curve.
const LEFT_OUT: f32 = 1.03;

/// One over the variance of each dot, as the scan itself shows it: some everywhere, more on edges, more on ink.
fn trust(left_over: &Plane, due: &Plane, steep: &Plane) -> Plane {
    let mut shares = [1e-3_f32, 0.3, 1e-3];
    for _ in 0..5 {
        let mut normal = Normal::<3>::new(1e-9);
        let dots = left_over.data.iter().zip(&due.data).zip(&steep.data);
        for (at, ((over, due), steep)) in dots.step_by(STRIDE).enumerate() {
            if *due < BARE && !at.is_multiple_of(BARE_STRIDE) {
                continue;
            }
            let terms = [1.0, *steep, due.clamp(0.0, 1.0)];
            let variance = variance(shares, terms);
            let square = over * over;
            if square < variance * OUTLIER {
                // In units in which the sums of a clean and of a noisy scan are of one size.
                normal.add(&terms, square, (1e-3 / variance) * (1e-3 / variance));
            }
        }
        shares = narrowed(normal.solved()).map(|share| share.max(1e-5) * LEFT_OUT);
    }
    due.with(steep, |due, steep| {
        1.0 / variance(shares, [1.0, steep, due.clamp(0.0, 1.0)]).max(LEAST_VARIANCE)
    })
}

fn variance(shares: [f32; 3], terms: [f32; 3]) -> f32 {
    let sum: f32 = shares
        .iter()
        .zip(terms)
        .map(|(share, term)| share * term)
        .sum();
    sum.max(1e-5)
}
