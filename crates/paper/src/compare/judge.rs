//! What of the differences between page and scan is more than noise.

mod blobs;
mod excuse;
mod marks;
mod streaks;

use super::{DOTS_PER_MM, Kind, Quality, Reason, Region, expect};
use crate::num::count;
use crate::plane::{Plane, quantile};

/// What was found.
pub(super) struct Judged {
    pub(super) regions: Vec<Region>,
    pub(super) quality: Quality,
    pub(super) doubt: Option<Reason>,
}

/// Around the rectangle of all print: what is further out is no part of the document.
const MARGIN_MM: f32 = 3.0;

/// Smoothing, in dots, before the ink of a difference is weighed: a stroke of a digit is 1.2 wide.
const SMOOTHING: f32 = 0.9;

/// Share of tiles that must look as expected for the page to count as found at all.
const MIN_MATCHED: f32 = 0.25;

/// Standard deviation of noise above which strokes are lost in it.
const MAX_NOISE: f32 = 0.16;

pub(super) fn judge(
    page: &Plane,
    rules: &Plane,
    expected: &Plane,
    flat: &Plane,
    is_drawn: bool,
) -> Judged {
    let dots_per_mm = DOTS_PER_MM;
    let strength = expect::strength(expected, flat);
    let predicted = expected.with(&strength, |ink, share| ink * share);
    let left_over = flat.with(&predicted, |seen, due| seen - due);
    let near = nearby(page);
    let noise = noise(&left_over, &near);
    let left_over = streaks::without(&left_over, &predicted, page);
    let matched = matched(page, &predicted, flat);
    let quality = Quality { matched, noise };
    let doubt = if matched < MIN_MATCHED {
        Some(Reason::NotFound)
    } else if noise > MAX_NOISE {
        Some(Reason::Unclear)
    } else {
        None
    };
    if doubt.is_some() {
        return Judged {
            regions: Vec::new(),
            quality,
            doubt,
        };
    }
    let excuses = excuse::Excuses::of(&predicted);
    let dot_noise = near_noise(&left_over, &predicted);
    let rest = excuses.rest(&left_over, rules, dot_noise);
    let letters = page
        .with(rules, |ink, rule| if rule > 0.0 { 0.0 } else { ink })
        .spread();
    let mut beyond = marks::beyond_noise(&rest, &predicted, &excuses.steep(), &letters, is_drawn);
    less_where_dense(&mut beyond, page);
    let frame = frame(page, count(MARGIN_MM * dots_per_mm));
    let mass = rest.blurred(SMOOTHING);
    let mut marks = Vec::new();
    for (sign, kind) in [(1.0, Kind::Added), (-1.0, Kind::Missing)] {
        marks.extend(blobs::blobs(&beyond, &mass, &letters, frame, sign, kind));
    }
    let regions = blobs::joined(marks);
    Judged {
        regions,
        quality,
        doubt,
    }
}

/// 1 within half a millimetre of print.
fn nearby(page: &Plane) -> Plane {
    let mut near = page.clone();
    for _ in 0..3 {
        near = near.spread();
    }
    near
}

/// Side, in dots, of the cells whose ink tells a code or a picture from lines of text.
const DENSE_CELL: usize = 4;

/// Share of ink around a cell from which it is one: a code has a half, lines of text a quarter.
const DENSE: f32 = 0.34;

/// A rasteriser may fill each dot that an area touches, so that its sides are half a dot fatter; a module of a code that
/// was changed is several times as much.
const AT_DENSE: f32 = 0.55;

/// Above 0 in codes and pictures, in cells of [`DENSE_CELL`] dots.
fn dense(page: &Plane) -> Plane {
    let mut cells = page.reduced(DENSE_CELL).blurred(1.5);
    for cell in &mut cells.data {
        *cell = if *cell > DENSE { 1.0 } else { 0.0 };
    }
    cells.spread().spread()
}

/// Differences in codes and pictures, where areas are as wide as they like, count less.
fn less_where_dense(beyond: &mut Plane, page: &Plane) {
    let dense = dense(page);
    let width = beyond.width.max(1);
    for (y, row) in beyond.data.chunks_exact_mut(width).enumerate() {
        for (cells, dense) in row.chunks_mut(DENSE_CELL).zip(dense.row(y / DENSE_CELL)) {
            if *dense > 0.0 {
                cells.iter_mut().for_each(|cell| *cell *= AT_DENSE);
            }
        }
    }
}

/// The deviation of dots with print.
fn near_noise(left_over: &Plane, due: &Plane) -> f32 {
    let inked = left_over
        .data
        .iter()
        .zip(&due.data)
        .filter(|(_, due)| **due > 0.1);
    let mut sizes: Vec<f32> = inked.step_by(5).map(|(over, _)| over.abs()).collect();
    (quantile(&mut sizes, 0.5) * 1.48).max(0.02)
}

/// The deviation of bare paper, by its middle half, which no print or stamp reaches.
fn noise(left_over: &Plane, near: &Plane) -> f32 {
    let bare = left_over
        .data
        .iter()
        .zip(&near.data)
        .filter(|(_, near)| **near <= 0.0);
    let mut sizes: Vec<f32> = bare.step_by(17).map(|(over, _)| over.abs()).collect();
    quantile(&mut sizes, 0.5) * 1.48
}

/// Share of tiles with print in which scan and expectation go together.
fn matched(page: &Plane, predicted: &Plane, flat: &Plane) -> f32 {
    let tile = 36;
    let (mut inked, mut alike) = (0.0, 0.0);
    for top in (0..predicted.height).step_by(tile) {
        for left in (0..predicted.width).step_by(tile) {
            let mut sums = super::coarse::Correlation::default();
            let mut ink = 0.0;
            for y in top..top.saturating_add(tile).min(predicted.height) {
                for (one, two) in predicted
                    .run(left, y, tile)
                    .iter()
                    .zip(flat.run(left, y, tile))
                {
                    sums.add(*one, *two);
                }
                ink += page.run(left, y, tile).iter().sum::<f32>();
            }
            if ink > 40.0 {
                inked += 1.0;
                alike += if sums.value() > 0.6 { 1.0 } else { 0.0 };
            }
        }
    }
    if inked > 0.0 { alike / inked } else { 0.0 }
}

/// The rectangle around all print, with a margin: left, top, right, foot.
fn frame(page: &Plane, margin: usize) -> [usize; 4] {
    let mut found = [page.width, page.height, 0, 0];
    for y in 0..page.height {
        let row = page.row(y);
        let (Some(first), Some(last)) = (
            row.iter().position(|it| *it > 0.5),
            row.iter().rposition(|it| *it > 0.5),
        ) else {
            continue;
        };
        let [left, top, right, foot] = found;
        found = [left.min(first), top.min(y), right.max(last), foot.max(y)];
    }
    let [left, top, right, foot] = found;
    [
        left.saturating_sub(margin),
        top.saturating_sub(margin),
        right.saturating_add(margin),
        foot.saturating_add(margin),
    ]
}
