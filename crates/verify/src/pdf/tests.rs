//! Files made to be honest, and files that each break one rule.

use super::revision::Entry;
use super::{Budget, File, Object, ObjectId, View};
use crate::code::Code;

/// A file that grows by objects and sections.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) bytes: Vec<u8>,
    /// Number, kind, two fields; of the section that is being written.
    entries: Vec<(u32, u8, usize, usize)>,
    previous: Option<usize>,
    size: u32,
    /// Puts bytes into zlib's format.
    pub(super) zlib: fn(&[u8]) -> Vec<u8>,
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6)
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(),
            entries: vec![(0, 0, 0, 65_535)],
            previous: None,
            size: 1,
            zlib: deflated,
        }
    }

    pub(super) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    pub(super) fn entry(mut self, number: u32, kind: u8, second: usize, third: usize) -> Self {
        self.entries.push((number, kind, second, third));
        self.size = self.size.max(number + 1);
        self
    }

    pub(super) fn object(self, number: u32, text: &str) -> Self {
        let at = self.bytes.len();
        self.entry(number, 1, at, 0)
            .raw(format!("{number} 0 obj\n{text}\nendobj\n"))
    }

    pub(super) fn stream(self, number: u32, keys: &str, data: &[u8]) -> Self {
        let at = self.bytes.len();
        self.entry(number, 1, at, 0)
            .raw(format!(
                "{number} 0 obj\n<< {keys} /Length {} >>\nstream\n",
                data.len()
            ))
            .raw(data)
            .raw("\nendstream\nendobj\n")
    }

    /// An object stream that holds `objects`, each of them listed.
    pub(super) fn pack(self, number: u32, keys: &str, objects: &[(u32, &str)]) -> Self {
        let (mut head, mut body) = (String::new(), String::new());
        let mut draft = self;
        for (index, (packed, text)) in objects.iter().enumerate() {
            head += &format!("{packed} {} ", body.len());
            body += &format!("{text} ");
            draft = draft.entry(*packed, 2, usize::try_from(number).unwrap(), index);
        }
        let keys = format!(
            "/Type /ObjStm /N {} /First {} /Filter /FlateDecode {keys}",
            objects.len(),
            head.len()
        );
        let data = (draft.zlib)((head + &body).as_bytes());
        draft.stream(number, &keys, &data)
    }

    fn trailer(&self, keys: &str) -> String {
        let previous = self.previous.map(|at| format!(" /Prev {at}"));
        format!("/Size {} {keys}{}", self.size, previous.unwrap_or_default())
    }

    /// Ends the revision with a table.
    pub(super) fn table(mut self, keys: &str) -> Self {
        let at = self.bytes.len();
        let mut text = String::from("xref\n");
        self.entries.sort_unstable();
        for (number, kind, second, third) in &self.entries {
            let kind = if *kind == 0 { 'f' } else { 'n' };
            text += &format!("{number} 1\n{second:010} {third:05} {kind} \n");
        }
        text += &format!("trailer\n<< {} >>\n", self.trailer(keys));
        self.end(at, &text)
    }

    /// Ends the revision with a stream that is object `number`.
    pub(super) fn xref_stream(mut self, number: u32, keys: &str) -> Self {
        let at = self.bytes.len();
        self = self.entry(number, 1, at, 0);
        self.entries.sort_unstable();
        let (mut index, mut data) = (String::new(), Vec::new());
        for (number, kind, second, third) in &self.entries {
            index += &format!("{number} 1 ");
            data.push(*kind);
            data.extend(u32::try_from(*second).unwrap().to_be_bytes());
            data.extend(u16::try_from(*third).unwrap().to_be_bytes());
        }
        let data = (self.zlib)(&data);
        let text = format!(
            "{number} 0 obj\n<< /Type /XRef /W [1 4 2] /Index [{index}] /Filter /FlateDecode \
             /Length {} {} >>\nstream\n",
            data.len(),
            self.trailer(keys)
        );
        self.raw(text).raw(data).end(at, "\nendstream\nendobj\n")
    }

    fn end(mut self, at: usize, text: &str) -> Self {
        self.previous = Some(at);
        self.entries.clear();
        self.raw(text).raw(format!("startxref\n{at}\n%%EOF\n"))
    }
}

pub(super) const ROOT: &str = "/Root 1 0 R";
const CATALOG: &str = "<< /Type /Catalog >>";

pub(super) fn open(bytes: &[u8]) -> Result<(), Code> {
    let mut budget = Budget::new();
    let file = File::open(bytes, &mut budget)?;
    for index in 0..file.revisions().len() {
        file.view(index).catalog(&mut budget)?;
    }
    Ok(())
}

pub(super) fn plain() -> Draft {
    Draft::new().object(1, CATALOG)
}

pub(super) fn packed() -> Draft {
    Draft::new().pack(3, "", &[(1, CATALOG), (2, "[1 0 R (in a stream)]")])
}

fn get(view: View<'_, '_>, number: u32) -> Object {
    let id = ObjectId {
        number,
        generation: 0,
    };
    let found = view.resolve(&Object::Reference(id), &mut Budget::new());
    found.unwrap()
}

