//! Hybrid originals whose listings disagree, or that hide what shows: each signed again, so that nothing but the
//! structure speaks against them.

use crate::doc::{find, signed_end, text};

/// The numbers that the fixtures use: a page's text, and the objects of the structure tree and their stream.
const TEXT: u32 = 4;
const HIDDEN: u32 = 10;
const CONTAINER: u32 = 12;

/// The carrier as it was signed, and what became of it: name, bytes, and whether it is the honest one.
pub(crate) fn all(carrier: &[u8]) -> Vec<(String, Vec<u8>, bool)> {
    let signed = &carrier[..signed_end(carrier)];
    let mut out = vec![("unchanged".to_owned(), signed.to_vec(), true)];
    let mut add = |name: &str, bent: Option<Vec<u8>>| {
        if let Some(bytes) = bent.filter(|bytes| bytes != signed) {
            out.push((name.to_owned(), bytes, false));
        }
    };
    let elsewhere = offset(signed, 6);
    let container = CONTAINER.to_be_bytes();
    for (name, kind, first) in [
        ("packs a page's text", 2, container),
        ("frees a page's text", 0, [0; 4]),
        ("moves a page's text", 1, elsewhere.to_be_bytes()),
    ] {
        let row = [&[kind][..], &first, &[0, 0]].concat();
        add(name, stream_row(signed, &row));
    }
    for number in [HIDDEN, CONTAINER] {
        let used = format!("{number} 1\n{elsewhere:010} 00000 n \n");
        add(
            &format!("table has {number} elsewhere"),
            table_row(signed, number, &used),
        );
    }
    for (name, from, to) in HIDING {
        add(name, Some(replaced(signed, from, to)));
    }
    for (name, after, from, to) in TRAILERS {
        add(name, replaced_after(signed, after, from, to));
    }
    let named = [("one behind", 1), ("the table", 0)];
    for (name, step) in named {
        add(&format!("names {name}"), section_named(signed, step));
    }
    // Old readers need no stream of objects, so that its table may have it as free: as the standard's example does it.
    let gone = format!("{CONTAINER} 1\n0000000000 00000 f \n");
    let freed = table_row(signed, CONTAINER, &gone).filter(|bytes| bytes != signed);
    out.extend(freed.map(|bytes| ("table frees the object stream".to_owned(), bytes, true)));
    out
}

/// How the catalog names the structure tree, before it was signed and after.
const TREE: &str = "/StructTreeRoot 9 0 R";

/// What shows and leads to something hidden: words, and what stands in their place.
const HIDING: [(&str, &str, &str); 7] = [
    ("text of a page", "/Contents 4 0 R", "/Contents 10 0 R"),
    ("pages", "/Pages 2 0 R", "/Pages 9 0 R"),
    ("font", "/F1 3 0 R", "/F1 9 0 R"),
    ("outlines", TREE, "/Outlines 9 0 R"),
    ("names", TREE, "/Names 10 0 R"),
    ("forms", TREE, "/X [9 0 R]"),
    ("information", "/Info 8 0 R", "/Info 9 0 R"),
];

/// What one of several trailers says for itself.
const TRAILERS: [(&str, &str, &str, &str); 5] = [
    (
        "root of the stream",
        "/Type /XRef",
        "/Root 1 0 R",
        "/Root 2 0 R",
    ),
    ("root of the table", "\nxref", "/Root 1 0 R", "/Root 2 0 R"),
    (
        "information of the stream",
        "/Type /XRef",
        "/Info 8 0 R",
        "/Info 9 0 R",
    ),
    (
        "stream goes on",
        "/Type /XRef",
        "/Info 8 0 R",
        "/Prev 90000",
    ),
    (
        "stream is encrypted",
        "/Type /XRef",
        "/Info 8 0 R",
        "/Encrypt 90",
    ),
];

/// Where an object stands.
fn offset(bytes: &[u8], number: u32) -> u32 {
    let at = find(bytes, format!("\n{number} 0 obj").as_bytes()).unwrap();
    u32::try_from(at + 1).unwrap()
}

/// Every `from` replaced, filled up with blanks so that nothing moves; what has no room is cut out of blanks behind.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(step) = find(&out[at..], from.as_bytes()) {
        let place = at + step;
        let width = from.len().max(to.len());
        let padded = format!("{to:<width$}");
        // A longer word takes the line end behind it, which is then a blank too few for nobody.
        if width > from.len() && !out[place + from.len()].is_ascii_whitespace() {
            return bytes.to_vec();
        }
        out[place..place + width].copy_from_slice(padded.as_bytes());
        at = place + width;
    }
    out
}

/// The first `from` behind the word `after` replaced.
fn replaced_after(bytes: &[u8], after: &str, from: &str, to: &str) -> Option<Vec<u8>> {
    let start = find(bytes, after.as_bytes())?;
    let place = start + find(&bytes[start..], from.as_bytes())?;
    let mut out = bytes.to_vec();
    out[place..place + to.len()].copy_from_slice(to.as_bytes());
    (from.len() == to.len()).then_some(out)
}

/// The cross-reference stream with `row` for a page's text: in its own place, or in that of the first number listed.
fn stream_row(bytes: &[u8], row: &[u8]) -> Option<Vec<u8>> {
    let start = find(bytes, b"/Type /XRef")?;
    let index = start + find(&bytes[start..], b"/Index [")? + 8;
    let end = index + find(&bytes[index..], b"]")?;
    let listed = text(&bytes[index..end]);
    let numbers: Vec<&str> = listed.split_whitespace().step_by(2).collect();
    let wanted = TEXT.to_string();
    let known = numbers.iter().position(|number| **number == wanted);
    let mut out = bytes.to_vec();
    if known.is_none() {
        assert_eq!(numbers[0].len(), 1, "a number of one digit comes first");
        out[index] = wanted.as_bytes()[0];
    }
    let data = start + find(&bytes[start..], b"stream\n")? + 7;
    let place = data + known.unwrap_or(0) * row.len();
    out[place..place + row.len()].copy_from_slice(row);
    Some(out)
}

/// The table of the first revision with another line for `number`.
fn table_row(bytes: &[u8], number: u32, line: &str) -> Option<Vec<u8>> {
    let start = find(bytes, b"\nxref")?;
    let place = start + find(&bytes[start..], format!("\n{number} 1\n").as_bytes())? + 1;
    let mut out = bytes.to_vec();
    out[place..place + line.len()].copy_from_slice(line.as_bytes());
    Some(out)
}

/// `/XRefStm` that names a place beside the stream, or the table itself where `step` is none.
fn section_named(bytes: &[u8], step: usize) -> Option<Vec<u8>> {
    let key = find(bytes, b"/XRefStm ")? + 9;
    let digits = bytes[key..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.count();
    let place: usize = text(&bytes[key..key + length]).parse().unwrap();
    let place = match step {
        0 => find(bytes, b"\nxref")? + 1,
        step => place + step,
    };
    let named = place.to_string();
    let mut out = bytes.to_vec();
    if named.len() != length {
        return None;
    }
    out[key..key + length].copy_from_slice(named.as_bytes());
    Some(out)
}
