//! Streams and what undoes their filters.
//!
//! # Source
//! ISO 32000-2, 7.3.8 and 7.4.

use super::budget::Budget;
use super::lex::Cursor;
use super::object::{Dictionary, Object};
use super::text::Text;
use crate::code::Code;

/// A stream as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Stream<'a> {
    pub(crate) dictionary: Dictionary,
    /// Exactly the bytes that `/Length` counts, filters not undone.
    pub(crate) raw: &'a [u8],
}

impl<'a> Stream<'a> {
    /// Cuts the stream whose word `stream` ends at `start`.
    pub(super) fn cut(
        dictionary: Dictionary,
        data: &'a [u8],
        start: usize,
        length: usize,
    ) -> Result<Self, Code> {
        let mut cursor = Cursor::at(data, start);
        if !(cursor.take_exact(b"\r\n") || cursor.take_exact(b"\n")) {
            return Err(Code::Malformed);
        }
        let raw = cursor.take(length).ok_or(Code::Malformed)?;
        cursor.take_end_of_line();
        if !cursor.take_word(b"endstream") {
            return Err(Code::Malformed);
        }
        cursor.skip_blanks();
        if !cursor.take_word(b"endobj") {
            return Err(Code::Malformed);
        }
        Ok(Self { dictionary, raw })
    }

    /// The bytes with the filters undone.
    pub(crate) fn decoded(&self, budget: &mut Budget) -> Result<Vec<u8>, Code> {
        let filter = match self.dictionary.get("Filter") {
            Some(Object::Array(filters)) if filters.len() <= 1 => filters.first(),
            Some(Object::Array(_)) => return Err(Code::StructureUnsupported),
            other => other,
        };
        budget.spend(self.raw.len())?;
        budget.inflate(self.raw.len())?;
        match filter {
            None | Some(Object::Null) => Ok(self.raw.to_vec()),
            Some(Object::Name(name)) if name == b"ASCIIHexDecode" => {
                Ok(Text::hex(self.raw, None).bytes().to_vec())
            }
            Some(_) => Err(Code::StructureUnsupported),
        }
    }
}
