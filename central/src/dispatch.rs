//! The dispatcher: rings machines with offers, takes their reports, acknowledges what is committed.
//!
//! ```text
//! inbox → frame checked → store (committed) → MQTT ack, application ack → effects (cancel, sweep, next offers)
//! bell, tick → store.offerable → envelope → store.mark_offered (committed) → cmd/print
//! tick → store.ask_due (committed) → cmd/cancel, and the question for a sync where a job is lost
//! ```
//!
//! One task, one order: what a machine said is committed before it is acknowledged, and an offer before it is sent.

mod ask;
mod offer;
mod put_off;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loket_link::{Inbound, Inbox, LinkHandle, Publication, PublishError, Qos};
use loket_store::{AckPoint, StoreError};
use loket_wire::frame::{self, FrameError};
use loket_wire::random::draw;
use loket_wire::topic::{CENTRAL_STATE, Channel};
use loket_wire::{
    Ack, Cancel, CentralState, Command, Hello, MachineId, Sha256Digest, Timestamp, presence,
};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::documents::DocumentError;
use crate::office::{CancelAsk, Office, RosterError};
use crate::random::{RandomnessFailed, SystemRandomness};
use crate::watchdog::Watchdog;

/// A cancel that nobody fetched in a week is asked again at the machine's sync.
const CANCEL_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// An acknowledgement is repeated at the next sync; the broker need not keep it longer than a day.
const ACK_EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// How long an offer waits for room on the link before it is left for the next round.
const ROOM_TIMEOUT: Duration = Duration::from_secs(5);

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

