//! How fast bytes go to a device, by four ways that take turns.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use loket_ipp_printer::{IppPrinter, NewJob};
use loket_sim::usb::{ByteSink, Description, Port, PortFuture, UsbKnobs};
use loket_usb::{HttpPool, Quirks, RawPrinter};
use ring::digest::{Context, SHA256};
use tokio::fs::File;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream,
};

use crate::devices::{Printer, close, document, ipp, listed, open_http};
use crate::figure;
use crate::value::{holds, until};
use crate::vhci::{self, PluggedIn};

/// What is sent to see how fast bytes go.
const BULK_BYTES: usize = 1024 * 1024;

/// The devices are plugged in so often, and all ways take so many turns each time.
const ROUNDS: usize = 4;
const TURNS: usize = 15;

/// How long one MiB took, by each way in the same turn: what disturbs the machine for a while disturbs all four.
#[derive(Debug, Default)]
struct Taken {
    by_kernel: Vec<Duration>,
    by_bytes: Vec<Duration>,
    by_requests: Vec<Duration>,
    by_documents: Vec<Duration>,
}

/// One MiB in turns: as bytes over usblp, as bytes over loket-usb, as the body of a request, and as an IPP document.
pub(super) async fn tell(printer: &Printer) -> anyhow::Result<()> {
    let bytes = document(BULK_BYTES);
    let mut taken = Taken::default();
    for _ in 0..ROUNDS {
        round(printer, &bytes, &mut taken).await?;
    }
    rate("bulk-usblp", &taken.by_kernel)?;
    rate("bulk-loket-usb-raw", &taken.by_bytes)?;
    rate("bulk-loket-usb-http", &taken.by_requests)?;
    rate("bulk-loket-usb-document", &taken.by_documents)?;
    ratio("raw-to-usblp", &taken.by_bytes, &taken.by_kernel)?;
    ratio("http-to-raw", &taken.by_requests, &taken.by_bytes)?;
    ratio("http-to-usblp", &taken.by_requests, &taken.by_kernel)?;
    ratio("document-to-usblp", &taken.by_documents, &taken.by_kernel)
}

async fn round(printer: &Printer, bytes: &Bytes, taken: &mut Taken) -> anyhow::Result<()> {
    // usblp numbers its devices as they come: its own is the first.
    let mut kernel = Kernel::plug().await?;
    let mut raw = Raw::plug().await?;
    let requests = Requests::plug().await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let (_way, client) = ipp(&pool)?;
    for turn in 0..TURNS {
        // Whoever comes after another finds the machine as that one left it: each second turn goes the other way round.
        let is_even = turn.checked_rem(2) == Some(0);
        let mut order = [Way::Kernel, Way::Bytes, Way::Request, Way::Document];
        if !is_even {
            order.reverse();
        }
        for way in order {
            match way {
                Way::Kernel => taken.by_kernel.push(kernel.write(bytes).await?),
                Way::Bytes => taken.by_bytes.push(raw.write(bytes).await?),
                Way::Request => taken.by_requests.push(post(&requests.pool, bytes).await?),
                Way::Document => taken.by_documents.push(send(&client, bytes.clone()).await?),
            }
        }
    }
    close(&pool).await;
    plugged.unplug().await?;
    requests.unplug().await?;
    raw.unplug().await?;
    kernel.unplug().await
}

/// One of the ways.
#[derive(Debug, Clone, Copy)]
enum Way {
    Kernel,
    Bytes,
    Request,
    Document,
}

/// A device of which the kernel's driver writes.
struct Kernel {
    plugged: PluggedIn,
    sink: ByteSink,
    lp: File,
}

impl Kernel {
    async fn plug() -> anyhow::Result<Self> {
        let (plugged, sink) = plug_sink(1, "T-KERNEL").await?;
        let path = "/dev/usb/lp0";
        until(path, || Path::new(path).exists().then_some(())).await?;
        let opened = tokio::fs::OpenOptions::new().write(true).open(path).await;
        Ok(Self {
            plugged,
            sink,
            lp: opened.context("open usblp")?,
        })
    }

    async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<Duration> {
        let target = self.sink.count().saturating_add(wide(bytes.len()));
        let start = Instant::now();
        self.lp.write_all(bytes).await.context("write to usblp")?;
        self.lp.flush().await.context("write to usblp")?;
        self.sink.until(target).await;
        Ok(start.elapsed())
    }

