//! Where log lines go, and how an error with its causes becomes one line.

use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogOutput;

/// Installs the process-wide subscriber; a second call changes nothing.
pub fn install(output: LogOutput, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_bad| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let text = || {
        fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
    };
    let installed = match output {
        LogOutput::Text => registry.with(text()).try_init(),
        LogOutput::Journald => match tracing_journald::layer() {
            Ok(journald) => registry.with(journald).try_init(),
            Err(_no_socket) => registry.with(text()).try_init(),
        },
    };
    // Fails only where a subscriber stands already, as in a test or the demo.
    drop(installed);
}

/// The error and its causes as one line: `open the journal: disk is full`.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        line.push_str(": ");
        line.push_str(&next.to_string());
        cause = next.source();
    }
    line
}
