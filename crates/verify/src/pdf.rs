//! A strict reader of PDF file structure, made for judging and for nothing else.
//!
//! It repairs nothing: a file that breaks the rules is refused, because another reader (a printer,
//! a screen) might repair it into something else than what was judged.

mod lex;
mod object;
mod xref;

pub(crate) use lex::Budget;
pub(crate) use object::{Dictionary, Object, ObjectId};
pub(crate) use xref::File;
