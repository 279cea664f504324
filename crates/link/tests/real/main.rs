//! The link against a real mosquitto, a scripted broker and small HTTP servers: one test for each
//! trap of the MQTT library that is known.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets the unexpected must fail, and these run in shared functions too"
)]

mod acks;
mod broker;
mod end;
mod fetch;
mod link;
mod pki;
mod scripted;
mod several;
mod tls;
mod traps;
mod window;
