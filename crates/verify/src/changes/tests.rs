//! What may follow where signatures may: files without a real signature, for only changes count.

use super::*;
use crate::draft::{Draft, signature, stream};

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R /AcroForm 4 0 R >>";
const FORM: &str = "<< /Fields [5 0 R 6 0 R] /SigFlags 3 >>";
const PAGE: &str = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 842 595] /Contents 8 0 R \
                    /Annots [5 0 R 6 0 R] >>";
const EMPTY: &str =
    "/Type /Annot /Subtype /Widget /FT /Sig /T (b) /F 4 /P 3 0 R /Rect [9 9 99 59.5]";
const SIG: &str = "/Type /Sig /Filter /A /SubFilter /ETSI.CAdES.detached";

/// A signed file with an empty signature field; `catalog` and `of_signature` go into the catalog
/// and the signature, `field` takes the place of the empty field.
fn signed(catalog: &str, of_signature: &str, field: &str) -> Draft {
    let catalog = CATALOG.replace("/Pages", &format!("{catalog} /Pages"));
    let value = signature(&format!("{SIG} {of_signature}"));
    let own = "<< /Subtype /Widget /FT /Sig /T (a) /F 132 /Rect [0 0 0 0] /V 7 0 R >>";
    let field = format!("<< {field} >>");
    Draft::new().revision(&[
        (1, &catalog),
        (2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>"),
        (3, PAGE),
        (4, FORM),
        (5, own),
        (6, &field),
        (7, &value),
        (8, &stream("", "BT ET")),
    ])
}

fn judge(draft: &Draft, level: ChangeLevel) -> (Changes, Vec<Code>) {
    let mut budget = Budget::new();
    let file = File::open(draft.bytes(), &mut budget).unwrap();
    let report = after_signing(&file, 0, level, &mut budget);
    let heavy = |code: &Code| code.weight() > Weight::Note;
    let codes = report.codes.into_iter().filter(heavy).collect();
    (report.changes, codes)
}

/// What becomes of `base` when its empty field is filled as `field` says.
fn filled(base: Draft, field: &str, more: &[(u32, &str)]) -> (Changes, Vec<Code>) {
    let (field, value) = (format!("<< {field} >>"), signature(SIG));
    let objects = [&[(6, field.as_str()), (9, value.as_str())], more].concat();
    judge(&base.revision(&objects), ChangeLevel::FurtherSignatures)
}

fn shown() -> String {
    format!("{EMPTY} /V 9 0 R /AP << /N 10 0 R >>")
}

fn picture() -> String {
    stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 90 50] /Resources << /Font << /F 11 0 R >> >>",
        "BT ET",
    )
}

const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";

#[test]
fn an_empty_field_may_be_filled_where_signatures_may_follow() {
    let objects = [(10, picture()), (11, FONT.to_owned())];
    let objects: Vec<_> = objects
        .iter()
        .map(|(number, text)| (*number, text.as_str()))
        .collect();
    let found = filled(signed("", "", EMPTY), &shown(), &objects);
    assert_eq!(found, (Changes::SignedAgain, vec![]));
    let base = signed("", "", EMPTY);
    let (field, value) = (format!("<< {EMPTY} /V 9 0 R >>"), signature(SIG));
    let update = base.revision(&[(6, &field), (9, &value)]);
    let sealed = judge(&update, ChangeLevel::Sealed);
    assert_eq!(sealed, (Changes::SignedAgain, vec![Code::SignedAgain]));
}

