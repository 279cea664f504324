//! systemd's watchdog, fed by the loop that does the work: one that hangs is killed, whatever else still runs.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// What the service's own loop feeds; nothing where the unit has no watchdog.
#[derive(Debug)]
pub(crate) struct Watchdog {
    every: Option<Duration>,
    fed_at: Option<Instant>,
}

impl Watchdog {
    /// As the unit that started this process has it.
    pub(crate) fn of_this_service() -> Self {
        Self {
            // A third of the limit: two feedings may be late.
            every: sd_notify::watchdog_enabled().map(|limit| limit / 3),
            fed_at: None,
        }
    }

    /// Says that the loop has come round, as often as the watchdog asks for and no more.
    pub(crate) fn feed(&mut self) {
        let Some(every) = self.every else { return };
        if self.fed_at.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        self.fed_at = Some(Instant::now());
        if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
            tracing::debug!(%error, "no service manager was told");
        }
    }
}
