//! Sheets that were printed and scanned in simulation, held against the fingerprint of the page.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a page that cannot be made fails the test"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use loket_paper::compare::{self, Comparison, Kind, Reason, Verdict};
use loket_paper::fingerprint::{self, Fingerprint};
use loket_paper::raster::{self, Gray, Rgb};
use loket_sim::paper::{self, PRINT_DPI, SCAN_DPI, Sheet, Way, card};

const KK: &[u8] = include_bytes!("../../../tests/fixtures/kk-embedded-unsigned.pdf");

/// The part of the card that most tests look at, in inches: its number, the table's head and names. A third of the page.
const PART: (usize, usize) = (7, 4);

fn side(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap()
}

fn rendered(document: &[u8], dpi: u16, inches: (usize, usize)) -> Gray {
    cut(raster::render(document, 0, dpi).unwrap(), dpi, inches)
}

fn cut(page: Gray, dpi: u16, inches: (usize, usize)) -> Gray {
    let (width, height) = (
        (inches.0 * usize::from(dpi)).min(side(page.width)),
        (inches.1 * usize::from(dpi)).min(side(page.height)),
    );
    let mut pixels = part(&page.pixels, side(page.width), (width, height));
    // Print that ends at the sheet's edge would be cut by a scan.
    let margin = usize::from(dpi) / 5;
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        let bare_from = if y + margin < height {
            width - margin
        } else {
            0
        };
        row[bare_from..].fill(255);
    }
    Gray {
        width: u32::try_from(width).unwrap(),
        height: u32::try_from(height).unwrap(),
        pixels,
        dpi: Some(dpi),
    }
}

/// The top left of rows of pixels.
fn part(pixels: &[u8], all: usize, (width, height): (usize, usize)) -> Vec<u8> {
    let rows = pixels.chunks_exact(all).take(height);
    rows.flat_map(|row| row[..width].to_vec()).collect()
}

/// Of the card's part; made once in a process.
fn fingerprint() -> &'static Fingerprint {
    static MADE: LazyLock<Fingerprint> =
        LazyLock::new(|| fingerprint::of(&rendered(KK, fingerprint::DPI, PART)).unwrap());
    &MADE
}

fn sheet(page: Gray) -> Sheet {
    Sheet {
        width: side(page.width),
        height: side(page.height),
        pixels: page.pixels,
    }
}

fn printed(document: &[u8]) -> Sheet {
    sheet(rendered(document, PRINT_DPI, PART))
}

fn scan(page: &Sheet, way: &Way, seed: u64) -> Gray {
    let scan = paper::scanned(page, way, seed);
    let pixels = |side: usize| u32::try_from(side).unwrap();
    Gray {
        width: pixels(scan.width),
        height: pixels(scan.height),
        pixels: scan.pixels,
        dpi: Some(SCAN_DPI),
    }
}

fn compared(page: &Sheet, way: &Way, seed: u64) -> Comparison {
    compare::scan(fingerprint(), &scan(page, way, seed)).unwrap()
}

/// Darkens or whitens a rectangle of a page, in millimetres.
fn painted(page: &Sheet, [x, y, width, height]: [f32; 4], shade: u8) -> Sheet {
    let mut page = page.clone();
    let dots = |mm: f32| (mm / 25.4 * f32::from(PRINT_DPI)) as usize;
    for row in dots(y)..dots(y + height) {
        let start = row * page.width;
        page.pixels[start + dots(x)..start + dots(x + width)].fill(shade);
    }
    page
}

fn touches(comparison: &Comparison, x_mm: f32, y_mm: f32) -> bool {
    comparison.regions.iter().any(|it| {
        (it.x_mm - 1.0..it.x_mm + it.width_mm + 1.0).contains(&x_mm)
            && (it.y_mm - 1.0..it.y_mm + it.height_mm + 1.0).contains(&y_mm)
    })
}

/// The digits of the card's own number.
fn number() -> Vec<card::Digit> {
    let digits = card::digits(KK).into_iter();
    digits.filter(|it| it.size_pt > 12.0).collect()
}

