//! A page of a PDF as pixels, by hayro.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};

use super::{Gray, MAX_PIXELS, RasterError, Rgb};

/// As `loket_verify::MAX_DOCUMENT_BYTES`: what is larger was never taken.
pub const MAX_PDF_BYTES: usize = 8 * 1024 * 1024;

/// A3 and its bleed; family cards are A4.
pub const MAX_PAGE_MM: f32 = 450.0;

/// Smaller than a ticket is no page.
const MIN_PAGE_MM: f32 = 10.0;

/// Below it nothing on a page can be told apart.
pub const MIN_DPI: u16 = 36;

/// The finest that office scanners and printers here are asked for.
pub const MAX_DPI: u16 = 600;

const POINTS_PER_INCH: f32 = 72.0;
const MM_PER_INCH: f32 = 25.4;

/// How many pages the document has.
///
/// # Errors
/// [`RasterError::FileTooLarge`], [`RasterError::Unreadable`].
pub fn page_count(pdf: &[u8]) -> Result<u32, RasterError> {
    guarded(|| {
        let pdf = open(pdf)?;
        u32::try_from(pdf.pages().len()).map_err(|_many| RasterError::Unreadable)
    })
}

/// Renders a page, counted from 0, in shades of grey on white.
///
/// Units and ranges: `dpi` from [`MIN_DPI`] to [`MAX_DPI`]; sides of the page from 10 mm to [`MAX_PAGE_MM`]. The page is
/// what the PDF's crop box shows, turned as its `Rotate` says.
///
/// # Errors
/// [`RasterError`]; a panic of the renderer is [`RasterError::Unreadable`].
pub fn render(pdf: &[u8], page: u32, dpi: u16) -> Result<Gray, RasterError> {
    let pixmap = pixmap(pdf, page, dpi)?;
    let (pixels, _none) = pixmap.data_as_u8_slice().as_chunks::<4>();
    Ok(Gray {
        width: u32::from(pixmap.width()),
        height: u32::from(pixmap.height()),
        pixels: pixels.iter().map(shade).collect(),
        dpi: Some(dpi),
    })
}

/// Renders a page, counted from 0, in colours on white, for a screen.
///
/// Units and ranges: as [`render`].
///
/// # Errors
/// As [`render`].
pub fn render_colour(pdf: &[u8], page: u32, dpi: u16) -> Result<Rgb, RasterError> {
    let pixmap = pixmap(pdf, page, dpi)?;
    let pixels = pixmap.data_as_u8_slice().chunks_exact(4);
    Ok(Rgb {
        width: u32::from(pixmap.width()),
        height: u32::from(pixmap.height()),
        pixels: pixels.flat_map(|it| it.iter().copied().take(3)).collect(),
    })
}

fn pixmap(pdf: &[u8], page: u32, dpi: u16) -> Result<Pixmap, RasterError> {
    if !is_resolution(dpi) {
        return Err(RasterError::Resolution);
    }
    guarded(|| {
        let pdf = open(pdf)?;
        let at = usize::try_from(page).map_err(|_large| RasterError::NoSuchPage)?;
        let page = pdf.pages().get(at).ok_or(RasterError::NoSuchPage)?;
        let (width, height) = page.render_dimensions();
        if !is_page_of_paper((width, height)) {
            return Err(RasterError::PageSize);
        }
        let scale = f32::from(dpi) / POINTS_PER_INCH;
        let pixels = f64::from(width * scale) * f64::from(height * scale);
        if pixels > f64::from(MAX_PIXELS) {
            return Err(RasterError::PixelCount);
        }
        let settings = RenderSettings {
            // Letters stand where the document says: a printer does not move them to the dots of a screen.
            hinting: false,
            ..RenderSettings::default()
        };
        let paper = PixmapSettings {
            x_scale: scale,
            y_scale: scale,
            bg_color: WHITE,
        };
        let fonts = InterpreterSettings::default();
        Ok(hayro::render(
            page,
            &RenderCache::new(),
            &fonts,
            &settings,
            &paper,
        ))
    })
}

/// Whether pages are drawn so fine.
pub(crate) fn is_resolution(dpi: u16) -> bool {
    (MIN_DPI..=MAX_DPI).contains(&dpi)
}

