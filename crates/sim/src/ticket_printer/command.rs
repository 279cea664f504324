//! ESC/POS as a printer reads it: bytes in, commands out, whatever the bytes are.
//!
//! # Source
//! Epson, *ESC/POS Command Reference*: formats and lengths of the commands below.

/// The most data of one command that is kept: 576 dots by 3,600 rows.
const MAX_COMMAND_BYTES: usize = 256 * 1024;

/// Tab stops of `ESC D` end with NUL after 32 of them.
const MAX_TABS: usize = 35;

/// A bar code of the old form ends with NUL after 255 characters.
const MAX_BAR_CODE: usize = 260;

const DLE: u8 = 0x10;
const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

/// What a printer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// A byte that is printed.
    Character(u8),
    LineFeed,
    /// Changes nothing on paper: NUL, CR, what is executed on receipt already.
    Nothing,
    Initialise,
    Align(u8),
    Size(u8),
    Mode(u8),
    Bold(bool),
    Reverse(bool),
    Font(u8),
    CodePage(u8),
    DoubleByte(bool),
    FeedDots(u8),
    FeedLines(u8),
    Cut {
        full: bool,
        feed_dots: u8,
    },
    /// `GS ( k` with its parameters.
    Symbol(Vec<u8>),
    Raster {
        row_bytes: usize,
        rows: usize,
        dots: Vec<u8>,
    },
    /// `GS r n`.
    AskInLine(u8),
    /// `GS ( H`, function 48.
    AskWord([u8; 4]),
    /// `GS I n`.
    AskId(u8),
    /// `GS a n`.
    Automatic(u8),
    Drawer,
    /// Known by its length alone: a setting that this printer does not show.
    Other,
    /// Not known: a real printer may do anything.
    Unknown,
}

/// Reads commands from bytes; it keeps up to 256 KiB of one that is not complete.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    head: Vec<u8>,
    /// Bytes that the present command has in all, once they are known.
    total: Option<usize>,
    /// Bytes of a command past the bound, which are swallowed.
    skip: usize,
}

impl Reader {
    /// Takes one byte; gives the command that it completes.
    pub(crate) fn feed(&mut self, byte: u8) -> Option<Command> {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(1);
            return (self.skip == 0).then_some(Command::Unknown);
        }
        self.head.push(byte);
        if self.total.is_none() {
            self.total = total(&self.head);
        }
        let total = self.total?;
        if self.head.len() < total {
            if total > MAX_COMMAND_BYTES {
                self.skip = total.saturating_sub(self.head.len());
                self.clear();
            }
            return None;
        }
        let command = read(&self.head);
        self.clear();
        Some(command)
    }

    /// True amid a command.
    #[cfg(test)]
    pub(crate) fn is_amid(&self) -> bool {
        !self.head.is_empty() || self.skip > 0
    }

    fn clear(&mut self) {
        self.head.clear();
        self.total = None;
    }
}

/// How many bytes a command has that begins like this; nothing while that cannot be told.
fn total(head: &[u8]) -> Option<usize> {
    let number = |low: u8, high: u8| usize::from(u16::from_le_bytes([low, high]));
    match head {
        [ESC | GS | FS | DLE] => None,
        [ESC, b'@' | b'2' | b'i' | b'm' | b'v', ..] => Some(2),
        [ESC, b'c' | b'$' | b'\\', ..] => Some(4),
        [ESC, b'p', ..] => Some(5),
        [ESC, b'D', rest @ ..] => ends_with_nul(rest, MAX_TABS, head.len()),
        [ESC, b'*', mode, low, high, ..] => {
            let each = if *mode < 32 { 1 } else { 3 };
            Some(number(*low, *high).saturating_mul(each).saturating_add(5))
        }
        [ESC, b'*', ..] => None,
        [
            ESC,
            b'!' | b'a' | b'd' | b'e' | b't' | b'r' | b'u' | b'E' | b'G' | b'J' | b'K' | b'M'
            | b'R' | b'S' | b'T' | b'V' | b'-' | b'3' | b' ' | b'{' | b'%' | b'=' | b'?',
            ..,
        ] => Some(3),
        [GS, b'V', 65 | 66 | 97 | 98 | 103 | 104, ..] => Some(4),
        [GS, b'V', _, ..] => Some(3),
        [
            GS,
            b'!' | b'B' | b'H' | b'I' | b'a' | b'b' | b'f' | b'h' | b'r' | b'w',
            ..,
        ] => Some(3),
        [GS, b'L' | b'W' | b'P' | b'$' | b'\\', ..] => Some(4),
        [GS, b'(', _, low, high, ..] => Some(number(*low, *high).saturating_add(5)),
        [GS, b'v', b'0', _, x_low, x_high, y_low, y_high, ..] => {
            let data = number(*x_low, *x_high).saturating_mul(number(*y_low, *y_high));
            Some(data.saturating_add(8))
        }
        [GS, b'v', kind, ..] if *kind != b'0' => Some(3),
        [GS, b'k', 0..=6, rest @ ..] => ends_with_nul(rest, MAX_BAR_CODE, head.len()),
        [GS, b'k', _, len, ..] => Some(usize::from(*len).saturating_add(4)),
        [GS, b'(' | b'V' | b'v' | b'k', ..] => None,
        [FS, b'p', ..] => Some(4),
        [FS, b'!' | b'C' | b'S' | b'-' | b'W', ..] => Some(3),
        [DLE, 0x04 | 0x05, ..] => Some(3),
        [DLE, 0x14, 1 | 2, ..] => Some(5),
        [DLE, 0x14, 8, ..] => Some(10),
        [DLE, 0x14] => None,
        [DLE, 0x14, _, ..] => Some(3),
        [ESC | GS | FS | DLE, _, ..] => Some(2),
        [_, ..] => Some(1),
        [] => None,
    }
}

