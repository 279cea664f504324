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
        let wide = terms.map(f64::from);
        let rows = self.left.iter_mut().zip(&mut self.right).zip(wide);
        for (at, ((row, right), one)) in rows.enumerate() {
            let weighted = one * f64::from(weight);
            // The upper half is the lower one mirrored, when it is asked for.
            for (cell, other) in row.iter_mut().zip(wide).take(at.saturating_add(1)) {
                *cell += weighted * other;
            }
            *right += weighted * f64::from(value);
        }
    }

    /// The best factors of the terms; zeros where there is no answer.
    pub(crate) fn solved(mut self) -> [f64; N] {
        for row in 0..N {
            for column in 0..row {
                let below = self.left.get(row).and_then(|it| it.get(column)).copied();
                let above = self.left.get_mut(column).and_then(|it| it.get_mut(row));
                if let Some((above, below)) = above.zip(below) {
                    *above = below;
                }
            }
        }
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

/// `A x = b` of a symmetric and positive `A`, of which the lower half is read (Cholesky).
#[expect(
    clippy::indexing_slicing,
    reason = "every index is below N, the length of each row"
)]
pub(crate) fn solved<const N: usize>(mut left: [[f32; N]; N], right: [f32; N]) -> [f32; N] {
    let mut half = [0.0_f32; N];
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
        let products: f32 = (0..row).map(|at| left[row][at] * half[at]).sum();
        half[row] = (right[row] - products) / left[row][row];
    }
    let mut answer = [0.0_f32; N];
    for row in (0..N).rev() {
        let below = row.saturating_add(1)..N;
        let products: f32 = below.map(|at| left[at][row] * answer[at]).sum();
        answer[row] = (half[row] - products) / left[row][row];
    }
    answer
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
}
