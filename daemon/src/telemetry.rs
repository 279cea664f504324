//! Where log lines go, and how an error with its causes becomes one line.

use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogOutput;

/// Whether a filter of log lines can be read.
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}

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

/// The error and its causes as one line: `open the journal: disk is full`. A cause that repeats the words of what it
/// caused is told once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut last = line.clone();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if text != last {
            line.push_str(": ");
            line.push_str(&text);
        }
        last = text;
        cause = next.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        source: Option<Box<Self>>,
    }

    fn layers(texts: &[&'static str]) -> Option<Box<Layer>> {
        let (text, rest) = texts.split_first()?;
        let source = layers(rest);
        Some(Box::new(Layer { text, source }))
    }

    #[test]
    fn causes_follow_each_other_and_none_is_told_twice_in_a_row() {
        let error = layers(&["reach the printer", "reach the printer", "refused"]);
        assert_eq!(chain(&*error.unwrap()), "reach the printer: refused");
        let error = layers(&["open the journal", "disk is full"]);
        assert_eq!(chain(&*error.unwrap()), "open the journal: disk is full");
    }
}
