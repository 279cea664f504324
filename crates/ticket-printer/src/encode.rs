//! ESC/POS commands as bytes: the few that a ticket needs, and none that opens a drawer.
//!
//! Our own and not crate `escpos`, which is a judge in the tests: it has no `GS ( H`, `GS r` or
//! `FS .`, writes to a driver that it owns, and takes text with its control characters.

use crate::code_page::CodePage;
use crate::profile::{Answering, Cut, LineEnd, Profile};
use crate::text::Text;

const ESC: u8 = 0x1b;
const GS: u8 = 0x1d;
const FS: u8 = 0x1c;
const DLE: u8 = 0x10;
const EOT: u8 = 0x04;

/// The most bytes that one command of ours waits for after its head: a band of raster.
///
/// A printer that lost the rest of a ticket may wait for so many; as many zeroes bring it to an end.
pub(crate) const MAX_DATA_BYTES: usize = 2_048;

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Center,
}

/// How characters look: each size 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) width: u8,
    pub(crate) height: u8,
    pub(crate) bold: bool,
    pub(crate) reverse: bool,
}

impl Look {
    pub(crate) const PLAIN: Self = Self::sized(1, 1);

    pub(crate) const fn sized(width: u8, height: u8) -> Self {
        Self {
            width,
            height,
            bold: false,
            reverse: false,
        }
    }

    pub(crate) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(crate) const fn reverse(self) -> Self {
        Self {
            reverse: true,
            ..self
        }
    }
}

/// Writes commands for one printer.
#[derive(Debug)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
    code_page: CodePage,
    line_end: LineEnd,
}

impl Encoder {
    /// Begins anew: whatever was set is as after power-on, and the table of characters is chosen.
    pub(crate) fn begin(profile: &Profile) -> Self {
        let mut encoder = Self {
            bytes: Vec::new(),
            code_page: profile.code_page,
            line_end: profile.line_end,
        };
        encoder.put(&[ESC, b'@']);
        if profile.double_byte {
            encoder.put(&[FS, b'.']);
        }
        // Signs of the USA: other sets replace # $ @ [ \ ] ^ ` { | } ~, some of which addresses hold.
        encoder.put(&[ESC, b'R', 0]);
        encoder.put(&[ESC, b't', profile.code_page_number]);
        encoder
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn align(&mut self, align: Align) {
        let n = match align {
            Align::Left => 0,
            Align::Center => 1,
        };
        self.put(&[ESC, b'a', n]);
    }

    pub(crate) fn look(&mut self, look: Look) {
        let times = |size: u8| size.clamp(1, 8).saturating_sub(1);
        self.put(&[GS, b'!', (times(look.width) << 4) | times(look.height)]);
        self.put(&[ESC, b'E', look.bold.into()]);
        self.put(&[GS, b'B', look.reverse.into()]);
    }

    /// One line of text and its end.
    pub(crate) fn line(&mut self, line: &[u8]) {
        // Lines come from `characters`, which gives no control byte; this holds should one not.
        self.bytes.extend(line.iter().filter(|byte| **byte >= b' '));
        if self.line_end == LineEnd::CrLf {
            self.put(b"\r");
        }
        self.put(b"\n");
    }

    /// A text in the printer's bytes.
    pub(crate) fn characters(&self, text: &Text) -> Vec<u8> {
        let mut bytes = Vec::new();
        for character in text.as_str().chars() {
            self.code_page.encode(character, &mut bytes);
        }
        bytes
    }

    pub(crate) fn feed_dots(&mut self, dots: u8) {
        self.put(&[ESC, b'J', dots]);
    }

    pub(crate) fn feed_lines(&mut self, lines: u8) {
        self.put(&[ESC, b'd', lines]);
    }

    pub(crate) fn cut(&mut self, cut: Cut) {
        match cut {
            Cut::Full => self.put(&[GS, b'V', 0]),
            Cut::Partial => self.put(&[GS, b'V', 1]),
            Cut::None => {}
        }
    }

    /// A code that the printer draws: model 2, `dots` a module (1 to 16), level M.
    pub(crate) fn native_qr(&mut self, payload: &str, dots: u8) {
        self.put(&[GS, b'(', b'k', 4, 0, 49, 65, 50, 0]);
        self.put(&[GS, b'(', b'k', 3, 0, 49, 67, dots]);
        self.put(&[GS, b'(', b'k', 3, 0, 49, 69, 49]);
        let len = u16::try_from(payload.len().saturating_add(3)).unwrap_or(u16::MAX);
        let [low, high] = len.to_le_bytes();
        self.put(&[GS, b'(', b'k', low, high, 49, 80, 48]);
        self.put(payload.as_bytes());
        self.put(&[GS, b'(', b'k', 3, 0, 49, 81, 48]);
    }

    /// Rows of dots, each of the same number of bytes, in bands of up to 2,048 bytes.
    pub(crate) fn raster(&mut self, row_bytes: usize, rows: &[Vec<u8>]) {
        let Some(band_rows) = MAX_DATA_BYTES
            .checked_div(row_bytes)
            .filter(|rows| *rows > 0)
        else {
            return;
        };
        for band in rows.chunks(band_rows) {
            let size = |len: usize| u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes();
            self.put(&[GS, b'v', b'0', 0]);
            self.put(&size(row_bytes));
            self.put(&size(band.len()));
            band.iter().for_each(|row| self.put(row));
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Ends the head of a command that broke off, in front of a question at once.
///
/// No head of ours is longer. A printer that lacks one takes the question's bytes for its lengths, and then waits for up
/// to 64 KiB of data, more than [`resume`] has; with zeroes for lengths it waits for no more than that.
pub(crate) const HEAD_END: [u8; 8] = [0; 8];

/// Asks for one of the four states that are answered at once; `n` is 1 to 4.
pub(crate) fn ask_at_once(n: u8) -> [u8; 3] {
    [DLE, EOT, n]
}

/// Asks a question that stands in line; nothing where the printer answers none.
pub(crate) fn ask_in_line(answering: Answering, word: [u8; 4]) -> Vec<u8> {
    match answering {
        Answering::Nothing | Answering::Status => Vec::new(),
        Answering::InLine => vec![GS, b'r', 1],
        Answering::ProcessId => {
            let mut bytes = vec![GS, b'(', b'H', 6, 0, 48, 48];
            bytes.extend_from_slice(&word);
            bytes
        }
    }
}

/// Brings a printer that may wait for the rest of something to a fresh sheet.
///
/// Zeroes are data to a command that lacks some and nothing to a printer that lacks none. What
/// stood in its line is cleared, not printed; what it had printed is fed out and cut off. States
/// that it would tell by itself are turned off: they look like answers.
pub(crate) fn resume(profile: &Profile) -> Vec<u8> {
    let mut bytes = vec![0; MAX_DATA_BYTES];
    bytes.extend([ESC, b'@', GS, b'a', 0]);
    let mut encoder = Encoder {
        bytes,
        code_page: profile.code_page,
        line_end: profile.line_end,
    };
    encoder.feed_lines(profile.feed_lines);
    encoder.cut(profile.cut);
    encoder.finish()
}
