//! Object streams.
//!
//! # Source
//! ISO 32000-2, 7.5.7.

use super::budget::Budget;
use super::lex::{Cursor, Token};
use super::object::{self, Object};
use super::section::is_blank;
use super::stream::Stream;
use crate::code::Code;

/// The objects of one object stream, decoded once.
#[derive(Debug)]
pub(super) struct Pack {
    bytes: Vec<u8>,
    /// Number and place of each object; places rise.
    objects: Vec<(u32, usize)>,
    /// The revision that the stream belongs to.
    pub(super) revision: usize,
    /// The object stream that it says it extends.
    pub(super) extends: Option<u32>,
}

impl Pack {
    /// Reads the table in front of the objects, and holds each object against it.
    pub(super) fn read(
        stream: &Stream<'_>,
        revision: usize,
        most: usize,
        budget: &mut Budget,
        see: &mut dyn FnMut(&Object),
    ) -> Result<Self, Code> {
        let number = |key: &str| {
            let value = stream.dictionary.integer(key);
            let value = value.and_then(|value| usize::try_from(value).ok());
            value.ok_or(Code::ObjectStream)
        };
        let (count, first) = (number("N")?, number("First")?);
        if count > most {
            return Err(Code::ObjectStream);
        }
        let extends = match stream.dictionary.get("Extends") {
            None => None,
            Some(Object::Reference(id)) => Some(id.number),
            Some(_) => return Err(Code::ObjectStream),
        };
        let bytes = stream.decoded(budget)?;
        let objects = table(&bytes, count, first, budget)?;
        let pack = Self {
            bytes,
            objects,
            revision,
            extends,
        };
        pack.scan(first, budget, see)?;
        Ok(pack)
    }

    /// Every byte belongs to an object or is white space between two.
    fn scan(
        &self,
        first: usize,
        budget: &mut Budget,
        see: &mut dyn FnMut(&Object),
    ) -> Result<(), Code> {
        let mut position = first;
        for (_number, place) in &self.objects {
            let between = self.bytes.get(position..*place);
            if !between.is_some_and(is_blank) {
                return Err(Code::ObjectStream);
            }
            let (object, end) = self.parse(*place, budget)?;
            see(&object);
            position = end;
        }
        let behind = self.bytes.get(position..);
        if behind.is_some_and(is_blank) {
            Ok(())
        } else {
            Err(Code::ObjectStream)
        }
    }

    fn parse(&self, place: usize, budget: &mut Budget) -> Result<(Object, usize), Code> {
        let mut cursor = Cursor::unplaced(&self.bytes, place);
        let object = object::parse(&mut cursor, budget)?;
        if matches!(object, Object::Reference(_)) {
            return Err(Code::ObjectStream);
        }
        Ok((object, cursor.position()))
    }

    /// Number of the object at `index`.
    pub(super) fn number(&self, index: u32) -> Option<u32> {
        let index = usize::try_from(index).ok()?;
        self.objects.get(index).map(|(number, _place)| *number)
    }

    /// Numbers of all objects, in their order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.objects.iter().map(|(number, _place)| *number)
    }

    /// The object at `index`.
    pub(super) fn object(&self, index: u32, budget: &mut Budget) -> Result<Object, Code> {
        let index = usize::try_from(index).map_err(|_range| Code::ObjectStream)?;
        let (_number, place) = self.objects.get(index).ok_or(Code::ObjectStream)?;
        self.parse(*place, budget).map(|(object, _end)| object)
    }
}

/// Reads the pairs of number and offset that stand in front of `first`; offsets must rise.
fn table(
    bytes: &[u8],
    count: usize,
    first: usize,
    budget: &mut Budget,
) -> Result<Vec<(u32, usize)>, Code> {
    let head = bytes.get(..first).ok_or(Code::ObjectStream)?;
    let mut cursor = Cursor::unplaced(head, 0);
    let mut number = || match cursor.next(budget) {
        Ok(Token::Integer(value)) => usize::try_from(value).map_err(|_range| Code::ObjectStream),
        Ok(_other) => Err(Code::ObjectStream),
        Err(code) => Err(code),
    };
    let mut objects: Vec<(u32, usize)> = Vec::with_capacity(count);
    for _pair in 0..count {
        let name = u32::try_from(number()?).map_err(|_range| Code::ObjectStream)?;
        let place = number()?.checked_add(first).ok_or(Code::ObjectStream)?;
        if objects.last().is_some_and(|(_, before)| *before >= place) {
            return Err(Code::ObjectStream);
        }
        objects.push((name, place));
    }
    if cursor.next(budget)? == Token::End {
        Ok(objects)
    } else {
        Err(Code::ObjectStream)
    }
}