fn ends_with_nul(rest: &[u8], most: usize, len: usize) -> Option<usize> {
    (rest.last() == Some(&0) || rest.len() >= most).then_some(len)
}

/// Reads a command that is complete.
fn read(bytes: &[u8]) -> Command {
    match bytes {
        [b'\n'] => Command::LineFeed,
        [0 | b'\r' | 0x18 | 0x0c] => Command::Nothing,
        [byte] if *byte >= b' ' => Command::Character(*byte),
        [_control] => Command::Unknown,
        [ESC, b'@'] => Command::Initialise,
        [ESC, b'a', n] => Command::Align(*n),
        [ESC, b'!', n] => Command::Mode(*n),
        [ESC, b'E' | b'G', n] => Command::Bold(n & 1 == 1),
        [ESC, b'M', n] => Command::Font(*n),
        [ESC, b't', n] => Command::CodePage(*n),
        [ESC, b'J', n] => Command::FeedDots(*n),
        [ESC, b'd', n] => Command::FeedLines(*n),
        [ESC, b'i'] => cut(true, 0),
        [ESC, b'm'] => cut(false, 0),
        [ESC, b'p', ..] => Command::Drawer,
        [
            ESC,
            b'2' | b'3' | b'c' | b'D' | b'-' | b'R' | b' ' | b'V' | b'{' | b'$' | b'\\' | b'*',
            ..,
        ] => Command::Other,
        [GS, b'!', n] => Command::Size(*n),
        [GS, b'B', n] => Command::Reverse(n & 1 == 1),
        [GS, b'r', n] => Command::AskInLine(*n),
        [GS, b'I', n] => Command::AskId(*n),
        [GS, b'a', n] => Command::Automatic(*n),
        [GS, b'V', 0 | 48] => cut(true, 0),
        [GS, b'V', 1 | 49] => cut(false, 0),
        [GS, b'V', 65, n] => cut(true, *n),
        [GS, b'V', 66, n] => cut(false, *n),
        [GS, b'(', b'k', _, _, rest @ ..] => Command::Symbol(rest.to_vec()),
        [GS, b'(', b'H', 6, 0, 48, 48, a, b, c, d] => Command::AskWord([*a, *b, *c, *d]),
        [GS, b'v', b'0', _, x_low, x_high, y_low, y_high, dots @ ..] => Command::Raster {
            row_bytes: usize::from(u16::from_le_bytes([*x_low, *x_high])),
            rows: usize::from(u16::from_le_bytes([*y_low, *y_high])),
            dots: dots.to_vec(),
        },
        [
            GS,
            b'L' | b'W' | b'P' | b'H' | b'f' | b'h' | b'w' | b'b',
            ..,
        ] => Command::Other,
        [FS, b'.'] => Command::DoubleByte(false),
        [FS, b'&'] => Command::DoubleByte(true),
        [DLE, 0x14, 1, ..] => Command::Drawer,
        [DLE, 0x04 | 0x05 | 0x14, ..] => Command::Nothing,
        _ => Command::Unknown,
    }
}

fn cut(full: bool, feed_dots: u8) -> Command {
    Command::Cut { full, feed_dots }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], commands: &[Command]) {
        let mut reader = Reader::default();
        let read: Vec<Command> = bytes.iter().filter_map(|it| reader.feed(*it)).collect();
        assert_eq!(read, commands, "{bytes:02x?}");
        assert!(!reader.is_amid(), "{bytes:02x?}");
    }

    #[test]
    fn commands_are_as_long_as_the_reference_says() {
        check(
            b"\x1b@A\n",
            &[
                Command::Initialise,
                Command::Character(b'A'),
                Command::LineFeed,
            ],
        );
        check(b"\x1dV\x01\x1dV\x42\x10", &[cut(false, 0), cut(false, 16)]);
        check(b"\x1d(k\x03\x001QA", &[Command::Symbol(b"1QA".to_vec())]);
        check(b"\x1d(H\x06\x0000ab01", &[Command::AskWord(*b"ab01")]);
        let raster = Command::Raster {
            row_bytes: 2,
            rows: 2,
            dots: vec![1, 2, 3, 4],
        };
        check(b"\x1dv0\x00\x02\x00\x02\x00\x01\x02\x03\x04", &[raster]);
        check(b"\x1bp\x00\x19\xfa", &[Command::Drawer]);
        check(b"\x10\x14\x01\x00\x01", &[Command::Drawer]);
        check(b"\x1b*\x21\x01\x00abc", &[Command::Other]);
        check(b"\x1bD\x08\x10\x00", &[Command::Other]);
    }

    #[test]
    fn what_is_not_known_is_counted_and_read_over() {
        check(b"\x1b\x01A", &[Command::Unknown, Command::Character(b'A')]);
        check(b"\x07", &[Command::Unknown]);
        check(b"\x1dv\x00A", &[Command::Unknown, Command::Character(b'A')]);
        check(b"\x1d(E\x02\x00ab", &[Command::Unknown]);
    }

    #[test]
    fn a_command_without_bound_is_swallowed_and_not_kept() {
        let mut reader = Reader::default();
        let mut commands: Vec<Command> = b"\x1dv0\x00\x00\x04\x00\x04"
            .iter()
            .filter_map(|it| reader.feed(*it))
            .collect();
        let mut fed = 0_usize;
        while reader.is_amid() {
            commands.extend(reader.feed(0x1b));
            fed += 1;
        }
        assert_eq!((fed, commands), (1_024 * 1_024, vec![Command::Unknown]));
    }
}
