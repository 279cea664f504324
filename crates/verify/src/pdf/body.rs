//! Goes through every byte of a file and asks what it belongs to.
//!
//! What no cross-reference section lists does not exist for a reader that goes by it, but does for
//! one that repairs; and what two entries claim is read differently from each. So there may be
//! neither: between two objects stand white space and comments alone.
//!
//! # Source
//! ISO 32000-2, 7.5.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Budget;
use super::history::{History, generation};
use super::lex::Cursor;
use super::object::{self, Closing, Dictionary, Object, ObjectId};
use super::pack::Pack;
use super::revision::{Entry, Revision};
use super::stream::Stream;
use crate::code::Code;

/// References of one file to objects that there are not; honest files have few or none.
const MAX_DANGLING: usize = 1_024;

/// White space and comments behind the last `%%EOF`. Some readers look for `startxref` in the last
/// 1,024 bytes alone, and repair what they take for a damaged file.
const MAX_TAIL_BYTES: usize = 512;

/// What the walk over all bytes found.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Object streams, by number.
    pub(super) packs: BTreeMap<u32, Pack>,
    /// Objects that a revision refers to although there is none yet at its end.
    pub(super) dangling: BTreeSet<(usize, u32)>,
    /// Streams whose length is an object of its own.
    lengths: Vec<Length>,
}

#[derive(Debug, Clone, Copy)]
struct Length {
    revision: usize,
    stream: u32,
    length: u32,
}

/// Goes through all revisions, then holds them against each other.
pub(super) fn scan(
    data: &[u8],
    revisions: &[Revision],
    history: &History,
    budget: &mut Budget,
) -> Result<Body, Code> {
    let mut body = Body::default();
    let mut end = 0;
    for (index, revision) in revisions.iter().enumerate() {
        Scan {
            data,
            revision,
            index,
            history,
            body: &mut body,
            budget,
        }
        .run()?;
        [end, _] = revision.ends;
    }
    gap(data, end, data.len(), budget)?;
    if data.len().saturating_sub(end) > MAX_TAIL_BYTES {
        return Err(Code::Stray);
    }
    body.between(history)?;
    Ok(body)
}

impl Body {
    /// Rules between revisions.
    fn between(&self, history: &History) -> Result<(), Code> {
        for (revision, number) in &self.dangling {
            let mut later = history.after(*number, *revision);
            if later.any(|slot| generation(slot.entry).is_some()) {
                return Err(Code::FilledLater);
            }
        }
        for (number, pack) in &self.packs {
            // The objects in it would change or vanish with it.
            if history.after(*number, pack.revision).next().is_some() {
                return Err(Code::PackedElsewhere);
            }
        }
        for length in &self.lengths {
            for later in history.after(length.length, length.revision) {
                // Replaced together with its stream it harms nothing.
                let stream = history.at(length.stream, later.revision);
                if stream.is_none_or(|stream| stream.revision <= length.revision) {
                    return Err(Code::LengthElsewhere);
                }
            }
        }
        Ok(())
    }

    fn see(&mut self, object: &Object, revision: usize, history: &History) -> Result<(), Code> {
        let mut wrong = None;
        object.references(&mut |id| {
            let slot = history.at(id.number, revision);
            match slot.and_then(|slot| generation(slot.entry)) {
                Some(generation) if generation != id.generation => {
                    wrong = Some(Code::Generation);
                }
                Some(_) => {}
                None if self.dangling.len() < MAX_DANGLING => {
                    self.dangling.insert((revision, id.number));
                }
                None => wrong = Some(Code::TooComplex),
            }
        });
        wrong.map_or(Ok(()), Err)
    }
}

struct Scan<'s, 'a> {
    data: &'a [u8],
    revision: &'s Revision,
    index: usize,
    history: &'s History,
    body: &'s mut Body,
    budget: &'s mut Budget,
}

