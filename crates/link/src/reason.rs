//! Why a connection, a publication or a subscription came to nothing.

use std::{fmt, io};

use rumqttc::v5::mqttbytes::Error as PacketError;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, DisconnectReasonCode, PubAckReason, SubscribeReasonCode,
};
use rumqttc::v5::{ConnectionError, StateError};

use crate::dial::DialError;

/// A reason code as MQTT 5 numbers it.
///
/// # Source
/// OASIS MQTT 5.0, section 2.4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReasonCode(u8);

impl ReasonCode {
    /// 0x80: no other code applies.
    pub const UNSPECIFIED: Self = Self(0x80);
    /// 0x82: a packet that was not expected.
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    /// 0x87: the access rules forbid it.
    pub const NOT_AUTHORIZED: Self = Self(0x87);
    /// 0x8B: the broker goes down.
    pub const SERVER_SHUTTING_DOWN: Self = Self(0x8B);
    /// 0x8E: another connection came with the same client id.
    pub const SESSION_TAKEN_OVER: Self = Self(0x8E);

    /// Returns the code's number.
    pub fn value(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasonCode({:#04x})", self.0)
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// What the broker refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReason {
    /// A publication, in its PUBACK; the broker delivers it to nobody.
    #[error("publish: the broker refused with reason code {0}")]
    Publish(ReasonCode),
    /// A subscription, in the SUBACK; the topic of the refusal is its filter.
    #[error("subscribe: the broker refused with reason code {0}")]
    Subscribe(ReasonCode),
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DownReason {
    /// The name did not resolve, or nothing answered.
    #[error("reach the broker: {kind}")]
    Unreachable {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// TCP, TLS or CONNECT took longer than the configured bound.
    #[error("connect to the broker in time")]
    ConnectTimeout,
    /// The broker's host is neither a DNS name nor an IP address.
    #[error("name the broker for TLS")]
    ServerName,
    /// One side refused the other's certificate, or TLS broke.
    #[error("agree on TLS with the broker: {error}")]
    Tls {
        /// What TLS said.
        error: rustls::Error,
    },
    /// The broker answered CONNECT with a refusal.
    #[error("connect: the broker refused with reason code {code}")]
    Refused {
        /// The CONNACK's reason code.
        code: ReasonCode,
    },
    /// The broker said DISCONNECT.
    #[error("stay connected: the broker disconnected with reason code {code}")]
    Disconnected {
        /// The DISCONNECT's reason code.
        code: ReasonCode,
    },
    /// The stream ended without a word.
    #[error("stay connected: the connection was closed")]
    Closed,
    /// The caller left the broker for another one.
    #[error("stay connected: the broker was left for another one")]
    Left,
    /// A ping stayed unanswered for one keep-alive.
    #[error("stay connected: no answer to a ping")]
    NoPingResponse,
    /// Nothing moved for two keep-alives, not even our own ping.
    #[error("stay connected: the connection stalled")]
    Stalled,
    /// The broker broke the protocol: a malformed packet, one too many, one too large.
    #[error("understand the broker")]
    Protocol,
    /// The local socket to the MQTT library could not be made.
    #[error("open the link's local socket: {kind}")]
    LocalSocket {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
}

impl DownReason {
    /// Whether it is the same reason, though perhaps at another moment: TLS puts the time into what it says of dates.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let certificate = |reason: &Self| {
            let Self::Tls { error } = reason else {
                return None;
            };
            let rustls::Error::InvalidCertificate(error) = error else {
                return None;
            };
            Some(std::mem::discriminant(error))
        };
        self == other || certificate(self).is_some_and(|kind| certificate(other) == Some(kind))
    }
}

impl From<DialError> for DownReason {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Unreachable(error) => Self::Unreachable { kind: error.kind() },
            DialError::TimedOut => Self::ConnectTimeout,
            DialError::ServerName => Self::ServerName,
            DialError::Tls(error) => tls_reason(&error).unwrap_or(Self::Closed),
        }
    }
}

/// Finds what TLS said inside an I/O error.
pub(crate) fn tls_reason(error: &io::Error) -> Option<DownReason> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(DownReason::Tls {
        error: inner.clone(),
    })
}

impl From<ConnectionError> for DownReason {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::MqttState(state) => state.into(),
            ConnectionError::Timeout(_) => Self::ConnectTimeout,
            ConnectionError::ConnectionRefused(code) => Self::Refused {
                code: connect_code(code),
            },
            ConnectionError::Io(_) | ConnectionError::Tls(_) | ConnectionError::RequestsDone => {
                Self::Closed
            }
            ConnectionError::NotConnAck(_) => Self::Protocol,
        }
    }
}

impl From<StateError> for DownReason {
    fn from(error: StateError) -> Self {
        match error {
            StateError::ServerDisconnect { reason_code, .. } => Self::Disconnected {
                code: disconnect_code(reason_code),
            },
            StateError::ConnFail { reason } => Self::Refused {
                code: connect_code(reason),
            },
            StateError::AwaitPingResp => Self::NoPingResponse,
            StateError::Io(_)
            | StateError::ConnectionAborted
            | StateError::Deserialization(PacketError::Io(_)) => Self::Closed,
            StateError::Coversion(_)
            | StateError::InvalidState
            | StateError::Unsolicited(_)
            | StateError::WrongPacket
            | StateError::CollisionTimeout
            | StateError::EmptySubscription
            | StateError::Deserialization(_)
            | StateError::InvalidAlias { .. }
            | StateError::OutgoingPacketTooLarge { .. }
            | StateError::IncomingPacketTooLarge { .. } => Self::Protocol,
        }
    }
}

