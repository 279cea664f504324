//! The unit over a bus in memory, under a clock that stands still but for waits.

use loket_usb::Plugged;
use loket_usb::fake::{FakeBus, FakeDevice};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;

const PERIOD: Duration = Duration::from_secs(2);

const HOUR: Duration = Duration::from_secs(3_600);

struct Bench {
    bus: FakeBus,
    plugs: Plugs,
    stop: CancellationToken,
    unit: JoinSet<()>,
}

impl Bench {
    fn new(has_udev: bool) -> Self {
        let bus = FakeBus::default();
        let printers = ["S1", "S2"].map(|serial| {
            let address = format!("ippusb://1209:0001/{serial}");
            (serial.to_owned(), address.parse().unwrap())
        });
        let watch = bus.watch(has_udev, PERIOD);
        let (unit, plugs) = HotplugUnit::over(watch, printers.to_vec());
        let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
        running.spawn(unit.run(stop.clone()));
        Self {
            bus,
            plugs,
            stop,
            unit: running,
        }
    }

    fn set(&self, plugged: Vec<Plugged>) {
        self.bus.turn(|bus| bus.plugged = plugged);
        self.bus.hint();
    }
}

fn device(serial: &str, port: u8) -> Plugged {
    FakeDevice::http(1, 64, |_request| Vec::new()).plugged(Some(serial), port)
}

async fn told(plug: &mut Plug) -> Option<bool> {
    timeout(3 * PERIOD, plug.changed()).await.ok()
}

#[tokio::test(start_paused = true)]
async fn who_looks_at_one_printer_hears_of_that_one_alone() {
    for has_udev in [true, false] {
        let bench = Bench::new(has_udev);
        let [mut one, mut two, mut other] = ["S1", "S2", "net"].map(|it| bench.plugs.of(it));
        bench.set(vec![device("S1", 1), device("S3", 3)]);
        assert_eq!(told(&mut one).await, Some(true));
        assert_eq!(told(&mut two).await, None);
        bench.set(vec![device("S2", 2)]);
        assert_eq!(told(&mut two).await, Some(true));
        assert_eq!(told(&mut one).await, Some(false));
        assert_eq!(told(&mut other).await, None);
        // Who begins to listen hears what happens from then on.
        assert_eq!(told(&mut bench.plugs.of("S2")).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_nobody_waits_is_heard_by_the_next_wait_and_a_wait_may_be_dropped() {
    let bench = Bench::new(true);
    let mut plug = bench.plugs.of("S1");
    for _dropped in 0..3 {
        assert!(timeout(PERIOD, plug.changed()).await.is_err());
    }
    bench.set(vec![device("S1", 1)]);
    assert_eq!(told(&mut bench.plugs.of("S1")).await, Some(true));
    assert_eq!(timeout(Duration::ZERO, plug.changed()).await, Ok(true));
    assert_eq!(told(&mut plug).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_computer_without_usb_is_looked_at_now_and_then_and_nothing_is_told() {
    let bench = Bench::new(false);
    bench.bus.turn(|bus| bus.is_broken = true);
    let mut plug = bench.plugs.of("S1");
    assert!(timeout(HOUR, plug.changed()).await.is_err());
    let looks = bench.bus.look_count();
    assert!((300..=361).contains(&looks), "{looks}");
    bench.bus.turn(|bus| bus.is_broken = false);
    bench.set(vec![device("S1", 1)]);
    assert_eq!(timeout(2 * BROKEN_PAUSE, plug.changed()).await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_bus_where_nothing_happens_is_looked_at_as_seldom_as_it_may() {
    for (has_udev, most) in [(true, 121), (false, 1_801)] {
        let bench = Bench::new(has_udev);
        bench.set(vec![device("S1", 1)]);
        let mut plug = bench.plugs.of("S2");
        assert!(timeout(HOUR, plug.changed()).await.is_err());
        let looks = bench.bus.look_count();
        assert!(looks <= most + 2, "{looks}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_unit_ends_when_it_is_asked_to() {
    let mut bench = Bench::new(true);
    let mut plug = bench.plugs.of("S1");
    bench.stop.cancel();
    let ended = timeout(PERIOD, bench.unit.join_next()).await;
    assert!(matches!(ended, Ok(Some(Ok(())))));
    assert_eq!(
        told(&mut plug).await,
        None,
        "nobody tells, and nobody is woken"
    );
}

#[test]
fn a_machine_without_a_printer_on_usb_watches_nothing() {
    let config = |uri: &str| {
        let text = format!(
            "machine = \"desa-contoh-1\"\nstate_dir = \"/nowhere\"\nruntime_dir = \"/nowhere\"\n\
             trust_dir = \"/nowhere\"\n\
             [[printer]]\nname = \"a4\"\nuri = \"{uri}\"\n"
        );
        toml::from_str::<Config>(&text).unwrap()
    };
    assert!(HotplugUnit::of(&config("ipp://127.0.0.1/ipp/print")).is_none());
    let (unit, plugs) = HotplugUnit::of(&config("ippusb://1209:0001/S1")).unwrap();
    assert_eq!(unit.cables.len(), 1);
    drop((unit, plugs));
}
