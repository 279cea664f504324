//! In which format a printer is given a document.

use loket_ipp_printer::{PrinterAttributes, Rasters};
use loket_wire::{RasterColours, RasterFormat, RasterSetup};

/// What a printer that takes it draws itself.
const PDF: &str = "application/pdf";

/// The coarsest raster: at it letters of six points and the code on a document are still read.
const MIN_RESOLUTION_DPI: u16 = 200;

/// The finest, at which a document is drawn in seconds on a small PC; what a printer can do beyond it no eye sees.
const MAX_RESOLUTION_DPI: u16 = 600;

/// The format, and for a raster its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) media_type: &'static str,
    pub(super) raster: Option<RasterSetup>,
}

/// The best that both sides have: the document itself, else PWG raster, else URF. Nothing is sent as bytes of any kind
/// (`application/octet-stream`) for the printer to guess at.
pub(super) fn choose(seen: &PrinterAttributes) -> Option<Chosen> {
    let takes = |media_type: &str| seen.formats.iter().any(|format| format == media_type);
    if takes(PDF) {
        return Some(Chosen {
            media_type: PDF,
            raster: None,
        });
    }
    let setups = [RasterFormat::Pwg, RasterFormat::Urf].into_iter();
    setups
        .filter(|format| takes(format.media_type()))
        .find_map(|format| {
            Some(Chosen {
                media_type: format.media_type(),
                raster: Some(setup(format, &seen.rasters)?),
            })
        })
}

/// The finest raster of a format that a printer takes, in colours where it has any.
fn setup(format: RasterFormat, rasters: &Rasters) -> Option<RasterSetup> {
    let (resolutions, words, gray, rgb) = match format {
        RasterFormat::Pwg => (
            &rasters.pwg_resolutions_dpi,
            &rasters.pwg_types,
            "sgray_8",
            "srgb_8",
        ),
        RasterFormat::Urf => (
            &rasters.urf_resolutions_dpi,
            &rasters.urf_words,
            "W8",
            "SRGB24",
        ),
    };
    let has = |word: &str| words.iter().any(|known| known == word);
    let colours = match (has(gray), has(rgb)) {
        (true, true) if rasters.is_colour == Some(false) => RasterColours::Gray,
        (_, true) => RasterColours::Rgb,
        (true, false) => RasterColours::Gray,
        (false, false) => return None,
    };
    let fits = |dpi: &u16| (MIN_RESOLUTION_DPI..=MAX_RESOLUTION_DPI).contains(dpi);
    let fitting = || resolutions.iter().copied().filter(fits);
    let resolution_dpi = fitting().max()?;
    Some(RasterSetup {
        format,
        colours,
        resolution_dpi,
        coarser_dpi: fitting().filter(|dpi| *dpi < resolution_dpi).max(),
    })
}
