//! Forms for paper: words in tables become A4 pages of a PDF.
//!
//! ```text
//! Form ─> layout (lines, rules, pages) ─> write (printpdf) ─> bytes, with an identifier that follows from them
//! ```
//!
//! Same form and moment, same bytes: there is no clock, and the identifier that the library draws at random is replaced by
//! a digest of the file. Both faces are inside of it, so that it looks the same on each computer, and in ten years.

mod exercise;
mod face;
mod layout;
mod page;
mod write;

use loket_wire::Timestamp;
use loket_wire::form::Form;
use thiserror::Error;

pub use exercise::{EXERCISE_PAGES, Exercise};

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
    let head = write::Head {
        title: &form.title,
        author: &form.giver,
        subject: &form.foot,
    };
    write::write(&head, &pages, faces, made_at)
}

/// Draws the page by which a printer at rest is kept from drying: one sheet, little ink.
///
/// # Errors
/// [`FormError`]
pub fn exercise_page(page: &Exercise, made_at: Timestamp) -> Result<Vec<u8>, FormError> {
    let faces = face::Faces::load()?;
    let pages = [exercise::page(page, &faces)];
    let head = write::Head {
        title: exercise::TITLE,
        author: &page.machine,
        subject: &page.printer,
    };
    write::write(&head, &pages, faces, made_at)
}

#[cfg(test)]
mod tests;
