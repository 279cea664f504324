//! A PDF file as each of its revisions shows it.

use super::body::{self, Body};
use super::budget::Budget;
use super::history::{History, generation};
use super::object::{self, Closing, Dictionary, Object, ObjectId};
use super::revision::{self, Entry, Revision};
use super::stream::Stream;
use crate::code::Code;

/// The versions of PDF there are; a file must start with one of them.
const HEADERS: [&[u8]; 9] = [
    b"%PDF-1.0",
    b"%PDF-1.1",
    b"%PDF-1.2",
    b"%PDF-1.3",
    b"%PDF-1.4",
    b"%PDF-1.5",
    b"%PDF-1.6",
    b"%PDF-1.7",
    b"%PDF-2.0",
];

/// How far into a file some readers look for its header.
const HEADER_BYTES: usize = 1_024;

/// A file with all its revisions, every byte of which was gone through.
#[derive(Debug)]
pub(crate) struct File<'a> {
    data: &'a [u8],
    /// Oldest first.
    revisions: Vec<Revision>,
    history: History,
    body: Body,
}

impl<'a> File<'a> {
    /// Reads all cross-reference sections and every object.
    ///
    /// # Errors
    /// The first rule that the file breaks, see the codes V-102 to V-132.
    pub(crate) fn open(data: &'a [u8], budget: &mut Budget) -> Result<Self, Code> {
        if !HEADERS.iter().any(|header| data.starts_with(header)) {
            return Err(Code::NotPdf);
        }
        let head = data.get(1..data.len().min(HEADER_BYTES));
        let mut head = head.unwrap_or_default().windows(b"%PDF-".len());
        if head.any(|window| window == b"%PDF-") {
            return Err(Code::SeveralHeaders);
        }
        let revisions = revision::chain(data, budget)?;
        if revisions
            .iter()
            .any(|revision| revision.trailer.get("Encrypt").is_some())
        {
            return Err(Code::Encrypted);
        }
        let history = History::of(&revisions)?;
        let body = body::scan(data, &revisions, &history, budget)?;
        Ok(Self {
            data,
            revisions,
            history,
            body,
        })
    }

    /// The document's bytes.
    pub(crate) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// All revisions, the original first; there is at least one.
    pub(crate) fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// Which revision ends at `end`, with or without the end-of-line marker behind its `%%EOF`.
    pub(crate) fn revision_ending_at(&self, end: usize) -> Option<usize> {
        self.revisions
            .iter()
            .position(|revision| revision.ends.contains(&end))
    }

    /// Numbers that `revision` refers to although no object has them at its end. No later revision
    /// has one either: such a file is refused.
    pub(crate) fn dangling(&self, revision: usize) -> impl Iterator<Item = u32> + '_ {
        let dangling = self
            .body
            .dangling
            .range((revision, 0)..=(revision, u32::MAX));
        dangling.map(|(_revision, number)| *number)
    }

    /// Numbers that readers before PDF 1.5 take as free: what a hybrid original has in its cross-reference stream alone.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = u32> + '_ {
        let hidden = self.revisions.iter().flat_map(|revision| &revision.hidden);
        hidden.copied()
    }

    /// The file as it stood at the end of revision `index`; one that is not there shows the latest.
    pub(crate) fn view(&self, index: usize) -> View<'_, 'a> {
        let last = self.revisions.len().saturating_sub(1);
        View {
            file: self,
            index: index.min(last),
        }
    }

    /// The file as it stands.
    pub(crate) fn latest(&self) -> View<'_, 'a> {
        self.view(usize::MAX)
    }
}

/// The file as it stood at the end of one revision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'f, 'a> {
    file: &'f File<'a>,
    index: usize,
}

