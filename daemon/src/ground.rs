//! What stands before a unit runs: lock, journal, clock, spool, trust, printers.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loket_journal::{Batch, Integrity, Journal, JournalError, check_integrity, set_aside};
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_wire::{Epoch, Timestamp};

use crate::clock::Clock;
use crate::config::Config;
use crate::device::{IppDevice, Printer};
use crate::document::{Documents, policy_of};
use crate::gate::{Gate, Gated};
use crate::identity::{IdentityDir, OsRandom};
use crate::key_seal::KeySeal;
use crate::supervisor::RunError;
use crate::unit::link::META_CLOCK_FLOOR;

/// Counts this program's starts: the session number told in state and sync.
const META_SESSION_SEQ: &str = "session-seq";

/// Everything that stands before a unit runs.
pub(crate) struct Ground {
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) epoch: Epoch,
    pub(crate) documents: Arc<Documents>,
    pub(crate) printers: BTreeMap<String, Arc<dyn Printer>>,
    /// Shut until the journal is known to be sound.
    pub(crate) gate: Gate,
    /// Where the journal lies, if its last user did not close it: to be checked while the rest goes on.
    pub(crate) unchecked: Option<PathBuf>,
    // Held until the process ends: two daemons on one state folder would print twice.
    _lock: File,
}

impl Ground {
    pub(crate) async fn open(config: &Config) -> Result<Self, RunError> {
        let state = |source| RunError::State {
            path: config.state_dir.clone(),
            source,
        };
        std::fs::create_dir_all(&config.state_dir).map_err(state)?;
        let lock = File::create(config.state_dir.join("lock")).map_err(state)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(RunError::Locked(config.state_dir.clone()));
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(state(source)),
        }
        let path = journal_path(&config.state_dir);
        let (journal, epoch, was_clean) = open_journal(&path)?;
        let gate = Gate::default();
        if was_clean {
            gate.open();
        }
        let floor = journal
            .meta(META_CLOCK_FLOOR)
            .await
            .map_err(RunError::Journal)?;
        let floor = floor
            .and_then(|bytes| bytes.try_into().ok())
            .map(i64::from_le_bytes);
        let clock = Clock::new(floor.map(Timestamp::from_unix_ms));
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
            let device = IppDevice::new(printer).map_err(|source| RunError::Printer {
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
            journal,
            epoch,
            documents,
            printers,
            gate,
            unchecked: (!was_clean).then_some(path),
            _lock: lock,
        })
    }
}

/// Opens the journal; one that cannot even be opened is set aside for a new epoch.
fn open_journal(path: &Path) -> Result<(Journal, Epoch, bool), RunError> {
    let fresh = loket_wire::random::draw::<16>(&mut OsRandom::default());
    let (journal, opened) = match Journal::open(path, fresh) {
        Err(JournalError::Corrupt) => {
            put_aside(path)?;
            Journal::open(path, fresh).map_err(RunError::Journal)?
        }
        other => other.map_err(RunError::Journal)?,
    };
    Ok((journal, Epoch::from_bytes(opened.epoch), opened.was_clean))
}

/// Moves a damaged journal away, so that the next start begins a new epoch; central then knows what was lost.
pub(crate) fn put_aside(path: &Path) -> Result<(), RunError> {
    let stamp = Clock::new(None).now().wall.unix_ms().to_string();
    let aside = set_aside(path, &stamp).map_err(RunError::Journal)?;
    tracing::error!(aside = %aside.display(), "the journal is damaged and set aside; a new epoch begins");
    Ok(())
}

impl Ground {
    /// Checks a journal that was not closed, on a connection of its own; printing waits for it behind the gate.
    ///
    /// # Errors
    /// [`RunError::JournalBroken`] when it is damaged, [`RunError::Journal`] when that cannot be told.
    pub(crate) async fn check(&self) -> Result<(), RunError> {
        if let Some(path) = self.unchecked.clone() {
            let checked = tokio::task::spawn_blocking(move || check_integrity(&path)).await;
            match checked
                .map_err(|_panic| RunError::Panicked)?
                .map_err(RunError::Journal)?
            {
                Integrity::Sound => tracing::info!("the journal is sound after an unclean stop"),
                Integrity::Broken => return Err(RunError::JournalBroken),
            }
        }
        self.gate.open();
        Ok(())
    }
}

pub(crate) async fn next_session(journal: &Journal) -> Result<u64, RunError> {
    let kept = journal
        .meta(META_SESSION_SEQ)
        .await
        .map_err(RunError::Journal)?;
    let last = kept
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    let next = last.saturating_add(1);
    let meta = vec![(META_SESSION_SEQ.to_owned(), next.to_le_bytes().to_vec())];
    journal
        .append(Batch {
            meta,
            ..Batch::default()
        })
        .await
        .map_err(RunError::Journal)?;
    Ok(next)
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
pub(crate) fn journal_path(state_dir: &Path) -> PathBuf {
    state_dir.join("journal.db")
}
