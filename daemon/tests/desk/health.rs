//! The health unit beside the desk: devices are looked at side by side, and what is not kept is told later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use loket_daemon::device::{DeviceFuture, Made, Printer, PrinterStatus};
use loket_daemon::sights::Sights;
use loket_daemon::unit::health::{HealthUnit, Watched};
use loket_domain::health::{OfficeHours, PollRule};
use loket_domain::print::{PrinterSurvey, RemoteJob, Sighting};
use loket_inspection::Inspector;
use loket_journal::Journal;
use loket_wire::{Class, DeviceReport, Report};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::world::{EPOCH, World, until};

/// A printer that is asked for its state alone.
#[derive(Debug)]
struct Asked {
    /// False for one at an address that drops every packet.
    answers: bool,
    count: AtomicU32,
}

impl Asked {
    fn new(answers: bool) -> Arc<Self> {
        let count = AtomicU32::new(0);
        Arc::new(Self { answers, count })
    }

    fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }
}

impl Printer for Asked {
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey> {
        Box::pin(std::future::pending())
    }
    fn status(&self) -> DeviceFuture<'_, PrinterStatus> {
        self.count.fetch_add(1, Ordering::AcqRel);
        let idle = PrinterStatus {
            state: "idle",
            reasons: Vec::new(),
            model: None,
            stock: None,
            impressions: None,
        };
        if self.answers {
            Box::pin(std::future::ready(Ok(idle)))
        } else {
            Box::pin(std::future::pending())
        }
    }
    fn create<'a>(&'a self, _: &'a str) -> DeviceFuture<'a, Made> {
        Box::pin(std::future::pending())
    }
    fn locate<'a>(&'a self, _: &'a str) -> DeviceFuture<'a, Sighting> {
        Box::pin(std::future::pending())
    }
    fn send<'a>(&'a self, _: &'a RemoteJob, _: &'a str, _: Bytes) -> DeviceFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
    fn print<'a>(&'a self, _: &'a str, _: Class, _: &'a str, _: Bytes) -> DeviceFuture<'a, Made> {
        Box::pin(std::future::pending())
    }
    fn look<'a>(&'a self, _: &'a RemoteJob) -> DeviceFuture<'a, Sighting> {
        Box::pin(std::future::pending())
    }
    fn cancel<'a>(&'a self, _: &'a RemoteJob) -> DeviceFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

/// Looks at these printers as often as a test likes.
fn watch(world: &World, printers: Vec<(&str, Arc<dyn Printer>)>) -> HealthUnit {
    let rule = PollRule {
        in_hours: Duration::from_millis(10),
        quiet: Duration::from_millis(10),
        hours: OfficeHours {
            utc_offset_min: 0,
            days: [true; 7],
            open_min: 0,
            close_min: 24 * 60,
        },
    };
    let watched = printers.into_iter().map(|(name, printer)| Watched {
        name: name.to_owned(),
        printer: Arc::new(printer),
        rule,
        sights: Sights::default(),
        plug: loket_daemon::unit::hotplug::Plug::default(),
    });
    HealthUnit {
        machine: "desa-contoh-1".parse().unwrap(),
        printers: watched.collect(),
        desk: world.desk(),
        journal: world.journal.clone(),
        documents: Arc::clone(&world.documents),
        records: None,
        judged: Arc::default(),
        // A file that is there: nothing is asked here.
        inspector: Inspector::at("/proc/self/exe".as_ref()),
        state_dir: std::env::temp_dir(),
        clock: world.clock.clone(),
        heartbeat: Duration::from_secs(900),
        trust_max_age: Duration::from_secs(14 * 86_400),
        link: None,
    }
}

/// Reports of devices in the outbox, oldest first.
async fn told(world: &World) -> Vec<DeviceReport> {
    let rows = world.outbox().await.into_iter();
    let devices = rows.filter(|row| row.kind == "device");
    devices
        .map(|row| match serde_json::from_slice(&row.bytes).unwrap() {
            Report::Device(report) => report,
            Report::Job(_) | Report::Key(_) | Report::Quarantine(_) => panic!("{row:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_printer_that_never_answers_keeps_no_other_waiting() {
    let mut world = World::new();
    world.start().await;
    let unit = watch(
        &world,
        vec![("a-dead", Asked::new(false)), ("b-sound", Asked::new(true))],
    );
    let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
    task.spawn(unit.run(stop.clone()));
    until("a report", || async { !told(&world).await.is_empty() }).await;
    let first = told(&world).await.remove(0);
    assert_eq!(
        (first.device.as_str(), first.state.as_str()),
        ("b-sound", "idle")
    );
    stop.cancel();
    task.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_change_that_finds_no_room_in_the_journal_is_told_once_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let bound = 512 * 1024;
    let (journal, _opened) = Journal::open_bounded(&path, *EPOCH.as_bytes(), bound).unwrap();
    let mut world = World::over(journal);
    world.start().await;
    let last = world.fill_journal().await;
    let printer = Asked::new(true);
    let unit = watch(&world, vec![("a4", printer.clone())]);
    let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
    task.spawn(unit.run(stop.clone()));
    until("some looks", || async { printer.count() > 3 }).await;
    assert_eq!(told(&world).await, []);
    world.journal.settle(last).await.unwrap();
    until("a report", || async { !told(&world).await.is_empty() }).await;
    let count = printer.count();
    until("more looks", || async { printer.count() > count + 3 }).await;
    assert_eq!(told(&world).await.len(), 1);
    stop.cancel();
    task.join_next().await.unwrap().unwrap();
}
