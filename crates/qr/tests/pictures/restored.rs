//! Codes that harm took from a reader of black and white: each kind is read, and nothing else.

use loket_fuzz::Seeded;
use loket_fuzz::page::{Defect, Picture, family_card};

use crate::pages::{HONEST, alone, read_page, says, symbol};

/// Where the pages of this test start.
const SEED: u64 = 20_261_128;

/// How many of these rounds are read; a payload that is another one fails the test.
fn read_of(defect: Defect, version: i16, dpi: u32, side_mm: f32, rounds: u64) -> usize {
    let read = (0..rounds).map(|round| {
        let mut seeded = Seeded::of_round(SEED, round).unwrap();
        let symbol = symbol(HONEST.as_bytes(), version, side_mm, (228.0, 158.0));
        let page = family_card(dpi, std::slice::from_ref(&symbol), &mut seeded);
        let page = defect.apply(&page, &symbol, dpi, &mut seeded);
        let reading = read_page(&page);
        let said = says(&reading.codes);
        assert!(said.iter().all(|payload| *payload == HONEST.as_bytes()));
        said.len()
    });
    read.sum()
}

#[test]
fn scratches_thinner_than_modules_are_closed() {
    assert_eq!(read_of(Defect::Scratches, 5, 300, 22.0, 4), 4);
}

#[test]
fn what_is_far_out_of_focus_is_brought_back() {
    assert_eq!(read_of(Defect::Blur, 8, 200, 22.0, 2), 2);
    assert_eq!(read_of(Defect::Blur, 5, 200, 15.0, 2), 2);
}

#[test]
fn stains_are_told_from_ink() {
    assert_eq!(read_of(Defect::Stains, 5, 150, 22.0, 8), 8);
}

/// A picture with a strip across, whose toner has flaked off.
fn folded(mut picture: Picture, from: usize, rows: usize) -> Picture {
    let width = picture.width as usize;
    let strip = picture
        .pixels
        .iter_mut()
        .skip(from * width)
        .take(rows * width);
    for pixel in strip {
        *pixel += (235_u8.saturating_sub(*pixel)) / 5 * 4;
    }
    picture
}

fn turned(picture: &Picture) -> Picture {
    let mut turned = Picture::plain(picture.height, picture.width, 255);
    let (width, height) = (picture.width as usize, picture.height as usize);
    for y in 0..height {
        for x in 0..width {
            turned.pixels[x * height + y] = picture.pixels[y * width + x];
        }
    }
    turned
}

#[test]
fn a_fold_through_two_corner_marks_is_levelled_in_both_directions() {
    let symbol = symbol(HONEST.as_bytes(), 5, 22.0, (0.0, 0.0));
    let upright = alone(&symbol, 4);
    // The middle row of the upper marks, after four of light around the code and three of the marks.
    let folded = folded(upright, 7 * 4 - 1, 6);
    for picture in [turned(&folded), folded] {
        assert_eq!(says(&read_page(&picture).codes), [HONEST.as_bytes()]);
    }
}