    async fn unplug(self) -> anyhow::Result<()> {
        drop(self.lp);
        self.plugged.unplug().await.map(drop)
    }
}

/// The same device, to which loket-usb writes.
struct Raw {
    plugged: PluggedIn,
    sink: ByteSink,
    printer: RawPrinter,
}

impl Raw {
    async fn plug() -> anyhow::Result<Self> {
        let (plugged, sink) = plug_sink(2, "T-RATE").await?;
        let device = listed(&plugged).await?;
        let opened = loket_usb::open_raw(&device, Quirks::default()).await;
        Ok(Self {
            plugged,
            sink,
            printer: opened.context("open the raw printer")?,
        })
    }

    async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<Duration> {
        let target = self.sink.count().saturating_add(wide(bytes.len()));
        let start = Instant::now();
        let written = self.printer.write(bytes).await;
        written.context("write to the raw printer")?;
        self.sink.until(target).await;
        Ok(start.elapsed())
    }

    async fn unplug(self) -> anyhow::Result<()> {
        self.printer.close().await;
        self.plugged.unplug().await.map(drop)
    }
}

async fn plug_sink(socket: u8, serial: &str) -> anyhow::Result<(PluggedIn, ByteSink)> {
    let sink = ByteSink::default();
    let port: Arc<dyn Port> = Arc::new(sink.clone());
    let ticket = Description::ticket_printer(Some(serial), port);
    let plugged = vhci::plug(socket, ticket, UsbKnobs::default()).await?;
    plugged.until_usblp(0).await?;
    Ok((plugged, sink))
}

/// A device that takes requests and makes nothing of them.
struct Requests {
    plugged: PluggedIn,
    pool: HttpPool,
}

impl Requests {
    async fn plug() -> anyhow::Result<Self> {
        let raw: Arc<dyn Port> = Arc::new(ByteSink::default());
        let http: Arc<dyn Port> = Arc::new(RequestSink);
        let device = Description::ipp_usb("H-RATE", 1, &http, &raw);
        let plugged = vhci::plug(3, device, UsbKnobs::default()).await?;
        plugged.until_usblp(0).await?;
        let pool = open_http(&plugged, Quirks::default()).await?;
        Ok(Self { plugged, pool })
    }

    async fn unplug(self) -> anyhow::Result<()> {
        close(&self.pool).await;
        self.plugged.unplug().await.map(drop)
    }
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

/// One MiB as IPP documents, one after the other.
pub(super) async fn documents(client: &IppPrinter) -> anyhow::Result<Vec<Duration>> {
    let bytes = document(BULK_BYTES);
    let mut times = Vec::with_capacity(TURNS);
    for _ in 0..TURNS {
        times.push(send(client, bytes.clone()).await?);
    }
    Ok(times)
}

async fn send(client: &IppPrinter, bytes: Bytes) -> anyhow::Result<Duration> {
    let created = client.create_job(&NewJob::new("loket:usb:rate")).await;
    let id = created.context("make a job")?.id;
    let start = Instant::now();
    let sent = client.send_document(id, "application/pdf", bytes).await;
    sent.context("send a document")?;
    Ok(start.elapsed())
}

/// The rate of the median time.
pub(super) fn rate(name: &str, times: &[Duration]) -> anyhow::Result<()> {
    let mut micros = times.iter().map(Duration::as_micros).collect::<Vec<_>>();
    let median = quartile(&mut micros, 2)?.max(1);
    figure(name, u128::from(wide(BULK_BYTES)) * 1_000 / median, "kB/s");
    Ok(())
}

/// The rate of one way beside that of another, turn by turn: the quartiles, in percent.
fn ratio(name: &str, ours: &[Duration], theirs: &[Duration]) -> anyhow::Result<()> {
    let turns = ours.iter().zip(theirs);
    let percents = turns.map(|(ours, theirs)| theirs.as_micros() * 100 / ours.as_micros().max(1));
    let mut percents = percents.collect::<Vec<_>>();
    for (which, part) in [(1, "p25"), (2, "p50"), (3, "p75")] {
        let percent = quartile(&mut percents, which)?;
        figure(&format!("{name}-{part}"), percent, "%");
    }
    Ok(())
}

/// The first, second or third quartile.
fn quartile(values: &mut [u128], which: usize) -> anyhow::Result<u128> {
    values.sort_unstable();
    let at = values.len().saturating_mul(which) / 4;
    values.get(at).copied().context("have measured")
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
