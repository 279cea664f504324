//! What a signed revision may hold that shows different things to different readers.

use super::*;
use crate::changes::{ChangeLevel, after_signing};
use crate::draft::{Draft, stream};
use crate::pdf::File;

/// What is found about a page with `page` in it, a catalog with `catalog`, and object 9.
fn codes(catalog: &str, page: &str, nine: &str) -> Vec<Code> {
    let catalog = format!("<< /Type /Catalog /Pages 2 0 R {catalog} >>");
    let page = format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 842 595] {page} >>");
    let draft = Draft::new().revision(&[
        (1, &catalog),
        (2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>"),
        (3, &page),
        (9, nine),
    ]);
    let mut budget = Budget::new();
    let file = File::open(draft.bytes(), &mut budget).unwrap();
    after_signing(&file, 0, ChangeLevel::Sealed, &mut budget).codes
}

fn font(entries: &str) -> Vec<Code> {
    let font = format!("<< /Type /Font {entries} >>");
    codes("", "/Resources << /Font << /F 9 0 R >> >>", &font)
}

#[test]
fn what_a_plain_card_has_is_no_hazard() {
    let plain = "/Contents 9 0 R /Annots [<< /Subtype /Link /Rect [0 0 9 9] /Dest [3 0 R /Fit] >>]";
    assert_eq!(
        codes(
            "/OpenAction [3 0 R /Fit] /Lang (id)",
            plain,
            &stream("", "BT ET")
        ),
        []
    );
    assert_eq!(
        codes("", "", "<< /S /JavaScript /JS (x) >>"),
        [],
        "nothing leads to it"
    );
}

/// A document by its catalog and page, and what is found about it.
macro_rules! found {
    ($($catalog:literal $page:literal $code:ident;)+) => {
        for (catalog, page, code) in [$(($catalog, $page, Code::$code)),+] {
            let found = codes(catalog, page, "null");
            assert!(found.contains(&code), "{catalog} {page}: {found:?}");
        }
    };
}

#[test]
fn what_shows_different_things_to_different_readers_is_told() {
    found! {
        "/OpenAction << /S /JavaScript /JS (x) >>" "" ActiveContent;
        "/Names << /JavaScript << /Names [] >> >>" "" ActiveContent;
        "/AA << /WP << >> >>" "" ActiveContent;
        "" "/AA << /O << >> >>" ActiveContent;
        "" "/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch >> >>]" ActiveContent;
        "" "/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (x) >> >>]" ExternalLink;
        "" "/Annots [<< /Subtype /Screen /Rect [0 0 9 9] >>]" ActiveContent;
        "/AcroForm << /XFA (x) >>" "" DynamicForm;
        "/AcroForm << /NeedAppearances true >>" "" DynamicForm;
        "/OCProperties << /OCGs [] /D << >> >>" "" Layers;
        "/OCProperties << /OCGs [] /D << /OFF [9 0 R] >> >>" "" HiddenLayers;
        "/OCProperties << /OCGs [] /D << /AS [<< >>] >> >>" "" HiddenLayers;
        "/OCProperties << /OCGs [] /D << /BaseState /OFF >> >>" "" HiddenLayers;
        "/OCProperties << /OCGs [] >>" "" HiddenLayers;
        "/Names << /EmbeddedFiles << >> >>" "" Attachment;
        "/AF []" "" Attachment;
        "" "/X << /Type /Filespec /EF << >> >>" Attachment;
        "/Collection << >>" "" ExternalContent;
        "" "/CropBox [0 0 9 9]" Cropped;
        "" "/Contents 10 0 R" Dangling;
        "" "/Resources << /ExtGState << /G << /TR << /FunctionType 2 >> >> >> >>" DeviceDependent;
    }
}

#[test]
fn what_lies_over_a_page_is_told_and_weighs_where_paper_and_screen_differ() {
    found! {
        "" "/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] >>]" AnnotationTwoFaced;
        "" "/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] /F 36 >>]" AnnotationTwoFaced;
        "" "/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] /F 260 >>]" AnnotationTwoFaced;
        "" "/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] /F 9 0 R >>]" AnnotationTwoFaced;
        "" "/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] /F 4 >>]" AnnotationShown;
        "" "/Annots [<< /Subtype /Widget /FT /Sig /Rect [0 0 9 9] /F 4 >>]" AnnotationShown;
    }
    let hidden = "/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] /F 2 >>]";
    assert_eq!(codes("", hidden, "null"), []);
}

#[test]
fn what_stands_in_other_files_or_only_in_printers_is_told() {
    let object = "<< /Type /XObject /Subtype /Image /Length 0 ";
    for entries in [
        "/Alternates []",
        "/OPI << >>",
        "/F (other.dat)",
        "/FFilter /DCTDecode",
    ] {
        let picture = format!("{object} {entries} >>\nstream\n\nendstream");
        let found = codes("", "/Resources << /XObject << /X 9 0 R >> >>", &picture);
        assert_eq!(found, [Code::ExternalContent], "{entries}");
    }
    let reference = stream("/Subtype /Form /Ref << >>", "");
    assert_eq!(codes("", "/X 9 0 R", &reference), [Code::ExternalContent]);
    let printed = stream("/Subtype /PS", "");
    assert_eq!(codes("", "/X 9 0 R", &printed), [Code::DeviceDependent]);
}

#[test]
fn a_font_that_is_missing_matters_where_it_alone_knows_its_letters() {
    let embedded = "/FontDescriptor << /FontFile2 9 0 R >>";
    for (entries, expect) in [
        (
            "/Subtype /Type1 /BaseFont /Helvetica",
            vec![Code::FontStandard],
        ),
        (
            "/Subtype /TrueType /BaseFont /Arial /Encoding /WinAnsiEncoding",
            vec![Code::FontStandard],
        ),
        (
            "/Subtype /TrueType /BaseFont /Arial",
            vec![Code::FontMissing],
        ),
        (
            "/Subtype /TrueType /BaseFont /Arial /Encoding << /Differences [65 /g1] >>",
            vec![Code::FontMissing],
        ),
        (
            "/Subtype /CIDFontType2 /BaseFont /Arial /CIDSystemInfo << >>",
            vec![Code::FontMissing],
        ),
        (
            &format!("/Subtype /TrueType /BaseFont /Arial {embedded}"),
            vec![],
        ),
        ("/Subtype /Type3 /CharProcs << >>", vec![]),
    ] {
        assert_eq!(font(entries), expect, "{entries}");
    }
}
