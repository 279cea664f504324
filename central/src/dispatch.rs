//! The dispatcher: rings machines with offers, takes their reports, acknowledges what is committed.
//!
//! It has one link to each broker and reads them in one place: a machine is at one of them, and which one is a matter
//! of what it said last ([`Home`]).
//!
//! ```text
//! inbox → frame checked → store (committed) → MQTT ack, application ack → effects (cancel, sweep, next offers)
//! bell, tick → store.offerable → envelope → store.mark_offered (committed) → cmd/print
//! tick → store.ask_due (committed) → cmd/cancel, and the question for a sync where a job is lost
//! ```
//!
//! One task, one order: what a machine said is committed before it is acknowledged, and an offer before it is sent.

mod ask;
mod links;
mod offer;
mod put_off;
mod report;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::dispatch::{Home, Way, way};
use loket_link::{Inbound, Publication, PublishError, Qos};
use loket_store::StoreError;
use loket_wire::frame::{self, FrameError};
use loket_wire::random::draw;
use loket_wire::topic::{CENTRAL_STATE, Channel};
use loket_wire::{
    Ack, Cancel, CentralState, Command, Hello, MachineId, Sha256Digest, Timestamp, presence,
};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::documents::DocumentError;
use crate::office::{CancelAsk, Office, RosterError};
use crate::random::{RandomnessFailed, SystemRandomness};
use crate::watchdog::Watchdog;

use links::AckDue;
pub(crate) use links::{Link, Links};

/// A cancel that nobody fetched in a week is asked again at the machine's sync.
const CANCEL_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// An acknowledgement is repeated at the next sync; the broker need not keep it longer than a day.
const ACK_EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// Central has no link to a broker: the code in log and console, and at `/api/v1/brokers`.
pub(crate) const BROKER_DOWN: &str = "B-102";

