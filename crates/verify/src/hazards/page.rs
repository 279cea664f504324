//! What lies over a page or outside of what it shows.

use crate::changes::is_zeros;
use crate::code::Code;
use crate::pdf::{Dictionary, Object};

/// Flags of annotations (ISO 32000-2, table 167).
const HIDDEN: i64 = 1 << 1;
const PRINT: i64 = 1 << 2;
const NO_VIEW: i64 = 1 << 5;
const TOGGLE_NO_VIEW: i64 = 1 << 8;

/// Annotations that show nothing on paper by themselves, or are judged elsewhere.
const QUIET: [&[u8]; 3] = [b"Link", b"Popup", b"FileAttachment"];

/// What an annotation other than that of a signature weighs.
pub(super) fn annotation(dictionary: &Dictionary) -> Option<Code> {
    let kind = dictionary.name("Subtype")?;
    let rectangle = dictionary.get("Rect")?;
    // A signature's own picture is part of what was signed; an empty one shows no picture.
    let is_signed = dictionary.name("FT") == Some(b"Sig") && dictionary.get("V").is_some();
    let is_extended = !is_zeros(rectangle, 4);
    if QUIET.contains(&kind) || is_signed || !is_extended {
        return None;
    }
    let flags = match dictionary.get("F") {
        None => 0,
        Some(Object::Integer(flags)) => *flags,
        Some(_elsewhere) => return Some(Code::AnnotationTwoFaced),
    };
    if flags & HIDDEN != 0 {
        return None;
    }
    let is_printed = flags & PRINT != 0;
    let is_viewed = flags & NO_VIEW == 0;
    if is_printed != is_viewed || flags & TOGGLE_NO_VIEW != 0 {
        return Some(Code::AnnotationTwoFaced);
    }
    is_printed.then_some(Code::AnnotationShown)
}

/// Whether a page shows less than its sheet.
pub(super) fn crop(dictionary: &Dictionary) -> Option<Code> {
    let is_node = matches!(dictionary.name("Type"), Some(b"Page" | b"Pages"));
    let cropped = dictionary.get("CropBox")?;
    (is_node && dictionary.get("MediaBox") != Some(cropped)).then_some(Code::Cropped)
}
