//! Follows the page's blocks into the scan, from coarse to fine.

use super::warp::{Degree, Mesh, Seen, Warp};
use crate::num::{count, float, length, place};
use crate::plane::{Plane, dot, sum};

/// One round of looking for blocks.
#[derive(Clone, Copy)]
struct Round {
    /// How many dots of the page make one here, in both directions.
    factor: usize,
    /// Side of a block, in dots here.
    block: usize,
    /// From one block to the next.
    step: usize,
    /// How far a block is looked for.
    reach: usize,
    degree: Degree,
}

/// The page lies where the coarse look said, to 3 mm: then to a millimetre, then to a tenth.
const ROUNDS: [Round; 3] = [
    Round {
        factor: 4,
        block: 36,
        step: 24,
        reach: 6,
        degree: Degree::Second,
    },
    Round {
        factor: 3,
        block: 32,
        step: 24,
        reach: 4,
        degree: Degree::Third,
    },
    Round {
        factor: 2,
        block: 40,
        step: 40,
        reach: 4,
        degree: Degree::Third,
    },
];

/// Inked dots that a block needs, as a share of it: fewer are a speck or the end of a line.
const MIN_INK_SHARE: f32 = 0.02;

/// A block whose best likeness is lower was not found.
const MIN_LIKENESS: f32 = 0.35;

/// Bends the coarse map until blocks of page and scan lie on each other; the scan has about the page's dots per mm.
pub(super) fn follow(page: &Plane, scan: &Plane, mut warp: Warp) -> Warp {
    for round in ROUNDS {
        let (small_page, small_scan) = (page.reduced(round.factor), scan.reduced(round.factor));
        let seen = seen(&small_page, &small_scan, &warp, round);
        if seen.len() >= 12 {
            warp = warp.fitted(&seen, round.degree);
        }
    }
    warp
}

fn seen(page: &Plane, scan: &Plane, warp: &Warp, round: Round) -> Vec<Seen> {
    let mut found = Vec::new();
    let factor = float(round.factor);
    let full = |at: f32| (at + 0.5) * factor - 0.5;
    for top in (0..page.height.saturating_sub(round.block)).step_by(round.step) {
        for left in (0..page.width.saturating_sub(round.block)).step_by(round.step) {
            let ink: f32 = (top..top.saturating_add(round.block))
                .flat_map(|y| page.run(left, y, round.block))
                .sum();
            if ink < MIN_INK_SHARE * float(round.block.saturating_mul(round.block)) {
                continue;
            }
            let side = round.block.saturating_add(round.reach.saturating_mul(2));
            let patch = Plane::drawn(side, side, |x, y| {
                let at = |first: usize, inner: usize| {
                    full(float(first) + float(inner) - float(round.reach))
                };
                let (x, y) = warp.apply(at(left, x), at(top, y));
                scan.sample((x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5)
            });
            let Some((shift, trust)) = found_at(page, &patch, (left, top), round) else {
                continue;
            };
            let middle = (
                float(left) + float(round.block) / 2.0 - 0.5,
                float(top) + float(round.block) / 2.0 - 0.5,
            );
            found.push(Seen {
                page: (full(middle.0), full(middle.1)),
                scan: warp.apply(full(middle.0 + shift.0), full(middle.1 + shift.1)),
                trust,
            });
        }
    }
    found
}

/// Where in the patch the block is most alike, between dots; with how sharply likeness falls off in each direction.
fn found_at(
    page: &Plane,
    patch: &Plane,
    (left, top): (usize, usize),
    round: Round,
) -> Option<((f32, f32), (f32, f32))> {
    let shifts = round.reach.saturating_mul(2).saturating_add(1);
    let own = Block::of(page, left, top, round.block);
    let likeness = Plane::drawn(shifts, shifts, |x, y| {
        own.likeness(page, patch, (left, top), (x, y))
    });
    let (at, most) = likeness
        .data
        .iter()
        .enumerate()
        .max_by(|one, two| one.1.total_cmp(two.1))?;
    let (x, y) = (at.checked_rem(shifts)?, at.checked_div(shifts)?);
    let is_inside =
        (1..shifts.saturating_sub(1)).contains(&x) && (1..shifts.saturating_sub(1)).contains(&y);
    if *most < MIN_LIKENESS || !is_inside {
        return None;
    }
    let (x, y) = (place(x), place(y));
    let across = peak([
        likeness.at(x.saturating_sub(1), y),
        *most,
        likeness.at(x.saturating_add(1), y),
    ]);
    let down = peak([
        likeness.at(x, y.saturating_sub(1)),
        *most,
        likeness.at(x, y.saturating_add(1)),
    ]);
    let reach = float(round.reach);
    let shift = (length(x) + across.0 - reach, length(y) + down.0 - reach);
    Some((
        shift,
        (
            (across.1 * most * 10.0).min(4.0),
            (down.1 * most * 10.0).min(4.0),
        ),
    ))
}

/// The top of the parabola through three values, from the middle one, with its bend.
fn peak([before, at, after]: [f32; 3]) -> (f32, f32) {
    let bend = 2.0 * at - before - after;
    if bend <= 1e-6 {
        return (0.0, 0.0);
    }
    ((0.5 * (after - before) / bend).clamp(-0.5, 0.5), bend)
}

/// A block's sum and spread, which every likeness needs.
struct Block {
    side: usize,
    mean: f32,
    spread: f32,
}

impl Block {
    fn of(page: &Plane, left: usize, top: usize, side: usize) -> Self {
        let (sum, squares) = sums((top..top.saturating_add(side)).map(|y| page.run(left, y, side)));
        let dots = float(side.saturating_mul(side));
        Self {
            side,
            mean: sum / dots,
            spread: (squares - sum * sum / dots).max(1e-6),
        }
    }

    fn likeness(
        &self,
        page: &Plane,
        patch: &Plane,
        (left, top): (usize, usize),
        (x, y): (usize, usize),
    ) -> f32 {
        let rows = (0..self.side).map(|row| patch.run(x, y.saturating_add(row), self.side));
        let (sum, squares) = sums(rows);
        let mut both = 0.0;
        for row in 0..self.side {
            let own = page.run(left, top.saturating_add(row), self.side);
            let other = patch.run(x, y.saturating_add(row), self.side);
            both += dot(own, other);
        }
        let dots = float(self.side.saturating_mul(self.side));
        let spread = squares - sum * sum / dots;
        if spread < 1e-3 {
            0.0
        } else {
            (both - self.mean * sum) / (spread * self.spread).sqrt()
        }
    }
}

fn sums<'a>(rows: impl Iterator<Item = &'a [f32]>) -> (f32, f32) {
    rows.fold((0.0, 0.0), |(total, squares), row| {
        (total + sum(row), squares + dot(row, row))
    })
}

