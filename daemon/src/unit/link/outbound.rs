//! What the machine says: presence, what it holds, and its reports in order.

use std::sync::Arc;
use std::time::Duration;

use loket_journal::OutboxRow;
use loket_link::{Inbound, Inbox, LinkHandle, Publication, PublishError, Qos, Will};
use loket_wire::event::QuarantineReport;
use loket_wire::presence::{MachineState, OpenJob, Sync, encode, session_seq};
use loket_wire::topic::Channel;
use loket_wire::{Epoch, Event, MachineId, Report, Sha256Digest, frame};
use tokio::time::timeout;

use super::{Cursor, LinkUnit, LinkUnitError, META_COMMAND_SEQ};
use crate::identity::Identity;
use crate::stops::{Stop, pass};
use crate::unit::print::Held;

/// Reports handed to the link at a time; the link takes fewer and says when it is full.
const PAGE: u32 = 32;

/// Open jobs that surely fit one payload (about 70 bytes each before base64).
const MAX_SYNC_JOBS: usize = 250;

/// Of these, jobs given by hand that say what they are, at most 600 bytes each: those and the list fit one payload. More
/// stand open only where officers answer nothing, and their reports have said it.
const MAX_SYNC_LOCAL_JOBS: usize = 8;

/// How long a stop waits until the link has room for the goodbye.
const LEAVE_BOUND: Duration = Duration::from_secs(2);

/// What the broker says of this machine when it falls silent: its state of that connection, with `online: false`.
#[must_use]
pub fn will(machine: MachineId, identity: Arc<Identity>, state: MachineState) -> Will {
    Will::new(move |generation| {
        let state = MachineState {
            online: false,
            session_seq: session_seq(state.session_seq, generation),
            ..state.clone()
        };
        let topic = Channel::State.topic(&machine);
        let body = encode(&state).ok()?;
        Some(Publication {
            payload: frame::seal(&topic, &body, &identity.report_key).ok()?,
            topic,
            qos: Qos::AtLeastOnce,
            retain: true,
            expiry: None,
        })
    })
}

impl LinkUnit {
    /// Says all that is to be said, until the link is full: state and sync where they are owed, then what the outbox
    /// holds beyond the cursor, in order.
    pub(super) async fn drain(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
    ) -> Result<(), LinkUnitError> {
        if !cursor.is_up {
            return Ok(());
        }
        cursor.is_behind = true;
        if cursor.owes_state {
            if !self.publish_state(link, cursor, true) {
                return Ok(());
            }
            cursor.owes_state = false;
        }
        if cursor.owes_sync && !self.say_what_is_held(link, cursor).await? {
            return Ok(());
        }
        cursor.is_behind = !self.publish_outbox(link, cursor).await?;
        Ok(())
    }

    /// The sync; false when the link takes nothing at present. Where the desk cannot say what it holds, the sync stays
    /// owed and nothing waits for it.
    async fn say_what_is_held(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
    ) -> Result<bool, LinkUnitError> {
        let last_command_seq = self.last_command_seq().await?;
        let Held { jobs, outbox } = match self.desk.held().await {
            Ok(held) => held,
            Err(error) => return self.desk_fault(Some(error)).map(|_not_now| true),
        };
        let sync = Sync {
            epoch: self.state.epoch,
            session_seq: cursor.session_seq,
            last_command_seq,
            first_event_seq: outbox.first,
            last_event_seq: outbox.last,
            is_complete: jobs.len() <= MAX_SYNC_JOBS,
            open_jobs: fitting(jobs),
            hello: cursor.hello,
            trust_serial: self.documents.trust().serial(),
        };
        let is_said = match encode(&sync) {
            Ok(body) => self.publish(link, &Channel::Sync, &body, false),
            Err(_bug) => true,
        };
        if is_said {
            cursor.owes_sync = false;
            cursor.answered = cursor.hello;
        }
        Ok(is_said)
    }

    /// The highest number that central named. One restored from an older copy must number on above it, also where the
    /// command itself never came: what it signs under a lower number is no time here.
    pub(super) async fn last_command_seq(&self) -> Result<u64, LinkUnitError> {
        let kept = self.journal.meta(META_COMMAND_SEQ).await;
        let kept = kept.map_err(LinkUnitError::Journal)?;
        let taken = kept.map_or(0, |bytes| read_seq(&bytes));
        Ok(taken.max(self.clock.command_seq()))
    }

    /// The goodbye, waiting a bounded time for room. Messages that arrive meanwhile stay unacknowledged and come again;
    /// they are read because a full inbox leaves no room.
    pub(super) async fn take_leave(
        &self,
        link: &LinkHandle,
        inbox: &mut Inbox,
        cursor: &mut Cursor,
    ) {
        let leaving = async {
            while cursor.is_up && !self.publish_state(link, cursor, false) {
                tokio::select! {
                    biased;
                    event = inbox.next() => match event {
                        Some(Inbound::Down { .. }) | None => cursor.is_up = false,
                        Some(_unacknowledged) => {}
                    },
                    room = link.room() => cursor.is_up = room != Err(PublishError::Down),
                }
            }
        };
        if timeout(LEAVE_BOUND, leaving).await.is_err() {
            tracing::warn!("no room to say goodbye; central hears of it from the broker");
        }
    }

