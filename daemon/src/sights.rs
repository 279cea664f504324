//! Printers as they were seen last: the health unit looks at them, others ask here and not the printers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::health::Look;
use loket_wire::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// What was seen longer ago is no longer how a printer is: the longest pause between two looks, and a look that takes its
/// time.
const FRESH: Duration = Duration::from_secs(90);

/// One printer.
#[derive(Debug, Clone)]
pub struct Sight {
    /// State, reasons and stock.
    pub look: Look,
    /// Its own count of sheets, where it has one.
    pub impressions: Option<u32>,
    /// When it was seen so, by the machine's wall clock.
    pub at: Timestamp,
    /// The same by a clock that nobody sets.
    pub seen: Instant,
}

/// The printers of a machine, by their names in the settings. Clones share them; one entry a printer, so they are bounded
/// by the settings.
#[derive(Debug, Clone)]
pub struct Sights(Arc<watch::Sender<BTreeMap<String, Sight>>>);

impl Default for Sights {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Sights {
    /// Notes how a printer was seen.
    pub fn note(&self, printer: &str, sight: Sight) {
        self.0.send_modify(|sights| {
            sights.insert(printer.to_owned(), sight);
        });
    }

    /// How a printer was seen a moment ago; none where nobody looked.
    #[must_use]
    pub fn of(&self, printer: &str) -> Option<Sight> {
        let sight = self.0.borrow().get(printer).cloned();
        sight.filter(|sight| sight.seen.elapsed() <= FRESH)
    }
}
