//! Finds and changes digits in a page whose content stream is not compressed, as that of the unsigned sample card.

/// One digit of the page's text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digit {
    /// Where its byte stands in the document.
    pub at: usize,
    /// The digit, from 0 to 9.
    pub value: u8,
    /// Size of its letters, in points.
    pub size_pt: f32,
}

/// Every digit that the page shows, in the order of the document.
#[must_use]
pub fn digits(document: &[u8]) -> Vec<Digit> {
    let mut found = Vec::new();
    let mut size_pt = 0.0;
    let mut at = 0;
    for line in document.split_inclusive(|byte| *byte == b'\n') {
        if let Some(size) = size_of(line) {
            size_pt = size;
        }
        let shown = line.windows(4).any(|it| it == b") Tj");
        let open = line.iter().position(|byte| *byte == b'(').filter(|_| shown);
        let close = line.iter().rposition(|byte| *byte == b')');
        if let (Some(open), Some(close)) = (open, close) {
            for (inner, byte) in line.iter().enumerate().take(close).skip(open) {
                if byte.is_ascii_digit() {
                    found.push(Digit {
                        at: at + inner,
                        value: byte - b'0',
                        size_pt,
                    });
                }
            }
        }
        at += line.len();
    }
    found
}

/// The size in `/F1 8.5 Tf`.
fn size_of(line: &[u8]) -> Option<f32> {
    let text = std::str::from_utf8(line).ok()?;
    let (before, _after) = text.split_once(" Tf")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// The document with one byte of its text changed to another digit.
#[must_use]
pub fn with_digit(document: &[u8], digit: Digit, value: u8) -> Vec<u8> {
    let mut changed = document.to_vec();
    if let Some(byte) = changed.get_mut(digit.at) {
        *byte = b'0' + value % 10;
    }
    changed
}

/// The card of another family: every digit another one, every letter of words in capitals moved on in the alphabet.
#[must_use]
pub fn other_family(document: &[u8], step: u8) -> Vec<u8> {
    let mut changed = document.to_vec();
    for (number, digit) in (0_u8..=u8::MAX).cycle().zip(digits(document)) {
        if let Some(byte) = changed.get_mut(digit.at) {
            let moved = u16::from(digit.value) + u16::from(step) + u16::from(number % 7);
            *byte = b'0' + u8::try_from(moved % 10).unwrap_or_default();
        }
    }
    let mut at = 0;
    for line in document.split_inclusive(|byte| *byte == b'\n') {
        if line.windows(4).any(|it| it == b") Tj") {
            let open = line
                .iter()
                .position(|byte| *byte == b'(')
                .unwrap_or(line.len());
            for (inner, byte) in line.iter().enumerate().skip(open) {
                if byte.is_ascii_uppercase()
                    && line
                        .get(inner + 1)
                        .is_some_and(|next| next.is_ascii_uppercase())
                    && let Some(cell) = changed.get_mut(at + inner)
                {
                    *cell = b'A' + (byte - b'A' + step) % 26;
                }
            }
        }
        at += line.len();
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[u8] =
        b"BT /F2 8.5 Tf 10 TL ET\nBT 1 0 0 1 9.5 4 Tm (NO. 70) Tj T* ET\n1 w\nBT (x2) Tj ET\n";

    #[test]
    fn only_digits_that_are_shown_are_found_with_their_size() {
        let found = digits(PAGE);
        let values: Vec<u8> = found.iter().map(|it| it.value).collect();
        assert_eq!(values, [7, 0, 2]);
        assert!(found.iter().all(|it| (it.size_pt - 8.5).abs() < 0.01));
        let changed = with_digit(PAGE, found[0], 4);
        assert!(changed.windows(6).any(|it| it == b"NO. 40"));
        assert_eq!(changed.len(), PAGE.len());
    }

    #[test]
    fn another_family_has_other_digits_in_the_same_places() {
        let other = other_family(PAGE, 3);
        assert_eq!(other.len(), PAGE.len());
        assert!(
            digits(PAGE)
                .iter()
                .zip(digits(&other))
                .all(|(one, two)| one.at == two.at && one.value != two.value)
        );
    }
}