#[test]
fn sheets_as_they_were_printed_are_the_same_and_a_changed_digit_of_the_number_is_found() {
    let page = printed(KK);
    for seed in [2_002, 2_003] {
        let way = Way::ordinary(seed);
        let same = compared(&page, &way, seed);
        assert_eq!(same.verdict, Verdict::Same, "{seed}: {:?}", same.regions);
        let digits = number();
        let digit = digits[usize::try_from(seed).unwrap() % digits.len()];
        let changed = printed(&card::with_digit(KK, digit, digit.value + 1));
        let different = compared(&changed, &way, seed);
        assert_eq!(different.verdict, Verdict::Different, "{seed}: {digit:?}");
    }
}

/// The middle of where two pages differ, in millimetres.
fn middle(one: &Sheet, two: &Sheet) -> (f32, f32) {
    let pixels = one.pixels.iter().zip(&two.pixels).enumerate();
    let places: Vec<(usize, usize)> = pixels
        .filter(|(_, (one, two))| one.abs_diff(**two) > 60)
        .map(|(at, _)| (at % one.width, at / one.width))
        .collect();
    let mm = |dots: usize| dots as f32 / places.len() as f32 * 25.4 / f32::from(PRINT_DPI);
    (
        mm(places.iter().map(|it| it.0).sum()),
        mm(places.iter().map(|it| it.1).sum()),
    )
}

/// Holds an honest sheet and one with a changed digit of the table, drawn by another rasteriser, against the record.
fn holds_for(draw: impl Fn(&[u8]) -> Sheet, seed: u64) {
    let way = Way::ordinary(seed);
    let honest = draw(KK);
    let same = compared(&honest, &way, seed);
    assert_eq!(same.verdict, Verdict::Same, "{:?}", same.regions);
    // Of 7 points, in the table.
    let digits = card::digits(KK).into_iter();
    let digit = digits.filter(|it| it.size_pt < 7.5).nth(20).unwrap();
    let changed = draw(&card::with_digit(KK, digit, digit.value + 3));
    let (x, y) = middle(&honest, &changed);
    let different = compared(&changed, &way, seed);
    assert_eq!(different.verdict, Verdict::Different, "{x} {y}");
    assert!(touches(&different, x, y), "{x} {y} {:?}", different.regions);
}

#[test]
fn a_sheet_that_another_program_rasterised_is_the_same_and_its_changed_digit_is_found() {
    holds_for(|document| rasterised(document, &[]), 5_002);
    let coarse = ["-aa", "no", "-aaVector", "no"];
    holds_for(|document| rasterised(document, &coarse), 5_003);
}

#[test]
fn a_sheet_with_thicker_rules_and_fatter_stems_is_the_same_and_its_changed_digit_is_found() {
    holds_for(|document| paper::filled(&printed(document)), 5_004);
}

#[test]
fn a_page_as_a_program_draws_it_is_the_same_in_grey_and_in_black_and_white() {
    for dpi in [150, 200] {
        let grey = rendered(KK, dpi, PART);
        let mut bitonal = grey.clone();
        for pixel in &mut bitonal.pixels {
            *pixel = if *pixel < 128 { 0 } else { 255 };
        }
        for page in [grey, bitonal] {
            let comparison = compare::scan(fingerprint(), &page).unwrap();
            assert_eq!(
                comparison.verdict,
                Verdict::Same,
                "{dpi}: {:?}",
                comparison.regions
            );
        }
    }
}

#[test]
fn a_crease_along_the_table_is_no_difference() {
    let way = Way {
        fold: 0.27,
        noise: 8.9,
        specks: 0,
        ..Way::ordinary(320_011)
    };
    let comparison = compared(&printed(KK), &way, 320_011);
    assert_eq!(
        comparison.verdict,
        Verdict::Same,
        "{:?}",
        comparison.regions
    );
}

