//! Walks the encoding of an IPP message before any decoder sees it.
//!
//! A printer is another computer, and its answer hostile until proven otherwise. The decoder of
//! crate `ipp` (version 8) slices a `textWithLanguage` or `nameWithLanguage` by the length found inside it
//! without a check, and nests collections without a bound, so that a short answer could panic it
//! or overflow the stack. This walk refuses both, and bounds what decoding may allocate.

use crate::error::Garbage;

/// Version (2), status (2), request-id (4): RFC 8010 section 3.1.1.
const HEADER_LEN: usize = 8;

/// Get-Jobs answers with one group a job; 500 jobs is what large printers keep.
const MAX_GROUPS: usize = 1_024;

/// A full Get-Printer-Attributes answer of an office printer holds about 300 attributes; 32 are
/// asked for here, and jobs bring 12 each.
const MAX_ATTRIBUTES: usize = 16_384;

/// media-supported and job-id lists are the longest sets met, at some hundreds of values.
const MAX_VALUES: usize = 65_536;

/// media-col-database is the deepest collection met, at three levels.
const MAX_DEPTH: usize = 8;

const TAG_END: u8 = 0x03;
const TAG_BEGIN_COLLECTION: u8 = 0x34;
const TAG_TEXT_WITH_LANGUAGE: u8 = 0x35;
const TAG_NAME_WITH_LANGUAGE: u8 = 0x36;
const TAG_END_COLLECTION: u8 = 0x37;

/// Checks that a message is well-formed up to its end-of-attributes tag, and within the bounds.
pub(crate) fn check(message: &[u8]) -> Result<(), Garbage> {
    let mut walk = Walk { message, at: 0 };
    walk.take(HEADER_LEN)?;
    let (mut groups, mut attributes, mut values, mut depth) = (0_usize, 0_usize, 0_usize, 0_usize);
    // A value without a name belongs to the attribute before it, so a group cannot begin with one.
    let mut may_be_nameless = false;
    loop {
        match walk.byte()? {
            TAG_END if depth == 0 => return Ok(()),
            0x01..=0x0a if depth == 0 => {
                groups += 1;
                may_be_nameless = false;
            }
            tag @ 0x10..=0x4a if groups > 0 => {
                let named = !walk.field()?.is_empty();
                attributes += usize::from(named);
                values += 1;
                let start = walk.at;
                let value = walk.field()?;
                match tag {
                    TAG_BEGIN_COLLECTION => depth += 1,
                    TAG_END_COLLECTION => {
                        depth = depth.checked_sub(1).ok_or(Garbage::Encoding(start))?;
                    }
                    TAG_TEXT_WITH_LANGUAGE | TAG_NAME_WITH_LANGUAGE => {
                        check_with_language(value).ok_or(Garbage::Encoding(start))?;
                    }
                    _ => {}
                }
                let inside_collection = depth > usize::from(tag == TAG_BEGIN_COLLECTION);
                if named == inside_collection && (named || !may_be_nameless) {
                    return Err(Garbage::Encoding(start));
                }
                may_be_nameless = true;
            }
            _ => return Err(Garbage::Encoding(walk.at.saturating_sub(1))),
        }
        if groups > MAX_GROUPS
            || attributes > MAX_ATTRIBUTES
            || values > MAX_VALUES
            || depth > MAX_DEPTH
        {
            return Err(Garbage::TooMany);
        }
    }
}

/// The two inner length fields of a value with a language must fill it exactly.
fn check_with_language(value: &[u8]) -> Option<()> {
    let mut walk = Walk {
        message: value,
        at: 0,
    };
    walk.field().ok()?;
    walk.field().ok()?;
    (walk.at == value.len()).then_some(())
}

struct Walk<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Garbage> {
        let end = self.at.checked_add(len).ok_or(Garbage::Encoding(self.at))?;
        let taken = self
            .message
            .get(self.at..end)
            .ok_or(Garbage::Encoding(self.at))?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Garbage> {
        self.take(1)?
            .first()
            .copied()
            .ok_or(Garbage::Encoding(self.at))
    }

    /// A length of two bytes and as many bytes as it says.
    fn field(&mut self) -> Result<&'a [u8], Garbage> {
        let len = <[u8; 2]>::try_from(self.take(2)?).map_err(|_| Garbage::Encoding(self.at))?;
        self.take(usize::from(u16::from_be_bytes(len)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 8] = [1, 1, 0, 0, 0, 0, 0, 1];

    fn message(parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for part in parts {
            bytes.extend_from_slice(part);
        }
        bytes
    }

    #[test]
    fn an_empty_message_is_well_formed() {
        assert_eq!(check(&message(&[&[3]])), Ok(()));
    }

    #[test]
    fn a_message_that_ends_early_is_refused_where_it_ends() {
        assert_eq!(
            check(&message(&[&[1, 0x21, 0, 1, b'a', 0, 4, 0, 0]])),
            Err(Garbage::Encoding(15))
        );
        assert_eq!(check(&HEADER), Err(Garbage::Encoding(8)));
        assert_eq!(check(&[1, 1, 0]), Err(Garbage::Encoding(0)));
    }

    #[test]
    fn a_language_longer_than_its_value_is_refused() {
        let value = [
            1,
            TAG_TEXT_WITH_LANGUAGE,
            0,
            1,
            b'a',
            0,
            4,
            0,
            9,
            b'e',
            b'n',
            3,
        ];
        assert!(matches!(
            check(&message(&[&value])),
            Err(Garbage::Encoding(_))
        ));
    }

    #[test]
    fn collections_nested_without_end_are_refused() {
        let mut bytes = message(&[&[1, TAG_BEGIN_COLLECTION, 0, 1, b'a', 0, 0]]);
        for _ in 0..100_000 {
            bytes.extend_from_slice(&[TAG_BEGIN_COLLECTION, 0, 0, 0, 0]);
        }
        assert_eq!(check(&bytes), Err(Garbage::TooMany));
    }

    #[test]
    fn groups_without_end_are_refused() {
        let mut bytes = HEADER.to_vec();
        bytes.extend(std::iter::repeat_n(2, 2_000));
        bytes.push(3);
        assert_eq!(check(&bytes), Err(Garbage::TooMany));
    }
}
