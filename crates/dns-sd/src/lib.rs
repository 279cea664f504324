//! Asks the local network which printers announce themselves there, by DNS-SD over multicast DNS.
//!
//! It is for a person who looks for a printer's address once. Whoever is on the network may announce what he likes: what is
//! found is text to show, and nothing is ever sent to an address because of it.
//!
//! ```text
//! search ──_ipp._tcp, _ipps._tcp──► the network      strangers' records ──► Record ──► Announced, or a RecordFault
//! ```
//!
//! # Source
//! RFC 6762 (multicast DNS), RFC 6763 (DNS-SD), Bonjour Printing Specification 1.2.1 (the keys of TXT records).

mod announced;
mod record;
mod search;
mod text;

pub use announced::{Announced, Formats};
pub use record::{Record, RecordFault, Service};
pub use search::{Found, MAX_PRINTERS, Search, SearchError, search};
