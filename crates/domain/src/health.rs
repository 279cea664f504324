//! Health of one machine: what changed, what central does not know yet, when the next heartbeat is due.
//!
//! ```text
//! look at a printer ──> Changed, Used ──> effect Report ──> Kept (in the outbox)
//!                                              └─────────> NotKept ──┐
//! measures ──> Crossed (a bound) ────────────────────────────────────┴──> effect Heartbeat ──> Beaten
//! ```
//!
//! Invariants: a device is told of only when it changed, or when what it has left is worth a report (`stock.rs` says
//! when that is, and how often at most); a change whose report finds no room in the journal goes with
//! the heartbeats until it does; a heartbeat is due when a bound was crossed, when a report found no room, and after
//! its time. Nothing of this outlives the program: at the start everything is looked at anew.
//!
//! It does not know how devices are asked, nor what a bound means for people.

mod apply;
mod command;
mod decide;
mod effect;
mod hours;
mod stock;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use loket_wire::Timestamp;

pub use command::{Command, Event, Look, Measures};
pub use effect::Effect;
pub use hours::{OfficeHours, PollRule};
pub use trouble::Trouble;

use crate::core::{Core, IllegalEvent, Now};

/// Everything known of a machine's health.
#[derive(Debug, Clone)]
pub struct Health {
    heartbeat_every: Duration,
    devices: BTreeMap<String, Device>,
    troubles: BTreeSet<Trouble>,
    is_beat_owed: bool,
    last_beat: Option<Timestamp>,
}

/// A device as last seen.
#[derive(Debug, Clone)]
struct Device {
    look: Look,
    /// When it was seen to be so.
    since: Timestamp,
    telling: Telling,
    /// How often it may be told of for what it has left alone.
    quota: stock::Quota,
}

/// How far central has been told of a device's last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// Its report is to be written.
    Due,
    /// Its report found no room; it is tried again, and goes with heartbeats until then.
    NoRoom,
    /// Its report stands in the outbox.
    Kept,
}

impl Health {
    /// Of a machine that has seen nothing yet; its first heartbeat is owed.
    #[must_use]
    pub const fn new(heartbeat_every: Duration) -> Self {
        Self {
            heartbeat_every,
            devices: BTreeMap::new(),
            troubles: BTreeSet::new(),
            is_beat_owed: true,
            last_beat: None,
        }
    }

    /// The bounds that are crossed at present.
    #[must_use]
    pub const fn troubles(&self) -> &BTreeSet<Trouble> {
        &self.troubles
    }
}

impl Core for Health {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Infallible;

    fn decide(&self, now: Now, command: Command) -> Result<Vec<Event>, Infallible> {
        Ok(decide::decide(self, now, command))
    }

    fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        apply::apply(self, event)
    }

    fn effects(&self, now: Now) -> Vec<Effect> {
        effect::effects(self, now)
    }

    fn wake_at(&self, now: Now) -> Option<Timestamp> {
        let due = self.last_beat?.saturating_add(self.heartbeat_every);
        (due > now.wall).then_some(due)
    }
}

#[cfg(test)]
mod tests;
