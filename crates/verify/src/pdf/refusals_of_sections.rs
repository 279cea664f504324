//! Cross-reference sections, object streams and bombs that are refused, and the code that each gets.

use super::refusals::check;
use super::tests::{ROOT, open, packed, plain, replaced};
use crate::code::Code;

#[test]
fn sections() {
    let honest = plain().table(ROOT).bytes;
    let edit = |from: &str, to: &str| replaced(&honest, from, to);
    let at = plain().bytes.len();
    check(vec![
        (
            "no startxref",
            edit("startxref", "startxxxx"),
            Code::StartXref,
        ),
        ("no end of file", edit("%%EOF", "%%E0F"), Code::StartXref),
        (
            "another offset",
            edit(
                &format!("startxref\n{at}"),
                &format!("startxref\n{}", at - 7),
            ),
            Code::StartXref,
        ),
        (
            "short lines",
            edit("00000 n \n", "00000 n\n"),
            Code::XrefMalformed,
        ),
        (
            "another kind",
            edit("00000 n \n", "00000 x \n"),
            Code::XrefMalformed,
        ),
        (
            "a comment inside",
            edit("xref\n", "xref%\n"),
            Code::XrefMalformed,
        ),
        ("very many", edit("1 1\n", "1 9999999\n"), Code::TooComplex),
        (
            "a number twice",
            plain().entry(1, 1, 15, 0).table(ROOT).bytes,
            Code::XrefMalformed,
        ),
    ]);
}

#[test]
fn trailers() {
    let honest = plain().table(ROOT).bytes;
    let edit = |from: &str, to: &str| replaced(&honest, from, to);
    let at = plain().bytes.len();
    check(vec![
        (
            "too small a size",
            edit("/Size 2", "/Size 1"),
            Code::SizeWrong,
        ),
        (
            "no size",
            edit("/Size 2", "/Sise 2"),
            Code::TrailerMalformed,
        ),
        ("no root", edit("/Root", "/Boot"), Code::TrailerMalformed),
        ("no catalog", edit("/Catalog", "/Datalog"), Code::Malformed),
        (
            "encrypted",
            edit("/Root", "/Encrypt 9 0 R /Root"),
            Code::Encrypted,
        ),
        (
            "hybrid",
            edit("/Root", "/XRefStm 9 /Root"),
            Code::XrefMalformed,
        ),
        (
            "back to no section",
            edit("/Root", "/Prev 9 /Root"),
            Code::StartXref,
        ),
        (
            "forwards",
            edit("/Root", "/Prev 99999 /Root"),
            Code::PreviousLoop,
        ),
        (
            "to itself",
            edit("/Root", &format!("/Prev {at} /Root")),
            Code::PreviousLoop,
        ),
        (
            "negative",
            edit("/Root", "/Prev -1 /Root"),
            Code::PreviousLoop,
        ),
        (
            "indirect",
            edit("/Root", "/Prev 1 0 R /Root"),
            Code::TrailerMalformed,
        ),
        (
            "a size that shrinks",
            plain()
                .object(9, "null")
                .table(ROOT)
                .raw("xref\n0 0\ntrailer\n<< /Size 2 /Root 1 0 R /Prev 97 >>\nstartxref\n")
                .bytes,
            Code::StartXref,
        ),
        (
            "linearized, but not",
            edit(&format!("startxref\n{at}"), "startxref\n0"),
            Code::StartXref,
        ),
    ]);
}

const LINEARIZED: &[u8] =
    include_bytes!("../../../../tests/fixtures/producers/qpdf-linearized.pdf");

