//! Where a message's body ends.

use crate::error::Garbage;

/// A size of 16 hexadecimal digits with an extension; nobody at hand writes extensions.
const MAX_SIZE_LINE_BYTES: usize = 256;

/// Trailers are as good as unknown; one line with a digest is what could come.
const MAX_TRAILER_BYTES: usize = 4 * 1024;

/// Follows a body to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes are left.
    Sized(u64),
    /// Chunks, at this place among them.
    Chunked(Chunk),
    /// Nobody says; silence ends it.
    UntilSilence,
}

/// A place among chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the digits of a size: so many digits, the size so far, bytes of the line.
    Size { digits: u8, size: u64, line: usize },
    /// In the extension behind a size.
    Extension { size: u64, line: usize },
    /// Before the line feed behind a size.
    SizeEnd { size: u64 },
    /// In the data: so many bytes are left.
    Data { left: u64 },
    /// Before the carriage return behind the data.
    DataReturn,
    /// Before the line feed behind the data.
    DataEnd,
    /// In the trailer: whether the line is empty so far, and how many bytes it has in all.
    Trailer { is_line_empty: bool, bytes: usize },
    /// Before the line feed that ends a line of the trailer.
    TrailerEnd { is_line_empty: bool, bytes: usize },
    /// Behind the last one.
    End,
}

impl Body {
    pub(super) const CHUNKED: Self = Self::Chunked(Chunk::START);

    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Sized(0) | Self::Chunked(Chunk::End))
    }

    /// Takes what of `input` belongs to the body; says how many bytes.
    pub(super) fn take(&mut self, input: &[u8]) -> Result<usize, Garbage> {
        match self {
            Self::UntilSilence => Ok(input.len()),
            Self::Sized(left) => Ok(take_up_to(left, input)),
            Self::Chunked(chunk) => {
                let mut taken = 0;
                while *chunk != Chunk::End {
                    let rest = input.get(taken..).unwrap_or_default();
                    if rest.is_empty() {
                        break;
                    }
                    taken = taken.saturating_add(chunk.step(rest)?);
                }
                Ok(taken)
            }
        }
    }

    /// How many bytes will come for certain, at least.
    pub(super) fn certain(self) -> u64 {
        match self {
            Self::Sized(left) | Self::Chunked(Chunk::Data { left }) => left,
            Self::Chunked(_) | Self::UntilSilence => 0,
        }
    }
}

fn take_up_to(left: &mut u64, input: &[u8]) -> usize {
    let taken = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(input.len());
    *left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
    taken
}

/// A size with one more hexadecimal digit.
fn with_digit(size: u64, byte: u8) -> Option<u64> {
    let digit = char::from(byte).to_digit(16)?;
    size.checked_mul(16)?.checked_add(u64::from(digit))
}

impl Chunk {
    const START: Self = Self::Size {
        digits: 0,
        size: 0,
        line: 0,
    };

    /// Takes at least one byte of `input`, which is not empty.
    fn step(&mut self, input: &[u8]) -> Result<usize, Garbage> {
        if let Self::Data { left } = self {
            let taken = take_up_to(left, input);
            if *left == 0 {
                *self = Self::DataReturn;
            }
            return Ok(taken);
        }
        let byte = input.first().copied().ok_or(Garbage::Chunk)?;
        *self = match (*self, byte) {
            (Self::Size { digits, size, .. }, b'\r') if digits > 0 => Self::SizeEnd { size },
            (Self::Size { digits, size, line }, b';' | b' ' | b'\t') if digits > 0 => {
                Self::Extension { size, line }.longer()?
            }
            (Self::Size { digits, size, line }, byte) => {
                let size = with_digit(size, byte).ok_or(Garbage::Chunk)?;
                let digits = digits.saturating_add(1);
                Self::Size { digits, size, line }.longer()?
            }
            (Self::Extension { size, .. }, b'\r') => Self::SizeEnd { size },
            (Self::Extension { .. }, b'\n') => return Err(Garbage::Chunk),
            (Self::Extension { size, line }, _) => Self::Extension { size, line }.longer()?,
            (Self::SizeEnd { size: 0 }, b'\n') => Self::Trailer {
                is_line_empty: true,
                bytes: 0,
            },
            (Self::SizeEnd { size }, b'\n') => Self::Data { left: size },
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::START,
            (
                Self::Trailer {
                    is_line_empty,
                    bytes,
                },
                b'\r',
            ) => Self::TrailerEnd {
                is_line_empty,
                bytes,
            },
            (Self::Trailer { .. }, b'\n') => return Err(Garbage::Chunk),
            (Self::Trailer { bytes, .. }, _) => Self::Trailer {
                is_line_empty: false,
                bytes,
            }
            .longer()?,
            (
                Self::TrailerEnd {
                    is_line_empty: true,
                    ..
                },
                b'\n',
            ) => Self::End,
            (Self::TrailerEnd { bytes, .. }, b'\n') => Self::Trailer {
                is_line_empty: true,
                bytes,
            },
            (
                Self::SizeEnd { .. }
                | Self::Data { .. }
                | Self::DataReturn
                | Self::DataEnd
                | Self::TrailerEnd { .. }
                | Self::End,
                _,
            ) => return Err(Garbage::Chunk),
        };
        Ok(1)
    }

    /// The same with its line one byte longer, within the bounds.
    fn longer(mut self) -> Result<Self, Garbage> {
        let (count, max) = match &mut self {
            Self::Size { line, .. } | Self::Extension { line, .. } => (line, MAX_SIZE_LINE_BYTES),
            Self::Trailer { bytes, .. } => (bytes, MAX_TRAILER_BYTES),
            Self::SizeEnd { .. }
            | Self::Data { .. }
            | Self::DataReturn
            | Self::DataEnd
            | Self::TrailerEnd { .. }
            | Self::End => return Ok(self),
        };
        *count = count.saturating_add(1);
        if *count > max {
            return Err(Garbage::HeaderTooLarge(max));
        }
        Ok(self)
    }
}
