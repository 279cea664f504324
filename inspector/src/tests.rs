use loket_inspection::{Read, SheetVerdict};
use loket_paper::fingerprint;
use loket_paper::raster::{self, Gray};
use loket_wire::{JobId, MatchRecord, RecordPage, Sha256Digest, Timestamp};

use super::*;
use crate::codes::codes;
use crate::compare::{best, compare};

/// A card that brings its fonts along.
const CARD: &[u8] = include_bytes!("../../tests/fixtures/kk-embedded-bb.pdf");

/// The card with one digit of its number changed: its content stands in clear.
fn forged() -> Vec<u8> {
    let mut forged = CARD.to_vec();
    let number = b"(No. 9971";
    let at = forged.windows(number.len()).position(|it| it == number);
    let at = at.unwrap() + number.len() + 3;
    forged[at] = if forged[at] == b'8' { b'3' } else { b'8' };
    forged
}

/// A scan with the blur and the noise of any scan; what else scanners do is the matter of loket-paper's tests.
fn scan_of(document: &[u8]) -> Gray {
    let mut scan = raster::render(document, 0, 200).unwrap();
    let width = usize::try_from(scan.width).unwrap();
    let sharp = scan.pixels.clone();
    let (mut noise, last) = (1_u32, sharp.len() - width - 1);
    for (at, pixel) in scan
        .pixels
        .iter_mut()
        .enumerate()
        .take(last)
        .skip(width + 1)
    {
        let around = [at - width, at - 1, at, at + 1, at + width];
        let sum: u16 = around.iter().map(|it| u16::from(sharp[*it])).sum();
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let speckle = u16::try_from(noise >> 29).unwrap();
        *pixel = u8::try_from((sum / 5).saturating_sub(speckle)).unwrap();
    }
    scan
}

fn record_with(fonts_inside: bool) -> MatchRecord {
    let page = raster::render(CARD, 0, fingerprint::DPI).unwrap();
    MatchRecord {
        job_id: JobId::from_parts(1, [1; 10]),
        revision_sha256: Sha256Digest::of(CARD),
        made_at: Timestamp::UNIX_EPOCH,
        fonts_inside,
        codes: Vec::new(),
        pages: vec![RecordPage {
            fingerprint: fingerprint::of(&page).unwrap().to_bytes(),
        }],
    }
}

#[test]
fn a_changed_digit_is_a_difference_only_where_the_document_brings_its_fonts_along() {
    let (same, changed) = (scan_of(CARD), scan_of(&forged()));
    let held = best(&[record_with(true)], &same, true).unwrap();
    assert_eq!(held.verdict, SheetVerdict::Same, "{:?}", held.regions);
    assert_eq!(held.pictures.unwrap().cuts.len(), 0, "nothing differs");
    for fonts_inside in [true, false] {
        let records = [record_with(fonts_inside)];
        let held = best(&records, &changed, true).unwrap();
        let (verdict, code) = match fonts_inside {
            true => (SheetVerdict::Different, None),
            false => (SheetVerdict::CannotTell, Some("R-404".to_owned())),
        };
        assert_eq!((held.verdict, held.code), (verdict, code));
        let pictures = held.pictures.unwrap();
        assert!(!held.regions.is_empty() && !pictures.sheet.is_empty());
        assert_eq!(pictures.cuts.len(), held.regions.len().min(6));
    }
}

#[test]
fn of_several_records_the_nearest_is_told() {
    let mut other = record_with(true);
    let blank = Gray {
        width: 1_240,
        height: 1_754,
        pixels: vec![255; 1_240 * 1_754],
        dpi: Some(fingerprint::DPI),
    };
    other.pages[0].fingerprint = fingerprint::of(&blank).unwrap().to_bytes();
    let held = best(&[other, record_with(true)], &scan_of(CARD), false).unwrap();
    assert_eq!((held.record, held.verdict), (1, SheetVerdict::Same));
}

#[test]
fn a_record_is_of_the_document_and_the_job_that_were_given() {
    let job = JobId::from_parts(2, [2; 10]);
    let made_at = Timestamp::from_unix_ms(3);
    let bytes = record::record(CARD, (job, 1), made_at).unwrap();
    let record = MatchRecord::decode(&bytes).unwrap();
    assert_eq!(record.revision_sha256, Sha256Digest::of(CARD));
    assert_eq!((record.job_id, record.made_at), (job, made_at));
    assert!(record.fonts_inside && record.pages.len() == 1 && record.codes.len() == 1);
    let again = record::record(CARD, (job, 2), made_at);
    assert_eq!(again.err(), Some(Exit::NoDocument), "it has no second page");
}

#[test]
fn a_scan_that_is_none_is_told_by_its_code() {
    for (bytes, code) in [
        (b"no picture".as_slice(), "R-107"),
        (b"%PDF-1.7 none", "R-102"),
        (b"\x89PNG\r\n\x1a\ncut", "R-108"),
        (b"%PDF-1.7 1 0 obj<</ByteRange[0 1 2 3]>>", "R-110"),
        // As crisp as no paper is, it would be told to differ from its own record.
        (CARD, "R-110"),
    ] {
        assert_eq!(codes(bytes, Some(1)), Read::Unread(code.to_owned()));
    }
    // A PDF of one page is the scan of one sheet.
    let scan = include_bytes!("../../tests/fixtures/kk-embedded-unsigned.pdf");
    assert!(matches!(codes(scan, None), Read::Told(found) if found.len() == 1));
    for page in [0, 2] {
        assert_eq!(codes(scan, Some(page)), Read::Unread("R-103".to_owned()));
    }
}

#[test]
fn a_record_that_is_none_is_told_apart_from_a_scan_that_is_none() {
    let record = record_with(true).encode().unwrap();
    let held = compare(b"no picture", None, &[record], false);
    assert!(matches!(held, Read::Unread(code) if code == "R-107"));
    let broken = Zeroizing::new(b"no record".to_vec());
    let held = compare(b"no picture", None, &[broken], false);
    assert!(matches!(held, Read::RecordBroken(code) if code == "R-205"));
}