#[test]
fn linearized_originals() {
    let edit = |from: &str, to: &str| replaced(LINEARIZED, from, to);
    // The trailer of the main section, filled up so that the length stays.
    let main = "/Size 5 /ID [<1c178198fbdfa51b25995d89d4102043><81c31bed10f3c08fb094f66e517d1639>]";
    let trailer = |keys: &str| edit(main, &format!("{keys:<width$}", width = main.len()));
    assert_eq!(open(&trailer("/Size 5")), Ok(()));
    assert_eq!(open(&trailer("/Size 5 /Root 6 0 R")), Ok(()));
    check(vec![
        (
            "another length",
            edit("/L 4399", "/L 4390"),
            Code::StructureUnsupported,
        ),
        (
            "not said to be one",
            edit("/Linearized 1", "/Linearisad 1"),
            Code::StructureUnsupported,
        ),
        (
            "a number in both sections",
            edit("xref\n5 12\n", "xref\n4 12\n"),
            Code::StructureUnsupported,
        ),
        (
            "an object that is listed as free",
            edit("0000003376 00000 n", "0000003376 00000 f"),
            Code::Stray,
        ),
        (
            "a main section that names itself",
            edit("startxref\n216", "startxref\n4173"),
            Code::TrailerMalformed,
        ),
        (
            "another catalog",
            trailer("/Size 5 /Root 3 0 R"),
            Code::StructureUnsupported,
        ),
        (
            "another trailer",
            trailer("/Size 5 /Info 3 0 R"),
            Code::StructureUnsupported,
        ),
        (
            "one more section",
            trailer("/Size 5 /Prev 216"),
            Code::StructureUnsupported,
        ),
        (
            "encrypted in one of them",
            trailer("/Size 5 /Encrypt 3 0 R"),
            Code::StructureUnsupported,
        ),
        (
            "hybrid",
            trailer("/Size 5 /XRefStm 216"),
            Code::StructureUnsupported,
        ),
    ]);
}

#[test]
fn cross_reference_streams() {
    let edit = |from: &str, to: &str| replaced(&packed().xref_stream(4, ROOT).bytes, from, to);
    check(vec![
        (
            "no type",
            edit("/Type /XRef", "/Type /ZRef"),
            Code::StartXref,
        ),
        (
            "no widths",
            edit("/W [1 4 2]", "/Z [1 4 2]"),
            Code::XrefMalformed,
        ),
        (
            "two widths",
            edit("/W [1 4 2]", "/W [1 6]  "),
            Code::XrefMalformed,
        ),
        (
            "wide fields",
            edit("/W [1 4 2]", "/W [1 9 2]"),
            Code::XrefMalformed,
        ),
        (
            "other widths",
            edit("/W [1 4 2]", "/W [1 3 2]"),
            Code::XrefMalformed,
        ),
        (
            "zero widths",
            edit("/W [1 4 2]", "/W [0 0 0]"),
            Code::XrefMalformed,
        ),
        (
            "a number twice",
            edit("1 1 2 1", "1 1 1 1"),
            Code::XrefMalformed,
        ),
        (
            "half a pair",
            edit("/Index [0 1 ", "/Index [0   "),
            Code::XrefMalformed,
        ),
        (
            "very many",
            edit("0 1 1 1", "0 999999999999 1 1"),
            Code::TooComplex,
        ),
        (
            "a kind that is not known",
            packed().entry(9, 3, 0, 0).xref_stream(4, ROOT).bytes,
            Code::EntryKind,
        ),
        (
            "another filter",
            edit("/FlateDecode /Length 3", "/LZWDecode   /Length 3"),
            Code::StreamFilter,
        ),
    ]);
}

#[test]
fn object_streams() {
    let pack = |keys: &str, objects: &[(u32, &str)]| plain().pack(3, keys, objects);
    let honest = pack("", &[(2, "null"), (5, "(five)")]);
    assert_eq!(open(&honest.clone().xref_stream(4, ROOT).bytes), Ok(()));
    let update = packed().xref_stream(4, ROOT);
    check(vec![
        (
            "one that nobody lists",
            honest.clone().entry(5, 0, 0, 1).xref_stream(4, ROOT).bytes,
            Code::XrefMalformed,
        ),
        (
            "one more than there are",
            honest.clone().entry(6, 2, 3, 2).xref_stream(4, ROOT).bytes,
            Code::ObjectStream,
        ),
        (
            "one listed as another",
            pack("", &[(2, "null")])
                .entry(6, 2, 3, 0)
                .xref_stream(4, ROOT)
                .bytes,
            Code::ObjectStream,
        ),
        (
            "no object stream",
            plain()
                .object(3, "null")
                .entry(2, 2, 3, 0)
                .xref_stream(4, ROOT)
                .bytes,
            Code::ObjectStream,
        ),
        (
            "no type",
            replaced(
                &honest.clone().xref_stream(4, ROOT).bytes,
                "/ObjStm",
                "/ObjXtm",
            ),
            Code::ObjectStream,
        ),
        (
            "of another revision",
            update.clone().entry(6, 2, 3, 0).xref_stream(7, ROOT).bytes,
            Code::PackedElsewhere,
        ),
        (
            "replaced later",
            update.clone().object(3, "null").xref_stream(7, ROOT).bytes,
            Code::PackedElsewhere,
        ),
        (
            "freed later",
            update.entry(3, 0, 0, 1).xref_stream(7, ROOT).bytes,
            Code::PackedElsewhere,
        ),
    ]);
}

