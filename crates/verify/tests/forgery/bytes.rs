//! What a forger changes without a writer: bytes of the file as they stand.

use crate::doc::{Doc, byte_range, find, gap, rfind, signed_end, text};
use crate::update::{Form, Update};

/// A forged file and where it belongs.
#[derive(Debug)]
pub(crate) struct Forgery {
    pub(crate) family: &'static str,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Draws of splitmix64: the same on every run.
#[derive(Debug)]
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }
}

/// All forgeries of one original.
pub(crate) fn forgeries(doc: &Doc, seed: u64) -> Vec<Forgery> {
    let mut out = Vec::new();
    flips(&doc.bytes, seed, &mut out);
    ranges(&doc.bytes, &mut out);
    containers(&doc.bytes, &mut out);
    tails(doc, &mut out);
    heads(&doc.bytes, &mut out);
    cuts(&doc.bytes, seed, &mut out);
    wrapped(doc, &mut out);
    out
}

fn add(out: &mut Vec<Forgery>, family: &'static str, name: impl Into<String>, bytes: Vec<u8>) {
    out.push(Forgery {
        family,
        name: name.into(),
        bytes,
    });
}

/// Bits of the bytes that the first signature covers.
fn flips(bytes: &[u8], seed: u64, out: &mut Vec<Forgery>) {
    let (gap, end) = (gap(bytes), signed_end(bytes));
    let mut draw = Draw(seed);
    for _ in 0..16 {
        let at = draw.below(end);
        if gap.contains(&at) {
            continue;
        }
        let mut forged = bytes.to_vec();
        forged[at] ^= 1 << draw.below(8);
        add(out, "flipped bits", at.to_string(), forged);
    }
}

/// Byte ranges that say something else, in the room of the honest one.
fn ranges(bytes: &[u8], out: &mut Vec<Forgery>) {
    let [start, a, b, c] = byte_range(bytes);
    let end = b + c;
    let at = find(bytes, b"/ByteRange").unwrap() + 10;
    let length = bytes[at..].iter().position(|byte| *byte == b']').unwrap() + 1;
    let room = bytes[at + length..]
        .iter()
        .take_while(|byte| **byte == b' ')
        .count();
    let texts = [
        "null".to_owned(),
        "[]".to_owned(),
        "[0]".to_owned(),
        "[0 0 0 0]".to_owned(),
        "[0 -1 -1 -1]".to_owned(),
        "-1".to_owned(),
        format!("[{start} {a}]"),
        format!("[{start} {a} {b}]"),
        format!("[{start} {a} {b} {}]", c + 1),
        format!("[{start} {a} {b} {}]", c - 1),
        format!("[{start} {a} {b} {}]", c - 7),
        format!("[{start} {} {b} {c}]", a - 1),
        format!("[{start} {} {b} {c}]", a + 1),
        format!("[{start} {a} {} {}]", b - 1, c + 1),
        format!("[{start} {a} {} {}]", b + 1, c - 1),
        format!("[{start} {a} {a} {}]", end - a),
        format!("[{a} {start} {b} {c}]"),
        format!("[{b} {c} {start} {a}]"),
        format!("[1 {} {b} {c}]", a - 1),
        format!("[{start} {a}.0 {b} {c}]"),
        format!("[{start} +{a} {b} {c}]"),
        format!("[{start} {a} {b} 0{c}]"),
        format!("[{start} {a} {b} {c} 0 0]"),
        format!("[{start} {a} {b} (x)]"),
        format!("[{start} {a} 4294967296 {c}]"),
        format!("[{start} {a} {b} -{c}]"),
        format!("[{start} {end}]"),
        format!("[{start} {end} {end} 0]"),
    ];
    for text in texts {
        if text.len() > length + room {
            continue;
        }
        let mut forged = bytes.to_vec();
        forged[at..at + length + room].fill(b' ');
        forged[at + 1..at + 1 + text.len()].copy_from_slice(text.as_bytes());
        add(out, "byte range", text, forged);
    }
}

