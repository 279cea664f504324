//! Log lines, and the one place that prints an error with what caused it.

use std::error::Error;
use std::fmt;

use tracing_subscriber::EnvFilter;

/// An error with its sources, joined by colons; no error of ours prints its source itself.
#[derive(Debug)]
pub(crate) struct Chain<'a>(&'a (dyn Error + 'static));

/// Shows `error` with everything that caused it.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> Chain<'a> {
    Chain(error)
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

/// Panics are told by their place alone: the text of one, of ours or of a library, may quote a document.
pub(crate) fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let at = at.unwrap_or_else(|| "an unknown place".to_owned());
        tracing::error!(at, "a bug: a part of central broke off at {at}");
    }));
}

/// Logs to the error stream, which systemd's journal keeps; `LOKET_LOG` sets the levels.
pub(crate) fn start() {
    let filter =
        EnvFilter::try_from_env("LOKET_LOG").unwrap_or_else(|_absent| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    if let Err(error) = started {
        tracing::debug!(%error, "another log is set up already");
    }
}
