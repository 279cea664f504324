//! One update behind a document, in each way that the format knows to write it down.

use std::collections::BTreeMap;

use crate::dict::Dict;
use crate::doc::Doc;

/// How the update's table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A table and a trailer.
    Table,
    /// A cross-reference stream.
    Stream,
    /// A cross-reference stream behind a filter.
    Filtered,
    /// Objects in an object stream, behind a cross-reference stream.
    Packed,
    /// The same, both behind filters.
    PackedFiltered,
    /// A table whose trailer names a cross-reference stream with the rest.
    Hybrid,
}

/// Objects that are new or other than before, and those that are gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    objects: BTreeMap<u32, (u16, Vec<u8>)>,
    freed: Vec<(u32, u16)>,
    trailer: Vec<(&'static str, Option<String>)>,
}

impl Update {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One object more.
    #[must_use]
    pub(crate) fn object(mut self, number: u32, body: impl Into<Vec<u8>>) -> Self {
        self.objects.insert(number, (0, body.into()));
        self
    }

    /// One object of another generation.
    #[must_use]
    pub(crate) fn generation(mut self, number: u32, generation: u16, body: String) -> Self {
        self.objects.insert(number, (generation, body.into()));
        self
    }

    /// One stream more.
    #[must_use]
    pub(crate) fn stream(self, number: u32, keys: &str, data: &[u8]) -> Self {
        let mut body = format!("<< {keys} /Length {} >>\nstream\n", data.len()).into_bytes();
        body.extend(data);
        body.extend(b"\nendstream");
        self.object(number, body)
    }

    /// One object less.
    #[must_use]
    pub(crate) fn free(mut self, number: u32, generation: u16) -> Self {
        self.freed.push((number, generation));
        self
    }

    /// Another word in the trailer, or one less.
    #[must_use]
    pub(crate) fn trailer(mut self, key: &'static str, value: Option<&str>) -> Self {
        self.trailer.push((key, value.map(str::to_owned)));
        self
    }

    /// The document with this update behind it.
    pub(crate) fn behind(&self, doc: &Doc, form: Form) -> Vec<u8> {
        let mut out = doc.bytes.clone();
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        let mut rows: BTreeMap<u32, Row> = BTreeMap::new();
        for (number, generation) in &self.freed {
            rows.insert(*number, Row::Free(*generation));
        }
        let size = self.objects.keys().max().map_or(0, |most| most + 1);
        let size = size.max(doc.next);
        let packs = matches!(form, Form::Packed | Form::PackedFiltered | Form::Hybrid);
        let mut packed = Vec::new();
        for (number, (generation, body)) in &self.objects {
            let is_stream = body.ends_with(b"endstream");
            // A form's field with a signature stays outside, as signers do it.
            if packs && !is_stream && *generation == 0 {
                packed.push((*number, body.clone()));
                continue;
            }
            rows.insert(*number, Row::At(out.len(), *generation));
            out.extend(format!("{number} {generation} obj\n").bytes());
            out.extend(body);
            out.extend(b"\nendobj\n");
        }
        let (container, own) = (size, size + 1);
        if packs {
            for (index, (number, _)) in packed.iter().enumerate() {
                rows.insert(*number, Row::In(container, index));
            }
            rows.insert(container, Row::At(out.len(), 0));
            let is_filtered = form == Form::PackedFiltered;
            out.extend(container_of(container, &packed, is_filtered));
        }
        let size = if form == Form::Table { size } else { own + 1 };
        let trailer = self.trailer_of(doc, size);
        match form {
            Form::Table => table(&mut out, &rows, &trailer),
            Form::Hybrid => hybrid(&mut out, rows, &trailer, own),
            Form::Stream | Form::Filtered | Form::Packed | Form::PackedFiltered => {
                let is_filtered = matches!(form, Form::Filtered | Form::PackedFiltered);
                let start = out.len();
                rows.insert(own, Row::At(start, 0));
                out.extend(rows_as_stream(own, &rows, &trailer, is_filtered));
                out.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
            }
        }
        out
    }

