//! Conversions between counts, places and lengths of pixels.
#![expect(
    clippy::as_conversions,
    reason = "std has no conversion without `as` between floats and integers; every count here is below 2^24, and what is out of range saturates"
)]

/// A count as a length.
pub(crate) const fn float(count: usize) -> f32 {
    count as f32
}

/// A place, which may be left of or above the picture, as a length.
pub(crate) const fn length(place: isize) -> f32 {
    place as f32
}

/// The place at or below a length. Without the C library's `floor`, which costs a call for each pixel.
pub(crate) fn floor(length: f32) -> isize {
    let cut = length as isize;
    if cut as f32 > length {
        cut.saturating_sub(1)
    } else {
        cut
    }
}

/// The nearest count; 0 for what is negative or no number.
pub(crate) fn count(length: f32) -> usize {
    (length + 0.5) as usize
}

/// A count as a place.
pub(crate) const fn place(count: usize) -> isize {
    count as isize
}

/// The count at a place; 0 for one left of or above the picture.
pub(crate) const fn from_place(place: isize) -> usize {
    if place < 0 { 0 } else { place as usize }
}
