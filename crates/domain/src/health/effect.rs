//! What the present state asks for.

use loket_wire::DeviceReport;

use super::{Device, Health, Telling, Trouble};
use crate::core::Now;

/// What the shell must do; running one twice tells central the same twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write this report into the outbox, and say whether it was kept.
    Report(DeviceReport),
    /// Send a heartbeat with these, and say when it left.
    Heartbeat {
        /// The bounds that are crossed.
        troubles: Vec<Trouble>,
        /// Changes whose reports found no room in the journal.
        devices: Vec<DeviceReport>,
    },
}

pub(super) fn effects(health: &Health, now: Now) -> Vec<Effect> {
    let not_kept = |(_, device): &(&String, &Device)| device.telling != Telling::Kept;
    let reports = health.devices.iter().filter(not_kept);
    let mut effects: Vec<_> = reports
        .map(|(name, device)| Effect::Report(report_of(name, device)))
        .collect();
    if is_beat_due(health, now) {
        let no_room = |(_, device): &(&String, &Device)| device.telling == Telling::NoRoom;
        let devices = health.devices.iter().filter(no_room);
        effects.push(Effect::Heartbeat {
            troubles: health.troubles.iter().copied().collect(),
            devices: devices
                .map(|(name, device)| DeviceReport {
                    // A heartbeat has room for what is wrong; what is left goes with the report that is tried again.
                    stock: None,
                    ..report_of(name, device)
                })
                .collect(),
        });
    }
    effects
}

/// A clock that was set back must not silence a machine: a heartbeat of the future counts as none.
fn is_beat_due(health: &Health, now: Now) -> bool {
    let is_due = health.last_beat.is_none_or(|last| {
        now.wall < last || now.wall >= last.saturating_add(health.heartbeat_every)
    });
    health.is_beat_owed || is_due
}

fn report_of(name: &str, device: &Device) -> DeviceReport {
    DeviceReport {
        device: name.to_owned(),
        state: device.look.state.clone(),
        reasons: device.look.reasons.clone(),
        model: device.look.model.clone(),
        stock: device.look.stock.clone(),
        at: device.since,
    }
}
