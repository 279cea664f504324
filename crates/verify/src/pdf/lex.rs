//! Tokens of PDF syntax.
//!
//! # Source
//! ISO 32000-2, 7.2 and 7.3.

use std::ops::Range;

use super::budget::Budget;
use super::text::digit;
use crate::code::Code;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    ArrayOpen,
    ArrayClose,
    DictionaryOpen,
    DictionaryClose,
    Name(Vec<u8>),
    /// A literal string, parentheses included.
    Literal(Range<usize>),
    /// A hexadecimal string, angle brackets included.
    Hex(Range<usize>),
    Integer(i64),
    /// The characters of a number with a point.
    Real(&'a [u8]),
    Word(&'a [u8]),
    End,
}

/// A place in the document and the way to read on from it.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    position: usize,
    is_placed: bool,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !is_delimiter(byte)
}

impl<'a> Cursor<'a> {
    pub(super) fn at(data: &'a [u8], position: usize) -> Self {
        Self {
            data,
            position,
            is_placed: true,
        }
    }

    /// A cursor over bytes that came out of a stream.
    pub(super) fn unplaced(data: &'a [u8], position: usize) -> Self {
        Self {
            data,
            position,
            is_placed: false,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Whether places of this cursor are places of the document.
    pub(super) fn is_placed(&self) -> bool {
        self.is_placed
    }

    pub(super) fn slice(&self, place: Range<usize>) -> &'a [u8] {
        self.data.get(place).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.data.get(self.position).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position = self.position.saturating_add(1);
        Some(byte)
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.data.get(self.position..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !keep(*byte))
            .unwrap_or(rest.len());
        self.position = self.position.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    /// Passes white space and comments.
    pub(super) fn skip_space(&mut self) {
        loop {
            self.take_while(is_space);
            if self.peek() != Some(b'%') {
                return;
            }
            self.take_while(|byte| !matches!(byte, b'\r' | b'\n'));
        }
    }

    /// Passes white space alone, so that a comment such as `%%EOF` stays to be read.
    pub(super) fn skip_blanks(&mut self) {
        self.take_while(is_space);
    }

    /// Takes exactly `bytes` if they stand here.
    pub(super) fn take_exact(&mut self, bytes: &[u8]) -> bool {
        let here = self
            .data
            .get(self.position..)
            .is_some_and(|rest| rest.starts_with(bytes));
        if here {
            self.position = self.position.saturating_add(bytes.len());
        }
        here
    }

    /// Takes the digits that stand here.
    pub(super) fn take_digits(&mut self) -> &'a [u8] {
        self.take_while(|byte| byte.is_ascii_digit())
    }

    /// Takes exactly `word` if it stands here and ends there.
    pub(super) fn take_word(&mut self, word: &[u8]) -> bool {
        let mut ahead = self.clone();
        let here = ahead.take_exact(word) && !ahead.peek().is_some_and(is_regular);
        if here {
            *self = ahead;
        }
        here
    }

    /// Takes one end-of-line marker, if one stands here.
    pub(super) fn take_end_of_line(&mut self) -> bool {
        self.take_exact(b"\r\n") || self.take_exact(b"\n") || self.take_exact(b"\r")
    }

    /// Takes the next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(length)?;
        let bytes = self.data.get(self.position..end)?;
        self.position = end;
        Some(bytes)
    }

