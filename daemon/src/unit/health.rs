//! The health unit: looks at devices and at the machine, tells what changed, and beats.
//!
//! Health by exception: a device that changes becomes a report in the outbox; a heartbeat leaves when a bound was
//! crossed, when a report found no room, and now and then as a sign of life. What is told and when is decided by
//! `loket_domain::health`; this unit asks devices, clock and disk, and carries its effects out.
//!
//! ```text
//! watch (one a printer) ──look──┐
//! measure ──────────────────────┴──> Health::decide ──> outbox, heartbeat
//! ```

mod beat;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::core::Core as _;
use loket_domain::health::{Command, Effect, Event, Health};
use loket_inspection::Inspector;
use loket_journal::Journal;
use loket_link::LinkHandle;
use loket_wire::{MachineId, Report};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use watch::Watched;
pub(crate) use watch::watched;

use crate::clock::Clock;
use crate::document::Documents;
use crate::identity::Identity;
use crate::judged::JudgedTally;
use crate::record::Records;
use crate::telemetry::chain;
use crate::trust::changed;
use crate::unit::heartbeat::Beats;
use crate::unit::print::{DeskError, DeskHandle};
use watch::Seen;

/// Looks that wait for this unit: one a printer, of which a machine has a handful.
const LOOK_QUEUE: usize = 16;

/// Disk, spool, clock and certificate are measured this often: they change slowly, and a bound that is crossed is
/// told by the next heartbeat, which then leaves at once.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// What the health unit looks at.
#[derive(Debug)]
pub struct HealthUnit {
    /// This machine.
    pub machine: MachineId,
    /// Its printers, and how often each is looked at.
    pub printers: Vec<Watched>,
    /// Takes device reports and counts jobs.
    pub desk: DeskHandle,
    /// Counts reports not acknowledged.
    pub journal: Journal,
    /// Counts sealed bytes.
    pub documents: Arc<Documents>,
    /// Counts records that central cannot open; none on a machine that makes none.
    pub records: Option<Arc<Records>>,
    /// What was answered to people who had documents checked.
    pub judged: Arc<JudgedTally>,
    /// Who reads what people bring.
    pub inspector: Inspector,
    /// Where free space is looked at.
    pub state_dir: PathBuf,
    /// Tells time and its trust.
    pub clock: Clock,
    /// Between heartbeats while nothing happens.
    pub heartbeat: Duration,
    /// A trust bundle older than this is a trouble.
    pub trust_max_age: Duration,
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

impl HealthLink {
    /// True where a heartbeat would be taken: nothing is counted and signed for a link that is down.
    async fn is_up(&self) -> bool {
        self.handle.room().await.is_ok()
    }
}

impl HealthUnit {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let (looks, mut seen) = mpsc::channel(LOOK_QUEUE);
        let mut watchers = JoinSet::new();
        for printer in &self.printers {
            let watch = watch::run(printer.clone(), self.clock.clone(), looks.clone());
            watchers.spawn(watch);
        }
        let mut health = Health::new(self.heartbeat);
        let mut is_measure_due = false;
        let mut beats = Beats::default();
        let mut measure = tokio::time::interval(MEASURE_EVERY);
        measure.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut trust = self.documents.trust().follow();
        while !stop.is_cancelled() {
            let mut look = None;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(seen) = seen.recv() => look = Some(seen),
                _at = measure.tick() => is_measure_due = true,
                Ok(()) = changed(&mut trust) => {
                    self.submit(&mut health, Command::TrustRenewed);
                }
                () = tokio::time::sleep(self.until_beat(&health)) => {}
            }
            let work = async {
                if let Some(look) = look {
                    self.take_look(&mut health, look);
                }
                self.drive(&mut health, &mut is_measure_due, &mut beats)
                    .await;
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = work => {}
            }
        }
        watchers.shutdown().await;
    }

    /// Until the next heartbeat is due. One that is due already waits for the link, which other events look at.
    fn until_beat(&self, health: &Health) -> Duration {
        let now = self.clock.now();
        health
            .wake_at(now)
            .map_or(MEASURE_EVERY, |at| at.since(now.wall))
    }

    /// A look changes what is known, and what is new is logged once.
    fn take_look(&self, health: &mut Health, seen: Seen) {
        let Seen {
            device,
            look,
            fault,
        } = seen;
        for event in self.submit(health, Command::Looked { device, look }) {
            if let Event::Used { device, look, .. } = &event {
                let stock = &look.stock;
                tracing::info!(device.id = %device, ?stock, "what the device has left changed");
            }
            let Event::Changed { device, look, .. } = event else {
                continue;
            };
            let (state, reasons) = (&look.state, &look.reasons);
            match &fault {
                None => {
                    tracing::info!(device.id = %device, %state, ?reasons, "device changed");
                }
                Some(error) => {
                    tracing::warn!(device.id = %device, %state, ?reasons, %error, "printer cannot be used");
                }
            }
        }
    }

    /// Does what the state asks for.
    async fn drive(&self, health: &mut Health, is_measure_due: &mut bool, beats: &mut Beats) {
        self.tell_devices(health).await;
        let link = match &self.link {
            Some(link) if link.is_up().await => link,
            Some(_) | None => return,
        };
        let is_beat = |effect: &Effect| matches!(effect, Effect::Heartbeat { .. });
        let is_beat_due = health.effects(self.clock.now()).iter().any(is_beat);
        if !is_beat_due && !*is_measure_due {
            return;
        }
        let measures = self.measure(link).await;
        *is_measure_due = false;
        for event in self.submit(health, Command::Measured(measures)) {
            if let Event::Crossed { troubles } = event {
                tracing::warn!(?troubles, "bounds that this machine crosses changed");
            }
        }
        for effect in health.effects(self.clock.now()) {
            if let Effect::Heartbeat { troubles, devices } = effect
                && self.beat(link, &measures, &troubles, devices, beats).await
            {
                self.submit(health, Command::Beaten);
            }
        }
    }

    async fn tell_devices(&self, health: &mut Health) {
        for effect in health.effects(self.clock.now()) {
            if let Effect::Report(report) = effect {
                let device = report.device.clone();
                let kept = self.desk.report(Report::Device(report)).await;
                self.answer(health, device, kept);
            }
        }
    }

    /// Says what became of a report; that there is no room is logged once a change.
    fn answer(&self, health: &mut Health, device: String, kept: Result<(), DeskError>) {
        let Err(error) = kept else {
            self.submit(health, Command::Kept { device });
            return;
        };
        for event in self.submit(health, Command::NotKept { device }) {
            if let Event::NotKept { device } = event {
                let error = chain(&error);
                tracing::warn!(device.id = %device, %error, "device change not kept; it goes with heartbeats");
            }
        }
    }

    fn submit(&self, health: &mut Health, command: Command) -> Vec<Event> {
        let Ok(events) = health.decide(self.clock.now(), command);
        for event in &events {
            if let Err(error) = health.apply(event) {
                tracing::error!(%error, "health decided what it cannot apply");
            }
        }
        events
    }
}
