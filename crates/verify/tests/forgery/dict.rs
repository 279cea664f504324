//! Dictionaries as text, so that one key can be changed and the rest stays as it was.

/// A dictionary: keys with their slash, values as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dict(Vec<(String, String)>);

impl Dict {
    /// Reads the dictionary at the start of `text`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut entries = Vec::new();
        let mut rest = text.trim_start().strip_prefix("<<").unwrap();
        loop {
            rest = rest.trim_start();
            if rest.starts_with(">>") {
                return Self(entries);
            }
            let key = rest.split_at(1 + name_length(&rest[1..]));
            let (value, after) = value(key.1.trim_start());
            entries.push((key.0.to_owned(), value.to_owned()));
            rest = after;
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == key);
        found.map(|(_, value)| value.as_str())
    }

    /// The same with `key` set to `value`.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(own, _)| own == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
        self
    }

    /// The same without `key`.
    #[must_use]
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.0.retain(|(own, _)| own != key);
        self
    }

    /// The same with `key` once more, whatever stands there.
    #[must_use]
    pub(crate) fn and(mut self, key: &str, value: &str) -> Self {
        self.0.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The same with `item` at the end of the array `key`.
    #[must_use]
    pub(crate) fn with_item(self, key: &str, item: &str) -> Self {
        let array = match self.get(key).and_then(|array| array.strip_suffix(']')) {
            Some(open) => format!("{open} {item}]"),
            None => format!("[{item}]"),
        };
        self.with(key, &array)
    }

    pub(crate) fn text(&self) -> String {
        let entries = self.0.iter().map(|(key, value)| format!("{key} {value}\n"));
        format!("<<\n{}>>", entries.collect::<String>())
    }

    /// The object number of the reference under `key`.
    pub(crate) fn reference(&self, key: &str) -> Option<u32> {
        let words: Vec<&str> = self.get(key)?.split_whitespace().collect();
        match words.as_slice() {
            [number, _, "R"] => number.parse().ok(),
            _other => None,
        }
    }
}

/// The object numbers of all references in `text`.
pub(crate) fn references(text: &str) -> Vec<u32> {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || "[]<>/".contains(letter))
        .filter(|word| !word.is_empty())
        .collect();
    let three = words.windows(3).filter(|three| three[2] == "R");
    three.filter_map(|three| three[0].parse().ok()).collect()
}

fn name_length(text: &str) -> usize {
    let ends = |letter: char| letter.is_whitespace() || "/[]<>()".contains(letter);
    text.find(ends).unwrap_or(text.len())
}

/// The value at the start of `text`, and what follows it.
fn value(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let length = match bytes[0] {
        b'/' => 1 + name_length(&text[1..]),
        b'<' | b'[' | b'(' => nested(bytes),
        _number_or_word => plain(text),
    };
    text.split_at(length)
}

/// The length of what opens at the start and closes again.
fn nested(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0_usize);
    loop {
        match bytes[at] {
            b'(' => at += string(&bytes[at..]) - 1,
            b'<' | b'[' => depth += 1,
            b'>' | b']' => depth -= 1,
            _other => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
}

fn string(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0_usize);
    loop {
        match bytes[at] {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _other => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
}

/// The length of a number, a word, or a reference of three words.
fn plain(text: &str) -> usize {
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    if let [number, generation, "R"] = words.as_slice()
        && number.parse::<u32>().is_ok()
        && generation.parse::<u16>().is_ok()
    {
        return text.find('R').unwrap_or(0) + 1;
    }
    // `3 0 R>>`: the third word runs into what follows.
    if words.len() == 3 && words[2].starts_with('R') && words[0].parse::<u32>().is_ok() {
        return text.find('R').unwrap_or(0) + 1;
    }
    let ends = |letter: char| letter.is_whitespace() || "/[]<>()".contains(letter);
    text.find(ends).unwrap_or(text.len())
}

#[test]
fn a_dictionary_is_taken_apart_and_put_together() {
    let text = "<< /A 1 /B [ 1 0 R<</X(a\\)b)>> ] /C 3 0 R/D/E/F(x(y)z) /G <AB> /H<</I 2>>>>";
    let dict = Dict::parse(text);
    let values = ["/A", "/B", "/C", "/D", "/F", "/G", "/H"].map(|key| dict.get(key).unwrap());
    let expected = [
        "1",
        "[ 1 0 R<</X(a\\)b)>> ]",
        "3 0 R",
        "/E",
        "(x(y)z)",
        "<AB>",
        "<</I 2>>",
    ];
    assert_eq!(values, expected);
    assert_eq!(dict.reference("/C"), Some(3));
    assert_eq!(references("[ 1 0 R 22 0 R]"), [1, 22]);
    assert_eq!(Dict::parse(&dict.text()), dict);
}
