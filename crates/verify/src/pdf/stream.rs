//! Streams: a dictionary and the bytes that it describes.
//!
//! # Source
//! ISO 32000-2, 7.3.8.

use super::budget::Budget;
use super::filter;
use super::lex::Cursor;
use super::object::Dictionary;
use crate::code::Code;

/// A stream as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Stream<'a> {
    pub(crate) dictionary: Dictionary,
    /// Exactly the bytes that `/Length` counts, filters not undone.
    pub(crate) raw: &'a [u8],
}

impl<'a> Stream<'a> {
    /// Cuts the stream whose word `stream` ends at `start`, and says where its `endobj` ends.
    pub(super) fn cut(
        dictionary: Dictionary,
        data: &'a [u8],
        start: usize,
        length: i64,
    ) -> Result<(Self, usize), Code> {
        let mut cursor = Cursor::at(data, start);
        // A carriage return alone is forbidden: readers disagree whether a line feed is data.
        if !(cursor.take_exact(b"\r\n") || cursor.take_exact(b"\n")) {
            return Err(Code::StreamLength);
        }
        let length = usize::try_from(length).map_err(|_negative| Code::StreamLength)?;
        let raw = cursor.take(length).ok_or(Code::StreamLength)?;
        cursor.take_end_of_line();
        if !cursor.take_word(b"endstream") {
            return Err(Code::StreamLength);
        }
        cursor.skip_space()?;
        if !cursor.take_word(b"endobj") {
            return Err(Code::Unclosed);
        }
        Ok((Self { dictionary, raw }, cursor.position()))
    }

    /// The bytes with the filters undone.
    ///
    /// # Errors
    /// [`Code::StreamFilter`] for filters other than `/FlateDecode` (with its predictors) and
    /// `/ASCIIHexDecode`, [`Code::StreamDamaged`] for what does not decode, [`Code::TooComplex`] for what
    /// inflates too far.
    pub(crate) fn decoded(&self, budget: &mut Budget) -> Result<Vec<u8>, Code> {
        filter::decode(&self.dictionary, self.raw, budget)
    }
}
