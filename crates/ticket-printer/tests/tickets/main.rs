//! Tickets on simulated printers: behind a wire that counts each byte, over TCP and over USB.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests fails its test where it cannot go on"
)]

mod bench;
mod every_byte;
mod fuzz;
mod judges;
mod layout;
mod over;
mod prints;
mod script;
mod stale;
mod tcp;
mod usb;
mod vague;
