//! Folding what happened.

use super::stock::Quota;
use super::{Device, Event, Health, Telling};
use crate::core::IllegalEvent;

pub(super) fn apply(health: &mut Health, event: &Event) -> Result<(), IllegalEvent> {
    match event {
        Event::Changed { device, look, at } => {
            let known = health.devices.get(device);
            let seen = Device {
                look: look.clone(),
                since: *at,
                telling: Telling::Due,
                quota: known.map_or_else(Quota::default, |known| known.quota),
            };
            health.devices.insert(device.clone(), seen);
        }
        Event::Used { device, look, at } => {
            let known = seen(health, device, "used")?;
            known.look.clone_from(look);
            known.since = *at;
            known.telling = Telling::Due;
            known.quota.take(*at);
        }
        Event::Crossed { troubles } => {
            health.troubles.clone_from(troubles);
            health.is_beat_owed = true;
        }
        Event::Kept { device } => tell(health, device, "kept", Telling::Kept)?,
        Event::NotKept { device } => {
            tell(health, device, "not-kept", Telling::NoRoom)?;
            health.is_beat_owed = true;
        }
        Event::Beaten { at } => {
            health.is_beat_owed = false;
            health.last_beat = Some(*at);
        }
        Event::TrustRenewed => health.is_beat_owed = true,
    }
    Ok(())
}

fn tell(
    health: &mut Health,
    device: &str,
    event: &'static str,
    telling: Telling,
) -> Result<(), IllegalEvent> {
    seen(health, device, event)?.telling = telling;
    Ok(())
}

fn seen<'a>(
    health: &'a mut Health,
    device: &str,
    event: &'static str,
) -> Result<&'a mut Device, IllegalEvent> {
    health.devices.get_mut(device).ok_or(IllegalEvent {
        event,
        state: "not seen",
    })
}
