//! From what was seen to what happened.

use super::{Command, Event, Health, Look, Measures, Telling, Trouble};
use crate::core::Now;

pub(super) fn decide(health: &Health, now: Now, command: Command) -> Vec<Event> {
    let event = match command {
        Command::Looked { device, look } => looked(health, now, device, look),
        Command::Measured(measures) => measured(health, now, measures),
        Command::Kept { device } => {
            let was = telling(health, &device);
            matches!(was, Some(Telling::Due | Telling::NoRoom)).then_some(Event::Kept { device })
        }
        Command::NotKept { device } => {
            let was = telling(health, &device);
            (was == Some(Telling::Due)).then_some(Event::NotKept { device })
        }
        Command::Beaten => Some(Event::Beaten { at: now.wall }),
        Command::TrustRenewed => Some(Event::TrustRenewed),
    };
    event.into_iter().collect()
}

fn telling(health: &Health, device: &str) -> Option<Telling> {
    health.devices.get(device).map(|known| known.telling)
}

fn looked(health: &Health, now: Now, device: String, look: Look) -> Option<Event> {
    let known = health.devices.get(&device);
    let is_new = known.is_none_or(|known| !known.look.is_as(&look));
    is_new.then_some(Event::Changed {
        device,
        look,
        at: now.wall,
    })
}

fn measured(health: &Health, now: Now, measures: Measures) -> Option<Event> {
    let troubles = Trouble::of(&measures, now.trusted, &health.troubles);
    (troubles != health.troubles).then_some(Event::Crossed { troubles })
}
