//! A slip as a picture for people: SVG, a dot a unit.

use std::fmt::Write as _;

use super::slip::{Align, CHARACTER_DOTS, Item, Slip, Style, modules};

/// White around the printed part: 5 mm at 8 dots a millimetre.
const MARGIN_DOTS: u32 = 40;

/// Where letters stand in their cell, from its top.
const BASELINE_DOTS: u32 = 19;

/// A font size whose letters are 12 units apart, as those of font A are.
const FONT_SIZE: &str = "20";

/// Draws a slip of a printer with `dots` a line.
#[must_use]
pub fn picture(slip: &Slip, dots: u16) -> String {
    let (width, height) = (u32::from(dots), slip.height_dots());
    let all = |inner: u32| inner.saturating_add(2 * MARGIN_DOTS);
    let (w, h) = (all(width), all(height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"-{MARGIN_DOTS} -{MARGIN_DOTS} {w} {h}\">\
         <rect x=\"-{MARGIN_DOTS}\" y=\"-{MARGIN_DOTS}\" width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\
         <g font-family=\"DejaVu Sans Mono, Liberation Mono, monospace\" font-size=\"{FONT_SIZE}\">"
    );
    let mut top = 0_u32;
    for item in &slip.items {
        match item {
            Item::Line { text, style, align } => line(&mut svg, text, *style, *align, width, top),
            Item::Code {
                payload,
                module_dots,
                align,
            } => code(&mut svg, payload, (*module_dots).into(), *align, width, top),
            Item::Raster { row_bytes, dots } => raster(&mut svg, *row_bytes, dots, top),
            Item::Feed { .. } => {}
        }
        top = top.saturating_add(item.height_dots());
    }
    svg.push_str("</g></svg>\n");
    svg
}

fn left(align: Align, width: u32, taken: u32) -> u32 {
    let rest = width.saturating_sub(taken);
    match align {
        Align::Left => 0,
        Align::Center => rest / 2,
        Align::Right => rest,
    }
}

fn line(svg: &mut String, text: &str, style: Style, align: Align, width: u32, top: u32) {
    let (cell_width, cell_height) = CHARACTER_DOTS;
    let count = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let taken = count
        .saturating_mul(cell_width)
        .saturating_mul(style.width.into());
    let x = left(align, width, taken);
    let (wide, high) = (style.width, style.height);
    let (ink, weight) = (
        if style.reverse { "#fff" } else { "#000" },
        if style.bold { "bold" } else { "normal" },
    );
    // Writing to a String cannot fail.
    write!(
        svg,
        "<g transform=\"translate({x} {top}) scale({wide} {high})\" fill=\"{ink}\">"
    )
    .ok();
    if style.reverse {
        let across = count.saturating_mul(cell_width);
        write!(
            svg,
            "<rect width=\"{across}\" height=\"{cell_height}\" fill=\"#000\"/>"
        )
        .ok();
    }
    for (at, character) in (0_u32..).zip(text.chars()).filter(|(_, it)| *it != ' ') {
        let x = at.saturating_mul(cell_width);
        write!(
            svg,
            "<text x=\"{x}\" y=\"{BASELINE_DOTS}\" font-weight=\"{weight}\">"
        )
        .ok();
        escape(svg, character);
        svg.push_str("</text>");
    }
    svg.push_str("</g>");
}

fn escape(svg: &mut String, character: char) {
    match character {
        '<' => svg.push_str("&lt;"),
        '>' => svg.push_str("&gt;"),
        '&' => svg.push_str("&amp;"),
        other => svg.push(other),
    }
}

fn code(svg: &mut String, payload: &str, module: u32, align: Align, width: u32, top: u32) {
    let Some(rows) = modules(payload) else {
        return;
    };
    let side = u32::try_from(rows.len())
        .unwrap_or(0)
        .saturating_mul(module);
    let x = left(align, width, side);
    write!(
        svg,
        "<path transform=\"translate({x} {top}) scale({module})\" d=\""
    )
    .ok();
    for (y, row) in rows.iter().enumerate() {
        for (x, _dark) in row.iter().enumerate().filter(|(_, dark)| **dark) {
            write!(svg, "M{x} {y}h1v1h-1z").ok();
        }
    }
    svg.push_str("\"/>");
}

fn raster(svg: &mut String, row_bytes: usize, dots: &[u8], top: u32) {
    let Some(rows) = (row_bytes > 0).then(|| dots.chunks(row_bytes)) else {
        return;
    };
    write!(svg, "<path transform=\"translate(0 {top})\" d=\"").ok();
    for (y, row) in rows.enumerate() {
        let bits = row
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
        let mut run: Option<(usize, usize)> = None;
        for (x, dark) in bits.chain([false]).enumerate() {
            run = match (run, dark) {
                (None, true) => Some((x, 1)),
                (Some((start, len)), true) => Some((start, len.saturating_add(1))),
                (Some((start, len)), false) => {
                    write!(svg, "M{start} {y}h{len}v1h-{len}z").ok();
                    None
                }
                (None, false) => None,
            };
        }
    }
    svg.push_str("\"/>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_drawn_with_its_signs_escaped() {
        let line = |text: &str| Item::Line {
            text: text.to_owned(),
            style: Style {
                reverse: true,
                ..Style::default()
            },
            align: Align::Center,
        };
        let raster = Item::Raster {
            row_bytes: 1,
            dots: vec![0b0110_0001],
        };
        let slip = Slip {
            items: vec![line("<&>"), raster],
            is_cut: true,
        };
        let svg = picture(&slip, 384);
        assert!(
            svg.contains(">&lt;</text>") && svg.contains(">&amp;</text>"),
            "{svg}"
        );
        assert!(svg.contains("d=\"M1 0h2v1h-2zM7 0h1v1h-1z\""), "{svg}");
    }
}
