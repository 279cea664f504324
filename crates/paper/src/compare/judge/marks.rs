//! Where ink of the size of a stroke is missing or added, against the noise of the same scan.

use super::super::solve::Normal;
use crate::plane::{Plane, quantile};

/// Standard deviation, in dots, of the blob of ink that is looked for: a stroke of a digit is 1.2 wide.
const STROKE: f32 = 1.0;

/// No scan is so clean that a dot's ink is known better than to this variance (3 % of full ink).
const LEAST_VARIANCE: f32 = 1e-3;

/// Every so many dots the variance is measured; of bare paper, of which there is most, every so many more.
const STRIDE: usize = 3;
const BARE_STRIDE: usize = 8;

/// Below it a dot is bare paper.
const BARE: f32 = 0.03;

/// What is further off than so many variances is a difference, not noise.
const OUTLIER: f32 = 9.0;

/// How far a blob of ink around each dot is beyond what an honest sheet shows: positive where ink was added, and 1 where
/// it counts.
pub(super) fn beyond_noise(
    rest: &Plane,
    due: &Plane,
    steep: &Plane,
    letters: &Plane,
    is_drawn: bool,
) -> Plane {
    let trust = trust(rest, due, steep);
    let blob = rest
        .with(&trust, |over, trust| over * trust)
        .blurred(STROKE);
    // The square of a bell curve is a narrower one.
    let weight = trust.blurred(STROKE / std::f32::consts::SQRT_2);
    let share = 1.0 / (4.0 * std::f32::consts::PI * STROKE * STROKE);
    let deviations = blob.with(&weight, |blob, weight| {
        blob / (weight * share).sqrt().max(1e-6)
    });
    let counts = counts_from(&deviations, letters, is_drawn);
    let scale = 1.0 / counts;
    Plane {
        data: deviations.data.iter().map(|it| it * scale).collect(),
        ..deviations
    }
}

/// Side of the tiles whose farthest dots are looked at, in dots: 14 mm.
const TILE: usize = 80;

/// Dots at letters that a tile needs.
const TILE_DOTS: usize = 300;

/// The farthest dot of so many tiles is nearer than the usual one: changes of a forger are in few tiles.
const TILE_SHARE: f32 = 0.7;

/// Of the usual farthest dot of a tile, from where on a dot counts.
const COUNTS: f32 = 2.35;

/// Strokes of a page whose tiles are farther (in deviations) stand half a dot elsewhere: drawn in black and white, or by
/// another rasteriser of coarse dots. There the farthest of a page is farther still.
const COARSE: f32 = 7.5;
const COARSE_COUNTS: f32 = 1.0;

/// On a page that no glass saw, where each edge is exactly where the program put it.
const DRAWN_COUNTS: f32 = 3.5;
const DRAWN_USUAL: f32 = 9.0;

/// In deviations: no clean page makes less count, and no page that differs everywhere is a measure of itself. Of 319 pairs
/// of tuning one honest sheet has a place that counts, and one changed digit has none (docs/adr/0048).
const LEAST: f32 = 19.5;
const MOST: f32 = 38.0;
const DRAWN_MOST: f32 = 50.0;

/// The deviations from which on a dot counts, by what the page's tiles have: a page is measured by what it is elsewhere.
fn counts_from(deviations: &Plane, letters: &Plane, is_drawn: bool) -> f32 {
    let mut farthest = Vec::new();
    for top in (0..deviations.height).step_by(TILE) {
        for left in (0..deviations.width).step_by(TILE) {
            let (mut most, mut dots) = (0.0_f32, 0_usize);
            for y in top..top.saturating_add(TILE).min(deviations.height) {
                let cells = deviations.run(left, y, TILE).iter();
                for (size, letter) in cells.zip(letters.run(left, y, TILE)) {
                    if *letter > 0.0 {
                        most = most.max(size.abs());
                        dots = dots.saturating_add(1);
                    }
                }
            }
            if dots >= TILE_DOTS {
                farthest.push(most);
            }
        }
    }
    let usual = quantile(&mut farthest, TILE_SHARE);
    let scanned = usual * COUNTS + (usual - COARSE).max(0.0) * COARSE_COUNTS;
    if is_drawn {
        scanned
            .max(usual.min(DRAWN_USUAL) * DRAWN_COUNTS)
            .clamp(LEAST, DRAWN_MOST)
    } else {
        scanned.clamp(LEAST, MOST)
    }
}

/// One over the variance of each dot, as the scan itself shows it: some everywhere, more on edges, more on ink.
fn trust(left_over: &Plane, due: &Plane, steep: &Plane) -> Plane {
    let mut shares = [1e-3_f32, 0.1, 1e-3];
    for _ in 0..4 {
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
                normal.add(&terms, square, (1e-3 / variance) * (1e-3 / variance));
            }
        }
        shares = normal
            .solved()
            .map(narrow)
            .map(|share| share.max(1e-5) * 1.03);
    }
    due.with(steep, |due, steep| {
        1.0 / variance(shares, [1.0, steep, due.clamp(0.0, 1.0)]).max(LEAST_VARIANCE)
    })
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "variances need no more digits than f32 has"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn variance(shares: [f32; 3], terms: [f32; 3]) -> f32 {
    let sum: f32 = shares
        .iter()
        .zip(terms)
        .map(|(share, term)| share * term)
        .sum();
    sum.max(1e-5)
}