/// Containers that are none, are spelt otherwise, or are not the honest one.
fn containers(bytes: &[u8], out: &mut Vec<Forgery>) {
    let gap = gap(bytes);
    let honest = text(&bytes[gap.clone()]);
    let used = honest.trim_end_matches('0').len();
    let used = used + used % 2;
    let fill = |text: &str, with: char| {
        let mut text = text.to_owned();
        text.extend(std::iter::repeat_n(with, honest.len() - text.len()));
        text
    };
    let upper = honest.to_uppercase();
    let mixed = upper.replacen('A', "a", 1);
    let reversed: String = honest.chars().rev().collect();
    let cases = [
        ("zeros", fill("", '0')),
        ("spaces", fill("", ' ')),
        ("one byte", fill("00", ' ')),
        ("reversed", reversed),
        ("null in it", fill("3000", '0')),
        ("octets", fill("0480", '0')),
        (
            "one space",
            format!("{}{} ", &honest[..used], &honest[used + 1..]),
        ),
        ("line ends", format!("\n{}\n", &honest[1..honest.len() - 1])),
        (
            "two spellings",
            if upper.contains('A') {
                mixed
            } else {
                fill("", '0')
            },
        ),
        ("padding of ones", fill(&honest[..used], '1')),
        ("padding of blanks", fill(&honest[..used], ' ')),
        ("half", fill(&honest[..used / 2], '0')),
        ("no digits", fill(&honest[..used - 2], 'g')),
    ];
    for (name, text) in cases {
        let mut forged = bytes.to_vec();
        forged[gap.clone()].copy_from_slice(text.as_bytes());
        if forged != bytes {
            add(out, "container text", name, forged);
        }
    }
    for (name, open, close) in [
        ("literal", b'(', b')'),
        ("array", b'[', b']'),
        ("name", b'/', b' '),
    ] {
        let mut forged = bytes.to_vec();
        forged[gap.start - 1] = open;
        forged[gap.end] = close;
        add(out, "container text", name, forged);
    }
    // Each byte of the container counts, wherever it stands: the honest digit one higher.
    let step = (used / 16).max(1);
    for at in (0..used).step_by(step) {
        let mut forged = bytes.to_vec();
        let digit = &mut forged[gap.start + at];
        *digit = match *digit {
            b'9' => b'0',
            b'F' => b'A',
            b'f' => b'a',
            other => other + 1,
        };
        add(out, "container digits", at.to_string(), forged);
    }
}

/// What may be stuck to the end of a file, and what it becomes where a reader looks there first.
fn tails(doc: &Doc, out: &mut Vec<Forgery>) {
    let table = doc.table;
    let again = format!("startxref\n{table}\n%%EOF\n");
    let zero = "startxref\n0\n%%EOF\n".to_owned();
    let long = " ".repeat(5_000);
    let comment = format!("%{}\n", "x".repeat(200));
    let whole = text(&doc.bytes);
    let object = "900 0 obj\n<< /JS (x) >>\nendobj\n".to_owned();
    for (name, tail) in [
        ("line end", "\n"),
        ("line ends", "\n\n\n"),
        ("blank", " "),
        ("zero", "\0"),
        ("end again", "%%EOF\n"),
        ("junk", "junk"),
        ("comment", comment.as_str()),
        ("blanks", long.as_str()),
        ("table again", again.as_str()),
        ("table at zero", zero.as_str()),
        ("object", object.as_str()),
        ("page mark-up", "<html><script>1</script></html>"),
        ("file again", whole.as_str()),
    ] {
        let tail: Vec<u8> = tail
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)).unwrap())
            .collect();
        let forged = [doc.bytes.as_slice(), &tail].concat();
        // A signer may leave the end of line off that the format asks for: then it is the file that is odd.
        if name != "line end" || doc.bytes.ends_with(b"\n") {
            add(out, "bytes behind", name, forged);
        }
    }
}

fn heads(bytes: &[u8], out: &mut Vec<Forgery>) {
    for (name, head) in [
        ("blank", &b" "[..]),
        ("line end", b"\n"),
        ("junk", b"junk"),
        ("program", b"MZ"),
        ("archive", b"PK\x03\x04"),
        ("mark", b"\xef\xbb\xbf"),
        ("script", b"#!/bin/sh\n"),
        ("another header", b"%PDF-1.7\n"),
    ] {
        add(
            out,
            "header",
            format!("before it: {name}"),
            [head, bytes].concat(),
        );
    }
    for version in ["%PDF-1.4", "%PDF-2.0", "%PDF-9.9", "%FDF-1.2", "%pdf-1.7"] {
        if !bytes.starts_with(version.as_bytes()) {
            let mut forged = bytes.to_vec();
            forged[..8].copy_from_slice(version.as_bytes());
            add(out, "header", version, forged);
        }
    }
}

/// Files that end early, but not where the signed revision ends.
fn cuts(bytes: &[u8], seed: u64, out: &mut Vec<Forgery>) {
    let end = signed_end(bytes);
    let mut draw = Draw(seed ^ 0xcc);
    let mut places: Vec<usize> = (0..10).map(|_| draw.below(bytes.len())).collect();
    places.extend([0, 8, end - 1, end - 2, end - 7, end / 2]);
    for at in places {
        // Without the end of line behind the last mark nothing is gone that was signed, or only that.
        let is_rest_of_archive = at > end;
        if at != end && !(is_rest_of_archive && bytes[..at].ends_with(b"%%EOF")) {
            add(out, "cut short", at.to_string(), bytes[..at].to_vec());
        }
    }
}

