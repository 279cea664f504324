//! Pages drawn band by band.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{PixmapMut, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};
use zeroize::Zeroizing;

use super::place::{Map, Pixels, place};
use super::{MAX_PRINTED_PAGES, PrintError, Setup};
use crate::raster::{RasterError, guarded, is_page_of_paper, is_resolution, open};

/// Pixels of a band: 16 MB, so that the whole process stays below 64, and a page of A4 at 600 dpi is interpreted nine
/// times.
const BAND_PIXELS: usize = 4 * 1024 * 1024;

/// Red, green, blue, and how much of it.
pub(super) const BYTES: usize = 4;

/// A document that is drawn.
pub(super) struct Bands<'a> {
    pages: &'a [Page<'a>],
    setup: &'a Setup,
    cache: RenderCache<'a>,
    /// The pixels of a band.
    band: Zeroizing<Vec<u8>>,
}

/// What stands in a row of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row<'a> {
    /// The same as in the row before.
    Again,
    /// Four bytes a pixel.
    Pixels(&'a [u8]),
}

/// Opens a document for `work`.
pub(super) fn document<T>(
    pdf: &[u8],
    setup: &Setup,
    work: impl FnOnce(&mut Bands<'_>) -> Result<T, PrintError>,
) -> Result<T, PrintError> {
    if !is_resolution(setup.dpi) {
        return Err(RasterError::Resolution.into());
    }
    guarded(|| {
        let pdf: Pdf = open(pdf)?;
        let mut bands = Bands {
            pages: pdf.pages(),
            setup,
            cache: RenderCache::new(),
            band: Zeroizing::default(),
        };
        work(&mut bands)
    })
}

impl<'a> Bands<'a> {
    pub(super) fn page_count(&self) -> Result<u32, PrintError> {
        let count = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        let is_right = (1..=MAX_PRINTED_PAGES).contains(&count);
        is_right.then_some(count).ok_or(PrintError::PageCount)
    }

    /// Draws a page, counted from 0, and gives its rows from head to foot as the printer feeds them.
    pub(super) fn each_row(
        &mut self,
        page: u32,
        mut take: impl FnMut(Row<'_>) -> Result<(), PrintError>,
    ) -> Result<(), PrintError> {
        let at = usize::try_from(page).map_err(|_large| RasterError::NoSuchPage)?;
        let drawn = self.pages.get(at).ok_or(RasterError::NoSuchPage)?;
        let sides = drawn.render_dimensions();
        if !is_page_of_paper(sides) {
            return Err(RasterError::PageSize.into());
        }
        let size = self.setup.paper.pixels(self.setup.dpi);
        let map = place(sides, size, self.setup.dpi, self.setup.signs(page));
        let row_bytes = usize::from(size.width).saturating_mul(BYTES);
        let band_height = band_height(size);
        let mut above = Zeroizing::new(Vec::with_capacity(row_bytes));
        let mut first = 0;
        while first < size.height {
            let height = band_height.min(size.height.saturating_sub(first));
            self.draw(drawn, (size.width, height), map, first)?;
            for row in self.band.chunks_exact(row_bytes) {
                if row == above.as_slice() {
                    take(Row::Again)?;
                } else {
                    take(Row::Pixels(row))?;
                    above.clear();
                    above.extend_from_slice(row);
                }
            }
            first = first.saturating_add(height);
        }
        Ok(())
    }

    /// Draws the rows of a page that begin at `first`.
    fn draw(
        &mut self,
        page: &'a Page<'a>,
        (width, height): (u16, u16),
        map: Map,
        first: u16,
    ) -> Result<(), PrintError> {
        let settings = RenderSettings {
            // Letters stand where the document says: a printer does not move them to the dots of a screen.
            hinting: false,
            ..RenderSettings::default()
        };
        let mut context = RenderContext::new(width, height);
        let Map(placed) = map.then(Map::shift(0.0, -f64::from(first)));
        let upright = page.initial_transform(true).as_coeffs();
        let transform = Affine::new(placed) * Affine::new(upright);
        let fonts = InterpreterSettings::default();
        render_into(
            page,
            &self.cache,
            &fonts,
            &settings,
            &mut context,
            transform,
        );
        context.flush();
        let bytes = usize::from(width) * usize::from(height) * BYTES;
        self.band.resize(bytes, 0);
        let band = PixmapMut::new(width, height, &mut self.band).ok_or(PrintError::Shape)?;
        let white = RasterizerSettings {
            target_init: TargetInit::Clear(WHITE),
            ..RasterizerSettings::default()
        };
        context.render_with(band, &mut Resources::default(), white);
        Ok(())
    }
}

/// Rows of a band.
fn band_height(size: Pixels) -> u16 {
    let rows = BAND_PIXELS / usize::from(size.width.max(1));
    // vello works in rows of four pixels: a band that ends between them would draw its last ones twice.
    u16::try_from(rows).unwrap_or(u16::MAX).max(4) & !3
}
