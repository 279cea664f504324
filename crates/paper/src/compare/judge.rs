//! What of the differences between page and scan is more than noise.

mod excuse;
mod marks;
mod streaks;

use super::{DOTS_PER_MM, Kind, MAX_REGIONS, Quality, Reason, Region, expect};
use crate::num::{count, float, place};
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

/// The same on bare paper, where dust and the dots of a dirty glass lie: a dot of 0.4 mm.
const PAPER_MM2: f32 = 0.09;

/// Differences nearer than this are one region: the strokes of a digit.
const JOINED_MM: f32 = 0.5;

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
        marks.extend(blobs(&beyond, &mass, &letters, frame, sign, kind));
    }
    let regions = joined(marks, dots_per_mm);
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

/// A difference: its rectangle in dots, its weight against what counts there, its kind.
struct Blob {
    left: usize,
    top: usize,
    right: usize,
    foot: usize,
    score: f32,
    /// Its farthest dot.
    peak: (usize, usize),
    /// As a speck of dust is.
    is_round: bool,
    kind: Kind,
}

/// Dots that hang together beyond noise.
fn blobs(
    beyond: &Plane,
    mass: &Plane,
    near: &Plane,
    [left, top, right, foot]: [usize; 4],
    sign: f32,
    kind: Kind,
) -> Vec<Blob> {
    let dot_mm2 = 1.0 / (DOTS_PER_MM * DOTS_PER_MM);
    let mut open: Vec<bool> = beyond
        .data
        .iter()
        .map(|value| *value * sign > PART)
        .collect();
    let mut found = Vec::new();
    for y in top..foot.saturating_add(1).min(beyond.height) {
        for x in left..right.saturating_add(1).min(beyond.width) {
            let blob = gathered(&mut open, (beyond, mass, near), sign, (x, y));
            let Some(gathered) = blob else {
                continue;
            };
            let weight = gathered.mass * dot_mm2;
            let [left, top, right, foot] = gathered.places;
            let score = if gathered.near_share > 0.3 {
                gathered.most
            } else {
                gathered.most.min(weight / PAPER_MM2)
            };
            if score >= LEAST_SCORE {
                found.push(Blob {
                    left,
                    top,
                    right,
                    foot,
                    score,
                    peak: gathered.peak,
                    is_round: gathered.is_round(),
                    kind,
                });
            }
        }
    }
    found
}

/// From where on, of what counts, a dot takes part in a blob, and a blob is looked at.
const PART: f32 = 0.19;
const LEAST_SCORE: f32 = 0.3;

/// Blobs whose farthest dots are no further apart, across and a third more down, are strokes of one digit.
const DIGIT_MM: f32 = 1.1;

/// A blob that is no round speck and far enough to be a stroke that changed with it.
const STROKE_SCORE: f32 = 0.45;

/// How much a round speck counts beside which nothing changed.
const DUST: f32 = 0.6;

struct Gathered {
    places: [usize; 4],
    /// The farthest dot, in deviations.
    most: f32,
    peak: (usize, usize),
    mass: f32,
    moments: [f32; 6],
    near_share: f32,
}

/// Standard deviations of a speck's ink, in dots: dust of up to a third of a millimetre, as a scan blurs it.
const SPECK_DOTS: (f32, f32) = (0.6, 1.12);

/// A speck is no longer than so many times its width.
const ROUND: f32 = 1.3;

/// Ink of the largest speck.
const SPECK_MM2: f32 = 0.08;

impl Gathered {
    fn is_round(&self) -> bool {
        let [sum, x, y, xx, xy, yy] = self.moments;
        let (x, y) = (x / sum, y / sum);
        let (xx, xy, yy) = (xx / sum - x * x, xy / sum - x * y, yy / sum - y * y);
        let (middle, apart) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        let (long, short) = (
            (middle + apart).max(0.0).sqrt(),
            (middle - apart).max(0.0).sqrt(),
        );
        short > SPECK_DOTS.0
            && long < SPECK_DOTS.1
            && long < short * ROUND
            && self.mass < SPECK_MM2 * DOTS_PER_MM * DOTS_PER_MM
    }
}

