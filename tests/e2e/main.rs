//! The spine, end to end: real programs by their command lines, Debian's mosquitto with the generated rules.
#![expect(
    clippy::indexing_slicing,
    reason = "a missing field fails the test, as it should"
)]

mod bad_input;
mod brokers;
mod by_hand;
mod by_hand_told;
mod clock;
mod command_line;
mod credential;
mod curl;
mod demo;
mod doors;
mod exercise;
mod faults;
mod folder;
mod hostile;
mod journal;
mod names;
mod officer;
mod pages;
mod paper;
mod peer_printer;
mod print;
mod printer_faults;
mod rasters;
mod records;
mod replay;
mod report;
mod revocation;
mod sample;
mod search;
mod secrecy;
mod set_back;
mod sheets;
mod stock;
mod tickets;
mod tls;
mod trust_bundle;
mod whole;
