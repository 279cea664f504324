//! Reads the body of a request: first its attributes, then its document, both bounded.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// A Create-Job with a full media-col takes under 2 kB.
const MAX_ATTRIBUTES_LEN: usize = 64 * 1024;

/// Eight times the largest document that central takes.
const MAX_DOCUMENT_LEN: usize = 64 * 1024 * 1024;

/// A media-col is three levels deep.
const MAX_DEPTH: usize = 8;

/// Says why a body cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// The client went away in the middle.
    #[error("hear the client out")]
    ClientGone,
    /// A knob or a lost power closes the connection.
    #[error("keep the connection")]
    Closed,
    /// The attributes or the document are larger than the bound.
    #[error("take so large a body")]
    TooLarge,
    /// The attributes break the encoding.
    #[error("read the attributes")]
    Encoding,
}

/// The body of one request.
#[derive(Debug)]
pub(crate) struct Intake {
    body: Incoming,
    buffer: BytesMut,
}

impl Intake {
    pub(crate) fn new(body: Incoming) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// The message up to and with its end-of-attributes tag.
    pub(crate) async fn attributes(&mut self) -> Result<Bytes, Cut> {
        loop {
            match attributes_end(&self.buffer) {
                Scan::End(at) => return Ok(self.buffer.split_to(at).freeze()),
                Scan::Broken => return Err(Cut::Encoding),
                Scan::More if self.buffer.len() > MAX_ATTRIBUTES_LEN => return Err(Cut::TooLarge),
                Scan::More => {}
            }
            if !self.more().await? {
                return Err(Cut::Encoding);
            }
        }
    }

    /// The document, or as much of it as comes before the knob closes the connection.
    pub(crate) async fn document(&mut self, stop_after_bytes: Option<u64>) -> Result<Bytes, Cut> {
        loop {
            let len = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
            if stop_after_bytes.is_some_and(|stop| len >= stop && len > 0) {
                return Err(Cut::Closed);
            }
            if self.buffer.len() > MAX_DOCUMENT_LEN {
                return Err(Cut::TooLarge);
            }
            if !self.more().await? {
                return Ok(self.buffer.split().freeze());
            }
        }
    }

    async fn more(&mut self) -> Result<bool, Cut> {
        match self.body.frame().await {
            None => Ok(false),
            Some(Err(_)) => Err(Cut::ClientGone),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.buffer.extend_from_slice(data);
                }
                Ok(true)
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Scan {
    /// The attributes end before this byte.
    End(usize),
    /// Bytes are missing.
    More,
    /// No further byte can mend it.
    Broken,
}

/// Finds the end of the attributes. What it passes is safe to decode: crate `ipp` (version 8)
/// trusts the lengths inside a value with a language, and nests without a bound.
fn attributes_end(message: &[u8]) -> Scan {
    let (mut at, mut depth, mut any_group) = (8_usize, 0_usize, false);
    loop {
        let Some(&tag) = message.get(at) else {
            return Scan::More;
        };
        at += 1;
        match tag {
            0x03 if depth == 0 => return Scan::End(at),
            0x01..=0x0a if depth == 0 => any_group = true,
            0x10..=0x4a if any_group => {
                let Some((_, next)) = field(message, at) else {
                    return Scan::More;
                };
                let Some((value, next)) = field(message, next) else {
                    return Scan::More;
                };
                at = next;
                match tag {
                    0x34 if depth < MAX_DEPTH => depth += 1,
                    0x34 => return Scan::Broken,
                    0x37 if depth > 0 => depth -= 1,
                    0x37 => return Scan::Broken,
                    0x35 | 0x36 if !has_language(value) => return Scan::Broken,
                    _ => {}
                }
            }
            _ => return Scan::Broken,
        }
    }
}

/// A length of two bytes, as many bytes as it says, and where they end.
fn field(message: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (len, rest) = message.get(at..)?.split_first_chunk::<2>()?;
    let len = usize::from(u16::from_be_bytes(*len));
    Some((rest.get(..len)?, at.checked_add(2)?.checked_add(len)?))
}

fn has_language(value: &[u8]) -> bool {
    let end = field(value, 0)
        .and_then(|(_, next)| field(value, next))
        .map(|(_, end)| end);
    end == Some(value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_attributes_is_found_once_all_of_them_have_come() {
        let message = [
            1, 1, 0, 2, 0, 0, 0, 1, 1, 0x21, 0, 1, b'a', 0, 4, 3, 3, 3, 3, 3, b'%',
        ];
        assert_eq!(attributes_end(&message), Scan::End(20));
        for len in 0..20 {
            assert_eq!(attributes_end(&message[..len]), Scan::More, "{len}");
        }
    }

    #[test]
    fn a_language_longer_than_its_value_is_broken() {
        let message = [
            1, 1, 0, 2, 0, 0, 0, 1, 1, 0x35, 0, 1, b'a', 0, 4, 0, 9, b'e', b'n', 3,
        ];
        assert_eq!(attributes_end(&message), Scan::Broken);
    }
}
