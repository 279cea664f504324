//! A document as a raster for a printer that takes no PDF.

use std::io::Write;

use loket_inspection::MAX_RASTER_BYTES;
use loket_paper::print::{self, Back, Colour, Form, Paper, PrintError, Setup, Sides};
use loket_wire::{RasterColours, RasterFormat, RasterSetup};

use crate::Exit;

/// Draws a document, and writes each part of its raster as soon as it is drawn.
pub(crate) fn raster(
    document: &[u8],
    setup: RasterSetup,
    out: &mut impl Write,
) -> Result<(), Exit> {
    let setup = Setup {
        form: match setup.format {
            RasterFormat::Pwg => Form::Pwg,
            RasterFormat::Urf => Form::Urf,
        },
        colour: match setup.colours {
            RasterColours::Gray => Colour::Gray,
            RasterColours::Rgb => Colour::Rgb,
        },
        dpi: setup.resolution_dpi,
        // What a job asks of a printer (`loket_ipp_printer::NewJob`): A4, one side.
        paper: Paper::A4,
        sides: Sides::One,
        back: Back::Normal,
    };
    let most = u64::try_from(MAX_RASTER_BYTES).unwrap_or(u64::MAX);
    match print::write(document, &setup, most, out) {
        Ok(_written) => Ok(()),
        Err(PrintError::Page(_) | PrintError::PageCount) => Err(Exit::NoDocument),
        Err(PrintError::TooLarge) => Err(Exit::TooLarge),
        Err(PrintError::Sink) => Err(Exit::Output),
        Err(PrintError::Shape) => Err(Exit::Bug),
    }
}
