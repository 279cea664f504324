//! Rasters as printers would read them: held against what poppler draws, and read by the printer programs of CUPS.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a raster that cannot be made or read fails the test"
)]

#[path = "printed/peers.rs"]
mod peers;

use loket_paper::print::{self, Back, Colour, Form, Paper, PrintError, Setup, Sides, Written};
use loket_paper::raster::{self, RasterError};

use peers::{Page, cups, number_at, poppler, simulated};

const KK: &[u8] = include_bytes!("../../../tests/fixtures/kk-sample-bb.pdf");
const EMBEDDED: &[u8] = include_bytes!("../../../tests/fixtures/kk-embedded-bb.pdf");
const PORTRAIT: &[u8] = include_bytes!("../../../tests/fixtures/producers/libreoffice.pdf");
const TWO_PAGES: &[u8] = include_bytes!("../../../tests/fixtures/producers/cairo.pdf");

const ENOUGH: u64 = 64 * 1024 * 1024;

fn setup(form: Form, colour: Colour, dpi: u16) -> Setup {
    Setup {
        form,
        colour,
        dpi,
        paper: Paper::A4,
        sides: Sides::One,
        back: Back::Normal,
    }
}

fn written(document: &[u8], setup: &Setup) -> Vec<u8> {
    let mut raster = Vec::new();
    let told = print::write(document, setup, ENOUGH, &mut raster).unwrap();
    assert_eq!(told.size_bytes, u64::try_from(raster.len()).unwrap());
    raster
}

/// How far two pictures of a page are apart.
#[derive(Debug)]
struct Apart {
    /// Mean difference of a byte, in shades of 256.
    mean: f64,
    /// Bytes of a thousand that lie further than [`FAR`] outside of what the other has within a pixel around.
    far_permille: f64,
}

/// A quarter of the way from black to white: two programs smooth the edge of a letter by their own curves.
const FAR: u8 = 64;

fn apart(ours: &Page, theirs: &Page) -> Apart {
    let (width, height, bytes) = (ours.width, ours.height, ours.bytes);
    assert_eq!(
        (theirs.bytes, bytes * width * height),
        (bytes, ours.pixels.len())
    );
    // The other rounds a page's last row and column up where the paper's are rounded to the nearest.
    assert!(theirs.width.abs_diff(width) <= 1 && theirs.height.abs_diff(height) <= 1);
    let at = |page: &Page, x: usize, y: usize, colour: usize| {
        page.pixels[(y * page.width + x) * bytes + colour]
    };
    let (mut sum, mut far, mut count) = (0_u64, 0_u32, 0_u32);
    for y in 1..height.min(theirs.height) - 1 {
        for x in 1..width.min(theirs.width) - 1 {
            for colour in 0..bytes {
                let (one, other) = (at(ours, x, y, colour), at(theirs, x, y, colour));
                count += 1;
                if one == other {
                    continue;
                }
                sum += u64::from(one.abs_diff(other));
                let around = (y - 1..=y + 1)
                    .flat_map(|y| (x - 1..=x + 1).map(move |x| at(theirs, x, y, colour)));
                let (least, most) = around.fold((u8::MAX, 0), |(least, most), it| {
                    (least.min(it), most.max(it))
                });
                let outside = least.saturating_sub(one).max(one.saturating_sub(most));
                far += u32::from(outside > FAR);
            }
        }
    }
    let per = |part: f64| part / f64::from(count);
    Apart {
        mean: per(f64::from(u32::try_from(sum).unwrap())),
        far_permille: 1_000.0 * per(f64::from(far)),
    }
}

/// The page as poppler draws it, turned as it comes out of the printer.
fn expected(document: &[u8], dpi: u16, colour: Colour) -> Page {
    let page = poppler(document, dpi, colour);
    if page.width > page.height {
        page.turned()
    } else {
        page
    }
}

/// How far a raster may be from what poppler draws of the same page.
#[derive(Debug, Clone, Copy)]
struct Bound {
    mean: f64,
    far_permille: f64,
}

/// Of documents that bring their fonts along.
///
/// Measured: a family card is 3.2 shades away at 300 dpi and 1.9 at 600, since poppler darkens the smoothed edges of
/// letters and lines, and 0.0002 ‰ of its dots lie elsewhere.
const FONTS_INSIDE: Bound = Bound {
    mean: 4.0,
    far_permille: 0.01,
};

