//! Every way to change a signed document that we know of, each refused with its kind.

use loket_verify::{ChangeLevel, Changes, Code, Verdict};

use crate::update::{RANGE, Update, stamp};
use crate::{
    ARCHIVED, ARCHIVED_TWICE, CERTIFIED, LIST, SIGNED, STAMPED, changes, judge, judge_with,
};

const PAGE: &str = "/MediaBox [ 0 0 841.8898 595.2756 ]";
const JAVASCRIPT: &str = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>";
const FREE_TEXT: &str = "<< /Type /Annot /Subtype /FreeText /F 4 /Rect [100 100 400 300] \
                         /Contents (x) /DA (/Helv 12 Tf) >>";

type Attack = (&'static str, Update, Code);

fn widget(extra: &str) -> String {
    format!("<< /Type /Annot /Subtype /Widget /FT /Sig /T (W) /F 132 /P 5 0 R {extra} >>")
}

/// What changes a page and what it is drawn with.
fn on_pages(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let text = b"BT /F1 20 Tf 100 100 Td (X) Tj ET";
    vec![
        (
            "new contents",
            update().edit(5, "9 0 R", "30 0 R").stream(30, "", text),
            Code::ChangedContent,
        ),
        (
            "contents appended",
            update()
                .edit(5, "9 0 R", "[ 9 0 R 30 0 R ]")
                .stream(30, "", text),
            Code::ChangedContent,
        ),
        (
            "stream overwritten",
            update().stream(9, "", text),
            Code::ChangedContent,
        ),
        (
            "identical copy of a stream",
            update().copy(9),
            Code::ChangedContent,
        ),
        (
            "stream of another generation",
            update().generation(9, 1, "null"),
            Code::ChangedContent,
        ),
        ("stream freed", update().free(9), Code::ChangedFreed),
        (
            "font swapped",
            update().edit(2, "/Helvetica", "/Symbol"),
            Code::ChangedResources,
        ),
        (
            "fonts swapped among themselves",
            update().edit(1, "/F1 2 0 R /F2 3 0 R", "/F1 3 0 R /F2 2 0 R"),
            Code::ChangedResources,
        ),
        (
            "resources of the page",
            update().edit(5, "/ProcSet", "/ExtGState << /G << /CA 0 >> >> /ProcSet"),
            Code::ChangedResources,
        ),
        (
            "page turned",
            update().edit(5, "/Rotate 0", "/Rotate 180"),
            Code::ChangedPages,
        ),
        (
            "page cropped",
            update().edit(
                5,
                PAGE,
                "/MediaBox [0 0 841.8898 595.2756] /CropBox [0 0 9 9]",
            ),
            Code::ChangedPages,
        ),
        (
            "page of another size",
            update().edit(5, PAGE, "/MediaBox [ 0 0 841.8898 595.2757 ]"),
            Code::ChangedPages,
        ),
        (
            "page scaled",
            update().edit(5, "/Rotate 0", "/Rotate 0 /UserUnit 2"),
            Code::ChangedPages,
        ),
        (
            "page inherits a turn",
            update().edit(8, "/Count 1", "/Count 1 /Rotate 180"),
            Code::ChangedPages,
        ),
        (
            "page added",
            update()
                .edit(
                    8,
                    "/Count 1 /Kids [ 5 0 R ]",
                    "/Count 2 /Kids [ 5 0 R 30 0 R ]",
                )
                .object(30, "<< /Type /Page /Parent 8 0 R /MediaBox [0 0 9 9] >>"),
            Code::ChangedPages,
        ),
        (
            "page shown twice",
            update().edit(
                8,
                "/Count 1 /Kids [ 5 0 R ]",
                "/Count 2 /Kids [ 5 0 R 5 0 R ]",
            ),
            Code::ChangedPages,
        ),
        (
            "page exchanged",
            update()
                .edit(8, "5 0 R", "30 0 R")
                .object(30, "<< /Type /Page /Parent 8 0 R /MediaBox [0 0 9 9] >>"),
            Code::ChangedPages,
        ),
        (
            "action of the page",
            update().edit(5, "/Rotate 0", "/AA << >> /Rotate 0"),
            Code::ChangedAction,
        ),
        ("page freed", update().free(5), Code::ChangedFreed),
    ]
}

/// What is laid over a page.
fn on_annotations(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let listed = "[ 12 0 R 30 0 R ]";
    let visible = widget("/Rect [0 0 842 595]");
    vec![
        (
            "text over the page",
            update().edit(5, "[ 12 0 R ]", listed).object(30, FREE_TEXT),
            Code::ChangedAnnotation,
        ),
        (
            "text in place",
            update().edit(5, "[ 12 0 R ]", &format!("[ 12 0 R {FREE_TEXT} ]")),
            Code::ChangedAnnotation,
        ),
        (
            "annotations in an array of their own",
            update()
                .edit(5, "[ 12 0 R ]", "31 0 R")
                .object(31, listed)
                .object(30, FREE_TEXT),
            Code::ChangedAnnotation,
        ),
        (
            "an old object as annotation",
            update().edit(5, "[ 12 0 R ]", "[ 12 0 R 7 0 R ]"),
            Code::ChangedAnnotation,
        ),
        (
            "annotations taken away",
            update().edit(5, "[ 12 0 R ]", "[ ]"),
            Code::ChangedAnnotation,
        ),
        (
            "the signature's widget listed twice",
            update().edit(5, "[ 12 0 R ]", "[ 12 0 R 12 0 R ]"),
            Code::ChangedAnnotation,
        ),
        (
            "empty visible signature field over the page",
            update()
                .edit(5, "[ 12 0 R ]", listed)
                .edit(11, "[ 12 0 R ]", listed)
                .object(30, &visible),
            Code::ChangedField,
        ),
        (
            "empty field that nobody sees",
            update()
                .edit(11, "[ 12 0 R ]", listed)
                .object(30, &widget("/Rect [0 0 0 0]")),
            Code::ChangedField,
        ),
        (
            "widget on the page and in no form",
            update().edit(5, "[ 12 0 R ]", listed).object(30, &visible),
            Code::ChangedAnnotation,
        ),
    ]
}

/// What touches the office's own signature and the form around it.
fn on_signature(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let rectangle = "/Rect [ 0 0 0 0 ]";
    let shown = "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9]";
    vec![
        (
            "its place",
            update().edit(12, rectangle, "/Rect [ 0 0 842 595 ]"),
            Code::ChangedSignature,
        ),
        (
            "its picture",
            update()
                .edit(12, rectangle, "/Rect [ 0 0 0 0 ] /AP << /N 30 0 R >>")
                .stream(30, shown.trim_start_matches("<<"), b"0 0 9 9 re f"),
            Code::ChangedSignature,
        ),
        (
            "its flags",
            update().edit(12, "/F 132", "/F 130"),
            Code::ChangedSignature,
        ),
        (
            "an identical copy of its field",
            update().copy(12),
            Code::ChangedSignature,
        ),
        (
            "its field gets a kid",
            update()
                .edit(12, rectangle, "/Rect [ 0 0 0 0 ] /Kids [ 30 0 R ]")
                .object(
                    30,
                    "<< /Parent 12 0 R /Subtype /Widget /Rect [0 0 842 595] >>",
                ),
            Code::ChangedSignature,
        ),
        (
            "its name",
            update().edit(12, "(TTE1)", "(TTE2)"),
            Code::ChangedSignature,
        ),
        (
            "appearances are made anew",
            update().edit(11, "/SigFlags", "/NeedAppearances true /SigFlags"),
            Code::ChangedField,
        ),
        (
            "XFA",
            update().edit(11, "/SigFlags", "/XFA (x) /SigFlags"),
            Code::ChangedAction,
        ),
        (
            "fonts of the form",
            update().edit(11, "/SigFlags", "/DR << >> /SigFlags"),
            Code::ChangedResources,
        ),
        (
            "order of calculation",
            update().edit(11, "/SigFlags", "/CO [ ] /SigFlags"),
            Code::ChangedField,
        ),
        (
            "flags go down",
            update().edit(11, "/SigFlags 3", "/SigFlags 1"),
            Code::ChangedField,
        ),
        (
            "flags unknown",
            update().edit(11, "/SigFlags 3", "/SigFlags 7"),
            Code::ChangedField,
        ),
        (
            "a text field",
            update()
                .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
                .object(30, "<< /FT /Tx /T (N) /V (x) >>"),
            Code::ChangedField,
        ),
        (
            "a new field before the old one",
            update()
                .edit(11, "[ 12 0 R ]", "[ 30 0 R 12 0 R ]")
                .object(30, &widget("/Rect [0 0 0 0]")),
            Code::ChangedSignature,
        ),
    ]
}

/// What touches the document as a whole.
fn on_catalog(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let mut attacks = vec![
        (
            "language",
            update().edit(6, "(id)", "(en)"),
            Code::ChangedCatalog,
        ),
        (
            "program on opening",
            update().edit(6, "/Lang", &format!("/OpenAction {JAVASCRIPT} /Lang")),
            Code::ChangedAction,
        ),
        (
            "program on opening, elsewhere",
            update()
                .edit(6, "/Lang", "/OpenAction 30 0 R /Lang")
                .object(30, JAVASCRIPT),
            Code::ChangedAction,
        ),
        (
            "programs by name",
            update()
                .edit(
                    6,
                    "/Lang",
                    "/Names << /JavaScript << /Names [(a) 30 0 R] >> >> /Lang",
                )
                .object(30, JAVASCRIPT),
            Code::ChangedAction,
        ),
        (
            "program on printing",
            update().edit(6, "/Lang", &format!("/AA << /WP {JAVASCRIPT} >> /Lang")),
            Code::ChangedAction,
        ),
        (
            "layers",
            update()
                .edit(
                    6,
                    "/Lang",
                    "/OCProperties << /OCGs [30 0 R] /D << /OFF [30 0 R] >> >> /Lang",
                )
                .object(30, "<< /Type /OCG /Name (x) >>"),
            Code::ChangedContent,
        ),
        (
            "rights",
            update().edit(6, "/Lang", "/Perms << /DocMDP 13 0 R >> /Lang"),
            Code::ChangedRights,
        ),
        (
            "another catalog",
            update()
                .object(30, "<< /Type /Catalog /Pages 8 0 R /AcroForm 11 0 R >>")
                .trailer("Root", "30 0 R"),
            Code::ChangedCatalog,
        ),
        (
            "another page tree",
            update().edit(6, "8 0 R", "5 0 R"),
            Code::ChangedPages,
        ),
        (
            "version down",
            update().edit(6, "/Version /1.7", "/Version /1.6"),
            Code::ChangedCatalog,
        ),
        (
            "version unknown",
            update().edit(6, "/Version /1.7", "/Version /9.9"),
            Code::ChangedCatalog,
        ),
        (
            "extension lower",
            update().edit(6, "/ExtensionLevel 1", "/ExtensionLevel 0"),
            Code::ChangedCatalog,
        ),
        (
            "extension of others",
            update().edit(6, "/ESIC", "/XXXX << >> /ESIC"),
            Code::ChangedCatalog,
        ),
        (
            "metadata that is a page's stream",
            update().edit(6, "/Lang", "/Metadata 9 0 R /Lang"),
            Code::ChangedCatalog,
        ),
        (
            "metadata that is something else",
            update()
                .edit(6, "/Lang", "/Metadata 30 0 R /Lang")
                .stream(30, "/Type /XObject", b"x"),
            Code::ChangedCatalog,
        ),
    ];
    for key in [
        "OutputIntents",
        "StructTreeRoot",
        "ViewerPreferences",
        "MarkInfo",
        "Collection",
        "AF",
    ] {
        let value = format!("/{key} << >> /Lang");
        attacks.push((key, update().edit(6, "/Lang", &value), Code::ChangedCatalog));
    }
    attacks
}

/// What touches the trailer, the information, or nothing that is known.
fn on_structure(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let list = "[ 30 0 R ]";
    vec![
        (
            "an object that nobody refers to",
            update().object(30, "<< >>"),
            Code::ChangedStructure,
        ),
        (
            "a stream that nobody refers to",
            update().stream(30, "/Type /ObjStm /N 0 /First 0", b""),
            Code::ChangedStructure,
        ),
        ("an update of nothing", update(), Code::ChangedStructure),
        (
            "another document's identifier",
            update().copy(6).trailer("ID", "[<00> <01>]"),
            Code::ChangedStructure,
        ),
        (
            "no identifier",
            update().copy(6).trailer("ID", ""),
            Code::ChangedStructure,
        ),
        (
            "a private entry of the trailer",
            update().copy(6).trailer("X", "9 0 R"),
            Code::ChangedStructure,
        ),
        (
            "a smaller size",
            update().copy(6).trailer("Size", "12"),
            Code::ChangedStructure,
        ),
        (
            "title",
            update().edit(7, "(Kartu", "(kartu"),
            Code::ChangedInformation,
        ),
        (
            "author taken away",
            update().edit(7, "/Author (Loket test fixtures)", ""),
            Code::ChangedInformation,
        ),
        (
            "other information",
            update()
                .object(30, "<< /Title (x) >>")
                .trailer("Info", "30 0 R"),
            Code::ChangedInformation,
        ),
        (
            "no information",
            update().copy(6).trailer("Info", ""),
            Code::ChangedInformation,
        ),
        (
            "moment that leads elsewhere",
            update()
                .edit(7, "/ModDate (", "/ModDate 30 0 R /X (")
                .object(30, "(x)"),
            Code::ChangedInformation,
        ),
        (
            "evidence that is a page's stream",
            update().edit(6, "/Lang", "/DSS << /Certs [ 9 0 R ] >> /Lang"),
            Code::ChangedArchive,
        ),
        (
            "evidence that is no DER",
            update()
                .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
                .stream(30, "", b"0x"),
            Code::ChangedArchive,
        ),
        (
            "evidence with something behind it",
            update()
                .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
                .stream(30, "", &[LIST, b"x"].concat()),
            Code::ChangedArchive,
        ),
        (
            "evidence with a type of its own",
            update()
                .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
                .stream(30, "/Type /XObject /Subtype /Form", LIST),
            Code::ChangedArchive,
        ),
        (
            "evidence of another kind",
            update()
                .edit(6, "/Lang", "/DSS << /X [ 30 0 R ] >> /Lang")
                .stream(30, "", LIST),
            Code::ChangedArchive,
        ),
        (
            "evidence that pages use too",
            update()
                .edit(6, "/Lang", "/DSS << /CRLs [ 9 0 R ] >> /Lang")
                .stream(9, "", LIST),
            Code::ChangedContent,
        ),
        (
            "evidence that the information refers to",
            update()
                .edit(6, "/Lang", &format!("/DSS << /CRLs {list} >> /Lang"))
                .edit(7, "/ModDate (", "/ModDate 30 0 R /X (")
                .stream(30, "", LIST),
            Code::ChangedInformation,
        ),
    ]
}

/// A document time stamp that is none, or brings something along.
fn on_time_stamps(base: &[u8]) -> Vec<Attack> {
    let honest = stamp("DocTimeStamp", "ETSI.RFC3161");
    let with = |extra: &str, value: &str| {
        Update::on(base)
            .edit(5, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .object(30, &widget(extra))
            .object(31, value)
    };
    let hidden = "/Rect [0 0 0 0] /V 31 0 R";
    let picture = "/Type /XObject /Subtype /Form /BBox [0 0 0 0]";
    let drawn = format!("{hidden} /AP << /N 32 0 R >>");
    vec![
        (
            "visible",
            with("/Rect [0 0 9 9] /V 31 0 R", &honest),
            Code::ChangedField,
        ),
        (
            "with an action",
            with(&format!("{hidden} /A << /S /URI >>"), &honest),
            Code::ChangedField,
        ),
        (
            "with a parent",
            with(&format!("{hidden} /Parent 12 0 R"), &honest),
            Code::ChangedField,
        ),
        (
            "with kids",
            with(&format!("{hidden} /Kids [ ]"), &honest),
            Code::ChangedField,
        ),
        (
            "of another kind",
            with(hidden, &stamp("DocTimeStamp", "ETSI.RFC3162")),
            Code::ChangedRights,
        ),
        (
            "with a byte range of an older revision",
            with(hidden, &honest.replace(RANGE, "[0 34400 44542 574]")),
            Code::ChangedField,
        ),
        (
            "without a byte range",
            with(hidden, "<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 >>"),
            Code::ChangedField,
        ),
        (
            "with something beside it",
            with(hidden, &honest.replace("/Filter", "/X 9 0 R /Filter")),
            Code::ChangedField,
        ),
        (
            "drawn",
            with(&drawn, &honest).stream(32, picture, b"0 0 9 9 re f"),
            Code::ChangedField,
        ),
        (
            "drawn with an extent",
            with(&drawn, &honest).stream(32, "/Type /XObject /Subtype /Form /BBox [0 0 9 9]", b""),
            Code::ChangedField,
        ),
        (
            "on another page than there is",
            with(hidden, &honest).edit(5, "/Rotate 0", "/Rotate 90"),
            Code::ChangedPages,
        ),
        (
            "under the office's name",
            Update::on(base)
                .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
                .object(30, &widget(hidden).replace("(W)", "(TTE1)"))
                .object(31, &honest),
            Code::ChangedField,
        ),
        (
            "under the office's field",
            Update::on(base)
                .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
                .object(30, &widget(hidden).replace("(W)", "(TTE1.a)"))
                .object(31, &honest),
            Code::ChangedField,
        ),
    ]
}

fn all(base: &[u8]) -> Vec<Attack> {
    let groups = [
        on_pages,
        on_annotations,
        on_signature,
        on_catalog,
        on_structure,
        on_time_stamps,
    ];
    groups.iter().flat_map(|group| group(base)).collect()
}

#[test]
fn each_change_after_signing_is_refused_with_its_kind() {
    for base in [SIGNED, STAMPED] {
        for (name, update, code) in all(base) {
            let report = judge(&update.build());
            let found = changes(&report);
            assert_eq!(report.verdict, Verdict::Invalid, "{name}: {report:?}");
            assert!(found.contains(&code), "{name}: {found:?}");
            assert_eq!(report.signatures[0].changes, Changes::Altered, "{name}");
            assert_eq!(report.revision, None, "{name}");
        }
    }
}

#[test]
fn no_change_passes_where_signatures_may_follow() {
    for (name, update, _code) in all(SIGNED) {
        let report = judge_with(&update.build(), ChangeLevel::FurtherSignatures);
        assert_eq!(report.verdict, Verdict::Invalid, "{name}: {report:?}");
    }
}

#[test]
fn no_change_hides_behind_honest_evidence() {
    for (name, update, code) in [on_pages(ARCHIVED), on_structure(ARCHIVED)].concat() {
        // The sample has evidence already.
        if name.starts_with("evidence") {
            continue;
        }
        let report = judge(&update.build());
        let found = changes(&report);
        assert_eq!(report.verdict, Verdict::Invalid, "{name}: {report:?}");
        assert!(found.contains(&code), "{name}: {found:?}");
        assert_eq!(report.signatures[0].changes, Changes::Altered, "{name}");
    }
}

#[test]
fn a_change_that_a_later_revision_takes_back_is_still_a_change() {
    let changed = Update::on(SIGNED).stream(9, "", b"BT ET").build();
    let restored = Update::on(&changed);
    let start = SIGNED
        .windows(8)
        .position(|window| window == b"\n9 0 obj")
        .unwrap();
    let body = &SIGNED[start..];
    let data = body
        .windows(7)
        .position(|window| window == b"stream\n")
        .unwrap()
        + 7;
    let restored = restored.stream(9, "", &body[data..data + 31918]).build();
    let report = judge(&restored);
    assert!(changes(&report).contains(&Code::ChangedContent));
    let [first, second] = report.signatures[0].revisions.as_slice() else {
        panic!("two revisions: {report:?}");
    };
    assert_eq!((first.overridden, second.overridden), (1, 1));
}

#[test]
fn evidence_that_a_later_revision_replaces_by_something_else_is_refused() {
    for base in [ARCHIVED, ARCHIVED_TWICE] {
        let swapped = Update::on(base).stream(18, "", b"BT (x) Tj ET").build();
        assert!(changes(&judge(&swapped)).contains(&Code::ChangedArchive));
        let shown = Update::on(base)
            .edit(5, "9 0 R", "[ 9 0 R 18 0 R ]")
            .build();
        assert!(changes(&judge(&shown)).contains(&Code::ChangedContent));
        let dropped = Update::on(base).edit(6, "/DSS 21 0 R", "").build();
        assert!(changes(&judge(&dropped)).contains(&Code::ChangedArchive));
    }
}

#[test]
fn a_signature_cannot_be_taken_out_or_doubled() {
    let removed = [
        Update::on(SIGNED).free(12),
        Update::on(SIGNED).free(13),
        Update::on(SIGNED).edit(12, "/V 13 0 R", ""),
        Update::on(SIGNED).edit(11, "[ 12 0 R ]", "[ ]"),
        Update::on(SIGNED).edit(6, "/AcroForm 11 0 R", ""),
        Update::on(SIGNED).edit(12, "/FT /Sig", "/FT /Tx"),
        Update::on(SIGNED).edit(13, "(Contohraya)", "(Lain)"),
    ];
    for update in removed {
        let report = judge(&update.build());
        assert!(report.has(Code::SignatureRemoved), "{update:?}: {report:?}");
        assert_eq!(report.verdict, Verdict::Invalid);
    }
    let doubled = Update::on(SIGNED)
        .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
        .object(30, &widget("/Rect [0 0 842 595] /V 13 0 R"));
    let report = judge(&doubled.build());
    assert_eq!(report.verdict, Verdict::Invalid, "{report:?}");
    let copied = judge(&Update::on(SIGNED).copy(13).build());
    assert_eq!(copied.verdict, Verdict::Invalid, "{copied:?}");
    assert!(copied.has(Code::Gap), "{copied:?}");
}

#[test]
fn a_signature_wrapped_around_other_bytes_is_refused() {
    let gap_end = 44_542;
    let (head, tail) = SIGNED.split_at(gap_end);
    let inner = Update::on(head)
        .stream(9, "", b"BT ET")
        .trailer("Prev", "0");
    let mut forged = head.to_vec();
    forged.extend(b"\n9 0 obj\n<< /Length 5 >>\nstream\nBT ET\nendstream\nendobj\n");
    forged.extend(tail);
    drop(inner);
    let report = judge(&forged);
    assert_eq!(report.verdict, Verdict::Invalid, "{report:?}");
}

#[test]
fn a_certified_document_says_that_its_terms_were_broken() {
    for (name, update, _code) in on_pages(CERTIFIED) {
        let report = judge(&update.build());
        let found = changes(&report);
        assert!(found.contains(&Code::ChangedRights), "{name}: {found:?}");
        assert_eq!(report.verdict, Verdict::Invalid, "{name}");
    }
}

#[test]
fn bytes_between_objects_and_behind_the_end_are_refused() {
    let tail = [SIGNED, b"junk"].concat();
    assert!(judge(&tail).has(Code::TailBytes));
    let update = Update::on(SIGNED).copy(6);
    assert_eq!(judge(&update.build()).verdict, Verdict::Valid, "control");
    let tail = [update.build().as_slice(), b"\n\n"].concat();
    assert!(judge(&tail).has(Code::TailBytes));
}
