//! What of the differences between page and scan is more than noise.

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

/// How far, in dots, an edge may lie from where it is expected without being a difference.
const EDGE_TOLERANCE: f32 = 0.35;

/// Smoothing before a difference is looked for, in dots: a stroke of a digit is 1.2 wide.
const SMOOTHING: f32 = 0.9;

/// A smoothed difference below this share of full ink is none.
const LEAST: f32 = 0.12;

/// Of noise: a smoothed difference this many of its standard deviations high is some.
const NOISE_FACTOR: f32 = 6.0;

/// Weight (square millimetres of full ink) from which a difference takes part in a region at all.
const PART_MM2: f32 = 0.008;

/// Weight of a region from which it counts beside or within print: a fifth of a digit of 6 points.
const PRINT_MM2: f32 = 0.03;

/// The same on bare paper, where dust and the dots of a dirty glass lie: a dot of 0.4 mm.
const PAPER_MM2: f32 = 0.06;

/// Differences nearer than this are one region: the strokes of a digit.
const JOINED_MM: f32 = 0.5;

/// Share of tiles that must look as expected for the page to count as found at all.
const MIN_MATCHED: f32 = 0.25;

/// Standard deviation of noise above which strokes are lost in it.
const MAX_NOISE: f32 = 0.16;

pub(super) fn judge(page: &Plane, expected: &Plane, flat: &Plane, dots_per_mm: f32) -> Judged {
    let strength = expect::strength(expected, flat);
    let predicted = expected.with(&strength, |ink, share| ink * share);
    let left_over = flat.with(&predicted, |seen, due| seen - due);
    let near = nearby(page);
    let noise = noise(&left_over, &near);
    let left_over = without_creases(&left_over, &predicted);
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
    let slope = slopes(&predicted);
    let tolerance = slope.with(&predicted, |slope, _ink| slope * EDGE_TOLERANCE);
    let frame = frame(page, count(MARGIN_MM * dots_per_mm));
    let least = LEAST.max(noise * NOISE_FACTOR / (SMOOTHING * 3.5));
    let mut marks = Vec::new();
    for (sign, kind) in [(1.0, Kind::Added), (-1.0, Kind::Missing)] {
        let beyond = left_over.with(&tolerance, |over, edge| (over * sign - edge).max(0.0));
        marks.extend(blobs(&beyond, &near, frame, least, kind));
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

/// A stretch of a row or column by whose bare dots a crease is known: 20 mm, over which a crease stays in its row.
const CREASE_DOTS: usize = 120;

/// No crease or streak of a dirty glass darkens paper further; a line drawn with a pen does.
const MAX_CREASE: f32 = 0.35;

/// Expected ink below which a dot is bare paper.
const BARE: f32 = 0.04;

/// Takes off what all bare dots of a stretch of a row or a column have in common: the paper's folds, streaks of a feeder.
fn without_creases(left_over: &Plane, predicted: &Plane) -> Plane {
    let rows = without_streaks(left_over, predicted);
    turned(&without_streaks(&turned(&rows), &turned(predicted)))
}

fn without_streaks(left_over: &Plane, predicted: &Plane) -> Plane {
    let mut clean = left_over.clone();
    let mut bare = Vec::with_capacity(CREASE_DOTS);
    let width = left_over.width.max(1);
    for (row, dues) in clean
        .data
        .chunks_exact_mut(width)
        .zip(predicted.data.chunks_exact(width))
    {
        let mut common = 0.0;
        for (cells, dues) in row.chunks_mut(CREASE_DOTS).zip(dues.chunks(CREASE_DOTS)) {
            bare.clear();
            bare.extend(
                cells
                    .iter()
                    .zip(dues)
                    .filter(|(_, due)| **due < BARE)
                    .map(|(over, _)| *over),
            );
            // A stretch without bare dots goes on as the one before it.
            if bare.len() > CREASE_DOTS / 4 {
                common = quantile(&mut bare, 0.5).clamp(-MAX_CREASE, MAX_CREASE);
            }
            cells.iter_mut().for_each(|over| *over -= common);
        }
    }
    clean
}

fn turned(picture: &Plane) -> Plane {
    Plane::drawn(picture.height, picture.width, |x, y| {
        picture.at(place(y), place(x))
    })
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

/// The steepest of the expected ink around each dot, a dot.
fn slopes(predicted: &Plane) -> Plane {
    let (high, low) = (predicted.spread(), predicted.shrunk());
    high.with(&low, |high, low| (high - low) / 2.0)
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
    kind: Kind,
}

/// Dots that hang together above the least difference, heavy enough to count.
fn blobs(
    beyond: &Plane,
    near: &Plane,
    [left, top, right, foot]: [usize; 4],
    least: f32,
    kind: Kind,
) -> Vec<Blob> {
    let dot_mm2 = 1.0 / (DOTS_PER_MM * DOTS_PER_MM);
    let smooth = beyond.blurred(SMOOTHING);
    let mut open: Vec<bool> = smooth.data.iter().map(|value| *value > least).collect();
    let mut found = Vec::new();
    for y in top..foot.saturating_add(1).min(beyond.height) {
        for x in left..right.saturating_add(1).min(beyond.width) {
            let blob = gathered(&mut open, &smooth, near, (x, y));
            let Some((places, dots, near_share)) = blob else {
                continue;
            };
            let weight = dots * dot_mm2;
            if weight >= PART_MM2 {
                let [left, top, right, foot] = places;
                let score = weight
                    / if near_share > 0.3 {
                        PRINT_MM2
                    } else {
                        PAPER_MM2
                    };
                found.push(Blob {
                    left,
                    top,
                    right,
                    foot,
                    score,
                    kind,
                });
            }
        }
    }
    found
}

/// Takes the blob at a place out of `open`: its rectangle, its weight, and how much of it is near print.
fn gathered(
    open: &mut [bool],
    smooth: &Plane,
    near: &Plane,
    start: (usize, usize),
) -> Option<([usize; 4], f32, f32)> {
    let width = smooth.width;
    let index = |x: usize, y: usize| {
        (x < width && y < smooth.height).then(|| y.saturating_mul(width).saturating_add(x))
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
    let (mut weight, mut dots, mut near_dots) = (0.0, 0.0, 0.0);
    while let Some((x, y)) = waiting.pop() {
        let [left, top, right, foot] = places;
        places = [left.min(x), top.min(y), right.max(x), foot.max(y)];
        weight += smooth.at(place(x), place(y));
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
    Some((places, weight, near_dots / dots))
}

/// Differences near each other as one region, the clearest first.
fn joined(mut blobs: Vec<Blob>, dots_per_mm: f32) -> Vec<Region> {
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
                it.score += blob.score;
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
