//! How dark a scan is against its own paper.

use crate::num::{count, float, length, place};
use crate::plane::{Plane, quantile};
use crate::raster::Gray;

/// A block in which at least a sixth of the pixels show bare paper on any page with text.
const BLOCK_MM: f32 = 6.0;

/// The shade of a block that is taken as its paper: bright enough to pass over text, below the specks of noise.
const PAPER_SHARE: f32 = 0.85;

/// A block at the scan's edge darker than this share of the paper is the scanner's lid or a table.
const OUTSIDE_SHARE: f32 = 0.55;

/// Darkness above which a pixel counts as ink when inked pixels are counted.
pub(crate) const INK: f32 = 0.35;

/// Makes 0 of bare paper and about 1 of black, whatever the shade of the paper and wherever a shadow lies.
///
/// What lies outside the sheet is 0 too.
pub(crate) fn darkness(scan: &Gray, dots_per_mm: f32) -> Plane {
    let (width, height) = (size(scan.width), size(scan.height));
    let shades = Plane {
        width,
        height,
        data: scan.pixels.iter().map(|it| f32::from(*it)).collect(),
    };
    let block = count(BLOCK_MM * dots_per_mm).max(8);
    let mut paper = papers(&shades, block);
    let mut all = paper.data.clone();
    let usual = quantile(&mut all, 0.6).max(1.0);
    let outside = outside(&paper, usual * OUTSIDE_SHARE);
    // A block without bare paper (a photograph, a wide bar) borrows its neighbours' shade.
    let floor = usual * 0.6;
    for value in &mut paper.data {
        if *value < floor {
            *value = usual;
        }
    }
    let paper = paper.blurred(0.8);
    let step = 1.0 / float(block);
    let edge = |value: f32, blocks: usize| {
        let most = float(blocks.saturating_sub(1));
        (value - 0.5).clamp(0.0, most).min(float(blocks) - 1.001)
    };
    let mut dark = shades;
    for (y, cells) in dark.data.chunks_exact_mut(width.max(1)).enumerate() {
        let row = (float(y) + 0.5) * step;
        let from = edge(row, paper.height);
        for (first, cells) in (0_usize..).step_by(STRETCH).zip(cells.chunks_mut(STRETCH)) {
            // The paper's shade is straight over so few dots, and they lie in one block.
            let column = (float(first) + float(STRETCH) / 2.0) * step;
            if outside.near(place(count(column - 0.5)), place(count(row - 0.5))) > 0.0 {
                cells.fill(0.0);
                continue;
            }
            let bright = 1.0 / paper.sample(edge(column, paper.width), from).max(1.0);
            for cell in cells {
                *cell = (1.0 - *cell * bright).clamp(-0.25, 1.25);
            }
        }
    }
    dark
}

/// Dots over which a shadow does not change.
const STRETCH: usize = 4;

/// From one dot to the next, in ink: an edge, and one that no optics lets through.
const EDGE: f32 = 0.3;
const STEEP: f32 = 0.75;

/// Of all edges: scans have none that steep, pages as a program draws them a third.
const STEEP_SHARE: f32 = 0.1;

/// Whether no glass ever saw it: a page as a program draws it, whose edges are steeper than optics allow.
pub(crate) fn is_drawn(dark: &Plane) -> bool {
    let (mut edges, mut steep) = (0_usize, 0_usize);
    for y in 0..dark.height {
        for pair in dark.row(y).windows(2) {
            if let [one, two] = pair {
                let far = (one - two).abs();
                edges = edges.saturating_add(usize::from(far > EDGE));
                steep = steep.saturating_add(usize::from(far > STEEP));
            }
        }
    }
    float(steep) > float(edges) * STEEP_SHARE
}

fn size(side: u32) -> usize {
    usize::try_from(side).unwrap_or_default()
}

/// The shade of the paper in each block.
fn papers(shades: &Plane, block: usize) -> Plane {
    let (columns, rows) = (shades.width.div_ceil(block), shades.height.div_ceil(block));
    let mut values = Vec::with_capacity(block.saturating_mul(block) / 4);
    Plane::drawn(columns.max(2), rows.max(2), |column, row| {
        values.clear();
        let (column, row) = (
            column.min(columns.saturating_sub(1)),
            row.min(rows.saturating_sub(1)),
        );
        let first = row.saturating_mul(block);
        for y in (first..first.saturating_add(block).min(shades.height)).step_by(2) {
            let run = shades.run(column.saturating_mul(block), y, block);
            values.extend(run.iter().step_by(2));
        }
        quantile(&mut values, PAPER_SHARE)
    })
}

/// 1 for blocks darker than `limit` that hang together with the scan's edge.
fn outside(paper: &Plane, limit: f32) -> Plane {
    let mut marks = Plane::new(paper.width, paper.height);
    // A block is reached from a neighbour nearer to the edge; as many rounds as half the blocks of the shorter side.
    for _ in 0..paper.width.min(paper.height).div_ceil(2) {
        let before = marks.clone();
        marks = Plane::drawn(paper.width, paper.height, |x, y| {
            let (x, y) = (place(x), place(y));
            let is_edge = x == 0
                || y == 0
                || length(x) >= float(paper.width) - 1.0
                || length(y) >= float(paper.height) - 1.0;
            let sides = [(-1, 0), (1, 0), (0, -1), (0, 1)];
            let touches = sides
                .iter()
                .any(|(dx, dy)| before.at(x.saturating_add(*dx), y.saturating_add(*dy)) > 0.0);
            if paper.at(x, y) < limit && (is_edge || touches) {
                1.0
            } else {
                0.0
            }
        });
        if marks.data == before.data {
            break;
        }
    }
    marks
}
