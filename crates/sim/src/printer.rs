//! An IPP printer with trays and supplies, a memory that can fail, and a count of what came out of it.
//!
//! ```text
//! connection ──> http ──> wire (read) ──> operations ──> State <── tick ── engine
//!                  └────> control (knobs, power, what came out)
//! ```
//!
//! `State` is a plain state machine that is told the time; the engine is the one task
//! that moves it on. Paper is the truth that survives: a printer that forgets its jobs when its
//! power fails still has its sheets in the tray, so sheets and printed digests outlive them.
//!
//! # Source
//! RFC 8010, RFC 8011, PWG 5100.7, PWG 5100.13. How ippeveprinter 2.4.2 answers decided where the
//! texts leave a choice.

mod attributes;
pub mod cli;
mod config;
mod control;
mod format;
pub(crate) mod http;
mod intake;
mod job;
pub(crate) mod keep;
mod knobs;
mod operations;
mod pages;
mod reply;
mod request;
mod server;
mod state;
mod stock;
mod template;

pub use config::{PrinterConfig, SimError};
pub use control::{JobReport, Report};
pub use format::Format;
pub use knobs::{ClaimedState, FixedReply, Impressions, Knobs, Memory, Replies, Says};
pub use server::SimPrinter;
pub use stock::{Dialect, SimSupply, SimTray};