impl Scan<'_, '_> {
    fn run(&mut self) -> Result<(), Code> {
        let mut position = match self.index {
            0 => header_line(self.data)?,
            _later => self.revision.start,
        };
        let front = self.revision.front.as_ref();
        // Sections in between, which were read already.
        let mut passed = front.into_iter().chain(&self.revision.places).peekable();
        let mut is_first = true;
        for (offset, id) in self.places() {
            while let Some(section) = passed.next_if(|section| section.start <= offset) {
                gap(self.data, position, section.start, self.budget)?;
                position = section.end;
            }
            // The sections were read already.
            if self.revision.section_streams.contains(&(offset, id.number)) {
                continue;
            }
            gap(self.data, position, offset, self.budget)?;
            let (end, dictionary) = self.object(offset, id)?;
            if std::mem::take(&mut is_first) && front.is_some() {
                linearization(dictionary.as_ref(), self.revision)?;
            }
            position = end;
        }
        for section in passed {
            // Behind the front of a linearized file stands what it is the front of.
            if front.is_some() {
                return Err(Code::Overlap);
            }
            gap(self.data, position, section.start, self.budget)?;
            position = section.end;
        }
        gap(self.data, position, self.revision.body_end, self.budget)?;
        self.body
            .see_dictionary(&self.revision.trailer, self.index, self.history)?;
        self.packed()
    }

    /// All objects that stand in the file, by place.
    fn places(&self) -> Vec<(usize, ObjectId)> {
        let entries = self.revision.entries.iter();
        let places = entries.filter_map(|(number, entry)| {
            let Entry::Used { offset, generation } = *entry else {
                return None;
            };
            let number = *number;
            Some((offset, ObjectId { number, generation }))
        });
        let mut places: Vec<(usize, ObjectId)> = places.collect();
        places.sort_unstable();
        places
    }

    /// Reads the object at `offset`, and says where it ends.
    fn object(&mut self, offset: usize, id: ObjectId) -> Result<(usize, Option<Dictionary>), Code> {
        let found = object::parse_indirect(self.data, offset, self.budget)?;
        if found.id.number != id.number {
            return Err(Code::ObjectHeader);
        }
        if found.id.generation != id.generation {
            return Err(Code::Generation);
        }
        self.body.see(&found.object, self.index, self.history)?;
        match (found.object, found.closing) {
            (Object::Dictionary(dictionary), Closing::Stream(start)) => {
                let end = self.stream(id, dictionary, start)?;
                Ok((end, None))
            }
            (Object::Dictionary(dictionary), Closing::Object(end)) => Ok((end, Some(dictionary))),
            (_, Closing::Object(end) | Closing::Stream(end)) => Ok((end, None)),
        }
    }

    fn stream(
        &mut self,
        id: ObjectId,
        dictionary: Dictionary,
        start: usize,
    ) -> Result<usize, Code> {
        let length = match dictionary.get("Length") {
            Some(Object::Integer(length)) => *length,
            Some(Object::Reference(length)) => self.length(id.number, length.number)?,
            Some(_) | None => return Err(Code::StreamLength),
        };
        let (stream, end) = Stream::cut(dictionary, self.data, start, length)?;
        match stream.dictionary.name("Type") {
            Some(b"ObjStm") => self.pack(id.number, &stream)?,
            // One that the chain does not lead to counts for a reader that repairs.
            Some(b"XRef") => return Err(Code::XrefMalformed),
            Some(_) | None => {}
        }
        Ok(end)
    }

    /// The length that stands in an object of its own, which must be one of this revision.
    fn length(&mut self, stream: u32, length: u32) -> Result<i64, Code> {
        let Some(Entry::Used { offset, .. }) = self.revision.entries.get(&length) else {
            return Err(Code::LengthElsewhere);
        };
        let value = object::parse_integer(self.data, *offset, self.budget)?;
        let value = value.ok_or(Code::StreamLength)?;
        self.body.lengths.push(Length {
            revision: self.index,
            stream,
            length,
        });
        Ok(value)
    }

