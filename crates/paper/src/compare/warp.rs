//! Where a place of the page lies in the scan.

use super::coarse::turn;
use super::solve::{Normal, narrowed};
use crate::num::float;
use crate::plane::Plane;

/// Turned, stretched and shifted: straight lines stay straight.
#[derive(Clone)]
pub(super) struct Affine {
    x: [f32; 3],
    y: [f32; 3],
}

impl Affine {
    /// Stretched by `scale` and shifted around the page's middle, turned by `degrees` around the scan's.
    pub(super) fn new(
        page: &Plane,
        scan: &Plane,
        degrees: f32,
        scale: (f32, f32),
        shift: (f32, f32),
    ) -> Self {
        let (page_x, page_y) = (
            float(page.width) / 2.0 - 0.5,
            float(page.height) / 2.0 - 0.5,
        );
        let (scan_x, scan_y) = (
            float(scan.width) / 2.0 - 0.5,
            float(scan.height) / 2.0 - 0.5,
        );
        let place = |x: f32, y: f32| {
            let (x, y) = turn(
                (
                    (x - page_x) * scale.0 + shift.0,
                    (y - page_y) * scale.1 + shift.1,
                ),
                degrees,
            );
            (x + scan_x, y + scan_y)
        };
        let (origin, right, down) = (place(0.0, 0.0), place(1.0, 0.0), place(0.0, 1.0));
        Self {
            x: [origin.0, right.0 - origin.0, down.0 - origin.0],
            y: [origin.1, right.1 - origin.1, down.1 - origin.1],
        }
    }

    pub(super) fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let line = |[origin, right, down]: [f32; 3]| origin + right * x + down * y;
        (line(self.x), line(self.y))
    }

    /// The same with the page shifted by so many of its dots.
    pub(super) fn moved(&self, dx: f32, dy: f32) -> Self {
        let (x, y) = self.apply(dx, dy);
        let [_x, x_right, x_down] = self.x;
        let [_y, y_right, y_down] = self.y;
        Self {
            x: [x, x_right, x_down],
            y: [y, y_right, y_down],
        }
    }
}

/// Shifts on a grid over the page, in the scan's dots.
#[derive(Clone)]
pub(super) struct Mesh {
    pub(super) step: f32,
    pub(super) x: Plane,
    pub(super) y: Plane,
}

impl Mesh {
    pub(super) fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let at = |value: f32, count: usize| (value / self.step).clamp(0.0, float(count) - 1.001);
        let (column, row) = (at(x, self.x.width), at(y, self.x.height));
        (self.x.sample(column, row), self.y.sample(column, row))
    }
}

/// Terms of a bend of third degree: perspective, curled paper, a feeder that runs unevenly.
const TERMS: usize = 10;

/// A bent page: a polynomial, with a mesh for what it does not follow.
#[derive(Clone)]
pub(super) struct Warp {
    half: (f32, f32),
    x: [f32; TERMS],
    y: [f32; TERMS],
    mesh: Option<Mesh>,
}

/// One place of the page and where it was seen in the scan; each direction with the trust that it deserves.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) page: (f32, f32),
    pub(super) scan: (f32, f32),
    pub(super) trust: (f32, f32),
}

/// How a bend is allowed to run.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Degree {
    Second,
    Third,
}

impl Warp {
    /// Of an affine map in dots of other pictures, `page_ratio` and `scan_ratio` times as fine as them here.
    pub(super) fn of(
        affine: &Affine,
        (width, height): (usize, usize),
        page_ratio: f32,
        scan_ratio: f32,
    ) -> Self {
        let half = (float(width) / 2.0, float(height) / 2.0);
        let map = |x: f32, y: f32| {
            let (x, y) = affine.apply((x + 0.5) / page_ratio - 0.5, (y + 0.5) / page_ratio - 0.5);
            ((x + 0.5) * scan_ratio - 0.5, (y + 0.5) * scan_ratio - 0.5)
        };
        let (middle, right, down) = (
            map(half.0, half.1),
            map(half.0 * 2.0, half.1),
            map(half.0, half.1 * 2.0),
        );
        let mut x = [0.0; TERMS];
        let mut y = [0.0; TERMS];
        for (terms, values) in [
            (&mut x, [middle.0, right.0 - middle.0, down.0 - middle.0]),
            (&mut y, [middle.1, right.1 - middle.1, down.1 - middle.1]),
        ] {
            terms
                .iter_mut()
                .zip(values)
                .for_each(|(term, value)| *term = value);
        }
        Self {
            half,
            x,
            y,
            mesh: None,
        }
    }

