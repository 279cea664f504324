//! What stands before a unit runs: lock, journal, clock, spool, trust, printers.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use loket_journal::{Batch, Integrity, Journal, JournalError, check_integrity, set_aside};
use loket_spool::Spool;
use loket_wire::{Epoch, Timestamp};

use crate::clock::Clock;
use crate::config::Config;
use crate::device::{IppDevice, Printer};
use crate::document::{Documents, policy_of, read_trust};
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
        let (journal, epoch) = open_journal(&config.state_dir.join("journal.db"))?;
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
        let trust = read_trust(&config.trust_dir).map_err(RunError::Trust)?;
        if trust.is_empty() {
            tracing::warn!(dir = %config.trust_dir.display(), "no trust anchor: no document will be valid");
        }
        let documents = Documents::new(spool, sealing, trust, policy_of(config));
        let mut printers: BTreeMap<String, Arc<dyn Printer>> = BTreeMap::new();
        for printer in &config.printers {
            let device = IppDevice::new(printer).map_err(|source| RunError::Printer {
                name: printer.name.clone(),
                source: Box::new(source),
            })?;
            printers.insert(printer.name.clone(), Arc::new(device));
        }
        Ok(Self {
            clock,
            journal,
            epoch,
            documents,
            printers,
            _lock: lock,
        })
    }
}

/// Opens the journal; after an unclean stop it is checked first, and a broken one is set aside for a new epoch.
fn open_journal(path: &Path) -> Result<(Journal, Epoch), RunError> {
    let fresh = loket_wire::random::draw::<16>(&mut OsRandom::default());
    let opened = match Journal::open(path, fresh) {
        Ok((journal, opened)) if opened.was_clean => Ok((journal, opened)),
        Ok((journal, opened)) => match check_integrity(path) {
            Ok(Integrity::Sound) => Ok((journal, opened)),
            Ok(Integrity::Broken) => {
                drop(journal);
                Err(JournalError::Corrupt)
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let (journal, opened) = match opened {
        Ok(sound) => sound,
        Err(JournalError::Corrupt) => {
            let stamp = Clock::new(None).now().wall.unix_ms().to_string();
            let aside = set_aside(path, &stamp).map_err(RunError::Journal)?;
            tracing::error!(aside = %aside.display(), "the journal is damaged and set aside; a new epoch begins");
            Journal::open(path, fresh).map_err(RunError::Journal)?
        }
        Err(error) => return Err(RunError::Journal(error)),
    };
    Ok((journal, Epoch::from_bytes(opened.epoch)))
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
