//! Looks at a printer on a cable in memory, under a clock that stands still but for waits.

use loket_domain::health::OfficeHours;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::*;
use crate::device::Printer;
use crate::device::bench::{CableBench, NAME};

/// Between two looks where nobody plugs anything: what a test sees sooner was not seen by the poll.
const POLL: Duration = Duration::from_secs(300);

/// A second, and a little for the moment in which two waits end at once.
const SOON: Duration = Duration::from_millis(1_100);

struct Looks {
    seen: mpsc::Receiver<Seen>,
    _watch: JoinSet<()>,
}

impl Looks {
    fn at(cable: &CableBench) -> Self {
        let never_closed = OfficeHours {
            utc_offset_min: 0,
            days: [true; 7],
            open_min: 0,
            close_min: 24 * 60,
        };
        let printer: Arc<dyn Printer> = Arc::new(cable.printer());
        let watched = Watched {
            name: NAME.to_owned(),
            printer: Arc::new(printer),
            rule: PollRule {
                in_hours: POLL,
                quiet: POLL,
                hours: never_closed,
            },
            sights: Sights::default(),
            plug: cable.plugs.of(NAME),
        };
        let (looks, seen) = mpsc::channel(16);
        let mut running = JoinSet::new();
        running.spawn(run(watched, Clock::new(None), looks));
        Self {
            seen,
            _watch: running,
        }
    }

    /// The next look within a time limit: state and reason.
    async fn within(&mut self, limit: Duration) -> Option<(String, String)> {
        let seen = timeout(limit, self.seen.recv()).await.ok()??;
        let reason = seen.look.reasons.first().cloned().unwrap_or_default();
        Some((seen.look.state, reason))
    }
}

fn told(state: &str, reason: &str) -> Option<(String, String)> {
    Some((state.to_owned(), reason.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_is_unplugged_or_plugged_in_is_looked_at_within_a_second_with_udev_and_without()
 {
    for has_udev in [true, false] {
        let mut cable = CableBench::new(has_udev);
        let mut looks = Looks::at(&cable);
        assert_eq!(
            looks.within(SOON).await,
            told("unreachable", "usb-not-there")
        );
        for _time in 0..3 {
            assert_eq!(looks.within(POLL / 2).await, None, "nothing was plugged");
            cable.plug(true);
            assert_eq!(looks.within(SOON).await, told("idle", ""));
            assert_eq!(looks.within(POLL / 2).await, None, "one look is enough");
            cable.unplug();
            let away = told("unreachable", "usb-not-there");
            assert_eq!(
                looks.within(SOON).await,
                away,
                "and not what the last exchange met"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_resets_itself_is_not_seen_away() {
    let mut cable = CableBench::new(true);
    cable.plug(true);
    let mut looks = Looks::at(&cable);
    while looks.within(SOON).await.is_some() {}
    for _reset in 0..3 {
        cable.unplug();
        assert_eq!(looks.within(Duration::from_millis(400)).await, None);
        cable.plug(true);
        assert_eq!(looks.within(SOON).await, told("idle", ""));
        assert_eq!(looks.within(POLL / 2).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_does_not_answer_yet_is_looked_at_again_until_it_does_and_not_for_ever() {
    let mut cable = CableBench::new(true);
    let mut looks = Looks::at(&cable);
    while looks.within(SOON).await.is_some() {}
    let plugged_at = Instant::now();
    cable.plug(false);
    for _look in 0..AFTER_PLUG.len() {
        assert_eq!(
            looks.within(2 * SOON * 16).await,
            told("unreachable", "http-503")
        );
    }
    assert!(plugged_at.elapsed() < Duration::from_secs(20));
    // The printer is ready in the last pause.
    cable.get_ready();
    assert_eq!(looks.within(20 * SOON).await, told("idle", ""));
    assert_eq!(looks.within(POLL / 2).await, None);

    cable.unplug();
    while looks.within(SOON).await.is_some() {}
    cable.plug(false);
    let mut count = 0;
    while count < 100 && looks.within(POLL / 2).await.is_some() {
        count += 1;
    }
    assert_eq!(count, 1 + AFTER_PLUG.len(), "it never answered");
}
