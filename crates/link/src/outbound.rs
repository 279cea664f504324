//! What the caller sends: checked and bounded before the MQTT library sees it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};
use tokio::sync::Notify;

use crate::acks::AckQueue;
use crate::config::{MAX_PAYLOAD_BYTES, Publication, Qos, is_topic, whole_seconds};
use crate::dial::{ByteTotals, LinkBytes};
use crate::window::Window;

/// Why a publication was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// It is over the contract's payload bound or the broker's packet bound; it never will fit.
    #[error("publish {size_bytes} bytes: the limit is {limit_bytes} bytes")]
    TooLarge {
        /// Size of the payload, or of the packet where that is what the broker bounds.
        size_bytes: usize,
        /// The bound it broke.
        limit_bytes: usize,
    },
    /// The topic is empty, too long, or has a wildcard; it never will do.
    #[error("publish: the topic is not one that can be published to")]
    InvalidTopic,
    /// There is no connection; wait for [`crate::Inbound::Up`].
    #[error("publish: the link is down")]
    Down,
    /// Too many are on their way; wait with [`LinkHandle::room`].
    #[error("publish: too many publications are unconfirmed")]
    Full,
}

/// The sending end of a link; clones share it.
#[derive(Debug, Clone)]
pub struct LinkHandle {
    pub(crate) outbound: Arc<Outbound>,
}

impl LinkHandle {
    /// Hands a publication to the current connection. Never blocks.
    ///
    /// `Ok` means accepted, not delivered: the connection may end before the broker has it, and
    /// the broker may lose it after.
    ///
    /// # Errors
    /// [`PublishError::TooLarge`] and [`PublishError::InvalidTopic`] for what can never be sent,
    /// whether the link is up or not; [`PublishError::Down`] and [`PublishError::Full`] for what
    /// can be sent later. Nothing was queued in any of these cases.
    pub fn publish(&self, publication: Publication) -> Result<(), PublishError> {
        let outcome = self.outbound.publish(publication);
        if let Err(error) = &outcome {
            tracing::debug!(%error, "publication not accepted");
        }
        outcome
    }

    /// Waits until [`Self::publish`] has room; never for ever, even where nobody reads the inbox.
    ///
    /// # Errors
    /// [`PublishError::Down`] when there is no connection, or it ends while waiting;
    /// [`PublishError::Full`] when the inbox must be read first, because its messages fill every
    /// place and the link rests. A caller that waits for both in one `select!` meets neither.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing. Room is not reserved: another clone may take it.
    pub async fn room(&self) -> Result<(), PublishError> {
        loop {
            let changed = self.outbound.changed.notified();
            match self.outbound.room() {
                Room::Free => return Ok(()),
                Room::LinkRests => return Err(PublishError::Full),
                Room::Down => return Err(PublishError::Down),
                Room::None => changed.await,
            }
        }
    }

    /// Leaves the present broker: what was accepted is sent, the connection is taken down in order, and the next
    /// broker of the list is tried at once. [`crate::Inbound::Down`] tells when it is done. Does nothing without a
    /// connection.
    ///
    /// Nothing is drawn here: whoever leaves because a whole fleet would must have waited a drawn time before.
    pub fn leave(&self) {
        self.outbound.leave();
    }

    /// Returns the generation of the present connection; `None` while there is none.
    pub fn generation(&self) -> Option<u64> {
        self.outbound.lock().as_ref().map(|open| open.generation)
    }

    /// Returns the bytes that passed the link's sockets so far.
    pub fn bytes(&self) -> LinkBytes {
        self.outbound.totals.read()
    }

    /// Returns how many QoS 0 messages were dropped because the inbox was not read in time.
    pub fn shed_message_count(&self) -> u64 {
        self.outbound.shed.load(Ordering::Relaxed)
    }
}

/// What handle and task share.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    current: Mutex<Option<Open>>,
    changed: Notify,
    leaves: Notify,
    shed: AtomicU64,
    pub(crate) totals: Arc<ByteTotals>,
}

/// The connection that publications go to.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) generation: u64,
    pub(crate) client: AsyncClient,
    pub(crate) window: Window,
    pub(crate) acks: AckQueue,
    pub(crate) max_packet_bytes: Option<u32>,
    /// Whether the link waits for the inbox to be read.
    pub(crate) rests: bool,
    /// Whether the caller wants to be with another broker.
    pub(crate) leaves: bool,
}

/// Whether a publication has room, and what must happen first where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Free,
    /// Confirmations must arrive.
    None,
    /// The inbox must be read.
    LinkRests,
    Down,
}

impl Outbound {
    /// No await happens under this lock, and nothing under it can panic half way.
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets publications through.
    pub(crate) fn open(&self, open: Open) {
        *self.lock() = Some(open);
        self.changed.notify_waiters();
    }

