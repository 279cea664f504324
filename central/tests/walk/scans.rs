//! Scans of sheets, honest and hostile, and the forms that bring them.

use loket_paper::raster::{self, Gray};
use loket_sim::paper::{PRINT_DPI, SCAN_DPI, Sheet, Way, scanned};

use crate::client::multipart;
use crate::records::CARD;
use crate::rig::fixture;

/// Why somebody looks.
pub(crate) const REASON: &str = "laporan warga, surat 12";

/// The card's page, printed and scanned as in an office.
pub(crate) fn scan_of(document: &[u8], seed: u64) -> Vec<u8> {
    let page = raster::render(document, 0, PRINT_DPI).unwrap();
    let sheet = Sheet {
        width: usize::try_from(page.width).unwrap(),
        height: usize::try_from(page.height).unwrap(),
        pixels: page.pixels.clone(),
    };
    let scan = scanned(&sheet, &Way::ordinary(seed), seed);
    let scan = Gray {
        width: u32::try_from(scan.width).unwrap(),
        height: u32::try_from(scan.height).unwrap(),
        pixels: scan.pixels,
        dpi: Some(SCAN_DPI),
    };
    raster::png(&scan).unwrap()
}

/// The card with one digit of its number changed: its content stands in clear.
pub(crate) fn forged() -> Vec<u8> {
    let mut forged = fixture(CARD);
    let number = b"(No. 9971";
    let at = forged.windows(number.len()).position(|it| it == number);
    let at = at.unwrap() + number.len() + 3;
    forged[at] = if forged[at] == b'8' { b'3' } else { b'8' };
    forged
}

/// A form about a sheet; what is empty is left out.
pub(crate) fn form(scan: &[u8], reason: &str, job: &str) -> (String, Vec<u8>) {
    let mut parts: Vec<(&str, &str, &[u8])> = vec![("scan", "application/octet-stream", scan)];
    for (name, text) in [("reason", reason), ("job_id", job)] {
        if !text.is_empty() {
            parts.push((name, "text/plain", text.as_bytes()));
        }
    }
    multipart(&parts)
}

/// The scan as the second page of a PDF, and a form that says so.
pub(crate) fn pdf_form(scan: &[u8], job: &str) -> (String, Vec<u8>) {
    let scan = raster::image(scan).unwrap();
    let (width, height) = (scan.width, scan.height);
    let points = |pixels: u32| f64::from(pixels) * 72.0 / f64::from(SCAN_DPI);
    let mut pdf = format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
         4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {x} {y}]/Resources<</XObject<</S 6 0 R>>>>/Contents 5 0 R>>endobj\n",
        x = points(width),
        y = points(height)
    )
    .into_bytes();
    let draw = format!("{} 0 0 {} 0 0 cm /S Do", points(width), points(height));
    pdf.extend(
        format!(
            "5 0 obj<</Length {}>>stream\n{draw}\nendstream endobj\n",
            draw.len()
        )
        .bytes(),
    );
    let dictionary = format!(
        "6 0 obj<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8/Length {}>>stream\n",
        scan.pixels.len()
    );
    pdf.extend(dictionary.bytes());
    pdf.extend_from_slice(&scan.pixels);
    pdf.extend_from_slice(b"\nendstream endobj\ntrailer<</Root 1 0 R/Size 7>>\n%%EOF\n");
    multipart(&[
        ("scan", "application/pdf", &pdf),
        ("reason", "text/plain", REASON.as_bytes()),
        ("page", "text/plain", b"2"),
        ("job_id", "text/plain", job.as_bytes()),
    ])
}
