//! What a forger changes of the form: fields, the signature's place, the signature itself, new signatures.

use crate::dict::{Dict, references};
use crate::doc::{CONTENTS, Doc, PAGES, byte_range, gap, text};
use crate::edit::{APPEARANCE, APPEARANCE_KEYS, Edits};
use crate::update::Update;

pub(crate) fn edits(doc: &Doc, edits: &mut Edits) {
    keys(doc, edits);
    widget(doc, edits);
    fields(doc, edits);
    empty_fields(doc, edits);
    signature(doc, edits);
    more_signatures(doc, edits);
}

fn keys(doc: &Doc, edits: &mut Edits) {
    let (_, form) = doc.form();
    for (key, value) in [
        ("/NeedAppearances", "true"),
        ("/XFA", "(<xdp/>)"),
        ("/XFA", "[(template) 4 0 R]"),
        ("/DA", "(/F1 0 Tf)"),
        ("/DR", "<< /Font << /F1 3 0 R >> >>"),
        ("/CO", "[]"),
        ("/Q", "2"),
        ("/SigFlags", "0"),
        ("/SigFlags", "1"),
        ("/Fields", "[]"),
        ("/Fields", "null"),
        ("/Lain", "1"),
    ] {
        // Some signers raise one flag alone: what stands there already is no change.
        if form.get(key) == Some(value) {
            continue;
        }
        let (number, body) = doc.with_form(&form.clone().with(key, value));
        edits.add(
            "form",
            format!("{key} {value}"),
            Update::new().object(number, body),
        );
    }
    let (number, body) = doc.with_form(&form.clone().and("/Fields", "[]"));
    edits.add(
        "duplicate keys",
        "/Fields",
        Update::new().object(number, body),
    );
    let other = format!("{} 0 R", doc.next);
    let update = Update::new()
        .object(doc.next, form.with("/Fields", "[]").text())
        .object(doc.root, doc.catalog().with("/AcroForm", &other).text());
    edits.add("form", "another one", update);
}

fn widget(doc: &Doc, edits: &mut Edits) {
    let (number, field, _) = doc.field();
    let look = format!("<< /N {} 0 R >>", doc.next);
    let cases = [
        ("moved", "/Rect", "[0 0 842 595]"),
        ("small", "/Rect", "[0 0 1 1]"),
        ("appearance", "/AP", look.as_str()),
        ("hidden", "/F", "2"),
        ("flags", "/Ff", "1"),
        ("look", "/MK", "<< /BG [1 1 1] >>"),
        ("state", "/AS", "/Off"),
        ("layer", "/OC", "4 0 R"),
        ("action", "/A", "<< /S /Launch /F (lain.exe) >>"),
        ("actions", "/AA", "<< /E << /S /Launch /F (lain.exe) >> >>"),
        ("name", "/T", "(lain)"),
        ("tip", "/TU", "(lain)"),
        ("page", "/P", "7 0 R"),
        ("parent", "/Parent", "2 0 R"),
        ("kids", "/Kids", "[]"),
        ("lock", "/Lock", "<< /Action /All >>"),
        ("seed", "/SV", "<< >>"),
        ("border", "/BS", "<< /W 400 >>"),
        ("kind", "/FT", "/Tx"),
        ("subtype", "/Subtype", "/Stamp"),
        ("structure", "/StructParent", "0"),
        ("value", "/V", "null"),
        ("default", "/DV", "(lain)"),
    ];
    for (name, key, value) in cases {
        let update = Update::new()
            .stream(doc.next, APPEARANCE_KEYS, APPEARANCE)
            .object(number, field.clone().with(key, value).text());
        edits.add("signature widget", name, update);
    }
    for (name, rect) in [
        ("both", "[0 0 842 595]"),
        ("both, small", "[560 40 780 111]"),
    ] {
        let body = field.clone().with("/Rect", rect).with("/AP", &look).text();
        let update = Update::new()
            .stream(doc.next, APPEARANCE_KEYS, APPEARANCE)
            .object(number, body);
        edits.add("signature widget", name, update);
    }
    // A visible signature has a look of its own already, which can be drawn anew.
    if let Some(look) = field.get("/AP") {
        for (position, drawn) in references(look).into_iter().enumerate() {
            let update = Update::new().stream(drawn, APPEARANCE_KEYS, APPEARANCE);
            edits.add("signature widget", format!("drawn anew {position}"), update);
        }
        let update = Update::new().object(number, field.without("/AP").text());
        edits.add("signature widget", "without its look", update);
    }
}

