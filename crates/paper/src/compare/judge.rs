//! What of the differences between page and scan is more than noise.

mod excuse;
mod misfit;

use misfit::{STEP, Scene};

use super::{DOTS_PER_MM, Kind, MAX_REGIONS, Quality, Reason, Region, expect};
use crate::num::{count, float, place};
use crate::plane::{Plane, quantile};

/// What was found.
pub(super) struct Judged {
    pub(super) regions: Vec<Region>,
    /// What only lies on the sheet.
    pub(super) remarks: Vec<Region>,
    pub(super) quality: Quality,
    pub(super) doubt: Option<Reason>,
}

/// Around the rectangle of all print: what is further out is no part of the document.
const MARGIN_MM: f32 = 3.0;

/// A window of the map counts from here on: what noise, toner and registration of a clean and of a noisy scan leave.
const LEAST_MISFIT: f32 = 2.8;

/// Of the misfit that one of a hundred windows with print exceeds: a page is measured by what it is like elsewhere.
const USUAL_FACTOR: f32 = 2.2;

/// A page that differs in many places is no measure of itself.
const MOST_MISFIT: f32 = 8.0;

/// A speck or a line excuses a window of which it leaves less than this share of what counts.
const EXCUSED: f32 = 0.8;

/// Windows farther than this from each other are judged each for itself.
const APART_MM: f32 = 1.2;

/// More windows than an officer looks at, or than a crease across the page has.
const MAX_PEAKS: usize = 300;

/// So many of them are looked at for specks and lines; a page with more is no dirty page.
const MAX_EXCUSED: usize = 200;

/// A dot takes part in a region from so many variances on.
const PART: f32 = 6.0;

/// Of what differs in a region, from which share on the lesser kind makes it a changed one.
const BOTH_SHARE: f32 = 0.25;

/// Differences nearer than this are one region: digits of a number.
const JOINED_MM: f32 = 0.5;

/// Share of tiles that must look as expected for the page to count as found at all.
const MIN_MATCHED: f32 = 0.25;

/// Standard deviation of noise above which strokes are lost in it.
const MAX_NOISE: f32 = 0.16;

