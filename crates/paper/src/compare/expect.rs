//! How the page's ink must look after this printer and this scanner.

use super::solve::{Normal, narrowed};
use crate::num::{float, place};
use crate::plane::Plane;

/// Dots to each side over which ink spreads: dot gain of the printer and blur of the scanner are within 0.3 mm.
const REACH: usize = 3;
const SIDE: usize = 2 * REACH + 1;

/// One weight for each neighbour, one each for the most and the least ink around (fat and lean toner), and the darkness of
/// bare paper.
const TERMS: usize = SIDE * SIDE + 3;

/// The page with the most and the least ink around each dot.
pub(super) struct Printed<'a> {
    page: &'a Plane,
    fat: Plane,
    lean: Plane,
    /// Above 0 where ink can reach: what the weights are fitted to.
    near: Plane,
}

impl<'a> Printed<'a> {
    pub(super) fn of(page: &'a Plane) -> Self {
        let fat = page.spread();
        let near = fat.spread().spread();
        Self {
            page,
            lean: page.shrunk(),
            fat,
            near,
        }
    }

    pub(super) const fn near(&self) -> &Plane {
        &self.near
    }
}

/// Every so many dots near ink are measured; a page has some 900,000 of them.
const STRIDE: usize = 9;

/// The page as the scan must show it: spread by the weights that explain the scan best.
///
/// The weights are fitted to the whole page, on which a changed digit has no say; where it was expected `before`, what
/// missed that by far counts less.
pub(super) fn expected(printed: &Printed<'_>, flat: &Plane, before: Option<&Plane>) -> Plane {
    spread(printed, &fitted(printed, flat, before))
}

fn fitted(printed: &Printed<'_>, flat: &Plane, before: Option<&Plane>) -> [f32; TERMS] {
    let page = printed.page;
    let mut normal = Normal::<TERMS>::new(1.0);
    for y in 0..page.height {
        // Another column in each row, so that the lines of a table are not always or never met.
        for x in (y.wrapping_mul(7) % STRIDE..page.width).step_by(STRIDE) {
            let (px, py) = (place(x), place(y));
            if printed.near.at(px, py) <= 0.0 {
                continue;
            }
            let seen = flat.at(px, py);
            let weight = before.map_or(1.0, |it| {
                let miss = (it.at(px, py) - seen) / 0.25;
                1.0 / (1.0 + miss * miss)
            });
            normal.add(&neighbours(printed, px, py), seen, weight);
        }
    }
    narrowed(normal.solved())
}

fn neighbours(printed: &Printed<'_>, x: isize, y: isize) -> [f32; TERMS] {
    let page = printed.page;
    let mut terms = [1.0; TERMS];
    let reach = place(REACH);
    let mut cells = terms.iter_mut();
    for dy in -reach..=reach {
        let left = x.saturating_sub(reach);
        for dx in 0..place(SIDE) {
            if let Some(cell) = cells.next() {
                *cell = page.at(left.saturating_add(dx), y.saturating_add(dy));
            }
        }
    }
    for (plane, cell) in [&printed.fat, &printed.lean].into_iter().zip(cells) {
        *cell = plane.at(x, y);
    }
    terms
}

fn spread(printed: &Printed<'_>, weights: &[f32; TERMS]) -> Plane {
    let page = printed.page;
    let mut out = Plane::new(page.width, page.height);
    let [.., fat, lean, base] = *weights;
    let mut padded = vec![0.0; page.width.saturating_add(2 * REACH)];
    let mut rows: Vec<(usize, Vec<f32>)> = Vec::new();
    for y in 0..page.height {
        padded
            .iter_mut()
            .skip(REACH)
            .zip(page.row(y))
            .for_each(|(cell, value)| *cell = *value);
        rows.push((y, padded.clone()));
        if rows.len() > SIDE {
            rows.remove(0);
        }
        spread_down(&mut out, &rows, y.checked_sub(REACH), weights);
    }
    for late in page.height.saturating_sub(REACH)..page.height {
        spread_down(&mut out, &rows, Some(late), weights);
    }
    let around = printed.fat.data.iter().zip(&printed.lean.data);
    for (value, (most, least)) in out.data.iter_mut().zip(around) {
        *value = (*value + fat * most + lean * least + base).clamp(0.0, 1.1);
    }
    out
}

/// Fills row `y` from the rows around it; `None` above the page.
fn spread_down(
    out: &mut Plane,
    rows: &[(usize, Vec<f32>)],
    y: Option<usize>,
    weights: &[f32; TERMS],
) {
    let Some(y) = y else { return };
    let start = y.saturating_mul(out.width);
    let width = out.width;
    let Some(target) = out.data.get_mut(start..start.saturating_add(width)) else {
        return;
    };
    for (from, row) in rows {
        let Some(at) = from
            .saturating_add(REACH)
            .checked_sub(y)
            .filter(|it| *it < SIDE)
        else {
            continue;
        };
        let Some(part) = weights.get(at * SIDE..at * SIDE + SIDE) else {
            continue;
        };
        for (offset, weight) in part.iter().enumerate() {
            let dots = row.get(offset..).unwrap_or_default();
            target
                .iter_mut()
                .zip(dots)
                .for_each(|(value, dot)| *value += dot * weight);
        }
    }
}

/// How strongly the scan shows ink around each dot, against what is expected: 1 where as strongly.
pub(super) fn strength(expected: &Plane, flat: &Plane) -> Plane {
    let tile = 32;
    let (columns, rows) = (
        expected.width.div_ceil(tile),
        expected.height.div_ceil(tile),
    );
    let sums = |other: &Plane| {
        Plane::drawn(columns, rows, |column, row| {
            let (left, top) = (column.saturating_mul(tile), row.saturating_mul(tile));
            (top..top.saturating_add(tile).min(expected.height))
                .map(|y| {
                    expected
                        .run(left, y, tile)
                        .iter()
                        .zip(other.run(left, y, tile))
                        .map(|(one, two)| one * two)
                        .sum::<f32>()
                })
                .sum::<f32>()
        })
        .blurred(1.0)
    };
    let shares = sums(flat).with(&sums(expected), |both, own| {
        ((both + 4.0) / (own + 4.0)).clamp(0.6, 1.4)
    });
    let step = float(tile);
    Plane::drawn(expected.width, expected.height, |x, y| {
        let at = |value: usize, tiles: usize| {
            ((float(value) + 0.5) / step - 0.5).clamp(0.0, (float(tiles) - 1.001).max(0.0))
        };
        shares.sample(at(x, columns), at(y, rows))
    })
}
