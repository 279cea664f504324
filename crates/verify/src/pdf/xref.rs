//! Revisions of a PDF file, as its cross-reference tables tell them.
//!
//! Every revision is `objects… xref table, trailer, startxref, %%EOF`; the newest one names the
//! one before it. A reader that repairs or merges revisions cannot tell what was signed.
//!
//! # Source
//! ISO 32000-2, 7.5.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::lex::{Cursor, Token};
use super::object::{self, Dictionary, Object, ObjectId};
use crate::code::Code;

/// Objects of one file; an honest family card has about 30, a scanned bundle some thousands.
const MAX_OBJECTS: u32 = 100_000;

/// Revisions of one file; signing and archiving an honest document makes fewer than 10.
const MAX_REVISIONS: usize = 32;

/// Length of one table entry, end-of-line marker included.
const ENTRY_BYTES: usize = 20;

/// What a cross-reference section says of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// There is no such object.
    Free {
        /// The generation that the number would have when it is used again.
        generation: u16,
    },
    /// It stands in the file.
    Used { offset: usize, generation: u16 },
    /// It stands in an object stream, with generation 0.
    Packed {
        /// Number of the object stream.
        stream: u32,
        /// Place among the objects of that stream.
        index: u32,
    },
}

/// Where the cross-reference section of a revision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Table {
        offset: usize,
    },
    /// A cross-reference stream, which is an object itself.
    Stream {
        id: ObjectId,
        offset: usize,
    },
}

impl Section {
    pub(super) fn offset(self) -> usize {
        match self {
            Self::Table { offset } | Self::Stream { offset, .. } => offset,
        }
    }
}

/// One revision: `objects… cross-reference section, startxref, %%EOF`.
#[derive(Debug)]
pub(crate) struct Revision {
    /// Where the older one ends, in front of the end-of-line marker behind its `%%EOF`.
    pub(crate) start: usize,
    /// Behind `%%EOF`, without and with the end-of-line marker that may follow.
    pub(crate) ends: [usize; 2],
    /// What this revision itself defines or frees.
    pub(crate) entries: BTreeMap<u32, Entry>,
    pub(crate) trailer: Dictionary,
    pub(crate) section: Section,
}

/// Follows the tables from the newest revision to the first; the oldest comes first.
pub(super) fn revisions(data: &[u8], budget: &mut Budget) -> Result<Vec<Revision>, Code> {
    let last = rfind(data, b"startxref").ok_or(Code::Malformed)?;
    let mut cursor = Cursor::at(data, last);
    let (mut offset, _) = start_of_table(&mut cursor, budget)?;
    let mut revisions: Vec<Revision> = Vec::new();
    // Where the table's own startxref must stand; known for the newest alone.
    let mut expected = Some(last);
    loop {
        if revisions.len() == MAX_REVISIONS {
            return Err(Code::TooComplex);
        }
        let (revision, own_start) = revision(data, offset, budget)?;
        if expected
            .take()
            .is_some_and(|expected| expected != own_start)
        {
            return Err(Code::Malformed);
        }
        if let Some(newer) = revisions.last() {
            order(newer, &revision)?;
        }
        let previous = revision.trailer.get("Prev").cloned();
        revisions.push(revision);
        match previous {
            None => break,
            Some(Object::Integer(value)) => {
                let value = usize::try_from(value).map_err(|_negative| Code::Malformed)?;
                if value >= offset {
                    // Linearized files point forwards; anything else that does is a loop.
                    return Err(Code::StructureUnsupported);
                }
                offset = value;
            }
            Some(_) => return Err(Code::Malformed),
        }
    }
    if let Some(first) = revisions.last() {
        within(first, 0)?;
    }
    revisions.reverse();
    let mut start = 0;
    for revision in &mut revisions {
        revision.start = start;
        [start, _] = revision.ends;
    }
    Ok(revisions)
}

/// A newer revision must lie wholly behind the older one, with all its objects.
fn order(newer: &Revision, older: &Revision) -> Result<(), Code> {
    let [older_end, _] = older.ends;
    if newer.section.offset() < older_end {
        return Err(Code::Malformed);
    }
    within(newer, older_end)
}

/// All objects of a revision must stand between `start` and its table.
fn within(revision: &Revision, start: usize) -> Result<(), Code> {
    let place = start..revision.section.offset();
    let outside = revision.entries.values().any(|entry| match entry {
        Entry::Free { .. } | Entry::Packed { .. } => false,
        Entry::Used { offset, .. } => !place.contains(offset),
    });
    if outside {
        Err(Code::Malformed)
    } else {
        Ok(())
    }
}

