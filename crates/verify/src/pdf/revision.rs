//! Revisions of a PDF file, as the chain of its cross-reference sections tells them.
//!
//! Every revision is `objects… cross-reference section, startxref, %%EOF`; the newest one names the
//! one before it. A reader that repairs or merges revisions cannot tell what was signed.
//!
//! ```text
//!   %PDF-1.7  objects  xref  startxref %%EOF | objects  xref  startxref %%EOF
//!   └────────────── revision 0 ────────────┘ └─ /Prev ─┘ revision 1
//! ```
//!
//! A linearized original has two sections: the first names the second by `/Prev`, and both count as
//! one revision, which ends where the second one does. So do those of a hybrid original ([`super::hybrid`]).
//!
//! # Source
//! ISO 32000-2, 7.5; for linearized files its Annex F.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::budget::Budget;
use super::hybrid;
use super::object::{Dictionary, Object, ObjectId};
use super::section::{self, Found, START};
use crate::code::Code;

/// Revisions of one file; signing and archiving an honest document makes fewer than 10.
const MAX_REVISIONS: usize = 32;

/// Entries of all sections together, and so numbers of objects too; an honest family card has about
/// 30, a scanned bundle some thousands. An entry takes about 80 bytes of memory.
pub(super) const MAX_ENTRIES: usize = 50_000;

/// What the trailer of the main section of a linearized file may say for itself, because it tells of
/// that section alone; all else must stand in the first one likewise.
pub(super) const MAIN_KEYS: [&[u8]; 6] = [
    b"Size",
    b"W",
    b"Index",
    b"Length",
    b"Filter",
    b"DecodeParms",
];

/// What a cross-reference section says of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// There is no such object.
    Free {
        /// The generation that the number would have when it is used again.
        generation: u16,
    },
    /// It stands in the file.
    Used {
        /// Where its number begins.
        offset: usize,
        generation: u16,
    },
    /// It stands in an object stream of the same revision, with generation 0.
    Packed {
        /// Number of the object stream.
        stream: u32,
        /// Place among the objects of that stream.
        index: u32,
    },
}

/// Where the cross-reference section of a revision stands; of a linearized original the first one.
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

    /// Place and number of a section that is a stream.
    fn stream(self) -> Option<(usize, u32)> {
        match self {
            Self::Table { .. } => None,
            Self::Stream { id, offset } => Some((offset, id.number)),
        }
    }
}

/// One revision.
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
    /// Where its objects end and its last section begins.
    pub(super) body_end: usize,
    /// Of a linearized original: its first section, up to the `%%EOF` behind it.
    pub(super) front: Option<Range<usize>>,
    /// Of a hybrid original: its older table and its cross-reference stream, by place.
    pub(super) places: Vec<Range<usize>>,
    /// Of a hybrid original: what readers before PDF 1.5 take as free.
    pub(super) hidden: BTreeSet<u32>,
    /// Place and number of its sections that are streams.
    pub(super) section_streams: Vec<(usize, u32)>,
}

/// Follows the sections from the newest revision to the first; the oldest comes first.
pub(super) fn chain(data: &[u8], budget: &mut Budget) -> Result<Vec<Revision>, Code> {
    let last = rfind(data, START).ok_or(Code::StartXref)?;
    let mut offset = section::start(data, last)?.named;
    // Where the section's own startxref must stand; known for the newest alone.
    let mut expected = Some(last);
    let mut entries_left = MAX_ENTRIES;
    let mut revisions: Vec<Revision> = Vec::new();
    loop {
        if revisions.len() == MAX_REVISIONS {
            return Err(Code::TooComplex);
        }
        let (revision, own_start, previous) = revision(data, offset, &mut entries_left, budget)?;
        if expected.take().is_some_and(|place| place != own_start) {
            return Err(Code::StartXref);
        }
        // A newer revision must lie wholly behind the older one.
        if let Some(newer) = revisions.last() {
            let [end, _] = revision.ends;
            if newer.section.offset() < end {
                return Err(Code::PreviousLoop);
            }
        }
        revisions.push(revision);
        match previous {
            None => break,
            Some(previous) if previous < offset => offset = previous,
            Some(_) => return Err(Code::PreviousLoop),
        }
    }
    revisions.reverse();
    let (mut start, mut size) = (0, 0);
    for revision in &mut revisions {
        revision.start = start;
        [start, _] = revision.ends;
        within(revision)?;
        let own = revision.trailer.integer("Size").unwrap_or_default();
        if own < size {
            return Err(Code::SizeWrong);
        }
        size = own;
    }
    Ok(revisions)
}