#[test]
fn a_filled_field_stays_where_and_what_it_was() {
    let picture = picture();
    let large = EMPTY.replace("99 59.5", "842 595");
    let shown_large = shown().replace("99 59.5", "842 595");
    let with = |field: &str, more: &[(u32, &str)], code: Code| {
        let (changes, codes) = filled(signed("", "", EMPTY), field, more);
        assert_eq!(changes, Changes::Altered, "{field}: {codes:?}");
        assert!(codes.contains(&code), "{field}: {codes:?}");
    };
    with(
        &shown_large,
        &[(10, &picture), (11, FONT)],
        Code::ChangedField,
    );
    with(
        &shown().replace("/F 4", "/F 6"),
        &[(10, &picture), (11, FONT)],
        Code::ChangedField,
    );
    with(
        &shown().replace("(b)", "(c)"),
        &[(10, &picture), (11, FONT)],
        Code::ChangedField,
    );
    with(
        &format!("{} /A << >>", shown()),
        &[(10, &picture), (11, FONT)],
        Code::ChangedField,
    );
    // Its picture takes the place of what a page shows, or is shown by a page too.
    with(
        &shown().replace("10 0 R", "8 0 R"),
        &[(8, &picture), (11, FONT)],
        Code::ChangedAnnotation,
    );
    let page = PAGE.replace("/Contents 8 0 R", "/Contents [8 0 R 10 0 R]");
    with(
        &shown(),
        &[(3, &page), (10, &picture), (11, FONT)],
        Code::ChangedContent,
    );
    // Another signature's value.
    with(
        &shown().replace("9 0 R", "7 0 R"),
        &[(10, &picture), (11, FONT)],
        Code::ChangedSignature,
    );
    let update = [(10, picture.as_str()), (11, FONT)];
    let (changes, codes) = filled(signed("", "", &large), &shown_large, &update);
    assert_eq!(changes, Changes::Altered);
    assert!(codes.contains(&Code::ChangedAnnotation), "{codes:?}");
}

#[test]
fn what_the_signer_certified_or_locked_is_kept() {
    let certified = |level: &str| {
        let reference = format!(
            "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P {level} >> >>]"
        );
        signed("/Perms << /DocMDP 7 0 R >>", &reference, EMPTY)
    };
    let field = format!("{EMPTY} /V 9 0 R");
    let check = |base: Draft, is_kept: bool, what: &str| {
        let (changes, codes) = filled(base, &field, &[]);
        assert_eq!(
            codes.contains(&Code::ChangedRights),
            !is_kept,
            "{what}: {codes:?}"
        );
        assert_eq!(changes == Changes::SignedAgain, is_kept, "{what}");
    };
    check(certified("1"), false, "P 1");
    check(certified("2"), true, "P 2");
    check(certified("3"), true, "P 3");
    check(certified("9"), false, "no level of the standard");
    let locked = |lock: &str| {
        let reference =
            format!("/Reference [<< /TransformMethod /FieldMDP /TransformParams << {lock} >> >>]");
        signed("", &reference, EMPTY)
    };
    check(locked("/Action /All"), false, "all fields");
    check(
        locked("/Action /Include /Fields [(b)]"),
        false,
        "this field",
    );
    check(
        locked("/Action /Include /Fields [<FEFF0062>]"),
        false,
        "this field, spelled otherwise",
    );
    check(
        locked("/Action /Include /Fields [(c)]"),
        true,
        "another field",
    );
    check(
        locked("/Action /Exclude /Fields [(b)]"),
        true,
        "all but this field",
    );
    check(
        locked("/Action /Exclude /Fields [(c)]"),
        false,
        "all but another field",
    );
}

#[test]
fn annotations_are_not_cleared_even_where_the_signer_allowed_them() {
    let reference = "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 3 >> >>]";
    let base = signed("/Perms << /DocMDP 7 0 R >>", reference, EMPTY);
    let page = PAGE.replace("6 0 R]", "6 0 R 9 0 R]");
    let note = "<< /Type /Annot /Subtype /FreeText /Rect [0 0 99 99] /F 4 >>";
    let (changes, codes) = judge(
        &base.revision(&[(3, &page), (9, note)]),
        ChangeLevel::FurtherSignatures,
    );
    assert_eq!(changes, Changes::Altered);
    assert!(codes.contains(&Code::ChangedAnnotation) && codes.contains(&Code::ChangedRights));
}

