//! From a fault at the printer to central's console, and from a mended one to the sheet, without a person in between.

use std::time::{Duration, Instant};

use anyhow::bail;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_tests::world::{Build, DEADLINE, Station, World, order_again};

use crate::figures::{Figures, ms};
use crate::idle::{MACHINE, let_pass, wait_online};
use crate::section::{Row, Section};

/// What DESIGN.md promises from the fault to the console.
const CONSOLE_TARGET: Duration = Duration::from_secs(4);

/// Between two questions to the console: a browser asks every second, and this must not be what is measured.
const LOOK: Duration = Duration::from_millis(50);

/// Faults are spread over the rhythm of looks at an idle printer (2 s) by this step, which no multiple of it meets soon.
const STEP: Duration = Duration::from_millis(370);

/// Makes `faults` faults at an idle printer, then as many at a job.
pub(crate) async fn run(faults: usize) -> anyhow::Result<Section> {
    let mut section = Section::default();
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(MACHINE, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    wait_online(&world).await?;
    let (mut told, mut printed) = (Vec::new(), Vec::new());
    for no in 0..faults {
        let_pass(&mut daemon, STEP * u32::try_from(no % 6).unwrap_or(0)).await?;
        told.push(open_door(&world, &station).await?);
        station.turn("/control", r#"{"door_open": false}"#).await?;
        until_console(&world, |page| !page.contains(OPEN)).await?;
    }
    let mut last: Option<String> = None;
    for no in 0..faults {
        station.turn("/control", r#"{"paper": 0}"#).await?;
        let order = order_again(MACHINE, &format!("B-{no}"), "now", last.as_deref());
        let job = world.order_as(SAMPLE_KK, &order).await?;
        until_console(&world, |page| page.contains("kertas habis")).await?;
        let filled = Instant::now();
        station.turn("/control", r#"{"paper": 10}"#).await?;
        world.wait(&job, &["printed"]).await?;
        printed.push(filled.elapsed());
        last = Some(job);
    }
    let (told, printed) = (Figures::of(told), Figures::of(printed));
    for percent in [50, 99] {
        let told = told.percentile(percent);
        let row = Row::new(format!("fault → central's console, p{percent}"), ms(told));
        section.row(row.target("≤ 4 s", told <= CONSOLE_TARGET));
    }
    for percent in [50, 99] {
        let printed = ms(printed.percentile(percent));
        let figure = format!("paper in → printed at central, p{percent}");
        section.row(Row::new(figure, printed));
    }
    section.note(format!(
        "{faults} times a door that opens at an idle printer, looked at every 2 s, and {faults} times a tray that is \
         filled under a waiting job. Nothing of the kind was found beside it: cupsd asks no idle printer."
    ));
    daemon.stop().await?;
    Ok(section)
}

/// What the console says of an open door.
const OPEN: &str = "penutup terbuka";

async fn open_door(world: &World, station: &Station) -> anyhow::Result<Duration> {
    let opened = Instant::now();
    station.turn("/control", r#"{"door_open": true}"#).await?;
    until_console(world, |page| page.contains(OPEN)).await?;
    Ok(opened.elapsed())
}

/// Asks for the list of machines until it is so.
async fn until_console(world: &World, is_so: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let token = Some(world.tokens.it.as_str());
    let mut look = tokio::time::interval(LOOK);
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        look.tick().await;
        let path = "/console/live?lihat=mesin";
        let page = http::call(&world.site.api(), "GET", path, token).await?;
        if is_so(&String::from_utf8_lossy(&page.body)) {
            return Ok(());
        }
    }
    bail!("hear of it from the console")
}
