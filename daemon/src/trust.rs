//! What documents are judged by: the trust folder, and beside it the newest bundle that central signed; orders, pages and
//! the command line alike.
//!
//! ```text
//! fetched ─ prepare: checked, written beside, flushed ─ replace: renamed, folder flushed ─ judged by
//! ```
//!
//! A crash at any step leaves the bundle before or the new one, each whole. What central sends replaces nothing before
//! every part of it was read (docs/adr/0037). Everything here blocks on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loket_domain::core::Now;
use loket_trust_folder::{TrustFolder, parse_hosts};
use loket_verify::{Trust, TrustError};
use loket_wire::sign::VerifyingKey;
use loket_wire::trust::{MAX_TRUST_BUNDLE_BYTES, TrustBundleError};
use loket_wire::{HostRules, Sha256Digest, Timestamp, TrustBundle, TrustNotice};
use thiserror::Error;
use tokio::sync::watch;

use crate::config::TrustSource;
use crate::telemetry::chain;

/// The newest bundle, in the state folder.
const FILE: &str = "trust.bundle";

/// One that is about to replace it.
const PART: &str = "trust.bundle.part";

/// A bundle made later than this after the present moment was made by a clock that was wrong: taken, it would hide from
/// people how old it is.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 3_600);

/// The code of a bundle that is older than the one held: a rollback, or an announcement that a broker kept.
pub const OLD_TRUST: &str = "M-108";

/// Why a bundle was not taken. The one before stays.
#[derive(Debug, Error)]
pub enum Refused {
    /// The bytes are not those that central announced.
    #[error("take a trust bundle: it is not the one that central announced")]
    Other,
    /// It does not open.
    #[error("take a trust bundle")]
    Envelope(#[source] TrustBundleError),
    /// It is older than the one that is held.
    #[error("take trust bundle {offered}: {held} is held, which is newer")]
    RolledBack {
        /// The serial that is held.
        held: u64,
        /// The serial met.
        offered: u64,
    },
    /// It was made in the future.
    #[error("take a trust bundle: it was made at {made_at}, far ahead of this machine's clock")]
    Ahead {
        /// When it was made.
        made_at: Timestamp,
    },
    /// Something in it cannot be read, or there is too much of it.
    #[error("take a trust bundle")]
    Content(#[source] TrustError),
    /// It cannot be written.
    #[error("keep a trust bundle")]
    Disk(#[source] io::Error),
}

impl Refused {
    /// The stable code under which central hears of it; none where trying again may help.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::RolledBack { .. } => Some(OLD_TRUST),
            Self::Other | Self::Envelope(_) | Self::Ahead { .. } | Self::Content(_) => {
                Some("M-109")
            }
            Self::Disk(_) => None,
        }
    }
}

/// Which bundle it is, and until when what it brings can be judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its serial.
    pub serial: u64,
    /// When central made it.
    pub made_at: Timestamp,
    /// When the first of the newest revocation lists ends, the folder's with them.
    pub ends_at: Option<Timestamp>,
}

/// A bundle that is checked and on disk, and does not count yet.
#[derive(Debug)]
pub struct Prepared {
    kept: Kept,
    standing: Standing,
}

/// The folder as it was read, and the bundle joined with it.
#[derive(Debug, Clone)]
struct Joined {
    folder: Arc<Trust>,
    both: Arc<Trust>,
}

#[derive(Debug, Default)]
struct Kept {
    joined: Option<Joined>,
    standing: Option<Standing>,
    hosts: Option<HostRules>,
    /// Why the bundle on disk counts for nothing.
    fault: Option<String>,
}

/// Where bundles are kept, and whose they must be.
#[derive(Debug)]
struct Bundles {
    dir: PathBuf,
    key: VerifyingKey,
    takes_anchors: bool,
    kept: Mutex<Kept>,
    serial: watch::Sender<u64>,
}

/// What documents are judged by.
#[derive(Debug)]
pub struct TrustStore {
    folder: TrustFolder,
    bundles: Option<Bundles>,
}

impl TrustStore {
    /// The folder alone.
    #[must_use]
    pub fn of_folder(folder: TrustFolder) -> Arc<Self> {
        Arc::new(Self {
            folder,
            bundles: None,
        })
    }

