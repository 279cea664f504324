//! Undoes the filters of streams.
//!
//! # Source
//! ISO 32000-2, 7.4; RFC 1950 (zlib), RFC 2083 section 6 (PNG filters).

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::budget::Budget;
use super::lex::is_space;
use super::object::{Dictionary, Object};
use super::text::digit;
use crate::code::Code;

/// Filters of one stream; honest files use one, seldom two.
const MAX_FILTERS: usize = 4;

/// What one byte may inflate to. Object streams shrink to a fifth, tables of evenly spaced objects
/// to a fiftieth; the format itself allows 1,032, which only a bomb comes near to.
const MAX_RATIO: usize = 256;

/// Below this a high ratio is no bomb: a short run of equal bytes.
const RATIO_FREE_BYTES: usize = 64 * 1024;

/// Bytes of one row of a predictor: a cross-reference stream has 3 to 20, an image row some 10,000.
const MAX_ROW_BYTES: usize = 64 * 1024;

/// The bytes of a stream with all filters of its dictionary undone.
pub(super) fn decode(
    dictionary: &Dictionary,
    raw: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Code> {
    let filters = listed(dictionary.get("Filter"));
    let parameters = listed(dictionary.get("DecodeParms"));
    if filters.len() > MAX_FILTERS || parameters.len() > filters.len() {
        return Err(Code::StreamFilter);
    }
    budget.spend(raw.len())?;
    if filters.is_empty() {
        budget.inflate(raw.len())?;
        return Ok(raw.to_vec());
    }
    let mut bytes = None;
    for (index, filter) in filters.iter().enumerate() {
        let input = bytes.as_deref().unwrap_or(raw);
        let parameters = parameters.get(index).copied().unwrap_or(&Object::Null);
        bytes = Some(undo(filter, parameters, input, budget)?);
    }
    Ok(bytes.unwrap_or_default())
}

/// One value or an array of them, as a list.
fn listed(value: Option<&Object>) -> Vec<&Object> {
    match value {
        None | Some(Object::Null) => Vec::new(),
        Some(Object::Array(items)) => items.iter().collect(),
        Some(other) => vec![other],
    }
}

fn undo(
    filter: &Object,
    parameters: &Object,
    input: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Code> {
    let Object::Name(filter) = filter else {
        return Err(Code::StreamFilter);
    };
    match (filter.as_slice(), parameters) {
        (b"FlateDecode", Object::Null) => inflate(input, budget),
        (b"FlateDecode", Object::Dictionary(parameters)) => {
            let bytes = inflate(input, budget)?;
            unpredict(bytes, parameters, budget)
        }
        (b"ASCIIHexDecode", Object::Null) => {
            budget.inflate(input.len())?;
            hexadecimal(input)
        }
        _unknown => Err(Code::StreamFilter),
    }
}

/// Undoes zlib compression; nothing but white space may follow the compressed bytes.
fn inflate(input: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Code> {
    let ratio = input.len().saturating_mul(MAX_RATIO).max(RATIO_FREE_BYTES);
    let limit = ratio.min(budget.inflated_left());
    let mut state = Box::<DecompressorOxide>::default();
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
        | inflate_flags::TINFL_FLAG_COMPUTE_ADLER32
        | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut bytes = vec![0; input.len().saturating_mul(4).clamp(1_024, limit.max(1_024))];
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let rest = input.get(read..).unwrap_or_default();
        let (status, more, out) = decompress(&mut state, rest, &mut bytes, written, flags);
        read = read.saturating_add(more);
        written = written.saturating_add(out);
        if status == TINFLStatus::Done {
            break;
        }
        if status != TINFLStatus::HasMoreOutput {
            return Err(Code::StreamDamaged);
        }
        if bytes.len() >= limit {
            return Err(Code::TooComplex);
        }
        bytes.resize(bytes.len().saturating_mul(2).min(limit), 0);
    }
    bytes.truncate(written);
    budget.inflate(bytes.len())?;
    budget.spend(bytes.len())?;
    let behind = input.get(read..).unwrap_or_default();
    if behind.iter().all(|byte| is_space(*byte)) {
        Ok(bytes)
    } else {
        Err(Code::StreamDamaged)
    }
}

/// Undoes pairs of hexadecimal digits up to `>`.
fn hexadecimal(input: &[u8]) -> Result<Vec<u8>, Code> {
    let end = input.iter().position(|byte| *byte == b'>');
    let (digits, behind) = input.split_at(end.ok_or(Code::StreamDamaged)?);
    let behind = behind.strip_prefix(b">").unwrap_or(behind);
    if !behind.iter().all(|byte| is_space(*byte)) {
        return Err(Code::StreamDamaged);
    }
    let digits = digits.iter().filter(|byte| !is_space(**byte));
    let digits: Option<Vec<u8>> = digits.map(|byte| digit(*byte)).collect();
    let digits = digits.ok_or(Code::StreamDamaged)?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => (high << 4) | low,
        [high] => high << 4,
        _empty => 0,
    });
    Ok(pairs.collect())
}

