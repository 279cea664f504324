//! What may stand on a ticket: texts without control characters, and short numbers.

use serde::{Deserialize, Serialize};

/// The longest name of a service met is 74 characters; four lines of 48 hold twice that.
const MAX_TEXT_CHARS: usize = 160;

/// Eight characters fill a roll of 58 mm at four times their width and are still read across a room.
const MAX_NUMBER_CHARS: usize = 8;

/// Says why something cannot stand on a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It has more characters than a ticket has room for.
    #[error("put a text of {chars} characters on a ticket: it may have {most}")]
    TooLong {
        /// Characters it has.
        chars: usize,
        /// Characters it may have.
        most: usize,
    },
    /// A number is empty or holds something else than `A`–`Z`, `0`–`9` and `-`.
    #[error("put a number on a ticket: it has letters A to Z, digits and hyphens alone")]
    Number,
}

/// A text of up to 160 characters that holds no control character.
///
/// Control characters, which a printer would take for commands, and the invisible ones that turn
/// the direction of writing become spaces; runs of white space become one space. No text can
/// therefore command a printer, whatever it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// Takes a text.
    ///
    /// # Errors
    /// [`TextError::TooLong`] where more than 160 characters remain.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let visible: String = text.chars().map(visible).collect();
        let words: Vec<&str> = visible.split_whitespace().collect();
        let text = words.join(" ");
        let chars = text.chars().count();
        if chars > MAX_TEXT_CHARS {
            return Err(TextError::TooLong {
                chars,
                most: MAX_TEXT_CHARS,
            });
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True where nothing would be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A character, or a space in place of one that is a command or cannot be seen.
fn visible(character: char) -> char {
    let hidden = character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if hidden { ' ' } else { character }
}

impl TryFrom<String> for Text {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(&text)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// A queue number: one to eight characters of `A`–`Z`, `0`–`9` and `-`, for instance `A-007`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

impl Number {
    /// Takes a number.
    ///
    /// # Errors
    /// [`TextError`] where it is empty, too long or has other characters.
    pub fn new(number: &str) -> Result<Self, TextError> {
        let chars = number.chars().count();
        if chars > MAX_NUMBER_CHARS {
            return Err(TextError::TooLong {
                chars,
                most: MAX_NUMBER_CHARS,
            });
        }
        let fits = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '-';
        if number.is_empty() || !number.chars().all(fits) {
            return Err(TextError::Number);
        }
        Ok(Self(number.to_owned()))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Number {
    type Error = TextError;

    fn try_from(number: String) -> Result<Self, TextError> {
        Self::new(&number)
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_printer_would_obey_becomes_a_space() {
        let text = Text::new("KK\u{1b}@ rusak\r\n\u{1d}V\u{0}\u{10}\u{4}\u{1}\u{9b}x\u{202e}y");
        assert_eq!(text.unwrap().as_str(), "KK @ rusak V x y");
    }

    #[test]
    fn a_text_that_has_no_room_is_refused() {
        assert!(Text::new(&"a".repeat(160)).is_ok());
        let refused = Text::new(&"a".repeat(161));
        assert_eq!(
            refused,
            Err(TextError::TooLong {
                chars: 161,
                most: 160
            })
        );
    }

    #[test]
    fn a_number_is_short_and_plain() {
        for good in ["A-007", "1", "ABCD-123"] {
            assert_eq!(Number::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a-007", "A 007", "A-007\n", "A–007", "ABCDE-123"] {
            assert!(Number::new(bad).is_err(), "{bad}");
        }
    }
}