/// Whether a page of these sides, in points, is as large as paper is.
pub(crate) fn is_page_of_paper((width, height): (f32, f32)) -> bool {
    let sides = [width, height].map(|points| points / POINTS_PER_INCH * MM_PER_INCH);
    sides
        .iter()
        .all(|mm| (MIN_PAGE_MM..=MAX_PAGE_MM).contains(mm))
}

pub(crate) fn open(pdf: &[u8]) -> Result<Pdf, RasterError> {
    if pdf.len() > MAX_PDF_BYTES {
        return Err(RasterError::FileTooLarge);
    }
    Pdf::new(pdf.to_vec()).map_err(|_reason| RasterError::Unreadable)
}

/// Runs the renderer, whose panics are answers about the document and no bug of the caller's.
pub(crate) fn guarded<T, E: From<RasterError>>(
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(RasterError::Unreadable.into()))
}

/// ITU-R BT.601 weights, as JPEG's luma: red, green, blue in 256ths.
pub(crate) fn shade([red, green, blue, _opaque]: &[u8; 4]) -> u8 {
    // The weights are 256 in all: the sum of three bytes by them is below 2^16.
    let sum = u16::from(*red) * 77 + u16::from(*green) * 150 + u16::from(*blue) * 29;
    let [high, _low] = sum.to_be_bytes();
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    const KK: &[u8] = include_bytes!("../../../../tests/fixtures/kk-sample-bb.pdf");
    const LOCKED: &[u8] = include_bytes!("../../../../tests/fixtures/kk-sample-encrypted.pdf");

    #[test]
    fn a_family_card_becomes_dark_letters_on_white_at_the_asked_resolution() {
        let page = render(KK, 0, 100).unwrap();
        assert_eq!((page.width, page.height, page.dpi), (1169, 826, Some(100)));
        assert_eq!(page.pixels.len(), 1169 * 826);
        let dark = page.pixels.iter().filter(|shade| **shade < 128).count();
        assert!((20_000..90_000).contains(&dark), "{dark}");
        assert_eq!(page.pixels.first(), Some(&255));
        assert_eq!(render(KK, 0, 100).unwrap(), page);
    }

    #[test]
    fn colours_of_a_page_have_the_shades_of_its_grey() {
        let (grey, colour) = (
            render(KK, 0, 72).unwrap(),
            render_colour(KK, 0, 72).unwrap(),
        );
        assert_eq!((colour.width, colour.height), (grey.width, grey.height));
        let reds = colour.pixels.chunks_exact(3).map(|pixel| pixel[0]);
        assert!(
            reds.zip(&grey.pixels)
                .all(|(red, shade)| red.abs_diff(*shade) <= 1)
        );
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_its_own_error() {
        assert_eq!(render(KK, 1, 100), Err(RasterError::NoSuchPage));
        assert_eq!(render(KK, 0, MIN_DPI - 1), Err(RasterError::Resolution));
        assert_eq!(render(KK, 0, MAX_DPI + 1), Err(RasterError::Resolution));
        assert_eq!(
            render(&vec![b' '; MAX_PDF_BYTES + 1], 0, 100),
            Err(RasterError::FileTooLarge)
        );
        assert_eq!(render(b"no document", 0, 100), Err(RasterError::Unreadable));
        assert_eq!(page_count(KK), Ok(1));
        // The page stands twice: as it was drawn, and as the signature's revision replaced it.
        let text: Vec<u8> = KK.to_vec();
        let widths = text
            .windows(8)
            .enumerate()
            .filter(|(_at, it)| *it == b"841.8898");
        let mut long = KK.to_vec();
        for (at, _width) in widths {
            long[at..at + 8].copy_from_slice(b"9999.999");
        }
        assert_eq!(render(&long, 0, 100), Err(RasterError::PageSize));
    }

    #[test]
    fn a_document_that_needs_a_password_is_not_readable() {
        assert_eq!(render(LOCKED, 0, 100).unwrap_err(), RasterError::Unreadable);
    }

    #[test]
    fn fuzz_pages_no_altered_document_makes_the_renderer_panic_through() {
        loket_fuzz::fuzz("pages", 100, &[KK], |bytes| {
            if let Ok(page) = render(bytes, 0, 50) {
                assert_eq!(
                    page.pixels.len(),
                    usize::try_from(page.width * page.height).unwrap()
                );
            }
        });
    }
}