    fn trailer_of(&self, doc: &Doc, size: u32) -> Dict {
        let mut trailer = Dict::default().with("/Size", &size.to_string());
        for key in ["/Root", "/Info", "/ID"] {
            if let Some(value) = doc.trailer.get(key) {
                trailer = trailer.with(key, value);
            }
        }
        trailer = trailer.with("/Prev", &doc.table.to_string());
        for (key, value) in &self.trailer {
            trailer = match value {
                Some(value) => trailer.with(key, value),
                None => trailer.without(key),
            };
        }
        trailer
    }
}

/// One line of a table.
#[derive(Debug, Clone, Copy)]
enum Row {
    Free(u16),
    At(usize, u16),
    In(u32, usize),
}

fn table(out: &mut Vec<u8>, rows: &BTreeMap<u32, Row>, trailer: &Dict) {
    let start = out.len();
    out.extend(b"xref\n");
    if rows.is_empty() {
        out.extend(b"0 0\n");
    }
    for (number, row) in rows {
        let line = match row {
            Row::Free(generation) => format!("{number} 1\n0000000000 {generation:05} f \n"),
            Row::At(offset, generation) => {
                format!("{number} 1\n{offset:010} {generation:05} n \n")
            }
            Row::In(..) => continue,
        };
        out.extend(line.bytes());
    }
    let text = trailer.text();
    out.extend(format!("trailer\n{text}\nstartxref\n{start}\n%%EOF\n").bytes());
}

/// What is packed stands in a stream that old readers pass over; the table has the rest.
fn hybrid(out: &mut Vec<u8>, mut rows: BTreeMap<u32, Row>, trailer: &Dict, own: u32) {
    let start = out.len();
    let hidden = rows
        .iter()
        .filter(|(_, row)| matches!(row, Row::In(..)))
        .map(|(number, row)| (*number, *row));
    let hidden: BTreeMap<u32, Row> = hidden.collect();
    let size = trailer.get("/Size").unwrap_or("1");
    let own_trailer = Dict::default().with("/Size", size);
    out.extend(rows_as_stream(own, &hidden, &own_trailer, false));
    rows.insert(own, Row::At(start, 0));
    table(
        out,
        &rows,
        &trailer.clone().with("/XRefStm", &start.to_string()),
    );
}

fn rows_as_stream(
    own: u32,
    rows: &BTreeMap<u32, Row>,
    trailer: &Dict,
    is_filtered: bool,
) -> Vec<u8> {
    let mut data = Vec::new();
    let mut index = String::new();
    for (number, row) in rows {
        index += &format!("{number} 1 ");
        let (kind, first, second) = match row {
            Row::Free(generation) => (0, 0, usize::from(*generation)),
            Row::At(offset, generation) => (1, *offset, usize::from(*generation)),
            Row::In(container, index) => (2, usize::try_from(*container).unwrap(), *index),
        };
        data.push(kind);
        data.extend(&first.to_be_bytes()[4..]);
        data.extend(&second.to_be_bytes()[6..]);
    }
    let dict = trailer
        .clone()
        .with("/Type", "/XRef")
        .with("/W", "[1 4 2]")
        .with("/Index", &format!("[{index}]"));
    stream(own, dict, data, is_filtered)
}

fn container_of(own: u32, packed: &[(u32, Vec<u8>)], is_filtered: bool) -> Vec<u8> {
    let (mut head, mut body) = (String::new(), Vec::new());
    for (number, object) in packed {
        head += &format!("{number} {} ", body.len());
        body.extend(object);
        body.push(b'\n');
    }
    let dict = Dict::default()
        .with("/Type", "/ObjStm")
        .with("/N", &packed.len().to_string())
        .with("/First", &head.len().to_string());
    stream(own, dict, [head.into_bytes(), body].concat(), is_filtered)
}

fn stream(number: u32, dict: Dict, data: Vec<u8>, is_filtered: bool) -> Vec<u8> {
    let (dict, data) = if is_filtered {
        (dict.with("/Filter", "/FlateDecode"), stored(&data))
    } else {
        (dict, data)
    };
    let dict = dict.with("/Length", &data.len().to_string());
    let mut out = format!("{number} 0 obj\n{}\nstream\n", dict.text()).into_bytes();
    out.extend(data);
    out.extend(b"\nendstream\nendobj\n");
    out
}

/// The data as a zlib stream that compresses nothing (RFC 1950, RFC 1951 3.2.4).
fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in data {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    out.extend((high << 16 | low).to_be_bytes());
    out
}
