//! What stands before a unit runs: lock, journal, clock, spool, trust, printers.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_journal::{Batch, Integrity, Journal, JournalError, check_integrity_while, set_aside};
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_wire::{Epoch, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, certain};
use crate::config::Config;
use crate::device::{Printer, TicketDevice};
use crate::document::Documents;
use crate::gate::{Gate, behind_gate};
use crate::identity::{IdentityDir, OsRandom, central_key};
use crate::judged::JudgedTally;
use crate::key_seal::KeySeal;
use crate::policy::policy_of;
use crate::profiles::load;
use crate::record::Records;
use crate::reserve::Reserve;
use crate::sheets::SheetReader;
use crate::sights::Sights;
use crate::stops::{Hold, hold};
use crate::supervisor::{DISK_FULL, RunError};
use crate::telemetry::chain;
use crate::trust::TrustStore;
use crate::unit::link::META_CLOCK;
use loket_inspection::Inspector;

/// Counts this program's starts: the session number told in state and sync.
const META_SESSION_SEQ: &str = "session-seq";

/// A time of central's by which the present journal had begun: what was set aside before is older.
const META_ASIDES_SINCE: &str = "asides-since";

/// What stands in the name of a journal that is set aside, behind the journal's own.
const ASIDE: &str = ".broken-";

/// The files that SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Damaged journals kept for whoever looks into the damage: the last, and one to compare it with. Each may be 1 GiB
/// (`loket_journal::MAX_FILE_BYTES`), and a dying disk makes one at each start.
const ASIDES_KEPT: usize = 2;

/// As long as a machine remembers a job at all: it holds references, and nothing is kept without end.
const ASIDES_KEPT_FOR: Duration = Duration::from_secs(90 * 24 * 3_600);

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
    // It is the one that somebody will look into, whatever time stands in the others' names.
    let others = asides(path).into_iter().filter(|other| *other != aside);
    remove(others.skip(ASIDES_KEPT.saturating_sub(1)));
    Ok(())
}

/// Journals that were set aside and lie here still, by the time in their names, the latest first.
fn asides(journal: &Path) -> Vec<PathBuf> {
    let Some((dir, name)) = journal.parent().zip(journal.file_name()) else {
        return Vec::new();
    };
    let begins = format!("{}{ASIDE}", name.to_string_lossy());
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<(i64, PathBuf)> = names
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (stamp, _mark) = name.strip_prefix(&begins)?.split_once('-')?;
            // The files beside a database go with it.
            let is_beside = BESIDE.iter().any(|ending| name.ends_with(ending));
            (!is_beside).then_some((stamp.parse().ok()?, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_at, path)| path).collect()
}

/// Removes journals that were set aside. One that cannot be removed is tried at the next time.
fn remove(asides: impl Iterator<Item = PathBuf>) {
    for aside in asides {
        for ending in [""].iter().chain(&BESIDE) {
            let mut file = aside.clone().into_os_string();
            file.push(ending);
            match std::fs::remove_file(&file) {
                Ok(()) => tracing::info!(file = %file.display(), "a journal set aside is removed"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "a journal set aside is not removed");
                }
            }
        }
    }
}

/// Removes what was set aside long ago. A damaged journal takes its clock along, so the time in a name may be any; but
/// each was set aside before the present journal began, and central's time says how old that is at least.
async fn remove_old_asides(
    path: &Path,
    journal: &Journal,
    now: Timestamp,
) -> Result<(), JournalError> {
    let kept = journal.meta(META_ASIDES_SINCE).await?;
    let since = kept.and_then(|bytes| bytes.try_into().ok());
    let Some(since) = since.map(i64::from_le_bytes) else {
        let since = now.unix_ms().to_le_bytes().to_vec();
        let meta = vec![(META_ASIDES_SINCE.to_owned(), since)];
        let batch = Batch {
            meta,
            ..Batch::default()
        };
        return journal.append(batch).await.map(drop);
    };
    if now >= Timestamp::from_unix_ms(since).saturating_add(ASIDES_KEPT_FOR) {
        remove(asides(path).into_iter());
    }
    Ok(())
}

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

/// Where the journal lies.
fn journal_path(state_dir: &Path) -> PathBuf {
    state_dir.join("journal.db")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_count(dir: &Path) -> usize {
        std::fs::read_dir(dir).unwrap().count()
    }

    /// Sets a journal aside whose files all are there.
    fn break_one(path: &Path) {
        for ending in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(ending);
            File::create(file).unwrap();
        }
        put_aside(path).unwrap();
    }

    #[test]
    fn any_number_of_journals_is_set_aside_within_one_moment_and_the_last_two_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = journal_path(dir.path());
        File::create(dir.path().join("lock")).unwrap();
        // A clock that was wrong once named one of the year 2100.
        let of_late = dir.path().join("journal.db.broken-4102444800000-00000000");
        File::create(&of_late).unwrap();
        for count in 1..=50_usize {
            let before = asides(&path);
            break_one(&path);
            let kept = asides(&path);
            assert_eq!(kept.len(), 2);
            let is_new = |aside: &PathBuf| !before.contains(aside);
            assert_eq!(
                kept.iter().filter(|aside| is_new(aside)).count(),
                1,
                "{count}"
            );
        }
        assert_eq!(file_count(dir.path()), 1 + 1 + 3, "with what lies beside");
    }

    #[tokio::test]
    async fn a_journal_set_aside_goes_once_the_present_one_is_ninety_days_old_for_certain() {
        let dir = tempfile::tempdir().unwrap();
        let path = journal_path(dir.path());
        break_one(&path);
        break_one(&path);
        let journal = Journal::in_memory([7; 16]).unwrap();
        let day = |count| {
            let days = Duration::from_secs(24 * 3_600) * count;
            Timestamp::from_unix_ms(1_793_491_200_000).saturating_add(days)
        };
        // A machine that was off for a year: how old they were before is not known.
        for (at, left) in [(365, 2), (366, 2), (454, 2), (455, 0), (456, 0)] {
            remove_old_asides(&path, &journal, day(at)).await.unwrap();
            assert_eq!(asides(&path).len(), left, "day {at}");
        }
        assert_eq!(file_count(dir.path()), 0);
    }
}
