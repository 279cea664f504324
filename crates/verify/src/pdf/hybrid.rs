//! Hybrid originals: a table, and a cross-reference stream beside it that readers before PDF 1.5 pass over.
//!
//! ```text
//!   objects  xref /Prev-less %%EOF  object stream  XRef stream  xref (empty) /Prev /XRefStm %%EOF     the standard
//!   objects  object stream  XRef stream  xref %%EOF  xref (empty) /Prev /XRefStm %%EOF                Microsoft Word
//!   objects  object stream  XRef stream  xref /XRefStm %%EOF                                          one table
//! ```
//!
//! Readers look up an object in the table, then in the stream, then in the older table, and differ on what a free entry
//! of the table means: some look on into the stream, some stop. So whatever the stream lists must be the same in a table
//! of the same section, or not be listed there; and all of it is one revision, the original. Whether an old reader misses
//! something that shows is asked of the document as it was signed, not here.
//!
//! # Source
//! ISO 32000-2, 7.5.8.4; docs/adr/0041.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Budget;
use super::object::Dictionary;
use super::revision::{self, Entry, MAIN_KEYS, Read, Revision, Section};
use super::section::{self, Beside, Found};
use crate::code::Code;

/// Reads the original whose newest section is `newest`, a table that names a stream.
pub(super) fn revision(
    data: &[u8],
    newest: Found,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<Read, Code> {
    let Section::Table { offset } = newest.section else {
        return Err(Code::StructureUnsupported);
    };
    let beside = newest.trailer.integer("XRefStm");
    let beside = beside.and_then(|place| usize::try_from(place).ok());
    let beside = beside.filter(|place| *place < offset);
    let beside = beside.ok_or(Code::HybridTwofold)?;
    let beside = section::stream(data, beside, entries_left, budget);
    // What is said of `startxref` is another thing.
    let beside = beside.map_err(|code| {
        if code == Code::StartXref {
            Code::XrefMalformed
        } else {
            code
        }
    })?;
    agree(&beside.dictionary, &newest.trailer)?;
    let main = match revision::previous(&newest.trailer)? {
        None => None,
        Some(main) => Some(main_section(data, main, &newest, entries_left, budget)?),
    };
    let mut places = vec![beside.place.clone()];
    places.extend(main.as_ref().map(|main| main.offset()..main.end()));
    places.sort_unstable_by_key(|place| place.start);
    let (entries, hidden) = match main {
        Some(main) => joined(main.entries, &beside, true)?,
        None => joined(newest.entries, &beside, false)?,
    };
    revision::check(&newest.trailer, &entries)?;
    let revision = Revision {
        start: 0,
        ends: newest.start.ends,
        entries,
        trailer: newest.trailer,
        section: newest.section,
        body_end: offset,
        front: None,
        places,
        hidden,
        section_streams: vec![(beside.place.start, beside.id.number)],
    };
    Ok((revision, newest.start.place, None))
}

/// The table in front of an empty one: the first of the file, and wholly in front of it.
fn main_section(
    data: &[u8],
    place: usize,
    newest: &Found,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<Found, Code> {
    let is_empty = newest
        .entries
        .iter()
        .all(|(number, entry)| *number == 0 && matches!(entry, Entry::Free { .. }));
    let main = section::read(data, place, entries_left, budget)?;
    let has = |key: &str| main.trailer.get(key).is_some();
    let is_table = matches!(main.section, Section::Table { .. });
    // An update that is written as a hybrid file has no honest writer that was seen.
    if !is_empty || !is_table || has("Prev") || has("XRefStm") || main.end() > newest.offset() {
        return Err(Code::StructureUnsupported);
    }
    if section::place(data, main.start.named) != main.offset() {
        return Err(Code::StartXref);
    }
    agree(&main.trailer, &newest.trailer)?;
    revision::check(&main.trailer, &main.entries)?;
    Ok(main)
}

/// Readers differ on which of several trailers counts, so they must say the same.
fn agree(one: &Dictionary, newest: &Dictionary) -> Result<(), Code> {
    let is_own = |key: &[u8]| key == b"Type" || MAIN_KEYS.contains(&key);
    let mut entries = one.iter();
    if entries.any(|(key, value)| !is_own(key) && !newest.has(key, value)) {
        return Err(Code::HybridTwofold);
    }
    Ok(())
}

/// Entries, and the numbers that only the stream has in use.
type Joined = (BTreeMap<u32, Entry>, BTreeSet<u32>);

/// Joins what a table and the stream list; `is_older` says that the table is one that readers look at after the stream.
fn joined(
    mut entries: BTreeMap<u32, Entry>,
    beside: &Beside,
    is_older: bool,
) -> Result<Joined, Code> {
    let mut hidden = BTreeSet::new();
    for (number, entry) in &beside.entries {
        let is_free = matches!(entry, Entry::Free { .. });
        match entries.get(number) {
            Some(Entry::Free { .. }) if is_free => continue,
            Some(Entry::Free { .. }) if !is_older => return Err(Code::HybridTwofold),
            Some(Entry::Free { .. }) | None => {}
            Some(listed) if listed == entry => continue,
            Some(_other) => return Err(Code::HybridTwofold),
        }
        entries.insert(*number, *entry);
        if !is_free {
            hidden.insert(*number);
        }
    }
    Ok((entries, hidden))
}
