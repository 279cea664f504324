//! From what was seen to what happened.

use super::{Command, Event, Health, Look, Measures, Telling, Trouble, stock};
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
    let at = now.wall;
    let Some(known) = health.devices.get(&device) else {
        return Some(Event::Changed { device, look, at });
    };
    if !known.look.is_as(&look) {
        return Some(Event::Changed { device, look, at });
    }
    let is_used = stock::is_news(known.look.stock.as_ref(), look.stock.as_ref());
    (is_used && known.quota.has_room(now)).then_some(Event::Used { device, look, at })
}

fn measured(health: &Health, now: Now, measures: Measures) -> Option<Event> {
    let troubles = Trouble::of(&measures, now.trusted, &health.troubles);
    (troubles != health.troubles).then_some(Event::Crossed { troubles })
}
