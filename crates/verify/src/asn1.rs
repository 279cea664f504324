//! Pieces of DER that must be kept as the bytes they came in.

use der::asn1::{AnyRef, BitStringRef};
use der::{Choice, Decode, DecodeValue, Reader, SliceReader, Tag, TagNumber};
use x509_cert::spki::AlgorithmIdentifierRef;

/// Members of one set; honest ones have up to four. The reader of DER below sorts sets by insertion: one of 100 kB that
/// stands the wrong way round would take it a minute.
const MAX_SET_MEMBERS: usize = 64;

/// Tags: a set, and the bits that say that values stand inside and of which class the tag is.
const SET: u8 = 0x31;
const CONSTRUCTED: u8 = 0x20;
const CLASS: u8 = 0xc0;
const CONTEXT_SPECIFIC: u8 = 0x80;

/// How deep values nest: 20 levels lead to a name in a certificate of a time stamp inside a signature.
const MAX_DEPTH: u32 = 40;

/// A certificate or revocation list, split into what is signed and the signature over it.
#[derive(Debug)]
pub(crate) struct SignedBlob<'a> {
    /// The signed bytes as they stand, header included.
    pub(crate) signed: &'a [u8],
    pub(crate) algorithm: AlgorithmIdentifierRef<'a>,
    pub(crate) signature: &'a [u8],
}

impl<'a> SignedBlob<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> der::Result<Self> {
        match Self::parse_with_tail(der)? {
            (blob, None) => Ok(blob),
            (_blob, Some(_)) => Err(Tag::Sequence.value_error()),
        }
    }

    /// Also what one value behind the signature holds: an OCSP answer has its certificates there.
    pub(crate) fn parse_with_tail(der: &'a [u8]) -> der::Result<(Self, Option<&'a [u8]>)> {
        let mut reader = SliceReader::new(der)?;
        let blob = reader.sequence(|inner| {
            let signed = inner.tlv_bytes()?;
            let algorithm = inner.decode()?;
            let signature: BitStringRef<'a> = inner.decode()?;
            let signature = signature
                .as_bytes()
                .ok_or_else(|| Tag::BitString.value_error())?;
            let tail = if inner.is_finished() {
                None
            } else {
                Some(inner.tlv_bytes()?)
            };
            let blob = Self {
                signed,
                algorithm,
                signature,
            };
            Ok((blob, tail))
        })?;
        reader.finish(blob)
    }
}

/// Whether the values in `bytes` may be handed to a reader that sorts sets: each set is small, and nothing nests without
/// end. A set may hide behind a context-specific tag.
pub(crate) fn is_sortable(bytes: &[u8]) -> bool {
    members(bytes, MAX_DEPTH).is_some()
}

/// How many values stand in `bytes`; none where one of them is too much.
fn members(mut bytes: &[u8], depth_left: u32) -> Option<usize> {
    let depth_left = depth_left.checked_sub(1)?;
    let mut count = 0_usize;
    while !bytes.is_empty() {
        let (value, rest) = split(bytes)?;
        (bytes, count) = (rest, count.saturating_add(1));
        if value.tag & CONSTRUCTED == 0 {
            continue;
        }
        let inside = members(value.content, depth_left)?;
        let is_set = value.tag == SET || value.tag & CLASS == CONTEXT_SPECIFIC;
        if is_set && inside > MAX_SET_MEMBERS {
            return None;
        }
    }
    Some(count)
}

/// The value under the explicit tag `number`, if one stands here.
///
/// der's own reader passes over every context-specific value of a lower number that stands before it: nobody would see
/// what stands there.
pub(crate) fn explicit<'a, T: Decode<'a>>(
    reader: &mut impl Reader<'a>,
    number: TagNumber,
) -> der::Result<Option<T>> {
    let value = tagged(reader, number, true)?;
    value.map(|value| T::from_der(value.value())).transpose()
}

/// The value that stands here under the implicit tag `number` in place of its own `tag`, if one does.
pub(crate) fn implicit<'a, T: Choice<'a> + DecodeValue<'a>>(
    reader: &mut impl Reader<'a>,
    number: TagNumber,
    tag: Tag,
) -> der::Result<Option<T>> {
    let value = tagged(reader, number, tag.is_constructed())?;
    let value = value.map(|value| AnyRef::new(tag, value.value())?.decode_as());
    value.transpose()
}

/// The value with this context-specific tag, if it stands here and not further on.
pub(crate) fn tagged<'a>(
    reader: &mut impl Reader<'a>,
    number: TagNumber,
    constructed: bool,
) -> der::Result<Option<AnyRef<'a>>> {
    let tag = Tag::ContextSpecific {
        constructed,
        number,
    };
    if reader.is_finished() || reader.peek_tag()? != tag {
        return Ok(None);
    }
    reader.decode().map(Some)
}

