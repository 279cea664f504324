//! What stands in the QR codes of a page, and a scan as pixels.

use std::collections::BTreeSet;

use loket_inspection::Read;
use loket_paper::raster::{self, Gray};
use loket_qr::Effort;
use loket_wire::Sha256Digest;
use loket_wire::record::{MAX_CODE_BYTES, MAX_CODES};

/// Digests of what the QR codes of a scan say. A photograph is read with more effort only where a scan's is not enough.
pub(crate) fn codes(scan: &[u8], page: Option<u32>) -> Read<Vec<Sha256Digest>> {
    let sheet = match pixels(scan, page) {
        Ok(sheet) => sheet,
        Err(why) => return why.into_read(),
    };
    let mut found = payloads(&sheet, Effort::Page);
    if found.is_empty() {
        found = payloads(&sheet, Effort::Photograph);
    }
    Read::Told(found.iter().map(|code| Sha256Digest::of(code)).collect())
}

/// What the QR codes of a page say, each once and in the order of their bytes; none where no code is legible.
pub(crate) fn payloads(page: &Gray, effort: Effort) -> Vec<Vec<u8>> {
    let read = loket_qr::read(page.width, page.height, &page.pixels, effort);
    // A page that is too large to be looked at, or that the reader gives up on, has no legible code.
    let codes = read.map(|reading| reading.codes).unwrap_or_default();
    let payload = |code: &loket_qr::Code| code.payload.as_bytes().to_vec();
    let found: BTreeSet<Vec<u8>> = codes.iter().map(payload).collect();
    let fits = |code: &Vec<u8>| code.len() <= MAX_CODE_BYTES;
    found.into_iter().filter(fits).take(MAX_CODES).collect()
}

/// Why a scan tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// A code of loket-paper.
    Code(&'static str),
    /// It shows so many sheets.
    ManySheets(u32),
}

impl Unread {
    pub(crate) fn into_read<T>(self) -> Read<T> {
        match self {
            Self::Code(code) => Read::Unread(code.to_owned()),
            Self::ManySheets(count) => Read::ManySheets(count),
        }
    }
}

/// The sheet of a scan: a picture, or a page, from 1, of a PDF that a scanner made; without a page, the only one.
pub(crate) fn pixels(scan: &[u8], page: Option<u32>) -> Result<Gray, Unread> {
    let unread = |error: raster::RasterError| Unread::Code(error.code());
    if page.is_none() && raster::is_pdf(scan) {
        let count = raster::page_count(scan).map_err(unread)?;
        if count > 1 {
            return Err(Unread::ManySheets(count));
        }
    }
    let index = page.unwrap_or(1).checked_sub(1);
    let index = index.ok_or_else(|| unread(raster::RasterError::NoSuchPage))?;
    raster::scanned(scan, index).map_err(unread)
}
