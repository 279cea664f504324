//! Writes small files for unit tests: revisions of given objects, offsets right.

/// Room for the byte range of a signature.
const RANGE: &str = "[0 ********** ********** **********]";

/// A file under construction.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
    previous: Option<usize>,
}

/// A signature value as a writer leaves room for it; the revision that brings it fills in the
/// byte range.
pub(crate) fn signature(entries: &str) -> String {
    format!(
        "<< {entries} /Contents <3000{}> /ByteRange {RANGE} >>",
        "00".repeat(16)
    )
}

/// A stream object.
pub(crate) fn stream(entries: &str, data: &str) -> String {
    let length = data.len();
    format!("<< {entries} /Length {length} >>\nstream\n{data}\nendstream")
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self {
            bytes: b"%PDF-1.7\n".to_vec(),
            previous: None,
        }
    }

    /// A revision with a table; the catalog is object 1.
    pub(crate) fn revision(mut self, objects: &[(u32, &str)]) -> Self {
        let start = self.bytes.len();
        let mut table = String::from("xref\n0 1\n0000000000 65535 f \n");
        for (number, text) in objects {
            table += &format!("{number} 1\n{:010} 00000 n \n", self.bytes.len());
            self.bytes
                .extend(format!("{number} 0 obj\n{text}\nendobj\n").bytes());
        }
        let section = self.bytes.len();
        let previous = self
            .previous
            .map_or(String::new(), |place| format!("/Prev {place}"));
        let trailer = format!(
            "trailer\n<< /Size 90 /Root 1 0 R {previous} >>\nstartxref\n{section}\n%%EOF\n"
        );
        self.bytes.extend((table + &trailer).bytes());
        self.previous = Some(section);
        self.fill(start);
        self
    }

    /// A revision whose objects are `packed` into the object stream 80 or stand `plain`, with a
    /// cross-reference stream, object 81.
    pub(crate) fn packed(mut self, packed: &[(u32, &str)], plain: &[(u32, &str)]) -> Self {
        let mut entries: Vec<(u32, [u8; 7])> = Vec::new();
        let row = |kind: u8, place: usize, index: usize| {
            let [.., a, b, c, d] = place.to_be_bytes();
            let [.., high, low] = index.to_be_bytes();
            [kind, a, b, c, d, high, low]
        };
        let mut place_of = |number: u32, text: &str, bytes: &mut Vec<u8>| {
            entries.push((number, row(1, bytes.len(), 0)));
            bytes.extend(format!("{number} 0 obj\n{text}\nendobj\n").bytes());
        };
        for (number, text) in plain {
            place_of(*number, text, &mut self.bytes);
        }
        let (mut head, mut body) = (String::new(), String::new());
        for (number, text) in packed {
            head += &format!("{number} {} ", body.len());
            body += &format!("{text} ");
        }
        let facts = format!("/Type /ObjStm /N {} /First {}", packed.len(), head.len());
        if !packed.is_empty() {
            let text = stream(&facts, &(head + &body));
            place_of(80, &text, &mut self.bytes);
        }
        let section = self.bytes.len();
        entries.push((81, row(1, section, 0)));
        let inside = packed.iter().enumerate();
        entries.extend(inside.map(|(index, (number, _text))| (*number, row(2, 80, index))));
        entries.sort();
        let index: String = entries
            .iter()
            .map(|(number, _row)| format!("{number} 1 "))
            .collect();
        let previous = self
            .previous
            .map_or(String::new(), |place| format!("/Prev {place}"));
        let head = format!(
            "81 0 obj\n<< /Type /XRef /W [1 4 2] /Index [{index}] /Size 90 /Root 1 0 R {previous} \
             /Length {} >>\nstream\n",
            entries.len() * 7
        );
        self.bytes.extend(head.bytes());
        for (_number, row) in &entries {
            self.bytes.extend(row);
        }
        let tail = format!("\nendstream\nendobj\nstartxref\n{section}\n%%EOF\n");
        self.bytes.extend(tail.bytes());
        self.previous = Some(section);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Fills the byte range of the signature that stands behind `start`, if there is one.
    fn fill(&mut self, start: usize) {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let Some(at) = text[start..].find(RANGE) else {
            return;
        };
        let from = start + text[start..].find("/Contents <").unwrap() + 10;
        let to = from + text[from..].find('>').unwrap() + 1;
        let range = format!("[0 {from:010} {to:010} {:010}]", text.len() - to);
        self.bytes[start + at..start + at + range.len()].copy_from_slice(range.as_bytes());
    }
}
