//! Files that each break one rule, and the code that each gets.

use super::tests::{Draft, ROOT, open, plain, replaced};
use super::{Budget, File};
use crate::code::Code;

pub(super) fn check(cases: Vec<(&str, Vec<u8>, Code)>) {
    let mut wrong = Vec::new();
    for (name, bytes, code) in cases {
        let found = open(&bytes);
        if found != Err(code) {
            wrong.push((name, found, code));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn headers() {
    let honest = plain().table(ROOT).bytes;
    check(vec![
        ("nothing", Vec::new(), Code::NotPdf),
        (
            "another version",
            replaced(&honest, "1.7", "9.9"),
            Code::NotPdf,
        ),
        (
            "more on its line",
            replaced(&honest, "1.7\n", "1.77"),
            Code::NotPdf,
        ),
        ("in front", [b" ", &honest[..]].concat(), Code::NotPdf),
        (
            "a second one",
            plain().raw("%PDF-1.4\n").table(ROOT).bytes,
            Code::SeveralHeaders,
        ),
        (
            "a second one in a stream",
            plain().stream(2, "", b"%PDF-1.4").table(ROOT).bytes,
            Code::SeveralHeaders,
        ),
        (
            "a second one far behind",
            plain()
                .raw(" ".repeat(2_000))
                .raw("\n%PDF-1.4\n")
                .table(ROOT)
                .bytes,
            Code::SeveralHeaders,
        ),
    ]);
    let far = plain()
        .raw(" ".repeat(2_000))
        .stream(2, "", b"%PDF-1.4")
        .table(ROOT);
    assert_eq!(open(&far.bytes), Ok(()), "an attachment");
}

#[test]
fn places_of_objects() {
    let update = |offset: usize| plain().table(ROOT).entry(2, 1, offset, 0);
    let end = plain().table(ROOT).bytes.len();
    let object = "2 0 obj\nnull\nendobj\n";
    check(vec![
        (
            "in the older revision",
            update(15).raw(object).table(ROOT).bytes,
            Code::OutsideRevision,
        ),
        (
            "behind its section",
            update(end + 100).raw(object).table(ROOT).bytes,
            Code::OutsideRevision,
        ),
        (
            "at the section",
            plain()
                .entry(2, 1, plain().bytes.len(), 0)
                .table(ROOT)
                .bytes,
            Code::OutsideRevision,
        ),
        (
            "white space in front",
            update(end).raw(" ").raw(object).table(ROOT).bytes,
            Code::ObjectHeader,
        ),
        (
            "of another number",
            update(end).raw("3 0 obj\nnull\nendobj\n").table(ROOT).bytes,
            Code::ObjectHeader,
        ),
        (
            "of another generation",
            update(end).raw("2 1 obj\nnull\nendobj\n").table(ROOT).bytes,
            Code::Generation,
        ),
        (
            "of a generation that runs into the word",
            update(end).raw("2 00obj\nnull\nendobj\n").table(ROOT).bytes,
            Code::ObjectHeader,
        ),
        (
            "no object",
            update(end).raw("null\n").table(ROOT).bytes,
            Code::ObjectHeader,
        ),
        (
            "two entries for one",
            plain().entry(2, 1, 15, 0).table(ROOT).bytes,
            Code::Overlap,
        ),
        (
            "one in a string of another",
            plain()
                .entry(2, 1, plain().bytes.len(), 0)
                .entry(3, 1, plain().bytes.len() + 9, 0)
                .raw("2 0 obj\n(3 0 obj null endobj)\nendobj\n")
                .table(ROOT)
                .bytes,
            Code::Overlap,
        ),
    ]);
}

#[test]
fn bytes_that_belong_to_no_object() {
    check(vec![
        (
            "not listed",
            plain().raw("2 0 obj\nnull\nendobj\n").table(ROOT).bytes,
            Code::Stray,
        ),
        (
            "superseded in its own revision",
            Draft::new()
                .raw("1 0 obj\n<< /Type /Catalog >>\nendobj\n")
                .object(1, "<< /Type /Catalog >>")
                .table(ROOT)
                .bytes,
            Code::Stray,
        ),
        (
            "a long tail",
            [&plain().table(ROOT).bytes[..], &[b' '; 600]].concat(),
            Code::Stray,
        ),
        (
            "in a comment",
            plain().raw("% 2 0 obj null\n").table(ROOT).bytes,
            Code::CommentHides,
        ),
        (
            "behind the end",
            plain().table(ROOT).raw("2 0 obj\nnull\nendobj\n").bytes,
            Code::Stray,
        ),
    ]);
}

#[test]
fn objects() {
    let with = |text: &str| plain().object(2, text).table(ROOT).bytes;
    let raw = |text: &str| {
        let at = plain().bytes.len();
        plain().entry(2, 1, at, 0).raw(text).table(ROOT).bytes
    };
    check(vec![
        ("a key twice", with("<< /A 1 /A 1 >>"), Code::DuplicateKey),
        (
            "a key twice, deep",
            with("[<< /A << /B 1 /#42 2 >> >>]"),
            Code::DuplicateKey,
        ),
        ("a reference alone", with("1 0 R"), Code::Malformed),
        ("two values", with("1 2"), Code::Unclosed),
        ("never closed", raw("2 0 obj\nnull\n"), Code::Unclosed),
        (
            "closed by the next",
            raw("2 0 obj\nnull 9\n"),
            Code::Unclosed,
        ),
        ("a null in a name", with("/A\0B"), Code::Token),
        ("a null in a name, escaped", with("/A#00B"), Code::Token),
        ("two signs", with("--5"), Code::Token),
        ("an exponent", with("1e5"), Code::Token),
        ("a signed reference", with("[+1 0 R]"), Code::Token),
        ("another generation", with("[1 1 R]"), Code::Generation),
        ("a key that is no name", with("<< 1 2 >>"), Code::Malformed),
        ("nested far", with(&"[".repeat(5_000)), Code::TooComplex),
        (
            "number 0",
            plain().table(ROOT).entry(0, 1, 0, 0).table(ROOT).bytes,
            Code::ObjectZero,
        ),
    ]);
}

#[test]
fn streams() {
    let with = |text: &str| {
        let at = plain().bytes.len();
        plain().entry(2, 1, at, 0).raw(text).table(ROOT).bytes
    };
    check(vec![
        (
            "too long a length",
            with("2 0 obj\n<< /Length 5 >>\nstream\nabc\nendstream\nendobj\n"),
            Code::StreamLength,
        ),
        (
            "too short a length",
            with("2 0 obj\n<< /Length 1 >>\nstream\nabc\nendstream\nendobj\n"),
            Code::StreamLength,
        ),
        (
            "a negative length",
            with("2 0 obj\n<< /Length -1 >>\nstream\nabc\nendstream\nendobj\n"),
            Code::StreamLength,
        ),
        (
            "a length beyond the file",
            with("2 0 obj\n<< /Length 99999999 >>\nstream\nabc\nendstream\nendobj\n"),
            Code::StreamLength,
        ),
        (
            "no length",
            with("2 0 obj\n<< >>\nstream\nabc\nendstream\nendobj\n"),
            Code::StreamLength,
        ),
        (
            "a carriage return alone",
            with("2 0 obj\n<< /Length 3 >>\nstream\rabc\nendstream\nendobj\n"),
            Code::StreamLength,
        ),
        (
            "no endobj",
            with("2 0 obj\n<< /Length 3 >>\nstream\nabc\nendstream\n9"),
            Code::Unclosed,
        ),
        (
            "no dictionary",
            with("2 0 obj\n[ ]\nstream\nabc\nendstream\nendobj\n"),
            Code::Unclosed,
        ),
        (
            "a length that is not there",
            with("2 0 obj\n<< /Length 9 0 R >>\nstream\nabc\nendstream\nendobj\n"),
            Code::LengthElsewhere,
        ),
        (
            "a section that the chain does not lead to",
            plain().stream(2, "/Type /XRef", b"").table(ROOT).bytes,
            Code::XrefMalformed,
        ),
    ]);
}

#[test]
fn numbers_over_revisions() {
    let hole = plain().object(2, "[3 0 R]").table(ROOT);
    let mut budget = Budget::new();
    let file = File::open(&hole.bytes, &mut budget).unwrap();
    let dangling: Vec<u32> = file.dangling(0).collect();
    assert_eq!(dangling, [3], "a reference to nothing is null");
    assert_eq!((file.latest().index(), file.revisions().len()), (0, 1));
    let freed = plain()
        .object(2, "null")
        .table(ROOT)
        .entry(2, 0, 0, 1)
        .table(ROOT);
    assert_eq!(open(&freed.bytes), Ok(()));
    let at = plain().table(ROOT).bytes.len();
    check(vec![
        (
            "a hole that is filled later",
            hole.clone().object(3, "(shown)").table(ROOT).bytes,
            Code::FilledLater,
        ),
        (
            "a hole that is filled much later",
            hole.table(ROOT)
                .object(4, "null")
                .table(ROOT)
                .object(3, "(shown)")
                .table(ROOT)
                .bytes,
            Code::FilledLater,
        ),
        (
            "a hole in a trailer",
            plain()
                .table("/Root 1 0 R /Info 7 0 R")
                .object(7, "<< >>")
                .table(ROOT)
                .bytes,
            Code::FilledLater,
        ),
        (
            "a freed object that comes back",
            freed.object(2, "(back)").table(ROOT).bytes,
            Code::Generation,
        ),
        (
            "another generation",
            plain()
                .table(ROOT)
                .entry(1, 1, at, 1)
                .raw("1 1 obj\n<< /Type /Catalog >>\nendobj\n")
                .table(ROOT)
                .bytes,
            Code::Generation,
        ),
    ]);
}
