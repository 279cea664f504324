//! Reads the part of YAML that `docs/asyncapi.yaml` is written in: block mappings and lists by two spaces, flow lists
//! of scalars, plain and double-quoted scalars on one line, comments on lines of their own. All else is refused, so
//! that this reader and a full one cannot understand the file differently.

use serde_json::{Map, Value};

struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

struct Reader<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
}

/// Reads a document; the error names line and fault.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let body = line.trim_start_matches(' ');
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        if line.contains('\t') || line.ends_with(' ') {
            return Err(format!("line {number}: tab or space at the end"));
        }
        let indent = line.len() - body.len();
        // `- key: value` is a list entry whose mapping stands two further in.
        let (mut indent, mut body) = (indent, body);
        while let Some(rest) = body.strip_prefix("- ") {
            lines.push(Line {
                number,
                indent,
                text: "-",
            });
            (indent, body) = (indent + 2, rest);
        }
        lines.push(Line {
            number,
            indent,
            text: body,
        });
    }
    let mut reader = Reader { lines, at: 0 };
    let value = reader.block(0)?;
    match reader.lines.get(reader.at) {
        None => Ok(value),
        Some(line) => Err(format!("line {}: unexpected indentation", line.number)),
    }
}

impl<'a> Reader<'a> {
    fn peek(&self, indent: usize) -> Option<(usize, &'a str)> {
        let line = self.lines.get(self.at)?;
        (line.indent == indent).then_some((line.number, line.text))
    }

    fn block(&mut self, indent: usize) -> Result<Value, String> {
        match self.peek(indent) {
            Some((_number, "-")) => self.list(indent),
            Some((_number, text)) if key_of(text).is_some() => self.mapping(indent),
            Some((number, text)) => {
                self.at += 1;
                scalar(number, text)
            }
            None => Err(format!("an empty block, {indent} spaces in")),
        }
    }

    fn list(&mut self, indent: usize) -> Result<Value, String> {
        let mut entries = Vec::new();
        while let Some((_number, "-")) = self.peek(indent) {
            self.at += 1;
            entries.push(self.block(indent + 2)?);
        }
        Ok(Value::Array(entries))
    }

    fn mapping(&mut self, indent: usize) -> Result<Value, String> {
        let mut map = Map::new();
        while let Some((number, text)) = self.peek(indent) {
            let (key, rest) = key_of(text).ok_or(format!("line {number}: no key"))?;
            self.at += 1;
            let value = if rest.is_empty() {
                self.block(indent + 2)?
            } else {
                scalar(number, rest)?
            };
            if map.insert(key.to_owned(), value).is_some() {
                return Err(format!("line {number}: {key} stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

fn key_of(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(':')?;
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '$');
    let is_key = key.starts_with(plain) && key.chars().all(plain);
    let rest = if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix(' ')
    };
    is_key.then_some(key).zip(rest)
}

fn scalar(number: usize, text: &str) -> Result<Value, String> {
    let refused = |why: &str| Err(format!("line {number}: {why}"));
    if text.starts_with('"') {
        return serde_json::from_str(text).or_else(|_bad| refused("a quoted text that is none"));
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        let entries = inner.split(',').map(|entry| scalar(number, entry.trim()));
        return entries.collect::<Result<Vec<_>, _>>().map(Value::Array);
    }
    if text.starts_with([
        '{', '[', '&', '*', '!', '|', '>', '%', '@', '`', '\'', '?', '-',
    ]) {
        return refused("a form that this reader does not have");
    }
    if text.contains(": ") || text.contains(" #") || text.ends_with(':') {
        return refused("a text that must be quoted");
    }
    Ok(match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" | "~" => Value::Null,
        _ if text.bytes().all(|it| it.is_ascii_digit()) => match text.parse::<u64>() {
            Ok(value) => value.into(),
            Err(_large) => return refused("a number that is too large"),
        },
        _ => Value::String(text.to_owned()),
    })
}

#[test]
fn the_part_of_yaml_that_is_used_is_read_and_the_rest_refused() {
    let text = "# c\na: 1\nb:\n  - x\n  - k: \"y: z\"\n    l: [p, \"null\"]\nc:\n  d: true\n";
    let expect = serde_json::json!({
        "a": 1, "b": ["x", { "k": "y: z", "l": ["p", "null"] }], "c": { "d": true },
    });
    assert_eq!(read(text), Ok(expect));
    for bad in [
        "a: {b: 1}",
        "a: 'b'",
        "a: |",
        "a: b: c",
        "a: b # c",
        "a: 1\na: 2",
        "a:\n    b: 1",
        "a:\n  b: 1\n c: 2",
        "a: &x 1",
        "a:",
        "a: -1",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
