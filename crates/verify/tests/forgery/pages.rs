//! What a forger changes of the pages: what they show, how many there are, what lies over them.

use crate::dict::Dict;
use crate::doc::{CONTENTS, Doc, FONT, PAGES, TREE};
use crate::edit::{APPEARANCE, APPEARANCE_KEYS, Edits};
use crate::update::Update;

pub(crate) fn edits(doc: &Doc, edits: &mut Edits) {
    contents(doc, edits);
    fonts(doc, edits);
    tree(doc, edits);
    annotations(doc, edits);
    boxes(doc, edits);
    inherited(doc, edits);
}

/// The stream with one word for another of the same length.
fn replaced(stream: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(stream.to_vec()).unwrap();
    assert!(text.contains(from), "the card shows {from}");
    text.replace(from, to).into_bytes()
}

fn contents(doc: &Doc, edits: &mut Edits) {
    let changes = [
        (0, "number", "01240001", "01240007"),
        (0, "post code", "99715", "99716"),
        (0, "village", "CONTOHSARI", "CONTOHSARA"),
        (1, "name", "WAGIMAN", "WAGIMIN"),
        (1, "birth", "19-03-2005", "19-03-2001"),
        (1, "identity", "03050003", "03010003"),
    ];
    for (page, name, from, to) in changes {
        let data = replaced(&Doc::stream(CONTENTS[page]), from, to);
        let update = Update::new().stream(CONTENTS[page], "", &data);
        edits.add("stream overwrite", name, update);
        let update = Update::new().stream(doc.next, "", &data).object(
            PAGES[page],
            doc.dict(PAGES[page])
                .with("/Contents", &format!("{} 0 R", doc.next))
                .text(),
        );
        edits.add("contents swap", name, update);
    }
    for (page, (number, contents)) in PAGES.into_iter().zip(CONTENTS).enumerate() {
        for (name, value) in [
            ("over", format!("[{contents} 0 R {} 0 R]", doc.next)),
            ("under", format!("[{} 0 R {contents} 0 R]", doc.next)),
            ("none", "null".to_owned()),
            ("other page's", format!("{} 0 R", CONTENTS[1 - page])),
        ] {
            let body = doc.dict(number).with("/Contents", &value).text();
            let update = Update::new()
                .stream(doc.next, "", APPEARANCE)
                .object(number, body);
            edits.add("contents swap", format!("{name} on page {page}"), update);
        }
        let update = Update::new().object(number, doc.dict(number).without("/Contents").text());
        edits.add("contents swap", format!("taken from page {page}"), update);
        let update = Update::new().object(contents, "[]");
        edits.add("stream overwrite", format!("array on page {page}"), update);
        let outside = "/F (lain.txt) /FFilter /ASCIIHexDecode";
        let update = Update::new().stream(contents, outside, b"");
        edits.add(
            "stream overwrite",
            format!("from a file on page {page}"),
            update,
        );
    }
}

fn fonts(doc: &Doc, edits: &mut Edits) {
    let font = doc.dict(FONT);
    let glyph = format!("{} 0 R", doc.next);
    let type3 = format!(
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [.001 0 0 .001 0 0] \
         /CharProcs << /a {glyph} >> /Encoding << /Differences [48 /a /a /a] >> \
         /FirstChar 48 /LastChar 50 /Widths [500 500 500] >>"
    );
    let swaps = [
        (
            "base font",
            font.clone().with("/BaseFont", "/Symbol").text(),
        ),
        (
            "same look",
            font.clone().with("/BaseFont", "/Courier").text(),
        ),
        (
            "digits",
            font.clone()
                .with("/Encoding", "<< /Differences [49 /two /one] >>")
                .text(),
        ),
        ("encoding", font.clone().without("/Encoding").text()),
        ("to unicode", font.clone().with("/ToUnicode", &glyph).text()),
        (
            "widths",
            font.with("/FirstChar", "48")
                .with("/LastChar", "49")
                .with("/Widths", "[0 0]")
                .text(),
        ),
        ("type 3", type3),
    ];
    for (name, body) in swaps {
        let update = Update::new()
            .stream(doc.next, "", b"500 0 d0 0 0 500 500 re f")
            .object(FONT, body);
        edits.add("font swap", name, update);
    }
}

fn page_of(doc: &Doc, contents: u32) -> String {
    doc.dict(PAGES[0])
        .with("/Contents", &format!("{contents} 0 R"))
        .without("/Annots")
        .text()
}

/// A page more that nothing leads to yet.
fn drawn(doc: &Doc) -> Update {
    let (page, contents) = (doc.next, doc.next + 1);
    Update::new()
        .stream(contents, "", APPEARANCE)
        .object(page, page_of(doc, contents))
}

