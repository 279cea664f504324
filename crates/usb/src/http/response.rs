//! The device's answer on its way in: its end known, its bytes untouched.

use super::body::Body;
use super::head::{HeadReader, Lengths, MAX_RESPONSE_HEAD_BYTES, field};
use crate::error::Garbage;

/// Interim answers before the answer itself; one is usual, none is usual over USB.
const MAX_INTERIM: usize = 8;

const CONTINUE_MIN: u16 = 100;
const SWITCHING_PROTOCOLS: u16 = 101;
const NO_CONTENT: u16 = 204;
const NOT_MODIFIED: u16 = 304;
const FINAL_MIN: u16 = 200;
const MAX_STATUS: u16 = 999;

/// Follows one answer.
#[derive(Debug)]
pub(super) struct Response {
    state: State,
    interim: usize,
}

#[derive(Debug)]
enum State {
    Head(HeadReader),
    Body(Body),
}

impl Response {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head(HeadReader::new(MAX_RESPONSE_HEAD_BYTES)),
            interim: 0,
        }
    }

    /// Takes what of `input` belongs to the answer; says how many bytes.
    ///
    /// `is_head` says that the request asked for the header alone.
    pub(super) fn take(&mut self, input: &[u8], is_head: bool) -> Result<usize, Garbage> {
        let mut taken = 0_usize;
        loop {
            let rest = input.get(taken..).unwrap_or_default();
            match &mut self.state {
                State::Head(reader) => {
                    let (count, is_whole) = reader.take(rest)?;
                    taken = taken.saturating_add(count);
                    if !is_whole {
                        return Ok(taken);
                    }
                    match body(reader, is_head)? {
                        Some(body) => self.state = State::Body(body),
                        None => self.next_head()?,
                    }
                }
                State::Body(body) => return Ok(taken.saturating_add(body.take(rest)?)),
            }
        }
    }

    fn next_head(&mut self) -> Result<(), Garbage> {
        self.interim = self.interim.saturating_add(1);
        if self.interim > MAX_INTERIM {
            return Err(Garbage::TooManyInterim(MAX_INTERIM));
        }
        self.state = State::Head(HeadReader::new(MAX_RESPONSE_HEAD_BYTES));
        Ok(())
    }

    /// True where its last byte has come.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Body(body) if body.is_whole())
    }

    /// True where not a byte of it has come.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(&self.state, State::Head(reader) if reader.is_fresh()) && self.interim == 0
    }

    /// True where only silence can end it.
    pub(super) fn ends_with_silence(&self) -> bool {
        matches!(self.state, State::Body(Body::UntilSilence))
    }

    /// How many bytes will come for certain.
    pub(super) fn certain(&self) -> u64 {
        match self.state {
            State::Head(_) => 0,
            State::Body(body) => body.certain(),
        }
    }
}

/// The body behind a header; nothing behind an interim one.
fn body(reader: &HeadReader, is_head: bool) -> Result<Option<Body>, Garbage> {
    let mut lines = reader.lines();
    let status = status(lines.next().unwrap_or_default())?;
    let mut lengths = Lengths::default();
    for line in lines {
        // A folded line goes on with the one before it; none that says a length is folded.
        if line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
        {
            continue;
        }
        let (name, value) = field(line)?;
        lengths.note(&name, value)?;
    }
    match status {
        SWITCHING_PROTOCOLS => Err(Garbage::Status(status)),
        CONTINUE_MIN..FINAL_MIN => Ok(None),
        NO_CONTENT | NOT_MODIFIED => Ok(Some(Body::Sized(0))),
        _ if is_head => Ok(Some(Body::Sized(0))),
        _ if lengths.is_chunked => Ok(Some(Body::CHUNKED)),
        _ => Ok(Some(match lengths.content_length {
            Some(length) => Body::Sized(length),
            None => Body::UntilSilence,
        })),
    }
}

/// The status of a status line.
fn status(line: &[u8]) -> Result<u16, Garbage> {
    let rest = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))
        .ok_or(Garbage::FirstLine)?;
    let digits = rest.get(..3).ok_or(Garbage::FirstLine)?;
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let ends = rest.get(3).is_none_or(|&byte| byte == b' ');
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|it| it.parse().ok());
    number
        .filter(|status| is_number && ends && (CONTINUE_MIN..=MAX_STATUS).contains(status))
        .ok_or(Garbage::FirstLine)
}
