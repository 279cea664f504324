//! loket-central: takes certified documents in, seals and offers them to machines, and knows what became of each.
//!
//! ```text
//! POST, folder → intake (order, signature, seal) → store → dispatch → link → machine
//!                                                    ↑         ↓ committed, then acknowledged
//!            console, API, metrics ←─────────────────┘← reports ← machine ── GET blob (mutual TLS)
//! ```
//!
//! A document is opened in memory alone, while it is judged and sealed; what lies on central's disk is sealed, and
//! its key dies with the job.

mod check_history;
mod clock;
mod command;
mod config;
mod dispatch;
mod documents;
mod files;
mod identity;
mod intake;
mod judge;
mod listener;
mod machines;
mod metrics;
mod office;
mod offices;
mod problem;
mod random;
mod records;
mod report;
mod room;
mod run;
mod sheet;
mod supplies;
mod sweep;
mod telemetry;
mod test_doors;
mod trust_bundle;
mod watchdog;
mod web;
mod words;

pub use clock::ClockError;
pub use command::main;
pub use config::{
    Api, Broker, Config, ConfigError, Documents, Identity, Intake, StoreLimits, Timings,
};
pub use identity::IdentityError;
pub use loket_inspection::Inspector;
pub use loket_trust_folder::TrustFolderError;
pub use offices::{Office, Offices, OfficesError};
pub use random::RandomnessFailed;
pub use run::{Bound, RunError, bind, run};

pub(crate) use telemetry::chain;
