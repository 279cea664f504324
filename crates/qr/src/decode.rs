//! The one place that knows rxing: black and white in, payloads out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::Point;
use rxing::common::{AIFlag, BitMatrix, DetectorRXingResult as _};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{
    FindFinderPatterns, FinderPatternSet, GenerateFinderPatternSets, SampleQR,
};

use crate::payload::Payload;

/// Triples of corner marks that are tried in one picture, the likeliest first. A page of writing has a dozen that look
/// like marks; one made to cost time has thousands.
pub(crate) const MAX_TRIPLES: usize = 32;

/// One code that was read, in the pixels of its picture.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) payload: Payload,
    /// Corners from the upper left one clockwise, as the code itself is written.
    pub(crate) corners: [(f32, f32); 4],
    pub(crate) is_part: bool,
    pub(crate) is_trade: bool,
}

/// Three corner marks that may belong to one code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triple {
    pub(crate) marks: [(f32, f32); 3],
    /// Width of a mark in pixels.
    pub(crate) size: f32,
    /// How far it is from a square's corner, 0 for none.
    pub(crate) skew: f32,
}

/// What one look at a picture gave.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) read: Vec<Read>,
    /// Likely triples that gave no code.
    pub(crate) missed: Vec<Triple>,
    /// Whether the decoder panicked.
    pub(crate) failed: bool,
}

/// Looks for codes: at most `most`, and at [`MAX_TRIPLES`] triples.
pub(crate) fn look(bits: &BitMatrix, most: usize) -> Look {
    let mut look = Look::default();
    let Some(sets) = guarded(|| {
        let mut marks = FindFinderPatterns(bits, true, 0);
        GenerateFinderPatternSets(&mut marks)
    }) else {
        look.failed = true;
        return look;
    };
    let mut triples: Vec<(Triple, FinderPatternSet)> =
        sets.into_iter().map(|set| (triple_of(&set), set)).collect();
    triples.sort_by(|(a, _), (b, _)| a.skew.total_cmp(&b.skew));
    let mut used: Vec<(f32, f32)> = Vec::new();
    for (triple, set) in triples.into_iter().take(MAX_TRIPLES) {
        if look.read.len() >= most {
            break;
        }
        if triple.marks.iter().any(|mark| used.contains(mark)) {
            continue;
        }
        match guarded(|| of_triple(bits, &set)) {
            Some(Some(read)) => {
                used.extend(triple.marks);
                look.read.push(read);
            }
            Some(None) => look.missed.push(triple),
            None => look.failed = true,
        }
    }
    look.missed
        .retain(|triple| !triple.marks.iter().any(|mark| used.contains(mark)));
    look
}

/// Runs a part of the decoder; `None` where it panicked.
///
/// rxing is a port that keeps the assertions of its original, and pictures from outside reach them. A panic there must
/// cost one triple of marks and no page, so it ends here; nothing of ours is changed inside.
fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

fn of_triple(bits: &BitMatrix, set: &FinderPatternSet) -> Option<Read> {
    let sampled = SampleQR(bits, set).ok()?;
    let corners = sampled.getPoints();
    let mut places = corners.iter().map(|corner| (corner.x, corner.y));
    let corners = [
        places.next()?,
        places.next()?,
        places.next()?,
        places.next()?,
    ];
    read_modules(sampled.getBits(), corners)
}

/// Reads a code whose modules are known.
pub(crate) fn read_modules(modules: &BitMatrix, corners: [(f32, f32); 4]) -> Option<Read> {
    let decoded = Decode(modules).ok()?;
    if !decoded.isValid() {
        return None;
    }
    let content = decoded.content();
    Some(Read {
        payload: Payload::of(content.bytes()),
        corners,
        is_part: decoded.structuredAppend().count > 1,
        is_trade: content.symbology.aiFlag != AIFlag::None,
    })
}

fn triple_of(set: &FinderPatternSet) -> Triple {
    let place = |point: Point| (point.x, point.y);
    let marks = [place(set.tl.p), place(set.tr.p), place(set.bl.p)];
    let [tl, tr, bl] = marks;
    let across = (tr.0 - tl.0, tr.1 - tl.1);
    let down = (bl.0 - tl.0, bl.1 - tl.1);
    let (width, height) = (across.0.hypot(across.1), down.0.hypot(down.1));
    let longest = width.max(height).max(1.0);
    let angle = (across.0 * down.0 + across.1 * down.1).abs() / (longest * longest);
    let sizes = [set.tl.size, set.tr.size, set.bl.size]
        .map(|size| f32::from(i16::try_from(size).unwrap_or(i16::MAX)));
    let largest = sizes.into_iter().fold(1.0, f32::max);
    let smallest = sizes.into_iter().fold(largest, f32::min);
    Triple {
        marks,
        size: (largest + smallest) / 2.0,
        skew: angle + (width - height).abs() / longest + (largest - smallest) / largest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_decoder_ends_at_its_triple() {
        assert_eq!(guarded(|| 7), Some(7));
        assert_eq!(guarded(|| -> u8 { panic!("planted") }), None);
    }
}
