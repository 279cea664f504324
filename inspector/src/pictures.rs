//! What an eye compares: the sheet and the page as it was printed, whole and from near.

use data_encoding::BASE64;
use loket_inspection::{Cut, MAX_CUTS, SheetPictures};
use loket_paper::compare::{self, Comparison};
use loket_paper::fingerprint::Fingerprint;
use loket_paper::raster::{self, Gray, RasterError, Rgb};

/// A sheet whose page was not found is shown as it was scanned, no finer than this a side.
const MAX_SHOWN_SIDE: u32 = 1_800;

/// Draws a comparison; nothing where a picture cannot be written.
pub(crate) fn pictures(
    sheet: &Gray,
    page: &Fingerprint,
    comparison: &Comparison,
) -> Option<SheetPictures> {
    let regions = &comparison.regions;
    let shown = regions.get(..loket_inspection::MAX_REGIONS);
    let shown = shown.unwrap_or(regions);
    let record = jpeg(&compare::marked(&page.picture(), shown))?;
    let Some(laid) = compare::laid(sheet, page, comparison) else {
        return Some(SheetPictures {
            sheet: jpeg(&compare::marked(&small(sheet), &[]))?,
            record,
            cuts: Vec::new(),
        });
    };
    let cut = |region| {
        Some(Cut {
            sheet: png(&compare::close_up(sheet, comparison, region)?)?,
            record: png(&compare::close_up_printed(page, region))?,
        })
    };
    let cuts = regions.iter().take(MAX_CUTS).map(cut);
    Some(SheetPictures {
        cuts: cuts.collect::<Option<_>>()?,
        sheet: jpeg(&compare::marked(&laid, shown))?,
        record,
    })
}

fn jpeg(picture: &Rgb) -> Option<String> {
    base64(raster::jpeg_colour(picture))
}

fn png(picture: &Rgb) -> Option<String> {
    base64(raster::png_colour(picture))
}

fn base64(picture: Result<Vec<u8>, RasterError>) -> Option<String> {
    picture.ok().map(|bytes| BASE64.encode(&bytes))
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
}
