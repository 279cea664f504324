//! Records as printers send them, and as strangers might.

use std::net::{Ipv4Addr, Ipv6Addr};

use loket_fuzz::{Seeded, fuzz, fuzz_from};
use mdns_sd::TxtProperties;

use super::*;

/// Some ten seconds without optimisation.
const CASES: u64 = 60_000;

/// The strings of a TXT record: a length, then so many bytes.
fn txt_bytes(strings: &[&[u8]]) -> Vec<u8> {
    let each = strings.iter().map(|it| {
        let length = u8::try_from(it.len()).unwrap();
        [&[length], *it].concat()
    });
    each.collect::<Vec<_>>().concat()
}

/// A TXT record as the library takes it apart.
fn txt_of(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let properties = TxtProperties::from(bytes);
    let each = properties.iter();
    each.map(|it| (it.key().to_owned(), it.val().map(<[u8]>::to_vec)))
        .collect()
}

const TXT: [&[u8]; 8] = [
    b"txtvers=1",
    b"qtotal=1",
    b"rp=ipp/print",
    b"ty=EPSON ET-5800 Series",
    b"pdl=application/octet-stream,image/urf,image/pwg-raster,application/pdf",
    b"UUID=CFE92100-67C4-11D4-A45F-F8D027761251",
    b"Color=T",
    b"note=Ruang Pelayanan",
];

fn record(strings: &[&[u8]]) -> Record {
    Record {
        service: Service::Ipp,
        fullname: "EPSON ET-5800 (loket 1)._ipp._tcp.local.".to_owned(),
        host: "EPSON1234.local.".to_owned(),
        port: 631,
        addresses: vec![
            "fe80::1".parse().unwrap(),
            "2001:db8::20".parse().unwrap(),
            "192.168.1.20".parse().unwrap(),
        ],
        txt: txt_of(&txt_bytes(strings)),
    }
}

fn fault(change: impl FnOnce(&mut Record)) -> Option<RecordFault> {
    let mut record = record(&TXT);
    change(&mut record);
    Announced::read(&record, false).err()
}

#[test]
fn a_printer_is_read_with_the_address_that_settings_can_name() {
    let read = Announced::read(&record(&TXT), false).unwrap();
    assert_eq!(read.name, "EPSON ET-5800 (loket 1)");
    assert_eq!(read.uri(), "ipp://192.168.1.20:631/ipp/print");
    assert_eq!(read.host.as_deref(), Some("epson1234.local"));
    assert_eq!(
        read.addresses.len(),
        2,
        "that of the link means nothing in settings"
    );
    assert_eq!(read.make_and_model.as_deref(), Some("EPSON ET-5800 Series"));
    assert_eq!(read.takes(), Formats::Pdf);
    assert_eq!(
        read.uuid.as_deref(),
        Some("cfe92100-67c4-11d4-a45f-f8d027761251")
    );
}

#[test]
fn an_address_of_ipv6_stands_in_brackets_and_ipps_says_so() {
    let read = Announced::read(
        &Record {
            service: Service::Ipps,
            fullname: "Printer._IPPS._tcp.local.".to_owned(),
            addresses: vec!["2001:db8::20".parse().unwrap()],
            ..record(&[b"RP=/ipp/print/2"])
        },
        false,
    );
    let read = read.unwrap();
    assert_eq!(read.uri(), "ipps://[2001:db8::20]:631/ipp/print/2");
    assert_eq!((read.takes(), read.uuid), (Formats::Unsaid, None));
}

#[test]
fn what_a_printer_takes_is_told_by_its_formats() {
    let takes = |pdl: &[u8]| {
        let read = Announced::read(&record(&[b"rp=ipp/print", pdl]), false);
        read.unwrap().takes()
    };
    assert_eq!(takes(b"pdl=image/urf, APPLICATION/PDF"), Formats::Pdf);
    assert_eq!(takes(b"pdl=image/jpeg,image/pwg-raster"), Formats::Raster);
    assert_eq!(takes(b"pdl=image/urf"), Formats::Raster);
    assert_eq!(takes(b"pdl=application/vnd.hp-PCL"), Formats::Neither);
    assert_eq!(takes(b"pdl"), Formats::Unsaid);
    assert_eq!(takes(b"pdl=, ,"), Formats::Unsaid);
}