    /// Reads the next token.
    pub(super) fn next(&mut self, budget: &mut Budget) -> Result<Token<'a>, Code> {
        let start = self.position;
        let token = self.token();
        budget.spend(self.position.saturating_sub(start).saturating_add(1))?;
        token
    }

    fn token(&mut self) -> Result<Token<'a>, Code> {
        self.skip_space();
        let start = self.position;
        let Some(byte) = self.peek() else {
            return Ok(Token::End);
        };
        match byte {
            b'[' => self.single(Token::ArrayOpen),
            b']' => self.single(Token::ArrayClose),
            b'<' if self.take_exact(b"<<") => Ok(Token::DictionaryOpen),
            b'<' => self.hex(start),
            b'>' if self.take_exact(b">>") => Ok(Token::DictionaryClose),
            b'(' => self.literal(start),
            b'/' => self.name(),
            b'+' | b'-' | b'.' | b'0'..=b'9' => number(self.take_while(is_regular)),
            byte if is_regular(byte) => Ok(Token::Word(self.take_while(is_regular))),
            _delimiter_out_of_place => Err(Code::Malformed),
        }
    }

    fn single(&mut self, token: Token<'a>) -> Result<Token<'a>, Code> {
        self.bump();
        Ok(token)
    }

    fn hex(&mut self, start: usize) -> Result<Token<'a>, Code> {
        self.bump();
        self.take_while(|byte| byte.is_ascii_hexdigit() || is_space(byte));
        if self.bump() != Some(b'>') {
            return Err(Code::Malformed);
        }
        Ok(Token::Hex(start..self.position))
    }

    fn literal(&mut self, start: usize) -> Result<Token<'a>, Code> {
        let mut open = 0_usize;
        loop {
            match self.bump().ok_or(Code::Malformed)? {
                b'\\' => {
                    self.bump();
                }
                b'(' => open = open.saturating_add(1),
                b')' => open = open.saturating_sub(1),
                _plain => {}
            }
            if open == 0 {
                return Ok(Token::Literal(start..self.position));
            }
        }
    }

    fn name(&mut self) -> Result<Token<'a>, Code> {
        self.bump();
        let mut raw = self.take_while(is_regular);
        let mut name = Vec::with_capacity(raw.len());
        while let Some((first, rest)) = raw.split_first() {
            if *first == b'#' {
                let [high, low, rest @ ..] = rest else {
                    return Err(Code::Malformed);
                };
                let (high, low) = (digit(*high), digit(*low));
                let byte = high.zip(low).map(|(high, low)| (high << 4) | low);
                name.push(byte.ok_or(Code::Malformed)?);
                raw = rest;
            } else {
                name.push(*first);
                raw = rest;
            }
        }
        Ok(Token::Name(name))
    }
}

fn number(text: &[u8]) -> Result<Token<'_>, Code> {
    let digits = text
        .strip_prefix(b"-")
        .or(text.strip_prefix(b"+"))
        .unwrap_or(text);
    let dots = digits.iter().filter(|byte| **byte == b'.').count();
    let plain = digits
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if !plain || dots > 1 || digits.len() == dots {
        return Err(Code::Malformed);
    }
    if dots == 1 {
        return Ok(Token::Real(text));
    }
    let digits = std::str::from_utf8(text).map_err(|_not_ascii| Code::Malformed)?;
    digits
        .parse()
        .map(Token::Integer)
        .map_err(|_too_large| Code::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &[u8]) -> Result<Vec<Token<'_>>, Code> {
        let (mut cursor, mut budget, mut out) = (Cursor::at(text, 0), Budget::new(), Vec::new());
        loop {
            let token = cursor.next(&mut budget)?;
            if token == Token::End {
                return Ok(out);
            }
            out.push(token);
        }
    }

    #[test]
    fn tokens_are_told_apart() {
        let name = |text: &str| Token::Name(text.as_bytes().to_vec());
        let cases: &[(&[u8], Vec<Token<'_>>)] = &[
            (
                b"12 -3 +4",
                vec![Token::Integer(12), Token::Integer(-3), Token::Integer(4)],
            ),
            (
                b"0.5 -.5 4.",
                vec![Token::Real(b"0.5"), Token::Real(b"-.5"), Token::Real(b"4.")],
            ),
            (b"/A#42 / /X", vec![name("AB"), name(""), name("X")]),
            (b"(a(b)\\)c)", vec![Token::Literal(0..9)]),
            (b"<0aF 1>", vec![Token::Hex(0..7)]),
            (
                b"<<>>[]",
                vec![
                    Token::DictionaryOpen,
                    Token::DictionaryClose,
                    Token::ArrayOpen,
                    Token::ArrayClose,
                ],
            ),
            (b"% note\nobj", vec![Token::Word(b"obj")]),
        ];
        for (text, expect) in cases {
            assert_eq!(tokens(text).as_ref(), Ok(expect), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            &b"(open"[..],
            b"<0g>",
            b"<00",
            b">",
            b")",
            b"{",
            b"1-2",
            b"--1",
            b".",
            b"/#4",
        ] {
            assert_eq!(
                tokens(text),
                Err(Code::Malformed),
                "{}",
                text.escape_ascii()
            );
        }
        assert_eq!(tokens(b"99999999999999999999"), Err(Code::Malformed));
    }
}
