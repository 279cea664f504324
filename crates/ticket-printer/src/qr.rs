//! The code on a ticket: as a command where the printer draws it, as dots where it does not.

use qrcode::{Color, EcLevel, QrCode};

/// The address of a ticket's page has some 70; 160 give 53 modules, which fit on 58 mm at six dots each.
const MAX_PAYLOAD_BYTES: usize = 160;

/// Blank modules that a reader needs on each side.
///
/// # Source
/// ISO/IEC 18004 section 6.3.8.
pub(crate) const QUIET_MODULES: usize = 4;

/// Says why something cannot stand in a ticket's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// It is empty or longer than 160 bytes.
    #[error("put {0} bytes into a ticket's code: it takes 1 to 160")]
    Len(usize),
    /// It holds something else than visible ASCII, which an address never does.
    #[error("put a byte that is no visible ASCII into a ticket's code")]
    Byte,
    /// It makes no code.
    #[error("make a code of a ticket's address")]
    Code,
}

/// What a ticket's code holds: 1 to 160 bytes of visible ASCII, and the modules that say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrPayload {
    text: String,
    /// Rows of dark (true) and light modules, without the quiet zone.
    modules: Vec<Vec<bool>>,
}

impl QrPayload {
    /// Takes an address and draws its code at level M, which survives a creased ticket.
    ///
    /// # Errors
    /// [`QrError`] says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, QrError> {
        if text.is_empty() || text.len() > MAX_PAYLOAD_BYTES {
            return Err(QrError::Len(text.len()));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(QrError::Byte);
        }
        let code = QrCode::with_error_correction_level(text, EcLevel::M);
        let code = code.map_err(|_too_long| QrError::Code)?;
        let colors = code.to_colors();
        let rows = colors.chunks(code.width());
        let dark = |row: &[Color]| row.iter().map(|it| *it == Color::Dark).collect();
        Ok(Self {
            text: text.to_owned(),
            modules: rows.map(dark).collect(),
        })
    }

    /// What it holds.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Rows of modules, dark as true, without the quiet zone.
    pub(crate) fn modules(&self) -> &[Vec<bool>] {
        &self.modules
    }

    /// Modules of one side, quiet zone included.
    pub(crate) fn side_modules(&self) -> usize {
        self.modules.len().saturating_add(2 * QUIET_MODULES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_takes_an_address_and_nothing_else() {
        assert!(QrPayload::new("https://loket.test/t/0199").is_ok());
        assert_eq!(QrPayload::new(""), Err(QrError::Len(0)));
        assert_eq!(QrPayload::new(&"a".repeat(161)), Err(QrError::Len(161)));
        for bad in ["a b", "a\n", "\u{1b}@", "é"] {
            assert_eq!(QrPayload::new(bad), Err(QrError::Byte), "{bad:?}");
        }
    }

    #[test]
    fn the_longest_address_fits_on_the_narrow_roll_at_six_dots() {
        let longest = QrPayload::new(&"x".repeat(MAX_PAYLOAD_BYTES)).unwrap();
        assert!(
            longest.side_modules() * 6 <= 384,
            "{}",
            longest.side_modules()
        );
    }
}
