//! The link unit: orders in, reports out, resync on each connect.
//!
//! An order is acknowledged to the broker after its journal commit; an outbox row dies only by central's own
//! acknowledgement. Whatever the broker loses is published again from the outbox.

mod brokers;
mod cancels;
mod inbound;
mod outbound;
mod suspects;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use loket_domain::roam::Roam;
use loket_journal::{Journal, JournalError};
use loket_link::{AckToken, Inbound, Inbox, LinkHandle, RECEIVE_MAXIMUM};
use loket_wire::presence::session_seq;
use loket_wire::topic::CENTRAL_STATE;
use loket_wire::{CentralState, Hello, MachineId, MachineState, TrustNotice};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::document::Documents;
use crate::identity::Identity;
use crate::standstill::Standstill;
use crate::telemetry::chain;
use crate::trust::changed;
use crate::unit::print::{DeskError, DeskHandle};
use brokers::Place;
use cancels::Cancels;
use suspects::Suspects;

pub use outbound::will;

/// Key under which the highest command number is kept, and the clock.
pub(crate) const META_COMMAND_SEQ: &str = "command-seq";
pub(crate) const META_CLOCK: &str = "clock";

/// A message that met a full disk is tried again this often: room is made by hand, or by a job that ends.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The longest pause between two publications of what is not acknowledged: then central was silent for as long as it
/// takes to count as away.
const REPUBLISH_MAX: Duration = Duration::from_secs(3_600);

/// What the link unit knows of this machine and session.
#[derive(Debug)]
pub struct LinkUnit {
    /// This machine.
    pub machine: MachineId,
    /// Its keys and what it trusts.
    pub identity: Arc<Identity>,
    /// What it says of itself; `online` is set when it is said, and so is the connection's number: `session_seq` here is
    /// that of this start of the program.
    pub state: MachineState,
    /// The journal: outbox and settings.
    pub journal: Journal,
    /// The desk that takes orders.
    pub desk: DeskHandle,
    /// Where an order's key file is kept.
    pub documents: Arc<Documents>,
    /// Raised by central's signed time.
    pub clock: Clock,
    /// Unacknowledged reports are published again after this long, then after twice as long, and so on.
    pub republish_after: Duration,
    /// What keeps it from taking messages.
    pub standstill: Standstill,
    /// How long it stays with a broker at which central is not.
    pub roam: Roam,
    /// The newest trust bundle that central announced, for the unit that fetches it.
    pub trust_notices: watch::Sender<Option<TrustNotice>>,
}

