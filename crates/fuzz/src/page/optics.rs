//! What lens, sensor and file do to a picture.

use super::Picture;
use crate::seed::Seeded;

/// How a place of the new picture is had from the old one: nine numbers of a projection, row by row.
pub(super) type Projection = [f32; 9];

/// A new picture, each pixel taken (bilinear) from where `from` says; what lies outside is `outside`.
pub(super) fn projected(
    old: &Picture,
    width: u32,
    height: u32,
    from: &Projection,
    outside: u8,
) -> Picture {
    let mut new = Picture::plain(width, height, outside);
    let [a, b, c, d, e, f, g, h, i] = *from;
    let (right, bottom) = (old.width as f32, old.height as f32);
    new.shade(|x, y, tone| {
        let (x, y) = (x + 0.5, y + 0.5);
        let w = g * x + h * y + i;
        let (u, v) = ((a * x + b * y + c) / w, (d * x + e * y + f) / w);
        if u < 0.0 || v < 0.0 || u >= right || v >= bottom {
            return tone;
        }
        let (u, v) = (u - 0.5, v - 0.5);
        let (left, top) = (u.floor(), v.floor());
        let (du, dv) = (u - left, v - top);
        let at = |dx: i64, dy: i64| f32::from(old.near(left as i64 + dx, top as i64 + dy));
        let upper = at(0, 0) * (1.0 - du) + at(1, 0) * du;
        let lower = at(0, 1) * (1.0 - du) + at(1, 1) * du;
        upper * (1.0 - dv) + lower * dv + 0.5
    });
    new
}

/// Turned by degrees around its middle, in a frame that holds all of it.
pub(super) fn turned(old: &Picture, degrees: f32, outside: u8) -> Picture {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (w, h) = (old.width as f32, old.height as f32);
    let width = (w * cos.abs() + h * sin.abs()).round();
    let height = (w * sin.abs() + h * cos.abs()).round();
    let from = [
        cos,
        sin,
        w / 2.0 - cos * width / 2.0 - sin * height / 2.0,
        -sin,
        cos,
        h / 2.0 + sin * width / 2.0 - cos * height / 2.0,
        0.0,
        0.0,
        1.0,
    ];
    projected(old, width as u32, height as u32, &from, outside)
}

/// Gaussian blur, in two passes.
pub(super) fn blurred(old: &Picture, sigma: f32) -> Picture {
    let reach = (sigma * 3.0).ceil() as i64;
    let weight = |at: i64| (-((at * at) as f32) / (2.0 * sigma * sigma)).exp();
    let weights: Vec<f32> = (-reach..=reach).map(weight).collect();
    let all: f32 = weights.iter().sum();
    let pass = |from: &Picture, dx: i64, dy: i64| {
        let mut to = from.clone();
        to.shade(|x, y, _| {
            let taps = (-reach..=reach).zip(&weights);
            let sum: f32 = taps
                .map(|(at, weight)| {
                    weight * f32::from(from.near(x as i64 + at * dx, y as i64 + at * dy))
                })
                .sum();
            sum / all + 0.5
        });
        to
    };
    pass(&pass(old, 1, 0), 0, 1)
}

/// Noise of a sensor: about normal, of this deviation.
pub(super) fn noisy(picture: &mut Picture, deviation: f32, seeded: &mut Seeded) {
    let unit = |seeded: &mut Seeded| seeded.below(1_000) as f32 / 1_000.0;
    // Four uniform numbers have a deviation of 0.577 together.
    let table: Vec<f32> = (0..4_096)
        .map(|_| (0..4).map(|_| unit(seeded) - 0.5).sum::<f32>() / 0.577 * deviation)
        .collect();
    picture.shade(|_, _, tone| tone + table[seeded.below(4_096) as usize]);
}

/// Luminance table of ISO/IEC 10918-1, annex K.1.
const QUANTISATION: [f32; 64] = [
    16.0, 11.0, 10.0, 16.0, 24.0, 40.0, 51.0, 61.0, 12.0, 12.0, 14.0, 19.0, 26.0, 58.0, 60.0, 55.0,
    14.0, 13.0, 16.0, 24.0, 40.0, 57.0, 69.0, 56.0, 14.0, 17.0, 22.0, 29.0, 51.0, 87.0, 80.0, 62.0,
    18.0, 22.0, 37.0, 56.0, 68.0, 109.0, 103.0, 77.0, 24.0, 35.0, 55.0, 64.0, 81.0, 104.0, 113.0,
    92.0, 49.0, 64.0, 78.0, 87.0, 103.0, 121.0, 120.0, 101.0, 72.0, 92.0, 95.0, 98.0, 112.0, 100.0,
    103.0, 99.0,
];

/// What a JPEG file of this quality (1 to 100) gives back: its loss, without its coding.
pub(super) fn through_jpeg(picture: &mut Picture, quality: u32) {
    let scale = if quality < 50 {
        5_000.0 / quality as f32
    } else {
        200.0 - 2.0 * quality as f32
    };
    let steps = QUANTISATION.map(|step| ((step * scale + 50.0) / 100.0).floor().clamp(1.0, 255.0));
    let wave = |at: usize, frequency: usize| {
        let part = if frequency == 0 {
            0.125_f32.sqrt()
        } else {
            0.5
        };
        part * ((2 * at + 1) as f32 * frequency as f32 * std::f32::consts::PI / 16.0).cos()
    };
    let waves: [[f32; 8]; 8] = std::array::from_fn(|f| std::array::from_fn(|at| wave(at, f)));
    let (width, height) = (picture.width as usize, picture.height as usize);
    for top in (0..height).step_by(8) {
        for left in (0..width).step_by(8) {
            let block: [[f32; 8]; 8] = std::array::from_fn(|y| {
                std::array::from_fn(|x| {
                    f32::from(picture.near((left + x) as i64, (top + y) as i64)) - 128.0
                })
            });
            let mut coded = there(&there(&block, &waves), &waves);
            for (row, line) in coded.iter_mut().enumerate() {
                for (column, value) in line.iter_mut().enumerate() {
                    // Two passes turned it over its diagonal twice: rows are rows again.
                    let step = steps[row * 8 + column];
                    *value = (*value / step).round() * step;
                }
            }
            let back = back(&back(&coded, &waves), &waves);
            for (y, line) in back.iter().enumerate().take(height - top) {
                for (x, value) in line.iter().enumerate().take(width - left) {
                    let tone = (value + 128.5).clamp(0.0, 255.0) as u8;
                    picture.pixels[(top + y) * width + left + x] = tone;
                }
            }
        }
    }
}

/// Cosine transform of the rows, the result turned over its diagonal.
fn there(block: &[[f32; 8]; 8], waves: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    std::array::from_fn(|f| {
        std::array::from_fn(|row| (0..8).map(|at| block[row][at] * waves[f][at]).sum())
    })
}

/// The way back of [`there`].
fn back(block: &[[f32; 8]; 8], waves: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    std::array::from_fn(|at| {
        std::array::from_fn(|row| (0..8).map(|f| block[row][f] * waves[f][at]).sum())
    })
}
