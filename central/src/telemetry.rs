//! Log lines, and the one place that prints an error with what caused it.

use std::error::Error;
use std::fmt;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    // An empty text is read as everything.
    let wished = std::env::var("LOKET_LOG").ok();
    let wished = wished.filter(|text| !text.is_empty());
    let filter: Option<Targets> = wished.and_then(|text| text.parse().ok());
    let usual = || Targets::new().with_default(LevelFilter::INFO);
    let filter = filter.unwrap_or_else(usual);
    let started = tracing_subscriber::registry()
        .with(filter)
        .with(layer().with_writer(std::io::stderr).with_ansi(false))
        .try_init();
    if let Err(error) = started {
        tracing::debug!(%error, "another log is set up already");
    }
}
