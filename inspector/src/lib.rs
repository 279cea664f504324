//! The inspector: judges documents, draws their pages for screens and printers, reads codes, holds sheets against records; in a process that has
//! nothing but memory and time (`loket_inspection`).
//!
//! It is started for one question and is gone with the answer. What went wrong is told in the answer where the fault is
//! what was brought, and by the exit code, or a signal, where it is not.

mod codes;
mod compare;
mod judge;
mod look;
mod pictures;
mod raster;
mod record;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use loket_inspection::{
    EXIT_NO_DOCUMENT, EXIT_NO_TRUST, EXIT_TOO_LARGE, Head, MAX_BRIEF_BYTES, MAX_DOCUMENT_BYTES,
    MAX_HEAD_BYTES, MAX_RECORDS, MAX_SCAN_BYTES, MAX_TRUST_BYTES, Work, give_up,
};
use loket_wire::record::MAX_RECORD_BYTES;
use serde::Serialize;
use zeroize::Zeroizing;

/// How it is called in a list of processes (15 letters are shown).
const NAME: &str = "loket-inspector";

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The question is none (EX_USAGE).
    Usage,
    /// What was brought is no kind of document that is known, or a page of it has no record.
    NoDocument,
    /// The question was cut (EX_NOINPUT).
    Cut,
    /// A fault of this program (EX_SOFTWARE).
    Bug,
    /// What was asked for would be larger than it may be.
    TooLarge,
    /// The answer cannot be written (EX_IOERR).
    Output,
    /// Whom to trust cannot be read.
    NoTrust,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::NoDocument => EXIT_NO_DOCUMENT,
            Self::Cut => 66,
            Self::Bug => 70,
            Self::TooLarge => EXIT_TOO_LARGE,
            Self::Output => 74,
            Self::NoTrust => EXIT_NO_TRUST,
        }
    }
}

/// Bytes of a part or of the answer; wiped when they are dropped.
type Bytes = Zeroizing<Vec<u8>>;

/// Reads one question from standard input and answers it on standard output.
#[must_use]
pub fn main() -> ExitCode {
    // Only its looks in a list of processes: it may fail.
    drop(std::fs::write("/proc/self/comm", NAME));
    match question().and_then(|head| answer(&head)).and_then(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => ExitCode::from(exit.code()),
    }
}

/// What is asked. Everything else is given up before a part is read.
fn question() -> Result<Head, Exit> {
    let length = exactly(4, 4)?;
    let length = length.first_chunk::<4>().ok_or(Exit::Cut)?;
    let head = exactly(u64::from(u32::from_be_bytes(*length)), MAX_HEAD_BYTES)?;
    let head = Head::decode(&head).ok_or(Exit::Usage)?;
    give_up(head.limits).map_err(|_refused| Exit::Bug)?;
    Ok(head)
}

fn answer(head: &Head) -> Result<Bytes, Exit> {
    let mut parts = Parts(head.part_bytes.iter());
    match &head.work {
        Work::Judge { at, or_paper } => {
            let brief = judge::brief(&parts.next(MAX_BRIEF_BYTES)?)?;
            let trust = judge::trust(&parts.next(MAX_TRUST_BYTES)?)?;
            let document = parts.document()?;
            json(&judge::judge(&document, (&brief, &trust), *at, *or_paper)?)
        }
        Work::Look { at, officer } => {
            let brief = judge::brief(&parts.next(MAX_BRIEF_BYTES)?)?;
            let document = parts.document()?;
            json(&look::look(&document, &brief, *at, *officer)?)
        }
        Work::Record {
            job,
            page_count,
            made_at,
        } => {
            let document = parts.document()?;
            record::record(&document, (*job, *page_count), *made_at)
        }
        Work::Raster { setup } => {
            let document = parts.document()?;
            raster::raster(&document, *setup, &mut std::io::stdout().lock())?;
            // What was written as it was drawn is the answer.
            Ok(Bytes::default())
        }
        Work::Codes { page } => {
            let scan = parts.next(MAX_SCAN_BYTES)?;
            json(&codes::codes(&scan, *page))
        }
        Work::Compare { page, pictures } => {
            let scan = parts.next(MAX_SCAN_BYTES)?;
            let mut records = Vec::new();
            while !parts.is_empty() && records.len() < MAX_RECORDS {
                records.push(parts.next(MAX_RECORD_BYTES)?);
            }
            json(&compare::compare(&scan, *page, &records, *pictures))
        }
    }
}

/// The lengths of what was not read yet.
struct Parts<'a>(std::slice::Iter<'a, u64>);

impl Parts<'_> {
    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    fn next(&mut self, most: usize) -> Result<Bytes, Exit> {
        exactly(*self.0.next().ok_or(Exit::Usage)?, most)
    }

    /// One byte more than is judged, so that it is the verifier that says what is too large.
    fn document(&mut self) -> Result<Bytes, Exit> {
        self.next(MAX_DOCUMENT_BYTES.saturating_add(1))
    }
}

/// So many bytes of standard input, which are at most `most`.
fn exactly(size: u64, most: usize) -> Result<Bytes, Exit> {
    let room = usize::try_from(size).ok().filter(|size| *size <= most);
    // Room for all of it at once: a growing vector would leave copies of what it held behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.ok_or(Exit::Usage)?));
    let read = std::io::stdin().lock().take(size).read_to_end(&mut bytes);
    read.map_err(|_cut| Exit::Cut)?;
    let is_whole = u64::try_from(bytes.len()) == Ok(size);
    is_whole.then_some(bytes).ok_or(Exit::Cut)
}

fn json(answer: &impl Serialize) -> Result<Bytes, Exit> {
    let bytes = serde_json::to_vec(answer).map_err(|_bug| Exit::Bug)?;
    Ok(Zeroizing::new(bytes))
}

fn write(answer: Bytes) -> Result<(), Exit> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(&answer).and_then(|()| out.flush());
    written.map_err(|_closed| Exit::Output)
}

#[cfg(test)]
mod tests;
