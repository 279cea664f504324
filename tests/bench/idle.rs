//! What the daemon takes while nothing happens: linked to mosquitto, one simulated printer asked every 2 s; beside it
//! a cupsd with one queue.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use loket_demo::child::{Program, Running};
use loket_demo::http;
use loket_tests::world::{Build, DEADLINE, Station, World, bin_dir};
use tokio::net::UnixDatagram;

use crate::figures::{Figures, ms, ratio};
use crate::process::{self, Usage};
use crate::section::{Row, Section};
use loket_tests::cups::Cups;

pub(crate) const MACHINE: &str = "desa-contoh-1";

/// Starts that are timed.
const STARTS: usize = 20;

/// What a start brings (the first look at the printer, its report, central's answer) is over by then, and does not
/// count as idle.
pub(crate) const SETTLE: Duration = Duration::from_secs(15);

/// Between two questions to central.
const LOOK: Duration = Duration::from_millis(50);

/// A notification is a few words.
const MAX_NOTIFICATION_BYTES: usize = 4096;

/// What old PCs and thin lines allow (the project's own targets).
const RSS_TARGET_KIB: u64 = 12 * 1024;
const CPU_TARGET_PERCENT: f64 = 0.1;
const READY_TARGET: Duration = Duration::from_millis(150);

/// Looks for `window`.
pub(crate) async fn run(window: Duration) -> anyhow::Result<Section> {
    let mut section = Section::default();
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(MACHINE, &[]).await?;
    let ours = time_starts(&world, &station).await?;
    let peer = Figures::of(Cups::time_starts(&world.site, STARTS).await?);
    for percent in [50, 99] {
        let (ours, peer) = (ours.percentile(percent), peer.percentile(percent));
        let row = Row::new(format!("start → READY, p{percent}"), ms(ours));
        let row = row.beside(ms(peer), ratio(ours, peer));
        section.row(row.target("≤ 150 ms", ours <= READY_TARGET));
    }
    let mut daemon = world.site.start_machine(&station.machine)?;
    wait_online(&world).await?;
    let cups = Cups::start(&world.site, &station.uri).await?;
    watch(&world, (&mut daemon, &cups), window, &mut section).await?;
    let job = world.order(MACHINE, "B-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let pid = daemon.pid().context("find loketd")?;
    let after = process::usage(pid)?;
    section.row(Row::new(
        "RSS, after one family card",
        format!("{} KiB", after.rss_kib),
    ));
    daemon.stop().await?;
    sizes(&mut section).await?;
    section.note(format!(
        "Peer: cupsd with one queue to the same simulated printer, without clients, web page and discovery; its READY \
         is the moment its socket takes a connection. {STARTS} starts each. cupsd polls no printer and has no link."
    ));
    Ok(section)
}

/// What lies on the disk.
async fn sizes(section: &mut Section) -> anyhow::Result<()> {
    let cupsd = size_of(Path::new("/usr/sbin/cupsd"))?;
    let said = Program::at("/usr/bin/ldd".as_ref())
        .run(["/usr/sbin/cupsd"])
        .await?;
    let mut with_libraries = cupsd;
    // `libcups.so.2 => /lib/…/libcups.so.2 (0x…)`; loketd brings all of its own but libc, so libc does not count.
    for library in said
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
    {
        let path = Path::new(library);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_absolute() && !OF_LIBC.iter().any(|its| name.starts_with(its)) {
            with_libraries += size_of(path)?;
        }
    }
    for program in ["loketd", "loket-central"] {
        let size = size_of(&bin_dir(Build::Plain)?.join(program))?;
        let row = Row::new(format!("{program} on disk, stripped"), kib(size));
        section.row(row.beside(kib(with_libraries), process::share(size, with_libraries)));
    }
    section.note(format!(
        "cupsd on disk: {} alone, the figure above with the libraries it loads, libc left out.",
        kib(cupsd)
    ));
    Ok(())
}

/// Libraries that every program here loads.
const OF_LIBC: &[&str] = &[
    "libc.",
    "libm.",
    "libdl.",
    "libpthread.",
    "libresolv.",
    "librt.",
    "ld-linux",
];

fn size_of(program: &Path) -> anyhow::Result<u64> {
    let found = std::fs::metadata(program);
    Ok(found
        .with_context(|| format!("look at {}", program.display()))?
        .len())
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes / 1024)
}

async fn watch(
    world: &World,
    (daemon, cups): (&mut Running, &Cups),
    window: Duration,
    section: &mut Section,
) -> anyhow::Result<()> {
    let (pid, peer) = (daemon.pid().context("find loketd")?, cups.pid()?);
    let_pass(daemon, SETTLE).await?;
    let port = world.site.ports.broker;
    let before = (process::usage(pid)?, process::usage(peer)?);
    let start = process::traffic(pid, port).await?;
    let since = Instant::now();
    let_pass(daemon, window).await?;
    let elapsed = since.elapsed();
    let end = process::traffic(pid, port).await?;
    let (ours, peer) = (process::usage(pid)?, process::usage(peer)?);
    let rss = process::rss_row("idle", &ours, &peer);
    section.row(rss.target("≤ 12 MiB", ours.rss_kib <= RSS_TARGET_KIB));
    process::memory_rows(section, "idle", &ours, &peer);
    cpu_row(section, (&before.0, &ours), (&before.1, &peer), elapsed);
    let sent = end.sent_bytes.saturating_sub(start.sent_bytes);
    let received = end.received_bytes.saturating_sub(start.received_bytes);
    section.note(format!(
        "Idle: linked to mosquitto over mutual TLS, one simulated printer polled, looked at for {:.1} s; on the link \
         {sent} bytes sent and {received} received, counted by the kernel at the TLS socket.",
        elapsed.as_secs_f64()
    ));
    Ok(())
}

/// CPU between two looks, the kernel's ticks of 10 ms being the finest it tells.
fn cpu_row(
    section: &mut Section,
    ours: (&Usage, &Usage),
    peer: (&Usage, &Usage),
    elapsed: Duration,
) {
    let [ours, peer] = [ours, peer].map(|(before, after)| after.cpu.saturating_sub(before.cpu));
    let percent = |cpu: Duration| 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64();
    let row = Row::new("CPU, idle", format!("{:.4} %", percent(ours)));
    let row = row.beside(
        format!("{:.4} %", percent(peer)),
        ratio(ours, peer.max(TICK)),
    );
    section.row(row.target("≤ 0.1 %", percent(ours) <= CPU_TARGET_PERCENT));
}

/// The least CPU time that the kernel tells: a peer that took none is taken to have taken that.
const TICK: Duration = Duration::from_millis(10);

/// Lets time pass over a daemon that does nothing.
pub(crate) async fn let_pass(daemon: &mut Running, time: Duration) -> anyhow::Result<()> {
    match tokio::time::timeout(time, daemon.wait()).await {
        Ok(ended) => bail!("watch loketd: it ended with {}", ended?),
        Err(_passed) => Ok(()),
    }
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
pub(crate) async fn wait_online(world: &World) -> anyhow::Result<()> {
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
