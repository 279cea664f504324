//! Forms, by what stands where.

use loket_wire::form::{Column, Table};

use super::face::Faces;
use super::page::{Item, PAGE_HEIGHT, PAGE_WIDTH, Page};
use super::*;
use crate::raster;

const MADE_AT: Timestamp = Timestamp::from_unix_ms(1_795_744_800_000);

fn form(rows: usize) -> Form {
    let row = |no: usize| {
        vec![
            format!("{:02}.{:02}", 8 + no / 60, no % 60),
            format!("KK-2026-{no:04}"),
            "kertas sobek di sudut kiri bawah, diminta ulang oleh petugas".to_owned(),
            "1".to_owned(),
        ]
    };
    Form {
        giver: "Kecamatan Contoh".to_owned(),
        title: "Laporan harian cetak dokumen".to_owned(),
        facts: vec![("Hari".to_owned(), "Jumat, 27 November 2026".to_owned())],
        tables: vec![Table {
            heading: "Lembar menurut pekerjaan".to_owned(),
            columns: vec![
                Column::words("Pukul", 12),
                Column::words("Nomor", 30),
                Column::words("Alasan", 40),
                Column::numbers("Lembar", 12),
            ],
            rows: (0..rows).map(row).collect(),
            sums: Some(vec![
                "Jumlah".to_owned(),
                String::new(),
                String::new(),
                rows.to_string(),
            ]),
            if_empty: "Tidak ada.".to_owned(),
        }],
        notes: vec!["Nama warga tidak dicantumkan.".to_owned()],
        signatures: vec!["Petugas".to_owned(), "Mengetahui".to_owned()],
        foot: "desa-contoh-1 · 2026-11-27".to_owned(),
    }
}

fn laid(form: &Form) -> Vec<Page> {
    layout::pages(form, &Faces::load().unwrap()).unwrap()
}

fn texts(page: &Page) -> Vec<&str> {
    let texts = page.items.iter().filter_map(|item| match item {
        Item::Words { text, .. } => Some(text.as_str()),
        Item::Rule { .. } | Item::Fill { .. } | Item::Bar { .. } => None,
    });
    texts.collect()
}

#[test]
fn a_table_breaks_over_pages_with_its_heads_again_and_no_row_is_lost() {
    let pages = laid(&form(200));
    assert!(pages.len() > 3, "{}", pages.len());
    let count = pages.len();
    let mut rows = Vec::new();
    for (no, page) in (1..).zip(&pages) {
        let texts = texts(page);
        let foot = format!("Halaman {no} dari {count}");
        assert!(texts.contains(&foot.as_str()), "{texts:?}");
        let on_it = texts.iter().filter(|text| text.starts_with("KK-2026"));
        let on_it: Vec<String> = on_it.map(|text| (*text).to_owned()).collect();
        if !on_it.is_empty() {
            assert!(texts.contains(&"Nomor"), "the heads of columns: {texts:?}");
            let heading = if no == 1 {
                "Lembar menurut pekerjaan"
            } else {
                "Lembar menurut pekerjaan (lanjutan)"
            };
            assert!(texts.contains(&heading), "{texts:?}");
        }
        rows.extend(on_it);
    }
    let expected: Vec<String> = (0..200).map(|no| format!("KK-2026-{no:04}")).collect();
    assert_eq!(rows, expected);
    let last = texts(pages.last().unwrap());
    assert!(last.contains(&"Petugas,") && last.contains(&"Mengetahui,"));
}

#[test]
fn nothing_stands_outside_of_the_page_or_over_its_foot() {
    let faces = Faces::load().unwrap();
    let exercise = || std::iter::once(exercise::page(&rested(), &faces));
    for rows in [0, 1, 17, 18, 19, 20, 21, 60] {
        for page in laid(&form(rows)).into_iter().chain(exercise()) {
            for item in &page.items {
                let (left, right, top, below) = match item {
                    Item::Words {
                        x,
                        y,
                        size,
                        weight,
                        text,
                    } => (*x, x + faces.width(text, *size, *weight), y - size, *y),
                    Item::Rule { x, y, width, .. } => (*x, x + width, *y, *y),
                    Item::Fill {
                        x,
                        y,
                        width,
                        height,
                    }
                    | Item::Bar {
                        x,
                        y,
                        width,
                        height,
                        ..
                    } => (*x, x + width, *y, y + height),
                };
                assert!(
                    left >= 28.0 && right <= PAGE_WIDTH - 28.0,
                    "{rows}: {item:?}"
                );
                assert!(
                    top >= 28.0 && below <= PAGE_HEIGHT - 28.0,
                    "{rows}: {item:?}"
                );
            }
        }
    }
}

