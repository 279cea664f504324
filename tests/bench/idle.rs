//! What the daemon takes while nothing happens: linked to mosquitto, one simulated printer asked every 2 s; beside it
//! a cupsd with one queue.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use loket_demo::child::Running;
use loket_demo::http;
use loket_tests::world::{Build, DEADLINE, Station, World, bin_dir};
use tokio::net::UnixDatagram;

use crate::cups::Cups;
use crate::figures::Figures;
use crate::process::{self, Usage};

const MACHINE: &str = "desa-contoh-1";

/// Starts that are timed.
const STARTS: usize = 20;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One heartbeat falls into a window of this length, so a day is a whole number of such windows.
const HEARTBEAT: Duration = Duration::from_secs(900);

/// What a start brings (the first look at the printer, its report, central's answer) is over by then, and does not
/// count as idle.
const SETTLE: Duration = Duration::from_secs(15);

/// Between two questions to central.
const LOOK: Duration = Duration::from_millis(50);

/// A notification is a few words.
const MAX_NOTIFICATION_BYTES: usize = 4096;

/// Looks for `window`; prints the figures.
pub(crate) async fn run(window: Duration) -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(MACHINE, &[]).await?;
    let starts = time_starts(&world, &station).await?;
    println!("start → READY: {starts}");
    let mut daemon = world.site.start_machine(&station.machine)?;
    wait_online(&world).await?;
    let cups = Cups::start(&world.site, &station.uri).await?;
    watch(&world, &mut daemon, &cups, window).await?;
    let job = world.order(MACHINE, "B-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let pid = daemon.pid().context("find loketd")?;
    tell("loketd after one family card", &process::usage(pid)?);
    daemon.stop().await?;
    for program in ["loketd", "loket-central"] {
        let size = std::fs::metadata(bin_dir(Build::Plain)?.join(program));
        println!(
            "{program}: {} bytes",
            size.context("look at a program")?.len()
        );
    }
    let size = std::fs::metadata("/usr/sbin/cupsd").context("look at cupsd")?;
    println!("cupsd: {} bytes, without its libraries", size.len());
    Ok(())
}

async fn watch(
    world: &World,
    daemon: &mut Running,
    cups: &Cups,
    window: Duration,
) -> anyhow::Result<()> {
    let (pid, peer) = (daemon.pid().context("find loketd")?, cups.pid()?);
    let_pass(daemon, SETTLE).await?;
    let port = world.site.ports.broker;
    let before = (process::usage(pid)?, process::usage(peer)?);
    let traffic_before = process::traffic(pid, port).await?;
    let since = Instant::now();
    let_pass(daemon, window).await?;
    let elapsed = since.elapsed();
    let traffic_after = process::traffic(pid, port).await?;
    let after = (process::usage(pid)?, process::usage(peer)?);
    println!("looked for {:.1} s", elapsed.as_secs_f64());
    for (name, before, after) in [
        ("loketd", &before.0, &after.0),
        ("cupsd", &before.1, &after.1),
    ] {
        tell(name, after);
        let cpu = after.cpu.saturating_sub(before.cpu);
        let percent = 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64();
        println!(
            "{name}: CPU {:.0} ms, {percent:.4} %",
            cpu.as_secs_f64() * 1_000.0
        );
    }
    let sent = traffic_after
        .sent_bytes
        .saturating_sub(traffic_before.sent_bytes);
    let received = traffic_after
        .received_bytes
        .saturating_sub(traffic_before.received_bytes);
    println!("link: {sent} bytes sent, {received} received");
    if window >= HEARTBEAT {
        let bytes = f64::from(u32::try_from(sent + received).context("count bytes")?);
        let a_day = bytes * DAY.as_secs_f64() / elapsed.as_secs_f64();
        println!("link: {a_day:.0} bytes a day");
    } else {
        println!("link: too short for bytes a day, which needs {HEARTBEAT:?}");
    }
    Ok(())
}

/// Lets time pass over a daemon that does nothing.
async fn let_pass(daemon: &mut Running, time: Duration) -> anyhow::Result<()> {
    match tokio::time::timeout(time, daemon.wait()).await {
        Ok(ended) => bail!("watch loketd: it ended with {}", ended?),
        Err(_passed) => Ok(()),
    }
}

fn tell(name: &str, usage: &Usage) {
    println!(
        "{name}: RSS {} KiB ({} anonymous, {} at most), {} threads",
        usage.rss_kib, usage.anonymous_kib, usage.peak_kib, usage.thread_count
    );
}

/// Starts and stops the daemon again and again, and times each start from the fork to its READY.
async fn time_starts(world: &World, station: &Station) -> anyhow::Result<Figures> {
    let path = world.site.path("notify");
    let socket = UnixDatagram::bind(&path).context("make a socket for notifications")?;
    let mut site = world.site.clone();
    let path = path.display().to_string();
    site.programs.loketd = site.programs.loketd.with_env("NOTIFY_SOCKET", &path);
    let mut durations = Vec::new();
    for _ in 0..STARTS {
        let since = Instant::now();
        let mut daemon = site.start_machine(&station.machine)?;
        let ready = tokio::time::timeout(DEADLINE, hear(&socket, "READY=1")).await;
        ready.context("hear READY")??;
        durations.push(since.elapsed());
        daemon.stop().await?;
        // What it said while it stopped must not stand for the next one.
        let mut rest = [0; MAX_NOTIFICATION_BYTES];
        while socket.try_recv(&mut rest).is_ok() {}
    }
    Ok(Figures::of(durations))
}

async fn hear(socket: &UnixDatagram, line: &str) -> anyhow::Result<()> {
    let mut buffer = [0; MAX_NOTIFICATION_BYTES];
    loop {
        let count = socket.recv(&mut buffer).await.context("hear the daemon")?;
        let said = String::from_utf8_lossy(buffer.get(..count).unwrap_or_default());
        if said.lines().any(|it| it == line) {
            return Ok(());
        }
    }
}

/// Waits until central calls the machine online.
async fn wait_online(world: &World) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK);
    let wait = async {
        loop {
            look.tick().await;
            let token = Some(world.tokens.it.as_str());
            let answer = http::call(&world.site.api(), "GET", "/api/v1/machines", token).await?;
            if answer.json()?.to_string().contains(r#""online""#) {
                return Ok(());
            }
        }
    };
    let online = tokio::time::timeout(DEADLINE, wait).await;
    online.context("see the machine online")?
}
