//! The store through its public door.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own helpers fail like the test"
)]

mod acks;
mod aside;
mod days;
mod history;
mod jobs;
mod killed;
mod local;
mod lost;
mod machines;
mod purge;
mod records;
mod reports;
mod room;
mod schema;
mod search;
mod stock;
mod syncs;
mod tamper;
mod tokens;
mod trust;
mod world;
