//! One connection, from CONNECT to its end: the only place that polls rumqttc.

use std::io;
use std::pin::pin;
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnAck, Filter, Packet, PubAck, Publish, SubAck};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use tokio::select;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::acks::AckQueue;
use crate::bridge::Bridge;
use crate::config::{BrokerAddress, LinkConfig};
use crate::dial::dial;
use crate::inbound::{AckToken, Closed, Inbound, InboxSender};
use crate::options::mqtt_options;
use crate::outbound::{Open, Outbound};
use crate::reason::{DownReason, RefusedReason, puback_refusal, suback_refusal, tls_reason};
use crate::window::Window;

/// How long a stop may spend on the requests queued before it and on DISCONNECT.
const STOP_BOUND: Duration = Duration::from_secs(2);

/// No connection is given up as stalled sooner, whatever keep-alive the broker asks for.
const MIN_STALL_BOUND: Duration = Duration::from_secs(10);

/// Room in the request queue beside publications and acknowledgements: SUBSCRIBE, DISCONNECT.
const REQUEST_SLACK: u16 = 4;

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It broke, or was broken off, after `Up`.
    Down(DownReason),
    /// It broke, or was broken off, before `Up`.
    NeverUp(DownReason),
    /// It was told to stop.
    Stopped,
    /// The caller left the broker.
    Left,
    /// The caller dropped its inbox.
    InboxClosed,
}

/// One connection whose CONNECT was answered.
pub(crate) struct Connection<'a> {
    config: &'a LinkConfig,
    outbound: &'a Outbound,
    inbox: &'a InboxSender,
    generation: u64,
    /// Its place in the list.
    broker: usize,
    client: AsyncClient,
    eventloop: Box<EventLoop>,
    bridge: Bridge,
    connack: ConnAck,
    /// Whether `Up` was told.
    was_up: bool,
    /// Refusals that found no place in the inbox; each still holds its place in the window.
    refusals: Vec<(String, RefusedReason)>,
}