/// Reads the revision whose table stands at `offset`, and says where its `startxref` stands.
fn revision(data: &[u8], offset: usize, budget: &mut Budget) -> Result<(Revision, usize), Code> {
    let mut cursor = Cursor::at(data, offset);
    if !cursor.take_exact(b"xref") {
        let mut ahead = Cursor::at(data, offset);
        let is_object = matches!(ahead.next(budget)?, Token::Integer(_))
            && matches!(ahead.next(budget)?, Token::Integer(_))
            && ahead.next(budget)? == Token::Word(b"obj");
        return Err(if is_object {
            Code::XrefStream
        } else {
            Code::Malformed
        });
    }
    let entries = table(&mut cursor, budget)?;
    let Object::Dictionary(trailer) = object::parse(&mut cursor, budget)? else {
        return Err(Code::Malformed);
    };
    if trailer.get("XRefStm").is_some() {
        return Err(Code::StructureUnsupported);
    }
    let size = trailer
        .integer("Size")
        .and_then(|size| u32::try_from(size).ok());
    let size = size.ok_or(Code::Malformed)?;
    if entries.keys().any(|number| *number >= size) {
        return Err(Code::Malformed);
    }
    cursor.skip_space();
    let own_start = cursor.position();
    let (named, ends) = start_of_table(&mut cursor, budget)?;
    // A linearized file's first table says 0 here.
    if named == 0 {
        return Err(Code::StructureUnsupported);
    }
    if named != offset {
        return Err(Code::Malformed);
    }
    Ok((
        Revision {
            start: 0,
            ends,
            entries,
            trailer,
            section: Section::Table { offset },
        },
        own_start,
    ))
}

/// Reads `startxref N %%EOF`: N, and where it ends without and with an end-of-line marker.
fn start_of_table(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget,
) -> Result<(usize, [usize; 2]), Code> {
    if !cursor.take_exact(b"startxref") {
        return Err(Code::Malformed);
    }
    let Token::Integer(offset) = cursor.next(budget)? else {
        return Err(Code::Malformed);
    };
    let offset = usize::try_from(offset).map_err(|_negative| Code::Malformed)?;
    cursor.skip_blanks();
    if !cursor.take_exact(b"%%EOF") {
        return Err(Code::Malformed);
    }
    let end = cursor.position();
    cursor.take_end_of_line();
    Ok((offset, [end, cursor.position()]))
}

/// Reads the subsections up to and with the word `trailer`.
fn table(cursor: &mut Cursor<'_>, budget: &mut Budget) -> Result<BTreeMap<u32, Entry>, Code> {
    let mut entries = BTreeMap::new();
    loop {
        let first = cursor.next(budget)?;
        if first == Token::Word(b"trailer") {
            return Ok(entries);
        }
        let Token::Integer(first) = first else {
            return Err(Code::Malformed);
        };
        let first = u32::try_from(first).map_err(|_range| Code::Malformed)?;
        let Token::Integer(count) = cursor.next(budget)? else {
            return Err(Code::Malformed);
        };
        let count = u32::try_from(count).map_err(|_range| Code::Malformed)?;
        let end = first.checked_add(count).ok_or(Code::Malformed)?;
        if end > MAX_OBJECTS {
            return Err(Code::TooComplex);
        }
        cursor.take_exact(b" ");
        if !cursor.take_end_of_line() {
            return Err(Code::Malformed);
        }
        for number in first..end {
            budget.spend(ENTRY_BYTES)?;
            let entry = cursor
                .take(ENTRY_BYTES)
                .and_then(entry)
                .ok_or(Code::Malformed)?;
            if entries.insert(number, entry).is_some() {
                return Err(Code::Malformed);
            }
        }
    }
}

/// Reads one entry of exactly 20 bytes, for instance `0000033276 00000 n \n`.
fn entry(bytes: &[u8]) -> Option<Entry> {
    let (offset, rest) = bytes.split_at_checked(10)?;
    let rest = rest.strip_prefix(b" ")?;
    let (generation, rest) = rest.split_at_checked(5)?;
    let rest = rest.strip_prefix(b" ")?;
    let offset = decimal(offset)?;
    let generation = u16::try_from(decimal(generation)?).ok()?;
    let (kind, end_of_line) = rest.split_first()?;
    if !matches!(end_of_line, b" \n" | b" \r" | b"\r\n") {
        return None;
    }
    match kind {
        b'n' => Some(Entry::Used { offset, generation }),
        b'f' => Some(Entry::Free { generation }),
        _other => None,
    }
}

fn decimal(digits: &[u8]) -> Option<usize> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn rfind(data: &[u8], word: &[u8]) -> Option<usize> {
    data.windows(word.len()).rposition(|window| window == word)
}
