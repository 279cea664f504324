//! What a ticket looks like: the number as large as the roll, and little else.
//!
//! ```text
//!        [ SALINAN ]            only on a copy, white on black
//!   Kecamatan Contoh
//!     NOMOR ANTREAN
//!        A-007                  up to eight times as wide and high as text
//!  Penerbitan KK Rusak          twice, where that takes up to three lines
//!  Di depan Anda: 7 orang
//!  Jumat, 27 November 2026, 08.41 WIB
//!        [code]
//!  Pindai untuk melihat giliran
//!  Siapkan:
//!  - KK yang rusak
//!        [ SALINAN ]
//!  - - - - - - cut - - - - - -
//! ```

use crate::encode::{Align, Encoder, Look};
use crate::layout;
use crate::profile::{Profile, QrBy};
use crate::qr::{QUIET_MODULES, QrPayload};
use crate::text::Text;
use crate::ticket::{Labels, Ticket};

/// The longest ticket that texts, notes and a raster code can make stays below.
pub const MAX_TICKET_BYTES: usize = 48 * 1024;

/// Eight times is the most that ESC/POS has.
const MAX_TIMES: usize = 8;

/// The mark of a copy need not be larger than half the number.
const MAX_MARK_TIMES: usize = 4;

/// A name of a service in double size takes three lines at most; a longer one is set smaller.
const MAX_LARGE_LINES: usize = 3;

/// A module of six dots is 0.75 mm: read by the camera of an old telephone at arm's length.
const MAX_MODULE_DOTS: usize = 6;

/// Air between the parts of a ticket: 1.5 mm.
const GAP_DOTS: u8 = 12;

/// Dots of a byte of raster.
const DOTS_A_BYTE: usize = 8;

/// The bytes of a ticket on a printer of this kind, cut included: the same for the same arguments.
///
/// No text of the ticket becomes a command, no byte opens a drawer, and no byte is one that a
/// printer obeys amid other data (DLE). Up to [`MAX_TICKET_BYTES`].
#[must_use]
pub fn render(ticket: &Ticket, profile: &Profile) -> Vec<u8> {
    let mut page = Page {
        encoder: Encoder::begin(profile),
        columns: profile.columns.into(),
    };
    let (details, labels) = (ticket.details(), ticket.labels());
    page.encoder.align(Align::Center);
    if ticket.is_copy() {
        page.mark(labels);
    }
    page.lines(&details.office, Look::PLAIN.bold(), 1);
    page.gap();
    page.lines(&labels.number, Look::PLAIN, 1);
    page.number(details.number.as_str());
    page.gap();
    page.service(&details.service);
    page.gap();
    if let Some(waiting) = details.waiting {
        page.waiting(labels, waiting);
    }
    page.taken(&details.taken_on, &details.taken_at);
    if let Some(code) = &details.code {
        page.code(code, profile, labels);
    }
    if details.notes.iter().any(|note| !note.is_empty()) {
        page.notes(labels, &details.notes);
    }
    if ticket.is_copy() {
        page.encoder.align(Align::Center);
        page.mark(labels);
    }
    page.encoder.feed_lines(profile.feed_lines);
    page.encoder.cut(profile.cut);
    page.encoder.finish()
}

/// A ticket being written.
struct Page {
    encoder: Encoder,
    columns: usize,
}

impl Page {
    /// A text in lines of characters that are `times` as wide.
    fn lines(&mut self, text: &Text, look: Look, times: usize) {
        let characters = self.encoder.characters(text);
        let columns = self.columns.checked_div(times).unwrap_or_default();
        self.encoder.look(look);
        for line in layout::wrap(&characters, columns) {
            self.encoder.line(&line);
        }
    }

    fn gap(&mut self) {
        self.encoder.feed_dots(GAP_DOTS);
    }

    fn mark(&mut self, labels: &Labels) {
        let mark = [
            b" ".as_slice(),
            &self.encoder.characters(&labels.copy),
            b" ",
        ]
        .concat();
        let times = largest(self.columns, mark.len()).min(MAX_MARK_TIMES);
        let size = u8::try_from(times).unwrap_or(1);
        self.encoder.look(Look::sized(size, size).bold().reverse());
        let columns = self.columns.checked_div(times).unwrap_or_default();
        let line = mark.get(..columns).unwrap_or(&mark);
        self.encoder.line(line);
        self.encoder.look(Look::PLAIN);
        self.gap();
    }

