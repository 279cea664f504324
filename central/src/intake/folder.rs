//! The watched folder: a PDF and an order of the same stem. The folder is the outside: nothing of it is logged but
//! digests, and it is emptied after a day.
//!
//! ```text
//! <stem>.pdf + <stem>.json|toml, both still for settle_ms → taken: removed once committed
//!                                                        → refused: rejected/<stem>.* with <stem>.reason.txt
//! anything older than keep_s → rejected/, and from there gone after another keep_s
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_store::Actor;
use loket_wire::order::MAX_DOCUMENT_BYTES;
use loket_wire::{Sha256Digest, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::order_text::{MAX_ORDER_BYTES, Notation};
use super::{Brought, Taken, take};
use crate::clock::now;
use crate::config;
use crate::files;
use crate::office::Office;
use crate::problem::{Code, Problem};

/// Files looked at in one round; more wait for the next.
const MAX_ENTRY_COUNT: usize = 2_000;

/// The folder itself is for its owner alone.
const FOLDER_MODE: u32 = 0o700;

/// The folder as it was last seen.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    rejected: PathBuf,
    settle: Duration,
    poll: Duration,
    keep: Duration,
    seen: BTreeMap<OsString, Seen>,
}

/// How a file looked, and since when it looks so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    size_bytes: u64,
    modified_ns: (i64, i64),
    changed_at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    look: Look,
    since: Instant,
}

/// A document and its order, both whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    stem: OsString,
    document: PathBuf,
    order: PathBuf,
    notation: Notation,
}

/// Watches until `stop`.
pub(crate) async fn run(office: Arc<Office>, mut folder: Folder, stop: CancellationToken) {
    let mut ticks = interval(folder.poll);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = ticks.tick() => {}
        }
        let pairs = match folder.look(Instant::now()) {
            Ok(pairs) => pairs,
            Err(error) => {
                tracing::error!(%error, "intake folder not readable");
                continue;
            }
        };
        for pair in pairs {
            if stop.is_cancelled() {
                return;
            }
            if let Err(error) = folder.bring(&office, &pair).await {
                tracing::error!(%error, "a pair in the intake folder could not be handled");
            }
        }
        if let Err(error) = folder.empty(now()) {
            tracing::error!(%error, "intake folder not emptied");
        }
    }
}

