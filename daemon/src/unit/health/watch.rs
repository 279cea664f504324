//! Looks at one printer, again and again; a printer that is dead keeps none of the others waiting.

use std::sync::Arc;
use std::time::Duration;

use loket_domain::health::{Look, PollRule};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::Config;
use crate::device::{Printer, PrinterStatus};
use crate::ground::Ground;
use crate::sights::{Sight, Sights};
use crate::telemetry::chain;

/// A look at a printer that takes longer counts as unreachable: the next one is due by then anyway.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Reasons of one device that are told: printers name a handful.
const MAX_REASONS: usize = 16;

/// A printer and how often it is looked at.
#[derive(Clone)]
pub struct Watched {
    /// Its name in the settings.
    pub name: String,
    /// The printer.
    pub printer: Arc<dyn Printer>,
    /// How often.
    pub rule: PollRule,
    /// Where others find how it was seen.
    pub sights: Sights,
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
pub(crate) fn watched(config: &Config, ground: &Ground) -> Vec<Watched> {
    // Settings are checked before anything is opened: hours that cannot be read do not come this far.
    let Ok(hours) = config.office_hours.parse() else {
        return Vec::new();
    };
    let each = config.printers.iter().filter_map(|settings| {
        let idle_poll_ms = settings.idle_poll_ms.unwrap_or(config.idle_poll_ms);
        Some(Watched {
            name: settings.name.clone(),
            printer: Arc::clone(ground.printers.get(&settings.name)?),
            rule: PollRule {
                in_hours: Duration::from_millis(idle_poll_ms),
                quiet: Duration::from_millis(config.quiet_poll_ms),
                hours,
            },
            sights: ground.sights.clone(),
        })
    });
    each.collect()
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
    } = watched;
    loop {
        let asked = tokio::time::timeout(LOOK_TIMEOUT, printer.status()).await;
        let mut impressions = None;
        let (look, fault) = match asked {
            Ok(Ok(status)) => {
                impressions = status.impressions;
                (look_of(status), None)
            }
            Ok(Err(fault)) => {
                let state = if fault.is_refusal() {
                    "refusing"
                } else {
                    "unreachable"
                };
                (away(state, fault.reason()), Some(chain(&fault)))
            }
            Err(_elapsed) => {
                let fault = format!("no answer within {} s", LOOK_TIMEOUT.as_secs());
                (away("unreachable", "timed-out".to_owned()), Some(fault))
            }
        };
        let now = clock.now();
        let pause = rule.pause(now, &look);
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
        tokio::time::sleep(pause).await;
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
