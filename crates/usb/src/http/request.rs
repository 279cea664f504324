//! The caller's request on its way out: its header edited as the device needs it, its end known.

use super::body::Body;
use super::head::{HeadReader, Lengths, MAX_REQUEST_HEAD_BYTES, field};
use super::pieces::{Piece, Pieces};
use crate::error::{Garbage, UsbError};
use crate::quirks::Quirks;

/// Follows one request.
#[derive(Debug)]
pub(super) struct Request {
    state: State,
    is_head: bool,
    expects_continue: bool,
}

#[derive(Debug)]
enum State {
    Head(HeadReader),
    Body(Body),
}

impl Request {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head(HeadReader::new(MAX_REQUEST_HEAD_BYTES)),
            is_head: false,
            expects_continue: false,
        }
    }

    /// Takes a piece and puts what is to be sent behind `out`.
    ///
    /// # Errors
    /// [`UsbError::Request`], and [`UsbError::SecondRequest`] for bytes behind the end of the request.
    pub(super) fn take(
        &mut self,
        piece: Piece,
        quirks: &Quirks,
        out: &mut Pieces,
    ) -> Result<(), UsbError> {
        let garbage = |garbage| UsbError::Request { garbage };
        let mut input = piece.waiting();
        if let State::Head(reader) = &mut self.state {
            let (taken, is_whole) = reader.take(input).map_err(garbage)?;
            input = input.get(taken..).unwrap_or_default();
            if !is_whole {
                return Ok(());
            }
            let body = self.edit(quirks, out).map_err(garbage)?;
            self.state = State::Body(body);
        }
        if let State::Body(body) = &mut self.state
            && body.take(input).map_err(garbage)? < input.len()
        {
            return Err(UsbError::SecondRequest);
        }
        if input.len() == piece.len() {
            out.push(piece);
        } else {
            out.put(input);
        }
        Ok(())
    }

    /// True where not a byte of it has come.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(&self.state, State::Head(reader) if reader.is_fresh())
    }

    /// True where its last byte has come.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Body(body) if body.is_whole())
    }

    /// True where the answer will have no body, whatever its header says.
    pub(super) fn is_head(&self) -> bool {
        self.is_head
    }

    /// True once, where the caller waits for `100 Continue` that the device is not asked for.
    pub(super) fn take_expectation(&mut self) -> bool {
        std::mem::take(&mut self.expects_continue)
    }

    /// Writes the header as the device gets it.
    fn edit(&mut self, quirks: &Quirks, out: &mut Pieces) -> Result<Body, Garbage> {
        let State::Head(reader) = &self.state else {
            return Err(Garbage::FirstLine);
        };
        let mut lines = reader.lines();
        let first = lines.next().ok_or(Garbage::FirstLine)?;
        self.is_head = is_head_request(first)?;
        let mut head = Vec::with_capacity(1024);
        put(&mut head, &[first]);
        put(&mut head, &[b"Host: ", quirks.host.as_str().as_bytes()]);
        let mut lengths = Lengths::default();
        for line in lines {
            let (name, value) = field(line)?;
            lengths.note(&name, value)?;
            match name.as_str() {
                "host" => {}
                "expect" => self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue"),
                name if quirks.headers.edit(name).is_some() => {}
                _ => put(&mut head, &[line]),
            }
        }
        for (name, value) in quirks.headers.set() {
            put(&mut head, &[name.as_bytes(), b": ", value.as_bytes()]);
        }
        head.extend_from_slice(b"\r\n");
        out.put(&head);
        match (lengths.is_chunked, lengths.content_length) {
            // A request that says both means two things.
            (true, Some(_)) => Err(Garbage::Length),
            (true, None) => Ok(Body::CHUNKED),
            (false, length) => Ok(Body::Sized(length.unwrap_or_default())),
        }
    }
}

fn put(head: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| head.extend_from_slice(part));
    head.extend_from_slice(b"\r\n");
}

/// Whether a request line asks for the header alone; it must be of HTTP/1.1.
fn is_head_request(line: &[u8]) -> Result<bool, Garbage> {
    let line = line.strip_suffix(b" HTTP/1.1").ok_or(Garbage::FirstLine)?;
    if line.iter().any(u8::is_ascii_control) {
        return Err(Garbage::FirstLine);
    }
    let mut words = line.split(|&byte| byte == b' ');
    match (words.next(), words.next(), words.next()) {
        (Some(method), Some(target), None) if !method.is_empty() && !target.is_empty() => {
            Ok(method == b"HEAD")
        }
        _ => Err(Garbage::FirstLine),
    }
}