fn tree(doc: &Doc, edits: &mut Edits) {
    let [first, second] = PAGES;
    let page = doc.next;
    let tree = doc.dict(TREE);
    let orders = [
        (
            "insert",
            "front",
            format!("{page} 0 R {first} 0 R {second} 0 R"),
            3,
        ),
        (
            "insert",
            "middle",
            format!("{first} 0 R {page} 0 R {second} 0 R"),
            3,
        ),
        (
            "insert",
            "back",
            format!("{first} 0 R {second} 0 R {page} 0 R"),
            3,
        ),
        (
            "insert",
            "instead of the first",
            format!("{page} 0 R {second} 0 R"),
            2,
        ),
        (
            "insert",
            "instead of the second",
            format!("{first} 0 R {page} 0 R"),
            2,
        ),
        (
            "insert",
            "count hides it",
            format!("{first} 0 R {second} 0 R {page} 0 R"),
            2,
        ),
        ("remove", "first", format!("{second} 0 R"), 1),
        ("remove", "second", format!("{first} 0 R"), 1),
        ("remove", "all", String::new(), 0),
        (
            "remove",
            "in the count alone",
            format!("{first} 0 R {second} 0 R"),
            1,
        ),
        ("reorder", "turned", format!("{second} 0 R {first} 0 R"), 2),
        (
            "reorder",
            "first twice",
            format!("{first} 0 R {first} 0 R"),
            2,
        ),
        ("reorder", "loop", format!("{first} 0 R {TREE} 0 R"), 2),
    ];
    for (kind, name, kids, count) in orders {
        let body = tree
            .clone()
            .with("/Kids", &format!("[{kids}]"))
            .with("/Count", &count.to_string())
            .text();
        let update = drawn(doc).object(TREE, body);
        edits.add("page tree", format!("{kind}: {name}"), update);
    }
    other_tree(doc, edits);
}

/// Trees and pages in the place of others.
fn other_tree(doc: &Doc, edits: &mut Edits) {
    let [first, second] = PAGES;
    let (page, contents) = (doc.next, doc.next + 1);
    let other = doc
        .dict(TREE)
        .with("/Kids", &format!("[{page} 0 R]"))
        .with("/Count", "1");
    let catalog = doc
        .catalog()
        .with("/Pages", &format!("{} 0 R", doc.next + 2));
    let update = Update::new()
        .stream(contents, "", APPEARANCE)
        .object(page, page_of(doc, contents))
        .object(doc.next + 2, other.text())
        .object(doc.root, catalog.text());
    edits.add("page tree", "another tree", update);
    let update = Update::new()
        .stream(contents, "", APPEARANCE)
        .object(first, page_of(doc, contents));
    edits.add("page tree", "page overwritten", update);
    let middle = Dict::default()
        .with("/Type", "/Pages")
        .with("/Parent", &format!("{TREE} 0 R"))
        .with("/Count", "1")
        .with("/Kids", &format!("[{page} 0 R]"));
    let update = Update::new()
        .stream(contents, "", APPEARANCE)
        .object(page, page_of(doc, contents))
        .object(second, middle.text());
    edits.add("page tree", "page becomes a branch", update);
}

/// Kinds of annotation, with what each needs beside its place.
const ANNOTATIONS: [(&str, &str); 20] = [
    (
        "FreeText",
        "/DA (/F1 11 Tf) /Contents (No. 9971010000000000)",
    ),
    ("Stamp", "/Name /Approved"),
    ("Square", "/IC [1 1 1]"),
    ("Circle", "/IC [1 1 1]"),
    (
        "Highlight",
        "/QuadPoints [0 0 842 0 0 595 842 595] /C [1 1 0]",
    ),
    ("Underline", "/QuadPoints [0 0 842 0 0 595 842 595]"),
    ("StrikeOut", "/QuadPoints [0 0 842 0 0 595 842 595]"),
    ("Redact", "/IC [1 1 1]"),
    ("Ink", "/InkList [[0 0 842 595]]"),
    ("Line", "/L [0 0 842 595]"),
    ("Polygon", "/Vertices [0 0 842 0 842 595] /IC [1 1 1]"),
    ("Caret", ""),
    ("Text", "/Contents (-)"),
    ("Popup", "/Open true"),
    ("Link", "/A << /S /URI /URI (http://kk.contoh.invalid/) >>"),
    ("FileAttachment", "/FS << /F (lain.pdf) >>"),
    ("Watermark", ""),
    ("Screen", ""),
    ("RichMedia", ""),
    (
        "Widget",
        "/FT /Tx /T (lain) /V (9971010000000000) /DA (/F1 11 Tf)",
    ),
];