    pub(super) fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let terms = self.terms(x, y, Degree::Third);
        let sum = |factors: &[f32; TERMS]| {
            factors
                .iter()
                .zip(terms)
                .map(|(factor, term)| factor * term)
                .sum::<f32>()
        };
        let bend = (sum(&self.x), sum(&self.y));
        match &self.mesh {
            Some(mesh) => {
                let (dx, dy) = mesh.apply(x, y);
                (bend.0 + dx, bend.1 + dy)
            }
            None => bend,
        }
    }

    /// The same bend with another mesh.
    pub(super) fn with_mesh(&self, mesh: Option<Mesh>) -> Self {
        Self {
            mesh,
            ..self.clone()
        }
    }

    fn terms(&self, x: f32, y: f32, degree: Degree) -> [f32; TERMS] {
        let (u, v) = (x / self.half.0 - 1.0, y / self.half.1 - 1.0);
        let third = if degree >= Degree::Third { 1.0 } else { 0.0 };
        [
            1.0,
            u,
            v,
            u * u,
            u * v,
            v * v,
            u * u * u * third,
            u * u * v * third,
            u * v * v * third,
            v * v * v * third,
        ]
    }

    /// The bend that runs through what was seen, in which a few wrong sightings count little.
    pub(super) fn fitted(&self, seen: &[Seen], degree: Degree) -> Self {
        let mut best = self.clone();
        for _ in 0..4 {
            let misses: Vec<f32> = seen.iter().map(|it| best.miss(it)).collect();
            let scale = (crate::plane::quantile(&mut misses.clone(), 0.5) * 3.0).max(1.0);
            let (mut x, mut y) = (Normal::new(1e-4), Normal::new(1e-4));
            for (it, miss) in seen.iter().zip(&misses) {
                let far = (miss / scale).min(1.0);
                let weight = (1.0 - far * far) * (1.0 - far * far);
                let terms = self.terms(it.page.0, it.page.1, degree);
                x.add(&terms, it.scan.0, it.trust.0 * weight);
                y.add(&terms, it.scan.1, it.trust.1 * weight);
            }
            best = Self {
                half: self.half,
                x: narrowed(x.solved()),
                y: narrowed(y.solved()),
                mesh: None,
            };
        }
        best
    }

    /// How far what was seen is from where the bend says, in the directions that were seen well.
    fn miss(&self, seen: &Seen) -> f32 {
        let (x, y) = self.apply(seen.page.0, seen.page.1);
        let (across, down) = (
            (x - seen.scan.0) * seen.trust.0.min(1.0),
            (y - seen.scan.1) * seen.trust.1.min(1.0),
        );
        across.hypot(down)
    }

    /// The scan laid out as the page is; sharply where `near` is above 0, elsewhere as `Elsewhere` says.
    pub(super) fn flattened(&self, scan: &Plane, near: &Plane, elsewhere: Elsewhere) -> Plane {
        let mut flat = Plane::new(near.width, near.height);
        for (y, out) in flat.data.chunks_exact_mut(near.width.max(1)).enumerate() {
            let row = float(y);
            let mut next = self.apply(0.0, row);
            for ((first, cells), marks) in (0_usize..)
                .step_by(KNOT)
                .zip(out.chunks_mut(KNOT))
                .zip(near.row(y).chunks(KNOT))
            {
                let here = next;
                next = self.apply(float(first.saturating_add(KNOT)), row);
                let (across, down) = (
                    (next.0 - here.0) / float(KNOT),
                    (next.1 - here.1) / float(KNOT),
                );
                for ((at, cell), mark) in (0_u8..).zip(cells).zip(marks) {
                    let (x, y) = (
                        here.0 + across * f32::from(at),
                        here.1 + down * f32::from(at),
                    );
                    *cell = match (*mark > 0.0, elsewhere) {
                        (true, _) => scan.sharp_sample(x, y),
                        (false, Elsewhere::Plain) => scan.sample(x, y),
                        (false, Elsewhere::Bare) => 0.0,
                    };
                }
            }
        }
        flat
    }
}

/// Dots between which a bend is straight.
const KNOT: usize = 8;

/// What is shown where nothing was printed.
#[derive(Clone, Copy)]
pub(super) enum Elsewhere {
    /// Nothing: it is not looked at.
    Bare,
    /// What the scan shows.
    Plain,
}
