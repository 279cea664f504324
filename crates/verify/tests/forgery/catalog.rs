//! What a forger changes of the document as a whole: catalog, trailer, what hangs beside the pages.

use crate::dict::Dict;
use crate::doc::{CONTENTS, Doc, FONT, PAGES, TREE};
use crate::edit::{APPEARANCE, Edits};
use crate::update::Update;

pub(crate) fn edits(doc: &Doc, edits: &mut Edits) {
    keys(doc, edits);
    actions(doc, edits);
    information(doc, edits);
    freed(doc, edits);
    shadows(doc, edits);
    trailers(doc, edits);
    archive(doc, edits);
}

const SCRIPT: &str = "<< /S /JavaScript /JS (this.getField\\('lain'\\).value='x';) >>";

/// Keys of the catalog, with a value that changes what is shown, done or said.
const CATALOG_KEYS: [(&str, &str, &str); 44] = [
    (
        "optional content",
        "/OCProperties",
        "<< /OCGs [] /D << /BaseState /OFF >> >>",
    ),
    (
        "optional content",
        "/OCProperties",
        "<< /OCGs [4 0 R] /D << /OFF [4 0 R] >> >>",
    ),
    ("catalog", "/Lang", "(id-ID)"),
    ("catalog", "/Version", "(2.0)"),
    ("catalog", "/Version", "/1.4"),
    ("catalog", "/PageMode", "/UseAttachments"),
    ("catalog", "/PageLayout", "/TwoColumnLeft"),
    (
        "catalog",
        "/ViewerPreferences",
        "<< /PrintPageRange [2 2] /NumCopies 5 >>",
    ),
    ("catalog", "/ViewerPreferences", "<< /Direction /R2L >>"),
    ("catalog", "/MarkInfo", "<< /Marked true >>"),
    ("catalog", "/OutputIntents", "[<< /S /GTS_PDFA1 >>]"),
    (
        "catalog",
        "/PieceInfo",
        "<< /X << /LastModified (D:20260101) >> >>",
    ),
    ("catalog", "/SpiderInfo", "<< /V 1.0 >>"),
    ("catalog", "/Legal", "<< >>"),
    ("catalog", "/Requirements", "[<< /S /EnableJavaScripts >>]"),
    ("catalog", "/NeedsRendering", "true"),
    ("catalog", "/URI", "<< /Base (http://kk.contoh.invalid/) >>"),
    ("catalog", "/Collection", "<< /View /H >>"),
    ("catalog", "/Threads", "[]"),
    ("catalog", "/Outlines", "<< /Type /Outlines /Count 0 >>"),
    (
        "catalog",
        "/PageLabels",
        "<< /Nums [0 << /P (Halaman lain ) >>] >>",
    ),
    ("catalog", "/Metadata", "4 0 R"),
    ("catalog", "/AF", "[<< /F (lain.pdf) >>]"),
    ("catalog", "/DPartRoot", "<< >>"),
    ("catalog", "/Unknown", "1"),
    (
        "catalog",
        "/Extensions",
        "<< /LAIN << /BaseVersion /9.9 /ExtensionLevel 99 >> >>",
    ),
    (
        "structure",
        "/StructTreeRoot",
        "<< /Type /StructTreeRoot /K << /S /P /ActualText (lain) >> >>",
    ),
    (
        "structure",
        "/StructTreeRoot",
        "<< /Type /StructTreeRoot >>",
    ),
    ("names", "/Dests", "<< /lain [5 0 R /Fit] >>"),
    (
        "names",
        "/Names",
        "<< /Dests << /Names [(a) [5 0 R /Fit]] >> >>",
    ),
    (
        "names",
        "/Names",
        "<< /EmbeddedFiles << /Names [(a) << /F (lain.pdf) >>] >> >>",
    ),
    ("names", "/Names", "<< /AP << /Names [(a) 4 0 R] >> >>"),
    ("names", "/Names", "<< /Pages << /Names [(a) 5 0 R] >> >>"),
    (
        "names",
        "/Names",
        "<< /Templates << /Names [(a) 5 0 R] >> >>",
    ),
    ("names", "/Names", "<< /IDS << /Names [] >> >>"),
    ("names", "/Names", "<< /URLS << /Names [] >> >>"),
    (
        "names",
        "/Names",
        "<< /AlternatePresentations << /Names [] >> >>",
    ),
    ("names", "/Names", "<< /Renditions << /Names [] >> >>"),
    ("names", "/Names", "<< >>"),
    ("permissions", "/Perms", "<< /UR3 4 0 R >>"),
    ("permissions", "/Perms", "<< >>"),
    ("permissions", "/Perms", "<< /DocMDP 4 0 R >>"),
    ("duplicate keys", "+/Pages", "2 0 R"),
    ("duplicate keys", "+/AcroForm", "<< /Fields [] >>"),
];

