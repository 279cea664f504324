//! How the page's ink must look after this printer and this scanner.

use super::solve::Normal;
use crate::num::{float, place};
use crate::plane::Plane;

/// Dots to each side over which ink spreads: dot gain of the printer and blur of the scanner are within 0.3 mm.
const REACH: usize = 2;
const SIDE: usize = 2 * REACH + 1;

/// Neighbours as far across and as far down share a weight: what printer and scanner do has no sides, and where it lies
/// is settled before.
const SHARED: usize = (REACH + 1) * (REACH + 1);

/// The page itself, with the most and with the least ink around each dot (fat and lean toner).
const LAYERS: usize = 3;

/// The weights of each layer, and the darkness of bare paper.
const TERMS: usize = LAYERS * SHARED + 1;

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

    const fn layers(&self) -> [&Plane; LAYERS] {
        [self.page, &self.fat, &self.lean]
    }
}

/// Every so many dots near ink are measured; a page has some 300,000 of them.
const STRIDE: usize = 4;

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

/// Which weight a neighbour has, from the left top of all.
const fn shared(across: usize, down: usize) -> usize {
    across.abs_diff(REACH) + down.abs_diff(REACH) * (REACH + 1)
}

fn neighbours(printed: &Printed<'_>, x: isize, y: isize) -> [f32; TERMS] {
    let mut terms = [0.0; TERMS];
    let reach = place(REACH);
    for (layer, sums) in printed
        .layers()
        .into_iter()
        .zip(terms.chunks_exact_mut(SHARED))
    {
        for down in 0..SIDE {
            let py = y.saturating_sub(reach).saturating_add(place(down));
            let around: [f32; SIDE] = layer.around(x, py);
            for (across, ink) in around.into_iter().enumerate() {
                if let Some(sum) = sums.get_mut(shared(across, down)) {
                    *sum += ink;
                }
            }
        }
    }
    if let Some(base) = terms.last_mut() {
        *base = 1.0;
    }
    terms
}

fn spread(printed: &Printed<'_>, weights: &[f32; TERMS]) -> Plane {
    let page = printed.page;
    let base = weights.last().copied().unwrap_or_default();
    let mut out = Plane::new(page.width, page.height);
    out.data.fill(base);
    for (layer, weights) in printed
        .layers()
        .into_iter()
        .zip(weights.chunks_exact(SHARED))
    {
        let mut padded = vec![0.0; page.width.saturating_add(2 * REACH)];
        for from in 0..page.height {
            if layer.row(from).iter().all(|ink| *ink <= 0.0) {
                continue;
            }
            padded
                .iter_mut()
                .skip(REACH)
                .zip(layer.row(from))
                .for_each(|(cell, value)| *cell = *value);
            for down in 0..SIDE {
                let Some(y) = from.saturating_add(down).checked_sub(REACH) else {
                    continue;
                };
                spread_down(&mut out, &padded, y, |across| {
                    weights
                        .get(shared(across, down))
                        .copied()
                        .unwrap_or_default()
                });
            }
        }
    }
    out.data
        .iter_mut()
        .for_each(|value| *value = value.clamp(0.0, 1.1));
    out
}

/// Adds a row of ink, shifted and weighted, to row `y`.
fn spread_down(out: &mut Plane, ink: &[f32], y: usize, weight: impl Fn(usize) -> f32) {
    let start = y.saturating_mul(out.width);
    let width = out.width;
    let Some(target) = out.data.get_mut(start..start.saturating_add(width)) else {
        return;
    };
    for across in 0..SIDE {
        let weight = weight(across);
        let dots = ink.get(across..).unwrap_or_default();
        target
            .iter_mut()
            .zip(dots)
            .for_each(|(value, dot)| *value += dot * weight);
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "weights around 1 need no more digits than f32 has"
)]
fn narrowed(weights: [f64; TERMS]) -> [f32; TERMS] {
    weights.map(|weight| weight as f32)
}

/// How strongly the scan shows ink around each dot, against what is expected: 1 where as strongly.
pub(super) fn strength(expected: &Plane, flat: &Plane) -> Plane {
    let tile = 24;
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
