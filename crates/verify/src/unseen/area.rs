//! Points, rectangles and how they are moved.

/// A movement of the plane: `x' = a x + c y + e`, `y' = b x + d y + f`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Matrix(pub(super) [f64; 6]);

impl Matrix {
    pub(super) const UNMOVED: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(super) const fn shift(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this, then `next`.
    pub(super) fn then(self, next: Self) -> Self {
        let Self([a, b, c, d, e, f]) = self;
        let (x, y) = (next.turned(a, b), next.turned(c, d));
        let (e, f) = next.moved((e, f));
        Self([x.0, x.1, y.0, y.1, e, f])
    }

    pub(super) fn moved(self, (x, y): (f64, f64)) -> (f64, f64) {
        let Self([.., e, f]) = self;
        let (turned_x, turned_y) = self.turned(x, y);
        (turned_x + e, turned_y + f)
    }

    fn turned(self, x: f64, y: f64) -> (f64, f64) {
        let Self([a, b, c, d, ..]) = self;
        (a * x + c * y, b * x + d * y)
    }

    /// Whether rectangles stay upright.
    pub(super) fn is_upright(self) -> bool {
        let Self([a, b, c, d, ..]) = self;
        (b == 0.0 && c == 0.0) || (a == 0.0 && d == 0.0)
    }
}

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    left: f64,
    bottom: f64,
    right: f64,
    top: f64,
}

impl Area {
    pub(super) const EVERYWHERE: Self = Self {
        left: f64::NEG_INFINITY,
        bottom: f64::NEG_INFINITY,
        right: f64::INFINITY,
        top: f64::INFINITY,
    };

    /// The smallest one around all `points`; one that holds nothing where there are none.
    pub(super) fn around(points: &[(f64, f64)]) -> Self {
        let none = Self {
            left: f64::INFINITY,
            bottom: f64::INFINITY,
            right: f64::NEG_INFINITY,
            top: f64::NEG_INFINITY,
        };
        points.iter().fold(none, |area, (x, y)| Self {
            left: area.left.min(*x),
            bottom: area.bottom.min(*y),
            right: area.right.max(*x),
            top: area.top.max(*y),
        })
    }

    /// The smallest one around the rectangle of this size at the origin, moved by `matrix`.
    pub(super) fn moved(matrix: Matrix, (x, y): (f64, f64), (width, height): (f64, f64)) -> Self {
        let corners = [
            (x, y),
            (x + width, y),
            (x, y + height),
            (x + width, y + height),
        ];
        Self::around(&corners.map(|corner| matrix.moved(corner)))
    }

    pub(super) const fn corners(self) -> [(f64, f64); 2] {
        [(self.left, self.bottom), (self.right, self.top)]
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.min(other.right),
            top: self.top.min(other.top),
        }
    }

    /// Whether a point lies in it, or not farther from it than `margin`; a negative one asks for more than that.
    pub(super) fn holds(self, (x, y): (f64, f64), margin: f64) -> bool {
        x >= self.left - margin
            && x <= self.right + margin
            && y >= self.bottom - margin
            && y <= self.top + margin
    }

    /// Whether it is at least so wide and so high.
    pub(super) fn is_wide(self, least: f64) -> bool {
        self.right - self.left >= least && self.top - self.bottom >= least
    }

    pub(super) fn meets(self, other: Self) -> bool {
        let both = self.and(other);
        both.left <= both.right && both.bottom <= both.top
    }
}
