//! Objects of a PDF file.
//!
//! # Source
//! ISO 32000-2, 7.3.

use std::str::FromStr;

use super::budget::Budget;
use super::lex::{Cursor, Token};
use super::text::Text;
use crate::code::Code;

/// How deep arrays and dictionaries may nest; honest files stay below 10.
const MAX_NESTING: u32 = 32;

/// Values inside one indirect object. Honest ones have some thousands (the entries of a large
/// revocation archive, the widths of a font); each takes 32 bytes or more, so this bounds memory.
const MAX_VALUES: usize = 32 * 1024;

/// Steps of an indirect object beside those of what it says: its table entry is read, kept and found again.
const OBJECT_STEPS: usize = 128;

/// Steps beside those of its tokens: of a value that takes memory of its own, of an entry of a dictionary, which must be
/// brought into order, and of a reference, which is looked up.
const KEPT_STEPS: usize = 16;
const ENTRY_STEPS: usize = 32;
const REFERENCE_STEPS: usize = 32;

/// Number and generation of an indirect object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    pub(crate) number: u32,
    pub(crate) generation: u16,
}

/// An object. Two are equal when they mean the same in the same document: places do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Object {
    Null,
    Boolean(bool),
    Integer(i64),
    /// A number with a point, in its shortest spelling: `.5`, `-3`, `0`.
    Real(Box<[u8]>),
    Text(Box<Text>),
    Name(Vec<u8>),
    Array(Vec<Self>),
    Dictionary(Dictionary),
    Reference(ObjectId),
}

/// A dictionary without repeated keys: entries in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dictionary(Vec<(Vec<u8>, Object)>);

impl Object {
    /// Calls `see` with each reference in it.
    pub(crate) fn references(&self, see: &mut dyn FnMut(ObjectId)) {
        match self {
            Self::Reference(id) => see(*id),
            Self::Array(items) => items.iter().for_each(|item| item.references(see)),
            Self::Dictionary(dictionary) => {
                dictionary
                    .0
                    .iter()
                    .for_each(|(_key, value)| value.references(see));
            }
            Self::Null
            | Self::Boolean(_)
            | Self::Integer(_)
            | Self::Real(_)
            | Self::Text(_)
            | Self::Name(_) => {}
        }
    }
}

impl Dictionary {
    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        self.value(key.as_bytes())
    }

    fn value(&self, key: &[u8]) -> Option<&Object> {
        let place = self
            .0
            .binary_search_by(|(own, _value)| own.as_slice().cmp(key));
        let (_key, value) = self.0.get(place.ok()?)?;
        Some(value)
    }

    /// The name under `key`, if it is a direct name.
    pub(crate) fn name(&self, key: &str) -> Option<&[u8]> {
        match self.get(key) {
            Some(Object::Name(name)) => Some(name),
            Some(_) | None => None,
        }
    }

    /// The integer under `key`, if it is a direct integer.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(Object::Integer(value)) => Some(*value),
            Some(_) | None => None,
        }
    }

    /// Whether `value` stands under `key`.
    pub(super) fn has(&self, key: &[u8], value: &Object) -> bool {
        self.value(key) == Some(value)
    }

    /// All keys with their values, keys in the order of their bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Object)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value))
    }

    /// All keys, in the order of their bytes.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(|(key, _value)| key)
    }
}

/// Reads one object; `cursor` then stands behind it.
pub(super) fn parse(cursor: &mut Cursor<'_>, budget: &mut Budget) -> Result<Object, Code> {
    let mut parser = Parser {
        cursor,
        budget,
        values_left: MAX_VALUES,
    };
    let token = parser.next()?;
    parser.finish(token, MAX_NESTING)
}

struct Parser<'p, 'a> {
    cursor: &'p mut Cursor<'a>,
    budget: &'p mut Budget,
    values_left: usize,
}

