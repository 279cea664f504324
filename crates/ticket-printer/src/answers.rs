//! Tells the answers of a printer apart, byte by byte, by the bits that are fixed in each kind.
//!
//! ```text
//! 0xx1xx10            DLE EOT, told at once          RealTime
//! 0xx0xxxx            GS r, told in line             InLine
//! 37 22 d d d d 00    GS ( H, told in line           ProcessId
//! 0xx1xx00 + 3 bytes  states it tells by itself      (passed over)
//! 11, 13              XON, XOFF                      (passed over)
//! ```
//!
//! What fits nothing is [`Answer::Noise`]; after it nothing is believed until the printer is asked
//! anew. A frame that breaks off is noise too: a lost answer costs a question on the screen, an
//! invented one would say *printed* of a ticket that is not.
//!
//! # Source
//! Citizen, *Command Reference*, "Identification of Send Status"; Epson, *ESC/POS Command
//! Reference*, GS ( H, function 48.

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To a question that is answered at once.
    #[doc(alias = "DLE EOT")]
    RealTime(u8),
    /// To a question that stood in line.
    #[doc(alias = "GS r")]
    InLine(u8),
    /// To a question in line that carried these four bytes.
    #[doc(alias = "GS ( H")]
    ProcessId([u8; 4]),
    /// None that is known.
    Noise(u8),
}

/// Reads answers; it holds up to six bytes of one that is not complete.
#[derive(Debug, Default)]
pub struct Answers {
    frame: Vec<u8>,
}

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// How a block that answers `GS ( H` begins, of the seven bytes that it has.
const BLOCK: [u8; 2] = [0x37, 0x22];

/// Header, identifier, four bytes of ours, NUL.
const BLOCK_LEN: usize = 7;

/// States that a printer tells by itself come in fours.
const AUTOMATIC_LEN: usize = 4;

impl Answers {
    /// Takes one byte; gives what it completes.
    pub fn feed(&mut self, byte: u8) -> Option<Answer> {
        if byte == XOFF || byte == XON {
            return None;
        }
        let Some(first) = self.frame.first().copied() else {
            return self.begin(byte);
        };
        if first == BLOCK[0] {
            self.block(byte)
        } else {
            self.automatic(byte)
        }
    }

    /// True amid an answer.
    #[must_use]
    pub fn is_amid(&self) -> bool {
        !self.frame.is_empty()
    }

    fn begin(&mut self, byte: u8) -> Option<Answer> {
        if is_real_time(byte) {
            return Some(Answer::RealTime(byte));
        }
        if is_in_line(byte) {
            return Some(Answer::InLine(byte));
        }
        if byte == BLOCK[0] || byte & 0x93 == 0x10 {
            self.frame.push(byte);
            return None;
        }
        Some(Answer::Noise(byte))
    }

    fn block(&mut self, byte: u8) -> Option<Answer> {
        self.frame.push(byte);
        let fits = match self.frame.len() {
            2 => byte == BLOCK[1],
            BLOCK_LEN => byte == 0,
            _between => (0x20..=0x7e).contains(&byte),
        };
        if !fits {
            self.frame.clear();
            return Some(Answer::Noise(byte));
        }
        if self.frame.len() < BLOCK_LEN {
            return None;
        }
        let word = self.frame.get(2..6).and_then(|word| word.try_into().ok());
        self.frame.clear();
        word.map(Answer::ProcessId)
    }

    fn automatic(&mut self, byte: u8) -> Option<Answer> {
        if !is_in_line(byte) {
            self.frame.clear();
            return Some(Answer::Noise(byte));
        }
        self.frame.push(byte);
        if self.frame.len() == AUTOMATIC_LEN {
            self.frame.clear();
        }
        None
    }
}

fn is_real_time(byte: u8) -> bool {
    byte & 0x93 == 0x12
}

fn is_in_line(byte: u8) -> bool {
    byte & 0x90 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], answers: &[Answer]) {
        let mut reader = Answers::default();
        let read: Vec<Answer> = bytes.iter().filter_map(|it| reader.feed(*it)).collect();
        assert_eq!(read, answers, "{bytes:02x?}");
    }

    #[test]
    fn each_kind_is_known_by_its_bits() {
        check(
            &[0x12, 0x7e, 0x00, 0x0c],
            &[
                Answer::RealTime(0x12),
                Answer::RealTime(0x7e),
                Answer::InLine(0x00),
                Answer::InLine(0x0c),
            ],
        );
        check(
            b"\x37\x22abcd\x00\x12",
            &[Answer::ProcessId(*b"abcd"), Answer::RealTime(0x12)],
        );
        check(&[0x80, 0x33], &[Answer::Noise(0x80), Answer::Noise(0x33)]);
    }

    #[test]
    fn what_a_printer_tells_by_itself_is_no_answer() {
        check(&[0x14, 0x00, 0x00, 0x0f, 0x12], &[Answer::RealTime(0x12)]);
        check(
            &[0x14, 0x00, 0x13, 0x00, 0x0f, 0x00],
            &[Answer::InLine(0x00)],
        );
        check(&[0x11, 0x13], &[]);
    }

    #[test]
    fn a_frame_that_breaks_off_is_noise_and_no_answer() {
        check(
            b"\x37\x22ab\x12\x00",
            &[Answer::Noise(0x12), Answer::InLine(0x00)],
        );
        check(b"\x37\x22abcde", &[Answer::Noise(b'e')]);
        check(&[0x14, 0x00, 0x12], &[Answer::Noise(0x12)]);
    }
}
