//! The wall clock: read here and handed on as an argument; and whether central may run on it.
//!
//! Machines believe what central signs, so a central with a wrong clock is wrong at every site at once: it would have
//! orders expire everywhere. What it last knew is kept beside the store; a clock that is far from that is refused,
//! before anything is written or signed, until somebody looks and says that it is right (docs/adr/0012).

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loket_wire::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::{MissedTickBehavior, interval};

use crate::files;

/// No build of this program is older: 2026-11-01T00:00:00Z. Machines take no time before it.
const BUILD_DATE: Timestamp = Timestamp::from_unix_ms(1_793_491_200_000);

/// How far the clock may be ahead of what was last known: central stands still for a week over the holidays.
const AHEAD: Duration = Duration::from_secs(7 * 24 * 3600);

/// How far behind: more than any time server puts right at once.
const BEHIND: Duration = Duration::from_secs(3600);

/// How often the clock is looked at and kept.
const EVERY: Duration = Duration::from_secs(600);

/// What was last known, in the state folder.
const FILE: &str = "clock.json";

/// Larger than the file ever is.
const FILE_BYTES: u64 = 4096;

/// Why central does not run on this clock.
#[derive(Debug, Error)]
pub enum ClockError {
    /// Its battery is empty, or nobody ever set it.
    #[error(
        "trust the clock: it says {now}, and this program is newer; set it (for instance with a time server) [C-301]"
    )]
    BeforeBuild {
        /// What it says.
        now: Timestamp,
    },
    /// It ran ahead, or central stood still for long.
    #[error(
        "trust the clock: it says {now}, and central last ran at {known}; set it, or if it is right run accept-clock [C-302]"
    )]
    Ahead {
        /// What it says.
        now: Timestamp,
        /// What was last known.
        known: Timestamp,
    },
    /// It was set back, or the earlier one was wrong.
    #[error(
        "trust the clock: it says {now}, and central ran at {known} already; set it, or if it is right run accept-clock [C-303]"
    )]
    Behind {
        /// What it says.
        now: Timestamp,
        /// What was last known.
        known: Timestamp,
    },
    /// What was last known cannot be read or written.
    #[error("keep the clock in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl ClockError {
    /// The exit code by sysexits.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::File { .. } => 73,
            Self::BeforeBuild { .. } | Self::Ahead { .. } | Self::Behind { .. } => 78,
        }
    }
}

/// What was last known.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u16,
    #[serde(rename = "at_ms")]
    at: Timestamp,
}

/// The present moment; 1970 when the clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::UNIX_EPOCH.saturating_add(since)
}

/// Refuses a clock that cannot be right, and keeps one that can.
pub(crate) fn look(state_dir: &Path, now: Timestamp) -> Result<(), ClockError> {
    judge(now, known(state_dir)?)?;
    keep(state_dir, now)
}

/// Takes the clock as right whatever was known before, because somebody says so.
pub(crate) fn accept(state_dir: &Path, now: Timestamp) -> Result<(), ClockError> {
    judge(now, None)?;
    keep(state_dir, now)
}

/// Looks again and again; gives the reason why central must end.
pub(crate) async fn watch(state_dir: PathBuf) -> ClockError {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let folder = state_dir.clone();
        match tokio::task::spawn_blocking(move || look(&folder, now())).await {
            Ok(Err(error @ ClockError::File { .. })) => {
                tracing::warn!(error = %crate::chain(&error), "clock not kept");
            }
            Ok(Err(error)) => return error,
            Ok(Ok(())) => {}
            Err(error) => tracing::error!(%error, "clock not looked at"),
        }
    }
}

fn judge(now: Timestamp, known: Option<Timestamp>) -> Result<(), ClockError> {
    if now < BUILD_DATE {
        return Err(ClockError::BeforeBuild { now });
    }
    match known {
        Some(known) if now > known.saturating_add(AHEAD) => Err(ClockError::Ahead { now, known }),
        Some(known) if now.saturating_add(BEHIND) < known => Err(ClockError::Behind { now, known }),
        Some(_) | None => Ok(()),
    }
}

fn known(state_dir: &Path) -> Result<Option<Timestamp>, ClockError> {
    let path = state_dir.join(FILE);
    match files::read_bounded(&path, FILE_BYTES) {
        // A file that holds no moment is no reason to stop a regency.
        Ok(bytes) => Ok(serde_json::from_slice::<Kept>(&bytes)
            .inspect_err(|error| tracing::warn!(%error, "what was known of the clock is lost"))
            .ok()
            .map(|kept| kept.at)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ClockError::File { path, source }),
    }
}

fn keep(state_dir: &Path, at: Timestamp) -> Result<(), ClockError> {
    let path = state_dir.join(FILE);
    let bytes = serde_json::to_vec(&Kept { version: 1, at }).unwrap_or_default();
    files::write_durably(&path, &bytes).map_err(|source| ClockError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(looked: Result<(), ClockError>) -> String {
        let text = looked.map_or_else(|error| error.to_string(), |()| "fine [fine]".to_owned());
        let (_words, code) = text.rsplit_once('[').unwrap();
        code.trim_end_matches(']').to_owned()
    }

    #[test]
    fn a_clock_far_from_what_was_known_is_refused_until_it_is_accepted() {
        const SECOND: Duration = Duration::from_secs(1);
        let folder = tempfile::tempdir().unwrap();
        let start = BUILD_DATE.saturating_add(AHEAD * 4);
        assert_eq!(
            code(look(folder.path(), start)),
            "fine",
            "nothing was known"
        );
        for (now, expect) in [
            (start.saturating_add(AHEAD).saturating_add(SECOND), "C-302"),
            (start.saturating_sub(BEHIND).saturating_sub(SECOND), "C-303"),
            (BUILD_DATE.saturating_sub(SECOND), "C-301"),
            (start.saturating_add(AHEAD), "fine"),
            (start.saturating_add(AHEAD).saturating_sub(BEHIND), "fine"),
        ] {
            assert_eq!(code(look(folder.path(), now)), expect, "{now}");
        }
        let far = start.saturating_add(AHEAD * 50);
        assert_eq!(code(look(folder.path(), far)), "C-302");
        accept(folder.path(), far).unwrap();
        assert_eq!(code(look(folder.path(), far)), "fine");
        assert_eq!(code(look(folder.path(), start)), "C-303");
        let dead = Timestamp::from_unix_ms(30_000);
        assert_eq!(
            code(accept(folder.path(), dead)),
            "C-301",
            "no machine takes it"
        );
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_while_central_runs_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let later = now().saturating_add(BEHIND * 2);
        keep(folder.path(), later).unwrap();
        let wrong = watch(folder.path().to_owned()).await;
        assert_eq!(wrong.exit_code(), 78);
        assert_eq!(code(Err(wrong)), "C-303");
    }

    #[test]
    fn a_lost_memory_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let now = BUILD_DATE.saturating_add(AHEAD);
        for lost in [&b""[..], b"{}", b"not JSON"] {
            std::fs::write(folder.path().join(FILE), lost).unwrap();
            assert_eq!(code(look(folder.path(), now)), "fine");
        }
        std::fs::remove_file(folder.path().join(FILE)).unwrap();
        std::fs::create_dir(folder.path().join(FILE)).unwrap();
        let refused = look(folder.path(), now).unwrap_err();
        assert_eq!(refused.exit_code(), 73);
    }
}
