//! What the link tells its caller, in order, and how the caller acknowledges.

use std::fmt;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::outbound::LinkHandle;
use crate::reason::{DownReason, RefusedReason};

/// Room in the inbox beside two receive maxima: states of the link, refusals, QoS 0 messages.
const INBOX_SLACK: usize = 32;

/// One thing that happened on the link.
pub enum Inbound {
    /// A connection stands and the broker has its subscriptions: resync now.
    Up {
        /// The connection's number in this process; grows with each attempt.
        generation: u64,
        /// The broker's place in [`crate::LinkConfig::brokers`], from 0.
        broker: usize,
        /// Whether the broker still had the session.
        session_present: bool,
        /// The largest packet the broker takes, where it names one.
        max_packet_bytes: Option<u32>,
    },
    /// A connection ended, or (without an `Up` of that generation) could not be made.
    ///
    /// Every publication that was accepted and has not been answered by the far end may be lost.
    /// A failed attempt is told once for each new reason, not each time.
    Down {
        /// The connection's or the attempt's number.
        generation: u64,
        /// Why.
        reason: DownReason,
    },
    /// A message arrived.
    Message {
        /// Its topic.
        topic: String,
        /// Its bytes, opaque here; at most the announced packet size.
        payload: Vec<u8>,
        /// Whether the broker kept it for whoever subscribes: said at any time before, not now.
        is_retained: bool,
        /// To be given to [`LinkHandle::ack`] once what the message means is committed.
        ack: AckToken,
    },
    /// The broker refused a publication or a subscription; the link stays up.
    Refused {
        /// The publication's topic or the subscription's filter.
        topic: String,
        /// What was refused and why.
        reason: RefusedReason,
    },
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up {
                generation,
                broker,
                session_present,
                max_packet_bytes,
            } => f
                .debug_struct("Up")
                .field("generation", generation)
                .field("broker", broker)
                .field("session_present", session_present)
                .field("max_packet_bytes", max_packet_bytes)
                .finish(),
            Self::Down { generation, reason } => f
                .debug_struct("Down")
                .field("generation", generation)
                .field("reason", reason)
                .finish(),
            Self::Message {
                topic,
                payload,
                is_retained,
                ack,
            } => f
                .debug_struct("Message")
                .field("topic", topic)
                .field("payload_bytes", &payload.len())
                .field("is_retained", is_retained)
                .field("ack", ack)
                .finish(),
            Self::Refused { topic, reason } => f
                .debug_struct("Refused")
                .field("topic", topic)
                .field("reason", reason)
                .finish(),
        }
    }
}

/// The right to acknowledge one message, on the connection that brought it and on no other.
///
/// Packet ids start anew with each session, so the acknowledgement of an order from a broker that
/// was wiped would end another order at its successor.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an unacknowledged message comes again and holds one of the broker's few places"]
pub struct AckToken {
    pub(crate) generation: u64,
    /// `None` for QoS 0, which has nothing to acknowledge.
    pub(crate) packet_id: Option<u16>,
}

impl LinkHandle {
    /// Acknowledges a message to the broker, after the caller's own commit.
    ///
    /// Never blocks. Does nothing where the connection that brought the message has ended: the
    /// broker sends it again, or central does.
    pub fn ack(&self, token: AckToken) {
        if let Some(packet_id) = token.packet_id {
            self.outbound.ack(token.generation, packet_id);
        }
    }
}

/// The receiving end of a link: everything that happened, in order.
#[derive(Debug)]
pub struct Inbox {
    receiver: mpsc::Receiver<Inbound>,
}

impl Inbox {
    /// Waits for the next thing to happen; `None` once the [`crate::LinkTask`] has ended and all
    /// was read.
    ///
    /// A caller may pause: QoS 0 messages that find no place are dropped and counted, and there
    /// is room for one receive maximum of QoS 1 messages. A broker that sends more is held back
    /// by TCP until the inbox is read again; nothing is dropped, but nothing else moves either, so
    /// [`LinkHandle::room`] answers at once then.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Inbound> {
        self.receiver.recv().await
    }

    /// Polls for the next thing to happen, for a caller that reads several links in one place.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Inbound>> {
        self.receiver.poll_recv(context)
    }
}

/// The sending end of the inbox, which keeps one receive maximum free for QoS 1 messages.
#[derive(Debug)]
pub(crate) struct InboxSender {
    sender: mpsc::Sender<Inbound>,
    kept_free: usize,
}

/// The caller dropped its end of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// Makes an inbox for a link with this receive maximum.
pub(crate) fn inbox(receive_maximum: u16) -> (InboxSender, Inbox) {
    let kept_free = usize::from(receive_maximum);
    let capacity = kept_free.saturating_mul(2).saturating_add(INBOX_SLACK);
    let (sender, receiver) = mpsc::channel(capacity);
    (InboxSender { sender, kept_free }, Inbox { receiver })
}

impl InboxSender {
    /// Waits until the kept places and one more are free, as at the start of a connection.
    ///
    /// # Cancel safety
    /// Dropping the future gives every place back.
    pub(crate) async fn wait_for_slack(&self) -> Result<(), Closed> {
        let needed = self.kept_free.saturating_add(1);
        self.sender
            .reserve_many(needed)
            .await
            .map(drop)
            .map_err(|_| Closed)
    }

    /// Waits for a place and takes it.
    pub(crate) async fn send(&self, inbound: Inbound) -> Result<(), Closed> {
        self.sender.send(inbound).await.map_err(|_| Closed)
    }

    /// Takes any place, a kept one too; gives back what found none.
    pub(crate) fn push_kept(&self, inbound: Inbound) -> Result<Option<Inbound>, Closed> {
        match self.sender.try_send(inbound) {
            Ok(()) => Ok(None),
            Err(mpsc::error::TrySendError::Full(inbound)) => Ok(Some(inbound)),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Closed),
        }
    }

    /// Takes a place only where the kept ones stay free; gives back what found none.
    pub(crate) fn push_spare(&self, inbound: Inbound) -> Result<Option<Inbound>, Closed> {
        if self.has_slack() {
            self.push_kept(inbound)
        } else {
            Ok(Some(inbound))
        }
    }

    /// Whether [`Self::push_spare`] would find a place.
    pub(crate) fn has_slack(&self) -> bool {
        self.sender.capacity() > self.kept_free
    }
}
