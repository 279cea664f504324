//! Makes the trust bundle of the folder that central judges by, and keeps the newest for machines.
//!
//! ```text
//! folder changed, or a week passed ──> store draws a serial (committed) ──> sealed ──> dispatcher tells machines
//! ```
//!
//! The store remembers serial, moment and what was in it; the bytes are made anew at each start, the same as before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use loket_store::StoreError;
use loket_trust_folder::TrustFolderError;
use loket_verify::Trust;
use loket_wire::trust::TrustBundleError;
use loket_wire::{Blob, Sha256Digest, Timestamp, TrustBundle};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::office::Office;

/// The folder is looked at this often: some names, sizes and times.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// An unchanged folder is said anew after this long: the date of a bundle tells machines that central still stands by it.
const RENEW_AFTER: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How far ahead of central's clock a serial that a machine names may be to be taken for one of central's own, from
/// before its store came back from a backup.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 3_600);

/// The newest bundle.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) serial: u64,
    pub(crate) made_at: Timestamp,
    pub(crate) blob: Blob,
    pub(crate) bytes: Bytes,
}

/// The newest bundle, and what machines made known of later ones.
#[derive(Debug)]
pub(crate) struct TrustDesk {
    newest: watch::Sender<Option<Arc<Published>>>,
    seen: AtomicU64,
    fault: Mutex<Option<TrustFault>>,
}

/// Why machines get no newer bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrustFault {
    pub(crate) what: TrustTrouble,
    /// Since when, by this process.
    pub(crate) since: Timestamp,
}

/// What keeps central from making a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrustTrouble {
    /// A file of the folder is broken or cannot be read.
    Folder,
    /// The folder is good; numbering or sealing failed.
    Bundle,
}

impl TrustTrouble {
    /// Both.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 2] = [Self::Folder, Self::Bundle];

    /// Its stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Folder => "TrustFolderBroken",
            Self::Bundle => "TrustBundleNotMade",
        }
    }

    /// What happened, what to do, whom to ask.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Folder => {
                "Map kepercayaan pusat memuat berkas yang rusak atau tidak terbaca, jadi isi terakhir yang baik tetap dipakai dan mesin tidak mendapat yang baru. Perbaiki atau keluarkan berkas yang disebut di log pusat. Bila ragu, hubungi penerbit sertifikatnya."
            }
            Self::Bundle => {
                "Paket kepercayaan baru tidak dapat dibuat, jadi mesin tetap memakai yang lama. Periksa log dan ruang disk pusat. Bila ragu, hubungi pengembang Loket."
            }
        }
    }
}

impl Default for TrustDesk {
    fn default() -> Self {
        Self {
            newest: watch::Sender::new(None),
            seen: AtomicU64::new(0),
            fault: Mutex::new(None),
        }
    }
}

/// Why no bundle could be made. The one before stays.
#[derive(Debug, Error)]
enum MakeError {
    #[error("read what to trust")]
    Folder(#[source] TrustFolderError),
    #[error("number a trust bundle")]
    Store(#[source] StoreError),
    #[error("seal a trust bundle")]
    Seal(#[source] TrustBundleError),
}

impl TrustDesk {
    pub(crate) fn newest(&self) -> Option<Arc<Published>> {
        self.newest.borrow().clone()
    }

    pub(crate) fn follow(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.newest.subscribe()
    }

    /// Why machines get no newer bundle, where they get none.
    pub(crate) fn fault(&self) -> Option<TrustFault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was found; the same trouble goes on since it began.
    fn found(&self, what: Option<TrustTrouble>, now: Timestamp) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.map(|fault| fault.what) != what {
            *fault = what.map(|what| TrustFault { what, since: now });
        }
    }

    /// Notes the serial that a machine holds. One that central never gave, as far as it knows, shows that its store is
    /// an older copy; one far ahead shows nothing.
    pub(crate) fn heard(&self, serial: u64, now: Timestamp) {
        let bound = u64::try_from(now.saturating_add(AHEAD_MAX).unix_ms()).unwrap_or(0);
        if serial <= bound {
            self.seen.fetch_max(serial, Ordering::Relaxed);
        }
    }
}

/// Runs until `stop`.
pub(crate) async fn run(office: Arc<Office>, stop: CancellationToken) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut made_of: Option<Arc<Trust>> = None;
    let mut is_failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = ticks.tick() => {}
        }
        let before = made_of.clone();
        let looked = office.blocking(move |office| look(office, before.as_ref()));
        match looked.await {
            Ok(Ok(made)) => {
                is_failing = false;
                made_of = Some(made);
                // The folder is read for it, or what was last good of it.
                let broken = office.trust.fault().map(|_told| TrustTrouble::Folder);
                office.trust_desk.found(broken, now());
            }
            Ok(Err(error)) => {
                let what = match error {
                    MakeError::Folder(_) => TrustTrouble::Folder,
                    MakeError::Store(_) | MakeError::Seal(_) => TrustTrouble::Bundle,
                };
                office.trust_desk.found(Some(what), now());
                // Tried every two seconds: told once.
                if !is_failing {
                    tracing::error!(error = %crate::chain(&error), "no trust bundle made; machines keep the one before");
                }
                is_failing = true;
            }
            // Logged where it failed.
            Err(_ended) => {}
        }
    }
}

