//! String objects: what they say, and where they stand.
//!
//! # Source
//! ISO 32000-2, 7.3.4.

use std::ops::Range;

use data_encoding::HEXLOWER_PERMISSIVE;

/// A string; two are equal when they say the same bytes, however and wherever they are written.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    place: Option<Range<usize>>,
    is_hex: bool,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Text {}

impl Text {
    /// Reads a literal string, parentheses included.
    pub(super) fn literal(raw: &[u8], place: Option<Range<usize>>) -> Self {
        let inner = raw.strip_prefix(b"(").unwrap_or(raw);
        let inner = inner.strip_suffix(b")").unwrap_or(inner);
        Self {
            bytes: unescape(inner),
            place,
            is_hex: false,
        }
    }

    /// Reads a hexadecimal string, angle brackets included.
    pub(super) fn hex(raw: &[u8], place: Option<Range<usize>>) -> Self {
        let inner = raw.strip_prefix(b"<").unwrap_or(raw);
        let inner = inner.strip_suffix(b">").unwrap_or(inner);
        // A signature's container is most of what its document has in digits, and has no space in it.
        let plain = HEXLOWER_PERMISSIVE.decode(inner);
        Self {
            bytes: plain.unwrap_or_else(|_spaced_or_odd| pairs(inner)),
            place,
            is_hex: true,
        }
    }

    /// What it says, escapes and digits undone.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where it stands in the document, brackets included; nowhere if it came out of a stream.
    pub(crate) fn place(&self) -> Option<Range<usize>> {
        self.place.clone()
    }

    /// Whether it is written in hexadecimal digits.
    pub(crate) fn is_hex(&self) -> bool {
        self.is_hex
    }
}

/// The bytes of digits with anything between them; the last digit may be left off, and is then zero.
fn pairs(digits: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
    let mut high = None;
    for digit in digits.iter().filter_map(|byte| digit(*byte)) {
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push((high << 4) | digit),
        }
    }
    bytes.extend(high.map(|high| high << 4));
    bytes
}

/// The value of a hexadecimal digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(byte.wrapping_sub(b'A').wrapping_add(10)),
        _other => None,
    }
}

/// Undoes the escapes of a literal string and makes every end of line a line feed.
fn unescape(mut text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        text = rest;
        match first {
            b'\\' => text = escape(rest, &mut plain),
            b'\r' => {
                plain.push(b'\n');
                text = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
            other => plain.push(*other),
        }
    }
    plain
}

/// Reads what follows a backslash, and gives what follows that.
fn escape<'a>(text: &'a [u8], plain: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = text.split_first() else {
        return text;
    };
    match first {
        b'n' => plain.push(b'\n'),
        b'r' => plain.push(b'\r'),
        b't' => plain.push(b'\t'),
        b'b' => plain.push(8),
        b'f' => plain.push(12),
        b'\n' => {}
        b'\r' => return rest.strip_prefix(b"\n").unwrap_or(rest),
        b'0'..=b'7' => {
            let digits = text
                .iter()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(*byte));
            let (value, length) = digits.fold((0_u16, 0_usize), |(value, length), digit| {
                let digit = u16::from(digit.wrapping_sub(b'0'));
                let value = value.wrapping_mul(8).wrapping_add(digit);
                (value, length.saturating_add(1))
            });
            // High-order overflow is ignored, as the rule has it.
            plain.push(value.to_le_bytes().first().copied().unwrap_or_default());
            return text.get(length..).unwrap_or_default();
        }
        other => plain.push(*other),
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_string_says_what_its_escapes_mean() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"(plain)", b"plain"),
            (b"(a\\(b\\)c\\\\)", b"a(b)c\\"),
            (b"(\\n\\r\\t\\b\\f\\q)", b"\n\r\t\x08\x0cq"),
            (b"(\\101\\60\\0053\\777)", b"A0\x053\xff"),
            (
                b"(one\\\ntwo\\\r\nthree\r\nfour\rfive)",
                b"onetwothree\nfour\nfive",
            ),
            (b"((in)out)", b"(in)out"),
            (b"()", b""),
        ];
        for (raw, expect) in cases {
            let text = Text::literal(raw, None);
            assert_eq!(text.bytes(), *expect, "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_hexadecimal_string_is_filled_up_with_a_zero() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"<4142>", b"AB"),
            (b"<4 1\n4>", b"A@"),
            (b"<>", b""),
            (b"<fF>", b"\xff"),
        ];
        for (raw, expect) in cases {
            let text = Text::hex(raw, None);
            assert_eq!(text.bytes(), *expect, "{}", raw.escape_ascii());
        }
        assert_eq!(
            Text::hex(b"<41>", Some(5..9)),
            Text::literal(b"(A)", None),
            "what is said counts"
        );
    }
}
