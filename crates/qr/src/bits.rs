//! Black and white out of grey: three ways, for three kinds of light.

use rxing::common::{BitMatrix, HybridBinarizer};
use rxing::{Binarizer as _, Luma8LuminanceSource};

use crate::luma::Luma;
use crate::restore::range;

/// How black is told from white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// By the tones of the neighbourhood, in blocks of eight pixels: shade and stains.
    Blocks,
    /// By the mean of a square around each pixel, this many pixels to each side: soft and coarse pictures.
    Mean(usize),
    /// By half the way between the lightest and darkest around each pixel, this many to each side: modules of a code.
    Around(usize),
    /// One threshold for all: small pictures in even light.
    Whole,
    /// The darkest third between the darkest and the middling: what is printed, on stains that are darker than paper.
    Dark,
}

/// The black pixels of a picture; `None` where there is no telling.
pub(crate) fn bits_of(luma: &Luma, threshold: Threshold) -> Option<BitMatrix> {
    let width = u32::try_from(luma.width()).ok()?;
    let height = u32::try_from(luma.height()).ok()?;
    match threshold {
        Threshold::Blocks => {
            let source = Luma8LuminanceSource::new(luma.pixels().to_vec(), width, height).ok()?;
            HybridBinarizer::new(source)
                .get_black_matrix()
                .ok()
                .cloned()
        }
        Threshold::Mean(reach) => by_mean(luma, reach, width, height),
        Threshold::Around(reach) => around(luma, reach, width, height),
        Threshold::Whole => {
            let bound = otsu(luma.pixels());
            painted(luma, width, height, |_, _, tone| tone <= bound)
        }
        Threshold::Dark => {
            let bound = dark(luma.pixels());
            painted(luma, width, height, |_, _, tone| tone <= bound)
        }
    }
}

/// A third of the way from what one in fifty is darker than to what one in two is.
fn dark(pixels: &[u8]) -> u8 {
    let (darkest, _) = range(pixels, 50);
    let (middling, _) = range(pixels, 2);
    darkest.saturating_add(middling.saturating_sub(darkest) / 3)
}

/// Sets every pixel of which `is_black` says so by its place and tone.
fn painted(
    luma: &Luma,
    width: u32,
    height: u32,
    mut is_black: impl FnMut(usize, usize, u8) -> bool,
) -> Option<BitMatrix> {
    let mut bits = BitMatrix::new(width, height).ok()?;
    for (y, (row, line)) in luma.rows().zip(0_u32..).enumerate() {
        for (x, (tone, column)) in row.iter().zip(0_u32..).enumerate() {
            if is_black(x, y, *tone) {
                bits.set(column, line);
            }
        }
    }
    Some(bits)
}

/// Black is what is darker than 15/16 of the mean of its square.
fn by_mean(luma: &Luma, reach: usize, width: u32, height: u32) -> Option<BitMatrix> {
    let stride = luma.width().checked_add(1)?;
    // Sums of all pixels above and left of a place; a picture of the largest size stays below 2^32.
    let mut sums: Vec<u32> = vec![0; stride];
    sums.reserve(stride.checked_mul(luma.height())?);
    for row in luma.rows() {
        let above = sums.len().checked_sub(stride)?;
        let mut line = 0_u32;
        sums.push(0);
        for (x, tone) in row.iter().enumerate() {
            line = line.saturating_add(u32::from(*tone));
            let over = sums.get(above.checked_add(x)?.checked_add(1)?).copied()?;
            sums.push(over.saturating_add(line));
        }
    }
    let at = |x: usize, y: usize| {
        let place = y.saturating_mul(stride).saturating_add(x);
        u64::from(sums.get(place).copied().unwrap_or_default())
    };
    painted(luma, width, height, |x, y, tone| {
        let (left, top) = (x.saturating_sub(reach), y.saturating_sub(reach));
        let right = x.saturating_add(reach).saturating_add(1).min(luma.width());
        let bottom = y.saturating_add(reach).saturating_add(1).min(luma.height());
        let count = right
            .saturating_sub(left)
            .saturating_mul(bottom.saturating_sub(top));
        let sum = at(right, bottom)
            .saturating_add(at(left, top))
            .saturating_sub(at(right, top))
            .saturating_sub(at(left, bottom));
        let mine = u64::from(tone).saturating_mul(u64::try_from(count).unwrap_or(u64::MAX));
        mine.saturating_mul(16) < sum.saturating_mul(15)
    })
}

/// Black is what is darker than the middle between the mean of dark and of light ones around it.
fn around(luma: &Luma, reach: usize, width: u32, height: u32) -> Option<BitMatrix> {
    let rows: Vec<&[u8]> = luma.rows().collect();
    painted(luma, width, height, |x, y, tone| {
        let lines = rows.get(y.saturating_sub(reach)..).unwrap_or_default();
        let lines = lines
            .iter()
            .take(y.min(reach).saturating_add(reach).saturating_add(1));
        let near = lines.map(|line| {
            let from = line.get(x.saturating_sub(reach)..).unwrap_or_default();
            let wide = x.min(reach).saturating_add(reach).saturating_add(1);
            from.get(..wide).unwrap_or(from)
        });
        let (mut sum, mut count) = (0_u32, 0_u32);
        for line in near.clone() {
            sum = sum.saturating_add(line.iter().map(|tone| u32::from(*tone)).sum());
            count = count.saturating_add(u32::try_from(line.len()).unwrap_or_default());
        }
        let all = sum.checked_div(count).unwrap_or_default();
        let (mut dark, mut darks) = (0_u32, 0_u32);
        for line in near {
            for tone in line.iter().map(|tone| u32::from(*tone)) {
                let is_dark = u32::from(tone <= all);
                dark = dark.saturating_add(tone.saturating_mul(is_dark));
                darks = darks.saturating_add(is_dark);
            }
        }
        let light = sum.saturating_sub(dark);
        let light = light
            .checked_div(count.saturating_sub(darks))
            .unwrap_or_default();
        let dark = dark.checked_div(darks).unwrap_or_default();
        u32::from(tone).saturating_mul(2) <= dark.saturating_add(light)
    })
}

/// The tone that parts dark from light best.
///
/// # Source
/// Otsu: A threshold selection method from gray-level histograms (1979).
pub(crate) fn otsu(pixels: &[u8]) -> u8 {
    let mut counts = [0_u64; 256];
    for pixel in pixels {
        if let Some(count) = counts.get_mut(usize::from(*pixel)) {
            *count = count.saturating_add(1);
        }
    }
    let tones = || (0_u64..).zip(counts);
    let all: u64 = counts.iter().sum();
    let sum: u64 = tones()
        .map(|(tone, count)| tone.saturating_mul(count))
        .sum();
    let (mut below, mut dark, mut best, mut bound) = (0_u64, 0_u64, 0_u128, 127_u8);
    for (tone, count) in tones() {
        below = below.saturating_add(count);
        dark = dark.saturating_add(tone.saturating_mul(count));
        let above = all.saturating_sub(below);
        if below == 0 || above == 0 {
            continue;
        }
        // Variance between the two, times constants: (dark * above - light * below)^2 / (below * above).
        let light = sum.saturating_sub(dark);
        let apart = u128::from(dark)
            .saturating_mul(u128::from(above))
            .abs_diff(u128::from(light).saturating_mul(u128::from(below)));
        let weight = u128::from(below).saturating_mul(u128::from(above));
        let between = (apart / weight.max(1)).saturating_mul(apart);
        if between > best {
            best = between;
            bound = u8::try_from(tone).unwrap_or(u8::MAX);
        }
    }
    bound
}
