//! Pages as a PDF: the only file that names the library.

use loket_wire::Timestamp;
use printpdf::{
    Cmyk, Color, FontId, Greyscale, Line, LinePoint, Mm, OffsetDateTime, Op, PaintMode,
    PdfDocument, PdfFont, PdfFontHandle, PdfPage, PdfSaveOptions, Point, Polygon, PolygonRing, Pt,
    TextItem, WindingOrder,
};

use super::FormError;
use super::face::{Faces, Weight};
use super::page::{Ink, Item, PAGE_HEIGHT, PAGE_WIDTH, Page};

/// Of what lies behind the heads of columns.
const FILL_GREY: f32 = 0.92;

/// Before the two parts of the file's identifier, which the library draws at random and writes last.
const ID_MARK: &[u8] = b"/ID[(";
/// Characters of each part.
const ID_LENGTH: usize = 32;
/// Between them.
const ID_GAP: usize = 2;

/// What a file says of itself.
pub(super) struct Head<'a> {
    pub(super) title: &'a str,
    pub(super) author: &'a str,
    pub(super) subject: &'a str,
}

/// Writes the pages.
pub(super) fn write(
    head: &Head<'_>,
    pages: &[Page],
    faces: Faces,
    made_at: Timestamp,
) -> Result<Vec<u8>, FormError> {
    let mut document = PdfDocument::new(head.title);
    let info = &mut document.metadata.info;
    head.author.clone_into(&mut info.author);
    head.subject.clone_into(&mut info.subject);
    info.creator = "Loket".to_owned();
    info.producer = "Loket".to_owned();
    let seconds = made_at.unix_ms().div_euclid(1_000);
    let made = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_range| FormError::Broken)?;
    info.creation_date = made;
    info.modification_date = made;
    info.metadata_date = made;
    let fonts = &mut document.resources.fonts.map;
    fonts.insert(id_of(Weight::Regular), PdfFont::new(faces.regular));
    fonts.insert(id_of(Weight::Bold), PdfFont::new(faces.bold));
    let size = (Mm::from(Pt(PAGE_WIDTH)), Mm::from(Pt(PAGE_HEIGHT)));
    let drawn = pages.iter().map(|page| {
        let ops = page.items.iter().flat_map(ops).collect();
        PdfPage::new(size.0, size.1, ops)
    });
    document.with_pages(drawn.collect());
    let options = PdfSaveOptions {
        image_optimization: None,
        ..PdfSaveOptions::default()
    };
    let bytes = document.save(&options, &mut Vec::new());
    identified(bytes)
}

/// Names that are the same each time; the library would draw them.
fn id_of(weight: Weight) -> FontId {
    let name = match weight {
        Weight::Regular => "LoketRegular",
        Weight::Bold => "LoketBold",
    };
    FontId(name.to_owned())
}

const fn point(x: f32, y: f32) -> Point {
    Point {
        x: Pt(x),
        // The page is drawn from its upper edge, a PDF from its lower one.
        y: Pt(PAGE_HEIGHT - y),
    }
}

const fn grey(percent: f32) -> Color {
    Color::Greyscale(Greyscale {
        percent,
        icc_profile: None,
    })
}

fn ops(item: &Item) -> Vec<Op> {
    match item {
        Item::Words {
            x,
            y,
            size,
            weight,
            text,
        } => vec![
            Op::StartTextSection,
            Op::SetTextCursor { pos: point(*x, *y) },
            Op::SetFillColor { col: grey(0.0) },
            Op::SetFont {
                font: PdfFontHandle::External(id_of(*weight)),
                size: Pt(*size),
            },
            Op::ShowText {
                items: vec![TextItem::Text(text.clone())],
            },
            Op::EndTextSection,
        ],
        Item::Rule {
            x,
            y,
            width,
            thickness,
        } => vec![
            Op::SetOutlineColor { col: grey(0.0) },
            Op::SetOutlineThickness { pt: Pt(*thickness) },
            Op::DrawLine {
                line: Line {
                    points: [(*x, *y), (*x + *width, *y)]
                        .map(|(x, y)| corner(x, y))
                        .to_vec(),
                    is_closed: false,
                },
            },
        ],
        Item::Fill {
            x,
            y,
            width,
            height,
        } => area((*x, *y), (*width, *height), grey(FILL_GREY)),
        Item::Bar {
            x,
            y,
            width,
            height,
            ink,
        } => area((*x, *y), (*width, *height), full(*ink)),
    }
}

/// An ink alone: a printer whose inks are these uses no other for it.
const fn full(ink: Ink) -> Color {
    let (c, m, y, k) = match ink {
        Ink::Cyan => (1.0, 0.0, 0.0, 0.0),
        Ink::Magenta => (0.0, 1.0, 0.0, 0.0),
        Ink::Yellow => (0.0, 0.0, 1.0, 0.0),
        Ink::Black => (0.0, 0.0, 0.0, 1.0),
    };
    Color::Cmyk(Cmyk {
        c,
        m,
        y,
        k,
        icc_profile: None,
    })
}

fn area((x, y): (f32, f32), (width, height): (f32, f32), colour: Color) -> Vec<Op> {
    let (right, below) = (x + width, y + height);
    let corners = [(x, y), (right, y), (right, below), (x, below)];
    vec![
        Op::SetFillColor { col: colour },
        Op::DrawPolygon {
            polygon: Polygon {
                rings: vec![PolygonRing {
                    points: corners.map(|(x, y)| corner(x, y)).to_vec(),
                }],
                mode: PaintMode::Fill,
                winding_order: WindingOrder::NonZero,
            },
        },
    ]
}

const fn corner(x: f32, y: f32) -> LinePoint {
    LinePoint {
        p: point(x, y),
        bezier: false,
    }
}

/// Puts a digest of the file in place of what the library drew.
fn identified(mut bytes: Vec<u8>) -> Result<Vec<u8>, FormError> {
    let at = bytes
        .windows(ID_MARK.len())
        .rposition(|window| window == ID_MARK)
        .ok_or(FormError::Broken)?;
    let first = at.saturating_add(ID_MARK.len());
    let second = first.saturating_add(ID_LENGTH + ID_GAP);
    for part in [first, second] {
        let part = bytes.get_mut(part..part.saturating_add(ID_LENGTH));
        part.ok_or(FormError::Broken)?.fill(b'0');
    }
    let digest = format!("{:032x}", fnv(&bytes));
    for part in [first, second] {
        let part = bytes.get_mut(part..part.saturating_add(ID_LENGTH));
        part.ok_or(FormError::Broken)?
            .copy_from_slice(digest.as_bytes());
    }
    Ok(bytes)
}

/// FNV-1a of 128 bits: it tells files apart and proves nothing, which is all that ISO 32000-1 section 14.4 asks.
fn fnv(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}
