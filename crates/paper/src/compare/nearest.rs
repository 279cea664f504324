//! Which of several pages a sheet is.

use super::{CompareError, Comparison, Verdict, scan};
use crate::fingerprint::Fingerprint;
use crate::raster::Gray;

/// Holds the sheet against each page and gives the one that it resembles most, by its place among them; `None` where
/// there is no page.
///
/// # Errors
/// [`CompareError`], where the scan can be held against none of them.
pub fn nearest(
    pages: &[Fingerprint],
    sheet: &Gray,
) -> Result<Option<(usize, Comparison)>, CompareError> {
    let mut best: Option<(usize, Comparison)> = None;
    let mut refused = None;
    for (at, page) in pages.iter().enumerate() {
        match scan(page, sheet) {
            Ok(comparison) => {
                let known = best.as_ref().map(|(_at, known)| rank(known));
                if known.is_none_or(|known| rank(&comparison) < known) {
                    best = Some((at, comparison));
                }
            }
            Err(error) => refused = Some(error),
        }
    }
    match (best, refused) {
        (None, Some(error)) => Err(error),
        (best, _) => Ok(best),
    }
}

/// Nearest first.
const fn rank(comparison: &Comparison) -> (u8, usize) {
    let verdict = match comparison.verdict {
        Verdict::Same => 0,
        Verdict::Different => 1,
        Verdict::CannotTell(_) => 2,
    };
    (verdict, comparison.regions.len())
}
