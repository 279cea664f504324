//! Revisions of a PDF file, as its cross-reference tables tell them.
//!
//! Every revision is `objects… xref table, trailer, startxref, %%EOF`; the newest one names the
//! one before it. A reader that repairs or merges revisions cannot tell what was signed.
//!
//! # Source
//! ISO 32000-2, 7.5.

use std::collections::BTreeMap;

use super::lex::{Budget, Cursor, Token};
use super::object::{self, Dictionary, Object};
use crate::code::Code;

/// Objects of one file; an honest family card has about 30, a scanned bundle some thousands.
const MAX_OBJECTS: u32 = 100_000;

/// Revisions of one file; signing and archiving an honest document makes fewer than 10.
const MAX_REVISIONS: usize = 32;

/// Length of one table entry, end-of-line marker included.
const ENTRY_BYTES: usize = 20;

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

/// One entry of a table: where the object stands, or that it is free.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Free,
    Used { offset: usize, generation: u16 },
}

/// One revision.
#[derive(Debug)]
struct Revision {
    table_offset: usize,
    entries: BTreeMap<u32, Entry>,
    trailer: Dictionary,
    /// Behind `%%EOF`, without and with the end-of-line marker that may follow.
    ends: [usize; 2],
}

/// The file as its newest revision shows it.
#[derive(Debug)]
pub(crate) struct File<'a> {
    data: &'a [u8],
    /// Newest first.
    revisions: Vec<Revision>,
    objects: BTreeMap<u32, Entry>,
}

impl<'a> File<'a> {
    /// Reads all tables and trailers.
    pub(crate) fn open(data: &'a [u8], budget: &mut Budget) -> Result<Self, Code> {
        if !HEADERS.iter().any(|header| data.starts_with(header)) {
            return Err(Code::NotPdf);
        }
        let revisions = revisions(data, budget)?;
        let mut objects = BTreeMap::new();
        for revision in revisions.iter().rev() {
            objects.extend(
                revision
                    .entries
                    .iter()
                    .map(|(number, entry)| (*number, *entry)),
            );
        }
        if revisions
            .iter()
            .any(|revision| revision.trailer.get("Encrypt").is_some())
        {
            return Err(Code::Encrypted);
        }
        Ok(Self {
            data,
            revisions,
            objects,
        })
    }

    /// The document's bytes.
    pub(crate) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Whether a revision ends at `offset`.
    pub(crate) fn revision_ends_at(&self, offset: usize) -> bool {
        self.revisions
            .iter()
            .any(|revision| revision.ends.contains(&offset))
    }

    /// The catalog.
    pub(crate) fn catalog(&self, budget: &mut Budget) -> Result<Dictionary, Code> {
        let newest = self.revisions.first().ok_or(Code::Malformed)?;
        let Some(root @ Object::Reference(_)) = newest.trailer.get("Root") else {
            return Err(Code::Malformed);
        };
        let catalog = self.dictionary(root, budget)?.ok_or(Code::Malformed)?;
        if catalog.name("Type") != Some(b"Catalog") {
            return Err(Code::Malformed);
        }
        Ok(catalog)
    }

    /// The object that a reference leads to; an object that is free or absent is null.
    pub(crate) fn resolve(&self, object: &Object, budget: &mut Budget) -> Result<Object, Code> {
        let Object::Reference(id) = object else {
            return Ok(object.clone());
        };
        let Some(Entry::Used { offset, generation }) = self.objects.get(&id.number) else {
            return Ok(Object::Null);
        };
        if *generation != id.generation {
            return Ok(Object::Null);
        }
        let found = object::parse_indirect(self.data, *offset, *id, budget)?;
        // An indirect object that is itself a reference is against the rules.
        if matches!(found, Object::Reference(_)) {
            Err(Code::Malformed)
        } else {
            Ok(found)
        }
    }

    /// The dictionary that `object` is or leads to; none where it is null.
    pub(crate) fn dictionary(
        &self,
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
        &self,
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
}

/// Follows the tables from the newest revision to the first.
fn revisions(data: &[u8], budget: &mut Budget) -> Result<Vec<Revision>, Code> {
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
    Ok(revisions)
}

/// A newer revision must lie wholly behind the older one, with all its objects.
fn order(newer: &Revision, older: &Revision) -> Result<(), Code> {
    let [older_end, _] = older.ends;
    if newer.table_offset < older_end {
        return Err(Code::Malformed);
    }
    within(newer, older_end)
}

/// All objects of a revision must stand between `start` and its table.
fn within(revision: &Revision, start: usize) -> Result<(), Code> {
    let place = start..revision.table_offset;
    let outside = revision.entries.values().any(|entry| match entry {
        Entry::Free => false,
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
            table_offset: offset,
            entries,
            trailer,
            ends,
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
        b'f' => Some(Entry::Free),
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
