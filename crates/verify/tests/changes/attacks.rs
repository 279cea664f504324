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

macro_rules! attacks {
    ($($name:literal $code:ident $update:expr;)+) => {
        vec![$(($name, $update, Code::$code)),+]
    };
}

type Attack = (&'static str, Update, Code);

fn widget(extra: &str) -> String {
    format!("<< /Type /Annot /Subtype /Widget /FT /Sig /T (W) /F 132 /P 5 0 R {extra} >>")
}

/// What changes a page and what it is drawn with.
fn on_pages(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let text = b"BT /F1 20 Tf 100 100 Td (X) Tj ET";
    attacks! {
        "new contents" ChangedContent update().edit(5, "9 0 R", "30 0 R").stream(30, "", text);
        "contents appended" ChangedContent update()
            .edit(5, "9 0 R", "[ 9 0 R 30 0 R ]")
            .stream(30, "", text);
        "stream overwritten" ChangedContent update().stream(9, "", text);
        "identical copy of a stream" ChangedContent update().copy(9);
        "stream freed" ChangedFreed update().free(9);
        "font swapped" ChangedResources update().edit(2, "/Helvetica", "/Symbol");
        "fonts swapped among themselves" ChangedResources update()
            .edit(1, "/F1 2 0 R /F2 3 0 R", "/F1 3 0 R /F2 2 0 R");
        "resources of the page" ChangedResources update()
            .edit(5, "/ProcSet", "/ExtGState << /G << /CA 0 >> >> /ProcSet");
        "page turned" ChangedPages update().edit(5, "/Rotate 0", "/Rotate 180");
        "page cropped" ChangedPages update()
            .edit(5, PAGE, "/MediaBox [0 0 841.8898 595.2756] /CropBox [0 0 9 9]");
        "page of another size" ChangedPages update()
            .edit(5, PAGE, "/MediaBox [ 0 0 841.8898 595.2757 ]");
        "page scaled" ChangedPages update().edit(5, "/Rotate 0", "/Rotate 0 /UserUnit 2");
        "page inherits a turn" ChangedPages update().edit(8, "/Count 1", "/Count 1 /Rotate 180");
        "page added" ChangedPages update()
            .edit(8, "/Count 1 /Kids [ 5 0 R ]", "/Count 2 /Kids [ 5 0 R 30 0 R ]")
            .object(30, "<< /Type /Page /Parent 8 0 R /MediaBox [0 0 9 9] >>");
        "page shown twice" ChangedPages update()
            .edit(8, "/Count 1 /Kids [ 5 0 R ]", "/Count 2 /Kids [ 5 0 R 5 0 R ]");
        "page exchanged" ChangedPages update()
            .edit(8, "5 0 R", "30 0 R")
            .object(30, "<< /Type /Page /Parent 8 0 R /MediaBox [0 0 9 9] >>");
        "action of the page" ChangedAction update().edit(5, "/Rotate 0", "/AA << >> /Rotate 0");
        "another kind of node" ChangedPages update().edit(5, "/Type /Page", "/Type /Template");
        "a value that says nothing" ChangedPages update()
            .edit(5, "/Rotate 0", "/Rotate 0 /StructParents null");
        "page freed" ChangedFreed update().free(5);
    }
}

/// What is laid over a page.
fn on_annotations(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let listed = "[ 12 0 R 30 0 R ]";
    let visible = widget("/Rect [0 0 842 595]");
    attacks! {
        "text over the page" ChangedAnnotation update()
            .edit(5, "[ 12 0 R ]", listed)
            .object(30, FREE_TEXT);
        "text in place" ChangedAnnotation update()
            .edit(5, "[ 12 0 R ]", &format!("[ 12 0 R {FREE_TEXT} ]"));
        "annotations in an array of their own" ChangedAnnotation update()
            .edit(5, "[ 12 0 R ]", "31 0 R")
            .object(31, listed)
            .object(30, FREE_TEXT);
        "an old object as annotation" ChangedAnnotation update()
            .edit(5, "[ 12 0 R ]", "[ 12 0 R 7 0 R ]");
        "annotations taken away" ChangedAnnotation update().edit(5, "[ 12 0 R ]", "[ ]");
        "the signature's widget listed twice" ChangedAnnotation update()
            .edit(5, "[ 12 0 R ]", "[ 12 0 R 12 0 R ]");
        "empty visible signature field over the page" ChangedField update()
            .edit(5, "[ 12 0 R ]", listed)
            .edit(11, "[ 12 0 R ]", listed)
            .object(30, &visible);
        "empty field that nobody sees" ChangedField update()
            .edit(11, "[ 12 0 R ]", listed)
            .object(30, &widget("/Rect [0 0 0 0]"));
        "widget on the page and in no form" ChangedAnnotation update()
            .edit(5, "[ 12 0 R ]", listed)
            .object(30, &visible);
    }
}

/// What touches the office's own signature and the form around it.
fn on_signature(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let rectangle = "/Rect [ 0 0 0 0 ]";
    let shown = "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9]";
    attacks! {
        "its place" ChangedSignature update().edit(12, rectangle, "/Rect [ 0 0 842 595 ]");
        "its picture" ChangedSignature update()
            .edit(12, rectangle, "/Rect [ 0 0 0 0 ] /AP << /N 30 0 R >>")
            .stream(30, shown.trim_start_matches("<<"), b"0 0 9 9 re f");
        "its flags" ChangedSignature update().edit(12, "/F 132", "/F 130");
        "an identical copy of its field" ChangedSignature update().copy(12);
        "its field gets a kid" ChangedSignature update()
            .edit(12, rectangle, "/Rect [ 0 0 0 0 ] /Kids [ 30 0 R ]")
            .object(30, "<< /Parent 12 0 R /Subtype /Widget /Rect [0 0 842 595] >>");
        "its name" ChangedSignature update().edit(12, "(TTE1)", "(TTE2)");
        "appearances are made anew" ChangedField update()
            .edit(11, "/SigFlags", "/NeedAppearances true /SigFlags");
        "XFA" ChangedAction update().edit(11, "/SigFlags", "/XFA (x) /SigFlags");
        "fonts of the form" ChangedResources update().edit(11, "/SigFlags", "/DR << >> /SigFlags");
        "order of calculation" ChangedField update().edit(11, "/SigFlags", "/CO [ ] /SigFlags");
        "flags go down" ChangedField update().edit(11, "/SigFlags 3", "/SigFlags 1");
        "flags unknown" ChangedField update().edit(11, "/SigFlags 3", "/SigFlags 7");
        "a text field" ChangedField update()
            .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .object(30, "<< /FT /Tx /T (N) /V (x) >>");
        "a new field before the old one" ChangedSignature update()
            .edit(11, "[ 12 0 R ]", "[ 30 0 R 12 0 R ]")
            .object(30, &widget("/Rect [0 0 0 0]"));
    }
}

/// What touches the document as a whole.
fn on_catalog(base: &[u8]) -> Vec<Attack> {
    let update = || Update::on(base);
    let mut attacks = attacks! {
        "language" ChangedCatalog update().edit(6, "(id)", "(en)");
        "program on opening" ChangedAction update()
            .edit(6, "/Lang", &format!("/OpenAction {JAVASCRIPT} /Lang"));
        "program on opening, elsewhere" ChangedAction update()
            .edit(6, "/Lang", "/OpenAction 30 0 R /Lang")
            .object(30, JAVASCRIPT);
        "programs by name" ChangedAction update()
            .edit(6, "/Lang", "/Names << /JavaScript << /Names [(a) 30 0 R] >> >> /Lang")
            .object(30, JAVASCRIPT);
        "program on printing" ChangedAction update()
            .edit(6, "/Lang", &format!("/AA << /WP {JAVASCRIPT} >> /Lang"));
        "layers" ChangedContent update()
            .edit(6, "/Lang", "/OCProperties << /OCGs [30 0 R] /D << /OFF [30 0 R] >> >> /Lang")
            .object(30, "<< /Type /OCG /Name (x) >>");
        "rights" ChangedRights update().edit(6, "/Lang", "/Perms << /DocMDP 13 0 R >> /Lang");
        "another catalog" ChangedCatalog update()
            .object(30, "<< /Type /Catalog /Pages 8 0 R /AcroForm 11 0 R >>")
            .trailer("Root", "30 0 R");
        "extensions that are a page" ChangedCatalog update()
            .edit(6, "/Extensions", "/Extensions 5 0 R /X");
        "version that stands elsewhere" ChangedCatalog update()
            .edit(6, "/Version /1.7", "/Version 30 0 R")
            .object(30, "/2.0");
        "another page tree" ChangedPages update().edit(6, "8 0 R", "5 0 R");
        "version down" ChangedCatalog update().edit(6, "/Version /1.7", "/Version /1.6");
        "version unknown" ChangedCatalog update().edit(6, "/Version /1.7", "/Version /9.9");
        "extension lower" ChangedCatalog update().edit(6, "/ExtensionLevel 1", "/ExtensionLevel 0");
        "extension of others" ChangedCatalog update().edit(6, "/ESIC", "/XXXX << >> /ESIC");
        "metadata that is a page's stream" ChangedCatalog update()
            .edit(6, "/Lang", "/Metadata 9 0 R /Lang");
        "metadata that is something else" ChangedCatalog update()
            .edit(6, "/Lang", "/Metadata 30 0 R /Lang")
            .stream(30, "/Type /XObject", b"x");
    };
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
    attacks! {
        "an object that nobody refers to" ChangedStructure update().object(30, "<< >>");
        "a stream that nobody refers to" ChangedStructure update()
            .stream(30, "/Type /ObjStm /N 0 /First 0", b"");
        "an update of nothing" ChangedStructure update();
        "another document's identifier" ChangedStructure update()
            .copy(6)
            .trailer("ID", "[<00> <01>]");
        "no identifier" ChangedStructure update().copy(6).trailer("ID", "");
        "a private entry of the trailer" ChangedStructure update().copy(6).trailer("X", "9 0 R");
        "title" ChangedInformation update().edit(7, "(Kartu", "(kartu");
        "author taken away" ChangedInformation update()
            .edit(7, "/Author (Loket test fixtures)", "");
        "other information" ChangedInformation update()
            .object(30, "<< /Title (x) >>")
            .trailer("Info", "30 0 R");
        "information that is a page" ChangedInformation update().copy(6).trailer("Info", "5 0 R");
        "information that is a font" ChangedInformation update().copy(6).trailer("Info", "2 0 R");
        "no information" ChangedInformation update().copy(6).trailer("Info", "");
        "moment that leads elsewhere" ChangedInformation update()
            .edit(7, "/ModDate (", "/ModDate 30 0 R /X (")
            .object(30, "(x)");
        "evidence that is a page's stream" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /Certs [ 9 0 R ] >> /Lang");
        "evidence that is no DER" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
            .stream(30, "", b"0x");
        "evidence with something behind it" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
            .stream(30, "", &[LIST, b"x"].concat());
        "evidence with a type of its own" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
            .stream(30, "/Type /XObject /Subtype /Form", LIST);
        "evidence of another kind" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /X [ 30 0 R ] >> /Lang")
            .stream(30, "", LIST);
        "evidence that is a page" ChangedArchive update().edit(6, "/Lang", "/DSS 5 0 R /Lang");
        "evidence that is the page tree" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /VRI 8 0 R >> /Lang");
        "evidence under no digest" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /VRI << /X << >> >> >> /Lang");
        "evidence in place of a stream" ChangedArchive update()
            .edit(6, "/Lang", "/DSS << /Certs [ (0) ] >> /Lang");
        "evidence with a moment that is none" ChangedArchive update().edit(6, "/Lang",
            "/DSS << /VRI << /0123456789ABCDEF0123456789ABCDEF01234567 << /TU 5 0 R >> >> >> /Lang");
        "evidence that pages use too" ChangedContent update()
            .edit(6, "/Lang", "/DSS << /CRLs [ 9 0 R ] >> /Lang")
            .stream(9, "", LIST);
        "evidence that the information refers to" ChangedInformation update()
            .edit(6, "/Lang", &format!("/DSS << /CRLs {list} >> /Lang"))
            .edit(7, "/ModDate (", "/ModDate 30 0 R /X (")
            .stream(30, "", LIST);
    }
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
    attacks! {
        "visible" ChangedField with("/Rect [0 0 9 9] /V 31 0 R", &honest);
        "with an action" ChangedField with(&format!("{hidden} /A << /S /URI >>"), &honest);
        "with a parent" ChangedField with(&format!("{hidden} /Parent 12 0 R"), &honest);
        "with kids" ChangedField with(&format!("{hidden} /Kids [ ]"), &honest);
        "of another kind" ChangedRights with(hidden, &stamp("DocTimeStamp", "ETSI.RFC3162"));
        "with a byte range of an older revision" ChangedField
            with(hidden, &honest.replace(RANGE, "[0 34400 44542 574]"));
        "without a byte range" ChangedField
            with(hidden, "<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 >>");
        "with something beside it" ChangedField
            with(hidden, &honest.replace("/Filter", "/X 9 0 R /Filter"));
        "drawn" ChangedField with(&drawn, &honest).stream(32, picture, b"0 0 9 9 re f");
        "drawn with an extent" ChangedField with(&drawn, &honest)
            .stream(32, "/Type /XObject /Subtype /Form /BBox [0 0 9 9]", b"");
        "on another page than there is" ChangedPages with(hidden, &honest)
            .edit(5, "/Rotate 0", "/Rotate 90");
        "under the office's name" ChangedField Update::on(base)
            .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .object(30, &widget(hidden).replace("(W)", "(TTE1)"))
            .object(31, &honest);
        "under the office's field" ChangedField Update::on(base)
            .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .object(30, &widget(hidden).replace("(W)", "(TTE1.a)"))
            .object(31, &honest);
        "under the office's name in another spelling" ChangedField Update::on(base)
            .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .object(30, &widget(hidden).replace("(W)", "<FEFF0054005400450031>"))
            .object(31, &honest);
        "without a name" ChangedField Update::on(base)
            .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
            .object(30, &widget(hidden).replace("/T (W)", ""))
            .object(31, &honest);
    }
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
            // Evidence whose shape cannot be read at all ends the judgement before that.
            if name.starts_with("evidence") && report.has(Code::Malformed) {
                continue;
            }
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
    let stretched =
        Update::on(ARCHIVED_TWICE).edit(22, "/Rect [ 0 0 0 0 ]", "/Rect [ 0 0 842 595 ]");
    let report = judge(&stretched.build());
    assert!(
        changes(&report).contains(&Code::ChangedField),
        "a stamp's widget: {report:?}"
    );
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
        Update::on(SIGNED).edit(6, "/AcroForm 11 0 R", "/AcroForm 5 0 R"),
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
    let mut forged = head.to_vec();
    forged.extend(b"\n9 0 obj\n<< /Length 5 >>\nstream\nBT ET\nendstream\nendobj\n");
    forged.extend(tail);
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
fn what_no_reader_may_see_is_refused_by_our_own() {
    let control = Update::on(SIGNED).copy(6);
    assert_eq!(judge(&control.build()).verdict, Verdict::Valid, "control");
    let unlisted = b"9 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n";
    let cases = [
        [SIGNED, b"junk"].concat(),
        [control.build().as_slice(), b"junk"].concat(),
        control.clone().junk(unlisted).build(),
        control.clone().junk(b"BT (x) Tj ET\n").build(),
        Update::on(SIGNED).generation(9, 1, "null").build(),
        Update::on(SIGNED).copy(6).trailer("Size", "12").build(),
        // A part that the signed revision lacks comes later: the shadow that hides.
        Update::on(SIGNED)
            .edit(6, "/Lang", "/X 40 0 R /Lang")
            .build(),
    ];
    for (place, document) in cases.iter().enumerate() {
        let report = judge(document);
        assert_eq!(report.verdict, Verdict::Invalid, "{place}: {report:?}");
        assert_eq!(report.revision, None, "{place}");
    }
    // What a mail gateway may add says nothing, so it is no forgery, but is not vouched for.
    let blank = judge(&[SIGNED, b"\n\n"].concat());
    assert!(blank.has(Code::TailBytes), "{blank:?}");
    assert_eq!(blank.verdict, Verdict::Indeterminate);
}