/// How far a tile may be shifted in one round of [`settled`].
const MAX_SHIFT: f32 = 1.5;

/// Moves the scan's tiles by parts of a dot to where they fit what is expected (Lucas and Kanade), each tile together
/// with its neighbours; `flat` is the scan as `warp` lays it out.
pub(super) fn settled(
    expected: &Plane,
    flat: &Plane,
    rules: &Plane,
    warp: &Warp,
    step: usize,
) -> Warp {
    let (columns, rows) = (
        expected.width.div_ceil(step).saturating_add(1),
        expected.height.div_ceil(step).saturating_add(1),
    );
    let terms = gathered(expected, flat, rules, step, (columns, rows));
    let [xx, xy, yy, xe, ye] = terms.map(|plane| plane.blurred(1.0));
    let (mut dx, mut dy) = (Plane::new(columns, rows), Plane::new(columns, rows));
    for row in 0..rows {
        for column in 0..columns {
            let at = |plane: &Plane| plane.at(place(column), place(row));
            // So much structure as a few strokes have: what is emptier follows its neighbours, or stays.
            let (a, b, c) = (at(&xx) + 0.5, at(&xy), at(&yy) + 0.5);
            let determinant = (a * c - b * b).max(1e-6);
            dx.set(
                column,
                row,
                ((c * at(&xe) - b * at(&ye)) / determinant).clamp(-MAX_SHIFT, MAX_SHIFT),
            );
            dy.set(
                column,
                row,
                ((a * at(&ye) - b * at(&xe)) / determinant).clamp(-MAX_SHIFT, MAX_SHIFT),
            );
        }
    }
    let shift = Mesh {
        step: float(step),
        x: dx,
        y: dy,
    };
    let moved = |column: usize, row: usize| {
        let (x, y) = (float(column) * shift.step, float(row) * shift.step);
        let (shift_x, shift_y) = shift.apply(x, y);
        let bare = warp.with_mesh(None);
        let (from_x, from_y) = bare.apply(x, y);
        let (to_x, to_y) = warp.apply(x + shift_x, y + shift_y);
        (to_x - from_x, to_y - from_y)
    };
    let mesh = Mesh {
        step: float(step),
        x: Plane::drawn(columns, rows, |column, row| moved(column, row).0),
        y: Plane::drawn(columns, rows, |column, row| moved(column, row).1),
    };
    warp.with_mesh(Some(mesh))
}

/// A rule has more slope than the letters beside it, and another rasteriser may draw it half a dot elsewhere.
const RULE_WEIGHT: f32 = 0.15;

/// Products of two slopes, and of a slope with what is left over.
const PRODUCTS: usize = 5;

/// For each tile the sums of products of slopes, and of slopes with what is left over.
fn gathered(
    expected: &Plane,
    flat: &Plane,
    rules: &Plane,
    step: usize,
    (columns, rows): (usize, usize),
) -> [Plane; PRODUCTS] {
    let mut tiles = vec![[0.0_f32; PRODUCTS]; columns.saturating_mul(rows)];
    let tile = 1.0 / float(step);
    for y in 1..expected.height.saturating_sub(1) {
        let start = count(float(y) * tile).saturating_mul(columns);
        let (above, below) = (
            expected.row(y.saturating_sub(1)),
            expected.row(y.saturating_add(1)),
        );
        let downs = above.iter().zip(below).skip(1);
        let over = flat.row(y).iter().zip(rules.row(y)).skip(1);
        let dots = expected.row(y).windows(3).zip(downs).zip(over);
        for (x, ((triple, (above, below)), (seen, rule))) in (1_usize..).zip(dots) {
            let &[before, here, after] = triple else {
                continue;
            };
            let (across, down) = ((after - before) / 2.0, (below - above) / 2.0);
            if across.abs() + down.abs() < 0.04 {
                continue;
            }
            let left_over = here - seen;
            // What differs for good counts less than what is only shifted.
            let mut weight = 1.0 / (1.0 + 9.0 * left_over * left_over);
            if *rule > 0.0 {
                weight *= RULE_WEIGHT;
            }
            let products = [
                across * across,
                across * down,
                down * down,
                across * left_over,
                down * left_over,
            ];
            let column = count(float(x) * tile);
            if let Some(sums) = tiles.get_mut(start.saturating_add(column)) {
                for (sum, product) in sums.iter_mut().zip(products) {
                    *sum += product * weight;
                }
            }
        }
    }
    Plane::of_each((columns, rows), &tiles)
}