/// Takes the blob at a place out of `open`: its rectangle, its weight, and how much of it is near print.
fn gathered(
    open: &mut [bool],
    (beyond, mass, near): (&Plane, &Plane, &Plane),
    sign: f32,
    start: (usize, usize),
) -> Option<Gathered> {
    let width = beyond.width;
    let index = |x: usize, y: usize| {
        (x < width && y < beyond.height).then(|| y.saturating_mul(width).saturating_add(x))
    };
    let mut take = |x: usize, y: usize| {
        let cell = index(x, y).and_then(|at| open.get_mut(at));
        cell.is_some_and(std::mem::take)
    };
    if !take(start.0, start.1) {
        return None;
    }
    let mut waiting = vec![start];
    let mut places = [start.0, start.1, start.0, start.1];
    let mut peak = start;
    let mut moments = [0.0; 6];
    let (mut weight, mut most, mut dots, mut near_dots) = (0.0, 0.0_f32, 0.0, 0.0);
    while let Some((x, y)) = waiting.pop() {
        let [left, top, right, foot] = places;
        places = [left.min(x), top.min(y), right.max(x), foot.max(y)];
        let ink = mass.at(place(x), place(y)) * sign;
        weight += ink;
        let (dx, dy) = (float(x) - float(start.0), float(y) - float(start.1));
        for (sum, part) in moments
            .iter_mut()
            .zip([1.0, dx, dy, dx * dx, dx * dy, dy * dy])
        {
            *sum += part * ink.max(0.0);
        }
        let here = beyond.at(place(x), place(y)) * sign;
        if here > most {
            (most, peak) = (here, (x, y));
        }
        dots += 1.0;
        near_dots += if near.at(place(x), place(y)) > 0.0 {
            1.0
        } else {
            0.0
        };
        for (across, down) in [
            (x.wrapping_sub(1), y),
            (x.saturating_add(1), y),
            (x, y.wrapping_sub(1)),
            (x, y.saturating_add(1)),
        ] {
            if take(across, down) {
                waiting.push((across, down));
            }
        }
    }
    Some(Gathered {
        places,
        most,
        peak,
        moments,
        mass: weight,
        near_share: near_dots / dots,
    })
}

/// Differences near each other as one region, the clearest first.
fn joined(mut blobs: Vec<Blob>, dots_per_mm: f32) -> Vec<Region> {
    // Strokes of one digit count together.
    let near = DIGIT_MM * dots_per_mm;
    let together: Vec<f32> = blobs
        .iter()
        .map(|one| {
            let own = blobs.iter().filter(|it| {
                (float(it.peak.0) - float(one.peak.0)).abs() < near
                    && (float(it.peak.1) - float(one.peak.1)).abs() < near * 1.3
            });
            let strokes = own
                .clone()
                .filter(|it| !it.is_round && it.score > STROKE_SCORE)
                .count();
            let sum = own.map(|it| it.score * it.score).sum::<f32>().sqrt();
            // A round speck that nothing else changed beside is dust.
            if strokes == 0 { sum * DUST } else { sum }
        })
        .collect();
    for (blob, score) in blobs.iter_mut().zip(together) {
        blob.score = score;
    }
    // More are noise of a kind that no region explains; the heaviest tell the same.
    blobs.sort_by(|one, two| two.score.total_cmp(&one.score));
    blobs.truncate(MAX_REGIONS.saturating_mul(4));
    let gap = count(JOINED_MM * dots_per_mm);
    let mut whole: Vec<Blob> = Vec::new();
    for blob in blobs {
        let touching = whole.iter_mut().find(|it| {
            it.left <= blob.right.saturating_add(gap)
                && blob.left <= it.right.saturating_add(gap)
                && it.top <= blob.foot.saturating_add(gap)
                && blob.top <= it.foot.saturating_add(gap)
        });
        match touching {
            Some(it) => {
                it.left = it.left.min(blob.left);
                it.top = it.top.min(blob.top);
                it.right = it.right.max(blob.right);
                it.foot = it.foot.max(blob.foot);
                it.score = it.score.max(blob.score);
                it.kind = if it.kind == blob.kind {
                    it.kind
                } else {
                    Kind::Changed
                };
            }
            None => whole.push(blob),
        }
    }
    whole.retain(|it| it.score >= 1.0);
    whole.sort_by(|one, two| two.score.total_cmp(&one.score));
    whole.truncate(MAX_REGIONS);
    let mm = |dots: usize| float(dots) / dots_per_mm;
    let region = |it: Blob| Region {
        x_mm: mm(it.left),
        y_mm: mm(it.top),
        width_mm: mm(it.right.saturating_sub(it.left).saturating_add(1)),
        height_mm: mm(it.foot.saturating_sub(it.top).saturating_add(1)),
        score: it.score,
        kind: it.kind,
    };
    whole.into_iter().map(region).collect()
}
