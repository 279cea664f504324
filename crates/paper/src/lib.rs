//! Pages as pictures: renders documents, reads scans, and tells whether a sheet of paper shows what was printed.
//!
//! ```text
//! document ─> raster::render ─> Gray ─> fingerprint::of ─> Fingerprint ──┐
//! scan ─────> raster::image ──> Gray ────────────────────────────────────┴─> compare::scan ─> Comparison
//! ```
//!
//! It reads no clock, file, socket or environment and draws no random number: the same input gives the same bytes.
//! Sizes are bounded by named constants; wall time and memory of hostile documents are the program's to bound, by a
//! child process (see [`raster`]).

pub mod compare;
pub mod fingerprint;
pub mod raster;

mod num;
mod plane;
