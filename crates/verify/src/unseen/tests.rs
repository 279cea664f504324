//! Pages that draw something nobody sees, and pages that only look like it.

use super::*;
use crate::draft::{Draft, stream};
use crate::pdf::File;

/// What is noted of a page with `content`; object 8 is a picture, object 9 a drawing, `/G` a state without ink.
fn notes_of(page: &str, content: &str) -> Vec<Code> {
    let resources = "/Resources << /XObject << /Im 8 0 R /Fm 9 0 R >> \
         /ExtGState << /G << /ca 0 >> /H << /ca 0.5 >> /M << /BM /Multiply >> >> >>";
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 842 595] /Contents 4 0 R {resources} {page} >>"
    );
    let draft = Draft::new().revision(&[
        (1, "<< /Type /Catalog /Pages 2 0 R >>"),
        (2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>"),
        (3, &page),
        (4, &stream("", content)),
        (
            8,
            &stream("/Type /XObject /Subtype /Image /Width 1 /Height 1", "0"),
        ),
        (
            9,
            &stream(
                "/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Matrix [1 0 0 1 50 50]",
                "BT 1 0 0 1 20 20 Tm (9971) Tj ET",
            ),
        ),
    ]);
    let file = File::open(draft.bytes(), &mut Budget::new()).unwrap();
    notes(file.latest()).into_iter().collect()
}

const TEXT: &str = "BT /F1 11 Tf 60 500 Td (KARTU) Tj ET";

#[test]
fn what_a_plain_page_draws_is_seen() {
    for content in [
        TEXT,
        "1 g 0 0 842 595 re f 0 g BT 60 500 Td (KARTU) Tj ET",
        "BT 1 g 60 500 Td () Tj ET",
        "q 1 g 50 490 99 20 re f Q BT 60 500 Td (KARTU) Tj ET",
        "0 0 1 rg 50 490 99 20 re f 1 1 1 rg BT 60 500 Td (KARTU) Tj ET",
        "q 3 Tr Q BT 60 500 Td [(K) -20 <4155>] TJ ET",
        "q 10 0 0 10 60 300 cm /Im Do Q BT 60 500 Td (KARTU) Tj ET",
        "/Fm Do",
        "BT 60 500 Td (KARTU) Tj ET 60 499 99 1 re f 1 g 60 300 99 20 re f",
        "BT 60 500 Td (KARTU) Tj ET q /M gs 1 1 0 rg 50 490 99 20 re f Q",
        "BT 60 500 Td (KARTU) Tj ET 50 490 m 150 490 l 99 520 l f",
        "50 490 99 20 re W n BT 60 500 Td (KARTU) Tj ET",
        "BI /W 1 /H 1 /BPC 8 /CS /G ID 3 Tr (x) Tj EI BT 60 500 Td (KARTU) Tj ET",
        "% 3 Tr\nBT 60 500 Td (a\\)b) Tj ET",
    ] {
        assert_eq!(notes_of("", content), [], "{content}");
    }
}

/// A content and what is noted of it.
macro_rules! noted {
    ($($content:literal $code:ident;)+) => {
        for (content, code) in [$(($content, Code::$code)),+] {
            assert_eq!(notes_of("", content), [code], "{content}");
        }
    };
}

#[test]
fn text_that_nobody_sees_is_noted() {
    noted! {
        "BT 3 Tr 60 500 Td (KARTU) Tj ET" TextUnseen;
        "BT 1 g 60 500 Td (KARTU) Tj ET" TextUnseen;
        "BT 1 1 1 rg 60 500 Td (KARTU) Tj ET" TextUnseen;
        "BT 0 0 0 0 k 60 500 Td [(KARTU)] TJ ET" TextUnseen;
        "/DeviceRGB cs 1 1 1 sc BT 60 500 Td (KARTU) Tj ET" TextUnseen;
        "/G gs BT 60 500 Td (KARTU) Tj ET" TextUnseen;
        "0 0 9 9 re W n BT 60 500 Td (KARTU) Tj ET" TextUnseen;
        "3 Tr /Fm Do" TextUnseen;
        "1 0 0 1 900 0 cm /Fm Do" OutsidePage;
        "BT 60 700 Td (KARTU) Tj ET" OutsidePage;
        "BT 1 0 0 1 60 500 Tm 0 -600 Td (KARTU) Tj ET" OutsidePage;
        "BT 600 TL 60 500 Td (KARTU) ' ET" OutsidePage;
        "q 10 0 0 10 900 300 cm /Im Do Q" OutsidePage;
        "BT 60 500 Td (KARTU) Tj ET 1 g 50 490 99 20 re f" TextCovered;
        "BT 60 500 Td (KARTU) Tj ET q 842 0 0 595 0 0 cm /Im Do Q" TextCovered;
        "/Fm Do 1 g 0 0 200 200 re f" TextCovered;
    }
}

#[test]
fn the_edge_is_that_of_the_crop_box_where_there_is_one() {
    let crop = "/CropBox [0 0 100 100]";
    assert_eq!(notes_of(crop, TEXT), [Code::OutsidePage]);
    assert_eq!(notes_of("/CropBox [0 0 800 590]", TEXT), []);
}

#[test]
fn what_cannot_be_searched_to_the_end_is_said_and_holds_nobody_up() {
    let long = "q 1 0 0 1 0 0 cm ".repeat(80_000);
    assert_eq!(notes_of("", &long), [Code::PagesUnsearched]);
    // A drawing that draws itself, and one that is not there.
    let own = "/Resources << /XObject << /Fm 4 0 R >> >>";
    assert_eq!(
        notes_of(&own.replace("/Resources", "/X"), "/Fm Do /No Do"),
        []
    );
    let nested = "q ".repeat(200) + &"Q ".repeat(200) + TEXT;
    assert_eq!(notes_of("", &nested), []);
}
