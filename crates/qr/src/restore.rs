//! What harm took from a picture, brought back: light that differs from line to line, scratches, focus.

use crate::luma::Luma;

/// Lines whose lightest and darkest lie nearer than this are plain paper, and stay white: what differs is noise.
const LEAST_SPAN: u8 = 24;

/// The largest picture that is brought into focus: twice an area of a page at 400 dpi.
const MAX_FOCUS_PIXELS: usize = 1 << 19;

/// Steps of [`refocused`]: twenty read no more pages of the grid than twelve, and bring out more noise.
const FOCUS_STEPS: usize = 12;

/// Spread of a lens that counts as out of focus, in pixels; below it, sharpening does.
const LEAST_BLUR: f32 = 1.2;

/// The largest spread that is undone: beyond it nothing is left of modules as large as offices print them at 300 dpi.
const MOST_BLUR: f32 = 4.0;

/// Each row brought to the whole range from black to white: a fold along it, whose toner has flaked off, comes back.
pub(crate) fn levelled_rows(luma: &Luma) -> Luma {
    let mut pixels = Vec::with_capacity(luma.pixels().len());
    for row in luma.rows() {
        let (low, high) = range(row, 20);
        let span = u32::from(high.saturating_sub(low).max(LEAST_SPAN));
        pixels.extend(row.iter().map(|tone| {
            let below = u32::from(high.saturating_sub(*tone)).saturating_mul(255) / span;
            u8::MAX.saturating_sub(u8::try_from(below).unwrap_or(u8::MAX))
        }));
    }
    Luma::new(luma.width(), luma.height(), pixels).unwrap_or_else(|| luma.clone())
}

/// The same for columns.
pub(crate) fn levelled_columns(luma: &Luma) -> Luma {
    levelled_rows(&luma.turned()).turned()
}

/// Without what is light and narrower than `size` pixels: scratches through dark modules, but not light modules.
pub(crate) fn opened(luma: &Luma, size: usize) -> Luma {
    let more = size.saturating_sub(1);
    let least = |luma: &Luma, before, after| {
        let rows = luma.least_along_rows(before, after).turned();
        rows.least_along_rows(before, after).turned()
    };
    least(&least(luma, 0, more).inverted(), more, 0).inverted()
}

/// The tones that one in `part` pixels is darker and lighter than.
pub(crate) fn range(tones: &[u8], part: usize) -> (u8, u8) {
    let mut counts = [0_usize; 256];
    for tone in tones {
        if let Some(count) = counts.get_mut(usize::from(*tone)) {
            *count = count.saturating_add(1);
        }
    }
    let few = tones.len() / part;
    let reached = |counts: &[(u8, usize)]| {
        let mut seen = 0_usize;
        let found = counts.iter().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen > few
        });
        found.map_or(0, |(tone, _)| *tone)
    };
    let mut counts: Vec<(u8, usize)> = (0..=u8::MAX).zip(counts).collect();
    let low = reached(&counts);
    counts.reverse();
    (low, reached(&counts))
}

/// How far out of focus a picture is: the spread in pixels of a lens that makes its sharpest edges as soft as they are.
pub(crate) fn blur_of(luma: &Luma) -> f32 {
    let (low, high) = range(luma.pixels(), 50);
    let mut steps: Vec<u8> = Vec::with_capacity(luma.pixels().len());
    for row in luma.rows() {
        let pairs = row.iter().zip(row.iter().skip(2));
        steps.extend(pairs.map(|(a, b)| a.abs_diff(*b)));
    }
    let (_, steepest) = range(&steps, 1_000);
    // An edge of a Gaussian lens climbs by contrast / (spread * sqrt(2 pi)) a pixel at its middle; two pixels here.
    f32::from(high.saturating_sub(low)) / (f32::from(steepest.max(1)) / 2.0 * 2.507)
}

/// A picture brought into focus, where it is out of it: the lens is undone step by step, between black and white, each
/// step going on in the direction of those before it.
///
/// # Source
/// van Cittert: Zum Einfluß der Spaltbreite auf die Intensitätsverteilung in Spektrallinien (1931), II; Nesterov: A method
/// of solving a convex programming problem with convergence rate O(1/k²) (1983).
pub(crate) fn refocused(luma: &Luma) -> Option<Luma> {
    let spread = blur_of(luma);
    let is_large = luma.pixels().len() > MAX_FOCUS_PIXELS;
    if is_large || !(LEAST_BLUR..=MOST_BLUR).contains(&spread) {
        return None;
    }
    let weights = lens(spread);
    let seen: Vec<f32> = luma.pixels().iter().map(|tone| f32::from(*tone)).collect();
    let mut sharp = seen.clone();
    let mut ahead = seen.clone();
    let mut pace = 1.0_f32;
    for _step in 0..FOCUS_STEPS {
        let again = through(&ahead, luma.width(), &weights);
        let next_pace = (1.0 + (1.0 + 4.0 * pace * pace).sqrt()) / 2.0;
        let push = (pace - 1.0) / next_pace;
        pace = next_pace;
        for ((sharp, ahead), (seen, again)) in sharp
            .iter_mut()
            .zip(&mut ahead)
            .zip(seen.iter().zip(&again))
        {
            let next = (*ahead + seen - again).clamp(0.0, 255.0);
            *ahead = next + (next - *sharp) * push;
            *sharp = next;
        }
    }
    let pixels = sharp.iter().map(|tone| byte(*tone)).collect();
    Luma::new(luma.width(), luma.height(), pixels)
}

