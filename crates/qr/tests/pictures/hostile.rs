//! Codes that are made to mislead, to overfill or to break a reader.

use loket_fuzz::Seeded;
use loket_fuzz::page::{Picture, Symbol, family_card};
use loket_qr::{Effort, MAX_CODES, MAX_PAYLOAD_BYTES, QrError, Rule, read};
use qrcode::bits::{Bits, ExtendedMode};
use qrcode::types::Mode;
use qrcode::{EcLevel, Version};

use crate::pages::{HONEST, alone, of_bits, read_page, says, symbol};

fn page_of(symbols: &[Symbol]) -> Picture {
    let mut seeded = Seeded::of_round(7, 0).unwrap();
    family_card(200, symbols, &mut seeded)
}

#[test]
fn several_codes_of_a_page_are_all_read_from_the_top_down() {
    let own = symbol(HONEST.as_bytes(), 5, 22.0, (240.0, 160.0));
    let forged = symbol(b"https://192.0.2.7/a", 3, 18.0, (30.0, 20.0));
    let third = symbol(b"tel:+620000", 1, 15.0, (120.0, 186.0));
    let reading = read_page(&page_of(&[own, forged, third]));
    let said = says(&reading.codes);
    assert_eq!(
        said,
        [
            b"https://192.0.2.7/a".as_slice(),
            HONEST.as_bytes(),
            b"tel:+620000"
        ]
    );
    assert!(!reading.is_cut && !reading.has_failed);
    let area = reading.codes[1].area;
    let mm = |pixels: u32| f64::from(pixels) * 25.4 / 200.0;
    assert!((mm(area.left) - 240.0).abs() < 1.0, "{area:?}");
    assert!((mm(area.top) - 160.0).abs() < 1.0, "{area:?}");
    assert!((mm(area.width) - 22.0).abs() < 1.0, "{area:?}");
}

#[test]
fn the_same_code_twice_is_told_twice() {
    let twice = [(240.0, 160.0), (30.0, 20.0)].map(|at| symbol(HONEST.as_bytes(), 5, 20.0, at));
    let reading = read_page(&page_of(&twice));
    assert_eq!(says(&reading.codes), [HONEST.as_bytes(); 2]);
}

#[test]
fn more_codes_than_are_looked_at_are_cut_and_told() {
    let places = (0..24_u8).map(|at| {
        (
            15.0 + f32::from(at % 8) * 33.0,
            20.0 + f32::from(at / 8) * 60.0,
        )
    });
    let many: Vec<Symbol> = places
        .enumerate()
        .map(|(at, place)| symbol(format!("kode {at}").as_bytes(), 1, 15.0, place))
        .collect();
    let reading = read_page(&page_of(&many));
    assert_eq!(reading.codes.len(), MAX_CODES);
    assert!(reading.is_cut);
}

#[test]
fn the_fullest_code_is_read_whole() {
    let digits = vec![b'7'; MAX_PAYLOAD_BYTES];
    let mut bits = Bits::new(Version::Normal(40));
    bits.push_numeric_data(&digits).unwrap();
    bits.push_terminator(EcLevel::L).unwrap();
    let code = qrcode::QrCode::with_bits(bits, EcLevel::L).unwrap();
    let modules = code
        .to_colors()
        .into_iter()
        .map(|color| color == qrcode::Color::Dark);
    let symbol = Symbol {
        side: code.width(),
        modules: modules.collect(),
        side_mm: 0.0,
        at_mm: (0.0, 0.0),
    };
    let reading = read_page(&alone(&symbol, 4));
    assert_eq!(says(&reading.codes), [digits.as_slice()]);
}

fn bits(version: i16, fill: impl FnOnce(&mut Bits)) -> Symbol {
    let mut bits = Bits::new(Version::Normal(version));
    fill(&mut bits);
    bits.push_terminator(EcLevel::M).unwrap();
    of_bits(bits, 22.0, (240.0, 160.0))
}

fn payload_of(symbol: &Symbol) -> (Vec<u8>, bool, bool) {
    let reading = read_page(&alone(symbol, 4));
    let [code] = reading.codes.as_slice() else {
        panic!("{} codes", reading.codes.len());
    };
    (
        code.payload.as_bytes().to_vec(),
        code.is_part,
        code.is_trade,
    )
}

#[test]
fn bytes_come_as_they_were_written() {
    let check = |bytes: &[u8], version: i16| {
        let symbol = bits(version, |bits| bits.push_byte_data(bytes).unwrap());
        assert_eq!(payload_of(&symbol), (bytes.to_vec(), false, false));
    };
    check(b"\0\x01\x1b[2J\x7f\r\n", 2);
    check(b"\xff\xfe\x80\xc0\xaf", 2);
    check("https://laуananonline.example/\u{202e}".as_bytes(), 4);
    check(&[0; 100], 8);
}