/// The page as poppler draws it.
#[expect(
    clippy::disallowed_methods,
    reason = "another program than ours has to draw the sheet"
)]
fn rasterised(document: &[u8], modes: &[&str]) -> Sheet {
    let dpi = PRINT_DPI.to_string();
    let mut poppler = Command::new("pdftoppm")
        .args(["-r", &dpi, "-gray", "-png", "-singlefile"])
        .args(modes)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("install poppler-utils");
    poppler.stdin.take().unwrap().write_all(document).unwrap();
    let answer = poppler.wait_with_output().unwrap();
    assert!(answer.status.success());
    sheet(cut(raster::image(&answer.stdout).unwrap(), PRINT_DPI, PART))
}

#[test]
fn a_sheet_laid_any_way_up_and_askew_is_still_the_same() {
    let page = printed(KK);
    for (quarters, skew_deg) in [(1, -1.5), (2, 5.0), (3, 1.0)] {
        let way = Way {
            quarters,
            skew_deg,
            ..Way::clean()
        };
        let comparison = compared(&page, &way, 1);
        assert_eq!(
            comparison.verdict,
            Verdict::Same,
            "{quarters} {skew_deg}: {:?}",
            comparison.regions
        );
    }
}

#[test]
fn a_scan_whose_file_says_no_or_a_wrong_resolution_is_compared_all_the_same() {
    let sheet = scan(&printed(KK), &Way::clean(), 1);
    for dpi in [None, Some(72)] {
        let comparison = compare::scan(
            fingerprint(),
            &Gray {
                dpi,
                ..sheet.clone()
            },
        )
        .unwrap();
        assert_eq!(
            comparison.verdict,
            Verdict::Same,
            "{dpi:?}: {:?}",
            comparison.regions
        );
    }
}

#[test]
fn a_removed_line_a_pasted_strip_and_a_dark_box_are_found_where_they_are() {
    let page = printed(KK);
    let way = Way {
        quarters: 0,
        ..Way::ordinary(77)
    };
    // A box over names, the line under a heading, a strip with other text over a name.
    for (rectangle, shade) in [
        ([140.0, 75.0, 20.0, 20.0], 128),
        ([20.0, 58.5, 40.0, 1.2], 255),
        ([20.0, 68.0, 30.0, 3.0], 255),
    ] {
        let comparison = compared(&painted(&page, rectangle, shade), &way, 77);
        assert_eq!(comparison.verdict, Verdict::Different, "{rectangle:?}");
        let [x, y, width, height] = rectangle;
        assert!(
            touches(&comparison, x + width / 2.0, y + height / 2.0),
            "{rectangle:?}: {:?}",
            comparison.regions
        );
    }
}

#[test]
fn another_family_on_the_same_form_differs_in_its_names_and_numbers() {
    let other = printed(&card::other_family(KK, 3));
    let comparison = compared(&other, &Way::ordinary(5), 5);
    assert_eq!(comparison.verdict, Verdict::Different);
    assert!(
        comparison.regions.len() > 30,
        "{}",
        comparison.regions.len()
    );
    let changed = comparison
        .regions
        .iter()
        .filter(|it| it.kind == Kind::Changed)
        .count();
    assert!(changed > 15, "{changed}");
}

#[test]
fn a_blank_sheet_or_another_page_is_never_the_same() {
    let page = printed(KK);
    let blank = Sheet {
        pixels: vec![255; page.pixels.len()],
        ..page.clone()
    };
    let comparison = compared(
        &blank,
        &Way {
            specks: 20,
            ..Way::clean()
        },
        3,
    );
    assert_eq!(comparison.verdict, Verdict::CannotTell(Reason::Blank));
    // Bars as of a page of text, and nothing of the card.
    let pixels = (0..page.pixels.len()).map(|at| {
        if (at / page.width / 30).is_multiple_of(3) && (at % page.width) % 50 < 35 {
            0
        } else {
            255
        }
    });
    let other = Sheet {
        pixels: pixels.collect(),
        ..page
    };
    let comparison = compared(&other, &Way::ordinary(9), 9);
    assert_ne!(comparison.verdict, Verdict::Same);
}

