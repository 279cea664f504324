//! What a link must be told: brokers, identity, subscriptions, limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::task::LinkError;

/// The largest payload that is sent, in bytes: the contract's bound on a whole message.
pub const MAX_PAYLOAD_BYTES: usize = 32_768;

/// The packet size announced to the broker, in bytes: the payload bound plus room for topic and
/// properties. The broker drops what is larger; unannounced, it would be sent again and again.
pub const MAX_PACKET_BYTES: u32 = 32_768 + 1_024;

/// How many packet ids rumqttc may use, at most. It allocates 216 bytes for each; left unset, that
/// is 14 MB a link.
pub const INFLIGHT_LIMIT: u16 = 32;

/// How many unacknowledged QoS 1 messages the broker may have sent to us. One order at a time is
/// journalled, so more would only lie in memory.
pub const RECEIVE_MAXIMUM: u16 = 16;

/// MQTT keep-alive: two ticks without an answer end the connection, and one 32 KiB message on a
/// 2G link takes long enough to starve a shorter one.
pub const KEEP_ALIVE: Duration = Duration::from_secs(300);

/// How long TCP, TLS and CONNECT may each take; a satellite link needs several seconds a trip.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the broker keeps the session: a site works without the outside for seven days.
pub const SESSION_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// rumqttc refuses (by a panic) a keep-alive below this.
const MIN_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The keep-alive is a 16-bit number of seconds.
const MAX_KEEP_ALIVE: Duration = Duration::from_secs(65_535);
/// A client id is a machine's name (up to 32 characters) with an optional suffix.
const MAX_CLIENT_ID_BYTES: usize = 128;
/// All filters go out in one SUBSCRIBE, which stays far below any broker's packet limit.
const MAX_SUBSCRIPTIONS: usize = 16;
/// Topics of `loket/v1` are below 100 bytes.
const MAX_TOPIC_BYTES: usize = 512;

/// One broker to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// DNS name or IP address; also the name that the broker's certificate must bear.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// The delivery promise of one publication, hop by hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "QoS")]
pub enum Qos {
    /// QoS 0: sent once, dropped where there is no room.
    AtMostOnce,
    /// QoS 1: confirmed by the broker; may arrive twice.
    AtLeastOnce,
}

/// One message to publish.
#[derive(Clone, PartialEq, Eq)]
pub struct Publication {
    /// The topic, without wildcards.
    pub topic: String,
    /// The message, opaque here; at most [`MAX_PAYLOAD_BYTES`].
    pub payload: Vec<u8>,
    /// The delivery promise.
    pub qos: Qos,
    /// Whether the broker keeps it as the topic's last message.
    pub retain: bool,
    /// How long the broker may hold it for an absent receiver; whole seconds, rounded up.
    pub expiry: Option<Duration>,
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("topic", &self.topic)
            .field("payload_bytes", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("expiry", &self.expiry)
            .finish()
    }
}

/// Makes the will of each connection from its generation, so that what a broker says late of an
/// earlier connection can be told from what it says of the present one.
#[derive(Clone)]
pub struct Will(Arc<MakeWill>);

type MakeWill = dyn Fn(u64) -> Option<Publication> + Send + Sync;

impl Will {
    /// Wraps what makes it; where that gives `None`, the connection has no will.
    pub fn new(make: impl Fn(u64) -> Option<Publication> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// The will of the connection with this generation.
    pub(crate) fn of(&self, generation: u64) -> Option<Publication> {
        (self.0)(generation)
    }
}

/// The same will for every connection.
impl From<Publication> for Will {
    fn from(publication: Publication) -> Self {
        Self::new(move |_generation| Some(publication.clone()))
    }
}

impl fmt::Debug for Will {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Will(..)")
    }
}

/// Everything a link is told at its start; [`LinkConfig::new`] fills in the defaults.
#[derive(Clone)]
pub struct LinkConfig {
    /// The MQTT client id; the broker may replace it by the certificate's name.
    pub client_id: String,
    /// The brokers, tried in this order.
    pub brokers: Vec<BrokerAddress>,
    /// TLS with the client's certificate; `None` is clear TCP, for tests on loopback alone.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// MQTT keep-alive, 5 s to 65,535 s.
    pub keep_alive: Duration,
    /// Bound on TCP and TLS together, and once more on CONNECT; at least 1 s.
    pub connect_timeout: Duration,
    /// Pauses between rounds of connection attempts.
    pub backoff: Backoff,
    /// Seed of the jitter; must differ between machines.
    pub jitter_seed: u64,
    /// What the broker publishes for us when the connection dies without a DISCONNECT.
    pub will: Option<Will>,
    /// How long the broker waits before it publishes the will; a return before that cancels it.
    pub will_delay: Duration,
    /// Topic filters, subscribed at QoS 1 on each connection; at most 16.
    pub subscriptions: Vec<String>,
    /// Whether the broker drops the session of an earlier connection.
    pub clean_start: bool,
    /// How long the broker keeps the session after the connection ended.
    pub session_expiry: Duration,
    /// How many packet ids rumqttc may use; at least 2. See [`INFLIGHT_LIMIT`].
    pub inflight_limit: u16,
    /// How many unacknowledged messages the broker may have sent us; at least 1. See
    /// [`RECEIVE_MAXIMUM`].
    pub receive_maximum: u16,
    /// The packet size announced to the broker. See [`MAX_PACKET_BYTES`].
    pub max_packet_bytes: u32,
}