    /// Stops publications and forgets what was on its way; returns how many that were.
    pub(crate) fn close(&self) -> usize {
        let closed = self.lock().take();
        self.changed.notify_waiters();
        closed.map_or(0, |open| open.window.unconfirmed_count())
    }

    /// Changes the window of the current connection, which may make room.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Window) -> T) -> Option<T> {
        let changed = self.lock().as_mut().map(|open| change(&mut open.window));
        self.changed.notify_waiters();
        changed
    }

    pub(crate) fn count_shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes whether the link rests because the inbox is full.
    pub(crate) fn rest(&self, rests: bool) {
        if let Some(open) = self.lock().as_mut() {
            open.rests = rests;
        }
        self.changed.notify_waiters();
    }

    fn leave(&self) {
        if let Some(open) = self.lock().as_mut() {
            open.leaves = true;
        }
        self.leaves.notify_waiters();
    }

    /// Waits until the caller wants to leave the present connection.
    pub(crate) async fn asked_to_leave(&self) {
        loop {
            let asked = self.leaves.notified();
            if self.lock().as_ref().is_some_and(|open| open.leaves) {
                return;
            }
            asked.await;
        }
    }

    fn room(&self) -> Room {
        match self.lock().as_ref() {
            None => Room::Down,
            Some(open) if open.window.has_room() => Room::Free,
            Some(open) if open.rests => Room::LinkRests,
            Some(_) => Room::None,
        }
    }

    fn publish(&self, publication: Publication) -> Result<(), PublishError> {
        let payload_bytes = publication.payload.len();
        if payload_bytes > MAX_PAYLOAD_BYTES {
            return Err(PublishError::TooLarge {
                size_bytes: payload_bytes,
                limit_bytes: MAX_PAYLOAD_BYTES,
            });
        }
        if !is_topic(&publication.topic) {
            return Err(PublishError::InvalidTopic);
        }
        let mut current = self.lock();
        let open = current.as_mut().ok_or(PublishError::Down)?;
        let Publication {
            topic,
            payload,
            qos,
            retain,
            expiry,
        } = publication;
        let properties = PublishProperties {
            message_expiry_interval: expiry.map(whole_seconds),
            ..PublishProperties::default()
        };
        let mut packet = Publish::new(topic.as_str(), mqtt_qos(qos), payload, Some(properties));
        check_packet(&packet, open.max_packet_bytes)?;
        if !open.window.accept(&topic, qos == Qos::AtLeastOnce) {
            return Err(PublishError::Full);
        }
        packet.retain = retain;
        let sent = open.client.try_publish_with_properties(
            topic,
            packet.qos,
            packet.retain,
            packet.payload,
            packet.properties.unwrap_or_default(),
        );
        sent.map_err(|_full| {
            open.window.withdraw();
            PublishError::Full
        })
    }

    pub(crate) fn ack(&self, generation: u64, packet_id: u16) {
        let mut current = self.lock();
        let Some(open) = current
            .as_mut()
            .filter(|open| open.generation == generation)
        else {
            tracing::debug!(generation, "acknowledgement of an ended connection dropped");
            return;
        };
        if !open.acks.push(packet_id) {
            tracing::warn!(
                generation,
                "acknowledgement had no place; the message will come again"
            );
        }
        open.hand_over_acks();
    }

    /// Notes that an acknowledgement is on the wire, which makes place for the next.
    pub(crate) fn on_ack_sent(&self) {
        if let Some(open) = self.lock().as_mut() {
            open.acks.on_sent();
            open.hand_over_acks();
        }
    }
}

impl Open {
    fn hand_over_acks(&mut self) {
        while let Some(packet_id) = self.acks.hand_over() {
            let mut packet = Publish::new("", QoS::AtLeastOnce, Vec::new(), None);
            packet.pkid = packet_id;
            // Its place is kept, so this fails only where the connection has ended.
            if self.client.try_ack(&packet).is_err() {
                return;
            }
        }
    }
}

/// Checks the packet against the bound that the broker announced.
fn check_packet(packet: &Publish, max_packet_bytes: Option<u32>) -> Result<(), PublishError> {
    let Some(limit_bytes) = max_packet_bytes.and_then(|max| usize::try_from(max).ok()) else {
        return Ok(());
    };
    // The packet id (2 bytes) is given later and may lengthen the length field by a byte.
    let size_bytes = packet.size().saturating_add(3);
    if size_bytes > limit_bytes {
        return Err(PublishError::TooLarge {
            size_bytes,
            limit_bytes,
        });
    }
    Ok(())
}

pub(crate) fn mqtt_qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}
