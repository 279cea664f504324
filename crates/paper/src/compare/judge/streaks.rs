//! What runs straight across a sheet without being a change of it: creases, streaks of a feeder, and the weight that a
//! rasteriser gives to the rules of a table.

use super::super::rules::{BESIDE, runs, turned};
use crate::plane::{Plane, quantile};

/// A stretch of a row or column by whose bare dots a crease is known: 14 mm, over which a crease stays in its row.
const CREASE_DOTS: usize = 80;

/// No crease or streak of a dirty glass darkens paper further; a line drawn with a pen does.
const MAX_CREASE: f32 = 0.35;

/// Expected ink below which a dot is bare paper.
const BARE: f32 = 0.1;

/// Takes off what all bare dots of a stretch of a row or a column have in common: the paper's folds, streaks of a feeder;
/// then what a rule has in common along its run.
pub(super) fn without(left_over: &Plane, predicted: &Plane, page: &Plane) -> Plane {
    let (due_turned, page_turned) = (turned(predicted), turned(page));
    let along = without_creases(left_over, predicted);
    let across = turned(&without_creases(&turned(left_over), &due_turned));
    // Where two creases cross the paper is as dark as the darker of them, not as both.
    let farther = |one: f32, two: f32| if one.abs() > two.abs() { one } else { two };
    let taken = left_over.with(&along, |before, after| before - after).with(
        &left_over.with(&across, |before, after| before - after),
        farther,
    );
    let clean = left_over.with(&taken, |before, taken| before - taken);
    let clean = without_rules(&clean, predicted, page);
    turned(&without_rules(&turned(&clean), &due_turned, &page_turned))
}

fn without_creases(left_over: &Plane, predicted: &Plane) -> Plane {
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

/// How far beyond a rule's ends, and within them, its cap is seen.
const CAP: usize = 4;

/// What a rule has in common is taken over so many dots to both sides, anew every so many.
const ALONG: usize = 24;
const STEP: usize = 8;

/// A rule may be so much fainter, as a share of what is expected, and so much darker, in ink, by a rasteriser's choice.
const FAINTER: f32 = 0.7;
const DARKER: f32 = 0.7;

/// Takes off what the dots along each rule of a row have in common: a rasteriser may draw it a dot thicker or thinner.
fn without_rules(left_over: &Plane, predicted: &Plane, page: &Plane) -> Plane {
    let mut clean = left_over.clone();
    let (width, height) = (left_over.width, left_over.height);
    let all: Vec<Vec<(usize, usize)>> = (0..height).map(|y| runs(page.row(y))).collect();
    for y in 0..height {
        // Runs of this row and of those beside it; overlapping ones are one rule.
        let beside =
            y.saturating_sub(BESIDE)..y.saturating_add(BESIDE).saturating_add(1).min(height);
        let mut near: Vec<(usize, usize)> = all.get(beside).unwrap_or_default().concat();
        near.sort_unstable();
        let mut whole: Vec<(usize, usize)> = Vec::new();
        for (from, to) in near {
            match whole.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => whole.push((from, to)),
            }
        }
        let (source, dues) = (left_over.row(y), predicted.row(y));
        let start = y.saturating_mul(width);
        let Some(row) = clean.data.get_mut(start..start.saturating_add(width)) else {
            continue;
        };
        for (from, to) in whole {
            levelled(row, source, dues, (from, to));
        }
    }
    clean
}

fn levelled(row: &mut [f32], source: &[f32], dues: &[f32], (from, to): (usize, usize)) {
    let mut around = Vec::with_capacity(ALONG * 2 + STEP);
    for first in (from..to).step_by(STEP) {
        let last = first.saturating_add(STEP).min(to);
        let (left, right) = (
            first.saturating_sub(ALONG).max(from),
            last.saturating_add(ALONG).min(to),
        );
        around.clear();
        around.extend_from_slice(source.get(left..right).unwrap_or_default());
        let common = quantile(&mut around, 0.5);
        let cells = row.get_mut(first..last).unwrap_or_default();
        for (cell, due) in cells
            .iter_mut()
            .zip(dues.get(first..last).unwrap_or_default())
        {
            *cell -= common.clamp(-FAINTER * due.max(0.0), DARKER);
        }
    }
    // Where a rule ends by a dot more or less is a rasteriser's choice too.
    for end in [from, to] {
        let cap = end.saturating_sub(CAP)..end.saturating_add(CAP).min(row.len());
        row.get_mut(cap).unwrap_or_default().fill(0.0);
    }
}