/// The text with one part replaced; offsets stay right when lengths do.
pub(super) fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{from} is not there"));
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn each_revision_shows_what_it_knew_whatever_kind_its_section_is() {
    for kinds in 0..8_u8 {
        let is_stream = |revision: u8| kinds & (1 << revision) != 0;
        let end = |draft: Draft, revision: u8| {
            if is_stream(revision) {
                draft.xref_stream(10 + u32::from(revision), ROOT)
            } else {
                draft.table(ROOT)
            }
        };
        let mut draft = plain().object(2, "(old)").object(4, "(goes)");
        draft = end(draft, 0);
        draft = draft.object(2, "(new)").object(5, "[2 0 R]");
        draft = end(draft, 1).entry(4, 0, 0, 1);
        draft = end(draft, 2);
        let mut budget = Budget::new();
        let file = File::open(&draft.bytes, &mut budget).unwrap();
        let said = |revision: usize, number: u32| {
            let view = file.view(revision);
            let object = get(view, number);
            view.bytes(&object).map(<[u8]>::to_vec)
        };
        assert_eq!(file.revisions().len(), 3, "kinds {kinds}");
        assert_eq!(said(0, 2).as_deref(), Some(&b"old"[..]), "kinds {kinds}");
        assert_eq!(said(1, 2).as_deref(), Some(&b"new"[..]), "kinds {kinds}");
        assert_eq!(get(file.view(0), 5), Object::Null, "kinds {kinds}");
        assert_eq!(said(1, 4).as_deref(), Some(&b"goes"[..]), "kinds {kinds}");
        assert_eq!(get(file.latest(), 4), Object::Null, "kinds {kinds}");
        let numbers: Vec<u32> = file.latest().numbers().map(|(number, _)| number).collect();
        let sections = (0..3).filter(|revision| is_stream(*revision));
        let sections = sections.map(|revision| 10 + u32::from(revision));
        let expect: Vec<u32> = [1, 2, 5].into_iter().chain(sections).collect();
        assert_eq!(numbers, expect, "kinds {kinds}");
        for (index, revision) in file.revisions().iter().enumerate() {
            for end in revision.ends {
                assert_eq!(file.revision_ending_at(end), Some(index));
            }
        }
        assert_eq!(file.revision_ending_at(draft.bytes.len() - 2), None);
    }
}

#[test]
fn objects_of_object_streams_are_read_and_have_no_place() {
    let draft = packed().xref_stream(4, ROOT);
    let mut budget = Budget::new();
    let file = File::open(&draft.bytes, &mut budget).unwrap();
    assert!(file.latest().catalog(&mut budget).is_ok());
    let Object::Array(items) = get(file.latest(), 2) else {
        panic!("an array stands there");
    };
    let Some(Object::Text(text)) = items.get(1) else {
        panic!("a string stands there");
    };
    assert_eq!((text.bytes(), text.place()), (&b"in a stream"[..], None));
    assert_eq!(
        file.latest().entry(2),
        Some((
            0,
            Entry::Packed {
                stream: 3,
                index: 1
            }
        ))
    );
    let stream = Object::Reference(ObjectId {
        number: 3,
        generation: 0,
    });
    let stream = file.latest().stream(&stream, &mut budget).unwrap().unwrap();
    assert!(stream.decoded(&mut budget).unwrap().starts_with(b"1 0 2 "));
}

#[test]
fn what_honest_producers_write_is_read() {
    let table = plain().table(ROOT).bytes;
    let update = plain().table(ROOT);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a table", table.clone()),
        ("a stream", packed().xref_stream(4, ROOT).bytes),
        (
            "no end of line at the end",
            table[..table.len() - 1].to_vec(),
        ),
        (
            "a second end-of-file comment",
            [&table[..], b"%%EOF\n"].concat(),
        ),
        ("zeros at the end", [&table[..], &[0; 64]].concat()),
        (
            "comments between objects",
            Draft::new()
                .raw("%% Original object ID: 7 0\n")
                .object(1, CATALOG)
                .raw("\n\n% note\r\n")
                .table(ROOT)
                .bytes,
        ),
        (
            "a comment in front of startxref",
            replaced(&table, ">>\nstartxref", ">>\n%iText-5.5.13\nstartxref"),
        ),
        (
            "carriage returns",
            replaced(&table, "startxref\n", "startxref\r\n"),
        ),
        ("an empty update", update.raw("\r\n").table(ROOT).bytes),
        (
            "numbers that were never used",
            plain().entry(5, 0, 0, 65_535).table(ROOT).bytes,
        ),
    ];
    for (name, bytes) in cases {
        assert_eq!(open(&bytes), Ok(()), "{name}");
    }
}

#[test]
fn the_length_of_a_stream_may_stand_behind_it_in_the_same_revision() {
    let draft = |length: &str| {
        let draft = plain();
        let at = draft.bytes.len();
        draft
            .entry(2, 1, at, 0)
            .raw("2 0 obj\n<< /Length 3 0 R >>\nstream\nabc\nendstream\nendobj\n")
            .object(3, length)
            .table(ROOT)
    };
    assert_eq!(open(&draft("3").bytes), Ok(()));
    assert_eq!(open(&draft("2").bytes), Err(Code::StreamLength));
    assert_eq!(open(&draft("(3)").bytes), Err(Code::StreamLength));
    let replaced = draft("3").object(3, "2").table(ROOT);
    assert_eq!(open(&replaced.bytes), Err(Code::LengthElsewhere));
    let freed = draft("3").entry(3, 0, 0, 1).table(ROOT);
    assert_eq!(open(&freed.bytes), Err(Code::LengthElsewhere));
    let both = draft("3");
    let at = both.bytes.len();
    let both = both
        .entry(2, 1, at, 0)
        .raw("2 0 obj\n<< /Length 3 0 R >>\nstream\nab\nendstream\nendobj\n")
        .object(3, "2")
        .table(ROOT);
    assert_eq!(open(&both.bytes), Ok(()), "replaced together");
    let older = draft("3");
    let at = older.bytes.len();
    let older = older
        .entry(4, 1, at, 0)
        .raw("4 0 obj\n<< /Length 3 0 R >>\nstream\nabc\nendstream\nendobj\n")
        .table(ROOT);
    assert_eq!(
        open(&older.bytes),
        Err(Code::LengthElsewhere),
        "of an older one"
    );
}
