//! Documents as rasters for printers that take no PDF: PWG raster and URF.
//!
//! ```text
//! PDF ─> each page ─> each band of rows, drawn as the printer feeds it ─> packed lines ─> the caller's sink
//! ```
//!
//! The caller gives the bytes of the signed revision and nothing else: what stands in a PDF after them is drawn as well.
//! The same bytes and the same [`Setup`] give the same raster. A page is drawn band by band, for a page of A4 at 600 dpi
//! in colours has 139 MB; the content of a page is interpreted anew for each band.
//!
//! A page is placed at its own size, in the middle of the paper, and what is larger is cut off (`print-scaling` is
//! `none`). A page that is wider than high is turned by 90° anticlockwise on paper that is higher than wide, as RFC 8011
//! section 5.2.10 says of `landscape`: its left edge lies at the foot of the sheet.
//!
//! Annotations are drawn that a screen would show: the renderer tells their flag `Print` (ISO 32000-2, 12.5.3) from the
//! others no better than other viewers that print.
//!
//! As for [`crate::raster`]: what a hostile PDF takes of time and memory while it is interpreted is bounded by whoever
//! calls, in a child process.

mod bands;
mod error;
mod pack;
mod place;
mod pwg;
mod setup;
mod urf;

use std::io::Write;

pub use error::PrintError;
pub use place::{Back, Paper};
pub use setup::{Colour, Form, Setup, Sides};

use bands::Bands;
use pack::Packer;

/// More pages than any document of the registry has, and more than a tray of this office holds.
pub const MAX_PRINTED_PAGES: u32 = 64;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Pages, each an impression.
    pub page_count: u32,
    /// Bytes of the raster.
    pub size_bytes: u64,
}

/// Writes a document as raster.
///
/// Units and ranges: `pdf` up to [`MAX_PDF_BYTES`](crate::raster::MAX_PDF_BYTES) with one to [`MAX_PRINTED_PAGES`] pages
/// and sides up to [`MAX_PAGE_MM`](crate::raster::MAX_PAGE_MM); `setup.dpi` from
/// [`MIN_DPI`](crate::raster::MIN_DPI) to [`MAX_DPI`](crate::raster::MAX_DPI); at most `max_bytes` come out.
///
/// # Errors
/// [`PrintError`]; what was written till then is no raster.
pub fn write(
    pdf: &[u8],
    setup: &Setup,
    max_bytes: u64,
    sink: &mut impl Write,
) -> Result<Written, PrintError> {
    let mut sink = Counted {
        sink,
        size_bytes: 0,
        max_bytes,
    };
    let page_count = bands::document(pdf, setup, |bands| page_by_page(bands, setup, &mut sink))?;
    Ok(Written {
        page_count,
        size_bytes: sink.size_bytes,
    })
}

fn page_by_page<W: Write>(
    bands: &mut Bands<'_>,
    setup: &Setup,
    sink: &mut Counted<'_, W>,
) -> Result<u32, PrintError> {
    let page_count = bands.page_count()?;
    match setup.form {
        Form::Pwg => sink.write(pwg::SYNC)?,
        Form::Urf => sink.write(&urf::head(page_count))?,
    }
    for page in 0..page_count {
        match setup.form {
            Form::Pwg => sink.write(&pwg::page_head(setup, page, page_count))?,
            Form::Urf => sink.write(&urf::page_head(setup))?,
        }
        let size = setup.paper.pixels(setup.dpi);
        let mut packer = Packer::new(size.width, setup.colour);
        bands.each_row(page, |row| {
            packer.row(row)?;
            sink.drain(&mut packer)
        })?;
        packer.finish(size.height)?;
        sink.drain(&mut packer)?;
    }
    Ok(page_count)
}

/// What goes to the caller, up to a bound.
struct Counted<'a, W> {
    sink: &'a mut W,
    size_bytes: u64,
    max_bytes: u64,
}

/// Packed bytes that are handed on at once: a call for each line would cost more than the line.
const DRAIN_BYTES: usize = 64 * 1024;

impl<W: Write> Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size_bytes = self.size_bytes.saturating_add(more);
        if self.size_bytes > self.max_bytes {
            return Err(PrintError::TooLarge);
        }
        self.sink
            .write_all(bytes)
            .map_err(|_closed| PrintError::Sink)
    }

    /// Hands on what is packed where it is much, or where the page is over.
    fn drain(&mut self, packer: &mut Packer) -> Result<(), PrintError> {
        if packer.is_over() || packer.packed().len() >= DRAIN_BYTES {
            self.write(packer.packed())?;
            packer.forget();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