/// Makes a bundle where one is due; gives what the newest one is made of.
fn look(office: &Office, made_of: Option<&Arc<Trust>>) -> Result<Arc<Trust>, MakeError> {
    let trust = office.trust.current();
    let desk = &office.trust_desk;
    let seen = desk.seen.load(Ordering::Relaxed);
    let is_same = made_of.is_some_and(|before| Arc::ptr_eq(before, &trust));
    let stands = |newest: &Published| {
        newest.serial >= seen && now() < newest.made_at.saturating_add(RENEW_AFTER)
    };
    if is_same && desk.newest.borrow().as_deref().is_some_and(stands) {
        return Ok(trust);
    }
    let published = make(office, seen)?;
    let is_new = desk
        .newest()
        .is_none_or(|known| known.serial != published.serial);
    if is_new {
        tracing::info!(
            trust.serial = published.serial,
            size_bytes = published.blob.size_bytes,
            "trust bundle published"
        );
        desk.newest.send_replace(Some(Arc::new(published)));
    }
    Ok(trust)
}

fn make(office: &Office, seen: u64) -> Result<Published, MakeError> {
    let (items, hosts) = office.trust.files().map_err(MakeError::Folder)?;
    let mut bundle = TrustBundle {
        serial: 0,
        made_at: now(),
        policy: None,
        hosts,
        items,
    };
    let content = bundle.content_sha256();
    let known = office.store.trust_bundle().map_err(MakeError::Store)?;
    let still = known.filter(|row| {
        row.content_sha256 == content
            && row.serial >= seen
            && bundle.made_at < row.made_at.saturating_add(RENEW_AFTER)
    });
    // What cannot be sealed is not numbered: nobody will ever see it.
    bundle
        .seal(&office.identity.signing)
        .map_err(MakeError::Seal)?;
    let row = match still {
        Some(row) => row,
        None => office
            .store
            .begin_trust_bundle(content, seen, bundle.made_at)
            .map_err(MakeError::Store)?,
    };
    (bundle.serial, bundle.made_at) = (row.serial, row.made_at);
    let bytes = bundle
        .seal(&office.identity.signing)
        .map_err(MakeError::Seal)?;
    Ok(Published {
        serial: row.serial,
        made_at: row.made_at,
        blob: Blob {
            sha256: Sha256Digest::of(&bytes),
            size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        },
        bytes: Bytes::from(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_that_goes_on_is_told_since_it_began() {
        let (desk, at) = (TrustDesk::default(), Timestamp::from_unix_ms);
        assert_eq!(desk.fault(), None);
        let found = |what, ms| {
            desk.found(what, at(ms));
            desk.fault().map(|fault| (fault.what, fault.since))
        };
        let folder = TrustTrouble::Folder;
        assert_eq!(found(Some(folder), 1), Some((folder, at(1))));
        assert_eq!(found(Some(folder), 2), Some((folder, at(1))));
        let bundle = TrustTrouble::Bundle;
        assert_eq!(found(Some(bundle), 3), Some((bundle, at(3))));
        assert_eq!(found(None, 4), None);
        assert_eq!(found(Some(folder), 5), Some((folder, at(5))));
    }
}
