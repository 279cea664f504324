//! The link unit: orders in, reports out, resync on each connect.
//!
//! An order is acknowledged to the broker after its journal commit; an outbox row dies only by central's own
//! acknowledgement. Whatever the broker loses is published again from the outbox.

mod inbound;
mod outbound;
mod suspects;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use loket_journal::{Journal, JournalError};
use loket_link::{AckToken, Inbound, Inbox, LinkHandle, RECEIVE_MAXIMUM};
use loket_wire::topic::CENTRAL_STATE;
use loket_wire::{MachineId, MachineState, Timestamp};
use thiserror::Error;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::document::Documents;
use crate::identity::Identity;
use crate::telemetry::chain;
use crate::unit::print::{DeskError, DeskHandle};
use suspects::Suspects;

pub use outbound::state_payload;

/// Key under which the highest command number is kept, and the clock.
pub(crate) const META_COMMAND_SEQ: &str = "command-seq";
pub(crate) const META_CLOCK: &str = "clock";

/// A message that met a full disk is tried again this often: room is made by hand, or by a job that ends.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What the link unit knows of this machine and session.
#[derive(Debug)]
pub struct LinkUnit {
    /// This machine.
    pub machine: MachineId,
    /// Its keys and what it trusts.
    pub identity: Arc<Identity>,
    /// What it says of itself; `online` is set when it is said.
    pub state: MachineState,
    /// The journal: outbox and settings.
    pub journal: Journal,
    /// The desk that takes orders.
    pub desk: DeskHandle,
    /// Where an order's key file is kept.
    pub documents: Arc<Documents>,
    /// Raised by central's signed time.
    pub clock: Clock,
    /// Unacknowledged reports are published again after this long.
    pub republish_after: Duration,
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

/// Where the unit stands in its outbox.
#[derive(Debug)]
struct Cursor {
    /// Highest report handed to the link in this connection.
    published: u64,
    /// When the outbox is published again from its beginning, unless central acknowledges.
    republish_at: Instant,
    is_up: bool,
    /// Whether the link had no room for all of the outbox.
    is_behind: bool,
    /// When central last announced itself, by its own clock.
    central_at: Option<Timestamp>,
    /// Messages that could not be kept on disk, unacknowledged; a lost connection brings them again by itself.
    deferred: VecDeque<Deferred>,
    /// When they are tried again.
    try_again_at: Instant,
    /// Commands that took the program down.
    suspects: Suspects,
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
        let republish_at = Instant::now() + self.republish_after;
        let mut cursor = Cursor {
            published: 0,
            republish_at,
            is_up: false,
            is_behind: false,
            central_at: None,
            deferred: VecDeque::new(),
            try_again_at: republish_at,
            suspects: Suspects::load(&self.journal)
                .await
                .map_err(LinkUnitError::Journal)?,
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.drain(&link, &mut cursor).await?;
                    self.say_goodbye(&link);
                    return Ok(());
                }
                event = inbox.next() => match event {
                    Some(event) => self.on_event(&link, &mut cursor, event).await?,
                    None => return Ok(()),
                },
                Ok(()) = reported.changed() => self.drain(&link, &mut cursor).await?,
                Ok(()) = link.room(), if cursor.is_up && cursor.is_behind => {
                    self.drain(&link, &mut cursor).await?;
                }
                () = tokio::time::sleep_until(cursor.republish_at), if cursor.is_up => {
                    cursor.published = 0;
                    cursor.republish_at = Instant::now() + self.republish_after;
                    self.drain(&link, &mut cursor).await?;
                }
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
            Inbound::Up { .. } => {
                tracing::info!("linked to central's broker");
                cursor.published = 0;
                cursor.republish_at = Instant::now() + self.republish_after;
                cursor.is_up = true;
                cursor.deferred.clear();
                self.say_hello(link).await?;
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
            } if topic == CENTRAL_STATE => {
                if self.is_central_new(&payload, cursor) {
                    // What was said while central was away went nowhere: a broker that was wiped kept none of it.
                    self.say_what_is_held(link).await?;
                    cursor.published = 0;
                    self.drain(link, cursor).await?;
                }
                link.ack(ack);
                Ok(())
            }
            Inbound::Message {
                topic,
                payload,
                ack,
            } => {
                let message = Deferred {
                    topic,
                    payload,
                    ack,
                };
                self.take(link, cursor, message).await
            }
            Inbound::Refused { topic, reason } => {
                tracing::warn!(topic, ?reason, "the broker refused a topic");
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
        tracing::error!(error = %chain(error), "an order is not yet on disk; it stays with the broker");
        false
    }
}

#[cfg(test)]
mod tests;
