//! MQTT topics of protocol `loket/v1`: machine id first, fixed depth, so that one access pattern and one wildcard serve.

use crate::ids::MachineId;

/// The fixed beginning of every topic.
pub const PREFIX: &str = "loket/v1";

/// Central's own retained presence.
pub const CENTRAL_STATE: &str = "loket/v1/central/state";

/// What central subscribes to: everything machines say.
pub const FROM_MACHINES: [&str; 4] = [
    "loket/v1/+/state",
    "loket/v1/+/hb",
    "loket/v1/+/evt/+",
    "loket/v1/+/sync",
];

/// A topic of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// Retained presence, also the will (QoS 1).
    State,
    /// Heartbeat (QoS 0, expires).
    Heartbeat,
    /// A report, by kind (QoS 1).
    Event(String),
    /// What the machine holds, on each connect (QoS 1).
    Sync,
    /// A command from central, by kind (QoS 1, never retained, expires).
    Command(String),
    /// Central's acknowledgement of reports (QoS 1).
    Ack,
}

impl Channel {
    /// The full topic of this channel for `machine`.
    #[must_use]
    pub fn topic(&self, machine: &MachineId) -> String {
        match self {
            Self::State => format!("{PREFIX}/{machine}/state"),
            Self::Heartbeat => format!("{PREFIX}/{machine}/hb"),
            Self::Event(kind) => format!("{PREFIX}/{machine}/evt/{kind}"),
            Self::Sync => format!("{PREFIX}/{machine}/sync"),
            Self::Command(kind) => format!("{PREFIX}/{machine}/cmd/{kind}"),
            Self::Ack => format!("{PREFIX}/{machine}/ack"),
        }
    }

    /// Reads a topic; `None` for any that this protocol does not have.
    #[must_use]
    pub fn parse(topic: &str) -> Option<(MachineId, Self)> {
        let rest = topic.strip_prefix(PREFIX)?.strip_prefix('/')?;
        let mut parts = rest.split('/');
        let machine: MachineId = parts.next()?.parse().ok()?;
        let channel = match (parts.next()?, parts.next()) {
            ("state", None) => Self::State,
            ("hb", None) => Self::Heartbeat,
            ("sync", None) => Self::Sync,
            ("ack", None) => Self::Ack,
            ("evt", Some(kind)) if is_kind(kind) => Self::Event(kind.to_owned()),
            ("cmd", Some(kind)) if is_kind(kind) => Self::Command(kind.to_owned()),
            (_other, _kind) => return None,
        };
        if parts.next().is_some() {
            return None;
        }
        Some((machine, channel))
    }
}

/// What a machine subscribes to: its commands, its acknowledgements, central's presence.
#[must_use]
pub fn for_machine(machine: &MachineId) -> Vec<String> {
    vec![
        format!("{PREFIX}/{machine}/cmd/+"),
        Channel::Ack.topic(machine),
        CENTRAL_STATE.to_owned(),
    ]
}

fn is_kind(kind: &str) -> bool {
    (1..=32).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_reads_back() {
        let machine: MachineId = "desa-contoh-1".parse().unwrap();
        for channel in [
            Channel::State,
            Channel::Heartbeat,
            Channel::Event("job".to_owned()),
            Channel::Sync,
            Channel::Command("print".to_owned()),
            Channel::Ack,
        ] {
            assert_eq!(
                Channel::parse(&channel.topic(&machine)),
                Some((machine.clone(), channel))
            );
        }
    }

    #[test]
    fn topics_of_another_shape_are_none() {
        for topic in [
            "loket/v1/central/state",
            "loket/v1/desa-1/evt",
            "loket/v1/desa-1/evt/a/b",
            "loket/v1/desa-1/evt/+",
            "loket/v2/desa-1/state",
            "loket/v1/desa-1/state/x",
            "loket/v1/DESA/state",
            "",
        ] {
            assert_eq!(Channel::parse(topic), None, "{topic}");
        }
    }
}