impl<'a> Parser<'_, 'a> {
    fn next(&mut self) -> Result<Token<'a>, Code> {
        self.cursor.next(self.budget)
    }

    fn finish(&mut self, token: Token<'a>, nesting_left: u32) -> Result<Object, Code> {
        let nesting_left = nesting_left.checked_sub(1).ok_or(Code::TooComplex)?;
        self.values_left = self.values_left.checked_sub(1).ok_or(Code::TooComplex)?;
        let is_placed = self.cursor.is_placed();
        if matches!(
            token,
            Token::Real(_) | Token::Literal(_) | Token::Hex(_) | Token::Name(_)
        ) {
            self.budget.spend(KEPT_STEPS)?;
        }
        Ok(match token {
            Token::Integer(value) => self.integer_or_reference(value)?,
            Token::Real(text) => Object::Real(shortest(text)),
            Token::Literal(place) => {
                let raw = self.cursor.slice(place.clone());
                Object::Text(Box::new(Text::literal(raw, is_placed.then_some(place))))
            }
            Token::Hex(place) => {
                let raw = self.cursor.slice(place.clone());
                Object::Text(Box::new(Text::hex(raw, is_placed.then_some(place))))
            }
            Token::Name(name) => Object::Name(name),
            Token::ArrayOpen => self.array(nesting_left)?,
            Token::DictionaryOpen => Object::Dictionary(self.dictionary(nesting_left)?),
            Token::Word(b"true") => Object::Boolean(true),
            Token::Word(b"false") => Object::Boolean(false),
            Token::Word(b"null") => Object::Null,
            Token::Word(_) | Token::ArrayClose | Token::DictionaryClose | Token::End => {
                return Err(Code::Malformed);
            }
        })
    }

    fn array(&mut self, nesting_left: u32) -> Result<Object, Code> {
        let mut items = Vec::new();
        loop {
            let token = self.next()?;
            if token == Token::ArrayClose {
                return Ok(Object::Array(items));
            }
            items.push(self.finish(token, nesting_left)?);
        }
    }

    fn dictionary(&mut self, nesting_left: u32) -> Result<Dictionary, Code> {
        let mut entries: Vec<(Vec<u8>, Object)> = Vec::new();
        loop {
            let key = self.next()?;
            if key == Token::DictionaryClose {
                break;
            }
            let Token::Name(key) = key else {
                return Err(Code::Malformed);
            };
            let token = self.next()?;
            self.budget.spend(ENTRY_STEPS)?;
            entries.push((key, self.finish(token, nesting_left)?));
        }
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut pairs = entries.windows(2);
        // Readers differ on which of two equal keys counts, so neither may.
        if pairs.any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
            return Err(Code::DuplicateKey);
        }
        Ok(Dictionary(entries))
    }

    /// `12` or `12 0 R`: only the look ahead tells.
    fn integer_or_reference(&mut self, value: i64) -> Result<Object, Code> {
        let mut ahead = self.cursor.clone();
        let is_apart = ahead.take_space()?;
        let digits = ahead.take_digits();
        if !is_apart || digits.is_empty() {
            return Ok(Object::Integer(value));
        }
        let is_apart = ahead.take_space()?;
        let passed = ahead.position().saturating_sub(self.cursor.position());
        self.budget.spend(passed)?;
        if !is_apart || !ahead.take_word(b"R") {
            return Ok(Object::Integer(value));
        }
        // `+12 0 R` is a reference to some readers and three values to others.
        if self.cursor.is_behind_sign() {
            return Err(Code::Token);
        }
        *self.cursor = ahead;
        self.budget.spend(REFERENCE_STEPS)?;
        let number = u32::try_from(value).map_err(|_range| Code::Token)?;
        let generation = decimal(digits).ok_or(Code::Token)?;
        Ok(Object::Reference(ObjectId { number, generation }))
    }
}

/// A number of digits alone.
pub(super) fn decimal<T: FromStr>(digits: &[u8]) -> Option<T> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The shortest spelling of a number with a point, so that equal numbers are equal.
fn shortest(text: &[u8]) -> Box<[u8]> {
    let is_negative = text.starts_with(b"-");
    let digits = text
        .strip_prefix(b"-")
        .or(text.strip_prefix(b"+"))
        .unwrap_or(text);
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
    let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
    let whole = whole.get(zeros..).unwrap_or_default();
    let last = fraction
        .iter()
        .rposition(|byte| !matches!(byte, b'0' | b'.'));
    let length = last.map_or(0, |last| last.saturating_add(1));
    let fraction = fraction.get(..length).unwrap_or_default();
    match (whole, fraction) {
        ([], []) => Box::from(*b"0"),
        (whole, fraction) if is_negative => [b"-", whole, fraction].concat().into(),
        (whole, fraction) => [whole, fraction].concat().into(),
    }
}