    /// The folder, and what `source` says beside it; `central` signs bundles, and none is taken before it is known.
    #[must_use]
    pub fn open(
        folder: TrustFolder,
        source: TrustSource,
        dir: &Path,
        central: Option<VerifyingKey>,
    ) -> Arc<Self> {
        let takes_anchors = match source {
            TrustSource::Folder => return Self::of_folder(folder),
            TrustSource::Bundle => false,
            TrustSource::BundleWithAnchors => true,
        };
        let bundles = central.map(|key| Bundles {
            dir: dir.to_owned(),
            key,
            takes_anchors,
            kept: Mutex::default(),
            serial: watch::Sender::new(0),
        });
        let store = Self { folder, bundles };
        drop(store.current());
        Arc::new(store)
    }

    /// What to judge by, as it stands. Blocks.
    #[must_use]
    pub fn current(&self) -> Arc<Trust> {
        let folder = self.folder.current();
        let Some(bundles) = &self.bundles else {
            return folder;
        };
        let mut kept = bundles.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(joined) = kept
            .joined
            .as_ref()
            .filter(|it| Arc::ptr_eq(&it.folder, &folder))
        {
            return Arc::clone(&joined.both);
        }
        *kept = match bundles.read(&folder) {
            Ok(read) => read.unwrap_or_default(),
            // A bundle that does not open any more counts for nothing; central sends the newest again.
            Err(error) => {
                let fault = chain(&error);
                tracing::error!(error = %fault, "trust bundle not usable; judging by the trust folder alone");
                Kept {
                    fault: Some(fault),
                    ..Kept::default()
                }
            }
        };
        let joined = kept.joined.get_or_insert_with(|| Joined {
            both: Arc::clone(&folder),
            folder,
        });
        let both = Arc::clone(&joined.both);
        bundles.tell(kept.standing);
        both
    }

    /// Why the trust folder as it stands does not count, and what was last good does; none while it counts. Blocks.
    #[must_use]
    pub fn folder_fault(&self) -> Option<String> {
        self.folder.fault()
    }

    /// Why the bundle on disk does not count, where one lies there and does not.
    #[must_use]
    pub fn bundle_fault(&self) -> Option<String> {
        let kept = self.bundles.as_ref()?.kept.lock();
        let kept = kept.unwrap_or_else(PoisonError::into_inner);
        kept.fault.clone()
    }

    /// Which hosts are official at a moment: of the rules that came with this program, those of the folder and those of
    /// the bundle the ones that began last. Blocks.
    #[must_use]
    pub fn hosts(&self, at: Timestamp) -> Option<HostRules> {
        let of_bundle = self.bundles.as_ref().and_then(|bundles| {
            let kept = bundles.kept.lock();
            kept.unwrap_or_else(PoisonError::into_inner).hosts.clone()
        });
        let lists = [hosts_of_release(), self.folder.hosts(), of_bundle];
        let lists: Vec<&HostRules> = lists.iter().flatten().collect();
        HostRules::in_force(&lists, at).cloned()
    }

    /// Whether bundles are taken here.
    #[must_use]
    pub const fn takes_bundles(&self) -> bool {
        self.bundles.is_some()
    }

