//! A scan as whoever made it saved it.

use super::{Gray, RasterError, image, render};

/// A PDF of a scanner holds a picture of about this fineness, which is what comparing is measured at.
const PDF_DPI: u16 = 200;

/// What PDF readers look through for the head of a document (ISO 32000-2, annex H, implementation note).
const HEAD_BYTES: usize = 1024;

/// Whether `bytes` begin as a PDF does.
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    const PDF: &[u8] = b"%PDF-";
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    head.windows(PDF.len()).any(|window| window == PDF)
}

/// The pixels of a scan: of a picture, or of a page, counted from 0, of the PDF that a scanner made.
///
/// # Errors
/// [`RasterError`]. An electronic document is [`RasterError::NotPaper`]: as crisp as no paper is, it would be told to
/// differ from its own record.
pub fn scanned(bytes: &[u8], page: u32) -> Result<Gray, RasterError> {
    if !is_pdf(bytes) {
        return image(bytes);
    }
    if is_signed(bytes) {
        return Err(RasterError::NotPaper);
    }
    render(bytes, page, PDF_DPI)
}

/// Whether a PDF says that it is signed (ISO 32000-2, 12.8.1): no scanner does.
fn is_signed(pdf: &[u8]) -> bool {
    const SIGNED: &[u8] = b"/ByteRange";
    pdf.windows(SIGNED.len()).any(|window| window == SIGNED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &[u8] = include_bytes!("../../../../tests/fixtures/kk-embedded-bb.pdf");
    const UNSIGNED: &[u8] = include_bytes!("../../../../tests/fixtures/kk-embedded-unsigned.pdf");

    #[test]
    fn an_electronic_document_is_no_scan_of_paper() {
        let refused = |bytes, page| scanned(bytes, page).err();
        assert_eq!(refused(SIGNED, 0), Some(RasterError::NotPaper));
        assert!(scanned(UNSIGNED, 0).is_ok_and(|page| page.dpi == Some(PDF_DPI)));
        assert_eq!(refused(UNSIGNED, 1), Some(RasterError::NoSuchPage));
        assert_eq!(refused(b"no picture", 0), Some(RasterError::PictureKind));
    }
}