/// Of documents that do not: each program draws letters of its own, of the same widths. Measured: 6.2 shades and 11 ‰.
const FONTS_OF_OTHERS: Bound = Bound {
    mean: 8.0,
    far_permille: 15.0,
};

#[test]
fn a_raster_shows_what_poppler_draws_within_the_stated_bound() {
    let mut outside = Vec::new();
    for (name, bound, document, shapes) in DOCUMENTS.iter().copied() {
        for (colour, dpi) in shapes.iter().copied() {
            let raster = written(document, &setup(Form::Pwg, colour, dpi));
            let page = simulated(&raster).remove(0);
            let apart = apart(&page, &expected(document, dpi, colour));
            let told = format!("{name} {colour:?} {dpi}: {apart:?}, {} bytes", raster.len());
            println!("{told}");
            if apart.mean > bound.mean || apart.far_permille > bound.far_permille {
                outside.push(told);
            }
        }
    }
    assert!(outside.is_empty(), "{outside:#?}");
}

/// Colours and dots an inch.
type Shape = (Colour, u16);

const EVERY_SHAPE: &[Shape] = &[(Colour::Gray, 300), (Colour::Gray, 600), (Colour::Rgb, 300)];
const ONE_SHAPE: &[Shape] = &[(Colour::Gray, 300)];

/// Family cards, and a page of each of some programs that make PDFs.
const DOCUMENTS: &[(&str, Bound, &[u8], &[Shape])] = &[
    ("kk", FONTS_OF_OTHERS, KK, EVERY_SHAPE),
    ("embedded", FONTS_INSIDE, EMBEDDED, EVERY_SHAPE),
    ("cairo", FONTS_INSIDE, TWO_PAGES, ONE_SHAPE),
    ("fpdf2", FONTS_OF_OTHERS, FPDF2, ONE_SHAPE),
    ("ghostscript", FONTS_OF_OTHERS, GHOSTSCRIPT, ONE_SHAPE),
    ("libreoffice", FONTS_INSIDE, PORTRAIT, ONE_SHAPE),
];

const FPDF2: &[u8] = include_bytes!("../../../tests/fixtures/producers/fpdf2.pdf");
const GHOSTSCRIPT: &[u8] = include_bytes!("../../../tests/fixtures/producers/ghostscript.pdf");

#[test]
fn the_printer_programs_of_cups_read_both_formats_pixel_for_pixel() {
    for colour in [Colour::Gray, Colour::Rgb] {
        let pages = simulated(&written(TWO_PAGES, &setup(Form::Pwg, colour, 150)));
        assert_eq!(pages.len(), 2);
        let size = (pages[0].width, pages[0].height);
        for (form, content_type) in [(Form::Pwg, "image/pwg-raster"), (Form::Urf, "image/urf")] {
            let raster = written(TWO_PAGES, &setup(form, colour, 150));
            let seen = cups(&raster, content_type, size);
            assert!(seen == pages, "{colour:?} {form:?}");
        }
    }
}

#[test]
fn a_header_says_what_the_page_is_and_leaves_the_rest_to_later_versions() {
    let raster = written(TWO_PAGES, &setup(Form::Pwg, Colour::Rgb, 300));
    assert!(raster.starts_with(b"RaS2PwgRaster\0"));
    let head = peers::head(&raster);
    assert!(head[128..].starts_with(b"stationery\0"));
    assert!(head[1_732..].starts_with(b"iso_a4_210x297mm\0"));
    for (at, number) in [
        (276, 300),
        (280, 300),
        (340, 1),
        (344, 0),
        (352, 595),
        (356, 842),
        (372, 2_480),
        (376, 3_508),
        (384, 8),
        (388, 24),
        (392, 7_440),
        (400, 19),
        (420, 3),
        (452, 2),
        (456, 1),
        (460, 1),
        (472, 2_480),
        (476, 3_508),
        (484, 4),
    ] {
        assert_eq!(number_at(head, at), number, "{at}");
    }
}

