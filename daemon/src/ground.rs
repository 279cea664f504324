//! What stands before a unit runs: lock, journal, clock, spool, trust, printers.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_journal::{Batch, Integrity, Journal, JournalError, check_integrity_while, set_aside};
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_wire::Epoch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::device::{IppDevice, Printer};
use crate::document::{Documents, policy_of};
use crate::gate::{Gate, Gated};
use crate::identity::{IdentityDir, OsRandom};
use crate::key_seal::KeySeal;
use crate::reserve::Reserve;
use crate::stops::{Hold, hold};
use crate::supervisor::{DISK_FULL, RunError};
use crate::telemetry::chain;
use crate::unit::link::META_CLOCK;

/// Counts this program's starts: the session number told in state and sync.
const META_SESSION_SEQ: &str = "session-seq";

/// The state folder, held by this process alone, with its journal open.
pub(crate) struct Store {
    pub(crate) journal: Journal,
    pub(crate) epoch: Epoch,
    pub(crate) reserve: Reserve,
    was_clean: bool,
    path: PathBuf,
    // Held until the process ends: two daemons on one state folder would print twice.
    _lock: File,
}

impl Store {
    /// Takes the folder and opens its journal.
    ///
    /// # Errors
    /// [`RunError::JournalBroken`] for a journal that cannot even be opened: it is set aside by then.
    pub(crate) fn open(config: &Config) -> Result<Self, RunError> {
        let lock = lock(&config.state_dir)?;
        let path = journal_path(&config.state_dir);
        let reserve = Reserve::of(&config.state_dir);
        let fresh = loket_wire::random::draw::<16>(&mut OsRandom::default());
        let mut opened = Journal::open(&path, fresh);
        if opened.as_ref().is_err_and(may_want_room) && reserve.release() {
            tracing::error!("the disk is full ({DISK_FULL}): the reserve is spent for this start");
            opened = Journal::open(&path, fresh);
        }
        let (journal, opened) = match opened {
            Ok(opened) => opened,
            Err(JournalError::Corrupt) => {
                put_aside(&path)?;
                return Err(RunError::JournalBroken);
            }
            Err(JournalError::Full) => return Err(RunError::DiskFull(config.state_dir.clone())),
            Err(error) => return Err(RunError::Journal(error)),
        };
        hold_reserve(&reserve);
        Ok(Self {
            journal,
            epoch: Epoch::from_bytes(opened.epoch),
            reserve,
            was_clean: opened.was_clean,
            path,
            _lock: lock,
        })
    }

    /// Closes the journal within a time limit, and gives how the run `ended`.
    ///
    /// Whoever met damage, and in whatever words it ended the run: a damaged journal is set aside here, so that the
    /// next start begins a new epoch and central knows what was lost.
    pub(crate) async fn close<T>(
        self,
        ended: Result<T, RunError>,
        within: Duration,
    ) -> Result<T, RunError> {
        let is_damaged = self.journal.is_damaged() || matches!(ended, Err(RunError::JournalBroken));
        let closed = tokio::time::timeout(within, self.journal.close()).await;
        match closed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = %chain(&error), "journal not closed cleanly; it is checked at the next start");
            }
            Err(_late) => {
                tracing::warn!("journal not closed in time; it is checked at the next start");
            }
        }
        if is_damaged {
            put_aside(&self.path)?;
            return Err(RunError::JournalBroken);
        }
        ended
    }
}

/// Takes the state folder for this process alone; the system gives it back when the process ends, however it ends.
fn lock(dir: &Path) -> Result<File, RunError> {
    let state = |source: std::io::Error| {
        let path = dir.to_owned();
        if source.kind() == std::io::ErrorKind::StorageFull {
            return RunError::DiskFull(path);
        }
        RunError::State { path, source }
    };
    std::fs::create_dir_all(dir).map_err(state)?;
    let lock = File::create(dir.join("lock")).map_err(state)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(RunError::Locked(dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(state(source)),
    }
}

/// Whether an open may have failed for want of room: SQLite has many words for what a full disk does to it.
const fn may_want_room(error: &JournalError) -> bool {
    matches!(error, JournalError::Full | JournalError::Io { .. })
}

/// Holds the reserve where the disk has room for it. Blocks on the disk.
fn hold_reserve(reserve: &Reserve) {
    match reserve.hold() {
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!(
                "the disk is nearly full ({DISK_FULL}): no room is held for the next start"
            );
        }
        Err(error) => tracing::warn!(%error, "no room can be held for a start on a full disk"),
    }
}

/// Moves a damaged journal away, so that the next start begins a new epoch; central then knows what was lost.
fn put_aside(path: &Path) -> Result<(), RunError> {
    let aside_at = Clock::new(None).now().wall.unix_ms();
    // A clock that begins in 1970 at each start says the same moment again: the rest keeps the names apart.
    let mark = u32::from_le_bytes(loket_wire::random::draw(&mut OsRandom::default()));
    let stamp = format!("{aside_at}-{mark:08x}");
    let aside = set_aside(path, &stamp).map_err(RunError::Journal)?;
    tracing::error!(aside = %aside.display(), "the journal is damaged and set aside; a new epoch begins");
    Ok(())
}

/// Everything else that stands before a unit runs.
pub(crate) struct Ground {
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) epoch: Epoch,
    pub(crate) reserve: Reserve,
    pub(crate) documents: Arc<Documents>,
    pub(crate) printers: BTreeMap<String, Arc<dyn Printer>>,
    /// Shut until the journal is known to be sound.
    gate: Gate,
    /// Where the journal lies, if its last user did not close it: to be checked while the rest goes on.
    unchecked: Option<PathBuf>,
}

