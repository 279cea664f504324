//! Codes drawn by another library, put on pages, harmed, and read back through the crate's public door.
#![expect(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "helpers of tests on pictures of their own making"
)]

mod fuzz;
mod grid;
mod hostile;
mod pages;
mod restored;