impl<'a> Connection<'a> {
    /// Connects to the broker at this place in the list and waits for its CONNACK.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened.
    pub(crate) async fn open(
        config: &'a LinkConfig,
        (place, broker): (usize, &BrokerAddress),
        outbound: &'a Outbound,
        inbox: &'a InboxSender,
        generation: u64,
    ) -> Result<Self, DownReason> {
        let stream = dial(
            (&broker.host, broker.port),
            (&broker.host, config.tls.as_ref()),
            config.connect_timeout,
            std::sync::Arc::clone(&outbound.totals),
        )
        .await?;
        let bridge = Bridge::open(stream).map_err(local_socket)?;
        let (client, mut eventloop) = AsyncClient::new(
            mqtt_options(config, bridge.address(), generation),
            usize::from(request_capacity(config)),
        );
        match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(connack))) => Ok(Self {
                config,
                outbound,
                inbox,
                generation,
                broker: place,
                client,
                eventloop: Box::new(eventloop),
                bridge,
                connack,
                was_up: false,
                refusals: Vec::new(),
            }),
            Ok(_) => Err(DownReason::Protocol),
            Err(error) => {
                drop(eventloop);
                Err(why(error.into(), bridge).await)
            }
        }
    }

    /// Subscribes, tells `Up`, and serves until the connection ends.
    pub(crate) async fn serve(mut self, stop: &CancellationToken) -> End {
        let end = match self.begin(stop).await {
            Ok(()) => self.poll_until_the_end(stop).await,
            Err(end) => end,
        };
        let unconfirmed = self.outbound.close();
        let was_up = self.was_up;
        let Self {
            eventloop,
            bridge,
            generation,
            ..
        } = self;
        drop(eventloop);
        if unconfirmed > 0 {
            tracing::debug!(
                generation,
                unconfirmed,
                "connection ended before all was confirmed"
            );
        }
        match end {
            End::Down(reason) if was_up => End::Down(why(reason, bridge).await),
            End::Down(reason) | End::NeverUp(reason) => End::NeverUp(why(reason, bridge).await),
            End::Stopped | End::Left | End::InboxClosed => {
                drop(bridge.end().await);
                end
            }
        }
    }

    /// Makes sure of places in the inbox and queues the subscriptions; without any, the link is up.
    async fn begin(&mut self, stop: &CancellationToken) -> Result<(), End> {
        let slack = stop.run_until_cancelled(self.inbox.wait_for_slack()).await;
        slack
            .ok_or(End::Stopped)?
            .map_err(|Closed| End::InboxClosed)?;
        let filters: Vec<Filter> = self
            .config
            .subscriptions
            .iter()
            .map(|filter| Filter::new(filter.as_str(), QoS::AtLeastOnce))
            .collect();
        if filters.is_empty() {
            return self.come_up();
        }
        let queued = self.client.try_subscribe_many(filters);
        queued.map_err(|_| End::Down(DownReason::Protocol))
    }

    /// Opens the way for publications and tells `Up`, once: when the subscriptions are answered,
    /// or when a message arrives, which shows that the broker had them from before.
    fn come_up(&mut self) -> Result<(), End> {
        if self.was_up {
            return Ok(());
        }
        self.was_up = true;
        let limits = self.connack.properties.as_ref();
        let max_packet_bytes = limits.and_then(|limits| limits.max_packet_size);
        let broker_ids = limits
            .and_then(|limits| limits.receive_max)
            .unwrap_or(u16::MAX);
        self.outbound.open(Open {
            generation: self.generation,
            client: self.client.clone(),
            window: Window::new(self.config.inflight_limit.min(broker_ids)),
            acks: AckQueue::new(self.config.receive_maximum),
            max_packet_bytes,
            rests: false,
            leaves: false,
        });
        tracing::info!(generation = self.generation, "link up");
        let up = Inbound::Up {
            generation: self.generation,
            broker: self.broker,
            session_present: self.connack.session_present,
            max_packet_bytes,
        };
        match self.inbox.push_kept(up) {
            Ok(None) => Ok(()),
            // `begin` made sure of a place, and nothing was told since.
            Ok(Some(_)) => Err(End::Down(DownReason::Protocol)),
            Err(Closed) => Err(End::InboxClosed),
        }
    }

    /// Polls. A poll in progress is never dropped to do something else: rumqttc does not say that
    /// this is safe, and it loses acknowledgements.
    async fn poll_until_the_end(&mut self, stop: &CancellationToken) -> End {
        let stall_bound = self.stall_bound();
        let up_by = Instant::now() + self.config.connect_timeout;
        let mut stopping = None;
        let mut leaves = false;
        loop {
            let stalled = if self.was_up {
                Instant::now() + stall_bound
            } else {
                up_by
            };
            let mut deadline = stopping.unwrap_or(stalled);
            let polled = {
                let mut polling = pin!(self.eventloop.poll());
                loop {
                    select! {
                        biased;
                        () = stop.cancelled(), if stopping.is_none() => {
                            deadline = Instant::now() + STOP_BOUND;
                            stopping = Some(deadline);
                            self.outbound.close();
                            if self.client.try_disconnect().is_err() {
                                return End::Stopped;
                            }
                        }
                        () = self.outbound.asked_to_leave(), if stopping.is_none() => {
                            deadline = Instant::now() + STOP_BOUND;
                            (stopping, leaves) = (Some(deadline), true);
                            self.outbound.close();
                            if self.client.try_disconnect().is_err() {
                                return End::Left;
                            }
                        }
                        slack = self.inbox.wait_for_slack(), if !self.refusals.is_empty() => {
                            if slack.is_err() {
                                return End::InboxClosed;
                            }
                            tell_refusals(&mut self.refusals, self.outbound, self.inbox);
                        }
                        () = sleep_until(deadline) => {
                            return match stopping {
                                Some(_) => parted(leaves),
                                None if self.was_up => End::Down(DownReason::Stalled),
                                None => End::Down(DownReason::ConnectTimeout),
                            };
                        }
                        polled = &mut polling => break polled,
                    }
                }
            };
            let end = match polled {
                Ok(event) => match self.on_event(event) {
                    Ok(Some(message)) => self.hold(message, stop).await,
                    Ok(None) => None,
                    Err(end) => Some(end),
                },
                Err(error) => Some(End::Down(error.into())),
            };
            match end {
                Some(_) if stopping.is_some() => return parted(leaves),
                Some(end) => return end,
                None => {}
            }
        }
    }

    /// A ping goes out at each keep-alive, so a poll that yields nothing for two of them hangs in a
    /// write. The broker may set another keep-alive than ours.
    fn stall_bound(&self) -> Duration {
        let limits = self.connack.properties.as_ref();
        let brokers = limits.and_then(|limits| limits.server_keep_alive);
        let keep_alive = brokers.map_or(self.config.keep_alive, |seconds| {
            Duration::from_secs(seconds.into())
        });
        keep_alive.saturating_mul(2).max(MIN_STALL_BOUND)
    }

    /// Waits with a message that found no place. Polling rests meanwhile, so that TCP holds the
    /// broker back: mosquitto 2.0.11 passes the receive maximum by up to 14 messages with each
    /// acknowledgement (its issue 2301).
    async fn hold(&mut self, message: Inbound, stop: &CancellationToken) -> Option<End> {
        self.outbound.rest(true);
        let sent = stop.run_until_cancelled(self.inbox.send(message)).await;
        self.outbound.rest(false);
        // Told to stop, the message stays unacknowledged and comes again.
        sent.is_some_and(|sent| sent.is_err())
            .then_some(End::InboxClosed)
    }

    /// Returns the message that found no place in the inbox, if there is one.
    fn on_event(&mut self, event: Event) -> Result<Option<Inbound>, End> {
        match event {
            Event::Incoming(Packet::Publish(publish)) => self.on_message(publish),
            Event::Incoming(packet) => self.on_packet(packet).map(|()| None),
            Event::Outgoing(outgoing) => self.on_outgoing(&outgoing).map(|()| None),
        }
    }

    fn on_packet(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::PubAck(puback) => {
                self.on_puback(&puback);
                Ok(())
            }
            Packet::SubAck(suback) => {
                self.come_up()?;
                self.on_suback(&suback);
                Ok(())
            }
            Packet::PingResp(_) | Packet::Disconnect(_) => Ok(()),
            Packet::Auth(_)
            | Packet::Connect(..)
            | Packet::ConnAck(_)
            | Packet::Publish(_)
            | Packet::PingReq(_)
            | Packet::Subscribe(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_) => Err(End::Down(DownReason::Protocol)),
        }
    }

    fn on_outgoing(&mut self, outgoing: &Outgoing) -> Result<(), End> {
        match outgoing {
            Outgoing::Publish(packet_id) => {
                self.outbound.update(|window| window.on_sent(*packet_id));
                Ok(())
            }
            // A collision of packet ids: the window rules it out, and it would never resolve.
            Outgoing::AwaitAck(_) => Err(End::Down(DownReason::Protocol)),
            Outgoing::PubAck(_) => {
                self.outbound.on_ack_sent();
                Ok(())
            }
            Outgoing::Subscribe(_)
            | Outgoing::Unsubscribe(_)
            | Outgoing::PubRec(_)
            | Outgoing::PubRel(_)
            | Outgoing::PubComp(_)
            | Outgoing::PingReq
            | Outgoing::PingResp
            // The broker closes after DISCONNECT. Until then its answers must be read: leaving
            // them would break the bridge with our last bytes on it.
            | Outgoing::Disconnect => Ok(()),
        }
    }

    fn on_message(&mut self, publish: Publish) -> Result<Option<Inbound>, End> {
        self.come_up()?;
        let packet_id = match publish.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some(publish.pkid),
            QoS::ExactlyOnce => return Err(End::Down(DownReason::Protocol)),
        };
        let Ok(topic) = String::from_utf8(publish.topic.to_vec()) else {
            // Left unacknowledged, it would come again on each connection.
            tracing::warn!(
                generation = self.generation,
                "message with a broken topic dropped"
            );
            if let Some(packet_id) = packet_id {
                self.outbound.ack(self.generation, packet_id);
            }
            return Ok(None);
        };
        let ack = AckToken {
            generation: self.generation,
            packet_id,
        };
        let message = Inbound::Message {
            topic,
            payload: publish.payload.to_vec(),
            is_retained: publish.retain,
            ack,
        };
        let pushed = match packet_id {
            Some(_) => self.inbox.push_kept(message),
            None => self.inbox.push_spare(message),
        };
        match (pushed, packet_id) {
            (Ok(given_back), Some(_)) => Ok(given_back),
            (Ok(Some(_unconfirmed)), None) => {
                self.outbound.count_shed();
                Ok(None)
            }
            (Ok(None), None) => Ok(None),
            (Err(Closed), _) => Err(End::InboxClosed),
        }
    }

    fn on_puback(&mut self, puback: &PubAck) {
        let refused = puback_refusal(puback.reason);
        let topic = self.outbound.update(|window| {
            let topic = window.on_confirmed(puback.pkid);
            if refused.is_some() {
                window.on_refused();
            }
            topic
        });
        if let (Some(reason), Some(Some(topic))) = (refused, topic) {
            self.refusals.push((topic, reason));
            tell_refusals(&mut self.refusals, self.outbound, self.inbox);
        }
    }

    fn on_suback(&mut self, suback: &SubAck) {
        for (filter, code) in self.config.subscriptions.iter().zip(&suback.return_codes) {
            if let Some(reason) = suback_refusal(*code) {
                self.outbound.update(Window::on_refused);
                self.refusals.push((filter.clone(), reason));
            }
        }
        tell_refusals(&mut self.refusals, self.outbound, self.inbox);
    }
}