/// What the one value in `bytes` holds, its own header taken off.
pub(crate) fn inside(bytes: &[u8]) -> Option<&[u8]> {
    AnyRef::from_der(bytes).ok().map(|value| value.value())
}

/// A value with its tag in one octet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
}

/// The first value in `bytes` and what follows it: for lists of a hundred thousand of them, through which der's reader
/// takes ten times as long. Lengths have one spelling here too.
pub(crate) fn split(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    // der knows no tags of several octets either.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let is_short = matches!(octets, [0x80..=0xff] | [1..=0xff, _] | [1..=0xff, _, _]);
        let length = octets
            .iter()
            .fold(0_usize, |all, octet| all << 8 | usize::from(*octet));
        (is_short.then_some(length)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Value { tag: *tag, content }, rest))
}

/// The first value in `bytes`, header included, whatever follows it.
pub(crate) fn first_value(bytes: &[u8]) -> Option<&[u8]> {
    SliceReader::new(bytes).ok()?.tlv_bytes().ok()
}

/// The values that stand one after another in `bytes`, at most `most` of them.
pub(crate) fn values(mut bytes: &[u8], most: usize) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let value = first_value(bytes)?;
        if found.len() == most {
            return None;
        }
        found.push(value);
        bytes = bytes.get(value.len()..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use der::{Any, Encode};

    use super::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let value = Any::new(Tag::try_from(tag).unwrap(), content).unwrap();
        value.to_der().unwrap()
    }

    #[test]
    fn a_set_that_takes_long_to_sort_is_seen_wherever_it_stands() {
        let numbers = |count| [0x02, 0x01, 0x05].repeat(count);
        for tag in [0x31, 0xa0, 0xa1] {
            let few = wrapped(tag, &numbers(MAX_SET_MEMBERS));
            assert!(is_sortable(&few), "{tag:x}");
            let mut many = wrapped(tag, &numbers(MAX_SET_MEMBERS + 1));
            assert!(!is_sortable(&many), "{tag:x}");
            for _ in 0..8 {
                many = wrapped(0x30, &[few.as_slice(), &many].concat());
            }
            assert!(!is_sortable(&many), "{tag:x} inside");
        }
        let list = wrapped(0x30, &numbers(MAX_SET_MEMBERS + 1));
        assert!(is_sortable(&list), "a sequence is not sorted");
        let mut bottomless = Vec::new();
        for _ in 0..MAX_DEPTH {
            bottomless = wrapped(0x30, &bottomless);
        }
        assert!(!is_sortable(&bottomless));
    }

    #[test]
    fn nothing_that_stands_before_a_tagged_value_is_passed_over() {
        // [0] { INTEGER 5 }, [1] { INTEGER 6 }, and in place of it [1] 6.
        let (first, second, implicit_second) = (
            b"\xa0\x03\x02\x01\x05",
            b"\xa1\x03\x02\x01\x06",
            b"\x81\x01\x06",
        );
        let read = |bytes: &[u8]| {
            let mut reader = SliceReader::new(bytes)?;
            let explicit: Option<u8> = explicit(&mut reader, TagNumber::N1)?;
            let implicit: Option<u8> = implicit(&mut reader, TagNumber::N1, Tag::Integer)?;
            reader.finish((explicit, implicit))
        };
        assert_eq!(read(second), Ok((Some(6), None)));
        assert_eq!(read(implicit_second), Ok((None, Some(6))));
        assert!(read(&[first.as_slice(), second].concat()).is_err());
        assert!(read(&[first.as_slice(), implicit_second].concat()).is_err());
        assert!(
            read(b"\xa1\x06\x02\x01\x06\x02\x01\x06").is_err(),
            "one value inside"
        );
    }

    #[test]
    fn values_are_split_as_der_reads_them() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let whole = wrapped(0x04, &vec![7; length]);
            let bytes = [whole.as_slice(), b"rest"].concat();
            let (value, rest) = split(&bytes).unwrap();
            assert_eq!(
                (value.tag, value.content.len(), rest),
                (0x04, length, b"rest".as_slice())
            );
            assert!(
                split(&whole[..whole.len() - 1]).is_none(),
                "{length} cut short"
            );
        }
        for odd in [
            &[0x04, 0x80, 0, 0][..],
            &[0x04, 0x81, 0x05, 1, 2, 3, 4, 5],
            &[0x04, 0x82, 0, 0x80],
            &[0x04, 0x84, 0, 0, 0, 0],
            &[0x04],
            &[],
        ] {
            assert!(split(odd).is_none(), "{odd:02x?}");
        }
    }
}
