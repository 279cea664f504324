//! A part of the grid that `cargo xtask bench qr` reads whole: what offices see every day is read, and nothing is ever
//! read wrongly.

use loket_fuzz::Seeded;
use loket_fuzz::page::{Defect, family_card};
use loket_qr::{Effort, read};

use crate::pages::{HONEST, says, symbol};

/// Where every page of this test starts.
const SEED: u64 = 20_261_126;

/// Reads one page with one code in it; whether it was read. A payload that is another one fails the test.
fn is_read(defect: Defect, version: i16, dpi: u32, side_mm: f32, round: u64) -> bool {
    let mut seeded = Seeded::of_round(SEED, round).unwrap();
    let symbol = symbol(HONEST.as_bytes(), version, side_mm, (228.0, 158.0));
    let page = family_card(dpi, std::slice::from_ref(&symbol), &mut seeded);
    let page = defect.apply(&page, &symbol, dpi, &mut seeded);
    let effort = if defect == Defect::Photograph {
        Effort::Photograph
    } else {
        Effort::Page
    };
    let reading = read(page.width, page.height, &page.pixels, effort).unwrap();
    let said = says(&reading.codes);
    let word = defect.word();
    assert!(
        said.iter().all(|payload| *payload == HONEST.as_bytes()),
        "{word}, version {version}, {dpi} dpi, {side_mm} mm: {} codes, one of them wrong",
        said.len()
    );
    !said.is_empty()
}

#[test]
fn every_realistic_page_of_200_dpi_is_read() {
    for defect in Defect::ALL
        .into_iter()
        .filter(|defect| defect.is_realistic())
    {
        for version in [5, 8] {
            let read = is_read(
                defect,
                version,
                200,
                22.0,
                u64::from(version.unsigned_abs()),
            );
            assert!(read, "{}, version {version}", defect.word());
        }
    }
}

#[test]
fn most_harmed_pages_are_read_and_none_wrongly() {
    let harmed = || {
        Defect::ALL
            .into_iter()
            .filter(|defect| !defect.is_realistic())
    };
    let pages = harmed().flat_map(|defect| [(defect, 0), (defect, 1)]);
    let (read, all) = pages.fold((0, 0), |(read, all), (defect, round)| {
        (
            read + u32::from(is_read(defect, 5, 150, 22.0, round)),
            all + 1,
        )
    });
    assert!(read * 2 > all, "{read} of {all}");
}