fn keys(doc: &Doc, edits: &mut Edits) {
    for (position, (family, key, value)) in CATALOG_KEYS.into_iter().enumerate() {
        let catalog = match key.strip_prefix('+') {
            Some(key) => doc.catalog().and(key, value),
            None => doc.catalog().with(key, value),
        };
        let update = Update::new().object(doc.root, catalog.text());
        edits.add(family, format!("{key} {position}"), update);
    }
    for key in ["/Pages", "/Type", "/AcroForm"] {
        let update = Update::new().object(doc.root, doc.catalog().without(key).text());
        edits.add("catalog", format!("without {key}"), update);
    }
    let layered = Doc::stream(CONTENTS[0]);
    let layered = [b"/OC /L BDC\n".as_slice(), &layered, b"\nEMC"].concat();
    let group = format!("{} 0 R", doc.next);
    let hidden = format!("<< /OCGs [{group}] /D << /OFF [{group}] >> >>");
    let page = doc.dict(PAGES[0]).with(
        "/Resources",
        &format!("<< /Font << /F1 3 0 R >> /Properties << /L {group} >> >>"),
    );
    let update = Update::new()
        .object(doc.next, "<< /Type /OCG /Name (L) >>")
        .stream(CONTENTS[0], "", &layered)
        .object(PAGES[0], page.text())
        .object(
            doc.root,
            doc.catalog().with("/OCProperties", &hidden).text(),
        );
    edits.add("optional content", "page hidden in a layer", update);
}

fn actions(doc: &Doc, edits: &mut Edits) {
    let kinds = [
        ("script", SCRIPT),
        ("link", "<< /S /URI /URI (http://kk.contoh.invalid/) >>"),
        ("launch", "<< /S /Launch /F (lain.exe) >>"),
        ("other file", "<< /S /GoToR /F (lain.pdf) /D [0 /Fit] >>"),
        (
            "submit",
            "<< /S /SubmitForm /F (http://kk.contoh.invalid/) >>",
        ),
        ("named", "<< /S /Named /N /NextPage >>"),
        ("hide", "<< /S /Hide /T (TTE1) >>"),
        ("layers", "<< /S /SetOCGState /State [/OFF 4 0 R] >>"),
        ("second page", "[7 0 R /Fit]"),
    ];
    for (name, action) in kinds {
        let catalog = doc.catalog().with("/OpenAction", action);
        let update = Update::new().object(doc.root, catalog.text());
        edits.add("actions", format!("when opened: {name}"), update);
    }
    for moment in ["WC", "WS", "DS", "WP", "DP"] {
        let catalog = doc
            .catalog()
            .with("/AA", &format!("<< /{moment} {SCRIPT} >>"));
        let update = Update::new().object(doc.root, catalog.text());
        edits.add("actions", format!("document: {moment}"), update);
    }
    for (page, number) in PAGES.into_iter().enumerate() {
        for moment in ["O", "C"] {
            let body = doc
                .dict(number)
                .with("/AA", &format!("<< /{moment} {SCRIPT} >>"));
            let update = Update::new().object(number, body.text());
            edits.add("actions", format!("page {page}: {moment}"), update);
        }
    }
    let names = format!("<< /JavaScript << /Names [(a) {} 0 R] >> >>", doc.next);
    let update = Update::new()
        .object(doc.next, SCRIPT)
        .object(doc.root, doc.catalog().with("/Names", &names).text());
    edits.add("actions", "script by name", update);
}

