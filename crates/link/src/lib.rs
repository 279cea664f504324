//! One MQTT 5 connection to one of the brokers, kept up, with resumable downloads beside it.
//!
//! The broker and the MQTT library are disposable: nothing in this crate is a promise about
//! delivery. An inbound message is acknowledged by its receiver after its own commit; an accepted
//! publication may be lost with the connection, which [`Inbound::Down`] tells; senders keep their
//! rows until an application acknowledgement arrives and send them again.
//!
//! ```text
//!  caller ── LinkHandle::publish / ack ──► request queue ─┐
//!                                                         ▼
//!  caller ◄── Inbox::next ◄── bounded queue ◄── LinkTask (polls, does nothing else)
//!                                                         │ MQTT on a private local socket
//!                                                         ▼
//!                                              bridge: TLS, bytes counted ──► broker
//! ```
//!
//! # One `EventLoop` a connection
//! rumqttc keeps `collision` and `pending` from one connection to the next: the first makes it
//! ping and reconnect for ever, the second is emptied without a word when the broker has lost the
//! session. So each connection gets an event loop of its own, which dies with it. Packet ids start
//! anew, which QoS 1 allows: a broker keeps no state for publications that it has acknowledged.
//!
//! # Bounds
//! - Publications on their way: fewer packet ids than rumqttc may use, measured from the oldest
//!   unconfirmed one (`window.rs`), so that ids never collide and acknowledgements never queue
//!   behind a full window.
//! - Unread messages: the inbox keeps room for one receive maximum, so QoS 1 messages stop nothing;
//!   QoS 0 messages give way first. A broker that sends more (mosquitto 2.0.11 does: each
//!   acknowledgement frees up to one receive maximum, its issue 2301) is held back by not polling,
//!   and [`LinkHandle::room`] then answers instead of waiting. So a unit waits for the inbox and
//!   for room in one `select!`, or for the inbox alone.
//! - Acknowledgements: more of them than the broker may have under way wait for their turn
//!   (`acks.rs`), so that none is lost and none takes a publication's place.

mod acks;
mod backoff;
mod bridge;
mod config;
mod connection;
mod dial;
mod fetch;
mod inbound;
mod options;
mod outbound;
mod reason;
mod task;
mod window;

pub use backoff::Backoff;
pub use config::{
    BrokerAddress, CONNECT_TIMEOUT, INFLIGHT_LIMIT, KEEP_ALIVE, LinkConfig, MAX_PACKET_BYTES,
    MAX_PAYLOAD_BYTES, Publication, Qos, RECEIVE_MAXIMUM, SESSION_EXPIRY, Will,
};
pub use dial::LinkBytes;
pub use fetch::{
    Answer, FetchEnd, FetchError, FetchTarget, FetchTimeouts, Method, SinkError, Submission,
    fetch_from, fetch_from_within, submit,
};
pub use inbound::{AckToken, Inbound, Inbox};
pub use outbound::{LinkHandle, PublishError};
pub use reason::{DownReason, ReasonCode, RefusedReason};
pub use task::{LinkError, LinkTask, open};