    /// Reads an object stream; every object in it must be listed by this revision, once, as there.
    fn pack(&mut self, number: u32, stream: &Stream<'_>) -> Result<(), Code> {
        let (index, history) = (self.index, self.history);
        let most = self.revision.entries.len();
        let mut wrong = Ok(());
        let body = &mut *self.body;
        let mut see = |object: &Object| {
            if wrong.is_ok() {
                wrong = body.see(object, index, history);
            }
        };
        let pack = Pack::read(stream, index, most, self.budget, &mut see)?;
        wrong?;
        for (place, packed) in (0_u32..).zip(pack.numbers()) {
            let listed = self.revision.entries.get(&packed);
            let expect = Entry::Packed {
                stream: number,
                index: place,
            };
            if listed != Some(&expect) {
                return Err(Code::ObjectStream);
            }
        }
        self.body.packs.insert(number, pack);
        Ok(())
    }

    /// Every object that is said to stand in an object stream does, in one of this revision.
    fn packed(&self) -> Result<(), Code> {
        for (number, entry) in &self.revision.entries {
            let Entry::Packed { stream, index } = entry else {
                continue;
            };
            let Some(pack) = self.body.packs.get(stream) else {
                // It is there, but is no object stream.
                let is_own = self.revision.entries.contains_key(stream);
                return Err(if is_own {
                    Code::ObjectStream
                } else {
                    Code::PackedElsewhere
                });
            };
            if pack.revision != self.index {
                return Err(Code::PackedElsewhere);
            }
            if pack.number(*index) != Some(*number) {
                return Err(Code::ObjectStream);
            }
        }
        let own = self.body.packs.values();
        let own = own.filter(|pack| pack.revision == self.index);
        let mut extended = own.filter_map(|pack| pack.extends);
        if extended.all(|number| self.body.packs.contains_key(&number)) {
            Ok(())
        } else {
            Err(Code::ObjectStream)
        }
    }
}

impl Body {
    fn see_dictionary(
        &mut self,
        dictionary: &Dictionary,
        revision: usize,
        history: &History,
    ) -> Result<(), Code> {
        for (_key, value) in dictionary.iter() {
            self.see(value, revision, history)?;
        }
        Ok(())
    }
}

/// Between two parts of a file stand white space and comments alone.
fn gap(data: &[u8], start: usize, end: usize, budget: &mut Budget) -> Result<(), Code> {
    let length = end.checked_sub(start).ok_or(Code::Overlap)?;
    budget.spend(length)?;
    let mut cursor = Cursor::at(data.get(..end).unwrap_or_default(), start);
    cursor.skip_space()?;
    if cursor.position() == end {
        Ok(())
    } else {
        Err(Code::Stray)
    }
}

/// Where the first line ends: it holds the header and nothing else.
fn header_line(data: &[u8]) -> Result<usize, Code> {
    let mut cursor = Cursor::at(data, 0);
    // As long as `%PDF-1.7`.
    cursor.take(8).ok_or(Code::NotPdf)?;
    let end = cursor.position();
    cursor.skip_blanks();
    if cursor.position() == end {
        return Err(Code::NotPdf);
    }
    Ok(end)
}

/// The first object of a linearized file says how long that file is: nothing was added to it.
fn linearization(dictionary: Option<&Dictionary>, revision: &Revision) -> Result<(), Code> {
    let dictionary = dictionary.ok_or(Code::StructureUnsupported)?;
    let length = dictionary.integer("L");
    let length = length.and_then(|length| usize::try_from(length).ok());
    let is_whole = length.is_some_and(|length| revision.ends.contains(&length));
    if dictionary.get("Linearized").is_some() && is_whole {
        Ok(())
    } else {
        Err(Code::StructureUnsupported)
    }
}