/// All objects of a revision must stand between its start and its section.
fn within(revision: &Revision) -> Result<(), Code> {
    let place = revision.start..revision.body_end;
    let own = |offset: usize, number: u32| revision.section_streams.contains(&(offset, number));
    let mut entries = revision.entries.iter();
    let outside = entries.any(|(number, entry)| match entry {
        Entry::Free { .. } | Entry::Packed { .. } => false,
        Entry::Used { offset, .. } => !place.contains(offset) && !own(*offset, *number),
    });
    if outside {
        Err(Code::OutsideRevision)
    } else {
        Ok(())
    }
}

/// A revision, where its own `startxref` stands, and where the section before it does.
pub(super) type Read = (Revision, usize, Option<usize>);

/// Reads the revision whose section stands at `offset`.
fn revision(
    data: &[u8],
    offset: usize,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<Read, Code> {
    let found = section::read(data, offset, entries_left, budget)?;
    let previous = previous(&found.trailer)?;
    check(&found.trailer, &found.entries)?;
    let is_hybrid = found.trailer.get("XRefStm").is_some();
    if found.start.named == 0 {
        if is_hybrid {
            return Err(Code::StructureUnsupported);
        }
        return linearized(data, found, previous, entries_left, budget);
    }
    let offset = found.section.offset();
    if section::place(data, found.start.named) != offset {
        return Err(Code::StartXref);
    }
    let Some(Object::Reference(_)) = found.trailer.get("Root") else {
        return Err(Code::TrailerMalformed);
    };
    if is_hybrid {
        return hybrid::revision(data, found, entries_left, budget);
    }
    let own_start = found.start.place;
    let revision = Revision {
        start: 0,
        ends: found.start.ends,
        entries: found.entries,
        trailer: found.trailer,
        section: found.section,
        body_end: offset,
        front: None,
        places: Vec::new(),
        hidden: BTreeSet::new(),
        section_streams: found.section.stream().into_iter().collect(),
    };
    Ok((revision, own_start, previous))
}

/// Joins the two sections of a linearized original.
fn linearized(
    data: &[u8],
    front: Found,
    main: Option<usize>,
    entries_left: &mut usize,
    budget: &mut Budget,
) -> Result<Read, Code> {
    let offset = front.section.offset();
    let [front_end, _] = front.start.ends;
    let main = main.ok_or(Code::StructureUnsupported)?;
    if main < front_end {
        return Err(Code::StructureUnsupported);
    }
    let found = section::read(data, main, entries_left, budget)?;
    check(&found.trailer, &found.entries)?;
    if found.start.named != offset {
        return Err(Code::StructureUnsupported);
    }
    let Some(Object::Reference(_)) = front.trailer.get("Root") else {
        return Err(Code::TrailerMalformed);
    };
    // Readers differ on which of the two trailers counts.
    let mut main_trailer = found.trailer.iter();
    if main_trailer.any(|(key, value)| !MAIN_KEYS.contains(&key) && !front.trailer.has(key, value))
    {
        return Err(Code::StructureUnsupported);
    }
    let mut entries = front.entries;
    for (number, entry) in found.entries {
        // Each object is listed once, so nothing depends on which section a reader looks at first.
        if entries.insert(number, entry).is_some() {
            return Err(Code::StructureUnsupported);
        }
    }
    let sections = [front.section, found.section];
    let streams = sections.into_iter().filter_map(Section::stream);
    let revision = Revision {
        start: 0,
        ends: found.start.ends,
        entries,
        trailer: front.trailer,
        section: front.section,
        body_end: main,
        front: Some(offset..front_end),
        places: Vec::new(),
        hidden: BTreeSet::new(),
        section_streams: streams.collect(),
    };
    Ok((revision, found.start.place, None))
}

/// The offset under `/Prev`.
pub(super) fn previous(trailer: &Dictionary) -> Result<Option<usize>, Code> {
    match trailer.get("Prev") {
        None => Ok(None),
        Some(Object::Integer(value)) => {
            let value = usize::try_from(*value).map_err(|_negative| Code::PreviousLoop)?;
            Ok(Some(value))
        }
        Some(_) => Err(Code::TrailerMalformed),
    }
}

/// What holds of every section: numbers are as `/Size` says.
pub(super) fn check(trailer: &Dictionary, entries: &BTreeMap<u32, Entry>) -> Result<(), Code> {
    let size = trailer.integer("Size").ok_or(Code::TrailerMalformed)?;
    let size = u32::try_from(size).map_err(|_range| Code::TrailerMalformed)?;
    let largest = entries.last_key_value();
    if largest.is_some_and(|(number, _)| *number >= size) {
        return Err(Code::SizeWrong);
    }
    match entries.get(&0) {
        None | Some(Entry::Free { .. }) => Ok(()),
        Some(_) => Err(Code::ObjectZero),
    }
}

fn rfind(data: &[u8], word: &[u8]) -> Option<usize> {
    data.windows(word.len()).rposition(|window| window == word)
}
