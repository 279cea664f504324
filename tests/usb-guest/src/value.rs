//! Waiting for a value: what the kernel shows in its files changes without a word.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{interval, timeout};

/// How often a file of the kernel is looked at; a look takes some microseconds.
const RHYTHM: Duration = Duration::from_millis(5);

/// The kernel takes half a second to enumerate a device on a slow, emulated processor.
const DEADLINE: Duration = Duration::from_secs(40);

/// Waits until a look shows something.
///
/// # Errors
/// Where it shows nothing for the deadline; says what was waited for.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let looking = async {
        let mut rhythm = interval(RHYTHM);
        loop {
            rhythm.tick().await;
            if let Some(seen) = look() {
                return seen;
            }
        }
    };
    let seen = timeout(DEADLINE, looking).await;
    seen.ok()
        .with_context(|| format!("see {what} within {DEADLINE:?}"))
}

/// As [`until`], for what is asked and not looked at.
///
/// # Errors
/// Those of a question; where the deadline passes, as [`until`].
pub(crate) async fn until_told<T, A>(what: &str, mut ask: impl FnMut() -> A) -> anyhow::Result<T>
where
    A: Future<Output = anyhow::Result<Option<T>>>,
{
    let asking = async {
        let mut rhythm = interval(RHYTHM);
        loop {
            rhythm.tick().await;
            if let Some(told) = ask().await? {
                return Ok(told);
            }
        }
    };
    let told = timeout(DEADLINE, asking).await;
    told.with_context(|| format!("see {what} within {DEADLINE:?}"))?
}

/// What stands in a file of the kernel, without the line end.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim_end().to_owned())
}

/// An error unless both are the same.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: T,
    expected: T,
) -> anyhow::Result<()> {
    if found != expected {
        bail!("{what} is {found:?} and not {expected:?}");
    }
    Ok(())
}

/// An error unless it holds.
pub(crate) fn holds(what: &str, holds: bool) -> anyhow::Result<()> {
    if !holds {
        bail!("it does not hold that {what}");
    }
    Ok(())
}
