//! A printed document reduced to what a later scan is held against. Pure: the same document gives the same bytes.

use std::collections::BTreeSet;

use loket_paper::fingerprint::{self, FingerprintError};
use loket_paper::raster::{self, Gray, RasterError};
use loket_qr::Effort;
use loket_wire::RecordPage;
use loket_wire::record::{MAX_CODE_BYTES, MAX_CODES, MAX_PAGES};
use thiserror::Error;

/// What stays of a document.
#[derive(Debug)]
pub(crate) struct Reduced {
    /// What its QR codes say.
    pub(crate) codes: Vec<Vec<u8>>,
    /// Its first pages.
    pub(crate) pages: Vec<RecordPage>,
}

/// Why a document cannot be reduced.
#[derive(Debug, Error)]
pub(crate) enum ReduceError {
    /// A page does not render.
    #[error("render a printed page")]
    Raster(#[from] RasterError),
    /// A page has no fingerprint.
    #[error("take a printed page's fingerprint")]
    Fingerprint(#[from] FingerprintError),
}

/// What the QR codes of a page say, each once and in the order of their bytes; none where no code is legible.
pub(crate) fn codes_of(page: &Gray) -> Vec<Vec<u8>> {
    let read = loket_qr::read(page.width, page.height, &page.pixels, Effort::Page);
    // A page that is too large to be looked at, or that the reader gives up on, has no legible code.
    let codes = read.map(|reading| reading.codes).unwrap_or_default();
    let payload = |code: &loket_qr::Code| code.payload.as_bytes().to_vec();
    let found: BTreeSet<Vec<u8>> = codes.iter().map(payload).collect();
    let fits = |code: &Vec<u8>| code.len() <= MAX_CODE_BYTES;
    found.into_iter().filter(fits).take(MAX_CODES).collect()
}

/// Renders and reduces the first pages of a document of `page_count` pages.
///
/// # Errors
/// [`ReduceError`]
pub(crate) fn reduce(document: &[u8], page_count: u32) -> Result<Reduced, ReduceError> {
    let most = u32::try_from(MAX_PAGES).unwrap_or(u32::MAX);
    let mut reduced = Reduced {
        codes: Vec::new(),
        pages: Vec::new(),
    };
    for page in 0..page_count.min(most) {
        let pixels = raster::render(document, page, fingerprint::DPI)?;
        if reduced.codes.is_empty() {
            reduced.codes = codes_of(&pixels);
        }
        let fingerprint = fingerprint::of(&pixels)?.to_bytes();
        reduced.pages.push(RecordPage { fingerprint });
    }
    Ok(reduced)
}