fn information(doc: &Doc, edits: &mut Edits) {
    let Some(number) = doc.trailer.reference("/Info") else {
        return;
    };
    for key in ["/Title", "/Author", "/Subject", "/Keywords", "/Lain"] {
        let body = doc.dict(number).with(key, "(lain)").text();
        edits.add("information", key, Update::new().object(number, body));
    }
    let update = Update::new().object(number, "<< /Title (lain) /Title (lagi) >>");
    edits.add("duplicate keys", "/Title", update);
    let update = Update::new()
        .object(doc.next, "<< /Title (lain) >>")
        .trailer("/Info", Some(&format!("{} 0 R", doc.next)));
    edits.add("information", "another one", update);
    // A packet of metadata may come; a picture of a page may not, whatever its type says.
    let metadata = format!("{} 0 R", doc.next);
    let drawn = doc.dict(PAGES[0]).with("/Contents", &metadata);
    let update = Update::new()
        .stream(doc.next, "/Type /Metadata /Subtype /XML", APPEARANCE)
        .object(PAGES[0], drawn.text())
        .object(doc.root, doc.catalog().with("/Metadata", &metadata).text());
    edits.add("information", "packet that a page draws", update);
}

fn freed(doc: &Doc, edits: &mut Edits) {
    let (field, _, signature) = doc.field();
    for (name, number) in [
        ("contents 0", CONTENTS[0]),
        ("contents 1", CONTENTS[1]),
        ("page 0", PAGES[0]),
        ("page 1", PAGES[1]),
        ("font", FONT),
        ("tree", TREE),
        ("field", field),
        ("signature", signature),
        ("catalog", doc.root),
    ] {
        for generation in [0, 1, 65_535] {
            let update = Update::new().free(number, generation);
            edits.add("freed objects", format!("{name}, {generation}"), update);
        }
        let body = doc.dict(number).text();
        let update = Update::new().generation(number, 1, body);
        edits.add("freed objects", format!("{name}, next generation"), update);
    }
}

/// Objects that lie in wait, and those that come out.
fn shadows(doc: &Doc, edits: &mut Edits) {
    let (page, contents, tree, root) = (doc.next, doc.next + 1, doc.next + 2, doc.next + 3);
    let shown = doc
        .dict(PAGES[0])
        .with("/Contents", &format!("{contents} 0 R"));
    let hidden = doc
        .dict(TREE)
        .with("/Kids", &format!("[{page} 0 R {} 0 R]", PAGES[1]));
    let waiting = Update::new()
        .stream(contents, "", APPEARANCE)
        .object(page, shown.text())
        .object(tree, hidden.text());
    edits.add("shadow objects", "tree in wait", waiting.clone());
    let catalog = doc.catalog().with("/Pages", &format!("{tree} 0 R"));
    let other = waiting.clone().object(root, catalog.text());
    edits.add("shadow objects", "catalog in wait", other.clone());
    let replaced = other.trailer("/Root", Some(&format!("{root} 0 R")));
    edits.add("shadow objects", "catalog put in front", replaced);
    let replaced = waiting.object(doc.root, catalog.text());
    edits.add("shadow objects", "tree put in front", replaced);
    let same = Update::new().object(root, doc.catalog().text());
    let same = same.trailer("/Root", Some(&format!("{root} 0 R")));
    edits.add("shadow objects", "same catalog, other number", same);
    for (name, number) in [("font", FONT), ("page", PAGES[1]), ("tree", TREE)] {
        let body = format!("{} 0 R", doc.next);
        let update = Update::new()
            .object(number, body)
            .object(doc.next, doc.dict(number).text());
        edits.add(
            "shadow objects",
            format!("{name} becomes a reference"),
            update,
        );
    }
    for (name, body) in [("null", "null"), ("number", "7"), ("empty", "<< >>")] {
        for number in [CONTENTS[0], PAGES[0], FONT, TREE] {
            let update = Update::new().object(number, body);
            edits.add("shadow objects", format!("{number} becomes {name}"), update);
        }
    }
}

