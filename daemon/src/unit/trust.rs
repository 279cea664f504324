//! The trust unit: fetches the bundle that central announced, and lets it count once it is checked.
//!
//! One announcement is followed at a time, the newest: another takes its place. A line that breaks is tried again and
//! goes on where it broke; what was fetched and cannot be taken is told to central and not asked for again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use loket_link::{FetchError, FetchTarget, SinkError, fetch_from};
use loket_wire::event::QuarantineReport;
use loket_wire::{Report, Sha256Digest, TrustNotice};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::blocking::blocking;
use crate::clock::Clock;
use crate::identity::OsRandom;
use crate::stops::{Hold, hold};
use crate::telemetry::chain;
use crate::trust::{Refused, TrustStore};
use crate::unit::print::DeskHandle;
use loket_wire::trust::MAX_TRUST_BUNDLE_BYTES;

/// The first pause after a fetch that broke; it doubles.
const PAUSE_MIN: Duration = Duration::from_secs(2);

/// The longest one: a line that is down for long comes back with a new connection, which says the newest bundle again.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// What the trust unit works with.
#[derive(Debug)]
pub struct TrustUnit {
    /// Where bundles are kept.
    pub store: Arc<TrustStore>,
    /// The newest announcement.
    pub notices: watch::Receiver<Option<TrustNotice>>,
    /// Where bundles are fetched.
    pub source: FetchTarget,
    /// Tells time.
    pub clock: Clock,
    /// Takes reports of what was refused.
    pub desk: DeskHandle,
}

/// What was fetched so far of one bundle.
#[derive(Debug, Default)]
struct Part {
    of: Option<Sha256Digest>,
    bytes: Vec<u8>,
}

/// What came of a try.
enum Tried {
    /// It counts, or never will: nothing more is to be done for this announcement.
    Done,
    /// The line or the disk may be better later.
    Later,
}

impl TrustUnit {
    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut part = Part::default();
        loop {
            let notice = self.notices.borrow_and_update().clone();
            let notice = notice.filter(|notice| Some(notice.serial) > self.store.serial());
            let mut notices = self.notices.clone();
            tokio::select! {
                () = stop.cancelled() => return,
                changed = notices.changed() => if changed.is_err() {
                    return;
                },
                () = self.follow(notice, &mut part) => {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        changed = notices.changed() => if changed.is_err() {
                            return;
                        },
                    }
                }
            }
        }
    }

    /// Brings the announced bundle, however often the line breaks.
    async fn follow(&self, notice: Option<TrustNotice>, part: &mut Part) {
        let Some(notice) = notice else {
            return std::future::pending().await;
        };
        let mut pause = PAUSE_MIN;
        while matches!(self.bring(&notice, part).await, Tried::Later) {
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        *part = Part::default();
    }

    async fn bring(&self, notice: &TrustNotice, part: &mut Part) -> Tried {
        if part.of != Some(notice.bundle.sha256) {
            *part = Part {
                of: Some(notice.bundle.sha256),
                bytes: Vec::new(),
            };
        }
        let limit = u64::try_from(MAX_TRUST_BUNDLE_BYTES).unwrap_or(u64::MAX);
        if notice.bundle.size_bytes > limit {
            return self.refused(notice, &Refused::Other).await;
        }
        match self.fetch(notice, &mut part.bytes).await {
            Ok(()) => {}
            // Central made another one since, which it says at the next sync.
            Err(FetchError::NotFound | FetchError::Gone) => return Tried::Done,
            Err(FetchError::TooLarge { .. } | FetchError::Shrunk { .. }) => {
                return self.refused(notice, &Refused::Other).await;
            }
            Err(error) => {
                tracing::debug!(error = %chain(&error), "trust bundle not yet fetched");
                return Tried::Later;
            }
        }
        let bytes = std::mem::take(&mut part.bytes);
        part.of = None;
        match self.take(notice, bytes).await {
            Ok(()) => Tried::Done,
            Err(error) => self.refused(notice, &error).await,
        }
    }

    async fn fetch(&self, notice: &TrustNotice, bytes: &mut Vec<u8>) -> Result<(), FetchError> {
        let path = format!("/machine/v1/trust/{}", notice.serial);
        let have = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut sink = |_offset: u64, chunk: Bytes| -> Result<(), SinkError> {
            bytes.extend_from_slice(&chunk);
            Ok(())
        };
        let limit = notice.bundle.size_bytes;
        fetch_from(&self.source, &path, have, limit, &mut sink)
            .await
            .map(drop)
    }

    async fn take(&self, notice: &TrustNotice, bytes: Vec<u8>) -> Result<(), Refused> {
        let (store, notice, now) = (Arc::clone(&self.store), notice.clone(), self.clock.now());
        let serial = notice.serial;
        let prepared = over(blocking(move || store.prepare(&notice, &bytes, now)).await)?;
        let Some(prepared) = prepared else {
            return Ok(());
        };
        hold(Hold::TrustReplace).await;
        let store = Arc::clone(&self.store);
        over(blocking(move || store.replace(prepared)).await)?;
        tracing::info!(trust.serial = serial, "trust bundle taken");
        Ok(())
    }

    /// Tells of a bundle that was not taken, here and to central.
    async fn refused(&self, notice: &TrustNotice, why: &Refused) -> Tried {
        let Some(code) = why.code() else {
            tracing::warn!(error = %chain(why), "trust bundle not kept; trying again");
            return Tried::Later;
        };
        tracing::error!(code, trust.serial = notice.serial, error = %chain(why), "trust bundle refused; the one before counts");
        let report = Report::Quarantine(QuarantineReport {
            code: code.to_owned(),
            payload_sha256: notice.bundle.sha256,
            size_bytes: notice.bundle.size_bytes,
        });
        if let Err(error) = self.desk.report(report).await {
            tracing::warn!(error = %chain(&error), "refusal of a trust bundle not told");
        }
        Tried::Done
    }
}

/// Work that ended without an answer is tried again, as after a fault of the disk.
fn over<T>(done: Option<Result<T, Refused>>) -> Result<T, Refused> {
    done.unwrap_or_else(|| Err(Refused::Disk(std::io::ErrorKind::Interrupted.into())))
}

/// Drawn evenly up to the pause, and at least a quarter of it: a whole fleet may wait for the same central.
fn jittered(pause: Duration) -> Duration {
    let drawn = u64::from_le_bytes(loket_wire::random::draw(&mut OsRandom::default()));
    let span_ms = u64::try_from((pause * 3 / 4).as_millis()).unwrap_or(u64::MAX);
    let drawn_ms = drawn.checked_rem(span_ms.saturating_add(1)).unwrap_or(0);
    pause / 4 + Duration::from_millis(drawn_ms)
}