#[test]
fn a_sheet_is_found_among_pages_and_lies_on_its_page_whichever_way_it_was_scanned() {
    let page = printed(KK);
    let mut other = rendered(KK, fingerprint::DPI, PART);
    let half = other.pixels.len() / 2;
    other.pixels[..half].fill(255);
    let pages = [fingerprint::of(&other).unwrap(), fingerprint().clone()];
    let way = Way {
        quarters: 2,
        ..Way::ordinary(11)
    };
    let changed = painted(&page, [100.0, 60.0, 12.0, 3.0], 0);
    let sheet = scan(&changed, &way, 11);
    let (at, comparison) = compare::nearest(&pages, &sheet).unwrap().unwrap();
    assert_eq!((at, comparison.verdict), (1, Verdict::Different));
    let laid = compare::laid(&sheet, &pages[1], &comparison).unwrap();
    let original = pages[1].picture();
    assert_eq!((laid.width, laid.height), (original.width, original.height));
    // What was painted is black on the sheet and not on the record, both at one place.
    let region = comparison.regions.first().unwrap();
    let dots = |mm: f32| (mm * f32::from(fingerprint::DPI) / 25.4) as usize;
    let shade = |picture: &Gray| {
        let rows = picture.pixels.chunks_exact(picture.width as usize);
        let rows = rows.skip(dots(region.y_mm)).take(dots(region.height_mm));
        let pixels =
            rows.flat_map(|row| row[dots(region.x_mm)..].iter().take(dots(region.width_mm)));
        let pixels: Vec<usize> = pixels.map(|it| usize::from(*it)).collect();
        pixels.iter().sum::<usize>() / pixels.len()
    };
    let (sheet_shade, page_shade) = (shade(&laid), shade(&original));
    assert!(
        sheet_shade + 60 < page_shade,
        "{sheet_shade} {page_shade} {region:?}"
    );
    assert!(compare::nearest(&[], &sheet).unwrap().is_none());
}

#[test]
fn a_difference_is_shown_from_near_on_the_sheet_and_as_it_was_printed() {
    let page = painted(&printed(KK), [20.0, 68.0, 30.0, 3.0], 255);
    let way = Way {
        quarters: 1,
        ..Way::clean()
    };
    let sheet = scan(&page, &way, 1);
    let fingerprint = fingerprint();
    let comparison = compare::scan(fingerprint, &sheet).unwrap();
    let region = comparison.regions.first().unwrap();
    let ours = compare::close_up(&sheet, &comparison, region).unwrap();
    let theirs = compare::close_up_printed(fingerprint, region);
    assert_eq!((ours.width, ours.height), (theirs.width, theirs.height));
    // Frames are red; what is missing is dark in one picture alone.
    let dark = |picture: &Rgb| {
        let pixels = picture.pixels.chunks_exact(3);
        pixels.filter(|pixel| pixel[0] < 100).count()
    };
    let framed = |picture: &Rgb| {
        let pixels = picture.pixels.chunks_exact(3);
        pixels
            .filter(|pixel| pixel[0] > pixel[1].saturating_add(100))
            .count()
    };
    assert!(framed(&ours) > 50 && framed(&theirs) > 50);
    assert!(
        dark(&theirs) > dark(&ours).saturating_add(50),
        "{} {}",
        dark(&theirs),
        dark(&ours)
    );
    let laid = compare::laid(&sheet, fingerprint, &comparison).unwrap();
    assert!(framed(&compare::marked(&laid, &comparison.regions)) > 300);
    assert_eq!(framed(&compare::marked(&laid, &[])), 0);
    let blank = Gray {
        pixels: vec![255; sheet.pixels.len()],
        ..sheet.clone()
    };
    let nothing = compare::scan(fingerprint, &blank).unwrap();
    assert!(compare::close_up(&blank, &nothing, region).is_none());
}
