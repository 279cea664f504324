//! What stands on a ticket, as the simulated printer reads its bytes.

use std::time::Duration;

use loket_sim::ticket_printer::{Device, Item, Knobs, Slip, Speaks, picture};
use loket_ticket_printer::{
    CodePage, Cut, Labels, LineEnd, MAX_TICKET_BYTES, Number, Profile, QrBy, QrPayload, Text,
    Ticket, TicketDetails, render,
};
use proptest::prelude::*;

use crate::bench::{ADDRESS, size_of, ticket};

/// The bytes of a ticket on a printer that is told nothing else.
fn device(ticket: &Ticket, profile: &Profile) -> Device {
    let knobs = Knobs {
        double_byte: profile.double_byte,
        buffer_bytes: MAX_TICKET_BYTES,
        speaks: Speaks::Words,
        ..Knobs::default()
    };
    let mut device = Device::new(profile.dots, knobs);
    let bytes = render(ticket, profile);
    assert_eq!(device.receive(&bytes, Duration::ZERO), bytes.len());
    assert!(
        device.answers(Duration::ZERO).is_empty(),
        "a ticket asks nothing"
    );
    assert_eq!((device.drawer_kicks(), device.unknown_commands()), (0, 0));
    device
}

fn slip(ticket: &Ticket, profile: &Profile) -> Slip {
    let device = device(ticket, profile);
    let slips: Vec<&Slip> = device.slips().collect();
    assert_eq!(slips.len(), 1, "{slips:?}");
    assert_eq!(slips[0].is_cut, profile.cut != Cut::None);
    slips[0].clone()
}

/// Every profile that differs in what it prints.
fn profiles() -> Vec<Profile> {
    let mut all = Vec::new();
    for base in [Profile::plain_58mm(), Profile::plain_80mm()] {
        for qr in [QrBy::Native, QrBy::Raster, QrBy::None] {
            for cut in [Cut::Full, Cut::Partial, Cut::None] {
                for (double_byte, line_end) in [(false, LineEnd::Lf), (true, LineEnd::CrLf)] {
                    all.push(Profile {
                        qr,
                        cut,
                        double_byte,
                        line_end,
                        ..base.clone()
                    });
                }
            }
        }
    }
    all
}

#[test]
fn a_ticket_says_the_same_on_every_printer() {
    for profile in profiles() {
        let slip = slip(&ticket("A-007"), &profile);
        let text = slip.text().join("|");
        for said in [
            "Disdukcapil Kota Contoh|NOMOR ANTREAN|A-007|Penerbitan KK",
            "Di depan Anda: 7 orang|Jumat, 27 November 2026",
            "Siapkan:|- Formulir F-1.02 yang telah",
            "|- KK yang rusak|- KTP-el",
        ] {
            assert!(text.contains(said), "{said}: {text} {profile:?}");
        }
        let codes: &[&str] = if profile.qr == QrBy::None {
            &[]
        } else {
            &[ADDRESS]
        };
        assert_eq!(slip.codes(), codes, "{profile:?}");
        assert!(!text.contains("SALINAN"));
    }
}

#[test]
fn the_number_fills_the_roll_and_the_service_is_large() {
    let check = |profile: &Profile, number: &str, size| {
        assert_eq!(
            size_of(&slip(&ticket(number), profile), number),
            Some((size, size))
        );
    };
    let (wide, narrow) = (Profile::plain_80mm(), Profile::plain_58mm());
    check(&wide, "A-007", 8);
    check(&wide, "7", 8);
    check(&wide, "ABCD-123", 6);
    check(&narrow, "A-007", 6);
    check(&narrow, "ABCD-123", 4);
    let slip = slip(&ticket("A-007"), &wide);
    assert_eq!(
        size_of(&slip, "Penerbitan KK Karena"),
        Some((2, 2)),
        "{:?}",
        slip.text()
    );
}

#[test]
fn the_hour_keeps_its_zone_on_every_roll() {
    let check = |profile: &Profile, said: &str| {
        let slip = slip(&ticket("A-007"), profile);
        let text = slip.text().join("|");
        assert!(text.contains(said), "{said}: {text}");
    };
    let wide = "|Jumat, 27 November 2026, 08.41 WIB|";
    check(&Profile::plain_80mm(), wide);
    check(
        &Profile::plain_58mm(),
        "|Jumat, 27 November 2026|08.41 WIB|",
    );
}

