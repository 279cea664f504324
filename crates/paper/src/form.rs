//! Forms for paper: words in tables become A4 pages of a PDF.
//!
//! ```text
//! Form ─> layout (lines, rules, pages) ─> write (printpdf) ─> bytes, with an identifier that follows from them
//! ```
//!
//! Same form and moment, same bytes: there is no clock, and the identifier that the library draws at random is replaced by
//! a digest of the file. Both faces are inside of it, so that it looks the same on each computer, and in ten years.

mod face;
mod layout;
mod page;
mod write;

use loket_wire::Timestamp;
use loket_wire::form::Form;
use thiserror::Error;

/// Most pages of one form. The largest account of a day has a tenth of it; what is more is no form for people.
pub const MAX_PAGES: usize = 1_000;

/// Why there is no PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FormError {
    /// More than [`MAX_PAGES`].
    #[error("lay out the form: it has more than {MAX_PAGES} pages")]
    TooLong,
    /// A face inside this program is none, or the library wrote no such file as it should.
    #[error("write the form")]
    Broken,
}

/// Draws the form, made at that moment.
///
/// # Errors
/// [`FormError`]
///
/// # Source
/// ISO 32000-1; A4 of ISO 216.
pub fn pdf(form: &Form, made_at: Timestamp) -> Result<Vec<u8>, FormError> {
    let faces = face::Faces::load()?;
    let pages = layout::pages(form, &faces)?;
    write::write(form, &pages, faces, made_at)
}

#[cfg(test)]
mod tests;