#[test]
fn rights_that_are_not_known_are_told() {
    for rights in ["/UR3 7 0 R", "/UR 7 0 R", "/DocMDP 8 0 R", "/DocMDP << >>"] {
        let base = signed(&format!("/Perms << {rights} >>"), "", EMPTY);
        let (changes, codes) = judge(&base, ChangeLevel::Sealed);
        assert_eq!(
            (changes, codes),
            (Changes::None, vec![Code::RightsUnknown]),
            "{rights}"
        );
    }
    let reference = "/Reference [<< /TransformMethod /UR3 >>]";
    let (_, codes) = judge(&signed("", reference, EMPTY), ChangeLevel::Sealed);
    assert_eq!(codes, [Code::RightsUnknown]);
}

#[test]
fn what_is_packed_into_an_object_stream_is_looked_at_too() {
    let level = ChangeLevel::Sealed;
    let evidence = CATALOG.replace("/Pages", "/DSS 20 0 R /Pages");
    let der = stream("", "0\u{2}xx");
    let honest = signed("", "", EMPTY);
    let store = "<< /Certs [21 0 R] >>";
    let packed = honest
        .clone()
        .packed(&[(1, &evidence), (20, store)], &[(21, &der)]);
    assert_eq!(judge(&packed, level), (Changes::Archived, vec![]));
    let page = PAGE.replace("[0 0 842 595]", "[0 0 9 9]");
    for (objects, code) in [
        (
            vec![(1, evidence.as_str()), (20, store), (3, page.as_str())],
            Code::ChangedPages,
        ),
        (
            vec![(1, evidence.as_str()), (20, store), (30, "<< >>")],
            Code::ChangedStructure,
        ),
        (
            vec![(1, evidence.as_str()), (20, store), (8, "null")],
            Code::ChangedContent,
        ),
        (
            vec![(1, evidence.as_str()), (20, "<< /Certs [21 0 R 80 0 R] >>")],
            Code::ChangedArchive,
        ),
        (
            vec![(1, evidence.as_str()), (20, "<< /Certs [21 0 R 81 0 R] >>")],
            Code::ChangedArchive,
        ),
    ] {
        let (changes, codes) = judge(&honest.clone().packed(&objects, &[(21, &der)]), level);
        assert_eq!(changes, Changes::Altered, "{objects:?}: {codes:?}");
        assert!(codes.contains(&code), "{objects:?}: {codes:?}");
    }
}

/// Steps, in thousands, that judging the changes of `draft` takes.
fn cost(draft: &Draft) -> usize {
    let file = File::open(draft.bytes(), &mut Budget::new()).unwrap();
    let left = |mut budget: Budget| {
        (0..1_000_000)
            .take_while(|_| budget.spend(1_000).is_ok())
            .count()
    };
    let mut budget = Budget::new();
    let report = after_signing(&file, 0, ChangeLevel::Sealed, &mut budget);
    assert_eq!(report.revisions.len() + 1, file.revisions().len());
    left(Budget::new()) - left(budget)
}

#[test]
fn many_revisions_of_a_large_file_cost_little_more_than_one() {
    let crowd: String = (0..20_000).map(|_| "3 0 R ").collect();
    let base = signed("", &format!("/X [{crowd}]"), EMPTY);
    let once = cost(&base.clone().revision(&[(3, PAGE)]));
    let mut draft = base;
    for _ in 0..20 {
        draft = draft.revision(&[(3, PAGE)]);
    }
    let often = cost(&draft);
    assert!(once > 100, "control: the large file takes {once}");
    assert!(often < once + once / 4, "{often} beside {once}");
}