/// The dispatcher with its ends of the link.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    office: Arc<Office>,
    link: LinkHandle,
    /// The newest acknowledgement for each machine that is not sent yet.
    acks: BTreeMap<MachineId, AckPoint>,
    /// Machines that were asked for their sync and have not answered, with what the answer must echo.
    asked: BTreeMap<MachineId, Hello>,
    greeting: Greeting,
    /// What was drawn for the present connection.
    hello: Option<Hello>,
    /// Whether this connection's presence is still to be said.
    owes_presence: bool,
    put_off: put_off::PutOff,
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
    pub(crate) fn new(office: Arc<Office>, link: LinkHandle, greeting: Greeting) -> Self {
        Self {
            office,
            link,
            acks: BTreeMap::new(),
            asked: BTreeMap::new(),
            greeting,
            hello: None,
            owes_presence: false,
            put_off: put_off::PutOff::default(),
            watchdog: Watchdog::of_this_service(),
        }
    }

    /// Runs until `stop`, then says that central leaves.
    ///
    /// # Errors
    /// The [`DispatchError`] after which nothing more can be promised on this connection.
    pub(crate) async fn run(
        mut self,
        mut inbox: Inbox,
        cancels: &mut mpsc::Receiver<CancelAsk>,
        tick: Duration,
        stop: CancellationToken,
    ) -> Result<(), DispatchError> {
        let mut ticks = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let office = Arc::clone(&self.office);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                inbound = inbox.next() => {
                    let inbound = inbound.ok_or(DispatchError::LinkEnded)?;
                    self.inbound(inbound).await?;
                }
                Some(asked) = cancels.recv() => self.ask_cancel(&asked)?,
                () = office.offer_bell.notified() => self.offer(None).await?,
                _at = ticks.tick() => {
                    self.ask_again().await?;
                    self.offer(None).await?;
                }
            }
            self.pay_debts()?;
            self.watchdog.feed();
        }
        if !self.say_presence(false)? && self.has_room().await {
            self.say_presence(false)?;
        }
        Ok(())
    }

    async fn inbound(&mut self, inbound: Inbound) -> Result<(), DispatchError> {
        match inbound {
            Inbound::Up {
                generation,
                session_present,
                ..
            } => {
                tracing::info!(link.generation = generation, session_present, "link up");
                self.office.tally.set_link(true, now());
                self.hello = Some(self.greeting.of(generation));
                self.owes_presence = true;
                self.pay_debts()?;
                self.offer(None).await
            }
            Inbound::Down { generation, reason } => {
                tracing::warn!(link.generation = generation, %reason, "link down");
                self.office.tally.set_link(false, now());
                Ok(())
            }
            Inbound::Message {
                topic,
                payload,
                is_retained,
                ack,
            } => {
                let machine = self.message(topic, payload, is_retained).await?;
                self.link.ack(ack);
                self.pay_debts()?;
                match machine {
                    Some(machine) => self.offer(Some(machine)).await,
                    None => Ok(()),
                }
            }
            Inbound::Refused { topic, reason } => {
                tracing::error!(
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
        if self.owes_presence {
            self.owes_presence = !self.say_presence(true)?;
        }
        self.send_acks()
    }

    /// Publishes central's retained presence; false when the link takes nothing at present.
    fn say_presence(&self, online: bool) -> Result<bool, DispatchError> {
        let publication = presence_publication(&self.office, online, self.hello, now())?;
        Ok(self.link.publish(publication) != Err(PublishError::Full))
    }

    /// Draws what the machine's next sync must echo to be believed; the acknowledgement carries it. A question that
    /// stands stays: an answer to it may be under way.
    fn ask_for_sync(&mut self, machine: &MachineId) -> Result<(), DispatchError> {
        if !self.asked.contains_key(machine) {
            let mut random = SystemRandomness::new();
            let hello = Hello::from_bytes(draw(&mut random));
            random.check().map_err(DispatchError::Random)?;
            self.asked.insert(machine.clone(), hello);
        }
        tracing::warn!(machine.id = %machine, "what a machine holds is not sure; it is asked for its sync");
        Ok(())
    }

    /// Sends what is committed and not yet acknowledged; what finds no room stays for the next time.
    fn send_acks(&mut self) -> Result<(), DispatchError> {
        while let Some((machine, point)) = self.acks.pop_first() {
            let ack = Ack {
                epoch: point.epoch,
                seq: point.seq,
                at: now(),
                hello: self.asked.get(&machine).copied(),
            };
            let body = presence::encode(&ack).map_err(DispatchError::Encode)?;
            match self.publish(&Channel::Ack.topic(&machine), &body, ACK_EXPIRY)? {
                Ok(()) => {}
                Err(PublishError::Full) => {
                    self.acks.insert(machine, point);
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
    fn ask_cancel(&self, asked: &CancelAsk) -> Result<(), DispatchError> {
        let command = Command::Cancel(Cancel {
            job_id: asked.job,
            seq: asked.command_seq,
            machine: asked.machine.clone(),
            issued_at: now(),
        });
        let topic = Channel::Command(command.kind().to_owned()).topic(&asked.machine);
        let body = command.encode().map_err(DispatchError::Encode)?;
        let sent = self.publish(&topic, &body, CANCEL_EXPIRY)?.is_ok();
        tracing::info!(job.id = %asked.job, machine.id = %asked.machine, sent, "machine asked to call the job off");
        Ok(())
    }

    /// Signs and publishes; the inner result is the link's answer.
    fn publish(
        &self,
        topic: &str,
        body: &[u8],
        expiry: Duration,
    ) -> Result<Result<(), PublishError>, DispatchError> {
        let payload = frame::seal(topic, body, &self.office.identity.signing)
            .map_err(DispatchError::Frame)?;
        Ok(self.link.publish(Publication {
            topic: topic.to_owned(),
            payload,
            qos: Qos::AtLeastOnce,
            retain: false,
            expiry: Some(expiry),
        }))
    }

    /// Waits a bounded time for room on the link.
    async fn has_room(&self) -> bool {
        matches!(timeout(ROOM_TIMEOUT, self.link.room()).await, Ok(Ok(())))
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