#[test]
fn words_that_are_too_wide_are_broken_and_what_no_face_has_is_marked() {
    let faces = Faces::load().unwrap();
    let style = (8.5, face::Weight::Regular);
    let lines = faces.lines("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", style, 40.0, 20);
    assert!(lines.len() > 3, "{lines:?}");
    assert!(
        lines
            .iter()
            .all(|line| faces.width(line, style.0, style.1) <= 40.0)
    );
    assert_eq!(lines.concat().len(), 40);
    let cut = faces.lines(&"kata ".repeat(100), style, 40.0, 3);
    assert_eq!(cut.len(), 3);
    assert!(cut[2].ends_with('…'), "{cut:?}");
    assert_eq!(faces.lines("", style, 40.0, 3), [""]);
    assert_eq!(
        faces.known("Sari ꦱꦫꦶ é – ‘"),
        "Sari ???? é – ‘".replace("????", "???")
    );
}

#[test]
fn the_same_form_is_the_same_bytes_and_another_one_has_another_identifier() {
    let first = pdf(&form(3), MADE_AT).unwrap();
    assert_eq!(pdf(&form(3), MADE_AT).unwrap(), first);
    let other = pdf(&form(4), MADE_AT).unwrap();
    let id = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (_before, id) = text.rsplit_once("/ID[(").unwrap();
        id[..32].to_owned()
    };
    assert_ne!(id(&first), id(&other));
    assert!(first.len() < 80_000, "{} bytes", first.len());
}

#[test]
fn another_reader_sees_as_many_pages_and_words_on_them() {
    let bytes = pdf(&form(200), MADE_AT).unwrap();
    let pages = laid(&form(200)).len();
    assert_eq!(
        usize::try_from(raster::page_count(&bytes).unwrap()).unwrap(),
        pages
    );
    let drawn = raster::render(&bytes, 0, 50).unwrap();
    assert!(
        drawn.pixels.iter().any(|pixel| *pixel < 100),
        "a white page"
    );
}

#[test]
fn a_form_that_never_ends_is_refused() {
    let mut endless = form(1);
    let row = vec![String::new(); 4];
    endless.tables[0].rows = vec![row; 60 * MAX_PAGES];
    assert_eq!(pdf(&endless, MADE_AT), Err(FormError::TooLong));
}

fn rested() -> Exercise {
    Exercise {
        machine: "desa-3279012001-kios-antrian-1-x".to_owned(),
        printer: "printer-warna-di-ruang-depan-123".to_owned(),
        moment: "27-11-2026 09:30 WITA".to_owned(),
    }
}

/// Each colour of the inks, where a reader of another hand sees it: all of it, or nothing of it.
#[test]
fn an_exercise_page_has_each_ink_by_itself_and_says_that_it_is_waste() {
    let bytes = exercise_page(&rested(), MADE_AT).unwrap();
    assert_eq!(exercise_page(&rested(), MADE_AT).unwrap(), bytes);
    assert_eq!(raster::page_count(&bytes).unwrap(), EXERCISE_PAGES);
    let page = exercise::page(&rested(), &Faces::load().unwrap());
    let words = texts(&page).join(" ");
    for said in [
        "boleh dibuang",
        "desa-3279012001",
        "27-11-2026",
        "petugas TI",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let drawn = raster::render_colour(&bytes, 0, 72).unwrap();
    let bars = page.items.iter().filter_map(|item| match item {
        Item::Bar {
            x,
            y,
            width,
            height,
            ink,
        } => Some(((x + width / 2.0, y + height / 2.0), *ink)),
        Item::Words { .. } | Item::Rule { .. } | Item::Fill { .. } => None,
    });
    let mut seen = Vec::new();
    for ((x, y), ink) in bars {
        let at = |length: f32| -> usize { format!("{length:.0}").parse().unwrap() };
        let width = usize::try_from(drawn.width).unwrap();
        let from = 3 * (at(y) * width + at(x));
        let dark: Vec<bool> = drawn.pixels[from..from + 3]
            .iter()
            .map(|light| *light < 128)
            .collect();
        let expect: &[bool] = match ink {
            page::Ink::Cyan => &[true, false, false],
            page::Ink::Magenta => &[false, true, false],
            page::Ink::Yellow => &[false, false, true],
            page::Ink::Black => &[true, true, true],
        };
        assert_eq!(dark, expect, "{ink:?}");
        seen.push(ink);
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}
