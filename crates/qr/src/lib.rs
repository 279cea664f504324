//! Reads QR codes from pictures of pages and says what kind of thing they hold, without ever following one.
//!
//! ```text
//! pixels ─> read (bits, marks, grid, restore, rxing) ─> Code ─> judge (url, hosts, looks) ─> QrReport
//!                                               └────> compare with the document's own codes
//! ```
//!
//! It knows no PDF, clock, file, socket or environment: pixels, host rules and the key of digests are arguments, and
//! the same arguments give the same report. Work is bounded by named constants, and no picture makes it panic.
//!
//! Invariants:
//! - A payload is hostile and personal. It leaves this crate's types as a class, a host that is official or made to
//!   look so, and a digest under the caller's key; by nothing else. Nothing here opens an address.
//! - [`Class::OfficialHost`] is said only of `https` to an exact host of the rules (or below it, where they say so), on
//!   the usual port, without a user name, spelt plainly. It says where a code leads, not that a document is genuine.
//! - A code that is damaged gives no payload rather than another one: Reed-Solomon decides, and nothing is guessed.
//!
//! It deliberately does not know whether a token is good: since 2026 only the official IKD app confirms it.

mod bits;
mod class;
mod compare;
mod decode;
mod grid;
mod hosts;
mod looks;
mod luma;
mod payload;
mod read;
mod report;
mod restore;
mod rule;
mod texture;

pub use class::{Class, Judgement, MAX_ADDRESS_BYTES, classify};
pub use compare::{Comparison, compare};
pub use hosts::Hosts;
pub use payload::{DigestKey, MAX_PAYLOAD_BYTES, Payload};
pub use read::{Code, CodeArea, Effort, MAX_CODES, MAX_PIXELS, QrError, Reading, read};
pub use report::{QrReport, Region, Sheet, judge, reports};
pub use rule::Rule;
