//! What stands before a unit runs, over an open journal: clock, spool, trust, printers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use loket_journal::{Batch, Integrity, Journal, JournalError, check_integrity_while};
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_wire::Epoch;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, certain};
use crate::config::Config;
use crate::device::{Printer, TicketDevice};
use crate::document::Documents;
use crate::gate::{Gate, behind_gate};
use crate::identity::{IdentityDir, central_key};
use crate::judged::JudgedTally;
use crate::key_seal::KeySeal;
use crate::policy::policy_of;
use crate::profiles::load;
use crate::record::Records;
use crate::reserve::Reserve;
use crate::sheets::SheetReader;
use crate::sights::Sights;
use crate::stops::{Hold, hold};
use crate::store::{Store, hold_reserve, remove_old_asides};
use crate::supervisor::{DISK_FULL, RunError};
use crate::telemetry::chain;
use crate::trust::TrustStore;
use crate::unit::link::META_CLOCK;
use loket_inspection::Inspector;

/// Counts this program's starts: the session number told in state and sync.
const META_SESSION_SEQ: &str = "session-seq";

/// Everything else that stands before a unit runs.
pub(crate) struct Ground {
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) epoch: Epoch,
    pub(crate) reserve: Reserve,
    pub(crate) documents: Arc<Documents>,
    /// Records of printed sheets; none where there is no central to seal them to.
    pub(crate) records: Option<Arc<Records>>,
    /// Makes those, and reads sheets that are doubted.
    pub(crate) sheets: Arc<SheetReader>,
    pub(crate) printers: BTreeMap<String, Arc<dyn Printer>>,
    /// The printer of queue tickets, where there is one.
    pub(crate) tickets: Option<Arc<TicketDevice>>,
    /// How those were seen last.
    pub(crate) sights: Sights,
    /// What was answered to people who had documents checked.
    pub(crate) judged: Arc<JudgedTally>,
    /// Shut until the journal is known to be sound.
    gate: Gate,
    /// Where the journal lies, if its last user did not close it: to be checked while the rest goes on.
    unchecked: Option<PathBuf>,
}

impl Ground {
    /// Lays it over an open journal; `inspector` reads what people bring.
    pub(crate) async fn lay(
        config: &Config,
        store: &Store,
        inspector: Inspector,
    ) -> Result<Self, RunError> {
        let gate = Gate::default();
        if store.was_clean {
            gate.open();
        }
        let kept = store.journal.meta(META_CLOCK).await;
        let kept = kept.map_err(RunError::Journal)?;
        let clock = Clock::restore(kept.as_deref());
        if kept.is_some() {
            // Only what central said in this journal's life is a time.
            let now = certain(clock.now());
            if let Err(error) = remove_old_asides(&store.path, &store.journal, now).await {
                tracing::warn!(error = %chain(&error), "journals set aside are not looked at; again at the next start");
            }
        }
        let spool = Spool::open(&config.state_dir.join("spool"), config.spool_quota_bytes)
            .map_err(RunError::Spool)?;
        let sealing = identity_dir(config)?
            .sealing_key()
            .map_err(RunError::Identity)?;
        let folder = TrustFolder::open(config.trust_dir.clone()).map_err(RunError::Trust)?;
        // One that is not enrolled, or not to be used, is told where the link is set up.
        let central = central_key(&config.state_dir);
        let trust = TrustStore::open(folder, config.trust.source, &config.state_dir, central);
        if trust.current().is_empty() {
            tracing::warn!(dir = %config.trust_dir.display(), "no trust anchor: no document will be valid");
        }
        let policy = policy_of(config).map_err(RunError::Policy)?;
        let documents = Documents::new(spool, sealing, trust, policy);
        let sheets = Arc::new(SheetReader::new(inspector));
        let records = identity_dir(config)?
            .is_installed()
            .then(|| {
                let (machine, sheets) = (config.machine.clone(), Arc::clone(&sheets));
                Records::open(&config.state_dir, machine, clock.clone(), sheets)
            })
            .transpose()
            .map_err(RunError::Spool)?;
        let profiles = Arc::new(load(config.devices_dir.as_deref()).map_err(RunError::Profiles)?);
        let printers = behind_gate(config, &gate, &profiles)?;
        let tickets = TicketDevice::of(config, &profiles).map_err(RunError::TicketPrinter)?;
        Ok(Self {
            clock,
            journal: store.journal.clone(),
            epoch: store.epoch,
            reserve: store.reserve.clone(),
            documents,
            records,
            sheets,
            printers,
            tickets,
            sights: Sights::default(),
            judged: Arc::default(),
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