/// Things moved into the gap that the signature leaves out.
fn wrapped(doc: &Doc, out: &mut Vec<Forgery>) {
    let bytes = &doc.bytes;
    let gap = gap(bytes);
    let honest = text(&bytes[gap.clone()]);
    let used = honest.trim_end_matches('0').len();
    let used = used + used % 2;
    let room = honest.len() - used;
    let drawn = "BT /F1 11 Tf 60 500 Td (No. 9971010000000000) Tj ET";
    let object = format!(
        "4 0 obj\n<< /Length {} >>\nstream\n{drawn}\nendstream\nendobj\n",
        drawn.len()
    );
    let place = gap.start + used + 2;
    for (name, opening, closing) in [
        ("string ends early", ">\n", " <00"),
        ("string and comment", ">%", "\n<00"),
        ("string, then name", ">\n/X ", "<00"),
    ] {
        let inside = format!("{opening}{object}");
        if inside.len() + closing.len() > room {
            continue;
        }
        let mut forged = bytes.clone();
        let from = gap.start + used;
        forged[from..gap.end].fill(b' ');
        forged[from..from + inside.len()].copy_from_slice(inside.as_bytes());
        forged[gap.end - closing.len()..gap.end].copy_from_slice(closing.as_bytes());
        add(out, "gap", name, forged.clone());
        // An update whose table points into the gap.
        let size = doc.next;
        let start = forged.len();
        let root = doc.trailer.get("/Root").unwrap();
        let table = format!(
            "xref\n4 1\n{place:010} 00000 n \ntrailer\n<< /Size {size} /Root {root} /Prev {} >>\n\
             startxref\n{start}\n%%EOF\n",
            doc.table
        );
        forged.extend(table.bytes());
        add(out, "gap", format!("{name}, a table points there"), forged);
    }
    moved(doc, out);
}

/// The classic: the signed tail moves back, and another one takes its place.
fn moved(doc: &Doc, out: &mut Vec<Forgery>) {
    let [start, a, b, c] = byte_range(&doc.bytes);
    let harm = Update::new().stream(
        4,
        "",
        b"BT /F1 11 Tf 60 500 Td (No. 9971010000000000) Tj ET",
    );
    for (form_name, form) in [("table", Form::Table), ("stream", Form::Stream)] {
        let harmed = harm.behind(doc, form);
        let tail = &harmed[doc.bytes.len()..];
        for (name, filler) in [("blanks", " "), ("zeros", "0"), ("objects", "")] {
            // head, container, (harm), signed tail: the range says that the tail stands further back.
            let mut between = filler.repeat(64).into_bytes();
            if filler.is_empty() {
                between.extend(tail);
            }
            let signed = &doc.bytes[b..b + c];
            let forged = [&doc.bytes[..b], &between, signed, tail].concat();
            let old = format!("[{start} {a} {b} {c}]");
            let new = format!("[{start} {a} {} {c}]", b + between.len());
            let at = find(&forged, old.as_bytes());
            let mut said = forged.clone();
            if let Some(at) = at.filter(|_| new.len() == old.len()) {
                said[at..at + new.len()].copy_from_slice(new.as_bytes());
            }
            add(
                out,
                "wrapping",
                format!("{name}, {form_name}, range kept"),
                forged,
            );
            add(
                out,
                "wrapping",
                format!("{name}, {form_name}, range follows"),
                said,
            );
        }
    }
    // A second range before the first one, where a reader that takes the first is led.
    let key = rfind(&doc.bytes[..a], b"/Contents").unwrap();
    let more = format!("/ByteRange [0 {a} {} {c}] ", b + 60);
    let forged = [&doc.bytes[..key], more.as_bytes(), &doc.bytes[key..]].concat();
    add(out, "wrapping", "two ranges", forged);
    let more = "/Contents <00> ";
    let forged = [&doc.bytes[..key], more.as_bytes(), &doc.bytes[key..]].concat();
    add(out, "wrapping", "two containers", forged);
    let last = rfind(&doc.bytes, b"startxref").unwrap();
    let forged = [
        &doc.bytes[..last],
        b"startxref\n0\n%%EOF\n",
        &doc.bytes[last..],
    ]
    .concat();
    add(out, "wrapping", "another start in between", forged);
}
