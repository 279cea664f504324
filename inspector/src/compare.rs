//! One scan held against records: the page that it resembles most, and what differs there.

use loket_inspection::{Held, MAX_REGIONS, Read, Region, RegionKind, SheetVerdict};
use loket_paper::compare::{self, Comparison, Kind, Reason, Verdict};
use loket_paper::fingerprint::{Fingerprint, FingerprintError};
use loket_paper::raster::Gray;
use loket_wire::MatchRecord;

use crate::Bytes;
use crate::codes::{Unread, pixels};
use crate::pictures::pictures;

/// Holds a scan against encoded records.
pub(crate) fn compare(
    scan: &[u8],
    page: Option<u32>,
    records: &[Bytes],
    with_pictures: bool,
) -> Read<Held> {
    let decoded: Result<Vec<_>, _> = records.iter().map(|it| MatchRecord::decode(it)).collect();
    let Ok(records) = decoded else {
        return Fault::Record(FingerprintError::Malformed).into_read();
    };
    match pixels(scan, page) {
        Ok(sheet) => {
            best(&records, &sheet, with_pictures).map_or_else(Fault::into_read, Read::Told)
        }
        Err(why) => why.into_read(),
    }
}

/// Why nothing was held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The scan.
    Unread(Unread),
    /// The records: none has a page that can be read.
    Record(FingerprintError),
}

impl Fault {
    fn into_read<T>(self) -> Read<T> {
        match self {
            Self::Unread(why) => why.into_read(),
            Self::Record(error) => Read::RecordBroken(error.code().to_owned()),
        }
    }
}

/// The record and page that the sheet resembles most.
pub(crate) fn best(
    records: &[MatchRecord],
    sheet: &Gray,
    with_pictures: bool,
) -> Result<Held, Fault> {
    let (mut pages, mut places) = (Vec::new(), Vec::new());
    for (at, record) in records.iter().enumerate() {
        for (page, number) in record.pages.iter().zip(1_u32..) {
            pages.push(Fingerprint::from_bytes(&page.fingerprint).map_err(Fault::Record)?);
            places.push((at, number, record.fonts_inside));
        }
    }
    let nearest = compare::nearest(&pages, sheet);
    let nearest = nearest.map_err(|error| Fault::Unread(Unread::Code(error.code())))?;
    let found = nearest.and_then(|(at, it)| Some((pages.get(at)?, *places.get(at)?, it)));
    let found = found.ok_or(Fault::Record(FingerprintError::Malformed))?;
    let (page, (record, number, fonts_inside), comparison) = found;
    let (verdict, reason) = verdict(&comparison, fonts_inside);
    let pictures = with_pictures.then(|| pictures(sheet, page, &comparison));
    let regions = comparison.regions.iter().take(MAX_REGIONS);
    Ok(Held {
        record,
        page: number,
        verdict,
        code: reason.map(|reason| reason.code().to_owned()),
        regions: regions.map(region).collect(),
        pictures: pictures.flatten(),
    })
}

fn verdict(comparison: &Comparison, fonts_inside: bool) -> (SheetVerdict, Option<Reason>) {
    match comparison.verdict {
        Verdict::Same => (SheetVerdict::Same, None),
        // Honest sheets differ as well then (docs/adr/0035).
        Verdict::Different if !fonts_inside => (SheetVerdict::CannotTell, Some(Reason::Fonts)),
        Verdict::Different => (SheetVerdict::Different, None),
        Verdict::CannotTell(reason) => (SheetVerdict::CannotTell, Some(reason)),
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
            Kind::Missing => RegionKind::Missing,
            Kind::Added => RegionKind::Added,
            Kind::Changed => RegionKind::Changed,
        },
    }
}
