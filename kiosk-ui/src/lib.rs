//! Every page that a person sees on site: server-rendered, without script, over ports that the daemon implements.
//!
//! ```text
//! browser ─> listener ─> guard (host, headers, deadline) ─> kiosk | station ─> ports ─> daemon
//!                                                              └─ way ─┘ └─> words, templates
//! ```
//!
//! Invariants:
//! - No page needs a script, and none takes anything from another place: the Content-Security-Policy says so.
//! - What belongs to a resident stands in memory under a handle that answers once and dies by itself; nothing of it is in
//!   an address, a cookie, a log or a cache.
//! - Every text is in [`words`]; every answer that is no page has a code.
//! - It reads no document: judging is the daemon's, behind [`ports::VerifyDesk`] and [`ports::PaperDesk`].

mod guard;
mod handles;
mod kiosk;
mod listener;
mod moment;
mod picture;
pub mod ports;
mod problem;
mod sheet;
mod site;
mod station;
mod station_paper;
mod station_printers;
mod station_report;
mod station_ticket;
mod upload;
mod verdict;
mod way;
pub mod words;

pub use listener::serve;
pub use site::{Face, Site};
