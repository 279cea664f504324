//! Objects of a PDF file.
//!
//! # Source
//! ISO 32000-2, 7.3.

use std::collections::BTreeMap;
use std::ops::Range;

use super::lex::{Budget, Cursor, Token};
use crate::code::Code;

/// How deep arrays and dictionaries may nest; honest files stay below 10.
const MAX_NESTING: u32 = 32;

/// Number and generation of an indirect object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    pub(crate) number: u32,
    pub(crate) generation: u16,
}

/// An object; strings are kept as places in the document, for their place matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Object {
    Null,
    Boolean,
    Integer(i64),
    Real,
    /// A literal string, parentheses included.
    Literal(Range<usize>),
    /// A hexadecimal string, angle brackets included.
    Hex(Range<usize>),
    Name(Vec<u8>),
    Array(Vec<Self>),
    Dictionary(Dictionary),
    Reference(ObjectId),
}

/// A dictionary without repeated keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dictionary(BTreeMap<Vec<u8>, Object>);

impl Dictionary {
    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        self.0.get(key.as_bytes())
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
}

/// Reads one object; `cursor` then stands behind it.
pub(super) fn parse(cursor: &mut Cursor<'_>, budget: &mut Budget) -> Result<Object, Code> {
    let token = cursor.next(budget)?;
    finish(token, cursor, budget, MAX_NESTING)
}

fn finish(
    token: Token<'_>,
    cursor: &mut Cursor<'_>,
    budget: &mut Budget,
    nesting_left: u32,
) -> Result<Object, Code> {
    let nesting_left = nesting_left.checked_sub(1).ok_or(Code::TooComplex)?;
    Ok(match token {
        Token::Integer(value) => integer_or_reference(value, cursor, budget)?,
        Token::Real => Object::Real,
        Token::Literal(place) => Object::Literal(place),
        Token::Hex(place) => Object::Hex(place),
        Token::Name(name) => Object::Name(name),
        Token::ArrayOpen => array(cursor, budget, nesting_left)?,
        Token::DictionaryOpen => Object::Dictionary(dictionary(cursor, budget, nesting_left)?),
        Token::Word(b"true" | b"false") => Object::Boolean,
        Token::Word(b"null") => Object::Null,
        Token::Word(_) | Token::ArrayClose | Token::DictionaryClose | Token::End => {
            return Err(Code::Malformed);
        }
    })
}

fn array(cursor: &mut Cursor<'_>, budget: &mut Budget, nesting_left: u32) -> Result<Object, Code> {
    let mut items = Vec::new();
    loop {
        let token = cursor.next(budget)?;
        if token == Token::ArrayClose {
            return Ok(Object::Array(items));
        }
        items.push(finish(token, cursor, budget, nesting_left)?);
    }
}

fn dictionary(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget,
    nesting_left: u32,
) -> Result<Dictionary, Code> {
    let mut entries = BTreeMap::new();
    loop {
        let key = cursor.next(budget)?;
        if key == Token::DictionaryClose {
            return Ok(Dictionary(entries));
        }
        let Token::Name(key) = key else {
            return Err(Code::Malformed);
        };
        let token = cursor.next(budget)?;
        let value = finish(token, cursor, budget, nesting_left)?;
        // Readers differ on which of two equal keys counts, so neither may.
        if entries.insert(key, value).is_some() {
            return Err(Code::Malformed);
        }
    }
}

/// `12` or `12 0 R`: only the look ahead tells.
fn integer_or_reference(
    value: i64,
    cursor: &mut Cursor<'_>,
    budget: &mut Budget,
) -> Result<Object, Code> {
    let mut ahead = cursor.clone();
    let Ok(Token::Integer(generation)) = ahead.next(budget) else {
        return Ok(Object::Integer(value));
    };
    if ahead.next(budget) != Ok(Token::Word(b"R")) {
        return Ok(Object::Integer(value));
    }
    *cursor = ahead;
    let number = u32::try_from(value).map_err(|_range| Code::Malformed)?;
    let generation = u16::try_from(generation).map_err(|_range| Code::Malformed)?;
    Ok(Object::Reference(ObjectId { number, generation }))
}

/// Reads `N G obj … endobj` (or up to `stream`) at `offset`.
pub(super) fn parse_indirect(
    data: &[u8],
    offset: usize,
    id: ObjectId,
    budget: &mut Budget,
) -> Result<Object, Code> {
    let mut cursor = Cursor::at(data, offset);
    let opening = [
        Token::Integer(i64::from(id.number)),
        Token::Integer(i64::from(id.generation)),
        Token::Word(b"obj"),
    ];
    // The offset must be that of the number itself, not of space or a comment before it.
    if !data.get(offset).is_some_and(u8::is_ascii_digit) {
        return Err(Code::Malformed);
    }
    for expected in opening {
        if cursor.next(budget)? != expected {
            return Err(Code::Malformed);
        }
    }
    let object = parse(&mut cursor, budget)?;
    let closing = cursor.next(budget)?;
    let is_stream = matches!(object, Object::Dictionary(_)) && closing == Token::Word(b"stream");
    if is_stream || closing == Token::Word(b"endobj") {
        Ok(object)
    } else {
        Err(Code::Malformed)
    }
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
        assert_eq!(read("99999999999 0 R"), Err(Code::Malformed));
    }

    #[test]
    fn a_repeated_key_is_refused() {
        assert!(read("<< /A 1 /B 2 >>").is_ok());
        assert_eq!(read("<< /A 1 /A 1 >>"), Err(Code::Malformed));
        assert_eq!(
            read("<< /A 1 /#41 1 >>"),
            Err(Code::Malformed),
            "written another way"
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(30)).is_ok());
        assert_eq!(read(&nested(10_000)), Err(Code::TooComplex));
    }
}