/// Weights of a Gaussian lens, to three spreads on each side.
fn lens(spread: f32) -> Vec<f32> {
    let weight = |at: i16| (-(f32::from(at) / spread).powi(2) / 2.0).exp();
    let reach = reach_of(spread);
    let weights: Vec<f32> = (-reach..=reach).map(weight).collect();
    let all: f32 = weights.iter().sum();
    weights.iter().map(|weight| weight / all).collect()
}

/// A picture through a lens: along rows, then along columns.
fn through(tones: &[f32], width: usize, weights: &[f32]) -> Vec<f32> {
    let reach = weights.len() / 2;
    let mut wide: Vec<f32> = vec![0.0; tones.len()];
    let mut line = Vec::with_capacity(width.saturating_add(weights.len()));
    for (row, to) in tones.chunks_exact(width).zip(wide.chunks_exact_mut(width)) {
        let (first, last) = (row.first(), row.last());
        line.clear();
        line.extend(std::iter::repeat_n(
            first.copied().unwrap_or_default(),
            reach,
        ));
        line.extend_from_slice(row);
        line.extend(std::iter::repeat_n(
            last.copied().unwrap_or_default(),
            reach,
        ));
        for (at, weight) in weights.iter().enumerate() {
            add(to, line.get(at..).unwrap_or_default(), *weight);
        }
    }
    let rows: Vec<&[f32]> = wide.chunks_exact(width).collect();
    let mut out: Vec<f32> = vec![0.0; tones.len()];
    let last = rows.len().saturating_sub(1);
    for (y, to) in out.chunks_exact_mut(width).enumerate() {
        for (at, weight) in weights.iter().enumerate() {
            let from = y.saturating_add(at).saturating_sub(reach).min(last);
            add(to, rows.get(from).copied().unwrap_or_default(), *weight);
        }
    }
    out
}

fn add(to: &mut [f32], from: &[f32], weight: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from * weight;
    }
}

#[expect(
    clippy::as_conversions,
    reason = "a float's cast to an integer saturates"
)]
mod cast {
    pub(super) const fn byte(tone: f32) -> u8 {
        tone as u8
    }

    pub(super) fn reach_of(spread: f32) -> i16 {
        (spread * 3.0).ceil() as i16
    }
}

use cast::{byte, reach_of};

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, tone: impl Fn(usize, usize) -> u8) -> Luma {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Luma::new(width, height, pixels.map(|(x, y)| tone(x, y)).collect()).unwrap()
    }

    #[test]
    fn a_pale_line_gets_its_ink_back_and_plain_paper_stays_white() {
        let pale = |x: usize, y: usize| match (x / 8 % 2, y) {
            (0, 3) => 150,
            (_, 3) => 190,
            (_, 5) => 248 + u8::try_from(x % 2).unwrap(),
            (0, _) => 20,
            _ => 250,
        };
        let (rows, columns) = (picture(64, 8, pale), picture(8, 64, |x, y| pale(y, x)));
        for levelled in [levelled_rows(&rows), levelled_columns(&columns).turned()] {
            let line = |y: usize| levelled.rows().nth(y).unwrap().to_vec();
            assert_eq!(line(3), line(2), "the pale line is as its neighbours");
            assert!(line(5).iter().all(|tone| *tone > 230), "{:?}", line(5));
        }
    }

    #[test]
    fn opening_closes_thin_scratches_and_keeps_light_modules() {
        // Dark, with a light square of six pixels and a scratch of four across.
        let scratched = |x: usize, y: usize| match (x, y) {
            (6..12, 6..12) => 250,
            (20..24, _) => 238,
            _ => 20,
        };
        let opened = opened(&picture(36, 36, scratched), 5);
        let expected = picture(36, 36, |x, y| match (x, y) {
            (6..12, 6..12) => 250,
            _ => 20,
        });
        assert!(opened.pixels() == expected.pixels());
    }

    #[test]
    fn the_spread_of_a_lens_is_measured_and_undone() {
        let sharp = picture(96, 96, |x, _| if x / 12 % 2 == 0 { 20 } else { 240 });
        let tones: Vec<f32> = sharp.pixels().iter().map(|tone| f32::from(*tone)).collect();
        let soft = through(&tones, 96, &lens(2.5));
        let soft = Luma::new(96, 96, soft.into_iter().map(byte).collect()).unwrap();
        let spread = blur_of(&soft);
        assert!((2.2..2.8).contains(&spread), "{spread}");
        let focused = refocused(&soft).unwrap();
        let steepest = |luma: &Luma| {
            let row = luma.rows().nth(48).unwrap();
            row.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max()
        };
        assert!(steepest(&focused) > steepest(&soft).map(|step| step * 2));
    }

    #[test]
    fn what_is_in_focus_or_too_large_is_left_alone() {
        let stripes = |side: usize, tone: fn(usize) -> u8| picture(side, side, |x, _| tone(x));
        let sharp = stripes(96, |x| if x / 12 % 2 == 0 { 20 } else { 240 });
        assert!(refocused(&sharp).is_none());
        assert!(refocused(&stripes(96, |_| 250)).is_none());
        let soft = |x: usize| u8::try_from(120 + (x % 16).abs_diff(8) * 12).unwrap();
        assert!(refocused(&stripes(720, soft)).is_some());
        assert!(refocused(&stripes(730, soft)).is_none());
    }
}
