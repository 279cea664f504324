//! Looks at one printer, again and again; a printer that is dead keeps none of the others waiting.

use std::sync::Arc;
use std::time::Duration;

use loket_domain::health::{Look, PollRule};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::Config;
use crate::device::{Observed, PrinterStatus};
use crate::ground::Ground;
use crate::sights::{Sight, Sights};
use crate::unit::hotplug::{Plug, Plugs};

/// A look at a printer that takes longer counts as unreachable: the next one is due by then anyway.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// A printer that was plugged in is on the bus seconds before it answers: it is looked at again after these pauses while it
/// does not, and then as often as any other.
const AFTER_PLUG: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Reasons of one device that are told: printers name a handful.
const MAX_REASONS: usize = 16;

/// The state of a printer that does not answer.
const UNREACHABLE: &str = "unreachable";

/// A printer and how often it is looked at.
#[derive(Clone)]
pub struct Watched {
    /// Its name in the settings.
    pub name: String,
    /// The printer.
    pub printer: Arc<dyn Observed>,
    /// How often.
    pub rule: PollRule,
    /// Where others find how it was seen.
    pub sights: Sights,
    /// What is heard of its cable, where it has one: then it is looked at at once.
    pub plug: Plug,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched")
            .field("name", &self.name)
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

/// The printers of the settings, with their rules.
pub(crate) fn watched(config: &Config, ground: &Ground, plugs: &Plugs) -> Vec<Watched> {
    // Settings are checked before anything is opened: hours that cannot be read do not come this far.
    let Ok(hours) = config.office_hours.parse() else {
        return Vec::new();
    };
    let watched = |name: &str, printer: Arc<dyn Observed>, idle_poll_ms| Watched {
        name: name.to_owned(),
        printer,
        rule: PollRule {
            in_hours: Duration::from_millis(idle_poll_ms),
            quiet: Duration::from_millis(config.quiet_poll_ms.max(idle_poll_ms)),
            hours,
        },
        sights: ground.sights.clone(),
        plug: plugs.of(name),
    };
    let each = config.printers.iter().filter_map(|settings| {
        let idle_poll_ms = settings.idle_poll_ms.unwrap_or(config.idle_poll_ms);
        let printer = Arc::clone(ground.printers.get(&settings.name)?);
        Some(watched(&settings.name, Arc::new(printer), idle_poll_ms))
    });
    let of_tickets = config.ticket_printer.as_ref().zip(ground.tickets.clone());
    let of_tickets = of_tickets
        .map(|(settings, printer)| watched(&settings.name, printer, settings.idle_poll_ms));
    each.chain(of_tickets).collect()
}

/// What one look saw.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) device: String,
    pub(super) look: Look,
    /// Why it cannot be used, with all causes.
    pub(super) fault: Option<String>,
}

/// Looks until nobody takes what was seen.
pub(super) async fn run(watched: Watched, clock: Clock, looks: mpsc::Sender<Seen>) {
    let Watched {
        name,
        printer,
        rule,
        sights,
        mut plug,
    } = watched;
    let mut soon: &[Duration] = &[];
    let mut is_heard = false;
    loop {
        let mut asked = ask(printer.as_ref()).await;
        if is_heard && asked.look.state == UNREACHABLE {
            // The first exchange may have met what hung at the cable before; the next one is with what hangs there.
            asked = ask(printer.as_ref()).await;
        }
        let Asked {
            look,
            impressions,
            fault,
        } = asked;
        let now = clock.now();
        let mut pause = rule.pause(now, &look);
        if let Some((first, later)) = soon.split_first()
            && look.state == UNREACHABLE
        {
            (pause, soon) = (pause.min(*first), later);
        }
        let sight = Sight {
            look: look.clone(),
            impressions,
            at: now.wall,
            seen: Instant::now(),
        };
        sights.note(&name, sight);
        let seen = Seen {
            device: name.clone(),
            look,
            fault,
        };
        if looks.send(seen).await.is_err() {
            return;
        }
        is_heard = false;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            is_there = plug.changed() => {
                is_heard = true;
                soon = if is_there { &AFTER_PLUG } else { &[] };
            }
        }
    }
}

/// One look.
struct Asked {
    look: Look,
    /// Sides of pages that the printer counted, where it does.
    impressions: Option<u32>,
    /// Why it cannot be used, with all causes.
    fault: Option<String>,
}

async fn ask(printer: &dyn Observed) -> Asked {
    let asked = tokio::time::timeout(LOOK_TIMEOUT, printer.observe()).await;
    let (look, fault) = match asked {
        Ok(Ok(status)) => {
            return Asked {
                impressions: status.impressions,
                look: look_of(status),
                fault: None,
            };
        }
        Ok(Err(why)) => {
            let state = if why.is_refusal {
                "refusing"
            } else {
                UNREACHABLE
            };
            (away(state, why.reason), why.detail)
        }
        Err(_elapsed) => {
            let fault = format!("no answer within {} s", LOOK_TIMEOUT.as_secs());
            (away(UNREACHABLE, "timed-out".to_owned()), fault)
        }
    };
    Asked {
        look,
        impressions: None,
        fault: Some(fault),
    }
}

fn look_of(status: PrinterStatus) -> Look {
    let mut reasons = status.reasons;
    reasons.truncate(MAX_REASONS);
    Look {
        state: status.state.to_owned(),
        reasons,
        model: status.model,
        stock: status.stock,
    }
}

fn away(state: &str, reason: String) -> Look {
    Look {
        state: state.to_owned(),
        reasons: vec![reason],
        model: None,
        stock: None,
    }
}

#[cfg(test)]
mod tests;
