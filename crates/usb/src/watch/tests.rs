//! A bus in memory that is looked at, under a clock that stands still.

use std::sync::{Arc, Mutex};

use loket_fuzz::Seeded;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::*;
use crate::error::Doing;
use crate::fake::FakeDevice;

const PERIOD: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default)]
struct Bus {
    listed: Mutex<Vec<Plugged>>,
    is_unready: Mutex<bool>,
    is_broken: Mutex<bool>,
    looks: Mutex<usize>,
    hint: Notify,
}

#[derive(Debug)]
struct Looker {
    bus: Arc<Bus>,
    has_hints: bool,
}

impl Source for Looker {
    fn look(&self) -> Look {
        let bus = Arc::clone(&self.bus);
        Box::pin(async move {
            *bus.looks.lock().unwrap() += 1;
            if *bus.is_broken.lock().unwrap() {
                return Err(UsbError::Denied {
                    doing: Doing::Listing,
                });
            }
            Ok(Listed {
                plugged: bus.listed.lock().unwrap().clone(),
                is_unready: *bus.is_unready.lock().unwrap(),
            })
        })
    }

    fn poll_hint(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.has_hints {
            return Poll::Pending;
        }
        let hinted = self.bus.hint.notified();
        tokio::pin!(hinted);
        hinted.poll(cx)
    }
}

fn watching(has_hints: bool) -> (Arc<Bus>, Watch) {
    let bus = Arc::new(Bus::default());
    let looker = Looker {
        bus: Arc::clone(&bus),
        has_hints,
    };
    (bus, Watch::over(Box::new(looker), PERIOD))
}

fn printer(serial: &str, port: u8, number: u8) -> Plugged {
    let device = FakeDevice::http(1, 64, |_request| Vec::new());
    Plugged {
        number,
        ..device.plugged(Some(serial), port)
    }
}

async fn next(watch: &mut Watch) -> Event {
    timeout(DEADLINE, watch.next())
        .await
        .expect("an event in time")
        .unwrap()
}

async fn is_quiet(watch: &mut Watch) -> bool {
    timeout(10 * PERIOD, watch.next()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_told_first_and_what_changes_without_udev() {
    let (bus, mut watch) = watching(false);
    let (one, two) = (printer("A", 1, 5), printer("B", 2, 6));
    *bus.listed.lock().unwrap() = vec![one.clone(), two.clone()];
    assert_eq!(next(&mut watch).await, Event::Plugged(one.clone()));
    assert_eq!(next(&mut watch).await, Event::Plugged(two.clone()));
    assert!(is_quiet(&mut watch).await);
    *bus.listed.lock().unwrap() = vec![two.clone()];
    assert_eq!(next(&mut watch).await, Event::Unplugged(one));
    assert_eq!(watch.plugged(), [two]);
    assert!(is_quiet(&mut watch).await);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_out_and_in_between_two_looks_is_told_by_both() {
    let (bus, mut watch) = watching(false);
    let (before, after) = (printer("A", 1, 5), printer("A", 1, 9));
    *bus.listed.lock().unwrap() = vec![before.clone()];
    next(&mut watch).await;
    *bus.listed.lock().unwrap() = vec![after.clone()];
    assert_eq!(next(&mut watch).await, Event::Unplugged(before));
    assert_eq!(next(&mut watch).await, Event::Plugged(after));
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_udev_is_followed_at_once() {
    let (bus, mut watch) = watching(true);
    *bus.listed.lock().unwrap() = vec![printer("A", 1, 5)];
    next(&mut watch).await;
    let before = Instant::now();
    bus.listed.lock().unwrap().push(printer("B", 2, 6));
    bus.hint.notify_one();
    next(&mut watch).await;
    // The clock stands still but for waits of the watch: there was none.
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_the_kernel_has_not_finished_with_is_looked_for_again_soon() {
    let (bus, mut watch) = watching(false);
    *bus.is_unready.lock().unwrap() = true;
    assert!(timeout(PERIOD / 2, watch.next()).await.is_err());
    assert!(*bus.looks.lock().unwrap() > 5);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_cannot_be_read_is_told_and_read_again() {
    let (bus, mut watch) = watching(false);
    let one = printer("A", 1, 5);
    *bus.listed.lock().unwrap() = vec![one.clone()];
    assert_eq!(next(&mut watch).await, Event::Plugged(one));
    *bus.is_broken.lock().unwrap() = true;
    let told = timeout(DEADLINE, watch.next()).await.unwrap();
    assert_eq!(told.unwrap_err().keyword(), "usb-denied");
    *bus.is_broken.lock().unwrap() = false;
    assert!(
        is_quiet(&mut watch).await,
        "the device was there all the time"
    );
}

#[test]
fn the_changes_between_two_lists_lead_from_one_to_the_other() {
    for round in 0..200 {
        let mut seeded = Seeded::of_round(20_261_127, round).unwrap();
        let mut list = || -> Vec<Plugged> {
            let ports = (1..6_u8)
                .filter(|_| seeded.below(2) == 0)
                .collect::<Vec<_>>();
            let number = |_| u8::try_from(seeded.below(3)).unwrap();
            let numbers: Vec<u8> = ports.iter().map(number).collect();
            ports
                .iter()
                .zip(numbers)
                .map(|(port, number)| printer("A", *port, number))
                .collect()
        };
        let (before, after) = (list(), list());
        let mut known = before.clone();
        for event in changes(&before, &after) {
            match event {
                Event::Plugged(device) => {
                    let same_port = |it: &Plugged| it.identity.port == device.identity.port;
                    assert!(!known.iter().any(same_port), "one device a socket");
                    known.push(device);
                }
                Event::Unplugged(device) => {
                    assert!(known.contains(&device));
                    known.retain(|it| *it != device);
                }
            }
        }
        known.sort_by(|one, two| one.identity.port.cmp(&two.identity.port));
        assert_eq!(known, after);
        assert_eq!(changes(&after, &after), []);
    }
}
