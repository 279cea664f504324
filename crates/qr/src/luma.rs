//! Grey pictures, and the few things that are done to them before a code is looked for.

/// A grey picture, row by row, 0 for black; never empty.
#[derive(Clone)]
pub(crate) struct Luma {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// A rectangle of a picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Area {
    /// Whether two rectangles share a pixel.
    pub(crate) const fn meets(&self, other: &Self) -> bool {
        self.left < other.left.saturating_add(other.width)
            && other.left < self.left.saturating_add(self.width)
            && self.top < other.top.saturating_add(other.height)
            && other.top < self.top.saturating_add(self.height)
    }
}

impl Luma {
    /// A picture of these pixels; `None` where their number does not fit.
    pub(crate) fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        let fits = width > 0 && height > 0 && width.checked_mul(height) == Some(pixels.len());
        fits.then_some(Self {
            width,
            height,
            pixels,
        })
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.width)
    }

    /// A row; the last one for a place behind it.
    fn row(&self, y: usize) -> &[u8] {
        let start = y
            .min(self.height.saturating_sub(1))
            .saturating_mul(self.width);
        let end = start.saturating_add(self.width);
        self.pixels.get(start..end).unwrap_or_default()
    }

    /// The tone between pixels (bilinear), in whose middle whole numbers and a half lie; the edge's outside.
    #[expect(
        clippy::as_conversions,
        reason = "a place is a fraction, held inside the picture before it counts pixels"
    )]
    pub(crate) fn tone_at(&self, x: f32, y: f32) -> f32 {
        let last = |length: usize| length.saturating_sub(1) as f32;
        let x = (x - 0.5).clamp(0.0, last(self.width));
        let y = (y - 0.5).clamp(0.0, last(self.height));
        let (left, top) = (x as usize, y as usize);
        let (dx, dy) = (x - left as f32, y - top as f32);
        let pair = |y: usize| {
            let row = self.row(y).get(left..).unwrap_or_default();
            let first = f32::from(row.first().copied().unwrap_or_default());
            let second = row.get(1).map_or(first, |tone| f32::from(*tone));
            first + (second - first) * dx
        };
        let upper = pair(top);
        upper + (pair(top.saturating_add(1)) - upper) * dy
    }

    /// What of an area lies inside, as a picture of its own; `None` where that is nothing.
    pub(crate) fn cut(&self, area: &Area) -> Option<Self> {
        let right = area.left.saturating_add(area.width).min(self.width);
        let bottom = area.top.saturating_add(area.height).min(self.height);
        let width = right.checked_sub(area.left).filter(|width| *width > 0)?;
        let height = bottom.checked_sub(area.top).filter(|height| *height > 0)?;
        let mut pixels = Vec::with_capacity(width.saturating_mul(height));
        for y in area.top..bottom {
            pixels.extend_from_slice(self.row(y).get(area.left..right)?);
        }
        Self::new(width, height, pixels)
    }

    /// Light for dark.
    pub(crate) fn inverted(&self) -> Self {
        Self {
            pixels: self.pixels.iter().map(|pixel| !pixel).collect(),
            ..*self
        }
    }

    /// Rows for columns.
    pub(crate) fn turned(&self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for x in 0..self.width {
            pixels.extend(self.pixels.iter().skip(x).step_by(self.width));
        }
        Self {
            width: self.height,
            height: self.width,
            pixels,
        }
    }

    /// Each pixel the darkest of its row from so many before it to so many after.
    pub(crate) fn least_along_rows(&self, before: usize, after: usize) -> Self {
        let size = before.saturating_add(after).saturating_add(1);
        let mut pixels = Vec::with_capacity(self.pixels.len());
        let mut line = Vec::with_capacity(self.width.saturating_add(size));
        for row in self.rows() {
            let edge = |pixel: Option<&u8>, count| {
                std::iter::repeat_n(pixel.copied().unwrap_or_default(), count)
            };
            line.clear();
            line.extend(edge(row.first(), before));
            line.extend_from_slice(row);
            line.extend(edge(row.last(), after));
            pixels.extend(
                line.windows(size)
                    .map(|near| near.iter().min().copied().unwrap_or_default()),
            );
        }
        Self { pixels, ..*self }
    }

    /// Half as wide and high, each pixel the mean of four; a last odd row or column is dropped.
    pub(crate) fn halved(&self) -> Option<Self> {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width.saturating_mul(height));
        for y in 0..height {
            let upper = self.row(y.saturating_mul(2)).chunks_exact(2);
            let lower = self
                .row(y.saturating_mul(2).saturating_add(1))
                .chunks_exact(2);
            pixels.extend(upper.zip(lower).map(|(upper, lower)| {
                let all = upper.iter().chain(lower).map(|pixel| u16::from(*pixel));
                u8::try_from(all.sum::<u16>().saturating_add(2) / 4).unwrap_or(u8::MAX)
            }));
        }
        Self::new(width, height, pixels)
    }

    /// Twice as wide and high, between the old pixels as between tones of a slope.
    pub(crate) fn doubled(&self) -> Option<Self> {
        let (width, height) = (self.width.checked_mul(2)?, self.height.checked_mul(2)?);
        let widened: Vec<Vec<u8>> = self.rows().map(doubled_row).collect();
        let mut pixels = Vec::with_capacity(width.checked_mul(height)?);
        for (y, row) in widened.iter().enumerate() {
            for near in [y.checked_sub(1), y.checked_add(1)] {
                let near = near.and_then(|near| widened.get(near)).unwrap_or(row);
                pixels.extend(row.iter().zip(near).map(|(at, near)| quarter(*at, *near)));
            }
        }
        Self::new(width, height, pixels)
    }

    /// With its edges brought out: twice the way from the softened picture.
    pub(crate) fn sharpened(&self) -> Self {
        let soft = self.softened().softened();
        let pairs = self.pixels.iter().zip(&soft.pixels);
        let pixels = pairs.map(|(at, soft)| {
            let (at, soft) = (i16::from(*at), i16::from(*soft));
            let sharp = at.saturating_add(at.saturating_sub(soft).saturating_mul(3));
            u8::try_from(sharp.clamp(0, 255)).unwrap_or(u8::MAX)
        });
        Self {
            pixels: pixels.collect(),
            ..*self
        }
    }

    /// Blurred by 1-2-1 in both directions: takes the grain of noise and of a halftone screen away.
    pub(crate) fn softened(&self) -> Self {
        let mut wide = Vec::with_capacity(self.pixels.len());
        for row in self.rows() {
            let after = row.iter().skip(1).chain(row.last());
            let before = row.first().into_iter().chain(row);
            let both = row.iter().zip(before).zip(after);
            wide.extend(both.map(|((at, before), after)| soft(*before, *at, *after)));
        }
        let wide = Self {
            pixels: wide,
            ..*self
        };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..self.height {
            let rows = wide.row(y.saturating_sub(1)).iter().zip(wide.row(y));
            let rows = rows.zip(wide.row(y.saturating_add(1)));
            pixels.extend(rows.map(|((before, at), after)| soft(*before, *at, *after)));
        }
        Self { pixels, ..*self }
    }
}

/// A row with twice as many pixels.
fn doubled_row(row: &[u8]) -> Vec<u8> {
    let before = row.first().into_iter().chain(row);
    let after = row.iter().skip(1).chain(row.last());
    let near = before.zip(after);
    row.iter()
        .zip(near)
        .flat_map(|(at, (before, after))| [quarter(*at, *before), quarter(*at, *after)])
        .collect()
}

/// A quarter of the way from `at` to `near`.
fn quarter(at: u8, near: u8) -> u8 {
    let sum = u16::from(at)
        .saturating_mul(3)
        .saturating_add(u16::from(near));
    u8::try_from(sum.saturating_add(2) / 4).unwrap_or(u8::MAX)
}

/// Mean of three with twice the weight for the middle one.
fn soft(before: u8, at: u8, after: u8) -> u8 {
    let sum = u16::from(before)
        .saturating_add(u16::from(at).saturating_mul(2))
        .saturating_add(u16::from(after));
    u8::try_from(sum.saturating_add(2) / 4).unwrap_or(u8::MAX)
}