/// The refusal in a PUBACK, if it is one.
pub(crate) fn puback_refusal(reason: PubAckReason) -> Option<RefusedReason> {
    let code = match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => return None,
        PubAckReason::UnspecifiedError => 0x80,
        PubAckReason::ImplementationSpecificError => 0x83,
        PubAckReason::NotAuthorized => 0x87,
        PubAckReason::TopicNameInvalid => 0x90,
        PubAckReason::PacketIdentifierInUse => 0x91,
        PubAckReason::QuotaExceeded => 0x97,
        PubAckReason::PayloadFormatInvalid => 0x99,
    };
    Some(RefusedReason::Publish(ReasonCode(code)))
}

/// The refusal in one code of a SUBACK, if it is one.
pub(crate) fn suback_refusal(reason: SubscribeReasonCode) -> Option<RefusedReason> {
    let code = match reason {
        SubscribeReasonCode::Success(_) => return None,
        SubscribeReasonCode::Failure | SubscribeReasonCode::Unspecified => 0x80,
        SubscribeReasonCode::ImplementationSpecific => 0x83,
        SubscribeReasonCode::NotAuthorized => 0x87,
        SubscribeReasonCode::TopicFilterInvalid => 0x8F,
        SubscribeReasonCode::PkidInUse => 0x91,
        SubscribeReasonCode::QuotaExceeded => 0x97,
        SubscribeReasonCode::SharedSubscriptionsNotSupported => 0x9E,
        SubscribeReasonCode::SubscriptionIdNotSupported => 0xA1,
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => 0xA2,
    };
    Some(RefusedReason::Subscribe(ReasonCode(code)))
}

#[expect(
    clippy::as_conversions,
    reason = "the enum's discriminants are the protocol's numbers"
)]
fn disconnect_code(reason: DisconnectReasonCode) -> ReasonCode {
    ReasonCode(reason as u8)
}

fn connect_code(reason: ConnectReturnCode) -> ReasonCode {
    ReasonCode(match reason {
        ConnectReturnCode::Success => 0x00,
        ConnectReturnCode::UnspecifiedError => 0x80,
        ConnectReturnCode::MalformedPacket => 0x81,
        ConnectReturnCode::ProtocolError => 0x82,
        ConnectReturnCode::ImplementationSpecificError => 0x83,
        ConnectReturnCode::RefusedProtocolVersion
        | ConnectReturnCode::UnsupportedProtocolVersion => 0x84,
        ConnectReturnCode::BadClientId | ConnectReturnCode::ClientIdentifierNotValid => 0x85,
        ConnectReturnCode::BadUserNamePassword => 0x86,
        ConnectReturnCode::NotAuthorized => 0x87,
        ConnectReturnCode::ServiceUnavailable | ConnectReturnCode::ServerUnavailable => 0x88,
        ConnectReturnCode::ServerBusy => 0x89,
        ConnectReturnCode::Banned => 0x8A,
        ConnectReturnCode::BadAuthenticationMethod => 0x8C,
        ConnectReturnCode::TopicNameInvalid => 0x90,
        ConnectReturnCode::PacketTooLarge => 0x95,
        ConnectReturnCode::QuotaExceeded => 0x97,
        ConnectReturnCode::PayloadFormatInvalid => 0x99,
        ConnectReturnCode::RetainNotSupported => 0x9A,
        ConnectReturnCode::QoSNotSupported => 0x9B,
        ConnectReturnCode::UseAnotherServer => 0x9C,
        ConnectReturnCode::ServerMoved => 0x9D,
        ConnectReturnCode::ConnectionRateExceeded => 0x9F,
    })
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;
    use rustls::pki_types::UnixTime;

    use super::*;

    #[test]
    fn a_refused_certificate_is_the_same_reason_at_another_moment() {
        let tls = |error| DownReason::Tls {
            error: rustls::Error::InvalidCertificate(error),
        };
        let expired_at = |s| {
            tls(CertificateError::ExpiredContext {
                time: UnixTime::since_unix_epoch(std::time::Duration::from_secs(s)),
                not_after: UnixTime::since_unix_epoch(std::time::Duration::from_secs(1)),
            })
        };
        assert!(expired_at(5).is_like(&expired_at(6)));
        assert!(!expired_at(5).is_like(&tls(CertificateError::UnknownIssuer)));
        assert!(!expired_at(5).is_like(&DownReason::Closed));
        assert!(DownReason::Closed.is_like(&DownReason::Closed));
    }

    #[test]
    fn codes_are_the_protocols_numbers() {
        assert_eq!(
            puback_refusal(PubAckReason::NotAuthorized),
            Some(RefusedReason::Publish(ReasonCode::NOT_AUTHORIZED))
        );
        assert_eq!(puback_refusal(PubAckReason::NoMatchingSubscribers), None);
        assert_eq!(
            disconnect_code(DisconnectReasonCode::SessionTakenOver),
            ReasonCode::SESSION_TAKEN_OVER
        );
        assert_eq!(
            connect_code(ConnectReturnCode::NotAuthorized),
            ReasonCode::NOT_AUTHORIZED
        );
        assert_eq!(ReasonCode::NOT_AUTHORIZED.to_string(), "0x87");
    }
}