    /// Says whether this machine is linked; false when the link takes nothing at present.
    pub(super) fn publish_state(&self, link: &LinkHandle, cursor: &Cursor, online: bool) -> bool {
        let state = MachineState {
            online,
            session_seq: cursor.session_seq,
            ..self.state.clone()
        };
        match encode(&state) {
            Ok(body) => self.publish(link, &Channel::State, &body, true),
            Err(_bug) => true,
        }
    }

    /// Publishes from the beginning what central has not acknowledged.
    pub(super) async fn publish_again(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
    ) -> Result<(), LinkUnitError> {
        cursor.published = 0;
        self.drain(link, cursor).await?;
        if cursor.published > 0 {
            cursor.republish.back_off();
        } else {
            cursor.republish.reset();
        }
        Ok(())
    }

    /// Hands on what the outbox holds beyond the cursor; false when the link is full before the outbox is through.
    async fn publish_outbox(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
    ) -> Result<bool, LinkUnitError> {
        loop {
            let rows = self.journal.outbox_after(cursor.published, PAGE).await;
            let rows = rows.map_err(LinkUnitError::Journal)?;
            if rows.is_empty() {
                return Ok(true);
            }
            for row in rows {
                if !self.publish_row(link, &row) {
                    return Ok(false);
                }
                cursor.published = row.seq;
                pass(Stop::Published);
            }
        }
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

/// As many of the open jobs as fit a payload, and as much of each.
fn fitting(mut jobs: Vec<OpenJob>) -> Vec<OpenJob> {
    jobs.truncate(MAX_SYNC_JOBS);
    let locals = jobs.iter_mut().filter(|job| job.local.is_some());
    for job in locals.skip(MAX_SYNC_LOCAL_JOBS) {
        job.local = None;
    }
    jobs
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
pub(super) const UNSENDABLE: &str = "M-107";

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
    use loket_wire::presence::decode;
    use loket_wire::sign::SigningKey;
    use loket_wire::{
        Class, DeviceReport, JobId, JobState, LocalJob, LocalRevision, Service, Timestamp,
    };
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

    /// A job given by hand whose every text is as long as it may be.
    fn by_hand(no: u8) -> OpenJob {
        let late = Timestamp::from_unix_ms(4_000_000_000_000);
        OpenJob {
            job_id: JobId::from_parts(u64::from(no), [no; 10]),
            state: JobState::Journalled,
            local: Some(Box::new(LocalJob {
                reference: "R".repeat(40).parse().unwrap(),
                service: Service::new(&"s".repeat(32)).unwrap(),
                class: Class::Controlled,
                given_at: late,
                not_after: late,
                by: Some("\u{1f58b}".repeat(40)),
                printer: Some("p".repeat(32)),
                revision: Some(LocalRevision {
                    sha256: Sha256Digest::of(b""),
                    size_bytes: 8_388_608,
                    page_count: 4_294_967_295,
                }),
            })),
        }
    }

    #[test]
    fn the_longest_list_of_open_jobs_fits_a_payload_and_says_of_the_first_what_they_are() {
        let jobs: Vec<OpenJob> = (0..=255).map(by_hand).collect();
        let open_jobs = fitting(jobs);
        assert_eq!(open_jobs.len(), MAX_SYNC_JOBS);
        let sync = Sync {
            epoch: Epoch::from_bytes([7; 16]),
            session_seq: u64::MAX,
            last_command_seq: u64::MAX,
            first_event_seq: Some(u64::MAX),
            last_event_seq: u64::MAX,
            open_jobs,
            is_complete: false,
            hello: Some(loket_wire::Hello::from_bytes([7; 8])),
            trust_serial: Some(u64::MAX),
        };
        let body = encode(&sync).unwrap();
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = SigningKey::p256_from_pkcs8(pair.as_ref(), random).unwrap();
        let payload = frame::seal("loket/v1/desa-contoh-1/sync", &body, &key);
        assert!(payload.is_ok(), "{} bytes", body.len());
        let read: Sync = decode(&body).unwrap();
        let said = read.open_jobs.iter().filter(|job| job.local.is_some());
        assert_eq!(said.count(), MAX_SYNC_LOCAL_JOBS);
    }

    #[test]
    fn a_report_of_a_later_version_goes_out_with_its_number_and_a_known_one_reads_back() {
        let epoch = Epoch::from_bytes([7; 16]);
        let known = Report::Device(DeviceReport {
            device: "a4".to_owned(),
            state: "idle".to_owned(),
            reasons: Vec::new(),
            model: None,
            stock: None,
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