#[test]
fn an_eci_changes_no_byte_that_is_classified() {
    for designator in [3, 20, 26, 899, 999_999] {
        let symbol = bits(4, |bits| {
            bits.push_eci_designator(designator).unwrap();
            bits.push_byte_data(b"https://contoh.example/\xe9").unwrap();
        });
        let (payload, ..) = payload_of(&symbol);
        assert_eq!(payload, b"https://contoh.example/\xe9", "{designator}");
    }
}

#[test]
fn kanji_come_as_the_bytes_of_their_set() {
    let symbol = bits(2, |bits| bits.push_kanji_data(b"\x93\x5f\xe4\xaa").unwrap());
    assert_eq!(payload_of(&symbol).0, b"\x93\x5f\xe4\xaa");
}

#[test]
fn a_part_of_a_message_is_known_as_one() {
    let symbol = bits(3, |bits| {
        bits.push_mode_indicator(ExtendedMode::StructuredAppend)
            .unwrap();
        // Four nibbles: the second of three parts, and a parity.
        for nibble in [Mode::Numeric, Mode::Alphanumeric, Mode::Byte, Mode::Kanji] {
            bits.push_mode_indicator(ExtendedMode::Data(nibble))
                .unwrap();
        }
        bits.push_byte_data(b"https://kk.contoh.invalid").unwrap();
    });
    let (payload, is_part, _) = payload_of(&symbol);
    assert!(is_part);
    assert_eq!(payload, b"https://kk.contoh.invalid");
}

#[test]
fn data_of_trade_is_known_as_such() {
    let symbol = bits(2, |bits| {
        bits.push_fnc1_first_position().unwrap();
        bits.push_byte_data(b"0104912345123459").unwrap();
    });
    assert!(payload_of(&symbol).2);
}

#[test]
fn light_on_dark_and_mirrored_codes_are_read() {
    let symbol = symbol(HONEST.as_bytes(), 5, 22.0, (240.0, 160.0));
    let upright = alone(&symbol, 4);
    let mut light = upright.clone();
    for pixel in &mut light.pixels {
        *pixel = !*pixel;
    }
    let mut mirrored = upright.clone();
    for row in mirrored.pixels.chunks_exact_mut(upright.width as usize) {
        row.reverse();
    }
    for picture in [upright, light, mirrored] {
        assert_eq!(says(&read_page(&picture).codes), [HONEST.as_bytes()]);
    }
}

#[test]
fn a_code_that_is_torn_gives_nothing_and_no_other() {
    let symbol = symbol(HONEST.as_bytes(), 5, 22.0, (240.0, 160.0));
    let mut picture = alone(&symbol, 4);
    let side = picture.width as usize;
    for row in picture
        .pixels
        .chunks_exact_mut(side)
        .take(side * 3 / 5)
        .skip(side * 2 / 5)
    {
        row.fill(255);
    }
    assert_eq!(says(&read_page(&picture).codes), Vec::<&[u8]>::new());
}

#[test]
fn pages_without_a_code_and_pictures_of_nothing_give_none() {
    let codes = |picture: &Picture| read_page(picture).codes.len();
    assert_eq!(codes(&page_of(&[])), 0);
    for tone in [0, 128, 255] {
        assert_eq!(codes(&Picture::plain(400, 300, tone)), 0);
    }
    for (width, height) in [(1, 1), (1, 4_000), (24, 24), (25, 25), (41, 39), (0, 0)] {
        assert_eq!(codes(&Picture::plain(width, height, 255)), 0);
    }
}

#[test]
fn what_is_no_picture_or_too_large_is_refused() {
    let refusal =
        |width, height, bytes: usize| read(width, height, &vec![0; bytes], Effort::Page).err();
    assert_eq!(refusal(10, 10, 99), Some(QrError::Shape));
    assert_eq!(refusal(5_000, 5_000, 0), Some(QrError::TooLarge));
    assert_eq!(refusal(u32::MAX, u32::MAX, 0), Some(QrError::TooLarge));
    assert_eq!(Rule::ImageTooLarge.id(), "Q-303");
}

#[test]
fn a_page_full_of_corner_marks_costs_no_more_than_a_few_looks() {
    // A thousand marks make a hundred million triples; the work must not follow them.
    let mut picture = Picture::plain(1_200, 1_200, 255);
    for y in 0..1_200_usize {
        for x in 0..1_200_usize {
            let (u, v) = ((x % 36) / 4, (y % 36) / 4);
            let ring = u.abs_diff(4).max(v.abs_diff(4));
            if ring == 3 || ring <= 1 {
                picture.pixels[y * 1_200 + x] = 0;
            }
        }
    }
    assert_eq!(read_page(&picture).codes.len(), 0);
}
