//! Sets of linear equations: what fits many measurements best.

/// `A x = b` of a symmetric `A`, gathered from measurements one by one.
#[derive(Clone)]
pub(crate) struct Normal<const N: usize> {
    left: [[f64; N]; N],
    right: [f64; N],
}

impl<const N: usize> Normal<N> {
    /// With so much pull towards zero that what was never measured stays zero.
    pub(crate) fn new(ridge: f64) -> Self {
        let mut left = [[0.0; N]; N];
        for (at, row) in left.iter_mut().enumerate() {
            if let Some(cell) = row.get_mut(at) {
                *cell = ridge;
            }
        }
        Self {
            left,
            right: [0.0; N],
        }
    }

    /// One measurement: `value` was seen where the terms were `terms`.
    pub(crate) fn add(&mut self, terms: &[f32; N], value: f32, weight: f32) {
        let rows = self.left.iter_mut().zip(&mut self.right).zip(terms);
        for (at, ((row, right), one)) in rows.enumerate() {
            let weighted = f64::from(*one) * f64::from(weight);
            // The upper half is the mirrored lower one: see `mirrored`.
            for (cell, other) in row.iter_mut().zip(terms).take(at.saturating_add(1)) {
                *cell += weighted * f64::from(*other);
            }
            *right += weighted * f64::from(value);
        }
    }

    /// Fills the upper half.
    fn mirrored(&mut self) {
        for row in 0..N {
            for column in 0..row {
                let lower = self.left.get(row).and_then(|it| it.get(column)).copied();
                let upper = self.left.get_mut(column).and_then(|it| it.get_mut(row));
                if let (Some(lower), Some(upper)) = (lower, upper) {
                    *upper = lower;
                }
            }
        }
    }

    /// The best factors of the terms; zeros where there is no answer.
    pub(crate) fn solved(mut self) -> [f64; N] {
        self.mirrored();
        for pivot in 0..N {
            if self.eliminate(pivot).is_none() {
                return [0.0; N];
            }
        }
        self.right
    }

    /// Gauss and Jordan: leaves 1 in the pivot's column in its own row, and 0 in all others.
    fn eliminate(&mut self, pivot: usize) -> Option<()> {
        let best = (pivot..N)
            .max_by(|one, two| self.size(*one, pivot).total_cmp(&self.size(*two, pivot)))?;
        self.left.swap(pivot, best);
        self.right.swap(pivot, best);
        let factor = *self.left.get(pivot)?.get(pivot)?;
        if factor.abs() < 1e-12 {
            return None;
        }
        self.left
            .get_mut(pivot)?
            .iter_mut()
            .for_each(|cell| *cell /= factor);
        *self.right.get_mut(pivot)? /= factor;
        let (row, right) = (*self.left.get(pivot)?, *self.right.get(pivot)?);
        for (at, (other, other_right)) in self.left.iter_mut().zip(&mut self.right).enumerate() {
            let share = other.get(pivot).copied().unwrap_or_default();
            if at != pivot {
                other
                    .iter_mut()
                    .zip(row)
                    .for_each(|(cell, value)| *cell -= share * value);
                *other_right -= share * right;
            }
        }
        Some(())
    }

    fn size(&self, row: usize, column: usize) -> f64 {
        self.left
            .get(row)
            .and_then(|it| it.get(column))
            .copied()
            .unwrap_or_default()
            .abs()
    }
}

/// `b · A⁻¹ b` of a symmetric and positive `A`, of which the lower half is read: how much of a sum of squares the terms
/// explain whose products with each other are `A`, and with what is to be explained `b` (Cholesky).
#[expect(
    clippy::indexing_slicing,
    reason = "every index is below N, the length of each row"
)]
pub(crate) fn explained<const N: usize>(mut left: [[f32; N]; N], right: [f32; N]) -> f32 {
    let mut solved = [0.0_f32; N];
    let mut sum = 0.0;
    for row in 0..N {
        for column in 0..=row {
            let products: f32 = (0..column).map(|at| left[row][at] * left[column][at]).sum();
            let rest = left[row][column] - products;
            left[row][column] = if row == column {
                rest.max(1e-9).sqrt()
            } else {
                rest / left[column][column]
            };
        }
        let products: f32 = (0..row).map(|at| left[row][at] * solved[at]).sum();
        solved[row] = (right[row] - products) / left[row][row];
        sum += solved[row] * solved[row];
    }
    sum
}

/// Factors around 1, which need no more digits than `f32` has.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "places in a scan and shares of ink need no more digits than f32 has"
)]
pub(crate) fn narrowed<const N: usize>(factors: [f64; N]) -> [f32; N] {
    factors.map(|factor| factor as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_found_again_from_points_on_it() {
        let mut normal = Normal::<3>::new(0.0);
        for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (2.0, 3.0)] {
            normal.add(&[1.0, x, y], 0.5 - 2.0 * x + 4.0 * y, 1.0);
        }
        let [constant, across, down] = normal.solved();
        assert!(
            (constant - 0.5).abs() < 1e-9
                && (across + 2.0).abs() < 1e-9
                && (down - 4.0).abs() < 1e-9
        );
    }

    #[test]
    fn what_was_never_measured_is_zero() {
        assert_eq!(Normal::<2>::new(1.0).solved(), [0.0, 0.0]);
        assert_eq!(Normal::<2>::new(0.0).solved(), [0.0, 0.0]);
    }

    #[test]
    fn what_terms_explain_of_a_sum_of_squares_is_what_their_best_mixture_has() {
        // (3, 4) explained by (1, 0) and (1, 1): wholly; by (1, 0) alone: 9 of 25.
        let both = explained([[1.0, 0.0], [1.0, 2.0]], [3.0, 7.0]);
        assert!((both - 25.0).abs() < 1e-3, "{both}");
        let one = explained([[1.0]], [3.0]);
        assert!((one - 9.0).abs() < 1e-5, "{one}");
    }
}
