//! Why there is no raster.

use thiserror::Error;

use crate::raster::RasterError;

/// Why a document was not made into a raster for a printer. No person reads it: a job ends with a reason of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PrintError {
    /// A page cannot be drawn.
    #[error("draw a page")]
    Page(#[from] RasterError),
    /// No page at all, or more than [`MAX_PRINTED_PAGES`](super::MAX_PRINTED_PAGES).
    #[error("print the pages: too many or none")]
    PageCount,
    /// The raster would be larger than the caller takes.
    #[error("write the raster: larger than it may be")]
    TooLarge,
    /// What the renderer gave does not fill the page.
    #[error("write the raster: its rows do not fill the page")]
    Shape,
    /// Whoever takes the raster takes no more of it.
    #[error("hand over the raster: nobody takes it")]
    Sink,
}
