//! One scan held against records: the page that it resembles most, and what differs there.

use data_encoding::BASE64;
use loket_kiosk_ui::ports::{PaperVerdict, Place, PlaceKind, PlacePictures, SheetPictures};
use loket_paper::compare::{self, Comparison, Kind, Region, Verdict};
use loket_paper::fingerprint::Fingerprint;
use loket_paper::raster::{self, Gray, Rgb};
use loket_wire::MatchRecord;

use super::{Held, Unread};
use crate::trouble::Trouble;

/// Regions that are told; an officer looks at the clearest.
const MAX_REGIONS_TOLD: usize = 20;

/// Regions that are drawn: as many as an officer looks at before the sheet is refused.
const MAX_REGIONS_DRAWN: usize = 5;

/// The longer side of the whole sheet on a screen; A4 fits into a picture then however noisy its scan is.
const SHEET_PIXELS: u32 = 1_000;

/// A picture beyond this is none of a form: it would only fill the answer.
const MAX_PICTURE_BYTES: usize = 2_250_000;

/// Why nothing was held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldFault {
    /// The scan.
    Unread(Unread),
    /// The records: none has a page that can be read.
    Record,
}

/// The record and page that the sheet resembles most.
pub(super) fn best(
    records: &[MatchRecord],
    scan: &Gray,
    with_pictures: bool,
) -> Result<Held, HeldFault> {
    let (mut pages, mut places) = (Vec::new(), Vec::new());
    for (at, record) in records.iter().enumerate() {
        for (page, no) in record.pages.iter().zip(1_u32..) {
            let fingerprint = Fingerprint::from_bytes(&page.fingerprint);
            pages.push(fingerprint.map_err(|_bent| HeldFault::Record)?);
            places.push((at, record, no));
        }
    }
    let nearest = compare::nearest(&pages, scan);
    let nearest = nearest.map_err(|error| HeldFault::Unread(Unread::Compare(error)))?;
    let (index, comparison) = nearest.ok_or(HeldFault::Record)?;
    let mut known = places.into_iter().zip(pages);
    let ((at, record, page), fingerprint) = known.nth(index).ok_or(HeldFault::Record)?;
    let best = Known {
        at,
        record,
        page,
        fingerprint,
        comparison,
    };
    let pictures = with_pictures.then(|| pictures(&best, scan)).flatten();
    Ok(told(&best, pictures))
}

/// A page of a record, and what the scan is beside it.
struct Known<'a> {
    at: usize,
    record: &'a MatchRecord,
    page: u32,
    fingerprint: Fingerprint,
    comparison: Comparison,
}

fn told(known: &Known<'_>, pictures: Option<SheetPictures>) -> Held {
    let fonts = (Trouble::PaperFonts.id(), Trouble::PaperFonts.sentence());
    let (verdict, reason) = match known.comparison.verdict {
        Verdict::Same => (PaperVerdict::Same, None),
        // Honest sheets differ as well then (docs/adr/0035).
        Verdict::Different if !known.record.fonts_inside => (PaperVerdict::CannotTell, Some(fonts)),
        Verdict::Different => (PaperVerdict::Different, None),
        Verdict::CannotTell(reason) => (
            PaperVerdict::CannotTell,
            Some((reason.code(), reason.sentence())),
        ),
    };
    let regions = known.comparison.regions.iter().take(MAX_REGIONS_TOLD);
    Held {
        record: known.at,
        page: known.page,
        verdict,
        code: reason.map(|(code, _sentence)| code.to_owned()),
        message: reason.map(|(_code, sentence)| sentence.to_owned()),
        regions: regions.map(place).collect(),
        pictures,
    }
}

fn place(region: &Region) -> Place {
    Place {
        x_mm: region.x_mm,
        y_mm: region.y_mm,
        width_mm: region.width_mm,
        height_mm: region.height_mm,
        kind: match region.kind {
            Kind::Missing => PlaceKind::Missing,
            Kind::Added => PlaceKind::Added,
            Kind::Changed => PlaceKind::Changed,
        },
    }
}

/// What differs, drawn; nothing where nothing does.
fn pictures(known: &Known<'_>, scan: &Gray) -> Option<SheetPictures> {
    let comparison = &known.comparison;
    let drawn = comparison.regions.iter().take(MAX_REGIONS_DRAWN);
    let places: Vec<PlacePictures> = drawn
        .filter_map(|region| {
            let sheet = compare::close_up(scan, comparison, region)?;
            let printed = compare::close_up_printed(&known.fingerprint, region);
            Some(PlacePictures {
                sheet: png(&sheet)?,
                printed: png(&printed)?,
            })
        })
        .collect();
    if places.is_empty() {
        return None;
    }
    let sheet = compare::overview(scan, comparison, SHEET_PIXELS);
    Some(SheetPictures {
        sheet: png(&sheet).unwrap_or_default(),
        places,
    })
}

fn png(picture: &Rgb) -> Option<String> {
    let png = raster::png_colour(picture).ok()?;
    (png.len() <= MAX_PICTURE_BYTES).then(|| BASE64.encode(&png))
}