#[test]
fn a_copy_says_so_at_its_top_and_bottom_in_large_letters() {
    for profile in profiles() {
        let copy = ticket("A-007").copy();
        let slip = slip(&copy, &profile);
        let text = slip.text();
        let marks: Vec<usize> = (0..text.len())
            .filter(|at| text[*at] == "SALINAN")
            .collect();
        assert_eq!(marks, [0, text.len() - 1], "{text:?}");
        let (width, height) = size_of(&slip, "SALINAN").unwrap();
        assert!(width >= 3 && height >= 3, "{width}");
        let reversed = |item: &&Item| matches!(item, Item::Line { style, .. } if style.reverse);
        assert_eq!(slip.items.iter().filter(reversed).count(), 2);
        assert!(copy.copy().is_copy());
    }
}

/// What other programs set stays set in a printer until it is told otherwise: sizes, two bytes for a character, the signs of
/// another country, another table.
#[test]
fn a_ticket_begins_with_all_that_others_may_have_set() {
    for profile in profiles() {
        let mut begins = vec![0x1b, b'@'];
        if profile.double_byte {
            begins.extend([0x1c, b'.']);
        }
        begins.extend([0x1b, b'R', 0, 0x1b, b't', profile.code_page_number]);
        let bytes = render(&ticket("A-007"), &profile);
        assert!(bytes.starts_with(&begins), "{profile:?}");
    }
}

/// Dots of a row, from the left.
fn dark(row: &[u8]) -> Vec<usize> {
    let dots = row.len() * 8;
    (0..dots)
        .filter(|dot| row[dot / 8] & (0x80 >> (dot % 8)) != 0)
        .collect()
}

/// ISO/IEC 18004, section 6.3.8: four modules of white on each side. A reader may find no code without them.
#[test]
fn a_drawn_code_has_white_around_it() {
    for base in [Profile::plain_58mm(), Profile::plain_80mm()] {
        let profile = Profile {
            qr: QrBy::Raster,
            ..base
        };
        let slip = slip(&ticket("A-007"), &profile);
        // It goes in bands, one below the other.
        let bands = slip.items.iter().filter_map(|item| match item {
            Item::Raster { row_bytes, dots } => Some(dots.chunks(*row_bytes)),
            Item::Line { .. } | Item::Code { .. } | Item::Feed { .. } => None,
        });
        let rows: Vec<Vec<usize>> = bands.flatten().map(dark).collect();
        let inked = || rows.iter().enumerate().filter(|(_, row)| !row.is_empty());
        let (top, first_row) = inked().next().unwrap();
        let (bottom, _) = inked().next_back().unwrap();
        let left = rows.iter().flatten().min().unwrap();
        let right = rows.iter().flatten().max().unwrap();
        // The first row begins with the seven modules of a corner.
        let corner = (0..)
            .zip(first_row)
            .take_while(|(at, dot)| **dot == left + at);
        let module = corner.count() / 7;
        assert!(module >= 2);
        let white = 4 * module;
        assert!(top >= white && rows.len() - 1 - bottom >= white, "{white}");
        let dots = usize::from(profile.dots);
        assert!(*left >= white && dots - 1 - right >= white, "{white}");
    }
}

#[test]
fn the_same_ticket_is_the_same_bytes() {
    for profile in profiles() {
        let bytes = render(&ticket("B-112"), &profile);
        assert_eq!(bytes, render(&ticket("B-112"), &profile));
        assert!(bytes.len() < MAX_TICKET_BYTES / 2, "{}", bytes.len());
    }
}

#[test]
fn accents_come_out_on_every_code_page_or_as_plain_letters() {
    let check = |code_page, code_page_number, said: &str| {
        let mut details = ticket("A-1").details().clone();
        details.service = Text::new("Café “Ő” Éa €5 ꦗ").unwrap();
        let ticket = Ticket::new(details, Labels::indonesian().unwrap());
        let profile = Profile {
            code_page,
            code_page_number,
            ..Profile::plain_80mm()
        };
        let slip = slip(&ticket, &profile);
        assert!(slip.text().contains(&said), "{said}: {:?}", slip.text());
    };
    check(CodePage::Pc437, 0, "Café \"O\" Éa EUR5 ?");
    check(CodePage::Pc850, 2, "Café \"O\" Éa EUR5 ?");
    check(CodePage::Pc858, 19, "Café \"O\" Éa €5 ?");
    check(CodePage::Wpc1252, 16, "Café “O” Éa €5 ?");
}

