//! How fast it goes, beside Debian's ipp-usb and the kernel's own driver on the same device.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use loket_ipp_printer::{IppPrinter, NewJob};
use loket_sim::usb::{ByteSink, Description, Port, PortFuture, UsbKnobs};
use loket_usb::{HttpPool, Quirks};
use ring::digest::{Context, SHA256};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream,
};
use tokio::process::Command;

use crate::devices::{Printer, close, document, ipp, listed, open_http, options, printer};
use crate::figure;
use crate::value::{holds, text, until, until_told};
use crate::vhci::{self, PluggedIn};

/// Exchanges that each side has; the first ones warm up and are left out.
const EXCHANGES: usize = 20;
const WARM_UP: usize = 5;

/// What is sent to see how fast bytes go.
const BULK_BYTES: usize = 1024 * 1024;

/// Each way of sending is measured in so many rounds, in turns, and so often in each; the best counts, for what disturbs
/// only makes slower.
const ROUNDS: usize = 8;
const EACH: usize = 5;

/// Where ipp-usb listens for the first device.
const RIVAL_PORT: u16 = 60_000;

pub(super) async fn measured() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 2).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let over_socket = over_tcp(printer.sim.address())?;
    let socket = exchanges(&over_socket).await?;
    figure("exchange-socket-p50", socket.p50_us(), "us");
    rate("bulk-socket-document", &documents(&over_socket).await?)?;
    let before = resident_kib("self")?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let (_way, client) = ipp(&pool)?;
    let ours = exchanges(&client).await?;
    let after = resident_kib("self")?;
    close(&pool).await;
    plugged.until_usblp(0).await?;
    figure("exchange-loket-usb-p50", ours.p50_us(), "us");
    figure("exchange-loket-usb-p95", ours.p95_us(), "us");
    figure(
        "memory-added-by-loket-usb",
        after.saturating_sub(before),
        "KiB",
    );
    let rival = rival(&printer, &plugged).await?;
    figure("exchange-ipp-usb-p50", rival.p50_us(), "us");
    figure("exchange-ipp-usb-p95", rival.p95_us(), "us");
    // A killed ipp-usb leaves the interface without a driver: the next measurements plug in anew.
    plugged.unplug().await?;
    bulk(&printer).await?;
    let faster = ours.p50_us() < rival.p50_us();
    Ok(format!(
        "an exchange takes {} us over loket-usb, {} us through ipp-usb, {} us over a socket without USB; less than the rival: {faster}",
        ours.p50_us(),
        rival.p50_us(),
        socket.p50_us()
    ))
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

async fn exchanges(client: &IppPrinter) -> anyhow::Result<Times> {
    let mut times = Vec::with_capacity(EXCHANGES);
    for number in 0..EXCHANGES.saturating_add(WARM_UP) {
        let start = Instant::now();
        client
            .printer_attributes()
            .await
            .context("ask the printer")?;
        if number >= WARM_UP {
            times.push(start.elapsed());
        }
    }
    times.sort();
    Ok(Times(times))
}

fn over_tcp(address: SocketAddr) -> anyhow::Result<IppPrinter> {
    let uri = format!("ipp://{address}/ipp/print");
    let client = IppPrinter::new(&uri, options());
    client.with_context(|| format!("speak to {uri}"))
}

/// The same exchanges through ipp-usb, and what it takes of memory.
async fn rival(printer: &Printer, plugged: &PluggedIn) -> anyhow::Result<Times> {
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
    let client = over_tcp(address)?;
    // It asks the printer several things itself before it lets anybody else do so.
    let ready = || async { Ok(client.printer_uuid().await.ok()) };
    let ready = until_told("answers through ipp-usb", ready).await;
    ready.with_context(last_words)?;
    let times = exchanges(&client).await.with_context(last_words)?;
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
    Ok(times)
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

/// One MiB in turns: as bytes over usblp, as bytes over loket-usb, as the body of a request, and as an IPP document.
async fn bulk(printer: &Printer) -> anyhow::Result<()> {
    let bytes = document(BULK_BYTES);
    let (mut by_kernel, mut by_bytes) = (Vec::new(), Vec::new());
    let (mut by_requests, mut by_documents) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (kernel, raw) = raw(&bytes).await?;
        by_kernel.extend(kernel);
        by_bytes.extend(raw);
        by_requests.extend(requests(&bytes).await?);
        let plugged = printer.plug(0, UsbKnobs::default()).await?;
        let pool = open_http(&plugged, Quirks::default()).await?;
        let (_way, client) = ipp(&pool)?;
        by_documents.extend(documents(&client).await?);
        close(&pool).await;
        plugged.unplug().await?;
    }
    rate("bulk-usblp", &by_kernel)?;
    rate("bulk-loket-usb-raw", &by_bytes)?;
    rate("bulk-loket-usb-http", &by_requests)?;
    rate("bulk-loket-usb-document", &by_documents)
}

