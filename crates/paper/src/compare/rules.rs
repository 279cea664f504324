//! The rules of a table: long straight runs of ink.
//!
//! How thick a rule is drawn, and half a dot of where, is a property of the rasteriser; letters beside it are not laid by
//! it and not judged by it.

use crate::plane::Plane;

/// A run of ink of this length is a rule and no stroke of a letter: 5 mm.
const RULE_DOTS: usize = 30;

/// Ink from which a dot belongs to a run.
const RULE_INK: f32 = 0.25;

/// How far beside a rule its weight is seen, in dots.
pub(super) const BESIDE: usize = 2;

/// 1 on rules and close beside them, across and down.
pub(super) fn mask(page: &Plane) -> Plane {
    let along = mask_along(page);
    let down = turned(&mask_along(&turned(page)));
    along.with(&down, f32::max)
}

fn mask_along(page: &Plane) -> Plane {
    let mut mask = Plane::new(page.width, page.height);
    for y in 0..page.height {
        let (first, last) = (y.saturating_sub(BESIDE), y.saturating_add(BESIDE));
        for (from, to) in runs(page.row(y)) {
            for row in first..=last.min(page.height.saturating_sub(1)) {
                let start = row.saturating_mul(page.width);
                let cells = start.saturating_add(from)..start.saturating_add(to);
                mask.data.get_mut(cells).unwrap_or_default().fill(1.0);
            }
        }
    }
    mask
}

/// Where a row has ink without a gap for as long as a rule, from the first dot to behind the last.
pub(super) fn runs(row: &[f32]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = None;
    for (x, ink) in row.iter().chain([&0.0]).enumerate() {
        if *ink > RULE_INK {
            from.get_or_insert(x);
        } else if let Some(start) = from.take()
            && x.saturating_sub(start) >= RULE_DOTS
        {
            found.push((start, x));
        }
    }
    found
}

/// Rows as columns.
pub(super) fn turned(picture: &Plane) -> Plane {
    let mut out = Plane::new(picture.height, picture.width);
    let width = out.width.max(1);
    // Block by block: whole columns of a page are farther apart than the processor looks ahead.
    for (first, rows) in (0_usize..)
        .step_by(BLOCK)
        .zip(out.data.chunks_mut(width.saturating_mul(BLOCK)))
    {
        for y in 0..picture.height {
            let source = picture.run(first, y, BLOCK);
            for (row, value) in rows.chunks_exact_mut(width).zip(source) {
                if let Some(cell) = row.get_mut(y) {
                    *cell = *value;
                }
            }
        }
    }
    out
}

/// Columns that are turned together.
const BLOCK: usize = 16;