impl Ground {
    /// Lays it over an open journal.
    pub(crate) async fn lay(config: &Config, store: &Store) -> Result<Self, RunError> {
        let gate = Gate::default();
        if store.was_clean {
            gate.open();
        }
        let kept = store.journal.meta(META_CLOCK).await;
        let clock = Clock::restore(kept.map_err(RunError::Journal)?.as_deref());
        let spool = Spool::open(&config.state_dir.join("spool"), config.spool_quota_bytes)
            .map_err(RunError::Spool)?;
        let sealing = identity_dir(config)?
            .sealing_key()
            .map_err(RunError::Identity)?;
        let trust = TrustFolder::open(config.trust_dir.clone()).map_err(RunError::Trust)?;
        if trust.current().is_empty() {
            tracing::warn!(dir = %config.trust_dir.display(), "no trust anchor: no document will be valid");
        }
        let documents = Documents::new(spool, sealing, trust, policy_of(config));
        let mut printers: BTreeMap<String, Arc<dyn Printer>> = BTreeMap::new();
        for printer in &config.printers {
            let device =
                IppDevice::new(printer, &config.machine).map_err(|source| RunError::Printer {
                    name: printer.name.clone(),
                    source: Box::new(source),
                })?;
            printers.insert(
                printer.name.clone(),
                Arc::new(Gated::new(device, gate.clone())),
            );
        }
        Ok(Self {
            clock,
            journal: store.journal.clone(),
            epoch: store.epoch,
            reserve: store.reserve.clone(),
            documents,
            printers,
            gate,
            unchecked: (!store.was_clean).then(|| store.path.clone()),
        })
    }

    /// Checks a journal that was not closed, on a connection of its own; printing waits for it behind the gate.
    ///
    /// Only a check that passed opens the gate and vouches for the file. One that ends with `wanted` does neither, and
    /// the next start begins it anew.
    ///
    /// # Errors
    /// [`RunError::JournalBroken`] when it is damaged, [`RunError::Journal`] when that cannot be told.
    pub(crate) async fn check(&self, wanted: CancellationToken) -> Result<(), RunError> {
        let Some(path) = self.unchecked.clone() else {
            return Ok(());
        };
        hold(Hold::JournalCheck).await;
        let check = move || check_integrity_while(&path, move || !wanted.is_cancelled());
        let checked = tokio::task::spawn_blocking(check).await;
        let checked = checked.map_err(|_panic| RunError::Panicked)?;
        match checked.map_err(RunError::Journal)? {
            Integrity::Sound => {}
            Integrity::Broken => return Err(RunError::JournalBroken),
            Integrity::Unfinished => return Ok(()),
        }
        self.journal.vouch().await.map_err(RunError::Journal)?;
        self.gate.open();
        tracing::info!("the journal is sound after an unclean stop");
        Ok(())
    }

    /// Holds the reserve again, off the async threads.
    pub(crate) async fn hold_reserve(&self) {
        let reserve = self.reserve.clone();
        // What went wrong is logged where it happens.
        drop(tokio::task::spawn_blocking(move || hold_reserve(&reserve)).await);
    }
}

/// The number of this start, for state and sync, and whether it is on disk.
///
/// On a full disk the start goes on with a number that a later start may use again: a machine that is linked and says
/// that its disk is full helps more than one that is dark.
pub(crate) async fn next_session(journal: &Journal) -> Result<Session, RunError> {
    let kept = journal
        .meta(META_SESSION_SEQ)
        .await
        .map_err(RunError::Journal)?;
    let last = kept
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    let seq = last.saturating_add(1);
    match journal.append(session_meta(seq)).await {
        Ok(_kept) => Ok(Session { seq, is_kept: true }),
        Err(JournalError::Full) => {
            tracing::error!(
                "the number of this start is not on disk: the disk is full ({DISK_FULL})"
            );
            Ok(Session {
                seq,
                is_kept: false,
            })
        }
        Err(error) => Err(RunError::Journal(error)),
    }
}

/// The number of a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) seq: u64,
    pub(crate) is_kept: bool,
}

pub(crate) fn session_meta(seq: u64) -> Batch {
    Batch {
        meta: vec![(META_SESSION_SEQ.to_owned(), seq.to_le_bytes().to_vec())],
        ..Batch::default()
    }
}

/// Removes what a crash left in the spool: files of jobs that the journal does not hold.
pub(crate) fn sweep(ground: &Ground, desk: &loket_domain::print::Desk) -> Result<(), RunError> {
    let keep = desk
        .jobs()
        .map(|job| job.facts.job_id.to_string())
        .collect();
    let swept = ground
        .documents
        .spool
        .sweep(&keep)
        .map_err(RunError::Spool)?;
    if !swept.is_empty() {
        tracing::info!(
            count = swept.len(),
            "documents without a journalled job removed"
        );
    }
    Ok(())
}

/// This machine's identity folder, with the credential that seals its keys where systemd gave one.
pub(crate) fn identity_dir(config: &Config) -> Result<IdentityDir, RunError> {
    let seal = KeySeal::from_credentials().map_err(|error| RunError::Identity(error.into()))?;
    if !seal.is_on() {
        tracing::warn!("no credential: this machine's keys are protected by their file mode alone");
    }
    Ok(IdentityDir::under(&config.state_dir, seal))
}

/// Where the journal lies.
fn journal_path(state_dir: &Path) -> PathBuf {
    state_dir.join("journal.db")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_journals_is_set_aside_within_one_moment() {
        let dir = tempfile::tempdir().unwrap();
        let path = journal_path(dir.path());
        for count in 1..=50 {
            File::create(&path).unwrap();
            put_aside(&path).unwrap();
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), count);
        }
    }
}
