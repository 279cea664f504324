//! Symbols and pages of the tests.

use loket_fuzz::page::{Picture, Symbol};
use loket_qr::{Code, Effort, Reading, read};
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

/// What an honest card of the tests holds: made up, under a name that no server can have.
pub(crate) const HONEST: &str =
    "https://kk.contoh.invalid/Terpusat/Pindai/00000000-0000-4000-8000-000000000001";

/// A symbol of this payload and version, error correction M, at this place of a page.
pub(crate) fn symbol(payload: &[u8], version: i16, side_mm: f32, at_mm: (f32, f32)) -> Symbol {
    let code = QrCode::with_version(payload, Version::Normal(version), EcLevel::M).unwrap();
    placed(&code, side_mm, at_mm)
}

/// A symbol of hand-made segments.
pub(crate) fn of_bits(bits: Bits, side_mm: f32, at_mm: (f32, f32)) -> Symbol {
    placed(
        &QrCode::with_bits(bits, EcLevel::M).unwrap(),
        side_mm,
        at_mm,
    )
}

fn placed(code: &QrCode, side_mm: f32, at_mm: (f32, f32)) -> Symbol {
    Symbol {
        side: code.width(),
        modules: code
            .to_colors()
            .into_iter()
            .map(|color| color == Color::Dark)
            .collect(),
        side_mm,
        at_mm,
    }
}

/// A symbol alone, each module a square of pixels, in the middle of white.
pub(crate) fn alone(symbol: &Symbol, module: usize) -> Picture {
    let side = (symbol.side + 8) * module;
    let mut picture = Picture::plain(side as u32, side as u32, 255);
    for y in 0..symbol.side * module {
        for x in 0..symbol.side * module {
            if symbol.modules[y / module * symbol.side + x / module] {
                picture.pixels[(y + 4 * module) * side + x + 4 * module] = 0;
            }
        }
    }
    picture
}

/// Reads a picture as a page.
pub(crate) fn read_page(picture: &Picture) -> Reading {
    read(picture.width, picture.height, &picture.pixels, Effort::Page).unwrap()
}

/// What the codes of a reading say.
pub(crate) fn says(codes: &[Code]) -> Vec<&[u8]> {
    codes.iter().map(|code| code.payload.as_bytes()).collect()
}
