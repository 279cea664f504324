//! A picture as numbers that can be computed with.

use crate::num::{count, float, floor, from_place, length, place};

/// Rows of numbers from the top left; a personal page as much as its pixels are, so it has no `Debug` of its contents.
#[derive(Clone)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<f32>,
}

impl Plane {
    /// All zero.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![0.0; width.saturating_mul(height)],
        }
    }

    /// One value a place, by its column and row.
    pub(crate) fn drawn(
        width: usize,
        height: usize,
        mut value: impl FnMut(usize, usize) -> f32,
    ) -> Self {
        let mut data = Vec::with_capacity(width.saturating_mul(height));
        for y in 0..height {
            data.extend((0..width).map(|x| value(x, y)));
        }
        Self {
            width,
            height,
            data,
        }
    }

    /// A plane of each of the values that every place has.
    pub(crate) fn of_each<const N: usize>(
        (width, height): (usize, usize),
        places: &[[f32; N]],
    ) -> [Self; N] {
        std::array::from_fn(|value| Self {
            width,
            height,
            data: places
                .iter()
                .map(|place| place.get(value).copied().unwrap_or_default())
                .collect(),
        })
    }

    /// The value at a place; 0 outside.
    pub(crate) fn at(&self, x: isize, y: isize) -> f32 {
        if x < 0 || y < 0 || from_place(x) >= self.width {
            return 0.0;
        }
        let index = from_place(y)
            .saturating_mul(self.width)
            .saturating_add(from_place(x));
        self.data.get(index).copied().unwrap_or_default()
    }

    /// The value at a place; the nearest one outside.
    pub(crate) fn near(&self, x: isize, y: isize) -> f32 {
        let x = x.clamp(0, place(self.width).saturating_sub(1));
        let y = y.clamp(0, place(self.height).saturating_sub(1));
        self.at(x, y)
    }

    /// `N` values of a row, an odd number, around a place; 0 outside.
    pub(crate) fn around<const N: usize>(&self, x: isize, y: isize) -> [f32; N] {
        let first = x.saturating_sub(place(N / 2));
        if first >= 0 && y >= 0 && from_place(y) < self.height {
            let values = self.run(from_place(first), from_place(y), N);
            if let Ok(values) = values.try_into() {
                return values;
            }
        }
        std::array::from_fn(|offset| self.at(first.saturating_add(place(offset)), y))
    }

    pub(crate) fn set(&mut self, x: usize, y: usize, value: f32) {
        if x < self.width
            && let Some(cell) = self
                .data
                .get_mut(y.saturating_mul(self.width).saturating_add(x))
        {
            *cell = value;
        }
    }

    pub(crate) fn row(&self, y: usize) -> &[f32] {
        let start = y.saturating_mul(self.width);
        self.data
            .get(start..start.saturating_add(self.width))
            .unwrap_or_default()
    }

    /// Columns `x..x + width` of a row, cut at the picture's edge.
    pub(crate) fn run(&self, x: usize, y: usize, width: usize) -> &[f32] {
        let row = self.row(y);
        row.get(x..x.saturating_add(width).min(self.width))
            .unwrap_or_default()
    }

    /// Between four places, linearly; 0 outside.
    pub(crate) fn sample(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (floor(x), floor(y));
        let (right_share, low_share) = (x - length(left), y - length(top));
        let high = self.between(left, top, right_share);
        let low = self.between(left, top.saturating_add(1), right_share);
        high + (low - high) * low_share
    }

    fn between(&self, left: isize, y: isize, share: f32) -> f32 {
        let right = left.saturating_add(1);
        if left < 0 || y < 0 || from_place(right) >= self.width {
            return self.at(left, y) * (1.0 - share) + self.at(right, y) * share;
        }
        let index = from_place(y)
            .saturating_mul(self.width)
            .saturating_add(from_place(left));
        match self.data.get(index..index.saturating_add(2)) {
            Some([here, next]) => here + (next - here) * share,
            _outside => 0.0,
        }
    }

    /// Between sixteen places, by Catmull and Rom's curve: keeps edges sharper than [`Self::sample`]; 0 outside.
    pub(crate) fn sharp_sample(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (floor(x), floor(y));
        let across = cubic(x - length(left));
        let down = cubic(y - length(top));
        let mut sum = 0.0;
        for (offset, weight) in (-1_isize..).zip(down) {
            sum += weight * self.four(left, top.saturating_add(offset), across);
        }
        sum
    }

    fn four(&self, left: isize, y: isize, weights: [f32; 4]) -> f32 {
        let first = left.saturating_sub(1);
        if first >= 0 && y >= 0 && from_place(left.saturating_add(2)) < self.width {
            let index = from_place(y)
                .saturating_mul(self.width)
                .saturating_add(from_place(first));
            return match self.data.get(index..index.saturating_add(4)) {
                Some(values) => values
                    .iter()
                    .zip(weights)
                    .map(|(value, weight)| value * weight)
                    .sum(),
                None => 0.0,
            };
        }
        (0_isize..)
            .zip(weights)
            .map(|(offset, weight)| self.at(first.saturating_add(offset), y) * weight)
            .sum()
    }

    /// Smoothed with a bell curve of that standard deviation in pixels.
    pub(crate) fn blurred(&self, sigma: f32) -> Self {
        self.convolved(&bell(sigma))
    }

    /// Along rows, then along columns, with the same odd number of weights; edges are continued.
    pub(crate) fn convolved(&self, weights: &[f32]) -> Self {
        let reach = weights.len() / 2;
        let mut across = Self::new(self.width, self.height);
        let mut padded = Vec::with_capacity(self.width.saturating_add(weights.len()));
        for (y, out) in across.data.chunks_exact_mut(self.width.max(1)).enumerate() {
            let row = self.row(y);
            padded.clear();
            padded.extend(std::iter::repeat_n(
                row.first().copied().unwrap_or_default(),
                reach,
            ));
            padded.extend_from_slice(row);
            padded.extend(std::iter::repeat_n(
                row.last().copied().unwrap_or_default(),
                reach,
            ));
            for (offset, weight) in weights.iter().enumerate() {
                let from = padded.get(offset..).unwrap_or_default();
                out.iter_mut()
                    .zip(from)
                    .for_each(|(sum, value)| *sum += value * weight);
            }
        }
        let mut down = Self::new(self.width, self.height);
        for (y, out) in down.data.chunks_exact_mut(self.width.max(1)).enumerate() {
            for (offset, weight) in weights.iter().enumerate() {
                let from = y
                    .saturating_add(offset)
                    .saturating_sub(reach)
                    .min(self.height.saturating_sub(1));
                for (sum, value) in out.iter_mut().zip(across.row(from)) {
                    *sum += value * weight;
                }
            }
        }
        down
    }

    /// Every `factor` by `factor` pixels as their mean; what is left over at the right and the foot is dropped.
    pub(crate) fn reduced(&self, factor: usize) -> Self {
        if factor <= 1 {
            return self.clone();
        }
        let (width, height) = (self.width / factor, self.height / factor);
        let mut out = Self::new(width, height);
        let share = 1.0 / float(factor.saturating_mul(factor));
        for (y, sums) in out.data.chunks_exact_mut(width.max(1)).enumerate() {
            for inner in 0..factor {
                let row = self.row(y.saturating_mul(factor).saturating_add(inner));
                for (sum, group) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                    *sum += group.iter().sum::<f32>() * share;
                }
            }
        }
        out
    }

    /// The largest of each place and its eight neighbours.
    pub(crate) fn spread(&self) -> Self {
        self.neighbours(|one, two| if one > two { one } else { two })
    }

    /// The smallest of each place and its eight neighbours.
    pub(crate) fn shrunk(&self) -> Self {
        self.neighbours(|one, two| if one < two { one } else { two })
    }

    fn neighbours(&self, choose: impl Fn(f32, f32) -> f32 + Copy) -> Self {
        let width = self.width.max(1);
        let mut across = self.clone();
        for (out, row) in across
            .data
            .chunks_exact_mut(width)
            .zip(self.data.chunks_exact(width))
        {
            let (right, left) = (row.get(1..).unwrap_or_default(), row);
            out.iter_mut()
                .zip(right)
                .for_each(|(cell, value)| *cell = choose(*cell, *value));
            out.iter_mut()
                .skip(1)
                .zip(left)
                .for_each(|(cell, value)| *cell = choose(*cell, *value));
        }
        let mut down = across.clone();
        for (y, out) in down.data.chunks_exact_mut(width).enumerate() {
            for from in [y.checked_sub(1), y.checked_add(1)].into_iter().flatten() {
                out.iter_mut()
                    .zip(across.row(from))
                    .for_each(|(cell, value)| *cell = choose(*cell, *value));
            }
        }
        down
    }

    /// Of two pictures of one size, value by value.
    pub(crate) fn with(&self, other: &Self, combine: impl Fn(f32, f32) -> f32) -> Self {
        let data = self
            .data
            .iter()
            .zip(&other.data)
            .map(|(one, two)| combine(*one, *two))
            .collect();
        Self {
            width: self.width,
            height: self.height,
            data,
        }
    }
}