/// Reads `N G obj … endobj`, or up to and with `stream`, at `offset`.
pub(super) fn parse_indirect(
    data: &[u8],
    offset: usize,
    budget: &mut Budget,
) -> Result<Indirect, Code> {
    let (id, mut cursor) = header(data, offset, budget)?;
    budget.spend(OBJECT_STEPS)?;
    let object = parse(&mut cursor, budget)?;
    let closing = match (&object, cursor.next(budget)?) {
        (Object::Dictionary(_), Token::Word(b"stream")) => Closing::Stream(cursor.position()),
        // An indirect object that is itself a reference is against the rules.
        (Object::Reference(_), _) => return Err(Code::Malformed),
        (_, Token::Word(b"endobj")) => Closing::Object(cursor.position()),
        (_, _) => return Err(Code::Unclosed),
    };
    Ok(Indirect {
        id,
        object,
        closing,
    })
}

/// Reads the indirect object at `offset` if it is an integer, and not far if it is not.
pub(super) fn parse_integer(
    data: &[u8],
    offset: usize,
    budget: &mut Budget,
) -> Result<Option<i64>, Code> {
    let (_id, mut cursor) = header(data, offset, budget)?;
    cursor.skip_space()?;
    if !data.get(cursor.position()).is_some_and(u8::is_ascii_digit) {
        return Ok(None);
    }
    let Token::Integer(value) = cursor.next(budget)? else {
        return Ok(None);
    };
    let is_closed = cursor.next(budget)? == Token::Word(b"endobj");
    Ok(is_closed.then_some(value))
}

/// Reads `N G obj` at `offset`; the cursor then stands behind it.
fn header<'a>(
    data: &'a [u8],
    offset: usize,
    budget: &mut Budget,
) -> Result<(ObjectId, Cursor<'a>), Code> {
    let mut cursor = Cursor::at(data, offset);
    // The offset must be that of the number itself, not of space or a comment before it.
    if !data.get(offset).is_some_and(u8::is_ascii_digit) {
        return Err(Code::ObjectHeader);
    }
    let number = decimal(cursor.take_digits()).ok_or(Code::ObjectHeader)?;
    let is_apart = cursor.take_space()?;
    let generation = decimal(cursor.take_digits()).ok_or(Code::ObjectHeader)?;
    if !(is_apart && cursor.take_space()? && cursor.take_word(b"obj")) {
        return Err(Code::ObjectHeader);
    }
    budget.spend(cursor.position().saturating_sub(offset))?;
    Ok((ObjectId { number, generation }, cursor))
}

/// An indirect object as it stands in the file.
#[derive(Debug)]
pub(super) struct Indirect {
    pub(super) id: ObjectId,
    /// Of a stream, its dictionary.
    pub(super) object: Object,
    pub(super) closing: Closing,
}

/// What an indirect object is closed with, and the place behind that word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// `endobj`.
    Object(usize),
    /// `stream`: its bytes follow.
    Stream(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Object, Code> {
        parse(&mut Cursor::at(text.as_bytes(), 0), &mut Budget::new())
    }

    #[test]
    fn numbers_and_references_are_told_apart() {
        let id = ObjectId {
            number: 12,
            generation: 0,
        };
        assert_eq!(
            read("[12 0 R]"),
            Ok(Object::Array(vec![Object::Reference(id)]))
        );
        let numbers = [1, 2, 3].map(Object::Integer).to_vec();
        assert_eq!(read("[1 2 3]"), Ok(Object::Array(numbers)));
        assert_eq!(read("99999999999 0 R"), Err(Code::Token));
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_spelled() {
        for (text, expect) in [
            ("0.50", ".5"),
            ("-00.5", "-.5"),
            ("+4.", "4"),
            ("-0.0", "0"),
            ("100.0", "100"),
        ] {
            let expect = Object::Real(expect.as_bytes().into());
            assert_eq!(read(text), Ok(expect), "{text}");
        }
    }

    #[test]
    fn a_repeated_key_is_refused() {
        let Ok(Object::Dictionary(honest)) = read("<< /B 1 /A 2 >>") else {
            panic!("that is a dictionary");
        };
        assert_eq!(honest.keys().collect::<Vec<_>>(), [b"A", b"B"]);
        assert_eq!(read("<< /A 1 /A 1 >>"), Err(Code::DuplicateKey));
        assert_eq!(
            read("<< /A 1 /#41 1 >>"),
            Err(Code::DuplicateKey),
            "written another way"
        );
    }

    #[test]
    fn nesting_and_values_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(30)).is_ok());
        assert_eq!(read(&nested(10_000)), Err(Code::TooComplex));
        let wide = |count: usize| format!("[{}]", "1 ".repeat(count));
        assert!(read(&wide(30_000)).is_ok());
        assert_eq!(read(&wide(40_000)), Err(Code::TooComplex));
    }
}
