//! Documents as rasters for printers that take no PDF: drawn by the inspector, one at a time.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use loket_inspection::{
    EXIT_NO_DOCUMENT, EXIT_TOO_LARGE, Fault, Inspector, MAX_RASTER_BYTES, Question, RASTER_LIMITS,
    Work, ask,
};
use loket_wire::{RasterFormat, RasterSetup};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// A page takes half a second on a small PC; a printer that waits for its document gives its job up after a minute.
const WITHIN: Duration = Duration::from_secs(45);

/// Draws documents for printers.
pub struct Rasters {
    inspector: Inspector,
    turns: Semaphore,
}

impl fmt::Debug for Rasters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rasters").finish_non_exhaustive()
    }
}

/// Whether the same document would not be drawn the next time either.
pub(crate) fn is_for_good(fault: &Fault) -> bool {
    fault.is_exit(EXIT_NO_DOCUMENT) || fault.is_exit(EXIT_TOO_LARGE) || fault.was_killed()
}

/// Whether coarser pixels may help.
pub(crate) fn is_too_large(fault: &Fault) -> bool {
    fault.is_exit(EXIT_TOO_LARGE)
}

impl Rasters {
    /// Asks `inspector`.
    #[must_use]
    pub const fn new(inspector: Inspector) -> Self {
        Self {
            inspector,
            turns: Semaphore::const_new(1),
        }
    }

    /// Draws a signed revision of so many pages.
    ///
    /// # Errors
    /// [`Fault`]; [`is_for_good`] tells whether another try is of use.
    ///
    /// # Cancel safety
    /// Dropping the future ends the inspector.
    pub(crate) async fn draw(
        &self,
        revision: &[u8],
        page_count: u32,
        setup: RasterSetup,
    ) -> Result<Bytes, Fault> {
        // Never closed: there is always a turn, sooner or later.
        let _turn = self.turns.acquire().await;
        let question = Question {
            work: Work::Raster { setup },
            limits: RASTER_LIMITS,
            parts: &[revision],
            within: WITHIN,
            max_answer_bytes: MAX_RASTER_BYTES,
        };
        let raster = ask(&self.inspector, question).await?;
        // How many pages were verified is the daemon's own knowledge, whatever the document made of its reader.
        if pages_told(&raster, setup.format) == Some(page_count) {
            Ok(Bytes::from_owner(Wiped(raster)))
        } else {
            Err(Fault::Ended {
                code: Some(i32::from(EXIT_NO_DOCUMENT)),
                signal: None,
            })
        }
    }
}

/// How many pages a raster says that it has: `TotalPageCount` (PWG 5102.4 section 4.3), or the number behind URF's name.
fn pages_told(raster: &[u8], format: RasterFormat) -> Option<u32> {
    let (name, place): (&[u8], usize) = match format {
        RasterFormat::Pwg => (b"RaS2PwgRaster\0", 4 + 452),
        RasterFormat::Urf => (b"UNIRAST\0", 8),
    };
    let number = raster.get(place..)?.first_chunk::<4>()?;
    raster
        .starts_with(name)
        .then_some(u32::from_be_bytes(*number))
}

/// Wiped when the last part has been handed to the socket: a raster shows what the document says.
struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raster_says_how_many_pages_it_has() {
        let urf = b"UNIRAST\0\0\0\0\x02";
        assert_eq!(pages_told(urf, RasterFormat::Urf), Some(2));
        assert_eq!(pages_told(urf, RasterFormat::Pwg), None);
        assert_eq!(pages_told(&urf[..11], RasterFormat::Urf), None);
        let mut pwg = b"RaS2PwgRaster\0".to_vec();
        pwg.resize(4 + 1_796, 0);
        pwg[4 + 455] = 3;
        assert_eq!(pages_told(&pwg, RasterFormat::Pwg), Some(3));
    }

    #[test]
    fn a_fault_of_the_document_is_for_good_and_one_of_the_machine_is_not() {
        let ended = |code, signal| is_for_good(&Fault::Ended { code, signal });
        assert!(ended(Some(65), None) && ended(Some(73), None) && ended(None, Some(6)));
        assert!(is_for_good(&Fault::TookTooLong));
        assert!(!ended(Some(70), None) && !is_for_good(&Fault::Answer));
    }
}