/// A widget over the page as a field of the form, with `more` in it.
fn field_update(doc: &Doc, page: usize, more: &str) -> Update {
    let (field, look) = (doc.next, doc.next + 1);
    let body = format!(
        "<< /Type /Annot /Subtype /Widget /T (Lain) /F 132 /P {} 0 R {more} >>",
        PAGES[page]
    );
    let (_, form) = doc.form();
    let reference = format!("{field} 0 R");
    let (number, form) = doc.with_form(&form.with_item("/Fields", &reference));
    Update::new()
        .object(field, body)
        .stream(look, APPEARANCE_KEYS, APPEARANCE)
        .object(number, form)
        .object(
            PAGES[page],
            doc.dict(PAGES[page])
                .with_item("/Annots", &reference)
                .text(),
        )
}

fn fields(doc: &Doc, edits: &mut Edits) {
    let look = format!("/AP << /N {} 0 R >>", doc.next + 1);
    for page in 0..PAGES.len() {
        for (name, kind) in [
            ("text", "/FT /Tx /V (9971010000000000) /DA (/F1 11 Tf)"),
            ("choice", "/FT /Ch /V (lain) /Opt [(lain)] /DA (/F1 11 Tf)"),
            (
                "button",
                "/FT /Btn /Ff 65536 /A << /S /Launch /F (lain.exe) >>",
            ),
            ("tick", "/FT /Btn /V /On /AS /On"),
            ("no kind", ""),
        ] {
            let more = format!("{kind} /Rect [0 0 842 595] {look}");
            let update = field_update(doc, page, &more);
            edits.add("form field", format!("{name} on page {page}"), update);
        }
    }
}

fn empty_fields(doc: &Doc, edits: &mut Edits) {
    let look = format!("/AP << /N {} 0 R >>", doc.next + 1);
    for page in 0..PAGES.len() {
        for (name, more) in [
            ("over the page", "/Rect [0 0 842 595]".to_owned()),
            ("drawn over the page", format!("/Rect [0 0 842 595] {look}")),
            (
                "coloured",
                "/Rect [0 0 842 595] /MK << /BG [1 1 1] >>".to_owned(),
            ),
            ("small and drawn", format!("/Rect [60 490 400 520] {look}")),
            ("invisible", "/Rect [0 0 0 0]".to_owned()),
            (
                "with an action",
                "/Rect [0 0 0 0] /AA << /E << /S /Named >> >>".to_owned(),
            ),
            ("without value", "/Rect [0 0 842 595] /V null".to_owned()),
        ] {
            let update = field_update(doc, page, &format!("/FT /Sig {more}"));
            edits.add(
                "empty signature field",
                format!("{name} on page {page}"),
                update,
            );
        }
    }
}

/// The signature's dictionary, its container included.
fn signature_of(doc: &Doc) -> Dict {
    let (_, _, number) = doc.field();
    doc.dict(number)
}