fn trailers(doc: &Doc, edits: &mut Edits) {
    let harm = || {
        let page = doc
            .dict(PAGES[0])
            .with("/Contents", &format!("{} 0 R", doc.next));
        Update::new()
            .stream(doc.next, "", APPEARANCE)
            .object(PAGES[0], page.text())
    };
    let table = doc.table.to_string();
    let first = first_table(doc).to_string();
    let [before, behind] = [doc.table - 1, doc.table + 1].map(|offset| offset.to_string());
    for (name, value) in [
        ("none", None),
        ("zero", Some("0")),
        ("negative", Some("-1")),
        ("one before", Some(before.as_str())),
        ("one behind", Some(behind.as_str())),
        ("past the end", Some("99999999")),
        ("real", Some("9.5")),
        ("array", Some("[9]")),
        ("the first", Some(first.as_str())),
    ] {
        edits.add("previous table", name, harm().trailer("/Prev", value));
    }
    for (key, value) in [
        ("/Size", "3"),
        ("/Size", "99999999"),
        ("/Root", "5 0 R"),
        ("/Root", "999 0 R"),
        ("/Encrypt", "5 0 R"),
        ("/XRefStm", table.as_str()),
        ("/ID", "[<00> <00>]"),
        ("/Lain", "1"),
    ] {
        edits.add(
            "trailer",
            format!("{key} {value}"),
            harm().trailer(key, Some(value)),
        );
    }
    edits.add("trailer", "without /Root", harm().trailer("/Root", None));
    edits.add("trailer", "without /Size", harm().trailer("/Size", None));
}

/// The table of the first revision: the document before it was signed.
fn first_table(doc: &Doc) -> usize {
    let word = crate::doc::find(&doc.bytes, b"startxref").unwrap();
    let text = crate::doc::text(&doc.bytes[word + 9..word + 30]);
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// A store for archive data that is none, or brings something else along.
fn archive(doc: &Doc, edits: &mut Edits) {
    let store = doc.catalog().reference("/DSS");
    let known = store.map(|number| doc.dict(number)).unwrap_or_default();
    let (own, data) = (store.unwrap_or(doc.next), doc.next + 1);
    let catalog = doc.catalog().with("/DSS", &format!("{own} 0 R"));
    let certificates = |item: &str| known.clone().with_item("/Certs", item);
    let with = |store: Dict| {
        Update::new()
            .object(own, store.text())
            .object(doc.root, catalog.text())
    };
    let script = format!("{data} 0 R");
    let cases = [
        ("holds a script", known.clone().with("/JS", SCRIPT)),
        ("holds an action", known.clone().with("/OpenAction", SCRIPT)),
        ("names a page", certificates(&format!("{} 0 R", PAGES[0]))),
        ("is no dictionary of streams", certificates("7")),
        ("unknown key", known.clone().with("/Lain", &script)),
        ("other type", known.clone().with("/Type", "/Catalog")),
    ];
    for (name, store) in cases {
        let update = with(store).stream(data, "", APPEARANCE);
        edits.add("archive store", name, update);
    }
    let drawn = doc.dict(PAGES[0]).with("/Contents", &script);
    let update = with(certificates(&script))
        .stream(data, "", APPEARANCE)
        .object(PAGES[0], drawn.text());
    edits.add("archive store", "its stream becomes the page's", update);
    let update =
        with(certificates(&format!("{} 0 R", CONTENTS[0]))).stream(CONTENTS[0], "", APPEARANCE);
    edits.add("archive store", "the page's stream becomes its own", update);
    let update = with(known.clone())
        .object(PAGES[0], drawn.text())
        .stream(data, "", APPEARANCE);
    edits.add("archive store", "beside another page", update);
    let open = catalog.clone().with("/OpenAction", SCRIPT);
    let update = Update::new()
        .object(own, known.text())
        .object(doc.root, open.text());
    edits.add("archive store", "beside an action", update);
}
