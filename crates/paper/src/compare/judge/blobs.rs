//! Differences that hang together, and which of them are one.

use super::super::{DOTS_PER_MM, Kind, MAX_REGIONS, Region};
use crate::num::{count, float, place};
use crate::plane::Plane;

/// A difference: its rectangle in dots, its weight against what counts there, its kind.
pub(super) struct Blob {
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

impl Blob {
    /// Whether no more than `gap` dots lie between the two rectangles.
    const fn touches(&self, other: &Self, gap: usize) -> bool {
        self.left <= other.right.saturating_add(gap)
            && other.left <= self.right.saturating_add(gap)
            && self.top <= other.foot.saturating_add(gap)
            && other.top <= self.foot.saturating_add(gap)
    }

    /// Becomes the rectangle around both.
    fn take(&mut self, other: &Self) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.foot = self.foot.max(other.foot);
        self.score = self.score.max(other.score);
        if self.kind != other.kind {
            self.kind = Kind::Changed;
        }
    }
}

/// Dots that hang together beyond noise.
pub(super) fn blobs(
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

/// Ink of a difference on bare paper from where on it counts, where dust and the dots of a dirty glass lie: a dot of 0.4 mm.
const PAPER_MM2: f32 = 0.09;

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

/// Differences nearer than this are one region: the strokes of a digit.
const JOINED_MM: f32 = 0.5;

/// Differences near each other as one region, the clearest first.
pub(super) fn joined(mut blobs: Vec<Blob>) -> Vec<Region> {
    // Strokes of one digit count together.
    let near = DIGIT_MM * DOTS_PER_MM;
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
    let gap = count(JOINED_MM * DOTS_PER_MM);
    let mut whole: Vec<Blob> = Vec::new();
    for blob in blobs {
        match whole.iter_mut().find(|it| it.touches(&blob, gap)) {
            Some(it) => it.take(&blob),
            None => whole.push(blob),
        }
    }
    whole.retain(|it| it.score >= 1.0);
    // By what they took some touch now that did not: one change is framed once.
    let mut apart: Vec<Blob> = Vec::new();
    for mut blob in whole {
        while let Some(at) = apart.iter().position(|it| it.touches(&blob, gap)) {
            blob.take(&apart.swap_remove(at));
        }
        apart.push(blob);
    }
    let mut whole = apart;
    whole.sort_by(|one, two| two.score.total_cmp(&one.score));
    whole.truncate(MAX_REGIONS);
    let mm = |dots: usize| float(dots) / DOTS_PER_MM;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(left: usize, right: usize, score: f32, kind: Kind) -> Blob {
        Blob {
            left,
            top: 100,
            right,
            foot: 110,
            score,
            peak: (left, 105),
            is_round: false,
            kind,
        }
    }

    #[test]
    fn what_touches_only_when_others_were_joined_is_framed_once() {
        // The middle one, the faintest, is taken by the first; the third then lies over both.
        let regions = joined(vec![
            blob(0, 20, 3.0, Kind::Added),
            blob(60, 80, 2.5, Kind::Added),
            blob(15, 65, 2.0, Kind::Missing),
        ]);
        let [region] = regions.as_slice() else {
            panic!("{regions:?}");
        };
        assert_eq!((region.kind, region.x_mm), (Kind::Changed, 0.0));
        assert!((region.width_mm - 81.0 / DOTS_PER_MM).abs() < 0.01);
        let apart = joined(vec![
            blob(0, 20, 3.0, Kind::Added),
            blob(60, 80, 2.5, Kind::Added),
        ]);
        assert_eq!(apart.len(), 2, "the control: what lies apart stays two");
    }
}
