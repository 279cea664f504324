//! The units that speak with central, and what they are told at their start.

use std::sync::Arc;
use std::time::Duration;

use loket_domain::roam::Roam;
use loket_link::{BrokerAddress, LinkConfig};
use loket_wire::TrustNotice;
use loket_wire::presence::MachineState;
use loket_wire::topic::for_machine;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::units::Units;
use super::{Enrolment, RunError};
use crate::config::Config;
use crate::ground::Ground;
use crate::identity::OsRandom;
use crate::standstill::Standstill;
use crate::unit::health::HealthLink;
use crate::unit::link::{LinkUnit, will};
use crate::unit::print::DeskHandle;
use crate::unit::records::RecordsUnit;
use crate::unit::trust::TrustUnit;

/// The will goes out this long after the connection broke: one that comes back within it alarms nobody.
const WILL_DELAY: Duration = Duration::from_secs(60);

impl Units {
    /// Opens the link and starts what works over it; gives what the health unit says things by.
    pub(super) fn start_link(
        &mut self,
        config: &Config,
        ground: &Ground,
        desk: &DeskHandle,
        enrolment: Enrolment,
    ) -> Result<HealthLink, RunError> {
        let public = enrolment.identity.sealing.public();
        let key_id = public
            .map_err(|error| RunError::Identity(error.into()))?
            .key_id();
        let state = MachineState {
            online: false,
            boot_id: boot_id(),
            session_seq: enrolment.session.seq,
            epoch: ground.epoch,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: config.hash(),
            key_id,
        };
        let (handle, inbox, task) = loket_link::open(link_config(config, &enrolment, &state));
        let trust_notices = self.start_trust(ground, desk, &enrolment);
        let unit = LinkUnit {
            machine: config.machine.clone(),
            identity: Arc::clone(&enrolment.identity),
            state,
            journal: ground.journal.clone(),
            desk: desk.clone(),
            documents: Arc::clone(&ground.documents),
            clock: ground.clock.clone(),
            republish_after: Duration::from_millis(config.link.republish_after_ms),
            standstill: Standstill::default(),
            // As long as a broker that does not answer may be waited for is how long one without central is.
            roam: Roam::new(
                enrolment.identity.bundle.brokers.len(),
                Duration::from_millis(config.link.backoff_max_ms),
            ),
            trust_notices,
        };
        self.start_records(ground, &enrolment);
        // The task outlives the unit: what the unit says last still leaves.
        let task_stop = CancellationToken::new();
        let (link, stop, then) = (handle.clone(), self.link_stop.clone(), task_stop.clone());
        self.links.spawn(async move {
            let ended = unit.run(link, inbox, stop).await;
            then.cancel();
            ended.map_err(RunError::LinkUnit)
        });
        self.links
            .spawn(async move { task.run(task_stop).await.map_err(RunError::Link) });
        Ok(HealthLink {
            handle,
            session_seq: enrolment.session.seq,
            identity: enrolment.identity,
        })
    }

    /// Starts what hands the records of printed sheets in at central, where the machine keeps any.
    fn start_records(&mut self, ground: &Ground, enrolment: &Enrolment) {
        let Some(records) = ground.records.clone() else {
            return;
        };
        let unit = RecordsUnit {
            records,
            source: enrolment.documents(),
        };
        let stop = self.link_stop.clone();
        self.links.spawn(async move {
            unit.run(stop).await;
            Ok(())
        });
    }

    /// Starts what fetches trust bundles, where they are taken; gives what it is told by.
    fn start_trust(
        &mut self,
        ground: &Ground,
        desk: &DeskHandle,
        enrolment: &Enrolment,
    ) -> watch::Sender<Option<TrustNotice>> {
        let (told, notices) = watch::channel(None);
        let store = Arc::clone(ground.documents.trust());
        if store.takes_bundles() {
            let unit = TrustUnit {
                store,
                notices,
                source: enrolment.documents(),
                clock: ground.clock.clone(),
                desk: desk.clone(),
            };
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                unit.run(stop.clone()).await;
                // It ends before it is asked to where the link has ended, which says why.
                stop.cancelled().await;
                Ok(())
            });
        }
        told
    }
}

fn link_config(config: &Config, enrolment: &Enrolment, state: &MachineState) -> LinkConfig {
    let brokers = enrolment.identity.bundle.brokers.iter();
    let brokers = brokers
        .map(|at| BrokerAddress {
            host: at.host.clone(),
            port: at.port,
        })
        .collect();
    let mut link = LinkConfig::new(config.machine.as_str(), brokers);
    link.tls = Some(Arc::clone(&enrolment.tls));
    let identity = Arc::clone(&enrolment.identity);
    link.will = Some(will(config.machine.clone(), identity, state.clone()));
    link.will_delay = WILL_DELAY;
    link.subscriptions = for_machine(&config.machine);
    link.backoff.min = Duration::from_millis(config.link.backoff_min_ms);
    link.backoff.max = Duration::from_millis(config.link.backoff_max_ms);
    link.jitter_seed = u64::from_le_bytes(loket_wire::random::draw(&mut OsRandom::default()));
    link
}

fn boot_id() -> String {
    let given = std::env::var("LOKET_BOOT_ID").ok();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    given
        .or_else(read)
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