#[test]
fn the_back_of_a_sheet_is_drawn_as_its_header_says() {
    let fronts = simulated(&written(TWO_PAGES, &setup(Form::Pwg, Colour::Gray, 100)));
    for sides in [Sides::LongEdge, Sides::ShortEdge] {
        for back in [
            Back::Normal,
            Back::Flipped,
            Back::Rotated,
            Back::ManualTumble,
        ] {
            let setup = Setup {
                sides,
                back,
                ..setup(Form::Pwg, Colour::Gray, 100)
            };
            let raster = written(TWO_PAGES, &setup);
            let is_tumbled = u32::from(sides == Sides::ShortEdge);
            let pages = simulated(&raster);
            assert!(pages[0] == fronts[0], "the front is as it is");
            let front = peers::head(&raster);
            let back_head = peers::head(&raster[second_page(&raster)..]);
            for head in [front, back_head] {
                let (duplex, tumble) = (number_at(head, 272), number_at(head, 368));
                assert_eq!((duplex, tumble), (1, is_tumbled));
            }
            let signs = |head| (number_at(head, 456), number_at(head, 460));
            assert_eq!(signs(front), (1, 1));
            let (along, down) = signs(back_head);
            let as_said = fronts[1].mirrored(along != 1, down != 1);
            let apart = apart(&pages[1], &as_said);
            // Smoothing rounds otherwise where a page is mirrored; nothing may lie elsewhere.
            assert!(
                apart.mean < 0.5 && apart.far_permille < 0.5,
                "{sides:?} {back:?}: {apart:?}"
            );
        }
    }
}

/// Where the second page begins, less the four bytes before the first.
fn second_page(raster: &[u8]) -> usize {
    let mut names = raster.windows(10).enumerate().skip(5);
    let found = names.find(|(_at, it)| it == b"PwgRaster\0");
    found.unwrap().0 - 4
}

#[test]
fn a_band_joins_the_one_before_as_if_the_page_were_drawn_whole() {
    for document in [TWO_PAGES, PORTRAIT] {
        let raster = written(document, &setup(Form::Pwg, Colour::Gray, 600));
        let banded = simulated(&raster).remove(0);
        let whole = raster::render(document, 0, 600).unwrap();
        let side = |pixels: u32| usize::try_from(pixels).unwrap();
        let whole = Page {
            width: side(whole.width),
            height: side(whole.height),
            bytes: 1,
            pixels: whole.pixels,
        };
        let apart = apart(&banded, &whole);
        assert!(apart.far_permille == 0.0 && apart.mean < 0.001, "{apart:?}");
    }
}

#[test]
fn the_same_document_gives_the_same_bytes_and_no_more_than_may_come() {
    let setup = setup(Form::Urf, Colour::Rgb, 200);
    let raster = written(KK, &setup);
    assert!(raster == written(KK, &setup));
    let size = u64::try_from(raster.len()).unwrap();
    let mut whole = Vec::new();
    let told = print::write(KK, &setup, size, &mut whole);
    assert_eq!(
        told,
        Ok(Written {
            page_count: 1,
            size_bytes: size
        })
    );
    let told = print::write(KK, &setup, size - 1, &mut Vec::new());
    assert_eq!(told, Err(PrintError::TooLarge));
    let mut closed: &mut [u8] = &mut [0; 64];
    let told = print::write(KK, &setup, size, &mut closed);
    assert_eq!(told, Err(PrintError::Sink));
}

#[test]
fn what_is_no_document_or_out_of_bounds_is_refused() {
    let refused = |document: &[u8], dpi| {
        let setup = setup(Form::Pwg, Colour::Gray, dpi);
        print::write(document, &setup, ENOUGH, &mut Vec::new())
    };
    let page = |error: RasterError| Err(PrintError::Page(error));
    assert_eq!(refused(KK, 35), page(RasterError::Resolution));
    assert_eq!(refused(KK, 601), page(RasterError::Resolution));
    assert_eq!(refused(b"no document", 300), page(RasterError::Unreadable));
    let empty = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R/Size 3>>\n%%EOF\n";
    assert!(refused(empty, 300).is_err());
    let locked = include_bytes!("../../../tests/fixtures/kk-sample-encrypted.pdf");
    assert_eq!(refused(locked, 300), page(RasterError::Unreadable));
}

/// Whatever became of a document: a raster that a printer reads to its end, or none.
#[test]
fn fuzz_prints_no_altered_document_makes_a_raster_that_is_none() {
    loket_fuzz::fuzz("prints", 60, &[KK, TWO_PAGES], |bytes| {
        for form in [Form::Pwg, Form::Urf] {
            let mut raster = Vec::new();
            let setup = setup(form, Colour::Gray, 50);
            if let Ok(told) = print::write(bytes, &setup, ENOUGH, &mut raster) {
                let pages = loket_sim::raster::count(&raster);
                assert_eq!(pages, Ok(told.page_count));
            }
        }
    });
}
