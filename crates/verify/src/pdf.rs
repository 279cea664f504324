//! A strict reader of PDF file structure, made for judging and for nothing else.
//!
//! It repairs nothing: a file that breaks the rules is refused, because another reader (a printer,
//! a screen) might repair it into something else than what was judged.

mod body;
mod budget;
mod file;
mod filter;
mod history;
mod lex;
mod object;
mod pack;
mod revision;
mod section;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod xref_stream;

pub(crate) use budget::Budget;
pub(crate) use file::{File, View};
pub(crate) use object::{Dictionary, Object, ObjectId};
pub(crate) use revision::{Entry, Revision, Section};
pub(crate) use stream::Stream;
pub(crate) use text::Text;
