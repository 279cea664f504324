//! The whole of Loket on one machine: authority, broker, central, print station and a simulated printer.
//!
//! Every part runs as a real process of its own, started by its documented command line; the demo program starts
//! itself again for each, so that one build is all that is needed. [`site`] is also what the end-to-end tests stand
//! on, there with the programs' own binaries and Debian's mosquitto as broker.

pub mod broker;
pub mod child;
pub mod cli;
pub mod folders;
pub mod http;
pub mod once;
pub mod site;