impl<'f, 'a> View<'f, 'a> {
    /// Which revision it is the end of; 0 is the original.
    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// The trailer of its newest revision.
    pub(crate) fn trailer(self) -> &'f Dictionary {
        static EMPTY: std::sync::LazyLock<Dictionary> =
            std::sync::LazyLock::new(Dictionary::default);
        let newest = self.file.revisions.get(self.index);
        newest.map_or(&EMPTY, |revision| &revision.trailer)
    }

    /// What is said of the object `number`, and by which revision.
    pub(crate) fn entry(self, number: u32) -> Option<(usize, Entry)> {
        let slot = self.file.history.at(number, self.index)?;
        Some((slot.revision, slot.entry))
    }

    /// All objects in use, numbers rising.
    #[cfg(test)]
    pub(crate) fn numbers(self) -> impl Iterator<Item = (u32, Entry)> + 'f {
        self.file.history.in_use(self.index)
    }

    /// The catalog.
    pub(crate) fn catalog(self, budget: &mut Budget) -> Result<Dictionary, Code> {
        let Some(root @ Object::Reference(_)) = self.trailer().get("Root") else {
            return Err(Code::TrailerMalformed);
        };
        let catalog = self.dictionary(root, budget)?.ok_or(Code::Malformed)?;
        if catalog.name("Type") != Some(b"Catalog") {
            return Err(Code::Malformed);
        }
        Ok(catalog)
    }

    /// The object that a reference leads to; an object that is free or absent is null. Of a stream
    /// it is the dictionary.
    pub(crate) fn resolve(self, object: &Object, budget: &mut Budget) -> Result<Object, Code> {
        let Object::Reference(id) = object else {
            return Ok(object.clone());
        };
        let found = self.indirect(*id, budget)?;
        Ok(found.map_or(Object::Null, |(object, _closing)| object))
    }

    /// The object `id`; one of an object stream has no closing word.
    fn indirect(
        self,
        id: ObjectId,
        budget: &mut Budget,
    ) -> Result<Option<(Object, Option<Closing>)>, Code> {
        let Some((_revision, entry)) = self.entry(id.number) else {
            return Ok(None);
        };
        if generation(entry) != Some(id.generation) {
            return Ok(None);
        }
        match entry {
            Entry::Free { .. } => Ok(None),
            Entry::Used { offset, .. } => {
                let found = object::parse_indirect(self.file.data, offset, budget)?;
                Ok(Some((found.object, Some(found.closing))))
            }
            Entry::Packed { stream, index } => {
                let pack = self.file.body.packs.get(&stream);
                let pack = pack.ok_or(Code::PackedElsewhere)?;
                Ok(Some((pack.object(index, budget)?, None)))
            }
        }
    }

    /// The dictionary that `object` is or leads to; none where it is null.
    pub(crate) fn dictionary(
        self,
        object: &Object,
        budget: &mut Budget,
    ) -> Result<Option<Dictionary>, Code> {
        let found = self.resolve(object, budget)?;
        if found == Object::Null {
            return Ok(None);
        }
        let Object::Dictionary(found) = found else {
            return Err(Code::Malformed);
        };
        Ok(Some(found))
    }

    /// The array that `object` is or leads to; none where it is null.
    pub(crate) fn array(
        self,
        object: &Object,
        budget: &mut Budget,
    ) -> Result<Option<Vec<Object>>, Code> {
        let found = self.resolve(object, budget)?;
        if found == Object::Null {
            return Ok(None);
        }
        let Object::Array(found) = found else {
            return Err(Code::Malformed);
        };
        Ok(Some(found))
    }

    /// The stream that a reference leads to; none where that is null.
    pub(crate) fn stream(
        self,
        object: &Object,
        budget: &mut Budget,
    ) -> Result<Option<Stream<'a>>, Code> {
        let Object::Reference(id) = object else {
            return Err(Code::Malformed);
        };
        match self.indirect(*id, budget)? {
            None | Some((Object::Null, _)) => Ok(None),
            Some((Object::Dictionary(dictionary), Some(Closing::Stream(start)))) => {
                let length = dictionary.get("Length").ok_or(Code::StreamLength)?;
                let Object::Integer(length) = self.resolve(length, budget)? else {
                    return Err(Code::StreamLength);
                };
                let (stream, _end) = Stream::cut(dictionary, self.file.data, start, length)?;
                Ok(Some(stream))
            }
            Some(_) => Err(Code::Malformed),
        }
    }

    /// What a string says, escapes and digits undone; none where `object` is no string.
    pub(crate) fn bytes(self, object: &Object) -> Option<&[u8]> {
        let Object::Text(text) = object else {
            return None;
        };
        Some(text.bytes())
    }
}
