//! What an honest printer and scanner may do to a few letters: shift them by a part of a dot, show them fainter or
//! darker, sharper or more blurred than the page around them.

use super::super::DOTS_PER_MM;
use super::super::solve::solved;
use crate::num::{float, place};
use crate::plane::Plane;

/// What may explain the letters of a window: shifted across or down, darker or fainter, blurred or sharper.
const EXCUSES: usize = 4;

/// How large each of them usually is (standard deviations): dots, dots, shares of ink, shares of the blur's change.
const USUAL: [f32; EXCUSES] = [0.25, 0.25, 0.15, 0.4];

/// No more than so many of these explains anything: letters that are not there are no faint ones.
const MOST: f32 = 2.5;

/// Standard deviation of a window: about a digit, so that an excuse of a digit is shared by what stands beside it.
const WINDOW_MM: f32 = 0.8;

/// Side of the tiles in which dots are summed before windows are laid over them.
const TILE: usize = 4;

/// Products of two excuses, and of an excuse with what is left over.
const PRODUCTS: usize = EXCUSES * (EXCUSES + 1) / 2 + EXCUSES;

/// The planes of the excuses: what a whole dot's shift, full ink, a blur would add.
pub(super) struct Excuses {
    planes: [Plane; EXCUSES],
}

impl Excuses {
    pub(super) fn of(due: &Plane) -> Self {
        let (mut across, mut down) = (due.clone(), due.clone());
        let width = due.width.max(1);
        for (y, cells) in across.data.chunks_exact_mut(width).enumerate() {
            for (cell, pair) in cells.iter_mut().skip(1).zip(due.row(y).windows(3)) {
                if let [before, _, after] = pair {
                    *cell = (after - before) / 2.0;
                }
            }
            // At the page's sides nothing is printed.
            for side in [0, width.saturating_sub(1)] {
                if let Some(cell) = cells.get_mut(side) {
                    *cell = 0.0;
                }
            }
        }
        for (y, cells) in down.data.chunks_exact_mut(width).enumerate() {
            let last = due.height.saturating_sub(1);
            let (above, below) = (
                due.row(y.saturating_sub(1)),
                due.row(y.saturating_add(1).min(last)),
            );
            for (cell, (above, below)) in cells.iter_mut().zip(above.iter().zip(below)) {
                *cell = (below - above) / 2.0;
            }
        }
        let blurring = due.blurred(0.8).with(due, |blurred, sharp| blurred - sharp);
        Self {
            planes: [across, down, due.clone(), blurring],
        }
    }

    /// Squares of the steepest of expected ink, a dot.
    pub(super) fn steep(&self) -> Plane {
        let [across, down, ..] = &self.planes;
        across.with(down, |across, down| across * across + down * down)
    }

    /// What none of them explains; `noise` is the usual deviation of a dot near print.
    pub(super) fn rest(&self, left_over: &Plane, rules: &Plane, noise: f32) -> Plane {
        let (columns, rows) = (
            left_over.width.div_ceil(TILE).max(2),
            left_over.height.div_ceil(TILE).max(2),
        );
        let sums = self.sums(left_over, rules, columns, rows);
        let sigma = WINDOW_MM * DOTS_PER_MM / float(TILE);
        let sums = sums.map(|plane| plane.blurred(sigma));
        let area = std::f32::consts::TAU * sigma * sigma;
        let mut factors: [Plane; EXCUSES] = std::array::from_fn(|_| Plane::new(columns, rows));
        for at in 0..columns.saturating_mul(rows) {
            let products = std::array::from_fn(|it| {
                sums.get(it)
                    .and_then(|plane: &Plane| plane.data.get(at))
                    .copied()
                    .unwrap_or_default()
                    * area
            });
            for (plane, factor) in factors.iter_mut().zip(fitted(&products, noise)) {
                if let Some(cell) = plane.data.get_mut(at) {
                    *cell = factor;
                }
            }
        }
        self.without(left_over, rules, &factors)
    }

    fn sums(
        &self,
        left_over: &Plane,
        rules: &Plane,
        columns: usize,
        rows: usize,
    ) -> [Plane; PRODUCTS] {
        let mut tiles = vec![[0.0_f32; PRODUCTS]; columns.saturating_mul(rows)];
        let [across, down, due, blurring] = &self.planes;
        for y in 0..left_over.height {
            let start = (y / TILE).saturating_mul(columns);
            let slopes = across.row(y).iter().zip(down.row(y));
            let shades = due.row(y).iter().zip(blurring.row(y));
            let dots = slopes
                .zip(shades)
                .zip(left_over.row(y).iter().zip(rules.row(y)));
            for (x, (((across, down), (due, blurring)), (over, rule))) in dots.enumerate() {
                if *due < BARE || *rule > 0.0 {
                    continue;
                }
                if let Some(tile) = tiles.get_mut(start.saturating_add(x / TILE)) {
                    add(tile, [*across, *down, *due, *blurring], *over);
                }
            }
        }
        Plane::of_each((columns, rows), &tiles)
    }

    fn without(&self, left_over: &Plane, rules: &Plane, factors: &[Plane; EXCUSES]) -> Plane {
        let mut rest = left_over.clone();
        let step = 1.0 / float(TILE);
        let width = left_over.width.max(1);
        let [_, _, due, _] = &self.planes;
        for (y, cells) in rest.data.chunks_exact_mut(width).enumerate() {
            let row = ((float(y) + 0.5) * step - 0.5).max(0.0);
            let inked = due.row(y).iter().zip(rules.row(y));
            for (x, (cell, (due, rule))) in cells.iter_mut().zip(inked).enumerate() {
                if *due < BARE || *rule > 0.0 {
                    continue;
                }
                let column = ((float(x) + 0.5) * step - 0.5).max(0.0);
                for (plane, factor) in self.planes.iter().zip(factors) {
                    *cell -= plane.at(place(x), place(y)) * factor.sample(column, row);
                }
            }
        }
        rest
    }
}

/// Below it a dot of expected ink is bare paper, which has no excuse.
const BARE: f32 = 0.1;

/// One dot into the products of its tile.
fn add(tile: &mut [f32; PRODUCTS], excuses: [f32; EXCUSES], over: f32) {
    // A difference has less of a say than a shift.
    let weight = 1.0 / (1.0 + 16.0 * over * over);
    let mut cells = tile.iter_mut();
    for (at, one) in excuses.iter().enumerate() {
        for (other, cell) in excuses
            .iter()
            .take(at.saturating_add(1))
            .zip(cells.by_ref())
        {
            *cell += one * other * weight;
        }
    }
    for (one, cell) in excuses.iter().zip(cells) {
        *cell += one * over * weight;
    }
}

fn fitted(products: &[f32; PRODUCTS], noise: f32) -> [f32; EXCUSES] {
    let mut left = [[0.0; EXCUSES]; EXCUSES];
    let mut cells = products.iter();
    for (at, (row, usual)) in left.iter_mut().zip(USUAL).enumerate() {
        for (cell, value) in row
            .iter_mut()
            .take(at.saturating_add(1))
            .zip(cells.by_ref())
        {
            *cell = *value;
        }
        if let Some(cell) = row.get_mut(at) {
            *cell += noise * noise / (usual * usual);
        }
    }
    let mut right = [0.0; EXCUSES];
    right
        .iter_mut()
        .zip(cells)
        .for_each(|(cell, value)| *cell = *value);
    let mut factors = solved(left, right);
    for (factor, usual) in factors.iter_mut().zip(USUAL) {
        *factor = factor.clamp(-usual * MOST, usual * MOST);
    }
    factors
}
