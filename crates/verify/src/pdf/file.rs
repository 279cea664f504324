//! A PDF file as each of its revisions shows it.

use super::budget::Budget;
use super::object::{self, Closing, Dictionary, Object, ObjectId};
use super::stream::Stream;
use super::xref::{self, Entry, Revision};
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

/// A file with all its revisions.
#[derive(Debug)]
pub(crate) struct File<'a> {
    data: &'a [u8],
    /// Oldest first.
    revisions: Vec<Revision>,
    /// What each revision says of each object, by number, oldest first.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    number: u32,
    revision: usize,
    entry: Entry,
}

impl<'a> File<'a> {
    /// Reads all cross-reference sections and trailers.
    pub(crate) fn open(data: &'a [u8], budget: &mut Budget) -> Result<Self, Code> {
        if !HEADERS.iter().any(|header| data.starts_with(header)) {
            return Err(Code::NotPdf);
        }
        let revisions = xref::revisions(data, budget)?;
        if revisions
            .iter()
            .any(|revision| revision.trailer.get("Encrypt").is_some())
        {
            return Err(Code::Encrypted);
        }
        let slots = revisions.iter().enumerate().flat_map(|(index, revision)| {
            let entries = revision.entries.iter();
            entries.map(move |(number, entry)| Slot {
                number: *number,
                revision: index,
                entry: *entry,
            })
        });
        let mut slots: Vec<Slot> = slots.collect();
        slots.sort_by_key(|slot| (slot.number, slot.revision));
        Ok(Self {
            data,
            revisions,
            slots,
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
        let slots = &self.file.slots;
        let behind =
            slots.partition_point(|slot| (slot.number, slot.revision) <= (number, self.index));
        let slot = slots.get(behind.checked_sub(1)?)?;
        (slot.number == number).then_some((slot.revision, slot.entry))
    }

    /// All objects in use, numbers rising.
    pub(crate) fn numbers(self) -> impl Iterator<Item = (u32, Entry)> + 'f {
        let newest = self.index;
        let told = self.file.slots.iter();
        let told = told.filter(move |slot| slot.revision <= newest);
        let mut told = told.peekable();
        std::iter::from_fn(move || {
            loop {
                let slot = told.next()?;
                let is_superseded = told.peek().is_some_and(|next| next.number == slot.number);
                if !is_superseded && !matches!(slot.entry, Entry::Free { .. }) {
                    return Some((slot.number, slot.entry));
                }
            }
        })
    }

    /// The catalog.
    pub(crate) fn catalog(self, budget: &mut Budget) -> Result<Dictionary, Code> {
        let Some(root @ Object::Reference(_)) = self.trailer().get("Root") else {
            return Err(Code::Malformed);
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

    fn indirect(
        self,
        id: ObjectId,
        budget: &mut Budget,
    ) -> Result<Option<(Object, Closing)>, Code> {
        let Some((_revision, Entry::Used { offset, generation })) = self.entry(id.number) else {
            return Ok(None);
        };
        if generation != id.generation {
            return Ok(None);
        }
        let found = object::parse_indirect(self.file.data, offset, id, budget)?;
        // An indirect object that is itself a reference is against the rules.
        if matches!(found.0, Object::Reference(_)) {
            Err(Code::Malformed)
        } else {
            Ok(Some(found))
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
            Some((Object::Dictionary(dictionary), Closing::Stream(start))) => {
                let length = dictionary.get("Length").ok_or(Code::Malformed)?;
                let Object::Integer(length) = self.resolve(length, budget)? else {
                    return Err(Code::Malformed);
                };
                let length = usize::try_from(length).map_err(|_negative| Code::Malformed)?;
                Stream::cut(dictionary, self.file.data, start, length).map(Some)
            }
            Some(_) => Err(Code::Malformed),
        }
    }

    /// What a string says, escapes and digits undone; none where `object` is no string.
    pub(crate) fn bytes<'o>(self, object: &'o Object) -> Option<&'o [u8]> {
        let Object::Text(text) = object else {
            return None;
        };
        Some(text.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of one revision with the given objects, offsets right.
    fn build(objects: &[&str], trailer: &str) -> String {
        let mut text = String::from("%PDF-1.7\n");
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for (index, object) in objects.iter().enumerate() {
            table += &format!("{:010} 00000 n \n", text.len());
            text += &format!("{} 0 obj\n{object}\nendobj\n", index + 1);
        }
        let start = text.len();
        let size = objects.len() + 1;
        text + &table
            + &format!("trailer\n<< /Size {size} {trailer} >>\nstartxref\n{start}\n%%EOF\n")
    }

    fn open(text: &str) -> Result<(), Code> {
        let mut budget = Budget::new();
        File::open(text.as_bytes(), &mut budget)?
            .latest()
            .catalog(&mut budget)
            .map(|_| ())
    }

    #[test]
    fn a_plain_file_opens_and_a_bent_one_is_refused() {
        let plain = build(&["<< /Type /Catalog >>"], "/Root 1 0 R");
        assert_eq!(open(&plain), Ok(()));
        let cases = [
            (plain.replace("%PDF-1.7", "%PDF-9.9"), Code::NotPdf),
            (format!(" {plain}"), Code::NotPdf),
            (
                plain.replace("00009 00000 n", "00010 00000 n"),
                Code::Malformed,
            ),
            (plain.replace("00000 n \n", "00000 n\n"), Code::Malformed),
            (plain.replace("/Catalog", "/Pages"), Code::Malformed),
            (plain.replace("/Size 2", "/Size 1"), Code::Malformed),
            (plain.replace("%%EOF", "%%E0F"), Code::Malformed),
            (plain.replace("0 2\n0", "0 999999\n0"), Code::TooComplex),
            (
                plain.replace("/Root", "/XRefStm 9 /Root"),
                Code::StructureUnsupported,
            ),
            (
                plain.replace("/Root", "/Encrypt 9 0 R /Root"),
                Code::Encrypted,
            ),
            (plain.replace("/Root", "/Prev 9 /Root"), Code::XrefStream),
            (
                plain.replace("/Root", "/Prev 99999 /Root"),
                Code::StructureUnsupported,
            ),
            (plain.replace("/Root", "/Prev -1 /Root"), Code::Malformed),
        ];
        for (text, expect) in cases {
            assert_eq!(open(&text), Err(expect), "{text}");
        }
    }

    #[test]
    fn an_object_outside_its_revision_is_refused() {
        let plain = build(&["<< /Type /Catalog >>"], "/Root 1 0 R");
        let first = plain.find("xref").unwrap();
        let update = |offset: usize| {
            let start = plain.len() + "2 0 obj null endobj\n".len();
            format!(
                "{plain}2 0 obj null endobj\nxref\n2 1\n{offset:010} 00000 n \n\
                 trailer\n<< /Size 3 /Root 1 0 R /Prev {first} >>\nstartxref\n{start}\n%%EOF\n"
            )
        };
        assert_eq!(open(&update(plain.len())), Ok(()));
        assert_eq!(
            open(&update(9)),
            Err(Code::Malformed),
            "points into the older revision"
        );
    }
}