#[test]
fn objects_of_object_streams() {
    let pack = |keys: &str, objects: &[(u32, &str)]| plain().pack(3, keys, objects);
    check(vec![
        (
            "a reference",
            pack("", &[(2, "1 0 R")]).xref_stream(4, ROOT).bytes,
            Code::ObjectStream,
        ),
        (
            "two values",
            pack("", &[(2, "1 2 3")]).xref_stream(4, ROOT).bytes,
            Code::ObjectStream,
        ),
        (
            "a stream",
            pack("", &[(2, "<<>> stream")]).xref_stream(4, ROOT).bytes,
            Code::ObjectStream,
        ),
        (
            "a key twice",
            pack("", &[(2, "<< /A 1 /A 2 >>")])
                .xref_stream(4, ROOT)
                .bytes,
            Code::DuplicateKey,
        ),
        (
            "extends what is none",
            pack("/Extends 1 0 R", &[(2, "null")])
                .xref_stream(4, ROOT)
                .bytes,
            Code::ObjectStream,
        ),
        (
            "a hidden reference",
            pack("", &[(2, "[9 0 R]")])
                .xref_stream(4, ROOT)
                .object(9, "null")
                .xref_stream(10, ROOT)
                .bytes,
            Code::FilledLater,
        ),
    ]);
}

#[test]
fn bombs() {
    let zeros = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b' '; 6 << 20], 9);
    let keys = "/Type /ObjStm /N 0 /First 0 /Filter /FlateDecode";
    let twice = miniz_oxide::deflate::compress_to_vec_zlib(&zeros, 9);
    let many = |count: u32, text: &str| {
        (0..count).fold(plain(), |draft, index| {
            draft.pack(10 + 2 * index, "", &[(11 + 2 * index, text)])
        })
    };
    let wide = format!("[{}]", " ".repeat(60_000));
    check(vec![
        (
            "spaces that inflate",
            plain().stream(3, keys, &zeros).table(ROOT).bytes,
            Code::TooComplex,
        ),
        (
            "a bomb in a bomb",
            plain()
                .stream(
                    3,
                    "/Type /ObjStm /N 0 /First 0 /Filter [/FlateDecode /FlateDecode]",
                    &twice,
                )
                .table(ROOT)
                .bytes,
            Code::TooComplex,
        ),
        (
            "many small ones",
            many(100, &wide).xref_stream(9, ROOT).bytes,
            Code::TooComplex,
        ),
    ]);
}

#[test]
fn more_than_is_looked_at() {
    let zeros = miniz_oxide::deflate::compress_to_vec_zlib(b"zeros", 6);
    let damaged = [&zeros[..8], b"\xff\xff\xff\xff"].concat();
    let keys = "/Type /ObjStm /N 0 /First 0 /Filter /FlateDecode";
    check(vec![
        (
            "very many values",
            plain()
                .object(2, &format!("[{}]", "[]".repeat(40_000)))
                .table(ROOT)
                .bytes,
            Code::TooComplex,
        ),
        (
            "very many holes",
            plain()
                .object(
                    2,
                    &((100..2_000).fold("[".to_owned(), |text, number| {
                        text + &format!("{number} 0 R ")
                    }) + "]"),
                )
                .table(ROOT)
                .bytes,
            Code::TooComplex,
        ),
        (
            "very many revisions",
            (0..40)
                .fold(plain().table(ROOT), |draft, _| draft.table(ROOT))
                .bytes,
            Code::TooComplex,
        ),
        (
            "damaged",
            plain().stream(3, keys, &damaged).table(ROOT).bytes,
            Code::StreamDamaged,
        ),
        (
            "something behind",
            plain()
                .stream(
                    3,
                    keys,
                    &[
                        &miniz_oxide::deflate::compress_to_vec_zlib(b"", 6)[..],
                        b"x",
                    ]
                    .concat(),
                )
                .table(ROOT)
                .bytes,
            Code::StreamDamaged,
        ),
    ]);
}

#[test]
fn a_chain_of_object_streams_is_not_followed() {
    // Each extends the one before.
    let draft = (0..3_000_u32).fold(plain(), |draft, index| {
        let extends = match index {
            0 => String::new(),
            later => format!("/Extends {} 0 R", 9 + later),
        };
        draft.pack(10 + index, &extends, &[])
    });
    assert_eq!(open(&draft.table(ROOT).bytes), Ok(()));
}
