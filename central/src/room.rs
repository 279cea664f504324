//! Room for new jobs: in the store's file, and on the disk that holds it with the sealed documents.
//!
//! Where it is short, new documents are refused and nothing else: what is left is for reports on what was taken.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use loket_store::{Fullness, StoreSize};

/// Somebody is told when less than so many times the reserve is free: days before documents are refused.
const WARN_TIMES: u64 = 4;

/// What is short, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shortage {
    /// The store takes no new job.
    Store,
    /// The disk takes no new document.
    Disk,
    /// Four fifths of the store are used.
    StoreSoon,
    /// The disk has a few times its reserve left.
    DiskSoon,
}

impl Shortage {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::Store, Self::Disk, Self::StoreSoon, Self::DiskSoon];

    /// Its stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Store => "StoreFull",
            Self::Disk => "DiskFull",
            Self::StoreSoon => "StoreNearlyFull",
            Self::DiskSoon => "DiskNearlyFull",
        }
    }

    /// What happened, what to do, whom to ask.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Store => {
                "Basis data pusat penuh, sehingga dokumen baru tidak diterima. Naikkan batas [store] max_mib, lalu mulai ulang. Bila ragu, hubungi pengembang Loket."
            }
            Self::Disk => {
                "Disk pusat hampir habis, sehingga dokumen baru tidak diterima. Kosongkan atau tambah ruang disk. Bila ragu, hubungi pengembang Loket."
            }
            Self::StoreSoon => {
                "Basis data pusat terisi lebih dari empat perlima. Rencanakan batas [store] max_mib yang lebih besar. Bila ragu, hubungi pengembang Loket."
            }
            Self::DiskSoon => {
                "Ruang disk pusat tinggal sedikit. Kosongkan atau tambah sebelum dokumen baru ditolak. Bila ragu, hubungi pengembang Loket."
            }
        }
    }

    /// Whether new documents are refused for it.
    pub(crate) const fn refuses(self) -> bool {
        match self {
            Self::Store | Self::Disk => true,
            Self::StoreSoon | Self::DiskSoon => false,
        }
    }
}

/// Free bytes of the disk, where the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) free_bytes: Option<u64>,
    reserve_bytes: u64,
}

impl Disk {
    /// Whether it takes no new document. A disk that does not say is not refused for it.
    pub(crate) fn is_full(self) -> bool {
        self.free_bytes
            .is_some_and(|free| free < self.reserve_bytes)
    }

    fn is_low(self) -> bool {
        let low = self.reserve_bytes.saturating_mul(WARN_TIMES);
        self.free_bytes.is_some_and(|free| free < low)
    }
}

/// Watches the room in one state folder.
#[derive(Debug)]
pub(crate) struct Room {
    state_dir: PathBuf,
    reserve_bytes: u64,
    /// What was said to be short last, so that each change is logged once.
    said: Mutex<Vec<Shortage>>,
}

impl Room {
    pub(crate) fn new(state_dir: &Path, reserve_bytes: u64) -> Self {
        Self {
            state_dir: state_dir.to_path_buf(),
            reserve_bytes,
            said: Mutex::default(),
        }
    }

    /// How the disk stands; blocks.
    pub(crate) fn disk(&self) -> Disk {
        let free_bytes = match rustix::fs::statvfs(&self.state_dir) {
            Ok(stat) => Some(stat.f_bavail.saturating_mul(stat.f_frsize)),
            Err(error) => {
                tracing::debug!(%error, "the disk does not say what is free");
                None
            }
        };
        Disk {
            free_bytes,
            reserve_bytes: self.reserve_bytes,
        }
    }

    /// Logs what became short, or is so no more.
    pub(crate) fn tell(&self, short: Vec<Shortage>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for shortage in short.iter().filter(|shortage| !said.contains(shortage)) {
            let code = shortage.code();
            if shortage.refuses() {
                tracing::error!(code, "new documents are refused: {}", shortage.message());
            } else {
                tracing::warn!(code, "room is short: {}", shortage.message());
            }
        }
        for shortage in said.iter().filter(|shortage| !short.contains(shortage)) {
            tracing::info!(code = shortage.code(), "room is there again");
        }
        *said = short;
    }
}

/// What is short, worst first; of store and disk each the worse alone.
pub(crate) fn shortages(size: &StoreSize, disk: Disk) -> Vec<Shortage> {
    let store = match size.fullness() {
        Fullness::Fine => None,
        Fullness::Low => Some(Shortage::StoreSoon),
        Fullness::Reserved => Some(Shortage::Store),
    };
    let of_disk = if disk.is_full() {
        Some(Shortage::Disk)
    } else {
        disk.is_low().then_some(Shortage::DiskSoon)
    };
    let mut short: Vec<_> = store.into_iter().chain(of_disk).collect();
    short.sort_unstable();
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn size(used_bytes: u64) -> StoreSize {
        StoreSize {
            used_bytes,
            free_bytes: 0,
            log_bytes: 0,
            limit_bytes: 800 * MIB,
        }
    }

    fn disk(free_bytes: Option<u64>) -> Disk {
        Disk {
            free_bytes,
            reserve_bytes: 512 * MIB,
        }
    }

    #[test]
    fn what_is_short_is_named_worst_first() {
        let short = |used, free| shortages(&size(used), disk(free));
        assert_eq!(short(0, Some(u64::MAX)), []);
        assert_eq!(short(0, None), [], "a disk that does not say");
        assert_eq!(short(0, Some(2_047 * MIB)), [Shortage::DiskSoon]);
        assert_eq!(
            short(600 * MIB, Some(511 * MIB)),
            [Shortage::Disk, Shortage::StoreSoon]
        );
        assert_eq!(
            short(700 * MIB, Some(512 * MIB)),
            [Shortage::Store, Shortage::DiskSoon]
        );
    }

    #[test]
    fn every_shortage_says_what_happened_what_to_do_and_whom_to_ask() {
        for shortage in shortages(&size(u64::MAX), disk(Some(0)))
            .into_iter()
            .chain(shortages(&size(600 * MIB), disk(Some(600 * MIB))))
        {
            assert_eq!(shortage.message().matches(". ").count(), 2, "{shortage:?}");
        }
    }

    #[test]
    fn a_real_disk_says_what_is_free() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Room::new(folder.path(), 0).disk().free_bytes.is_some());
        let nowhere = folder.path().join("nowhere");
        assert_eq!(Room::new(&nowhere, 1).disk().free_bytes, None);
    }
}