impl Folder {
    /// Makes the folder and `rejected/` ready, for their owner alone.
    pub(crate) fn open(config: &config::Intake) -> io::Result<Self> {
        let rejected = config.folder.join("rejected");
        files::make_dir(&rejected)?;
        for folder in [&config.folder, &rejected] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(FOLDER_MODE))?;
        }
        Ok(Self {
            path: config.folder.clone(),
            rejected,
            settle: Duration::from_millis(config.settle_ms),
            poll: Duration::from_millis(config.poll_ms),
            keep: Duration::from_secs(config.keep_s),
            seen: BTreeMap::new(),
        })
    }

    /// Looks at every file once and gives the pairs that have stood still long enough.
    fn look(&mut self, at: Instant) -> io::Result<Vec<Pair>> {
        let mut seen = BTreeMap::new();
        for (name, look) in entries(&self.path)? {
            let since = match self.seen.get(&name) {
                Some(before) if before.look == look => before.since,
                Some(_) | None => at,
            };
            seen.insert(name, Seen { look, since });
        }
        self.seen = seen;
        let is_still = |name: &OsStr| {
            self.seen
                .get(name)
                .is_some_and(|seen| at.saturating_duration_since(seen.since) >= self.settle)
        };
        let mut pairs = Vec::new();
        for name in self.seen.keys().filter(|name| has_suffix(name, "pdf")) {
            let stem = Path::new(name).file_stem().unwrap_or(name).to_owned();
            let order = self.seen.keys().find_map(|other| {
                let notation = notation(other)?;
                (Path::new(other).file_stem() == Some(&stem)).then_some((other, notation))
            });
            let Some((order, notation)) = order else {
                continue;
            };
            if is_still(name) && is_still(order) {
                let (document, order) = (self.path.join(name), self.path.join(order));
                pairs.push(Pair {
                    stem,
                    document,
                    order,
                    notation,
                });
            }
        }
        Ok(pairs)
    }

    /// Takes one pair in, and away.
    async fn bring(&mut self, office: &Arc<Office>, pair: &Pair) -> io::Result<()> {
        let read = pair.clone();
        let brought = office.blocking(move |_office| read_pair(&read)).await;
        let outcome = match brought {
            Ok(Ok(brought)) => take(office, brought).await,
            Ok(Err(problem)) | Err(problem) => Err(problem),
        };
        match outcome {
            Ok(Taken::New(job) | Taken::Same(job)) => {
                tracing::info!(job.id = %job, "pair of the intake folder taken");
                std::fs::remove_file(&pair.document)?;
                std::fs::remove_file(&pair.order)?;
                files::sync_dir(&self.path)
            }
            // Central's own trouble is not the pair's: it stays and is tried again.
            Err(problem) if problem.code.status().is_server_error() => {
                self.seen.clear();
                Ok(())
            }
            Err(problem) => self.reject(&pair.stem, &[&pair.document, &pair.order], &problem),
        }
    }

    /// Moves files to `rejected/` with the reason beside them.
    fn reject(&self, stem: &OsStr, files: &[&Path], problem: &Problem) -> io::Result<()> {
        tracing::warn!(code = problem.code.as_str(), "intake folder: rejected");
        let mut reason = stem.to_owned();
        reason.push(".reason.txt");
        files::write_durably(
            &self.rejected.join(reason),
            problem.reason_text().as_bytes(),
        )?;
        for file in files {
            if let Some(name) = file.file_name() {
                std::fs::rename(file, self.rejected.join(name))?;
            }
        }
        files::sync_dir(&self.rejected)?;
        files::sync_dir(&self.path)
    }

    /// Moves what is old to `rejected/`, and removes what is old there.
    fn empty(&self, at: Timestamp) -> io::Result<()> {
        let is_old = |look: &Look| at.since(look.changed_at) > self.keep;
        for (name, look) in entries(&self.path)? {
            if is_old(&look) {
                let stem = Path::new(&name).file_stem().unwrap_or(&name).to_owned();
                let problem = Problem::new(Code::FolderPairMissing);
                self.reject(&stem, &[&self.path.join(&name)], &problem)?;
            }
        }
        for (name, look) in entries(&self.rejected)? {
            if is_old(&look) {
                std::fs::remove_file(self.rejected.join(name))?;
            }
        }
        Ok(())
    }
}

/// Regular files of a folder; links and folders are not looked at.
fn entries(folder: &Path) -> io::Result<Vec<(OsString, Look)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = match std::fs::symlink_metadata(entry.path()) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if !meta.is_file() {
            continue;
        }
        let look = Look {
            size_bytes: meta.len(),
            modified_ns: (meta.mtime(), meta.mtime_nsec()),
            // A move renews the change time and keeps the modification time.
            changed_at: Timestamp::from_unix_ms(meta.ctime().saturating_mul(1000)),
        };
        found.push((entry.file_name(), look));
        if found.len() >= MAX_ENTRY_COUNT {
            break;
        }
    }
    Ok(found)
}

fn has_suffix(name: &OsStr, suffix: &str) -> bool {
    let is_hidden = name.to_str().is_some_and(|name| name.starts_with('.'));
    !is_hidden
        && Path::new(name)
            .extension()
            .is_some_and(|found| found.eq_ignore_ascii_case(suffix))
}

fn notation(name: &OsStr) -> Option<Notation> {
    if has_suffix(name, "json") {
        Some(Notation::Json)
    } else if has_suffix(name, "toml") {
        Some(Notation::Toml)
    } else {
        None
    }
}

