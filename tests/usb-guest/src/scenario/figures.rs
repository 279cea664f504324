//! How fast it goes, beside Debian's ipp-usb and the kernel's own driver on the same device.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use loket_ipp_printer::{IppPrinter, Options};
use loket_sim::usb::UsbKnobs;
use loket_usb::Quirks;
use tokio::process::Command;

use super::rates::{self, documents, rate};
use crate::devices::{Printer, close, ipp, open_http, open_http_at, options, printer};
use crate::figure;
use crate::value::{holds, text, until, until_told};
use crate::vhci::PluggedIn;

/// Exchanges that each side has, in turns with the same over a socket; the first ones warm up and are left out.
const EXCHANGES: usize = 40;
const WARM_UP: usize = 5;

/// Where ipp-usb listens for the first device.
const RIVAL_PORT: u16 = 60_000;

pub(super) async fn measured() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 2).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let over_socket = over_tcp(printer.sim.address(), options())?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let (_way, client) = ipp(&pool)?;
    let ours = exchanges(&client, &over_socket).await?;
    close(&pool).await;
    plugged.until_usblp(0).await?;
    ours.tell("loket-usb");
    figure("memory-of-loket-usb", memory_alone(&plugged).await?, "KiB");
    plugged.until_usblp(0).await?;
    rate("bulk-socket-document", &documents(&over_socket).await?)?;
    let rival = rival(&printer, &plugged, &over_socket).await?;
    rival.tell("ipp-usb");
    // A killed ipp-usb leaves the interface without a driver: the next measurements plug in anew.
    plugged.unplug().await?;
    rates::tell(&printer).await?;
    let (ours, rival) = (ours.took.p50_us(), rival.took.p50_us());
    Ok(format!(
        "an exchange takes {ours} us over loket-usb, {rival} us through ipp-usb; less than the rival: {}",
        ours < rival
    ))
}

/// What a process needs that does nothing but as many exchanges over loket-usb, in KiB.
async fn memory_alone(plugged: &PluggedIn) -> anyhow::Result<u64> {
    let program = std::env::current_exe().context("find this program")?;
    let output = Command::new(program)
        .args([ALONE, plugged.name()])
        .kill_on_drop(true)
        .output();
    let output = output.await.context("start a process of its own")?;
    let told = String::from_utf8_lossy(&output.stdout);
    let told = told.trim();
    holds(told, output.status.success())?;
    told.parse().with_context(|| format!("read {told}"))
}

/// The word for it.
pub(crate) const ALONE: &str = "exchanges-at";

/// The other end of it: exchanges with the printer at a socket; says how much memory this process has then.
pub(crate) async fn alone(socket: &str) -> anyhow::Result<String> {
    let pool = open_http_at(socket, Quirks::default()).await?;
    let (_way, client) = ipp(&pool)?;
    for _ in 0..EXCHANGES.saturating_add(WARM_UP) {
        asked(&client).await?;
    }
    let resident = resident_kib("self")?;
    close(&pool).await;
    Ok(resident.to_string())
}

/// Times of exchanges, sorted.
struct Times(Vec<Duration>);

impl Times {
    fn p50_us(&self) -> u128 {
        self.at(50)
    }

    fn p95_us(&self) -> u128 {
        self.at(95)
    }

    fn at(&self, percent: usize) -> u128 {
        let at = self.0.len().saturating_sub(1).saturating_mul(percent) / 100;
        self.0.get(at).map_or(0, Duration::as_micros)
    }
}

/// What exchanges take, and by how much that is longer than over a socket.
struct Exchanges {
    took: Times,
    beyond: Times,
}

impl Exchanges {
    fn tell(&self, whose: &str) {
        figure(&format!("exchange-{whose}-p50"), self.took.p50_us(), "us");
        figure(&format!("exchange-{whose}-p95"), self.took.p95_us(), "us");
        figure(&format!("overhead-{whose}-p50"), self.beyond.p50_us(), "us");
    }
}