/// Why the dispatcher stopped; it is started again, with a fresh connection.
#[derive(Debug, Error)]
pub(crate) enum DispatchError {
    /// The store failed: what a machine said is not committed, so it is not acknowledged either.
    #[error("commit what a machine said or was offered")]
    Store(#[source] StoreError),
    /// A machine could not be looked up.
    #[error("look up a machine")]
    Roster(#[source] RosterError),
    /// A frame could not be made.
    #[error("make a message")]
    Frame(#[source] FrameError),
    /// A body could not be written.
    #[error("write a message")]
    Encode(#[source] loket_wire::event::DecodeError),
    /// A sealed copy could not be read or written.
    #[error("seal an order")]
    Document(#[source] DocumentError),
    /// The system gave no randomness.
    #[error("ask a machine for its sync")]
    Random(#[source] RandomnessFailed),
    /// Work on a blocking thread ended early.
    #[error("wait for blocking work")]
    Join(#[source] tokio::task::JoinError),
    /// The link's task ended.
    #[error("read the link: it ended")]
    LinkEnded,
}

/// A question to a machine that it has not answered.
#[derive(Debug, Clone, Copy)]
struct Question {
    /// What the answer must echo.
    hello: Hello,
    /// When it was asked: of what came after it an answer says nothing.
    at: Timestamp,
}

/// The dispatcher with its ends of the links.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    office: Arc<Office>,
    links: Links,
    /// Where each machine was heard last; known ones alone, so the authority bounds it.
    homes: BTreeMap<MachineId, Home>,
    /// Machines that were asked for their sync and have not answered.
    asked: BTreeMap<MachineId, Question>,
    put_off: put_off::PutOff,
    trust: trust::TrustTelling,
    watchdog: Watchdog,
}

/// Draws what central is recognised by on each connection of one link: the same for its presence and its will.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Greeting {
    secret: [u8; 32],
}

impl Greeting {
    /// From random bytes of the link's own.
    pub(crate) const fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The number of the connection with this generation; nobody else can tell it beforehand.
    pub(crate) fn of(&self, generation: u64) -> Hello {
        let mut bytes = self.secret.to_vec();
        bytes.extend_from_slice(&generation.to_be_bytes());
        let mut out = [0; 8];
        for (to, from) in out.iter_mut().zip(Sha256Digest::of(&bytes).as_bytes()) {
            *to = *from;
        }
        Hello::from_bytes(out)
    }
}

impl Dispatcher {
    pub(crate) fn new(office: Arc<Office>, links: Links) -> Self {
        Self {
            office,
            links,
            homes: BTreeMap::new(),
            asked: BTreeMap::new(),
            put_off: put_off::PutOff::default(),
            trust: trust::TrustTelling::default(),
            watchdog: Watchdog::of_this_service(),
        }
    }

    /// Runs until `stop`, then says that central leaves.
    ///
    /// # Errors
    /// The [`DispatchError`] after which nothing more can be promised on this connection.
    pub(crate) async fn run(
        mut self,
        cancels: &mut mpsc::Receiver<CancelAsk>,
        tick: Duration,
        stop: CancellationToken,
    ) -> Result<(), DispatchError> {
        let mut ticks = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let office = Arc::clone(&self.office);
        let mut bundles = office.trust_desk.follow();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                inbound = self.links.next() => {
                    let (broker, inbound) = inbound.ok_or(DispatchError::LinkEnded)?;
                    self.inbound(broker, inbound).await?;
                }
                Some(asked) = cancels.recv() => self.ask_cancel(&asked, 0)?,
                () = office.offer_bell.notified() => self.offer(None).await?,
                Ok(()) = bundles.changed() => self.trust_made(),
                _at = ticks.tick() => {
                    self.ask_again().await?;
                    self.offer(None).await?;
                }
            }
            self.pay_debts()?;
            self.watchdog.feed();
        }
        for broker in 0..self.links.count() {
            if !self.say_presence(broker, false)? && self.links.has_room(Way::To(broker)).await {
                self.say_presence(broker, false)?;
            }
        }
        Ok(())
    }

    async fn inbound(&mut self, broker: usize, inbound: Inbound) -> Result<(), DispatchError> {
        let Some(link) = self.links.get_mut(broker) else {
            return Ok(());
        };
        match inbound {
            Inbound::Up {
                generation,
                session_present,
                ..
            } => {
                tracing::info!(
                    link.broker = link.name,
                    link.generation = generation,
                    session_present,
                    "link up"
                );
                link.came_up(generation);
                self.office.tally.set_link(broker, true, now());
                self.pay_debts()?;
                self.offer(None).await
            }
            Inbound::Down { generation, reason } => {
                tracing::warn!(
                    code = BROKER_DOWN,
                    link.broker = link.name,
                    link.generation = generation,
                    %reason,
                    "link down"
                );
                self.office.tally.set_link(broker, false, now());
                Ok(())
            }
            Inbound::Message {
                topic,
                payload,
                is_retained,
                ack,
            } => {
                let machine = self.message(broker, topic, payload, is_retained).await?;
                if let Some(link) = self.links.get(broker) {
                    link.handle.ack(ack);
                }
                self.pay_debts()?;
                match machine {
                    Some(machine) => self.offer(Some(machine)).await,
                    None => Ok(()),
                }
            }
            Inbound::Refused { topic, reason } => {
                tracing::error!(
                    link.broker = link.name,
                    topic,
                    ?reason,
                    "the broker refused; its access rules need a look"
                );
                Ok(())
            }
        }
    }

    /// Says what found no room before: central's presence first.
    fn pay_debts(&mut self) -> Result<(), DispatchError> {
        for broker in 0..self.links.count() {
            if self
                .links
                .get(broker)
                .is_some_and(|link| link.owes_presence)
            {
                let is_said = self.say_presence(broker, true)?;
                if let Some(link) = self.links.get_mut(broker) {
                    link.owes_presence = !is_said;
                }
            }
            self.send_acks(broker)?;
        }
        self.send_trust_notices()
    }

    /// Publishes central's retained presence at one broker; false when the link takes nothing at present.
    fn say_presence(&self, broker: usize, online: bool) -> Result<bool, DispatchError> {
        let hello = self.links.get(broker).and_then(|link| link.hello);
        let publication = presence_publication(&self.office, online, hello, now())?;
        Ok(self.links.publish(Way::To(broker), publication) != Err(PublishError::Full))
    }

    /// The way to a machine for what was said to it so often before.
    fn way_to(&self, machine: &MachineId, said_count: u32) -> Way {
        way(self.homes.get(machine).copied(), said_count)
    }

    /// Machines that were heard last at one of these brokers.
    fn machines_at(&self, brokers: &[usize]) -> Vec<MachineId> {
        let there = self.homes.iter();
        let there = there.filter(|(_machine, home)| brokers.contains(&home.broker));
        there.map(|(machine, _home)| machine.clone()).collect()
    }

    /// Puts an acknowledgement where the machine was last heard, or everywhere where nobody knows.
    fn owe_ack(&mut self, machine: &MachineId, due: AckDue, said_count: u32) {
        let all = 0..self.links.count();
        let at = match self.way_to(machine, said_count) {
            Way::To(broker) => broker..broker.saturating_add(1),
            Way::Everywhere => all,
        };
        for broker in at {
            if let Some(link) = self.links.get_mut(broker) {
                link.owe(machine.clone(), due);
            }
        }
    }

    /// Draws what the machine's next sync must echo to be believed; the acknowledgement carries it. A question that
    /// stands stays: an answer to it may be under way.
    fn ask_for_sync(&mut self, machine: &MachineId) -> Result<(), DispatchError> {
        if !self.asked.contains_key(machine) {
            let mut random = SystemRandomness::new();
            let hello = Hello::from_bytes(draw(&mut random));
            random.check().map_err(DispatchError::Random)?;
            let question = Question { hello, at: now() };
            self.asked.insert(machine.clone(), question);
        }
        tracing::warn!(machine.id = %machine, "what a machine holds is not sure; it is asked for its sync");
        Ok(())
    }

    /// Sends what is committed and not yet acknowledged; what finds no room stays for the next time.
    fn send_acks(&mut self, broker: usize) -> Result<(), DispatchError> {
        while let Some((machine, due)) = self
            .links
            .get_mut(broker)
            .and_then(|link| link.acks.pop_first())
        {
            let ack = Ack {
                epoch: due.point.epoch,
                seq: due.point.seq,
                at: now(),
                hello: self.asked.get(&machine).map(|question| question.hello),
                command_seq: due.command_seq,
                session_seq: Some(self.homes.get(&machine).map_or(0, |home| home.session_seq)),
            };
            let body = presence::encode(&ack).map_err(DispatchError::Encode)?;
            let topic = Channel::Ack.topic(&machine);
            match self.publish(Way::To(broker), &topic, &body, ACK_EXPIRY)? {
                Ok(()) => {}
                Err(PublishError::Full) => {
                    if let Some(link) = self.links.get_mut(broker) {
                        link.acks.insert(machine, due);
                    }
                    break;
                }
                // The machine asks again with its next sync.
                Err(
                    PublishError::Down | PublishError::TooLarge { .. } | PublishError::InvalidTopic,
                ) => {}
            }
        }
        Ok(())
    }

    /// Asks a machine to call a job off. What is lost is asked again at the machine's next sync.
    fn ask_cancel(&self, asked: &CancelAsk, said_count: u32) -> Result<(), DispatchError> {
        let command = Command::Cancel(Cancel {
            job_id: asked.job,
            seq: asked.command_seq,
            machine: asked.machine.clone(),
            issued_at: now(),
        });
        let topic = Channel::Command(command.kind().to_owned()).topic(&asked.machine);
        let body = command.encode().map_err(DispatchError::Encode)?;
        let way = self.way_to(&asked.machine, said_count);
        let sent = self.publish(way, &topic, &body, CANCEL_EXPIRY)?.is_ok();
        tracing::info!(job.id = %asked.job, machine.id = %asked.machine, sent, "machine asked to call the job off");
        Ok(())
    }

    /// Signs and publishes; the inner result is the link's answer.
    fn publish(
        &self,
        way: Way,
        topic: &str,
        body: &[u8],
        expiry: Duration,
    ) -> Result<Result<(), PublishError>, DispatchError> {
        let payload = frame::seal(topic, body, &self.office.identity.signing)
            .map_err(DispatchError::Frame)?;
        let publication = Publication {
            topic: topic.to_owned(),
            payload,
            qos: Qos::AtLeastOnce,
            retain: false,
            expiry: Some(expiry),
        };
        Ok(self.links.publish(way, publication))
    }

    /// Runs blocking work with the office on a blocking thread.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Office) -> Result<T, DispatchError> + Send + 'static,
    ) -> Result<T, DispatchError> {
        let office = Arc::clone(&self.office);
        tokio::task::spawn_blocking(move || work(&office))
            .await
            .map_err(DispatchError::Join)?
    }
}

/// Central's presence as a retained, signed publication; with `online: false` also its will.
pub(crate) fn presence_publication(
    office: &Office,
    online: bool,
    hello: Option<Hello>,
    at: Timestamp,
) -> Result<Publication, DispatchError> {
    let state = CentralState { online, at, hello };
    let body = presence::encode(&state).map_err(DispatchError::Encode)?;
    let payload = frame::seal(CENTRAL_STATE, &body, &office.identity.signing)
        .map_err(DispatchError::Frame)?;
    Ok(Publication {
        topic: CENTRAL_STATE.to_owned(),
        payload,
        qos: Qos::AtLeastOnce,
        retain: true,
        expiry: None,
    })
}
