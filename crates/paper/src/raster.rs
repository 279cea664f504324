//! Pages of documents and files of scans as pixels.
//!
//! What is bounded here: the bytes of a file, the size of a page in millimetres, the resolution and the pixels that come
//! out, and for pictures the memory that their decoder asks for. What is not: the time and memory that a hostile PDF takes
//! while it is interpreted. The interpreter counts no steps, so a content stream of 8 MiB may draw for minutes, and what
//! it does with broken fonts and pictures is not in our hands; a panic of it is caught and told as
//! [`RasterError::Unreadable`]. Whoever renders what strangers bring does it in a child process with a deadline and a
//! bound of memory.

mod bitmap;
mod error;
mod page;
mod picture;
mod scanned;

pub use bitmap::{Gray, Rgb};
pub use error::RasterError;
pub use page::{MAX_DPI, MAX_PAGE_MM, MAX_PDF_BYTES, MIN_DPI, page_count, render, render_colour};
pub(crate) use page::{guarded, is_page_of_paper, is_resolution, open, shade};
pub use picture::{
    MAX_PICTURE_BYTES, MAX_PICTURE_MEMORY_BYTES, image, jpeg_colour, png, png_colour,
};
pub use scanned::{is_pdf, scanned};

/// A4 at 600 dpi has 34.8 million; what is larger no printer or scanner here makes.
pub const MAX_PIXELS: u32 = 36_000_000;
