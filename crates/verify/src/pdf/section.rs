//! One cross-reference section, table or stream, with the `startxref` behind it.
//!
//! # Source
//! ISO 32000-2, 7.5.4 (tables), 7.5.5 (trailer) and 7.5.8 (streams).

use std::collections::BTreeMap;
use std::ops::Range;

use super::budget::Budget;
use super::lex::{Cursor, is_space};
use super::object::{self, Closing, Dictionary, Object, ObjectId, decimal};
use super::revision::{Entry, Section};
use super::stream::Stream;
use super::xref_stream;
use crate::code::Code;

/// The word in front of the offset of a section.
pub(super) const START: &[u8] = b"startxref";

/// Length of one table entry, end-of-line marker included.
const ENTRY_BYTES: usize = 20;

/// A section as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) entries: BTreeMap<u32, Entry>,
    pub(super) trailer: Dictionary,
    pub(super) section: Section,
    pub(super) start: Start,
}

impl Found {
    pub(super) fn offset(&self) -> usize {
        self.section.offset()
    }

    /// Behind its `%%EOF`.
    pub(super) fn end(&self) -> usize {
        let [end, _] = self.start.ends;
        end
    }
}

/// A cross-reference stream as it was found, without what stands behind it.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) entries: BTreeMap<u32, Entry>,
    pub(super) dictionary: Dictionary,
    pub(super) id: ObjectId,
    pub(super) place: Range<usize>,
}

/// A `startxref N %%EOF`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) place: usize,
    /// The offset that it names.
    pub(super) named: usize,
    /// Behind `%%EOF`, without and with the end-of-line marker that may follow.
    pub(super) ends: [usize; 2],
}

/// Reads `startxref N %%EOF` at `place`.
pub(super) fn start(data: &[u8], place: usize) -> Result<Start, Code> {
    let mut cursor = Cursor::at(data, place);
    if !cursor.take_exact(START) {
        return Err(Code::StartXref);
    }
    let number = cursor.position();
    cursor.skip_blanks();
    let is_apart = cursor.position() > number;
    let named = decimal(cursor.take_digits()).filter(|_| is_apart);
    let named = named.ok_or(Code::StartXref)?;
    let end = cursor.position();
    cursor.skip_blanks();
    if cursor.position() == end || !cursor.take_exact(b"%%EOF") {
        return Err(Code::StartXref);
    }
    let end = cursor.position();
    cursor.take_end_of_line();
    Ok(Start {
        place,
        named,
        ends: [end, cursor.position()],
    })
}

/// Where the section that `offset` names begins. Some signers (node-signpdf) name the end-of-line
/// marker in front of it; every reader comes to the same section from there.
pub(super) fn place(data: &[u8], offset: usize) -> usize {
    let mut cursor = Cursor::at(data, offset);
    cursor.take_end_of_line();
    cursor.position()
}

