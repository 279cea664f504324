//! The store through its public door.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own helpers fail like the test"
)]

mod acks;
mod history;
mod jobs;
mod killed;
mod lost;
mod machines;
mod reports;
mod syncs;
mod tokens;
mod world;
