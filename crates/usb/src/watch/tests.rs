//! A bus in memory that is looked at, under a clock that stands still.

use loket_fuzz::Seeded;
use tokio::time::timeout;

use super::*;
use crate::fake::{FakeBus, FakeDevice};

const PERIOD: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(3_600);

fn watching(has_udev: bool) -> (FakeBus, Watch) {
    let bus = FakeBus::default();
    let watch = bus.watch(has_udev, PERIOD);
    (bus, watch)
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
    bus.turn(|bus| bus.plugged = vec![one.clone(), two.clone()]);
    assert_eq!(next(&mut watch).await, Event::Plugged(one.clone()));
    assert_eq!(next(&mut watch).await, Event::Plugged(two.clone()));
    assert!(is_quiet(&mut watch).await);
    bus.turn(|bus| bus.plugged = vec![two.clone()]);
    assert_eq!(next(&mut watch).await, Event::Unplugged(one));
    assert_eq!(watch.plugged(), [two]);
    assert!(is_quiet(&mut watch).await);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_out_and_in_between_two_looks_is_told_by_both() {
    let (bus, mut watch) = watching(false);
    let (before, after) = (printer("A", 1, 5), printer("A", 1, 9));
    bus.turn(|bus| bus.plugged = vec![before.clone()]);
    next(&mut watch).await;
    bus.turn(|bus| bus.plugged = vec![after.clone()]);
    assert_eq!(next(&mut watch).await, Event::Unplugged(before));
    assert_eq!(next(&mut watch).await, Event::Plugged(after));
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_udev_is_followed_at_once() {
    let (bus, mut watch) = watching(true);
    bus.turn(|bus| bus.plugged = vec![printer("A", 1, 5)]);
    next(&mut watch).await;
    let before = Instant::now();
    bus.turn(|bus| bus.plugged.push(printer("B", 2, 6)));
    bus.hint();
    next(&mut watch).await;
    // The clock stands still but for waits of the watch: there was none.
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn where_udev_tells_of_changes_the_bus_is_looked_at_seldom_and_a_lost_event_is_made_up_for() {
    let (bus, mut watch) = watching(true);
    assert!(timeout(10 * TOLD_PERIOD, watch.next()).await.is_err());
    let looks = bus.look_count();
    assert!((10..=11).contains(&looks), "{looks}");
    bus.turn(|bus| bus.plugged = vec![printer("A", 1, 5)]);
    let told = timeout(TOLD_PERIOD, watch.next()).await;
    assert!(matches!(told, Ok(Ok(Event::Plugged(_)))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_the_kernel_has_not_finished_with_is_looked_for_again_soon() {
    let (bus, mut watch) = watching(false);
    bus.turn(|bus| bus.is_unready = true);
    assert!(timeout(PERIOD / 2, watch.next()).await.is_err());
    assert!(bus.look_count() > 5);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_cannot_be_read_is_told_and_read_again() {
    let (bus, mut watch) = watching(false);
    let one = printer("A", 1, 5);
    bus.turn(|bus| bus.plugged = vec![one.clone()]);
    assert_eq!(next(&mut watch).await, Event::Plugged(one));
    bus.turn(|bus| bus.is_broken = true);
    let told = timeout(DEADLINE, watch.next()).await.unwrap();
    assert_eq!(told.unwrap_err().keyword(), "usb-denied");
    bus.turn(|bus| bus.is_broken = false);
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
