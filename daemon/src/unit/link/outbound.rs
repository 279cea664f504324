//! What the machine says: presence, what it holds, and its reports in order.

use loket_link::{LinkHandle, Publication, PublishError, Qos};
use loket_wire::presence::{MachineState, OpenJob, Sync, encode};
use loket_wire::sign::SigningKey;
use loket_wire::topic::Channel;
use loket_wire::{Event, MachineId, Report, frame};

use super::{Cursor, LinkUnit, LinkUnitError, META_COMMAND_SEQ};
use crate::stops::{Stop, pass};
use crate::unit::print::Held;

/// Reports handed to the link at a time; the link takes fewer and says when it is full.
const PAGE: u32 = 32;

/// Open jobs that surely fit one payload (about 70 bytes each before base64).
const MAX_SYNC_JOBS: usize = 250;

/// The signed payload of this machine's retained state; also its will, with `online: false`.
#[must_use]
pub fn state_payload(
    machine: &MachineId,
    key: &SigningKey,
    state: &MachineState,
) -> Option<Vec<u8>> {
    let body = encode(state).ok()?;
    frame::seal(&Channel::State.topic(machine), &body, key).ok()
}

impl LinkUnit {
    /// State and sync, before anything else on a new connection.
    pub(super) async fn say_hello(&self, link: &LinkHandle) -> Result<(), LinkUnitError> {
        self.publish_state(link, true);
        self.say_what_is_held(link).await
    }

    /// The sync: on each connect, and whenever central announces itself anew.
    pub(super) async fn say_what_is_held(&self, link: &LinkHandle) -> Result<(), LinkUnitError> {
        let command_seq = self
            .journal
            .meta(META_COMMAND_SEQ)
            .await
            .map_err(LinkUnitError::Journal)?;
        let Held { jobs, outbox } = self.desk.held().await.map_err(LinkUnitError::Desk)?;
        let open = |job: &crate::unit::print::JobView| OpenJob {
            job_id: job.job_id,
            state: job.state,
        };
        let sync = Sync {
            epoch: self.state.epoch,
            session_seq: self.state.session_seq,
            last_command_seq: command_seq.map_or(0, |bytes| read_seq(&bytes)),
            first_event_seq: outbox.first,
            last_event_seq: outbox.last,
            open_jobs: jobs.iter().take(MAX_SYNC_JOBS).map(open).collect(),
            is_complete: jobs.len() <= MAX_SYNC_JOBS,
        };
        if let Ok(body) = encode(&sync) {
            self.publish(link, &Channel::Sync, &body, false);
        }
        Ok(())
    }

    pub(super) fn say_goodbye(&self, link: &LinkHandle) {
        self.publish_state(link, false);
    }

    fn publish_state(&self, link: &LinkHandle, online: bool) {
        let state = MachineState {
            online,
            ..self.state.clone()
        };
        if let Ok(body) = encode(&state) {
            self.publish(link, &Channel::State, &body, true);
        }
    }

    /// Hands on what the outbox holds beyond the cursor, in order, until the link is full or the outbox is through.
    pub(super) async fn drain(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
    ) -> Result<(), LinkUnitError> {
        while cursor.is_up {
            // Looked at before the journal: what was reported by then stands in the outbox, unless it is acknowledged.
            let reported = *self.desk.reported().borrow();
            let rows = self.journal.outbox_after(cursor.published, PAGE).await;
            let rows = rows.map_err(LinkUnitError::Journal)?;
            if rows.is_empty() {
                // All of it is acknowledged. A cursor left behind would have the unit look again at once, for ever.
                cursor.published = cursor.published.max(reported);
                return Ok(());
            }
            for row in rows {
                let Ok(report) = serde_json::from_slice::<Report>(&row.bytes) else {
                    // Written by a program that knows more kinds: it stays for that program, the rest goes on.
                    tracing::error!(seq = row.seq, "a report in the outbox cannot be read here");
                    cursor.published = row.seq;
                    continue;
                };
                let channel = Channel::Event(report.kind().to_owned());
                let event = Event {
                    epoch: self.state.epoch,
                    seq: row.seq,
                    report,
                };
                let Ok(body) = event.encode() else { continue };
                if !self.publish(link, &channel, &body, false) {
                    return Ok(());
                }
                cursor.published = row.seq;
                pass(Stop::Published);
            }
        }
        Ok(())
    }

    /// Signs and hands over; false when the link takes nothing at present.
    fn publish(&self, link: &LinkHandle, channel: &Channel, body: &[u8], retain: bool) -> bool {
        let topic = channel.topic(&self.machine);
        let payload = match frame::seal(&topic, body, &self.identity.report_key) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, topic, "a message cannot be signed");
                return true;
            }
        };
        let publication = Publication {
            topic,
            payload,
            qos: Qos::AtLeastOnce,
            retain,
            expiry: None,
        };
        match link.publish(publication) {
            Ok(()) => true,
            Err(PublishError::Down | PublishError::Full) => false,
            Err(error @ (PublishError::TooLarge { .. } | PublishError::InvalidTopic)) => {
                tracing::error!(%error, "a message can never be sent");
                true
            }
        }
    }
}

pub(super) fn read_seq(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}
