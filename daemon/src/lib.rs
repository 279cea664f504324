//! loketd: one per machine. It wires the cores to the hands, and is the one place that reads clock, environment and
//! randomness.
//!
//! [`run`] is the whole daemon; [`cli`] is the command line around it. Units run under one supervisor and talk by
//! bounded channels: `print` owns the desk and drives its effects, `link` talks to central, `health` watches devices,
//! `hotplug` hears of USB cables, `tickets` prints tickets, `control` answers officers on the local socket, `pages` serves
//! the pages of the site, behind which `verify` judges in processes of its own.

#[cfg(panic = "abort")]
compile_error!(
    "a unit that panics ends the run in order, after a drain: build with panic = \"unwind\""
);

mod account;
mod alone;
mod blocking;
pub mod cli;
pub mod clock;
pub mod config;
pub mod device;
pub mod document;
pub mod exit;
mod gate;
mod ground;
pub mod identity;
pub mod judged;
pub mod key_seal;
pub mod local;
pub mod paper;
pub mod policy;
pub mod profiles;
pub mod raster;
pub mod record;
mod reserve;
pub mod sheets;
pub mod shell;
pub mod sights;
pub mod standstill;
pub mod stops;
mod store;
pub mod supervisor;
pub mod telemetry;
mod test_doors;
pub mod ticket;
pub mod trouble;
pub mod trust;
pub mod unit;
mod validity;

pub use config::Config;
pub use supervisor::{RunError, run};