pub(super) fn judge(page: &Plane, expected: &Plane, flat: &Plane, dots_per_mm: f32) -> Judged {
    let strength = expect::strength(expected, flat);
    let predicted = expected.with(&strength, |ink, share| ink * share);
    let left_over = flat.with(&predicted, |seen, due| seen - due);
    let noise = noise(&left_over, &nearby(page));
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
            remarks: Vec::new(),
            quality,
            doubt,
        };
    }
    let scene = Scene::of(&left_over, &predicted);
    let found = found(&scene, page, frame(page, count(MARGIN_MM * dots_per_mm)));
    let regions = joined(found.marks, dots_per_mm);
    Judged {
        regions,
        remarks: joined(found.remarks, dots_per_mm),
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
const CREASE_DOTS: usize = 160;

/// No crease or streak of a dirty glass darkens paper further; a line drawn with a pen does.
const MAX_CREASE: f32 = 0.35;

/// Expected ink below which a dot is bare paper.
const BARE: f32 = 0.04;

/// Takes off what all bare dots of a stretch of a row or a column have in common: the paper's folds, streaks of a feeder.
fn without_creases(left_over: &Plane, predicted: &Plane) -> Plane {
    let along = without_streaks(left_over, predicted);
    let across = turned(&without_streaks(&turned(left_over), &turned(predicted)));
    // Where two creases cross the paper is as dark as the darker of them, not as both.
    let taken = left_over.with(&along, |before, after| before - after);
    let other = left_over.with(&across, |before, after| before - after);
    let larger = taken.with(
        &other,
        |one, two| if one.abs() > two.abs() { one } else { two },
    );
    left_over.with(&larger, |before, taken| before - taken)
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
            // A crease darkens paper; toner is as dark as it was.
            for (over, due) in cells.iter_mut().zip(dues) {
                *over -= common * (1.0 - due).clamp(0.0, 1.0);
            }
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
    let tile = 48;
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
            if ink > 70.0 {
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

/// A difference: its rectangle in dots, its misfit against what counts there, its kind.
struct Blob {
    left: usize,
    top: usize,
    right: usize,
    foot: usize,
    score: f32,
    kind: Kind,
}

/// What lies on the page: changes of it, and what only lies there.
#[derive(Default)]
struct Found {
    marks: Vec<Blob>,
    remarks: Vec<Blob>,
}

/// Windows that are far from what was printed, parted by whether a speck or a line excuses them.
fn found(scene: &Scene, page: &Plane, frame: [usize; 4]) -> Found {
    let map = scene.map(1.0);
    let counts_from = counts_from(&map, page);
    let mut found = Found::default();
    for (at, (x, y, misfit)) in peaks(map, counts_from, frame).into_iter().enumerate() {
        let excused = at < MAX_EXCUSED
            && excuse::excused(scene, (x, y))
                .iter()
                .any(|rest| *rest < counts_from * EXCUSED);
        let blob = blob(scene, (x, y), misfit / counts_from);
        if excused {
            found.remarks.push(blob);
        } else {
            found.marks.push(blob);
        }
    }
    found
}

/// The misfit from which on a window counts, by what windows with print of this page have.
fn counts_from(map: &Plane, page: &Plane) -> f32 {
    let mut usual = Vec::new();
    for y in 0..map.height {
        for (x, misfit) in map.row(y).iter().enumerate() {
            let ink = page.at(place(x.saturating_mul(STEP)), place(y.saturating_mul(STEP)));
            if ink > 0.3 {
                usual.push(*misfit);
            }
        }
    }
    (quantile(&mut usual, 0.99) * USUAL_FACTOR).clamp(LEAST_MISFIT, MOST_MISFIT)
}

/// The places of the farthest windows, each so far from the others that it is another one; in dots of the page.
fn peaks(mut map: Plane, counts_from: f32, frame: [usize; 4]) -> Vec<(usize, usize, f32)> {
    let [left, top, right, foot] = frame.map(|it| it / STEP);
    let mut over: Vec<(f32, usize, usize)> = Vec::new();
    for y in top..foot.saturating_add(1).min(map.height) {
        let row = map.run(left, y, right.saturating_sub(left).saturating_add(1));
        let cells = row
            .iter()
            .zip(left..)
            .filter(|(misfit, _)| **misfit > counts_from);
        over.extend(cells.map(|(misfit, x)| (*misfit, x, y)));
    }
    over.sort_by(|one, two| two.0.total_cmp(&one.0));
    let apart = count(APART_MM * DOTS_PER_MM / float(STEP));
    let mut peaks = Vec::new();
    for (misfit, x, y) in over {
        if map.at(place(x), place(y)) <= 0.0 {
            continue;
        }
        for row in y.saturating_sub(apart)..=y.saturating_add(apart) {
            for column in x.saturating_sub(apart)..=x.saturating_add(apart) {
                map.set(column, row, 0.0);
            }
        }
        peaks.push((x.saturating_mul(STEP), y.saturating_mul(STEP), misfit));
        if peaks.len() >= MAX_PEAKS {
            break;
        }
    }
    peaks
}

/// The rectangle of the dots around a place that differ, and how.
fn blob(scene: &Scene, (x, y): (usize, usize), score: f32) -> Blob {
    let reach = count(APART_MM * DOTS_PER_MM * 0.7);
    let mut blob = Blob {
        left: x,
        top: y,
        right: x,
        foot: y,
        score,
        kind: Kind::Changed,
    };
    let (mut added, mut missing) = (0.0_f32, 0.0_f32);
    for row in y.saturating_sub(reach)..=y.saturating_add(reach) {
        for column in x.saturating_sub(reach)..=x.saturating_add(reach) {
            let over = scene.left_over.at(place(column), place(row));
            if over * over * scene.trust.at(place(column), place(row)) < PART {
                continue;
            }
            blob.left = blob.left.min(column);
            blob.top = blob.top.min(row);
            blob.right = blob.right.max(column);
            blob.foot = blob.foot.max(row);
            added += over.max(0.0);
            missing -= over.min(0.0);
        }
    }
    blob.kind = if missing < added * BOTH_SHARE {
        Kind::Added
    } else if added < missing * BOTH_SHARE {
        Kind::Missing
    } else {
        Kind::Changed
    };
    blob
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
