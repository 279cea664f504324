//! Entries of a cross-reference stream.
//!
//! # Source
//! ISO 32000-2, 7.5.8.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::object::{Dictionary, Object};
use super::revision::Entry;
use super::stream::Stream;
use crate::code::Code;

/// Widest field of an entry; 8 bytes hold any offset.
const MAX_FIELD_BYTES: usize = 8;

/// Reads all entries of the stream.
pub(super) fn entries(
    stream: &Stream<'_>,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<BTreeMap<u32, Entry>, Code> {
    let widths = widths(&stream.dictionary).ok_or(Code::XrefMalformed)?;
    let sections = sections(&stream.dictionary).ok_or(Code::XrefMalformed)?;
    let [kind, second, third] = widths;
    let length = kind.saturating_add(second).saturating_add(third);
    let counts = sections.iter().map(|(_first, count)| *count);
    let count = counts.fold(0_usize, usize::saturating_add);
    *entries_left = entries_left.checked_sub(count).ok_or(Code::TooComplex)?;
    let bytes = stream.decoded(budget)?;
    if length == 0 || count.checked_mul(length) != Some(bytes.len()) {
        return Err(Code::XrefMalformed);
    }
    let mut rows = bytes.chunks(length);
    let mut entries = BTreeMap::new();
    for (first, count) in sections {
        for (index, row) in rows.by_ref().take(count).enumerate() {
            let number = u32::try_from(index).ok();
            let number = number.and_then(|index| first.checked_add(index));
            let number = number.ok_or(Code::XrefMalformed)?;
            let entry = entry(row, kind, second)?;
            if entries.insert(number, entry).is_some() {
                return Err(Code::XrefMalformed);
            }
        }
    }
    Ok(entries)
}

/// `/W`: how many bytes each of the three fields has.
fn widths(dictionary: &Dictionary) -> Option<[usize; 3]> {
    let Some(Object::Array(items)) = dictionary.get("W") else {
        return None;
    };
    let widths: Option<Vec<usize>> = items.iter().map(size).collect();
    let widths: [usize; 3] = widths?.try_into().ok()?;
    let is_bounded = widths.iter().all(|width| *width <= MAX_FIELD_BYTES);
    is_bounded.then_some(widths)
}

/// `/Index`: first number and count of each run; without it all numbers below `/Size`.
fn sections(dictionary: &Dictionary) -> Option<Vec<(u32, usize)>> {
    let Some(index) = dictionary.get("Index") else {
        return Some(vec![(0, size(dictionary.get("Size")?)?)]);
    };
    let Object::Array(items) = index else {
        return None;
    };
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let pair = |[first, count]: &[Object; 2]| {
        let first = u32::try_from(size(first)?).ok()?;
        Some((first, size(count)?))
    };
    pairs.iter().map(pair).collect()
}

fn size(object: &Object) -> Option<usize> {
    let Object::Integer(value) = object else {
        return None;
    };
    usize::try_from(*value).ok()
}

fn entry(row: &[u8], kind: usize, second: usize) -> Result<Entry, Code> {
    let (first, rest) = row.split_at_checked(kind).ok_or(Code::XrefMalformed)?;
    let (second, third) = rest.split_at_checked(second).ok_or(Code::XrefMalformed)?;
    let second = field(second);
    let third = field(third);
    // A field without bytes has its default: entries are then of kind 1.
    let first = if first.is_empty() { 1 } else { field(first) };
    let generation = || u16::try_from(third).map_err(|_range| Code::XrefMalformed);
    match first {
        0 => Ok(Entry::Free {
            generation: generation()?,
        }),
        1 => Ok(Entry::Used {
            offset: usize::try_from(second).map_err(|_range| Code::XrefMalformed)?,
            generation: generation()?,
        }),
        2 => Ok(Entry::Packed {
            stream: u32::try_from(second).map_err(|_range| Code::XrefMalformed)?,
            index: u32::try_from(third).map_err(|_range| Code::XrefMalformed)?,
        }),
        _unknown => Err(Code::EntryKind),
    }
}

/// A number, most significant byte first; at most 8 bytes, so that nothing is lost.
fn field(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0_u64, |value, byte| {
        value.wrapping_shl(8) | u64::from(*byte)
    })
}
