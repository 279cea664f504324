//! Where log lines go, and how an error with its causes becomes one line.
#![expect(
    clippy::print_stderr,
    reason = "a panic of a command at a terminal has nowhere else to go"
)]

use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogOutput;

/// Whether a filter of log lines can be read: a level, or targets with levels of their own (`info,loket_link=debug`).
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    // An empty text is read as everything, which nobody means by it.
    !filter.is_empty() && filter.parse::<Targets>().is_ok()
}

/// Installs the process-wide subscriber; a second call changes nothing.
pub fn install(output: LogOutput, filter: &str) {
    // Not by spans and fields: what reads such filters brings half a megabyte of regular expressions along.
    let filter: Targets = filter
        .parse()
        .unwrap_or_else(|_bad| Targets::new().with_default(LevelFilter::INFO));
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

/// Panics are told by their place alone: the text of one, of ours or of a library, may quote a document.
pub fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let at = at.unwrap_or_else(|| "an unknown place".to_owned());
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(at, thread, "a bug: the program broke off at {at}");
        if !tracing::dispatcher::has_been_set() {
            eprintln!("a bug: the program broke off at {at}");
        }
    }));
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
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged_of_a_panic(with_hook: bool) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = fmt::Subscriber::builder()
            .with_writer(move || writer.clone())
            .finish();
        let text = String::from("words of a document");
        if with_hook {
            tell_panics_by_place();
        } else {
            let writer = lines.clone();
            std::panic::set_hook(Box::new(move |panic| {
                writeln!(writer.clone(), "{panic}").unwrap();
            }));
        }
        tracing::subscriber::with_default(subscriber, || {
            assert!(std::panic::catch_unwind(|| panic!("{text}")).is_err());
        });
        drop(std::panic::take_hook());
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_panic_is_told_by_its_place_and_not_by_its_text() {
        let logged = logged_of_a_panic(true);
        assert!(logged.contains("telemetry.rs"), "{logged}");
        assert!(!logged.contains("words of a document"), "{logged}");
        // The control: told in the usual way, the text is found.
        assert!(logged_of_a_panic(false).contains("words of a document"));
    }

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
