//! Where on a page a code is likely: the busiest squares, in both directions.

use crate::luma::{Area, Luma};

/// Side of a cell in pixels: a few modules, whatever the resolution.
const CELL_PIXELS: usize = 16;

/// A window holds this share of the longer side of a page: 16 mm of A4, as wide as the codes of offices are.
const WINDOWS_ACROSS: usize = 18;

/// The narrowest window, in cells: in a small picture a code is most of it.
const LEAST_WINDOW: usize = 8;

/// The busiest areas of a picture, the busiest first, none over another, at most `most`.
///
/// Each is twice as wide as a window, so that a code that is larger or lies beside its middle is in it.
pub(crate) fn busiest(luma: &Luma, most: usize) -> Vec<Area> {
    let across = luma.width() / CELL_PIXELS;
    let down = luma.height() / CELL_PIXELS;
    if across == 0 || down == 0 {
        return Vec::new();
    }
    let mut cells = energies(luma, across, down);
    let longest = luma.width().max(luma.height());
    let window = (longest / WINDOWS_ACROSS / CELL_PIXELS).max(LEAST_WINDOW);
    let mut areas = Vec::new();
    while areas.len() < most {
        let Some((x, y)) = peak(&cells, across, down, window) else {
            break;
        };
        let half = window / 2;
        areas.push(Area {
            left: x.saturating_sub(half).saturating_mul(CELL_PIXELS),
            top: y.saturating_sub(half).saturating_mul(CELL_PIXELS),
            width: window.saturating_mul(2 * CELL_PIXELS),
            height: window.saturating_mul(2 * CELL_PIXELS),
        });
        for row in y..y.saturating_add(window).min(down) {
            let start = row.saturating_mul(across);
            let line =
                start.saturating_add(x)..start.saturating_add(x.saturating_add(window).min(across));
            cells.get_mut(line).unwrap_or_default().fill(0);
        }
    }
    areas
}

/// How much each cell changes along its quieter direction.
fn energies(luma: &Luma, across: usize, down: usize) -> Vec<u64> {
    let mut cells = Vec::with_capacity(across.saturating_mul(down));
    let rows: Vec<&[u8]> = luma.rows().collect();
    for y in 0..down {
        let top = y.saturating_mul(CELL_PIXELS);
        let mut wide = vec![0_u64; across];
        let mut tall = vec![0_u64; across];
        for line in (top..top.saturating_add(CELL_PIXELS)).step_by(2) {
            let row = rows.get(line).copied().unwrap_or_default();
            let below = rows.get(line.saturating_add(2)).copied().unwrap_or(row);
            let cells = row
                .chunks_exact(CELL_PIXELS)
                .zip(below.chunks_exact(CELL_PIXELS));
            for (((cell, under), wide), tall) in cells.zip(&mut wide).zip(&mut tall) {
                let steps = cell.iter().zip(cell.iter().skip(2));
                let along: u32 = steps.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
                let steps = cell.iter().zip(under);
                let over: u32 = steps.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
                *wide = wide.saturating_add(u64::from(along));
                *tall = tall.saturating_add(u64::from(over));
            }
        }
        cells.extend(wide.iter().zip(&tall).map(|(wide, tall)| *wide.min(tall)));
    }
    cells
}

/// The window with the most energy, as the cell of its upper left corner; none where there is no energy.
fn peak(cells: &[u64], across: usize, down: usize, window: usize) -> Option<(usize, usize)> {
    let stride = across.checked_add(1)?;
    let mut sums: Vec<u64> = vec![0; stride];
    for row in cells.chunks_exact(across) {
        let above = sums.len().checked_sub(stride)?;
        let mut line = 0_u64;
        sums.push(0);
        for (x, energy) in row.iter().enumerate() {
            line = line.saturating_add(*energy);
            let over = sums.get(above.checked_add(x)?.checked_add(1)?).copied()?;
            sums.push(over.saturating_add(line));
        }
    }
    let at = |x: usize, y: usize| {
        let place = y.saturating_mul(stride).saturating_add(x);
        sums.get(place).copied().unwrap_or_default()
    };
    let mut best = (0, None);
    for y in 0..=down.saturating_sub(window) {
        for x in 0..=across.saturating_sub(window) {
            let right = x.saturating_add(window).min(across);
            let bottom = y.saturating_add(window).min(down);
            let sum = at(right, bottom)
                .saturating_add(at(x, y))
                .saturating_sub(at(right, y))
                .saturating_sub(at(x, bottom));
            if sum > best.0 {
                best = (sum, Some((x, y)));
            }
        }
    }
    best.1
}