    /// The bundle that counts, if one does.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        let kept = self.bundles.as_ref()?.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner).standing
    }

    /// The serial of the bundle that counts; 0 for none, absent where none is taken.
    #[must_use]
    pub fn serial(&self) -> Option<u64> {
        let standing = self.standing().map_or(0, |standing| standing.serial);
        self.takes_bundles().then_some(standing)
    }

    /// Follows the serial; nothing where no bundle is taken.
    #[must_use]
    pub fn follow(&self) -> Option<watch::Receiver<u64>> {
        Some(self.bundles.as_ref()?.serial.subscribe())
    }

    /// Checks what was fetched for `notice` and writes it beside the bundle that counts; nothing where no bundle is
    /// taken. Blocks.
    ///
    /// # Errors
    /// [`Refused`]; the bundle before stays.
    pub fn prepare(
        &self,
        notice: &TrustNotice,
        bytes: &[u8],
        now: Now,
    ) -> Result<Option<Prepared>, Refused> {
        let Some(bundles) = &self.bundles else {
            return Ok(None);
        };
        if Sha256Digest::of(bytes) != notice.bundle.sha256 {
            return Err(Refused::Other);
        }
        let bundle = TrustBundle::open(bytes, &bundles.key).map_err(Refused::Envelope)?;
        if bundle.serial != notice.serial {
            return Err(Refused::Other);
        }
        let held = self.standing().map_or(0, |standing| standing.serial);
        if bundle.serial < held {
            return Err(Refused::RolledBack {
                held,
                offered: bundle.serial,
            });
        }
        if now.trusted && bundle.made_at > now.wall.saturating_add(AHEAD_MAX) {
            return Err(Refused::Ahead {
                made_at: bundle.made_at,
            });
        }
        let folder = self.folder.current();
        let (kept, standing) = bundles.join(&folder, bundle).map_err(Refused::Content)?;
        bundles.write_part(bytes).map_err(Refused::Disk)?;
        Ok(Some(Prepared { kept, standing }))
    }

    /// Lets what was prepared count from here on. Blocks.
    ///
    /// # Errors
    /// [`Refused::Disk`]; the bundle before counts, unless only the folder could not be flushed.
    pub fn replace(&self, prepared: Prepared) -> Result<(), Refused> {
        let Some(bundles) = &self.bundles else {
            return Ok(());
        };
        bundles.rename().map_err(Refused::Disk)?;
        *bundles.kept.lock().unwrap_or_else(PoisonError::into_inner) = prepared.kept;
        bundles.tell(Some(prepared.standing));
        Ok(())
    }
}

impl Bundles {
    /// Says which bundle counts, where that is another one.
    fn tell(&self, standing: Option<Standing>) {
        let serial = standing.map_or(0, |standing| standing.serial);
        self.serial
            .send_if_modified(|known| std::mem::replace(known, serial) != serial);
    }

    /// The bundle on disk, joined with the folder; none where there is none yet.
    fn read(&self, folder: &Arc<Trust>) -> Result<Option<Kept>, Refused> {
        let limit = u64::try_from(MAX_TRUST_BUNDLE_BYTES).unwrap_or(u64::MAX);
        let file = match File::open(self.dir.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Refused::Disk(error)),
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(Refused::Disk)?;
        let bundle = TrustBundle::open(&bytes, &self.key).map_err(Refused::Envelope)?;
        let joined = self.join(folder, bundle).map_err(Refused::Content)?;
        Ok(Some(joined.0))
    }

    /// Reads every certificate and list of the bundle and puts them beside those of the folder.
    fn join(
        &self,
        folder: &Arc<Trust>,
        bundle: TrustBundle,
    ) -> Result<(Kept, Standing), TrustError> {
        let theirs = Trust::from_files(bundle.items.iter().map(Vec::as_slice))?;
        let both = Trust::clone(folder).joined(theirs, self.takes_anchors)?;
        let standing = Standing {
            serial: bundle.serial,
            made_at: bundle.made_at,
            ends_at: both.lists_end_at(),
        };
        let kept = Kept {
            joined: Some(Joined {
                folder: Arc::clone(folder),
                both: Arc::new(both.dated(bundle.made_at)),
            }),
            standing: Some(standing),
            hosts: bundle.hosts,
            fault: None,
        };
        Ok((kept, standing))
    }

    fn write_part(&self, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.dir.join(PART))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self) -> io::Result<()> {
        fs::rename(self.dir.join(PART), self.dir.join(FILE))?;
        File::open(&self.dir)?.sync_all()
    }
}

/// Where honest codes lead, as it was published when this program was made.
const HOSTS_OF_RELEASE: &str = include_str!("../../crates/qr/hosts.toml");

/// None is a bug, which a test would find first.
fn hosts_of_release() -> Option<HostRules> {
    let rules = parse_hosts(HOSTS_OF_RELEASE.as_bytes());
    rules
        .inspect_err(|error| tracing::error!(%error, "official hosts of this release not usable"))
        .ok()
}

/// Waits until another trust bundle counts; for ever where none is taken.
///
/// # Errors
/// Where the store is gone.
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn changed(
    trust: &mut Option<watch::Receiver<u64>>,
) -> Result<(), watch::error::RecvError> {
    match trust {
        Some(trust) => trust.changed().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
