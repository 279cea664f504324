//! Time-stamp tokens, and what they say, that are nearly right.

use super::*;
use crate::corpus::{STAMPS, Tree};

/// A second in a test run.
const CASES: u64 = 10_000;

/// One case in so many has its signature checked, which takes longer than all else.
const ONE_IN_CHECKED: u64 = 16;

/// What a token says is what stands in it, found without the reader.
fn says_what_stands_there(stamp: &Stamp, info: &[u8]) {
    let Some(tree) = Tree::of(info) else {
        return;
    };
    let told = tree.inside(0);
    assert!((5..=10).contains(&told.len()));
    assert_eq!(stamp.imprint, tree.content(tree.inside(told[2])[1]));
    let digits = tree.content(told[4]);
    let again = stamp.moment.to_string();
    let again: Vec<u8> = again.bytes().filter(u8::is_ascii_digit).collect();
    assert_eq!(again[..14], digits[..14]);
    // What may follow comes in this order, each at most once.
    let order = [0x30, 0x01, 0x02, 0xa0, 0xa1];
    let places = told[5..].iter().map(|part| {
        let place = order.iter().position(|tag| *tag == tree.tag(*part));
        place.expect("nothing else may follow")
    });
    assert!(places.is_sorted_by(|one, other| one < other));
    let accuracy = told.get(5).filter(|part| tree.tag(**part) == 0x30);
    let accuracy = accuracy.map(|part| tree.inside(*part)).unwrap_or_default();
    let micros = accuracy.iter().map(|part| {
        let octets = tree.content(*part).iter();
        let number = octets.fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
        number
            * [(0x02, 1_000_000), (0x80, 1_000), (0x81, 1)]
                .iter()
                .find(|unit| unit.0 == tree.tag(*part))
                .unwrap()
                .1
    });
    assert_eq!(stamp.accuracy, Duration::from_micros(micros.sum()));
}

/// Cases that the fuzzer found.
#[test]
fn what_belongs_to_nobody_makes_it_no_token() {
    let honest = accepted(STAMPS[0]).unwrap();
    assert!(Stamp::parse(&honest).is_some(), "control");
    let mut set = honest.clone();
    set[0] = 0x31;
    assert!(Stamp::parse(&set).is_none(), "a set is no TSTInfo");
    // SEQUENCE { 1 s, [0] 500 ms, [1] 250 µs }, and the same with a stranger before its last part.
    let accuracy = b"\x30\x0b\x02\x01\x01\x80\x02\x01\xf4\x81\x02\0\xfa";
    let strange = b"\x30\x11\x02\x01\x01\x80\x02\x01\xf4\xa0\x04\x02\x02\0\xfa\x81\x02\0\xfa";
    let at = honest
        .windows(accuracy.len())
        .position(|part| part == accuracy);
    let at = at.unwrap();
    let (before, behind) = (&honest[3..at], &honest[at + accuracy.len()..]);
    let content = [before, strange, behind].concat();
    let header = loket_fuzz::der::header_of(0x30, content.len());
    assert!(Stamp::parse(&[header, content].concat()).is_none());
}

/// Whether the signature of a token is right, and what it then says.
fn accepted(token: &[u8]) -> Option<Vec<u8>> {
    let read = Container::parse(token).ok()?;
    let info = read.content()?;
    let checked = read.verify(Content::Bytes(info), TIME_STAMP_INFO, Naming::Either);
    checked.ok().map(|()| info.to_vec())
}

#[test]
fn fuzz_reader_stamps() {
    let honest: Vec<Vec<u8>> = STAMPS.iter().filter_map(|token| accepted(token)).collect();
    assert_eq!(honest.len(), STAMPS.len(), "control");
    let infos: Vec<&[u8]> = honest.iter().map(Vec::as_slice).collect();
    let (mut taken, mut signed) = (0_u64, 0_u64);
    loket_fuzz::fuzz_der("reader-stamps", CASES, &STAMPS, |bytes, seeded| {
        // What a token says is signed: altered with it, nothing of it would ever be read.
        let which = seeded.place(infos.len());
        let info = loket_fuzz::DerMutator::new(seeded.fork()).alter(infos[which], &infos);
        if let Some(stamp) = Stamp::parse(&info) {
            taken += 1;
            says_what_stands_there(&stamp, &info);
        }
        let Ok(read) = Container::parse(bytes) else {
            return;
        };
        let _any = (read.content().and_then(Stamp::parse), read.signer().is_ok());
        if seeded.below(ONE_IN_CHECKED) == 0
            && let Some(info) = accepted(bytes)
        {
            signed += 1;
            assert!(honest.contains(&info), "altered and accepted");
        }
    });
    assert!(taken > 0 && signed > 0, "control: {taken}, {signed}");
}
