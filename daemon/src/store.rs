//! The state folder: held by one process, with the journal in it and those that were set aside.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loket_journal::{Batch, Journal, JournalError, set_aside};
use loket_wire::{Epoch, Timestamp};
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::config::Config;
use crate::identity::OsRandom;
use crate::reserve::Reserve;
use crate::supervisor::{DISK_FULL, RunError};
use crate::telemetry::chain;

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
    /// Whether its last user closed the journal.
    pub(crate) was_clean: bool,
    /// Where the journal lies.
    pub(crate) path: PathBuf,
    // Held until the process ends: two daemons on one state folder would print twice.
    _lock: File,
}

impl Store {
    /// Takes the folder and opens its journal.
    ///
    /// # Errors
    /// [`RunError::JournalBroken`] for a journal that cannot even be opened: it is set aside by then.
    /// [`RunError::Locked`] where another process has the folder.
    ///
    /// # Cancel safety
    /// Dropping the future gives the folder back.
    pub(crate) async fn open(config: &Config) -> Result<Self, RunError> {
        let lock = lock_patiently(&config.state_dir).await?;
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

/// A daemon that was killed while it started a program may have left a child that holds the folder until that program runs.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Between two tries.
const LOCK_AGAIN: Duration = Duration::from_millis(20);

/// As [`lock`], for as long as a dead daemon may still have the folder.
async fn lock_patiently(dir: &Path) -> Result<File, RunError> {
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match lock(dir) {
            Err(RunError::Locked(_)) if Instant::now() < until => sleep(LOCK_AGAIN).await,
            tried => return tried,
        }
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
pub(crate) fn hold_reserve(reserve: &Reserve) {
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
pub(crate) async fn remove_old_asides(
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

/// Where the journal lies.
fn journal_path(state_dir: &Path) -> PathBuf {
    state_dir.join("journal.db")
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep_until;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_a_dead_daemon_still_has_is_waited_for_and_one_that_is_in_use_is_not_taken()
     {
        let dir = tempfile::tempdir().unwrap();
        let held = lock(dir.path()).unwrap();
        let kept = lock_patiently(dir.path()).await;
        assert!(matches!(kept, Err(RunError::Locked(_))));
        let freed = async {
            sleep_until(Instant::now() + LOCK_PATIENCE / 2).await;
            drop(held);
        };
        let (taken, ()) = tokio::join!(lock_patiently(dir.path()), freed);
        assert!(taken.is_ok(), "it was given back in time");
    }

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
