//! What the child does, once it has given up everything else.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::Context as _;
use data_encoding::BASE64;
use loket_confine::{Limits, give_up, read};
use loket_paper::compare::{self, Comparison};
use loket_paper::fingerprint::Fingerprint;
use loket_paper::raster::{self, Gray, RasterError, Rgb};
use loket_qr::Effort;
use loket_wire::record::{MAX_CODE_BYTES, MAX_CODES};
use loket_wire::{MatchRecord, Sha256Digest};

use super::{
    Answer, Compared, Cut, Kind, MAX_INPUT_BYTES, Pictures, Reason, Region, Task, Verdict, parts,
};

/// Regions that are told; a person looks at the clearest.
const MAX_REGIONS: usize = 20;

/// Regions that are cut out: what fits on two screens.
const MAX_CUTS: usize = 6;

/// Beside and above a region that is cut out, so that one sees in which line it stands.
const AROUND_MM: (f32, f32) = (14.0, 4.0);

/// A sheet whose page was not found is shown as it was scanned, no finer than this a side.
const MAX_SHOWN_SIDE: u32 = 1_800;

/// An honest sheet of a document without its own fonts differs as well (docs/adr/0035); loketd's sentence.
const NO_FONTS: (&str, &str) = (
    "PaperFonts",
    "Dokumen aslinya tidak memuat hurufnya sendiri, sehingga kertas yang asli pun dapat tampak lain. Anggap belum dapat dipastikan; periksa dokumen elektroniknya. Bila ragu, hubungi dinas penerbit.",
);

/// Limits itself, reads its input and answers.
pub(crate) fn work(task: Task) -> anyhow::Result<()> {
    give_up(Limits {
        memory_bytes: task.memory_bytes,
        cpu_s: task.cpu_s,
    })?;
    let most = u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX);
    let input = read(most)?;
    let (records, scan) = parts(&input).context("take the input apart")?;
    let answer = answer(&records, scan, task.page);
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &answer)?;
    out.flush()?;
    Ok(())
}

fn answer(records: &[&[u8]], scan: &[u8], page: u32) -> Answer {
    let sheet = match pixels(scan, page) {
        Ok(sheet) => sheet,
        Err(error) => return Answer::Unreadable(Reason::new(error.code(), error.sentence())),
    };
    if records.is_empty() {
        return Answer::Codes {
            sha256: codes_of(&sheet),
        };
    }
    compared(records, &sheet).unwrap_or_else(|answer| answer)
}

fn pixels(scan: &[u8], page: u32) -> Result<Gray, RasterError> {
    let index = page.checked_sub(1).ok_or(RasterError::NoSuchPage)?;
    raster::scanned(scan, index)
}

/// What the codes on the sheet are found by. A photograph is read with more effort only where a scan's is not enough.
fn codes_of(sheet: &Gray) -> Vec<Sha256Digest> {
    let read = |effort| {
        let read = loket_qr::read(sheet.width, sheet.height, &sheet.pixels, effort);
        // A page that the reader gives up on has no legible code.
        let codes = read.map(|reading| reading.codes).unwrap_or_default();
        let payloads = codes.iter().map(|code| code.payload.as_bytes().to_vec());
        let found: BTreeSet<Vec<u8>> = payloads.filter(|it| it.len() <= MAX_CODE_BYTES).collect();
        let found = found.iter().take(MAX_CODES);
        found.map(|code| Sha256Digest::of(code)).collect::<Vec<_>>()
    };
    let codes = read(Effort::Page);
    if codes.is_empty() {
        read(Effort::Photograph)
    } else {
        codes
    }
}

fn compared(records: &[&[u8]], sheet: &Gray) -> Result<Answer, Answer> {
    let broken = |code: &str, sentence: &str| Answer::RecordBroken(Reason::new(code, sentence));
    let (mut pages, mut places) = (Vec::new(), Vec::new());
    for (at, record) in records.iter().enumerate() {
        let record = MatchRecord::decode(record).map_err(|_other| {
            let malformed = loket_paper::fingerprint::FingerprintError::Malformed;
            broken(malformed.code(), malformed.sentence())
        })?;
        for (page, number) in record.pages.iter().zip(1_u32..) {
            let page = Fingerprint::from_bytes(&page.fingerprint);
            pages.push(page.map_err(|error| broken(error.code(), error.sentence()))?);
            places.push((at, number, record.fonts_inside));
        }
    }
    let nearest = compare::nearest(&pages, sheet)
        .map_err(|error| Answer::Unreadable(Reason::new(error.code(), error.sentence())))?;
    let found =
        nearest.and_then(|(at, comparison)| Some((pages.get(at)?, *places.get(at)?, comparison)));
    let Some((page, (record, number, fonts_inside), comparison)) = found else {
        let malformed = loket_paper::fingerprint::FingerprintError::Malformed;
        return Err(broken(malformed.code(), malformed.sentence()));
    };
    let (verdict, reason) = verdict(&comparison, fonts_inside);
    let pictures = pictures(sheet, page, &comparison)
        .map_err(|error| Answer::Unreadable(Reason::new(error.code(), error.sentence())))?;
    let regions = comparison.regions.iter().take(MAX_REGIONS);
    Ok(Answer::Compared(Box::new(Compared {
        record,
        page: number,
        verdict,
        reason,
        regions: regions.map(region).collect(),
        pictures,
    })))
}

