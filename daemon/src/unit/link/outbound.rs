//! What the machine says: presence, what it holds, and its reports in order.

use loket_journal::OutboxRow;
use loket_link::{LinkHandle, Publication, PublishError, Qos};
use loket_wire::event::QuarantineReport;
use loket_wire::presence::{MachineState, OpenJob, Sync, encode};
use loket_wire::sign::SigningKey;
use loket_wire::topic::Channel;
use loket_wire::{Epoch, Event, MachineId, Report, Sha256Digest, frame};

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
        cursor.is_behind = false;
        while cursor.is_up {
            let rows = self.journal.outbox_after(cursor.published, PAGE).await;
            let rows = rows.map_err(LinkUnitError::Journal)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                if !self.publish_row(link, &row) {
                    cursor.is_behind = true;
                    return Ok(());
                }
                cursor.published = row.seq;
                pass(Stop::Published);
            }
        }
        Ok(())
    }

    /// Publishes one report under its number; false when the link takes nothing at present.
    ///
    /// Central waits for each number, so one that cannot be said would hold back all that follow: what this program
    /// does not know goes out as it stands, what is no report at all or too large to send is told as set aside.
    fn publish_row(&self, link: &LinkHandle, row: &OutboxRow) -> bool {
        let told = body_of(self.state.epoch, row.seq, &row.bytes)
            .map(|body| self.hand_over(link, &Channel::Event(row.kind.clone()), &body, false));
        match told {
            Some(Handed::Over) => true,
            Some(Handed::NotNow) => false,
            Some(Handed::Never) | None => self.publish_set_aside(link, row),
        }
    }

    fn publish_set_aside(&self, link: &LinkHandle, row: &OutboxRow) -> bool {
        tracing::error!(
            seq = row.seq,
            "a report cannot be sent; central is told its digest"
        );
        let report = Report::Quarantine(QuarantineReport {
            code: UNSENDABLE.to_owned(),
            payload_sha256: Sha256Digest::of(&row.bytes),
            size_bytes: u64::try_from(row.bytes.len()).unwrap_or(u64::MAX),
        });
        let channel = Channel::Event(report.kind().to_owned());
        let event = Event {
            epoch: self.state.epoch,
            seq: row.seq,
            report,
        };
        match event.encode() {
            Ok(body) => self.hand_over(link, &channel, &body, false) != Handed::NotNow,
            Err(_bug) => true,
        }
    }

    /// Signs and hands over; false when the link takes nothing at present.
    fn publish(&self, link: &LinkHandle, channel: &Channel, body: &[u8], retain: bool) -> bool {
        self.hand_over(link, channel, body, retain) != Handed::NotNow
    }

    fn hand_over(&self, link: &LinkHandle, channel: &Channel, body: &[u8], retain: bool) -> Handed {
        let topic = channel.topic(&self.machine);
        let payload = match frame::seal(&topic, body, &self.identity.report_key) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, topic, "a message cannot be signed");
                return Handed::Never;
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
            Ok(()) => Handed::Over,
            Err(PublishError::Down | PublishError::Full) => Handed::NotNow,
            Err(error @ (PublishError::TooLarge { .. } | PublishError::InvalidTopic)) => {
                tracing::error!(%error, "a message can never be sent");
                Handed::Never
            }
        }
    }
}

/// What the link did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handed {
    /// It took it.
    Over,
    /// It takes nothing at present.
    NotNow,
    /// It never will take it.
    Never,
}

/// The code under which central hears of a report that could not be sent.
const UNSENDABLE: &str = "L-107";

/// The body of an event around the report as it stands in the outbox; `None` when that is not JSON.
fn body_of(epoch: Epoch, seq: u64, report: &[u8]) -> Option<Vec<u8>> {
    let report: serde_json::Value = serde_json::from_slice(report).ok()?;
    let event = serde_json::json!({ "epoch": epoch, "seq": seq, "report": report });
    serde_json::to_vec(&event).ok()
}

pub(super) fn read_seq(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loket_wire::{DeviceReport, Timestamp};

    #[test]
    fn a_report_of_a_later_version_goes_out_with_its_number_and_a_known_one_reads_back() {
        let epoch = Epoch::from_bytes([7; 16]);
        let known = Report::Device(DeviceReport {
            device: "a4".to_owned(),
            state: "idle".to_owned(),
            reasons: Vec::new(),
            model: None,
            at: Timestamp::UNIX_EPOCH,
        });
        let body = body_of(epoch, 9, &serde_json::to_vec(&known).unwrap()).unwrap();
        let expect = Event {
            epoch,
            seq: 9,
            report: known,
        };
        assert_eq!(Event::decode(&body), Ok(expect));
        let later = body_of(epoch, 10, br#"{"kind":"from-the-future","x":1}"#).unwrap();
        assert_eq!(
            Event::decode(&later),
            Err(loket_wire::event::DecodeError::UnknownKind)
        );
        assert_eq!(body_of(epoch, 11, b"\xff"), None);
    }
}