async fn exchanges(client: &IppPrinter, socket: &IppPrinter) -> anyhow::Result<Exchanges> {
    let mut took = Vec::with_capacity(EXCHANGES);
    let mut beyond = Vec::with_capacity(EXCHANGES);
    for number in 0..EXCHANGES.saturating_add(WARM_UP) {
        let ours = asked(client).await?;
        let plain = asked(socket).await?;
        if number >= WARM_UP {
            took.push(ours);
            beyond.push(ours.saturating_sub(plain));
        }
    }
    took.sort();
    beyond.sort();
    Ok(Exchanges {
        took: Times(took),
        beyond: Times(beyond),
    })
}

/// One Get-Printer-Attributes.
async fn asked(client: &IppPrinter) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let told = client.printer_attributes().await;
    told.context("ask the printer")?;
    Ok(start.elapsed())
}

fn over_tcp(address: SocketAddr, options: Options) -> anyhow::Result<IppPrinter> {
    let uri = format!("ipp://{address}/ipp/print");
    let client = IppPrinter::new(&uri, options);
    client.with_context(|| format!("speak to {uri}"))
}

/// For questions to a rival that is about to be ready: one that it loses holds up nothing.
fn impatient() -> Options {
    let mut options = options();
    options.timeouts.idle = READY_PATIENCE;
    options.timeouts.whole = READY_PATIENCE;
    options
}

const READY_PATIENCE: Duration = Duration::from_secs(5);

/// The same exchanges through ipp-usb, and what it takes of memory.
async fn rival(
    printer: &Printer,
    plugged: &PluggedIn,
    socket: &IppPrinter,
) -> anyhow::Result<Exchanges> {
    let mut command = Command::new("/sbin/ipp-usb");
    command
        .arg("standalone")
        .env("HOME", "/tmp")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().context("start ipp-usb")?;
    let id = child.id().context("find ipp-usb")?.to_string();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, RIVAL_PORT));
    let listens = || std::net::TcpStream::connect(address).ok();
    until("ipp-usb at its port", listens).await?;
    // It asks the printer several things itself before it lets anybody else do so.
    let early = over_tcp(address, impatient())?;
    let ready = || async { Ok(early.printer_uuid().await.ok()) };
    let ready = until_told("answers through ipp-usb", ready).await;
    ready.with_context(last_words)?;
    let client = over_tcp(address, options())?;
    let exchanged = exchanges(&client, socket).await;
    let exchanged = exchanged.with_context(last_words)?;
    let uuid = client.printer_uuid().await.context("ask through ipp-usb")?;
    let expected = printer.sim.report().uuid;
    holds(
        "ipp-usb leads to the same printer",
        uuid.is_some_and(|it| it.contains(&expected)),
    )?;
    holds(
        "it does so over USB",
        plugged.driver(0).as_deref() == Some("usbfs"),
    )?;
    figure("memory-of-ipp-usb", resident_kib(&id)?, "KiB");
    let sent = documents(&client).await.with_context(last_words)?;
    rate("bulk-ipp-usb-document", &sent)?;
    child.kill().await.context("end ipp-usb")?;
    Ok(exchanged)
}

/// How many lines of its log the rival is asked for where it fails.
const LAST_LINES: usize = 12;

/// What ipp-usb wrote last into its logs.
fn last_words() -> String {
    let logs = std::fs::read_dir("/var/log/ipp-usb").into_iter().flatten();
    let logs = logs.filter_map(|entry| text(entry.ok()?.path()));
    let logs: Vec<String> = logs.collect();
    let lines: Vec<&str> = logs.iter().flat_map(|log| log.lines()).collect();
    let last = lines.len().saturating_sub(LAST_LINES);
    let last = lines.get(last..).unwrap_or_default();
    format!("measure ipp-usb, which says {}", last.join(" | "))
}

/// What a process keeps in memory (VmRSS).
fn resident_kib(process: &str) -> anyhow::Result<u64> {
    let status = text(format!("/proc/{process}/status")).context("read a process's status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|it| it.split_whitespace().next());
    let number = number.context("find VmRSS")?;
    number.parse().context("read VmRSS")
}