impl LinkConfig {
    /// Makes a configuration with the documented defaults: no TLS, will or subscriptions, a
    /// session that is kept.
    pub fn new(client_id: impl Into<String>, brokers: Vec<BrokerAddress>) -> Self {
        Self {
            client_id: client_id.into(),
            brokers,
            tls: None,
            keep_alive: KEEP_ALIVE,
            connect_timeout: CONNECT_TIMEOUT,
            backoff: Backoff::default(),
            jitter_seed: 0,
            will: None,
            will_delay: Duration::ZERO,
            subscriptions: Vec::new(),
            clean_start: false,
            session_expiry: SESSION_EXPIRY,
            inflight_limit: INFLIGHT_LIMIT,
            receive_maximum: RECEIVE_MAXIMUM,
            max_packet_bytes: MAX_PACKET_BYTES,
        }
    }

    /// Checks what rumqttc would panic on or what a broker would refuse for ever.
    pub(crate) fn check(&self) -> Result<(), LinkError> {
        if self.brokers.is_empty() {
            return Err(LinkError::NoBroker);
        }
        let id_bytes = self.client_id.len();
        if id_bytes == 0 || id_bytes > MAX_CLIENT_ID_BYTES || self.client_id.contains('\0') {
            return Err(LinkError::ClientId {
                size_bytes: id_bytes,
            });
        }
        if self.keep_alive < MIN_KEEP_ALIVE || self.keep_alive > MAX_KEEP_ALIVE {
            return Err(LinkError::KeepAlive {
                keep_alive: self.keep_alive,
            });
        }
        if self.connect_timeout < Duration::from_secs(1) {
            return Err(LinkError::ConnectTimeout {
                connect_timeout: self.connect_timeout,
            });
        }
        if self.inflight_limit < 2 || self.receive_maximum == 0 {
            return Err(LinkError::Window);
        }
        if self.subscriptions.len() > MAX_SUBSCRIPTIONS {
            return Err(LinkError::TooManySubscriptions {
                count: self.subscriptions.len(),
            });
        }
        for (index, filter) in self.subscriptions.iter().enumerate() {
            if !is_filter(filter) {
                return Err(LinkError::Filter { index });
            }
        }
        match &self.will.as_ref().and_then(|will| will.of(0)) {
            Some(will) if !is_topic(&will.topic) => Err(LinkError::Will),
            Some(will) if will.payload.len() > MAX_PAYLOAD_BYTES => Err(LinkError::Will),
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Debug for LinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkConfig")
            .field("client_id", &self.client_id)
            .field("brokers", &self.brokers)
            .field("tls", &self.tls.is_some())
            .field("keep_alive", &self.keep_alive)
            .field("subscriptions", &self.subscriptions)
            .field("clean_start", &self.clean_start)
            .finish_non_exhaustive()
    }
}

/// Whether `topic` may be published to (MQTT 5, 4.7).
pub(crate) fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= MAX_TOPIC_BYTES && !topic.contains(['+', '#', '\0'])
}

/// Whether `filter` may be subscribed to (MQTT 5, 4.7).
fn is_filter(filter: &str) -> bool {
    !filter.contains('\0') && filter.len() <= MAX_TOPIC_BYTES && rumqttc::valid_filter(filter)
}

/// Seconds as MQTT counts them: whole, rounded up, 32 bits.
pub(crate) fn whole_seconds(duration: Duration) -> u32 {
    let up = u64::from(duration.subsec_nanos() > 0);
    u32::try_from(duration.as_secs().saturating_add(up)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> LinkConfig {
        let broker = BrokerAddress {
            host: "127.0.0.1".into(),
            port: 1883,
        };
        LinkConfig {
            subscriptions: vec!["loket/v1/m-1/cmd/+".into()],
            ..LinkConfig::new("m-1", vec![broker])
        }
    }

    #[test]
    fn defaults_are_accepted() {
        assert_eq!(sound().check(), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_refused_before_any_connection() {
        let refused = [
            LinkConfig {
                brokers: vec![],
                ..sound()
            },
            LinkConfig {
                client_id: String::new(),
                ..sound()
            },
            LinkConfig {
                client_id: "x".repeat(129),
                ..sound()
            },
            LinkConfig {
                keep_alive: Duration::from_secs(4),
                ..sound()
            },
            LinkConfig {
                keep_alive: Duration::from_secs(65_536),
                ..sound()
            },
            LinkConfig {
                connect_timeout: Duration::from_millis(999),
                ..sound()
            },
            LinkConfig {
                inflight_limit: 1,
                ..sound()
            },
            LinkConfig {
                receive_maximum: 0,
                ..sound()
            },
            LinkConfig {
                subscriptions: vec!["a/#/b".into()],
                ..sound()
            },
            LinkConfig {
                subscriptions: vec!["a".into(); 17],
                ..sound()
            },
        ];
        for config in refused {
            assert!(config.check().is_err(), "{config:?}");
        }
    }

    #[test]
    fn seconds_are_rounded_up_so_that_a_short_expiry_is_not_none() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(3)), 3);
        assert_eq!(whole_seconds(Duration::MAX), u32::MAX);
    }

    #[test]
    fn a_publication_shows_its_size_and_not_its_bytes() {
        let publication = Publication {
            topic: "t".into(),
            payload: b"secret".to_vec(),
            qos: Qos::AtMostOnce,
            retain: false,
            expiry: None,
        };
        let shown = format!("{publication:?}");
        assert!(
            shown.contains("payload_bytes: 6") && !shown.contains("115"),
            "{shown}"
        );
    }
}
