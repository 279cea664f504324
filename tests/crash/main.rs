//! Killed anywhere, it comes back and knows what it knows.
#![expect(
    clippy::indexing_slicing,
    reason = "a missing field fails the test, as it should"
)]

mod matrix;
mod soak;
mod stops;
mod wiped;