fn verdict(comparison: &Comparison, fonts_inside: bool) -> (Verdict, Option<Reason>) {
    match comparison.verdict {
        compare::Verdict::Same => (Verdict::Same, None),
        compare::Verdict::Different if !fonts_inside => {
            let (code, sentence) = NO_FONTS;
            (Verdict::CannotTell, Some(Reason::new(code, sentence)))
        }
        compare::Verdict::Different => (Verdict::Different, None),
        compare::Verdict::CannotTell(reason) => {
            let reason = Reason::new(reason.code(), reason.sentence());
            (Verdict::CannotTell, Some(reason))
        }
    }
}

fn region(region: &compare::Region) -> Region {
    let tenths = |mm: f32| (mm * 10.0).round() / 10.0;
    Region {
        x_mm: tenths(region.x_mm),
        y_mm: tenths(region.y_mm),
        width_mm: tenths(region.width_mm),
        height_mm: tenths(region.height_mm),
        kind: match region.kind {
            compare::Kind::Missing => Kind::Missing,
            compare::Kind::Added => Kind::Added,
            compare::Kind::Changed => Kind::Changed,
        },
    }
}

fn pictures(
    sheet: &Gray,
    page: &Fingerprint,
    comparison: &Comparison,
) -> Result<Pictures, RasterError> {
    let original = page.picture();
    let shown = comparison.regions.get(..MAX_REGIONS);
    let shown = shown.unwrap_or(&comparison.regions);
    let jpeg = |picture: &Rgb| raster::jpeg_colour(picture).map(|it| BASE64.encode(&it));
    let record = jpeg(&compare::marked(&original, shown))?;
    let Some(laid) = compare::laid(sheet, page, comparison) else {
        return Ok(Pictures {
            sheet: jpeg(&compare::marked(&small(sheet), &[]))?,
            record,
            cuts: Vec::new(),
        });
    };
    let cut = |picture: &Gray, region| {
        let cut = compare::cut(picture, region, AROUND_MM);
        raster::png(&cut).map(|it| BASE64.encode(&it))
    };
    let cuts = comparison.regions.iter().take(MAX_CUTS).map(|region| {
        Ok(Cut {
            sheet: cut(&laid, region)?,
            record: cut(&original, region)?,
        })
    });
    Ok(Pictures {
        cuts: cuts.collect::<Result<_, RasterError>>()?,
        sheet: jpeg(&compare::marked(&laid, shown))?,
        record,
    })
}

/// Every so many pixels of a scan, so that it fits a screen.
fn small(scan: &Gray) -> Gray {
    let step = scan.width.max(scan.height).div_ceil(MAX_SHOWN_SIDE).max(1);
    let every = usize::try_from(step).unwrap_or(1);
    let width = usize::try_from(scan.width).unwrap_or(1).max(1);
    let rows = scan.pixels.chunks_exact(width).step_by(every);
    let pixels = rows.flat_map(|row| row.iter().step_by(every));
    Gray {
        width: scan.width.div_ceil(step),
        height: scan.height.div_ceil(step),
        pixels: pixels.copied().collect(),
        dpi: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_that_was_not_found_is_shown_whole_and_small() {
        let scan = |width: u32, height: u32| Gray {
            width,
            height,
            pixels: vec![9; usize::try_from(width * height).unwrap()],
            dpi: None,
        };
        for (width, height, small_width, small_height) in [
            (1_800, 100, 1_800, 100),
            (1_801, 101, 901, 51),
            (4_000, 3, 1_334, 1),
        ] {
            let shown = small(&scan(width, height));
            assert_eq!((shown.width, shown.height), (small_width, small_height));
            let count = usize::try_from(shown.width * shown.height).unwrap();
            assert_eq!(shown.pixels.len(), count);
        }
    }

    #[test]
    fn the_sentence_for_documents_without_fonts_is_loketds() {
        let codes = include_str!("../../../docs/codes.md");
        assert!(codes.contains(NO_FONTS.1));
    }

    #[test]
    fn what_is_no_scan_is_told_by_the_readers_code() {
        for (bytes, code) in [
            (b"no picture".as_slice(), "R-107"),
            (b"%PDF-1.7 none", "R-102"),
            (b"\x89PNG\r\n\x1a\ncut", "R-108"),
            (b"%PDF-1.7 1 0 obj<</ByteRange[0 1 2 3]>>", "R-110"),
        ] {
            let Answer::Unreadable(reason) = answer(&[], bytes, 1) else {
                panic!("{code}");
            };
            assert_eq!(reason.code, code);
        }
        let Answer::Unreadable(reason) = answer(&[], b"%PDF-1.7", 0) else {
            panic!("page 0");
        };
        assert_eq!(reason.code, RasterError::NoSuchPage.code());
    }
}
