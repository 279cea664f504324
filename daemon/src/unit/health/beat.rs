//! Measures the machine and writes its heartbeat.

use std::path::Path;
use std::sync::Arc;

use loket_domain::health::{Measures, Trouble};
use loket_link::{Publication, Qos};
use loket_wire::presence::{Heartbeat, session_seq};
use loket_wire::topic::Channel;
use loket_wire::{DeviceReport, Timestamp, frame};

use super::{HealthLink, HealthUnit};
use crate::unit::heartbeat::Beats;

impl HealthUnit {
    /// What bounds are put on; files are looked at off the async threads.
    pub(super) async fn measure(&self, link: &HealthLink) -> Measures {
        let (documents, dir) = (Arc::clone(&self.documents), self.state_dir.clone());
        let files = tokio::task::spawn_blocking(move || {
            let is_trust_broken = documents.trust().folder_fault().is_some();
            let disk_free_bytes = disk_free_bytes(&dir);
            (
                documents.spool.stats().ok(),
                disk_free_bytes,
                is_trust_broken,
            )
        });
        let (spool, disk_free_bytes, is_trust_broken) = files.await.unwrap_or_default();
        let now = self.clock.now();
        let trust = self.documents.trust().standing();
        // A clock that nobody confirmed may be years off: it calls nothing old.
        let trust = trust.filter(|_standing| now.trusted);
        let is_past = |at: Timestamp| at < now.wall;
        Measures {
            disk_free_bytes,
            spool_bytes: spool.map_or(0, |stats| stats.size_bytes),
            spool_quota_bytes: spool.map_or(u64::MAX, |stats| stats.quota_bytes),
            clock_offset_ms: self.clock.offset_ms(),
            certificate_days_left: link.identity.days_left(self.clock.tls_now()),
            is_trust_old: trust
                .is_some_and(|it| is_past(it.made_at.saturating_add(self.trust_max_age))),
            has_refused_records: self
                .records
                .as_ref()
                .is_some_and(|records| records.refused_count() > 0),
            is_trust_ended: trust.and_then(|it| it.ends_at).is_some_and(is_past),
            is_trust_broken,
            is_inspector_missing: !self.inspector.is_there(),
        }
    }

    /// Sends a heartbeat; false when the link did not take it.
    pub(super) async fn beat(
        &self,
        link: &HealthLink,
        measures: &Measures,
        troubles: &[Trouble],
        devices: Vec<DeviceReport>,
        beats: &mut Beats,
    ) -> bool {
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
        let bytes = link.handle.bytes();
        let heartbeat = Heartbeat {
            session_seq: session_seq(link.session_seq, generation),
            at: now.wall,
            clock_trusted: now.trusted,
            clock_offset_ms: measures.clock_offset_ms,
            up_time_s: self.clock.up_time().as_secs(),
            open_job_count: u32::try_from(jobs).unwrap_or(u32::MAX),
            outbox_count: outbox,
            spool_bytes: measures.spool_bytes,
            disk_free_bytes: measures.disk_free_bytes,
            certificate_days_left: measures.certificate_days_left,
            link_sent_bytes: Some(bytes.sent_bytes),
            link_received_bytes: Some(bytes.received_bytes),
            troubles: troubles
                .iter()
                .map(|trouble| trouble.keyword().to_owned())
                .collect(),
            trust_serial: self.documents.trust().serial(),
            trust_made_at: self.documents.trust().standing().map(|it| it.made_at),
            judged: self.judged.so_far(),
            devices,
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

fn disk_free_bytes(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}
