//! The print unit with the real spool, real sealed documents, a journal in memory and a scripted printer.
//!
//! A crash is a dropped unit: the journal, the spool and the printer outlive it, as they do in the field. Nothing here
//! sleeps; every wait is for a value, with a deadline that fails the test.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what the bench cannot do fails the test"
)]

mod cancel;
mod exercise;
mod faults;
mod health;
mod local;
mod orders;
mod peer;
mod printer;
mod rasters;
mod report;
mod restart;
mod retention;
mod walk;
mod world;