/// A signed file in which object 20 stands in two places, and what becomes of it when that object
/// is replaced by `text`.
fn two_faced(catalog: &str, page: &str, text: &str, now: &str) -> Vec<Code> {
    let page = PAGE.replace("/Contents 8 0 R", page);
    let catalog = CATALOG.replace("/Pages", &format!("{catalog} /Pages"));
    let draft = Draft::new()
        .revision(&[
            (1, &catalog),
            (2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>"),
            (3, &page),
            (4, FORM),
            (
                5,
                "<< /Subtype /Widget /FT /Sig /T (a) /Rect [0 0 0 0] /V 7 0 R >>",
            ),
            (6, "<< /FT /Tx /T (b) >>"),
            (7, &signature(SIG)),
            (20, text),
        ])
        .revision(&[(20, now)]);
    let (changes, codes) = judge(&draft, ChangeLevel::FurtherSignatures);
    assert_eq!(changes, Changes::Altered, "{codes:?}");
    codes
}

#[test]
fn an_object_with_two_faces_is_not_explained_by_one_of_them() {
    let metadata = |data: &str| stream("/Type /Metadata /Subtype /XML", data);
    let codes = two_faced(
        "/Metadata 20 0 R",
        "/Contents 20 0 R",
        &metadata("BT"),
        &metadata("ET"),
    );
    assert_eq!(codes, [Code::ChangedContent]);
    let der = |data: &str| stream("", &format!("0\u{2}{data}"));
    let store = "/DSS << /Certs [20 0 R] >>";
    let font = "/Resources << /Font << /F << /FontDescriptor << /FontFile2 20 0 R >> >> >> >>";
    assert_eq!(
        two_faced(store, font, &der("xx"), &der("yy")),
        [Code::ChangedResources]
    );
    let twice = "/DSS << /Certs [20 0 R] /X 20 0 R >>";
    assert!(two_faced(twice, "", &der("xx"), &der("yy")).contains(&Code::ChangedArchive));
    let extensions =
        |level: u8| format!("<< /ESIC << /BaseVersion /1.7 /ExtensionLevel {level} >> >>");
    let found = two_faced(
        "/Extensions 20 0 R",
        "/Resources 20 0 R",
        &extensions(1),
        &extensions(2),
    );
    assert_eq!(found, [Code::ChangedResources]);
}

#[test]
fn an_array_that_is_both_the_fields_and_the_annotations_may_not_grow() {
    let form = FORM.replace("[5 0 R 6 0 R]", "20 0 R");
    let page = PAGE.replace("[5 0 R 6 0 R]", "20 0 R");
    let base = Draft::new().revision(&[
        (1, CATALOG),
        (2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>"),
        (3, &page),
        (4, &form),
        (
            5,
            "<< /Subtype /Widget /FT /Sig /T (a) /Rect [0 0 0 0] /V 7 0 R >>",
        ),
        (7, &signature(SIG)),
        (8, &stream("", "BT ET")),
        (20, "[5 0 R]"),
    ]);
    let widget = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (c) /Rect [0 0 0 0] /V 31 0 R >>";
    let value = signature("/Type /DocTimeStamp /Filter /A /SubFilter /ETSI.RFC3161");
    let update = base.revision(&[(20, "[5 0 R 30 0 R]"), (30, widget), (31, &value)]);
    let (changes, codes) = judge(&update, ChangeLevel::Sealed);
    assert_eq!(changes, Changes::Altered, "{codes:?}");
}

#[test]
fn a_further_signature_may_lock_fields_and_certifies_nothing() {
    let field = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (c) /Rect [0 0 0 0] /V 31 0 R >>";
    let form = FORM.replace("6 0 R]", "6 0 R 30 0 R]");
    let with = |references: &str| {
        let value = signature(&format!("{SIG} /Reference {references}"));
        let base = signed("", "", EMPTY);
        let update = base.revision(&[(4, &form), (30, field), (31, &value)]);
        judge(&update, ChangeLevel::FurtherSignatures)
    };
    let lock = "[<< /TransformMethod /FieldMDP /TransformParams << /Action /All >> /Data 1 0 R >>]";
    assert_eq!(with(lock), (Changes::SignedAgain, vec![]));
    for references in [
        lock.replace("FieldMDP", "DocMDP"),
        lock.replace("/Data 1 0 R", "/Data 3 0 R"),
        lock.replace("/Action /All", "/Action 3 0 R"),
        "3 0 R".to_owned(),
    ] {
        let (changes, codes) = with(&references);
        assert_eq!(changes, Changes::Altered, "{references}");
        assert!(
            codes.contains(&Code::ChangedField),
            "{references}: {codes:?}"
        );
    }
}
