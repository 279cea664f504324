//! Writes incremental updates behind a document, honest or not: the text is the test's own.

use std::collections::BTreeMap;

/// Room for the byte range of a signature that an update brings.
pub(crate) const RANGE: &str = "[0 ********** ********** **********]";

/// What one update says of an object.
#[derive(Debug, Clone)]
enum Entry {
    Used(u16, Vec<u8>),
    Free,
}

/// An update under construction.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    base: Vec<u8>,
    objects: BTreeMap<u32, Entry>,
    trailer: BTreeMap<String, String>,
    junk: Vec<u8>,
}

impl Update {
    /// An update behind `base` that names the same catalog, information and identifier.
    pub(crate) fn on(base: &[u8]) -> Self {
        let trailer = [
            ("Root", "6 0 R"),
            ("Info", "7 0 R"),
            (
                "ID",
                "[<00d576e551750a28dd2d1fa9b08238b6> <0102030405060708090a0b0c0d0e0f10>]",
            ),
            ("Size", "99"),
        ];
        Self {
            base: base.to_vec(),
            objects: BTreeMap::new(),
            trailer: trailer
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            junk: Vec::new(),
        }
    }

    pub(crate) fn object(self, number: u32, text: &str) -> Self {
        self.raw(number, 0, text.as_bytes().to_vec())
    }

    pub(crate) fn generation(self, number: u32, generation: u16, text: &str) -> Self {
        self.raw(number, generation, text.as_bytes().to_vec())
    }

    pub(crate) fn stream(self, number: u32, entries: &str, data: &[u8]) -> Self {
        let head = format!("<< {entries} /Length {} >>\nstream\n", data.len());
        self.raw(number, 0, [head.as_bytes(), data, b"\nendstream"].concat())
    }

    fn raw(mut self, number: u32, generation: u16, body: Vec<u8>) -> Self {
        self.objects.insert(number, Entry::Used(generation, body));
        self
    }

    /// The object `number` as it is, with `from` replaced by `to` in it.
    pub(crate) fn edit(self, number: u32, from: &str, to: &str) -> Self {
        let now = text_of(&self.base, number);
        assert!(now.contains(from), "object {number} has {from}: {now}");
        let text = now.replacen(from, to, 1);
        self.object(number, &text)
    }

    /// The object `number` once more, as it is.
    pub(crate) fn copy(self, number: u32) -> Self {
        let body = bytes_of(&self.base, number);
        self.raw(number, 0, body)
    }

    pub(crate) fn free(mut self, number: u32) -> Self {
        self.objects.insert(number, Entry::Free);
        self
    }

    /// An entry of the trailer; an empty value takes it away.
    pub(crate) fn trailer(mut self, key: &str, value: &str) -> Self {
        self.trailer.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Bytes in front of the cross-reference table that belong to no object.
    pub(crate) fn junk(mut self, bytes: &[u8]) -> Self {
        self.junk = bytes.to_vec();
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let previous = last_number(&self.base);
        let mut out = self.base.clone();
        let mut table = String::from("xref\n0 1\n0000000000 65535 f \n");
        for (number, entry) in &self.objects {
            let line = match entry {
                Entry::Free => "0000000000 00001 f \n".to_owned(),
                Entry::Used(generation, body) => {
                    let line = format!("{:010} {generation:05} n \n", out.len());
                    out.extend(format!("{number} {generation} obj\n").bytes());
                    out.extend(body);
                    out.extend(b"\nendobj\n");
                    line
                }
            };
            table += &format!("{number} 1\n{line}");
        }
        out.extend(&self.junk);
        let start = out.len();
        table += "trailer\n<<";
        for (key, value) in self
            .trailer
            .iter()
            .filter(|(_key, value)| !value.is_empty())
        {
            table += &format!(" /{key} {value}");
        }
        table += &format!(" /Prev {previous} >>\nstartxref\n{start}\n%%EOF\n");
        out.extend(table.bytes());
        range(&mut out, self.base.len());
        out
    }
}

/// A signature value as a writer leaves room for it; `build` fills in the byte range.
pub(crate) fn stamp(kind: &str, sub_filter: &str) -> String {
    format!(
        "<< /Type /{kind} /Filter /Adobe.PPKLite /SubFilter /{sub_filter} /Contents <{}> \
         /ByteRange {RANGE} >>",
        "30030201".to_owned() + &"00".repeat(64)
    )
}

/// Fills the byte range that `stamp` left, if there is one behind `from`.
fn range(out: &mut [u8], from: usize) {
    let find = |out: &[u8], word: &[u8]| {
        let window = out[from..].windows(word.len());
        window
            .clone()
            .position(|window| window == word)
            .map(|at| at + from)
    };
    let Some(at) = find(out, RANGE.as_bytes()) else {
        return;
    };
    let start = find(out, b"/Contents <").unwrap() + 10;
    let length = out[start..].iter().position(|byte| *byte == b'>').unwrap() + 1;
    let end = start + length;
    let tail = out.len() - end;
    let text = format!("[0 {start:010} {end:010} {tail:010}]");
    out[at..at + text.len()].copy_from_slice(text.as_bytes());
}

/// The newest text of an object.
pub(crate) fn text_of(document: &[u8], number: u32) -> String {
    String::from_utf8_lossy(&bytes_of(document, number)).into_owned()
}

fn bytes_of(document: &[u8], number: u32) -> Vec<u8> {
    let head = format!("\n{number} 0 obj\n");
    let at = document
        .windows(head.len())
        .rposition(|window| window == head.as_bytes())
        .unwrap();
    let start = at + head.len();
    let end = document[start..]
        .windows(7)
        .position(|window| window == b"\nendobj")
        .unwrap();
    document[start..start + end].to_vec()
}

/// The last `startxref` of a document.
fn last_number(document: &[u8]) -> String {
    let text = String::from_utf8_lossy(document);
    let last = text.rsplit("startxref\n").next().unwrap();
    last.lines().next().unwrap().to_owned()
}