/// Reads the section at `offset`, up to the `%%EOF` behind it.
pub(super) fn read(
    data: &[u8],
    offset: usize,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<Found, Code> {
    let offset = place(data, offset);
    let mut cursor = Cursor::at(data, offset);
    if cursor.take_exact(b"xref") {
        let entries = table(&mut cursor, entries_left, budget)?;
        let Object::Dictionary(trailer) = object::parse(&mut cursor, budget)? else {
            return Err(Code::TrailerMalformed);
        };
        let section = Section::Table { offset };
        return finish(data, &mut cursor, entries, trailer, section);
    }
    let found = stream(data, offset, entries_left, budget)?;
    let section = Section::Stream {
        id: found.id,
        offset,
    };
    let mut cursor = Cursor::at(data, found.place.end);
    finish(data, &mut cursor, found.entries, found.dictionary, section)
}

/// Reads the cross-reference stream at `offset`.
pub(super) fn stream(
    data: &[u8],
    offset: usize,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<Beside, Code> {
    if !data.get(offset).is_some_and(u8::is_ascii_digit) {
        return Err(Code::StartXref);
    }
    let found = object::parse_indirect(data, offset, budget)?;
    let (Object::Dictionary(trailer), Closing::Stream(at)) = (found.object, found.closing) else {
        return Err(Code::StartXref);
    };
    if trailer.name("Type") != Some(b"XRef") {
        return Err(Code::StartXref);
    }
    // Nothing is known of other objects yet, so the length must stand here itself.
    let length = trailer.integer("Length").ok_or(Code::StreamLength)?;
    let (stream, end) = Stream::cut(trailer, data, at, length)?;
    let mut entries = xref_stream::entries(&stream, entries_left, budget)?;
    let generation = found.id.generation;
    let own = Entry::Used { offset, generation };
    // Not every producer lists the section itself, and iText lists it as free.
    let listed = entries.insert(found.id.number, own);
    if !matches!(listed, None | Some(Entry::Free { .. })) && listed != Some(own) {
        return Err(Code::Overlap);
    }
    Ok(Beside {
        entries,
        dictionary: stream.dictionary,
        id: found.id,
        place: offset..end,
    })
}

fn finish(
    data: &[u8],
    cursor: &mut Cursor<'_>,
    entries: BTreeMap<u32, Entry>,
    trailer: Dictionary,
    section: Section,
) -> Result<Found, Code> {
    let end = cursor.position();
    cursor.skip_space()?;
    let start = match (section, trailer.integer("Prev")) {
        // qpdf leaves it out behind the first section of a linearized file, where it would say 0.
        (Section::Stream { offset, .. }, Some(main))
            if !cursor.clone().take_exact(START)
                && usize::try_from(main).is_ok_and(|main| main > offset) =>
        {
            Start {
                place: end,
                named: 0,
                ends: [end, end],
            }
        }
        (_, _) => start(data, cursor.position())?,
    };
    Ok(Found {
        entries,
        trailer,
        section,
        start,
    })
}

/// Reads the subsections up to and with the word `trailer`.
fn table(
    cursor: &mut Cursor<'_>,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<BTreeMap<u32, Entry>, Code> {
    let mut entries = BTreeMap::new();
    line_end(cursor)?;
    loop {
        let first = cursor.take_digits();
        if first.is_empty() {
            cursor.skip_blanks();
            let is_end = cursor.take_word(b"trailer");
            return is_end.then_some(entries).ok_or(Code::XrefMalformed);
        }
        let is_apart = cursor.take_exact(b" ");
        let count: Option<usize> = decimal(cursor.take_digits()).filter(|_| is_apart);
        let count = count.ok_or(Code::XrefMalformed)?;
        line_end(cursor)?;
        let first: u32 = decimal(first).ok_or(Code::TooComplex)?;
        *entries_left = entries_left.checked_sub(count).ok_or(Code::TooComplex)?;
        budget.spend(count.saturating_mul(ENTRY_BYTES))?;
        for index in 0..count {
            let entry = cursor.take(ENTRY_BYTES).and_then(entry);
            let entry = entry.ok_or(Code::XrefMalformed)?;
            let number = u32::try_from(index).ok();
            let number = number.and_then(|index| first.checked_add(index));
            if entries
                .insert(number.ok_or(Code::TooComplex)?, entry)
                .is_some()
            {
                return Err(Code::XrefMalformed);
            }
        }
    }
}

/// Takes the rest of a line that holds nothing more.
fn line_end(cursor: &mut Cursor<'_>) -> Result<(), Code> {
    cursor.take_exact(b" ");
    if cursor.take_end_of_line() {
        Ok(())
    } else {
        Err(Code::XrefMalformed)
    }
}

/// Reads one entry of exactly 20 bytes, for instance `0000033276 00000 n \n`.
fn entry(bytes: &[u8]) -> Option<Entry> {
    let (offset, rest) = bytes.split_at_checked(10)?;
    let rest = rest.strip_prefix(b" ")?;
    let (generation, rest) = rest.split_at_checked(5)?;
    let rest = rest.strip_prefix(b" ")?;
    let offset = decimal(offset)?;
    let generation = decimal(generation)?;
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

/// Whether `bytes` are white space alone.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_space(*byte))
}
