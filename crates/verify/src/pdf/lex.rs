//! Tokens of PDF syntax.
//!
//! # Source
//! ISO 32000-2, 7.2 and 7.3.

use std::ops::Range;

use super::budget::Budget;
use super::text::digit;
use crate::code::Code;

/// Steps that a token costs beside its bytes: what is made of it takes the time of so many.
const TOKEN_STEPS: usize = 16;

/// Characters of a number; honest ones have up to 20, and readers cut longer ones each in its way.
const MAX_NUMBER_BYTES: usize = 64;

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
    pub(super) fn skip_space(&mut self) -> Result<(), Code> {
        loop {
            self.take_while(is_space);
            if self.peek() != Some(b'%') {
                return Ok(());
            }
            comment(self.take_while(|byte| !matches!(byte, b'\r' | b'\n')))?;
        }
    }

    /// Passes white space and comments, and says whether there was any.
    pub(super) fn take_space(&mut self) -> Result<bool, Code> {
        let start = self.position;
        self.skip_space()?;
        Ok(self.position > start)
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

    /// Whether the digits in front of this place have a sign.
    pub(super) fn is_behind_sign(&self) -> bool {
        let passed = self.data.get(..self.position).unwrap_or_default();
        let before = passed.iter().rev().find(|byte| !byte.is_ascii_digit());
        matches!(before, Some(b'+' | b'-'))
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
        let passed = self.position.saturating_sub(start);
        budget.spend(passed.saturating_add(TOKEN_STEPS))?;
        token
    }

    fn token(&mut self) -> Result<Token<'a>, Code> {
        self.skip_space()?;
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
            b'+' | b'-' | b'.' | b'0'..=b'9' => number(self.regular()?),
            byte if is_regular(byte) => self.regular().map(Token::Word),
            _delimiter_out_of_place => Err(Code::Malformed),
        }
    }

    /// Takes regular characters. A null byte ends them by the rule, but not in every reader, and other
    /// control characters (a vertical tab) do not by the rule, but in some.
    fn regular(&mut self) -> Result<&'a [u8], Code> {
        let text = self.take_while(is_regular);
        if self.peek() == Some(0) || text.iter().any(u8::is_ascii_control) {
            Err(Code::Token)
        } else {
            Ok(text)
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
            return Err(Code::Token);
        }
        Ok(Token::Hex(start..self.position))
    }

    fn literal(&mut self, start: usize) -> Result<Token<'a>, Code> {
        let mut open = 0_usize;
        loop {
            match self.bump().ok_or(Code::Token)? {
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
        let mut raw = self.regular()?;
        let mut name = Vec::with_capacity(raw.len());
        while let Some((first, rest)) = raw.split_first() {
            if *first == b'#' {
                let [high, low, rest @ ..] = rest else {
                    return Err(Code::Token);
                };
                let (high, low) = (digit(*high), digit(*low));
                let byte = high.zip(low).map(|(high, low)| (high << 4) | low);
                // `#00` is forbidden: to many readers a name ends there.
                name.push(byte.filter(|byte| *byte != 0).ok_or(Code::Token)?);
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
    if text.len() > MAX_NUMBER_BYTES {
        return Err(Code::Token);
    }
    let digits = text
        .strip_prefix(b"-")
        .or(text.strip_prefix(b"+"))
        .unwrap_or(text);
    let dots = digits.iter().filter(|byte| **byte == b'.').count();
    let plain = digits
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if !plain || dots > 1 || digits.len() == dots {
        return Err(Code::Token);
    }
    if dots == 1 {
        return Ok(Token::Real(text));
    }
    let digits = std::str::from_utf8(text).map_err(|_not_ascii| Code::Token)?;
    digits
        .parse()
        .map(Token::Integer)
        .map_err(|_too_large| Code::Token)
}

/// Refuses a comment that a reader which repairs files would take for more.
fn comment(text: &[u8]) -> Result<(), Code> {
    let mut hides = false;
    for (at, byte) in text.iter().enumerate() {
        let rest = || text.get(at..).unwrap_or_default();
        // By what the words begin with: all else is passed over at once, for a comment may be the whole file.
        hides |= match byte {
            b'%' if rest().starts_with(b"%PDF-") => return Err(Code::SeveralHeaders),
            b'e' => rest().starts_with(b"endobj") || rest().starts_with(b"endstream"),
            b'x' => rest().starts_with(b"xref"),
            b't' => rest().starts_with(b"trailer"),
            b' ' | b'\t' => opens(rest()),
            _harmless => false,
        };
    }
    if hides {
        Err(Code::CommentHides)
    } else {
        Ok(())
    }
}

/// Whether an object opens here: `object` is an honest word (qpdf writes "Original object ID"), `1 0 obj` is none.
fn opens(text: &[u8]) -> bool {
    let Some((_blank, rest)) = text.split_first() else {
        return false;
    };
    rest.strip_prefix(b"obj")
        .is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
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
        for text in [&b">"[..], b")", b"{"] {
            let found = tokens(text);
            assert_eq!(found, Err(Code::Malformed), "{}", text.escape_ascii());
        }
        for text in [
            &b"(open"[..],
            b"<0g>",
            b"<00",
            b"1-2",
            b"--5",
            b"+-5",
            b"1e5",
            b"0x1",
            b"1.2.3",
            b".",
            b"-",
            b"99999999999999999999",
            &[b'0'; 65],
            b"/#4",
            b"/#zz",
            b"/A#00B",
            b"/A\0B",
            b"12\0",
            b"/A\x0bB",
            b"true\x7f",
            b"obj\0",
        ] {
            let found = tokens(text);
            assert_eq!(found, Err(Code::Token), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_comment_may_not_hold_what_a_repairing_reader_looks_for() {
        let honest: [&[u8]; 5] = [
            b"% \xe2\xe3\xcf\xd3\n",
            b"%% Original object ID: 12 0\n",
            b"%%EOF\r\n",
            b"%%Invocation: gs -dBATCH\n",
            b"% a note without end",
        ];
        for text in honest {
            assert_eq!(tokens(text), Ok(Vec::new()), "{}", text.escape_ascii());
        }
        for text in [
            &b"% 1 0 obj"[..],
            b"%1 0 obj<<>>\n",
            b"%endobj",
            b"% startxref 0",
            b"%endstream",
            b"%trailer<<>>",
        ] {
            let found = tokens(text);
            assert_eq!(found, Err(Code::CommentHides), "{}", text.escape_ascii());
        }
        assert_eq!(tokens(b"1 %%PDF-1.7\n"), Err(Code::SeveralHeaders));
    }
}