#[test]
fn the_longest_ticket_is_within_its_bound() {
    let longest = |ch: &str| Text::new(&ch.repeat(160)).unwrap();
    let details = TicketDetails {
        number: Number::new("ABCD-123").unwrap(),
        service: longest("W"),
        office: longest("M"),
        taken_on: longest("é"),
        taken_at: longest("ö"),
        waiting: Some(u32::MAX),
        code: Some(QrPayload::new(&"x".repeat(160)).unwrap()),
        notes: vec![longest("…"); 1_000],
    };
    let ticket = Ticket::new(details, Labels::indonesian().unwrap()).copy();
    for profile in profiles() {
        let bytes = render(&ticket, &profile);
        assert!(bytes.len() < MAX_TICKET_BYTES, "{}", bytes.len());
        slip(&ticket, &profile);
    }
}

/// Left under the target folder for people to look at: `ticket-80mm.svg` and its brothers.
#[test]
fn each_roll_leaves_a_picture_to_look_at() {
    for (name, profile) in [
        ("80mm", Profile::plain_80mm()),
        ("58mm", Profile::plain_58mm()),
    ] {
        for (kind, ticket) in [("", ticket("A-007")), ("-copy", ticket("A-007").copy())] {
            let svg = picture(&slip(&ticket, &profile), profile.dots);
            let file = format!("{}/ticket-{name}{kind}.svg", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(file, svg).unwrap();
        }
    }
    let bytes = render(&ticket("A-007"), &Profile::plain_80mm());
    std::fs::write(
        format!("{}/ticket-80mm.bin", env!("CARGO_TARGET_TMPDIR")),
        bytes,
    )
    .unwrap();
}

/// The lines of a slip must be those that were sent: none broke because it was too wide.
fn lines_of(slip: &Slip) -> usize {
    slip.items
        .iter()
        .filter(|item| matches!(item, Item::Line { .. }))
        .count()
}

fn any_text() -> impl Strategy<Value = Text> {
    // Half of the characters are what a printer obeys, or a letter of a command.
    let hostile = prop::sample::select(
        "\u{1b}\u{1d}\u{1c}\u{10}\u{4}\u{5}\u{14}\u{0}\n\r\u{c}\u{18}\u{7f}\u{9b}@!VprkaEtHJdv0(1 "
            .chars()
            .collect::<Vec<char>>(),
    );
    let character = prop_oneof![hostile, any::<char>()];
    prop::collection::vec(character, 0..160)
        .prop_map(|all| Text::new(&all.into_iter().collect::<String>()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_command_comes_from_a_text(
        texts in prop::array::uniform6(any_text()),
        waiting in any::<Option<u32>>(),
        at in 0..36_usize,
        is_copy in any::<bool>(),
        page in 0..4_usize,
    ) {
        let [service, office, taken_on, taken_at, one, two] = texts;
        let details = TicketDetails {
            number: Number::new("A-007").unwrap(),
            service,
            office,
            taken_on,
            taken_at,
            waiting,
            code: Some(QrPayload::new(ADDRESS).unwrap()),
            notes: vec![one, two],
        };
        let ticket = Ticket::new(details, Labels::indonesian().unwrap());
        let ticket = if is_copy { ticket.copy() } else { ticket };
        let pages = [CodePage::Pc437, CodePage::Pc850, CodePage::Pc858, CodePage::Wpc1252];
        let profile = Profile {
            code_page: pages[page],
            code_page_number: [0, 2, 19, 16][page],
            ..profiles().swap_remove(at)
        };
        let bytes = render(&ticket, &profile);
        for executed_on_receipt in [[0x10, 0x04], [0x10, 0x05], [0x10, 0x14]] {
            prop_assert!(!bytes.windows(2).any(|pair| pair == executed_on_receipt));
        }
        let slip = slip(&ticket, &profile);
        prop_assert_eq!(slip.codes().len(), usize::from(profile.qr != QrBy::None));
        let text = slip.text();
        prop_assert!(text.contains(&"A-007"));
        prop_assert_eq!(text.iter().filter(|line| **line == "SALINAN").count(), usize::from(is_copy) * 2);
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        // Native codes and rasters may hold 0x0A in their lengths, so there can be more of them.
        prop_assert!(lines_of(&slip) <= ends, "{} lines, {} ends", lines_of(&slip), ends);
    }
}
