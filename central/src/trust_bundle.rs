//! Makes the trust bundle of the folder that central judges by, and keeps the newest for machines.
//!
//! ```text
//! folder changed, or a week passed ──> store draws a serial (committed) ──> sealed ──> dispatcher tells machines
//! ```
//!
//! The store remembers serial, moment and what was in it; the bytes are made anew at each start, the same as before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
}

impl Default for TrustDesk {
    fn default() -> Self {
        Self {
            newest: watch::Sender::new(None),
            seen: AtomicU64::new(0),
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
            }
            Ok(Err(error)) => {
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