/// How a connection ended that this side took down.
const fn parted(leaves: bool) -> End {
    if leaves { End::Left } else { End::Stopped }
}

/// Moves refusals to the inbox as far as its spare places go.
fn tell_refusals(
    refusals: &mut Vec<(String, RefusedReason)>,
    outbound: &Outbound,
    inbox: &InboxSender,
) {
    while inbox.has_slack() && !refusals.is_empty() {
        let (topic, reason) = refusals.remove(0);
        tracing::debug!(%reason, "the broker refused");
        if inbox
            .push_spare(Inbound::Refused { topic, reason })
            .is_err()
        {
            return;
        }
        outbound.update(Window::on_refusal_read);
    }
}

/// Where the stream merely closed, asks the bridge whether TLS said more.
async fn why(reason: DownReason, bridge: Bridge) -> DownReason {
    let said = bridge.end().await;
    match (&reason, said) {
        (DownReason::Closed, Some(error)) => tls_reason(&error).unwrap_or(reason),
        _ => reason,
    }
}

fn local_socket(error: io::Error) -> DownReason {
    DownReason::LocalSocket { kind: error.kind() }
}

/// A place for each publication, confirmed or not, and those that acknowledgements take turns in.
fn request_capacity(config: &LinkConfig) -> u16 {
    config
        .inflight_limit
        .saturating_mul(2)
        .saturating_add(config.receive_maximum)
        .saturating_add(REQUEST_SLACK)
}
