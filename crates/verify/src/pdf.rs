//! A strict reader of PDF file structure, made for judging and for nothing else.
//!
//! It repairs nothing: a file that breaks the rules is refused, because another reader (a printer,
//! a screen) might repair it into something else than what was judged.

mod body;
mod budget;
mod file;
mod filter;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod fuzz_small;
mod history;
mod hybrid;
mod lex;
mod object;
mod pack;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod refusals_of_hybrids;
#[cfg(test)]
mod refusals_of_sections;
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
#[expect(
    unused_imports,
    reason = "the view of each revision is for the analysis of changes and of the DSS"
)]
pub(crate) use {
    revision::{Entry, Revision, Section},
    stream::Stream,
    text::Text,
};
