//! The spine, end to end: real programs by their command lines, Debian's mosquitto with the generated rules.
#![expect(
    clippy::indexing_slicing,
    reason = "a missing field fails the test, as it should"
)]

mod bad_input;
mod by_hand;
mod clock;
mod command_line;
mod credential;
mod doors;
mod faults;
mod folder;
mod journal;
mod officer;
mod print;
mod replay;
mod sample;
mod secrecy;
mod tls;