fn read_pair(pair: &Pair) -> Result<Brought, Problem> {
    let read = |path: &Path, limit_bytes: usize, too_large: Code| {
        let limit_bytes = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
        files::read_bounded(path, limit_bytes)
            .map(Zeroizing::new)
            .map_err(|error| {
                if error.kind() == io::ErrorKind::FileTooLarge {
                    return Problem::new(too_large);
                }
                tracing::error!(%error, "a file of the intake folder is not readable");
                Problem::new(Code::StorageFailed)
            })
    };
    let document = read(&pair.document, MAX_DOCUMENT_BYTES, Code::DocumentTooLarge)?;
    let order = read(&pair.order, MAX_ORDER_BYTES, Code::OrderTooLarge)?;
    let parts = format!(
        "{}\0{}",
        Sha256Digest::of(&document),
        Sha256Digest::of(&order)
    );
    Ok(Brought {
        folder_sha256: Some(Sha256Digest::of(parts.as_bytes())),
        document,
        order,
        notation: pair.notation,
        idempotency_key: None,
        actor: Actor::new("folder").unwrap_or_else(|_never| Actor::central()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(at: &Path) -> Folder {
        Folder::open(&config::Intake {
            folder: at.to_owned(),
            settle_ms: 1_000,
            poll_ms: 1,
            keep_s: 60,
        })
        .unwrap()
    }

    #[test]
    fn a_pair_is_whole_when_both_files_stood_still() {
        let home = tempfile::tempdir().unwrap();
        let mut watched = folder(home.path());
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        std::fs::write(home.path().join("a.pdf"), b"%PDF").unwrap();
        assert!(watched.look(start).unwrap().is_empty());
        assert!(
            watched.look(after(5_000)).unwrap().is_empty(),
            "no order yet"
        );
        std::fs::write(home.path().join("a.json"), b"{").unwrap();
        assert!(watched.look(after(6_000)).unwrap().is_empty());
        std::fs::write(home.path().join("a.json"), b"{}").unwrap();
        assert!(
            watched.look(after(7_000)).unwrap().is_empty(),
            "still being written"
        );
        assert!(watched.look(after(7_999)).unwrap().is_empty());
        let pairs = watched.look(after(8_000)).unwrap();
        assert_eq!(pairs.len(), 1);
        assert_eq!(pairs[0].notation, Notation::Json);
        assert_eq!(pairs[0].stem, "a");
    }

    #[test]
    fn hidden_files_links_and_folders_are_no_pair() {
        let home = tempfile::tempdir().unwrap();
        let mut watched = folder(home.path());
        std::fs::write(home.path().join(".a.pdf"), b"%PDF").unwrap();
        std::fs::write(home.path().join(".a.json"), b"{}").unwrap();
        std::fs::create_dir(home.path().join("b.pdf")).unwrap();
        std::fs::write(home.path().join("b.json"), b"{}").unwrap();
        std::fs::write(home.path().join("c.toml"), b"").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("c.pdf")).unwrap();
        let start = Instant::now();
        watched.look(start).unwrap();
        assert!(
            watched
                .look(start + Duration::from_secs(9))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_lies_too_long_is_rejected_with_its_reason_and_then_gone() {
        let home = tempfile::tempdir().unwrap();
        let watched = folder(home.path());
        std::fs::write(home.path().join("a.pdf"), b"%PDF").unwrap();
        let rejected = home.path().join("rejected");
        watched.empty(now()).unwrap();
        assert!(home.path().join("a.pdf").exists());
        let later = now().saturating_add(Duration::from_secs(120));
        watched.empty(later).unwrap();
        // The same moment also finds the rejected files old: their change time is the real present.
        assert!(!home.path().join("a.pdf").exists());
        assert_eq!(std::fs::read_dir(&rejected).unwrap().count(), 0);
    }

    #[test]
    fn a_rejected_pair_has_its_code_and_sentence_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let watched = folder(home.path());
        let document = home.path().join("a.pdf");
        std::fs::write(&document, b"%PDF").unwrap();
        watched
            .reject(
                "a".as_ref(),
                &[&document],
                &Problem::new(Code::SignatureInvalid),
            )
            .unwrap();
        let reason = home.path().join("rejected/a.reason.txt");
        let text = std::fs::read_to_string(reason).unwrap();
        assert!(text.starts_with("SignatureInvalid: Tanda tangan"), "{text}");
        assert!(home.path().join("rejected/a.pdf").exists() && !document.exists());
    }
}
