//! Hybrid originals: three honest layouts, and what is refused of each.

use super::refusals::check;
use super::tests::{open, replaced};
use super::{Budget, File};
use crate::code::Code;

macro_rules! hybrid {
    ($name:literal) => {
        include_bytes!(concat!(
            "../../../../tests/fixtures/originals/pyhanko-hybrid-",
            $name,
            "-table.pdf"
        ))
        .as_slice()
    };
}

const STANDARD: &[u8] = hybrid!("bb");
const WORD: &[u8] = hybrid!("word-lt");
const ONE: &[u8] = hybrid!("one-bb");

/// The original alone, up to the `%%EOF` of its last table.
fn original(signed: &[u8]) -> Vec<u8> {
    let mut budget = Budget::new();
    let file = File::open(signed, &mut budget).unwrap();
    let [_, end] = file.revisions()[0].ends;
    signed[..end].to_vec()
}

/// Bytes as letters, each in its place.
fn letters(bytes: &[u8]) -> String {
    let letter = |byte: &u8| {
        if byte.is_ascii() {
            char::from(*byte)
        } else {
            '?'
        }
    };
    bytes.iter().map(letter).collect()
}

/// `bytes` with `to` for the first `from` behind the first `after`.
fn behind(bytes: &[u8], after: &str, from: &str, to: &str) -> Vec<u8> {
    let text = letters(bytes);
    let start = text.find(after).unwrap();
    let at = start + text[start..].find(from).unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn a_hybrid_original_is_one_revision_and_all_of_its_objects_are_there() {
    for (document, hidden) in [
        (STANDARD, vec![9, 10, 11, 12, 13]),
        (WORD, vec![10, 11]),
        (ONE, vec![9, 10, 11, 12, 13]),
    ] {
        let mut budget = Budget::new();
        let file = File::open(document, &mut budget).unwrap();
        assert_eq!(file.hidden().collect::<Vec<_>>(), hidden);
        let original = original(document);
        let alone = File::open(&original, &mut budget).unwrap();
        assert_eq!(alone.revisions().len(), 1);
        let numbers = alone.latest().numbers().map(|(number, _entry)| number);
        assert_eq!(numbers.collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
    }
}

#[test]
fn what_two_readers_read_in_two_ways_is_refused() {
    let (standard, word, one) = (original(STANDARD), original(WORD), original(ONE));
    let free = "0000000000 00000 f ";
    check(vec![
        (
            "a hidden object that the older table has in use",
            behind(&standard, "\n10 1\n", free, "0000000015 00000 n "),
            Code::HybridTwofold,
        ),
        (
            "a hidden object that its own table frees",
            behind(&one, "\nxref", "trailer", &format!("10 1\n{free}\ntrailer")),
            Code::HybridTwofold,
        ),
        (
            "another catalog in the stream",
            behind(&standard, "/XRef", "/Root 1", "/Root 2"),
            Code::HybridTwofold,
        ),
        (
            "another catalog in the older table",
            behind(&word, "\nxref", "/Root 1", "/Root 2"),
            Code::HybridTwofold,
        ),
        (
            "a stream that leads on",
            behind(&one, "/XRef", "/Info 8 0 R", "/Prev 90000"),
            Code::HybridTwofold,
        ),
        (
            "an object that stands elsewhere in the stream",
            behind(&standard, "/Index [", "9 1", "4 1"),
            Code::HybridTwofold,
        ),
        (
            "a stream behind the table",
            behind(&one, "/XRefStm", " ", " 9"),
            Code::HybridTwofold,
        ),
        (
            "no stream",
            replaced(&one, "/Type /XRef", "/Type /ZRef"),
            Code::XrefMalformed,
        ),
        (
            "bytes between the sections",
            behind(&standard, "%%EOF", "\n", "\n7\n"),
            Code::StartXref,
        ),
    ]);
}

#[test]
fn an_update_in_hybrid_form_is_not_read() {
    let standard = original(STANDARD);
    let text = letters(&standard);
    let trailer = &text[text.rfind("trailer").unwrap()..];
    let section = text.rfind("xref\n0 0").unwrap();
    let stream: Vec<&str> = trailer.split_whitespace().collect();
    let place = stream.iter().position(|word| *word == "/XRefStm").unwrap();
    let kept = &trailer[..trailer.find("/Prev").unwrap()];
    let update = format!(
        "xref\n0 0\n{kept}/Prev {section} /XRefStm {} >>\nstartxref\n{}\n%%EOF\n",
        stream[place + 1],
        standard.len()
    );
    assert_eq!(open(&standard), Ok(()));
    let updated = [standard.as_slice(), update.as_bytes()].concat();
    assert_eq!(open(&updated), Err(Code::StructureUnsupported));
    // The same with an object of its own in the table in front of the original's.
    let listed = behind(
        &standard,
        "xref\n0 0\n",
        "0 0\n",
        "1 1\n0000000010 00000 n \n",
    );
    assert_eq!(open(&listed), Err(Code::StructureUnsupported));
}
