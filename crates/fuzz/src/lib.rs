//! Gives readers of bytes bytes that are nearly right, in the tests of any crate.
//!
//! A run is the same for the same seed and number of cases; no clock ends it. In a test run each fuzzer has so many
//! cases as take about ten seconds in a build without optimisation; `cargo xtask fuzz --cases N` gives it more.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a fuzzer is run by a test and talks to whoever runs that"
)]

pub mod costly;
pub mod der;
pub mod mutate;
pub mod page;
pub mod seed;
pub mod tally;

mod cost;
mod fuzz;

pub use der::DerMutator;
pub use fuzz::{fuzz, fuzz_der, fuzz_from};
pub use mutate::Mutator;
pub use seed::Seeded;