#[test]
fn a_record_that_cannot_be_used_says_why() {
    assert_eq!(fault(|_it| {}), None);
    assert_eq!(
        fault(|it| it.fullname = "x._http._tcp.local.".to_owned()),
        Some(RecordFault::Name)
    );
    assert_eq!(
        fault(|it| it.fullname = "_ipp._tcp.local.".to_owned()),
        Some(RecordFault::Name)
    );
    assert_eq!(
        fault(|it| it.fullname = "\u{202e}\n._ipp._tcp.local.".to_owned()),
        Some(RecordFault::Name)
    );
    // A letter of two bytes where the domain would begin.
    assert_eq!(
        fault(|it| it.fullname = "xé_ipp._tcp.local.".to_owned()),
        Some(RecordFault::Name)
    );
    assert_eq!(fault(|it| it.port = 0), Some(RecordFault::Port));
    for address in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "224.0.0.251",
        "fe80::1",
        "ff02::fb",
        "::",
    ] {
        let address = address.parse().unwrap();
        assert_eq!(
            fault(|it| it.addresses = vec![address]),
            Some(RecordFault::Address),
            "{address}"
        );
    }
    assert_eq!(fault(|it| it.addresses.clear()), Some(RecordFault::Address));
    for rp in [
        "rp",
        "rx=ipp",
        "rp=ipp/print?x",
        "rp=a b",
        "rp=a\"",
        "rp=../x",
        "rp=a//b",
        "rp=a/./b",
        "rp=%2e",
        "rp=a\n",
        "rp=ä",
    ] {
        assert_eq!(
            fault(|it| it.txt = txt_of(&txt_bytes(&[rp.as_bytes()]))),
            Some(RecordFault::Path),
            "{rp}"
        );
    }
}

#[test]
fn this_computer_counts_where_it_alone_is_asked() {
    let mut record = record(&TXT);
    record.addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let read = Announced::read(&record, true).unwrap();
    assert_eq!(read.uri(), "ipp://127.0.0.1:631/ipp/print");
}

#[test]
fn the_first_of_two_keys_counts_and_words_of_strangers_are_short_and_clean() {
    let long = [b"ty=", vec![b'x'; 250].as_slice()].concat();
    let twice: [&[u8]; 4] = [b"rp=one", b"rp=two", b"UUID=none", &long];
    let read = Announced::read(&record(&twice), false).unwrap();
    assert_eq!((read.path.as_str(), read.uuid), ("one", None));
    assert_eq!(read.make_and_model.unwrap().len(), MAX_MODEL_CHARS);
    let escape = Announced::read(&record(&[b"rp=one", b"ty=\x1b]0;x\x07HP"]), false).unwrap();
    assert_eq!(escape.make_and_model.as_deref(), Some("]0;xHP"));
}

/// Whatever was read: it is short, it is clean, and its address is one that settings can hold.
fn is_fit_to_show(read: &Announced) {
    let words = [
        Some(&read.name),
        read.host.as_ref(),
        read.make_and_model.as_ref(),
        read.uuid.as_ref(),
    ];
    for word in words.into_iter().flatten().chain(&read.formats) {
        assert!(!word.is_empty() && word.chars().count() <= 255);
        assert!(
            !word
                .chars()
                .any(|it| it.is_control() || ('\u{202a}'..='\u{202e}').contains(&it))
        );
    }
    assert!(read.formats.len() <= MAX_FORMATS && read.addresses.len() <= MAX_ADDRESSES);
    let uri = read.uri();
    assert!(uri.len() <= 512 && uri.bytes().all(|it| it.is_ascii_graphic()));
    assert!(!uri.contains(['"', '\\', '?', '#', '@', '%', ' ']));
    assert!(read.port != 0);
}

#[test]
fn fuzz_txt_of_strangers() {
    let good = txt_bytes(&TXT);
    let short = txt_bytes(&[b"rp=ipp/print"]);
    fuzz("dns_sd_txt", CASES, &[&good, &short], |bytes| {
        let mut record = record(&[]);
        record.txt = txt_of(bytes);
        if let Ok(read) = Announced::read(&record, false) {
            is_fit_to_show(&read);
        }
    });
}

#[test]
fn fuzz_records_of_strangers() {
    const NAMES: [&str; 4] = [
        "EPSON._ipp._tcp.local.",
        "a.b\\.c._ipp._tcp.local.",
        "_ipp._tcp.local.",
        "é._ipps._tcp.local.",
    ];
    fuzz_from("dns_sd_record", CASES, |seeded: &mut Seeded| {
        let mut alter = |text: &str| {
            let bytes = loket_fuzz::Mutator::new(seeded.fork()).alter(text.as_bytes());
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let fullname = alter(NAMES[0]);
        let host = alter("EPSON1234.local.");
        let rp = alter("rp=ipp/print");
        let fullname = if seeded.below(2) == 0 {
            fullname
        } else {
            seeded.pick(&NAMES).unwrap().to_owned()
        };
        let mut addresses = Vec::new();
        for _address in 0..seeded.below(20) {
            let bits =
                u128::from(seeded.below(u64::MAX)) << 64 | u128::from(seeded.below(u64::MAX));
            addresses.push(Ipv6Addr::from_bits(bits >> seeded.below(128)).to_canonical());
        }
        let record = Record {
            service: seeded.pick(&Service::ALL).unwrap(),
            fullname,
            host,
            port: u16::try_from(seeded.below(65_536)).unwrap(),
            addresses,
            txt: vec![("rp".to_owned(), rp.as_bytes().get(3..).map(<[u8]>::to_vec))],
        };
        if let Ok(read) = Announced::read(&record, seeded.below(2) == 0) {
            is_fit_to_show(&read);
        }
    });
}
