//! A signed document as a forger sees it: what stands where, and what may follow.

use std::collections::BTreeMap;

use crate::dict::{Dict, references};

/// The card without a signature: what its objects say where a file packs them into streams.
const UNSIGNED: &[u8] = include_bytes!("../../../../tests/fixtures/originals/unsigned-table.pdf");

/// The page tree of the card, and what hangs in it; every original is made from it.
pub(crate) const TREE: u32 = 2;
pub(crate) const FONT: u32 = 3;
pub(crate) const CONTENTS: [u32; 2] = [4, 6];
pub(crate) const PAGES: [u32; 2] = [5, 7];

/// One revision's end and the objects up to there, of one original.
#[derive(Debug, Clone)]
pub(crate) struct Doc {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    objects: BTreeMap<u32, String>,
    /// Where the newest table stands.
    pub(crate) table: usize,
    /// Whether that is a cross-reference stream.
    pub(crate) has_streams: bool,
    /// What the newest trailer says.
    pub(crate) trailer: Dict,
    pub(crate) root: u32,
    /// The number of an object that is not there.
    pub(crate) next: u32,
}

impl Doc {
    pub(crate) fn of(name: &str, bytes: &[u8]) -> Self {
        let mut objects = objects(UNSIGNED);
        objects.extend(objects_of_file(bytes));
        let word = rfind(bytes, b"startxref").unwrap();
        let number = text(&bytes[word + 9..]);
        let table: usize = number.split_whitespace().next().unwrap().parse().unwrap();
        // One signer's start points at the line end before its table.
        let table_text = text(&bytes[table..table + 6]);
        let has_streams = !table_text.trim_start().starts_with("xref");
        let word: &[u8] = if has_streams { b"obj" } else { b"trailer" };
        let trailer = table + find(&bytes[table..], word).unwrap() + word.len();
        let trailer = Dict::parse(&text(&bytes[trailer..]));
        let root = trailer.reference("/Root").unwrap();
        let next = trailer.get("/Size").unwrap().parse().unwrap();
        Self {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
            objects,
            table,
            has_streams,
            trailer,
            root,
            next,
        }
    }

    /// What the object says, up to its stream.
    pub(crate) fn dict(&self, number: u32) -> Dict {
        Dict::parse(&self.objects[&number])
    }

    pub(crate) fn catalog(&self) -> Dict {
        self.dict(self.root)
    }

    /// The bytes of a content stream of the card.
    pub(crate) fn stream(number: u32) -> Vec<u8> {
        let start = find(UNSIGNED, format!("\n{number} 0 obj").as_bytes()).unwrap();
        let from = start + find(&UNSIGNED[start..], b"stream\n").unwrap() + 7;
        let length = find(&UNSIGNED[from..], b"\nendstream").unwrap();
        UNSIGNED[from..from + length].to_vec()
    }

    /// The form: its number where it is an object of its own.
    pub(crate) fn form(&self) -> (Option<u32>, Dict) {
        let catalog = self.catalog();
        match catalog.reference("/AcroForm") {
            Some(number) => (Some(number), self.dict(number)),
            None => (None, Dict::parse(catalog.get("/AcroForm").unwrap())),
        }
    }

    /// The field of the office's signature, and the number of the signature itself.
    pub(crate) fn field(&self) -> (u32, Dict, u32) {
        let (_, form) = self.form();
        let fields = references(form.get("/Fields").unwrap());
        let field = self.dict(fields[0]);
        let signature = field.reference("/V").unwrap();
        (fields[0], field, signature)
    }

    /// The catalog with its form replaced, and the form where it is an object of its own.
    pub(crate) fn with_form(&self, form: &Dict) -> (u32, String) {
        match self.form() {
            (Some(number), _) => (number, form.text()),
            (None, _) => (
                self.root,
                self.catalog().with("/AcroForm", &form.text()).text(),
            ),
        }
    }
}

/// Where the revision of the first signature ends: the end of its last byte range.
pub(crate) fn signed_end(bytes: &[u8]) -> usize {
    let [_, _, start, length] = byte_range(bytes);
    start + length
}

/// The numbers of the first byte range that holds four.
pub(crate) fn byte_range(bytes: &[u8]) -> [usize; 4] {
    let at = find(bytes, b"/ByteRange").unwrap();
    let text = text(&bytes[at..at + 80]);
    let inner = text.split(['[', ']']).nth(1).unwrap();
    let numbers: Vec<usize> = inner
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

/// The bytes that the first signature covers, and the gap between the angle brackets.
pub(crate) fn gap(bytes: &[u8]) -> std::ops::Range<usize> {
    let [_, start, end, _] = byte_range(bytes);
    start + 1..end - 1
}

fn objects_of_file(bytes: &[u8]) -> BTreeMap<u32, String> {
    let mut found = objects(bytes);
    // Containers of objects and tables are not objects of the document.
    found.retain(|_, body| !body.contains("/Type /ObjStm") && !body.contains("/Type /XRef"));
    found
}

/// All objects that stand plainly in the file, the newest of each number.
fn objects(bytes: &[u8]) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    let mut at = 0;
    while let Some(step) = find(&bytes[at..], b" 0 obj") {
        let word = at + step;
        let digits = bytes[..word]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let number = text(&bytes[word - digits..word]).parse();
        at = word + 6;
        let end = find(&bytes[at..], b"endobj").map_or(bytes.len(), |end| at + end);
        let body = &bytes[at..end];
        let dictionary = find(body, b"stream").map_or(body, |stream| &body[..stream]);
        if let Ok(number) = number
            && text(dictionary).trim_start().starts_with("<<")
        {
            found.insert(number, text(dictionary));
        }
    }
    found
}

pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

pub(crate) fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let first = word[0];
    let mut from = 0;
    loop {
        let step = bytes[from..].iter().position(|byte| *byte == first)?;
        if bytes[from + step..].starts_with(word) {
            return Some(from + step);
        }
        from += step + 1;
    }
}

pub(crate) fn rfind(bytes: &[u8], word: &[u8]) -> Option<usize> {
    (0..=bytes.len().checked_sub(word.len())?)
        .rev()
        .find(|at| bytes[*at..].starts_with(word))
}
