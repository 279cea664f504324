//! What a simulated printer is told when it starts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::knobs::Knobs;

/// What ippeveprinter and PAPPL say (measured).
const MULTIPLE_OPERATION_TIME_OUT: Duration = Duration::from_secs(60);

/// Says what a simulated printer is.
#[derive(Debug, Clone)]
pub struct PrinterConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its `printer-name`.
    pub name: String,
    /// Its `printer-uuid`, which outlives a power cycle and a restart where it is given.
    pub uuid: Uuid,
    /// How long a job without a document is kept.
    pub multiple_operation_time_out: Duration,
    /// The folder into which each received document is written; none where nothing is written.
    pub keep: Option<PathBuf>,
    /// Its faults at start.
    pub knobs: Knobs,
}

impl Default for PrinterConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            name: "Loket simulated printer".to_owned(),
            uuid: Uuid::now_v7(),
            multiple_operation_time_out: MULTIPLE_OPERATION_TIME_OUT,
            keep: None,
            knobs: Knobs::default(),
        }
    }
}

/// Says why a simulated printer cannot start, be turned, or be read.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// Its address cannot be listened on.
    #[error("listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The folder for received documents cannot be used.
    #[error("use {folder} for received documents")]
    Keep {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A knob is unknown, or has a value it cannot have.
    #[error("turn a knob: {0}")]
    Knob(#[from] serde_json::Error),
}