    fn number(&mut self, number: &str) {
        let size = u8::try_from(largest(self.columns, number.len())).unwrap_or(1);
        self.encoder.look(Look::sized(size, size).bold());
        self.encoder.line(number.as_bytes());
    }

    fn service(&mut self, service: &Text) {
        let characters = self.encoder.characters(service);
        let large = layout::wrap(&characters, self.columns.checked_div(2).unwrap_or_default());
        if large.len() <= MAX_LARGE_LINES {
            self.lines(service, Look::sized(2, 2), 2);
        } else {
            self.lines(service, Look::sized(1, 2).bold(), 1);
        }
    }

    fn waiting(&mut self, labels: &Labels, waiting: u32) {
        let words = [
            labels.waiting.as_str(),
            &waiting.to_string(),
            labels.people.as_str(),
        ];
        let mut line = Vec::new();
        for text in words.iter().flat_map(|words| Text::new(words)) {
            line.push(self.encoder.characters(&text));
        }
        self.encoder.look(Look::sized(1, 2).bold());
        for line in layout::wrap(&line.join(&b' '), self.columns) {
            self.encoder.line(&line);
        }
    }

    /// The day and the hour on one line, or on one line each: never the zone alone on a line of its own.
    fn taken(&mut self, on: &Text, at: &Text) {
        let parts = [on, at].map(|text| self.encoder.characters(text));
        let is_whole = parts.iter().all(|part| !part.is_empty());
        let line = parts.join(b", ".as_slice());
        if is_whole && line.len() <= self.columns {
            self.encoder.look(Look::PLAIN);
            self.encoder.line(&line);
        } else {
            self.lines(on, Look::PLAIN, 1);
            self.lines(at, Look::PLAIN, 1);
        }
    }

    fn code(&mut self, code: &QrPayload, profile: &Profile, labels: &Labels) {
        let dots = usize::from(profile.dots);
        let module = dots.checked_div(code.side_modules()).unwrap_or_default();
        let module = module.clamp(2, MAX_MODULE_DOTS);
        self.encoder.look(Look::PLAIN);
        match profile.qr {
            QrBy::None => return,
            QrBy::Native => {
                self.gap();
                let module = u8::try_from(module).unwrap_or(2);
                self.encoder.native_qr(code.as_str(), module);
                self.gap();
            }
            QrBy::Raster => {
                let (row_bytes, rows) = dots_of(code, module, dots);
                self.encoder.align(Align::Left);
                self.encoder.raster(row_bytes, &rows);
                self.encoder.align(Align::Center);
            }
        }
        self.lines(&labels.code, Look::PLAIN, 1);
    }

    fn notes(&mut self, labels: &Labels, notes: &[Text]) {
        self.gap();
        self.encoder.align(Align::Left);
        self.lines(&labels.notes, Look::PLAIN.bold(), 1);
        self.encoder.look(Look::PLAIN);
        for note in notes {
            let characters = self.encoder.characters(note);
            for line in layout::item(&characters, self.columns) {
                self.encoder.line(&line);
            }
        }
    }
}

/// How many times as wide `len` characters may be.
fn largest(columns: usize, len: usize) -> usize {
    columns.checked_div(len).unwrap_or(1).clamp(1, MAX_TIMES)
}

/// A code as rows of dots in the middle of the roll, quiet zone included; and the bytes of a row.
///
/// A module is two dots at least, so no run of dots is a single one and no byte is 0x10: a printer
/// that looks for DLE in everything it gets finds none here.
fn dots_of(code: &QrPayload, module: usize, dots: usize) -> (usize, Vec<Vec<u8>>) {
    let side = code.side_modules().saturating_mul(module);
    let left = dots.saturating_sub(side).checked_div(2).unwrap_or_default();
    let quiet = QUIET_MODULES.saturating_mul(module);
    let row_bytes = left.saturating_add(side).div_ceil(DOTS_A_BYTE);
    let blank = vec![0; row_bytes];
    let mut rows = vec![blank.clone(); quiet];
    for modules in code.modules() {
        let mut row = blank.clone();
        for (at, _dark) in modules.iter().enumerate().filter(|(_, dark)| **dark) {
            let first = left + quiet + at.saturating_mul(module);
            for dot in first..first.saturating_add(module) {
                if let Some(byte) = row.get_mut(dot / DOTS_A_BYTE) {
                    *byte |= 0x80 >> (dot % DOTS_A_BYTE);
                }
            }
        }
        rows.extend(std::iter::repeat_n(row, module));
    }
    rows.extend(std::iter::repeat_n(blank, quiet));
    (row_bytes, rows)
}
