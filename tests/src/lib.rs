//! What the tests of the whole stand on: a site of real programs, Debian's mosquitto as its broker, and a search for
//! what must stand nowhere.
//!
//! Tests drive doors only: documented command lines, HTTP, IPP, files. Programs come from `LOKET_BIN_DIR`, which
//! `cargo xtask test` fills: `plain` as shipped, `hooks` with feature `test-hooks`.

pub mod brokers;
pub mod browser;
pub mod central;
pub mod cups;
pub mod curl;
pub mod faketime;
pub mod look;
pub mod matrix;
pub mod mosquitto;
pub mod pages;
pub mod peer_printer;
pub mod places;
pub mod secrecy;
pub mod small_disk;
pub mod spy;
pub mod tally;
pub mod way;
pub mod world;

pub use loket_fuzz::{mutate, seed};
