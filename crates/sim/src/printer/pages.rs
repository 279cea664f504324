//! Counts the sheets a document takes.

use std::collections::BTreeSet;

/// More pages than any paper of the office has; a hostile file cannot keep the printer for ever.
const MAX_SHEETS: usize = 5_000;

/// The number of sheets of a document, one a page, at least 1.
///
/// Page objects are told by `/Type /Page` and counted once an object number, since a later
/// revision of a signed file repeats the pages it touches. Pages inside compressed object streams
/// are not seen.
pub(crate) fn sheets(document: &[u8]) -> u32 {
    let mut pages = BTreeSet::new();
    let mut object: Option<&[u8]> = None;
    for (at, _) in document
        .iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'/' | b'o'))
    {
        let Some((before, rest)) = document.split_at_checked(at) else {
            break;
        };
        if rest.starts_with(b"obj") {
            object = object_number(before).or(object);
        } else if let Some(rest) = rest.strip_prefix(b"/Type") {
            let name = rest.trim_ascii_start();
            let is_page = name
                .strip_prefix(b"/Page")
                .is_some_and(|after| !after.first().is_some_and(u8::is_ascii_alphanumeric));
            if is_page {
                pages.insert(object);
            }
        }
    }
    u32::try_from(pages.len().clamp(1, MAX_SHEETS)).unwrap_or(1)
}

/// The object number in `12 0 ` before `obj`; none where this is the `obj` of `endobj`.
fn object_number(before: &[u8]) -> Option<&[u8]> {
    let (number, _generation) = split_last_word(before.trim_ascii_end())?;
    let (_, number) = split_last_word(number.trim_ascii_end())?;
    (!number.is_empty() && number.iter().all(u8::is_ascii_digit)).then_some(number)
}

fn split_last_word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = bytes
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let (before, word) = bytes.split_at_checked(start)?;
    (!word.is_empty()).then_some((before, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_and_their_tree_is_not() {
        let pdf = b"1 0 obj<</Type/Pages/Count 2>>endobj 2 0 obj<</Type /Page>>endobj\n\
                    3 0 obj\n<</Type/Page/Parent 1 0 R>>endobj";
        assert_eq!(sheets(pdf), 2);
    }

    #[test]
    fn a_page_that_a_later_revision_repeats_is_counted_once() {
        let pdf = b"2 0 obj<</Type/Page>>endobj ... 2 0 obj<</Type/Page/Annots[9 0 R]>>endobj";
        assert_eq!(sheets(pdf), 1);
    }

    #[test]
    fn what_is_no_pdf_takes_one_sheet() {
        assert_eq!(sheets(b"RaS2"), 1);
        assert_eq!(sheets(b""), 1);
    }
}
