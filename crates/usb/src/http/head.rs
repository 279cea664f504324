//! The lines in front of a message's body, collected to the empty line that ends them.

use crate::error::Garbage;
use crate::quirks::is_token_byte;

/// The longest header of a request; clients at hand write some 300 bytes.
pub(super) const MAX_REQUEST_HEAD_BYTES: usize = 16 * 1024;

/// The longest header of an answer; devices at hand write some 500 bytes, web servers in them set cookies.
pub(super) const MAX_RESPONSE_HEAD_BYTES: usize = 32 * 1024;

/// Collects a header.
#[derive(Debug)]
pub(super) struct HeadReader {
    bytes: Vec<u8>,
    max_bytes: usize,
    /// The line that is being read holds nothing but a line end so far.
    is_line_empty: bool,
}

impl HeadReader {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            max_bytes,
            is_line_empty: true,
        }
    }

    /// True where no byte of a header has come.
    pub(super) fn is_fresh(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes bytes up to the end of the header; says how many, and whether it ended.
    ///
    /// Empty lines before the first one are passed over (RFC 9112 section 2.2).
    pub(super) fn take(&mut self, input: &[u8]) -> Result<(usize, bool), Garbage> {
        for (at, &byte) in input.iter().enumerate() {
            if self.bytes.is_empty() && matches!(byte, b'\r' | b'\n') {
                continue;
            }
            if self.bytes.len() >= self.max_bytes {
                return Err(Garbage::HeaderTooLarge(self.max_bytes));
            }
            self.bytes.push(byte);
            match byte {
                b'\n' if self.is_line_empty => return Ok((at.saturating_add(1), true)),
                b'\n' => self.is_line_empty = true,
                b'\r' => {}
                _ => self.is_line_empty = false,
            }
        }
        Ok((input.len(), false))
    }

    /// The first line and the header lines, without their line ends.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.bytes.split(|&byte| byte == b'\n');
        lines
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
    }
}

/// A header line as name and value; the value without blanks around it.
pub(super) fn field(line: &[u8]) -> Result<(String, &[u8]), Garbage> {
    let colon = line.iter().position(|&byte| byte == b':');
    let (name, value) = colon
        .and_then(|at| line.split_at_checked(at))
        .ok_or(Garbage::HeaderLine)?;
    let is_name = !name.is_empty() && name.iter().all(|&byte| is_token_byte(byte));
    let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
    if !is_name || value.iter().any(|&byte| matches!(byte, b'\r' | 0)) {
        return Err(Garbage::HeaderLine);
    }
    let name =
        String::from_utf8(name.to_ascii_lowercase()).map_err(|_broken| Garbage::HeaderLine)?;
    Ok((name, value))
}

/// What the headers say about where the body ends.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Lengths {
    pub(super) content_length: Option<u64>,
    pub(super) is_chunked: bool,
}

impl Lengths {
    /// Takes note of a header.
    pub(super) fn note(&mut self, name: &str, value: &[u8]) -> Result<(), Garbage> {
        match name {
            "content-length" => {
                let length = number(value).ok_or(Garbage::Length)?;
                if self.content_length.is_some_and(|known| known != length) {
                    return Err(Garbage::Length);
                }
                self.content_length = Some(length);
            }
            // Nobody compresses in transit over a cable: chunked alone is known.
            "transfer-encoding" if value.eq_ignore_ascii_case(b"chunked") && !self.is_chunked => {
                self.is_chunked = true;
            }
            "transfer-encoding" => return Err(Garbage::Length),
            _ => {}
        }
        Ok(())
    }
}

/// Decimal digits alone.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}
