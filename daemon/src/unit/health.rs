//! The health unit: looks at devices, tells what changed, and beats.
//!
//! Health by exception: a device that changes becomes a report in the outbox; counters ride on a heartbeat.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use loket_journal::Journal;
use loket_link::{LinkHandle, Publication, Qos};
use loket_wire::presence::{Heartbeat, session_seq};
use loket_wire::topic::Channel;
use loket_wire::{DeviceReport, MachineId, Report, frame};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::device::{DeviceFault, Printer};
use crate::document::Documents;
use crate::identity::Identity;
use crate::unit::heartbeat::Beats;
use crate::unit::print::DeskHandle;

/// A look at a printer that takes longer counts as unreachable: the next one is due by then anyway.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Reasons of one device that are told: printers name a handful.
const MAX_REASONS: usize = 16;

/// What the health unit looks at.
pub struct HealthUnit {
    /// This machine.
    pub machine: MachineId,
    /// Printers by lane.
    pub printers: BTreeMap<String, Arc<dyn Printer>>,
    /// Takes device reports and counts jobs.
    pub desk: DeskHandle,
    /// Counts reports not acknowledged.
    pub journal: Journal,
    /// Counts sealed bytes.
    pub documents: Arc<Documents>,
    /// Where free space is looked at.
    pub state_dir: PathBuf,
    /// Tells time and its trust.
    pub clock: Clock,
    /// Between looks at an idle printer.
    pub idle_poll: Duration,
    /// Between heartbeats.
    pub heartbeat: Duration,
    /// The way out; none on a machine that is not enrolled.
    pub link: Option<HealthLink>,
}

/// What a heartbeat needs of the link.
#[derive(Debug)]
pub struct HealthLink {
    /// Publishes it.
    pub handle: LinkHandle,
    /// Signs it.
    pub identity: Arc<Identity>,
    /// The number of this start of the program.
    pub session_seq: u64,
}

impl std::fmt::Debug for HealthUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HealthUnit")
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// What was last told of a device.
type Told = (String, Vec<String>);

impl HealthUnit {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        let mut poll = tokio::time::interval(self.idle_poll);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_owed = false;
        let mut beats = Beats::default();
        let mut beat = tokio::time::interval(self.heartbeat);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _at = poll.tick() => {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = self.look(&mut told) => {}
                    }
                    // The first one falls due before the link is up: it is owed until it leaves.
                    if is_owed {
                        is_owed = !self.beat(&mut beats).await;
                    }
                }
                _at = beat.tick() => is_owed = !self.beat(&mut beats).await,
            }
        }
    }

    async fn look(&self, told: &mut BTreeMap<String, Told>) {
        for (name, printer) in &self.printers {
            let seen = tokio::time::timeout(LOOK_TIMEOUT, printer.status()).await;
            let (state, mut reasons, model) = match seen {
                Ok(Ok(status)) => (status.state.to_owned(), status.reasons, status.model),
                Ok(Err(DeviceFault::Wait(_) | DeviceFault::Unclear(_))) | Err(_) => {
                    ("unreachable".to_owned(), Vec::new(), None)
                }
                Ok(Err(DeviceFault::Refused(_))) => ("refusing".to_owned(), Vec::new(), None),
            };
            reasons.truncate(MAX_REASONS);
            // Idle and processing alternate with every job, which job reports tell already.
            let shown = if state == "processing" {
                "idle".to_owned()
            } else {
                state.clone()
            };
            let now = (shown, reasons.clone());
            if told.get(name) == Some(&now) {
                continue;
            }
            let at = self.clock.now().wall;
            let report = DeviceReport {
                device: name.clone(),
                state,
                reasons,
                model,
                at,
            };
            tracing::info!(device.id = %name, state = %report.state, reasons = ?report.reasons, "device changed");
            if self.desk.report(Report::Device(report)).await.is_ok() {
                told.insert(name.clone(), now);
            }
        }
    }

    /// Sends a heartbeat; false when the link did not take it.
    async fn beat(&self, beats: &mut Beats) -> bool {
        let Some(link) = &self.link else { return true };
        let Some(generation) = link.handle.generation() else {
            return false;
        };
        let now = self.clock.now();
        let jobs = self.desk.jobs().await.map_or(0, |jobs| jobs.len());
        let outbox = self
            .journal
            .outbox_span()
            .await
            .map_or(0, |span| span.count);
        let heartbeat = Heartbeat {
            session_seq: session_seq(link.session_seq, generation),
            at: now.wall,
            clock_trusted: now.trusted,
            clock_offset_ms: self.clock.offset_ms(),
            up_time_s: self.clock.up_time().as_secs(),
            open_job_count: u32::try_from(jobs).unwrap_or(u32::MAX),
            outbox_count: outbox,
            spool_bytes: self
                .documents
                .spool
                .stats()
                .map_or(0, |stats| stats.size_bytes),
            disk_free_bytes: disk_free_bytes(&self.state_dir),
            certificate_days_left: link.identity.days_left(self.clock.tls_now()),
        };
        let topic = Channel::Heartbeat.topic(&self.machine);
        let Ok(body) = beats.body(heartbeat, tokio::time::Instant::now()) else {
            return true;
        };
        let Ok(payload) = frame::seal(&topic, &body, &link.identity.report_key) else {
            return true;
        };
        let publication = Publication {
            topic,
            payload,
            qos: Qos::AtMostOnce,
            retain: false,
            expiry: Some(self.heartbeat * 2),
        };
        let sent = link.handle.publish(publication);
        match &sent {
            Ok(()) => beats.sent(),
            Err(error) => tracing::debug!(%error, "heartbeat not sent yet"),
        }
        sent.is_ok()
    }
}

fn disk_free_bytes(dir: &std::path::Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}