/// Undoes the predictor, if there is one; components of 8 bits alone are read.
fn unpredict(
    bytes: Vec<u8>,
    parameters: &Dictionary,
    budget: &mut Budget,
) -> Result<Vec<u8>, Code> {
    let number = |key: &str, default: usize| match parameters.get(key) {
        None => Ok(default),
        Some(Object::Integer(value)) => usize::try_from(*value).map_err(|_| Code::StreamFilter),
        Some(_) => Err(Code::StreamFilter),
    };
    let predictor = number("Predictor", 1)?;
    if predictor == 1 {
        return Ok(bytes);
    }
    let pixel = number("Colors", 1)?;
    let row = pixel.checked_mul(number("Columns", 1)?);
    let row = row.filter(|row| (1..=MAX_ROW_BYTES).contains(row));
    let row = row.ok_or(Code::StreamFilter)?;
    if number("BitsPerComponent", 8)? != 8 {
        return Err(Code::StreamFilter);
    }
    budget.spend(bytes.len())?;
    match predictor {
        2 => tiff(bytes, row, pixel),
        10..=15 => png(&bytes, row, pixel),
        _unknown => Err(Code::StreamFilter),
    }
}

fn tiff(mut bytes: Vec<u8>, row: usize, pixel: usize) -> Result<Vec<u8>, Code> {
    if bytes.len().checked_rem(row) != Some(0) {
        return Err(Code::StreamDamaged);
    }
    for row in bytes.chunks_mut(row) {
        for at in pixel..row.len() {
            let left = at
                .checked_sub(pixel)
                .and_then(|left| row.get(left).copied());
            if let (Some(left), Some(byte)) = (left, row.get_mut(at)) {
                *byte = byte.wrapping_add(left);
            }
        }
    }
    Ok(bytes)
}

fn png(bytes: &[u8], row: usize, pixel: usize) -> Result<Vec<u8>, Code> {
    let line = row.saturating_add(1);
    if bytes.len().checked_rem(line) != Some(0) {
        return Err(Code::StreamDamaged);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut above = vec![0_u8; row];
    let mut current = vec![0_u8; row];
    for line in bytes.chunks(line) {
        let (kind, line) = line.split_first().ok_or(Code::StreamDamaged)?;
        for (at, byte) in line.iter().enumerate() {
            let before = at.checked_sub(pixel);
            let left = before.and_then(|at| current.get(at).copied());
            let up_left = before.and_then(|at| above.get(at).copied());
            let (left, up_left): (u8, u8) = (left.unwrap_or(0), up_left.unwrap_or(0));
            let up: u8 = above.get(at).copied().unwrap_or(0);
            let predicted = match kind {
                0 => 0,
                1 => left,
                2 => up,
                3 => left.midpoint(up),
                4 => paeth(left, up, up_left),
                _unknown => return Err(Code::StreamDamaged),
            };
            if let Some(place) = current.get_mut(at) {
                *place = byte.wrapping_add(predicted);
            }
        }
        plain.extend_from_slice(&current);
        std::mem::swap(&mut above, &mut current);
    }
    Ok(plain)
}

/// The neighbour that is nearest to left + up - corner.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let distance = |one: u8, other: u8| i16::from(one).saturating_sub(i16::from(other));
    let from_left = distance(up, corner).saturating_abs();
    let from_up = distance(left, corner).saturating_abs();
    let from_corner = distance(up, corner)
        .saturating_add(distance(left, corner))
        .saturating_abs();
    if from_left <= from_up && from_left <= from_corner {
        left
    } else if from_up <= from_corner {
        up
    } else {
        corner
    }
}