fn annotations(doc: &Doc, edits: &mut Edits) {
    let (annotation, appearance) = (doc.next, doc.next + 1);
    for (page, number) in PAGES.into_iter().enumerate() {
        let body = doc
            .dict(number)
            .with_item("/Annots", &format!("{annotation} 0 R"))
            .text();
        for (kind, more) in ANNOTATIONS {
            let drawn = format!(
                "<< /Type /Annot /Subtype /{kind} /Rect [0 0 842 595] /F 4 /P {number} 0 R \
                 /AP << /N {appearance} 0 R >> {more} >>"
            );
            let update = Update::new()
                .object(annotation, drawn)
                .stream(appearance, APPEARANCE_KEYS, APPEARANCE)
                .object(number, body.clone());
            edits.add(
                "overlay annotation",
                format!("{kind} on page {page}"),
                update,
            );
        }
        let direct = doc.dict(number).with_item(
            "/Annots",
            "<< /Type /Annot /Subtype /Square /Rect [0 0 842 595] /IC [1 1 1] >>",
        );
        let update = Update::new().object(number, direct.text());
        edits.add(
            "overlay annotation",
            format!("direct on page {page}"),
            update,
        );
        let update = Update::new().object(
            number,
            doc.dict(number)
                .without("/Annots")
                .with("/Annots", "[null]")
                .text(),
        );
        edits.add(
            "overlay annotation",
            format!("all gone from page {page}"),
            update,
        );
    }
}

/// What a page may say of its box and of itself.
const PAGE_KEYS: [(&str, &str); 24] = [
    ("/MediaBox", "[0 0 842 300]"),
    ("/MediaBox", "[0 0 842.01 595]"),
    ("/MediaBox", "[0 0 842 595 0]"),
    ("/CropBox", "[0 300 842 595]"),
    ("/BleedBox", "[0 300 842 595]"),
    ("/TrimBox", "[0 300 842 595]"),
    ("/ArtBox", "[0 300 842 595]"),
    ("/Rotate", "180"),
    ("/UserUnit", "2"),
    ("/Trans", "<< /S /Dissolve >>"),
    ("/Dur", "1"),
    ("/Tabs", "/S"),
    ("/Thumb", "4 0 R"),
    ("/B", "[]"),
    ("/Group", "<< /S /Transparency /CS /DeviceGray >>"),
    ("/StructParents", "0"),
    ("/PZ", "4"),
    ("/SeparationInfo", "<< >>"),
    ("/Metadata", "4 0 R"),
    ("/PieceInfo", "<< >>"),
    ("/VP", "[]"),
    ("/AF", "[]"),
    ("/OutputIntents", "[]"),
    ("/DPart", "<< >>"),
];

fn boxes(doc: &Doc, edits: &mut Edits) {
    for (page, number) in PAGES.into_iter().enumerate() {
        for (position, (key, value)) in PAGE_KEYS.into_iter().enumerate() {
            let update = Update::new().object(number, doc.dict(number).with(key, value).text());
            edits.add(
                "page keys",
                format!("{key} {position} on page {page}"),
                update,
            );
        }
        for key in ["/MediaBox", "/Parent", "/Type", "/Resources"] {
            let update = Update::new().object(number, doc.dict(number).without(key).text());
            edits.add("page keys", format!("without {key} on page {page}"), update);
        }
        let twice = doc
            .dict(number)
            .and("/Contents", &format!("{} 0 R", CONTENTS[1 - page]));
        let update = Update::new().object(number, twice.text());
        edits.add(
            "duplicate keys",
            format!("/Contents on page {page}"),
            update,
        );
    }
}

fn inherited(doc: &Doc, edits: &mut Edits) {
    let other = format!("<< /Font << /F1 {} 0 R >> >>", doc.next);
    let font = doc.dict(FONT).with("/BaseFont", "/Symbol").text();
    for (name, number) in [("tree", TREE), ("page 0", PAGES[0]), ("page 1", PAGES[1])] {
        let body = doc.dict(number).with("/Resources", &other).text();
        let update = Update::new()
            .object(doc.next, font.clone())
            .object(number, body);
        edits.add("resources", format!("font of {name}"), update);
        let more = "<< /Font << /F1 3 0 R >> /ExtGState << /G << /ca 0 >> >> >>";
        let body = doc.dict(number).with("/Resources", more).text();
        edits.add(
            "resources",
            format!("state of {name}"),
            Update::new().object(number, body),
        );
    }
    for (key, value) in [
        ("/MediaBox", "[0 0 842 300]"),
        ("/CropBox", "[0 300 842 595]"),
        ("/Rotate", "180"),
        ("/AA", "<< >>"),
    ] {
        let body = doc.dict(TREE).with(key, value).text();
        edits.add(
            "resources",
            format!("{key} of the tree"),
            Update::new().object(TREE, body),
        );
    }
}