/// Why the unit ended.
#[derive(Debug, Error)]
pub enum LinkUnitError {
    /// The journal failed.
    #[error("keep the link's state")]
    Journal(#[source] JournalError),
    /// The desk failed.
    #[error("hand an order to the desk")]
    Desk(#[source] DeskError),
}

/// Where the unit stands: with the link, with central, in its outbox.
#[derive(Debug)]
struct Cursor {
    is_up: bool,
    /// The number of the present connection.
    session_seq: u64,
    /// What was not said yet on this connection; it goes before any report.
    owes_state: bool,
    owes_sync: bool,
    /// Highest report handed to the link in this connection.
    published: u64,
    /// Whether the link had no room for all that is to be said.
    is_behind: bool,
    /// When what is not acknowledged is published again.
    republish: Republish,
    /// The broker it is with, and what was heard at the others.
    place: Place,
    /// What central last said of itself at this broker.
    central: Option<CentralState>,
    /// Its latest word that was taken for one of old: it was none if central's clock turns out to have been set back.
    passed_over: Option<CentralState>,
    /// What central drew last, as far as it was heard here.
    hello: Option<Hello>,
    /// What the last sync of this connection answered.
    answered: Option<Hello>,
    /// Topics that the broker refuses on this connection, each told once.
    refused: BTreeSet<String>,
    /// Messages that could not be kept on disk, unacknowledged; a lost connection brings them again by itself.
    deferred: VecDeque<Deferred>,
    /// When they are tried again.
    try_again_at: Instant,
    /// Commands that took the program down.
    suspects: Suspects,
    /// The cancels answered since the outbox was last begun anew.
    cancels: Cancels,
}

impl Cursor {
    fn new(republish_after: Duration, suspects: Suspects) -> Self {
        let republish = Republish::after(republish_after);
        Self {
            is_up: false,
            session_seq: 0,
            owes_state: false,
            owes_sync: false,
            published: 0,
            is_behind: false,
            try_again_at: republish.at,
            republish,
            place: Place::default(),
            central: None,
            passed_over: None,
            hello: None,
            answered: None,
            refused: BTreeSet::new(),
            deferred: VecDeque::new(),
            suspects,
            cancels: Cancels::default(),
        }
    }

    /// Begins again with the outbox: whoever listens may have missed all of it.
    fn rewind(&mut self) {
        self.published = 0;
        self.cancels = Cancels::default();
        self.republish.reset();
    }

    /// Whether central said that it leaves, and nothing since. What is published meanwhile waits with the broker; to
    /// publish it again would only be paid for.
    fn is_central_away(&self) -> bool {
        self.central.is_some_and(|central| !central.online)
    }
}

/// When the outbox is published again from its beginning, unless central acknowledges: ever more rarely, because what
/// was not heard a few times will not be heard the next time either.
#[derive(Debug)]
struct Republish {
    first: Duration,
    wait: Duration,
    at: Instant,
}

impl Republish {
    fn after(first: Duration) -> Self {
        Self {
            first,
            wait: first,
            at: Instant::now() + first,
        }
    }

    /// Central spoke, or the connection is another one.
    fn reset(&mut self) {
        *self = Self::after(self.first);
    }

    /// It was published again; the next time comes after twice the pause.
    fn back_off(&mut self) {
        self.wait = (self.wait * 2).min(REPUBLISH_MAX.max(self.first));
        self.at = Instant::now() + self.wait;
    }
}

/// A message that waits for the disk.
#[derive(Debug)]
struct Deferred {
    topic: String,
    payload: Vec<u8>,
    ack: AckToken,
}

impl LinkUnit {
    /// Runs until `stop`.
    ///
    /// # Errors
    /// [`LinkUnitError`] when journal or desk fail for good.
    pub async fn run(
        self,
        link: LinkHandle,
        mut inbox: Inbox,
        stop: CancellationToken,
    ) -> Result<(), LinkUnitError> {
        let mut reported = self.desk.reported();
        let suspects = Suspects::load(&self.journal).await;
        let suspects = suspects.map_err(LinkUnitError::Journal)?;
        let mut cursor = Cursor::new(self.republish_after, suspects);
        cursor.place = Place::new(self.roam.clone());
        let mut trust = self.documents.trust().follow();
        loop {
            let may_republish = cursor.is_up && !cursor.is_central_away();
            let leave_at = cursor.place.leave_at();
            tokio::select! {
                () = stop.cancelled() => {
                    self.take_leave(&link, &mut inbox, &mut cursor).await;
                    return self.drain(&link, &mut cursor).await;
                }
                event = inbox.next() => match event {
                    Some(event) => self.on_event(&link, &mut cursor, event).await?,
                    None => return Ok(()),
                },
                Ok(()) = changed(&mut trust) => {
                    // Central learns at once what this machine judges by.
                    cursor.owes_sync = cursor.is_up;
                    self.drain(&link, &mut cursor).await?;
                }
                Ok(()) = reported.changed() => self.drain(&link, &mut cursor).await?,
                Ok(()) = link.room(), if cursor.is_up && cursor.is_behind => {
                    self.drain(&link, &mut cursor).await?;
                }
                () = tokio::time::sleep_until(cursor.republish.at), if may_republish => {
                    self.publish_again(&link, &mut cursor).await?;
                }
                () = brokers::until(leave_at), if cursor.is_up => self.leave(&link, &mut cursor),
                () = tokio::time::sleep_until(cursor.try_again_at), if !cursor.deferred.is_empty() => {
                    self.try_again(&link, &mut cursor).await?;
                }
            }
        }
    }

    async fn on_event(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
        event: Inbound,
    ) -> Result<(), LinkUnitError> {
        match event {
            Inbound::Up {
                generation, broker, ..
            } => {
                tracing::info!(broker, "linked to central's broker");
                cursor.is_up = true;
                cursor.arrive(broker);
                cursor.session_seq = session_seq(self.state.session_seq, generation);
                (cursor.owes_state, cursor.owes_sync) = (true, true);
                cursor.answered = None;
                cursor.refused.clear();
                cursor.deferred.clear();
                cursor.rewind();
                self.drain(link, cursor).await
            }
            Inbound::Down { reason, .. } => {
                tracing::warn!(?reason, "link to central's broker is down; trying again");
                cursor.is_up = false;
                Ok(())
            }
            Inbound::Message {
                topic,
                payload,
                ack,
                ..
            } if topic == CENTRAL_STATE => {
                if self.asks_for_sync(&payload, cursor) {
                    // What was said while central was away went nowhere: a broker that was wiped kept none of it.
                    cursor.owes_sync = true;
                    cursor.rewind();
                    self.drain(link, cursor).await?;
                }
                link.ack(ack);
                Ok(())
            }
            Inbound::Message {
                topic,
                payload,
                ack,
                ..
            } => {
                let message = Deferred {
                    topic,
                    payload,
                    ack,
                };
                self.take(link, cursor, message).await?;
                if cursor.owes_sync {
                    self.drain(link, cursor).await?;
                }
                Ok(())
            }
            Inbound::Refused { topic, reason } => {
                if !cursor.refused.contains(&topic) {
                    tracing::warn!(topic, ?reason, "the broker refused a topic");
                    cursor.refused.insert(topic);
                }
                Ok(())
            }
        }
    }

    /// Takes a message, or keeps it for later without an acknowledgement. What finds no place there is not
    /// acknowledged either, and comes with the next connection or with central's next offer.
    async fn take(
        &self,
        link: &LinkHandle,
        cursor: &mut Cursor,
        message: Deferred,
    ) -> Result<(), LinkUnitError> {
        if self
            .on_message(&message.topic, &message.payload, cursor)
            .await?
        {
            link.ack(message.ack);
        } else if cursor.deferred.len() < usize::from(RECEIVE_MAXIMUM) {
            cursor.deferred.push_back(message);
            cursor.try_again_at = Instant::now() + TRY_AGAIN_AFTER;
        }
        Ok(())
    }

    /// Takes what was deferred, in order; one that still cannot be kept goes back to the end.
    async fn try_again(&self, link: &LinkHandle, cursor: &mut Cursor) -> Result<(), LinkUnitError> {
        for message in std::mem::take(&mut cursor.deferred) {
            self.take(link, cursor, message).await?;
        }
        Ok(())
    }

    /// A fault that the next try may not meet again: the message stays unacknowledged.
    fn not_now(&self, error: &DeskError) -> bool {
        self.stand_still(&chain(error));
        false
    }

    /// Tells why messages stay with the broker, once for each reason: they are tried again every second.
    fn stand_still(&self, why: &str) {
        if self.standstill.begins(why) {
            tracing::error!(
                error = why,
                "the desk cannot answer at present; what the broker brought stays with it"
            );
        }
    }

    /// A message was taken: what stood still before goes on.
    fn go_on(&self) {
        if self.standstill.ends() {
            tracing::info!("messages from the broker are taken again");
        }
    }
}

#[cfg(test)]
mod tests;
