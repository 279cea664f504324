//! The words of a content stream. They are read forgivingly: what is odd in them is drawn oddly by everybody.
//!
//! # Source
//! ISO 32000-2, 7.8.2 and 8.9.7.

/// One word of a content stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word<'a> {
    Number(f64),
    Name(&'a [u8]),
    /// A string that is not empty.
    Text,
    /// An operator; the bytes of a picture in between are passed, and `EI` stands for it.
    Operator(&'a [u8]),
}

/// Reads one word after the other.
#[derive(Debug)]
pub(super) struct Words<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) const fn of(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !keep(*byte));
        let length = length.unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Passes a string in parentheses; says whether there is something in it.
    fn literal(&mut self) -> bool {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.skip();
            match byte {
                b'\\' => self.skip(),
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                _letter => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.at.saturating_sub(start) > 2
    }

    /// Passes the bytes of a picture up to its `EI`.
    fn picture(&mut self) {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let ends = |window: &[u8]| match window {
            [before, b'E', b'I', behind] => is_space(*before) && is_space(*behind),
            _other => false,
        };
        let end = rest.windows(4).position(ends);
        let end = end.map_or(rest.len(), |end| end.saturating_add(3));
        self.at = self.at.saturating_add(end);
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            self.take_while(is_space);
            match self.peek()? {
                b'%' => {
                    self.take_while(|byte| !matches!(byte, b'\r' | b'\n'));
                }
                b'(' => {
                    if self.literal() {
                        return Some(Word::Text);
                    }
                }
                b'<' => {
                    self.skip();
                    let digits = self.take_while(|byte| byte.is_ascii_hexdigit() || is_space(byte));
                    if self.peek() == Some(b'>') && digits.iter().any(u8::is_ascii_hexdigit) {
                        return Some(Word::Text);
                    }
                }
                b'/' => {
                    self.skip();
                    return Some(Word::Name(self.take_while(is_regular)));
                }
                b')' | b'>' | b'[' | b']' | b'{' | b'}' => self.skip(),
                b'+' | b'-' | b'.' | b'0'..=b'9' => {
                    return Some(Word::Number(number(self.take_while(is_regular))));
                }
                _letter => {
                    let word = self.take_while(is_regular);
                    if word != b"ID" {
                        return Some(Word::Operator(word));
                    }
                    self.picture();
                    return Some(Word::Operator(b"EI"));
                }
            }
        }
    }
}

fn number(text: &[u8]) -> f64 {
    let text = std::str::from_utf8(text).ok();
    let value: Option<f64> = text.and_then(|text| text.parse().ok());
    value.filter(|value| value.is_finite()).unwrap_or_default()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}
