//! A printed document reduced to what a later scan is held against. Pure: the same document gives the same bytes.

use loket_paper::fingerprint::{self, FingerprintError};
use loket_paper::raster::{self, RasterError};
use loket_qr::Effort;
use loket_verify::{Code, Policy, Trust, check};
use loket_wire::record::MAX_PAGES;
use loket_wire::{JobId, MatchRecord, RecordPage, Sha256Digest, Timestamp};
use thiserror::Error;

use crate::codes::payloads;
use crate::{Bytes, Exit};

/// What stays of a document.
#[derive(Debug)]
struct Reduced {
    /// What its QR codes say.
    codes: Vec<Vec<u8>>,
    /// Its first pages.
    pages: Vec<RecordPage>,
}

/// Why a document cannot be reduced.
#[derive(Debug, Error)]
enum ReduceError {
    /// A page does not render.
    #[error("render a printed page")]
    Raster(#[from] RasterError),
    /// A page has no fingerprint.
    #[error("take a printed page's fingerprint")]
    Fingerprint(#[from] FingerprintError),
}

/// The record of a signed revision.
pub(crate) fn record(
    document: &[u8],
    (job_id, page_count): (JobId, u32),
    made_at: Timestamp,
) -> Result<Bytes, Exit> {
    let reduced = reduce(document, page_count).map_err(|_undrawn| Exit::NoDocument)?;
    // What it says of the signature was asked before the print; here it is asked what the pages rest on.
    let report = check(document, &Trust::default(), &Policy::default(), made_at);
    let record = MatchRecord {
        job_id,
        revision_sha256: Sha256Digest::of(document),
        made_at,
        fonts_inside: !report.has(Code::FontStandard) && !report.has(Code::FontMissing),
        codes: reduced.codes,
        pages: reduced.pages,
    };
    record.encode().map_err(|_too_large| Exit::NoDocument)
}

/// Renders and reduces the first pages of a document of `page_count` pages.
///
/// # Errors
/// [`ReduceError`]
fn reduce(document: &[u8], page_count: u32) -> Result<Reduced, ReduceError> {
    let most = u32::try_from(MAX_PAGES).unwrap_or(u32::MAX);
    let mut reduced = Reduced {
        codes: Vec::new(),
        pages: Vec::new(),
    };
    for page in 0..page_count.min(most) {
        let pixels = raster::render(document, page, fingerprint::DPI)?;
        if reduced.codes.is_empty() {
            reduced.codes = payloads(&pixels, Effort::Page);
        }
        let fingerprint = fingerprint::of(&pixels)?.to_bytes();
        reduced.pages.push(RecordPage { fingerprint });
    }
    Ok(reduced)
}