/// Weights of four places around a point between the middle two.
fn cubic(share: f32) -> [f32; 4] {
    let (t, t2, t3) = (share, share * share, share * share * share);
    [
        -0.5 * t + t2 - 0.5 * t3,
        1.0 - 2.5 * t2 + 1.5 * t3,
        0.5 * t + 2.0 * t2 - 1.5 * t3,
        -0.5 * t2 + 0.5 * t3,
    ]
}

/// A bell curve up to three standard deviations, of sum 1.
fn bell(sigma: f32) -> Vec<f32> {
    let reach = count((sigma * 3.0).max(1.0));
    let weights: Vec<f32> = (0..=reach.saturating_mul(2))
        .map(|at| {
            let distance = (float(at) - float(reach)) / sigma.max(0.01);
            (-0.5 * distance * distance).exp()
        })
        .collect();
    let sum: f32 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Sums that run side by side; in one row each addition would wait for the one before it.
const LANES: usize = 8;

/// The sum of the products of two rows, as far as the shorter goes.
#[expect(
    clippy::indexing_slicing,
    reason = "every lane is below LANES, the length of each array; other forms are not made into vectors"
)]
pub(crate) fn dot(one: &[f32], two: &[f32]) -> f32 {
    let length = one.len().min(two.len());
    let ((ones, one_rest), (twos, two_rest)) = (
        one.get(..length).unwrap_or_default().as_chunks::<LANES>(),
        two.get(..length).unwrap_or_default().as_chunks::<LANES>(),
    );
    let mut lanes = [0.0_f32; LANES];
    for (one, two) in ones.iter().zip(twos) {
        lanes = std::array::from_fn(|lane| lanes[lane] + one[lane] * two[lane]);
    }
    let rest = one_rest.iter().zip(two_rest).map(|(one, two)| one * two);
    lanes.iter().sum::<f32>() + rest.sum::<f32>()
}

/// The sum of a row.
#[expect(
    clippy::indexing_slicing,
    reason = "every lane is below LANES, the length of each array; other forms are not made into vectors"
)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0_f32; LANES];
    for chunk in chunks {
        lanes = std::array::from_fn(|lane| lanes[lane] + chunk[lane]);
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// The value that `share` of all do not exceed; 0 of none.
pub(crate) fn quantile(values: &mut [f32], share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at =
        count(float(values.len().saturating_sub(1)) * share).min(values.len().saturating_sub(1));
    let (_below, value, _above) = values.select_nth_unstable_by(at, f32::total_cmp);
    *value
}
