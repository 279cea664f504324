//! A strict reader of PDF file structure, made for judging and for nothing else.
//!
//! It repairs nothing: a file that breaks the rules is refused, because another reader (a printer,
//! a screen) might repair it into something else than what was judged.

mod budget;
mod file;
mod lex;
mod object;
mod stream;
mod text;
mod xref;

pub(crate) use budget::Budget;
pub(crate) use file::{File, View};
pub(crate) use object::{Dictionary, Object, ObjectId};
pub(crate) use stream::Stream;
pub(crate) use text::Text;
pub(crate) use xref::{Entry, Revision, Section};
