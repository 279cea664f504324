//! The authority through its public door, and its rules against a real mosquitto.
#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene has failed"
)]

mod brokers;
mod client;
mod command_line;
mod cuts;
mod enrolment;
mod mosquitto;
mod site;