/// Bytes to the same device, over usblp and over loket-usb.
async fn raw(bytes: &[u8]) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let sink = ByteSink::default();
    let port: Arc<dyn Port> = Arc::new(sink.clone());
    let ticket = Description::ticket_printer(Some("T-RATE"), port);
    let plugged = vhci::plug(1, ticket, UsbKnobs::default()).await?;
    plugged.until_usblp(0).await?;
    let (mut by_kernel, mut by_us) = (Vec::with_capacity(EACH), Vec::with_capacity(EACH));
    for _ in 0..EACH {
        by_kernel.push(over_usblp(bytes, &sink).await?);
    }
    let device = listed(&plugged).await?;
    let opened = loket_usb::open_raw(&device, Quirks::default()).await;
    let mut raw = opened.context("open it")?;
    for _ in 0..EACH {
        let target = sink.count().saturating_add(wide(bytes.len()));
        let start = Instant::now();
        raw.write(bytes).await.context("write to it")?;
        sink.until(target).await;
        by_us.push(start.elapsed());
    }
    raw.close().await;
    plugged.unplug().await?;
    Ok((by_kernel, by_us))
}

/// Takes requests as [`ByteSink`] takes bytes, and answers each with nothing: what a printer makes of a document is not in it.
#[derive(Debug)]
struct RequestSink;

impl Port for RequestSink {
    fn serve(&self, cable: DuplexStream) -> PortFuture {
        Box::pin(async move {
            let mut cable = BufReader::with_capacity(PIECE_BYTES, cable);
            while let Ok(Some(mut left)) = body_len(&mut cable).await {
                let mut digest = Context::new(&SHA256);
                while left > 0 {
                    let Ok(piece @ [_, ..]) = cable.fill_buf().await else {
                        return;
                    };
                    let len = piece.len().min(left);
                    digest.update(piece.get(..len).unwrap_or_default());
                    cable.consume(len);
                    left = left.saturating_sub(len);
                }
                // As the other sink, it reckons what nobody asks for.
                let _digest = digest.finish();
                if cable.get_mut().write_all(NOTHING).await.is_err() {
                    return;
                }
            }
        })
    }
}

/// So much is taken at a time, as by [`ByteSink`].
const PIECE_BYTES: usize = 16 * 1024;

const NOTHING: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Reads a request's head; nothing where there is none.
async fn body_len(cable: &mut BufReader<DuplexStream>) -> std::io::Result<Option<usize>> {
    let mut len = None;
    loop {
        let mut line = String::new();
        if cable.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            return Ok(len);
        }
        if let Some(told) = line.strip_prefix("Content-Length: ") {
            len = told.trim().parse().ok();
        }
    }
}

/// Bytes as bodies of requests to a device that makes nothing of them.
async fn requests(bytes: &[u8]) -> anyhow::Result<Vec<Duration>> {
    let raw: Arc<dyn Port> = Arc::new(ByteSink::default());
    let http: Arc<dyn Port> = Arc::new(RequestSink);
    let device = Description::ipp_usb("H-RATE", 1, &http, &raw);
    let plugged = vhci::plug(2, device, UsbKnobs::default()).await?;
    plugged.until_usblp(0).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let mut times = Vec::with_capacity(EACH);
    for _ in 0..EACH {
        times.push(post(&pool, bytes).await?);
    }
    close(&pool).await;
    plugged.unplug().await?;
    Ok(times)
}

/// Sends one request and reads its answer; says how long that took.
async fn post(pool: &HttpPool, bytes: &[u8]) -> anyhow::Result<Duration> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    let mut stream = pool.dial().await.context("reach the sink")?;
    let start = Instant::now();
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = sent.await.context("send a request")?;
    let took = start.elapsed();
    holds("the request was taken", answer.starts_with(b"HTTP/1.1 200"))?;
    Ok(took)
}

/// One MiB as an IPP document.
async fn documents(client: &IppPrinter) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(EACH);
    for _ in 0..EACH {
        let created = client.create_job(&NewJob::new("loket:usb:rate")).await;
        let id = created.context("make a job")?.id;
        let bytes = document(BULK_BYTES);
        let start = Instant::now();
        let sent = client.send_document(id, "application/pdf", bytes).await;
        sent.context("send a document")?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn rate(name: &str, times: &[Duration]) -> anyhow::Result<()> {
    let best = times.iter().min().context("have a time")?;
    let micros = best.as_micros().max(1);
    figure(name, u128::from(wide(BULK_BYTES)) * 1_000 / micros, "kB/s");
    Ok(())
}

async fn over_usblp(bytes: &[u8], sink: &ByteSink) -> anyhow::Result<Duration> {
    let path = "/dev/usb/lp0";
    // usblp numbers its devices by itself: the printer of the other measurements is not plugged in here.
    until(path, || std::path::Path::new(path).exists().then_some(())).await?;
    let opened = tokio::fs::OpenOptions::new().write(true).open(path).await;
    let mut lp = opened.context("open usblp")?;
    let target = sink.count().saturating_add(wide(bytes.len()));
    let start = Instant::now();
    lp.write_all(bytes).await.context("write to usblp")?;
    lp.flush().await.context("write to usblp")?;
    sink.until(target).await;
    Ok(start.elapsed())
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