fn signature(doc: &Doc, edits: &mut Edits) {
    let (_, _, number) = doc.field();
    let signature = signature_of(doc);
    let [start, gap_start, gap_end, length] = byte_range(&doc.bytes);
    let whole = doc.bytes.len() - gap_end;
    for (name, key, value) in [
        (
            "whole file",
            "/ByteRange",
            format!("[{start} {gap_start} {gap_end} {whole}]"),
        ),
        (
            "same place",
            "/ByteRange",
            format!("[{start} {gap_start} {gap_end} {length}]"),
        ),
        ("empty", "/ByteRange", "[]".to_owned()),
        ("reason", "/Reason", "(lain)".to_owned()),
        ("place", "/Location", "(lain)".to_owned()),
        ("time", "/M", "(D:20200101000000Z)".to_owned()),
        ("name", "/Name", "(lain)".to_owned()),
        ("filter", "/Filter", "/Lain".to_owned()),
        ("kind", "/SubFilter", "/adbe.pkcs7.sha1".to_owned()),
        ("type", "/Type", "/DocTimeStamp".to_owned()),
        ("container", "/Contents", "<00>".to_owned()),
        ("no container", "/Contents", "null".to_owned()),
        ("certificate", "/Cert", "(lain)".to_owned()),
        ("changes", "/Changes", "[1 1 1]".to_owned()),
        ("builder", "/Prop_Build", "<< >>".to_owned()),
        (
            "more rights",
            "/Reference",
            "[<< /TransformMethod /DocMDP /TransformParams << /P 3 /V /1.2 >> >>]".to_owned(),
        ),
    ] {
        let update = Update::new().object(number, signature.clone().with(key, &value).text());
        edits.add("signature rewritten", name, update);
    }
    for key in ["/Contents", "/ByteRange", "/SubFilter", "/Type", "/Filter"] {
        let update = Update::new().object(number, signature.clone().without(key).text());
        edits.add("signature rewritten", format!("without {key}"), update);
    }
    for key in ["/Contents", "/ByteRange"] {
        let value = signature.get(key).unwrap().to_owned();
        let update = Update::new().object(number, signature.clone().and(key, &value).text());
        edits.add("duplicate keys", format!("signature {key}"), update);
    }
}

fn more_signatures(doc: &Doc, edits: &mut Edits) {
    let (_, field, number) = doc.field();
    let second = doc.next + 2;
    let container = text(&doc.bytes[gap(&doc.bytes)]);
    let [_, gap_start, gap_end, _] = byte_range(&doc.bytes);
    let end = doc.bytes.len() - gap_end;
    let kinds = [
        ("/Sig", "/ETSI.CAdES.detached"),
        ("/Sig", "/adbe.pkcs7.detached"),
        ("/Sig", "/adbe.pkcs7.sha1"),
        ("/Sig", "/adbe.x509.rsa_sha1"),
        ("/DocTimeStamp", "/ETSI.RFC3161"),
        ("/Sig", "/ETSI.RFC3161"),
        ("/DocTimeStamp", "/ETSI.CAdES.detached"),
    ];
    let containers = [
        ("copied", container.as_str()),
        ("zeros", "0000"),
        ("empty", ""),
    ];
    for (kind, filter) in kinds {
        for (name, container) in containers {
            for rect in ["[0 0 0 0]", "[0 0 842 595]"] {
                let value = format!(
                    "<< /Type {kind} /Filter /Adobe.PPKLite /SubFilter {filter} \
                     /Contents <{container}> /ByteRange [0 {gap_start} {gap_end} {end}] >>"
                );
                let more = format!("/FT /Sig /V {second} 0 R /Rect {rect}");
                let update = field_update(doc, 0, &more).object(second, value);
                edits.add(
                    "signature added",
                    format!("{kind} {filter} {name} {rect}"),
                    update,
                );
            }
        }
    }
    // A second field that shows the office's own signature elsewhere.
    for rect in ["[0 0 0 0]", "[0 0 842 595]"] {
        let more = format!("/FT /Sig /V {number} 0 R /Rect {rect}");
        edits.add(
            "signature added",
            format!("shared {rect}"),
            field_update(doc, 1, &more),
        );
    }
    let value = signature_of(doc).text();
    let (own, _, _) = doc.field();
    let harm = doc
        .dict(PAGES[0])
        .with("/Contents", &format!("{} 0 R", CONTENTS[1]));
    let update = Update::new()
        .object(own, field.with("/V", &format!("{} 0 R", doc.next)).text())
        .object(doc.next, value)
        .object(PAGES[0], harm.text());
    edits.add("signature added", "moved to another object", update);
}
