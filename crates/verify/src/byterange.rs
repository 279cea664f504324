//! Which bytes a signature covers, and the one gap it leaves out.
//!
//! ```text
//! 0 ───── signed ───── a  <30820d…0000>  b ───── signed ───── b + c = end of a revision
//!                         └ /Contents ┘
//! ```
//!
//! # Source
//! ISO 32000-2, 12.8.1; ETSI EN 319 142-1, 5.

use std::ops::Range;

use data_encoding::{HEXLOWER, HEXUPPER};

use crate::asn1;
use crate::ber;
use crate::code::Code;
use crate::pdf::{Dictionary, File, Object};

/// Largest signature container; with time stamp and four certificates an honest one has 13 kB.
const MAX_CONTENTS_BYTES: usize = 128 * 1024;

/// The signed bytes, checked against the place of `/Contents`.
#[derive(Debug)]
pub(crate) struct SignedBytes<'a> {
    /// What the signature leaves out: `/Contents` with its angle brackets.
    pub(crate) gap: Range<usize>,
    /// Where the signed revision ends.
    pub(crate) end: usize,
    /// Which revision that is; 0 is the original.
    pub(crate) revision: usize,
    /// The text between the angle brackets of `/Contents`.
    pub(crate) contents: &'a [u8],
}

impl<'a> SignedBytes<'a> {
    /// Reads and checks `/ByteRange` and `/Contents` of a signature dictionary.
    pub(crate) fn of(signature: &Dictionary, file: &File<'a>) -> Result<Self, Code> {
        let [start, gap_start, gap_end, tail] = byte_range(signature).ok_or(Code::ByteRange)?;
        let end = gap_end.checked_add(tail).ok_or(Code::ByteRange)?;
        if start != 0 || gap_start == 0 || gap_end <= gap_start || tail == 0 {
            return Err(Code::ByteRange);
        }
        let data = file.data();
        data.get(gap_end..end).ok_or(Code::ByteRange)?;
        match signature.get("Contents") {
            Some(Object::Text(text))
                if text.is_hex() && text.place() == Some(gap_start..gap_end) => {}
            Some(_) | None => return Err(Code::Gap),
        }
        let revision = file.revision_ending_at(end).ok_or(Code::CoverageEnd)?;
        let inner = inner(gap_start..gap_end).and_then(|inner| data.get(inner));
        Ok(Self {
            gap: gap_start..gap_end,
            end,
            revision,
            contents: inner.ok_or(Code::Gap)?,
        })
    }

    /// The signature container, its padding of zeros checked and cut off.
    pub(crate) fn container(&self) -> Result<Vec<u8>, Code> {
        if self.contents.len() > MAX_CONTENTS_BYTES.saturating_mul(2) {
            return Err(Code::TooComplex);
        }
        // The gap is covered by nothing, so one spelling alone counts: even, no space, one case.
        let decoded = HEXUPPER
            .decode(self.contents)
            .or_else(|_| HEXLOWER.decode(self.contents));
        let mut container = decoded.map_err(|_spelling| Code::Gap)?;
        let in_ber = ber::to_der(&container);
        let length = match &in_ber {
            Some((_der, length)) => *length,
            None => asn1::first_value(&container)
                .ok_or(Code::CmsMalformed)?
                .len(),
        };
        let (_, padding) = container
            .split_at_checked(length)
            .ok_or(Code::CmsMalformed)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Code::Padding);
        }
        if let Some((der, _length)) = in_ber {
            return Ok(der);
        }
        container.truncate(length);
        Ok(container)
    }
}

fn inner(gap: Range<usize>) -> Option<Range<usize>> {
    Some(gap.start.checked_add(1)?..gap.end.checked_sub(1)?)
}

fn byte_range(signature: &Dictionary) -> Option<[usize; 4]> {
    let Some(Object::Array(items)) = signature.get("ByteRange") else {
        return None;
    };
    let number = |item: &Object| {
        let Object::Integer(value) = item else {
            return None;
        };
        usize::try_from(*value).ok()
    };
    let numbers: Option<Vec<usize>> = items.iter().map(number).collect();
    numbers?.try_into().ok()
}
