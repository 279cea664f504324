//! The devices that scenarios plug in, and printing over them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use loket_ipp_printer::{
    DialError, DialFuture, IppPrinter, NewJob, Options, PrinterUri, Stream, Timeouts, Transport,
};
use loket_sim::printer::{PrinterConfig, Report, SimPrinter};
use loket_sim::usb::{ByteSink, Description, IppPort, Port, UsbKnobs};
use loket_usb::{Evidence, FunctionKind, HttpPool, Plugged, Quirks};
use ring::digest;

use crate::value::until;
use crate::vhci::{self, PluggedIn};

/// Long enough for an emulated processor on a busy machine; nothing waits for it where all goes well.
const PATIENCE: Duration = Duration::from_secs(30);

/// A simulated printer, and what is needed to plug it in.
#[derive(Debug)]
pub(crate) struct Printer {
    pub(crate) sim: Arc<SimPrinter>,
    pub(crate) sink: ByteSink,
    pub(crate) description: Description,
}

/// A printer with so many pairs of endpoints for IPP.
pub(crate) async fn printer(serial: &str, pairs: usize) -> anyhow::Result<Printer> {
    let starting = vhci::beside()?.spawn(SimPrinter::start(PrinterConfig::default()));
    let sim = starting.await.context("start the simulated printer")?;
    let sim = Arc::new(sim.context("start the simulated printer")?);
    let sink = ByteSink::default();
    let ipp: Arc<dyn Port> = Arc::new(IppPort::new(Arc::clone(&sim)));
    let raw: Arc<dyn Port> = Arc::new(sink.clone());
    let description = Description::ipp_usb(serial, pairs, &ipp, &raw);
    Ok(Printer {
        sim,
        sink,
        description,
    })
}

impl Printer {
    /// Plugs it in with these faults.
    pub(crate) async fn plug(&self, port: u8, knobs: UsbKnobs) -> anyhow::Result<PluggedIn> {
        let plugged = vhci::plug(port, self.description.clone(), knobs).await?;
        plugged.until_usblp(0).await?;
        Ok(plugged)
    }

    /// Waits until what it did satisfies a condition.
    pub(crate) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&Report) -> bool,
    ) -> anyhow::Result<Report> {
        until(what, || Some(self.sim.report()).filter(|it| condition(it))).await
    }
}

/// The device at this socket as `loket-usb` lists it.
pub(crate) async fn listed(plugged: &PluggedIn) -> anyhow::Result<Plugged> {
    listed_at(plugged.name()).await
}

/// The device at the socket of this name.
async fn listed_at(name: &str) -> anyhow::Result<Plugged> {
    let all = loket_usb::list().await.context("list the devices")?;
    let here = all
        .into_iter()
        .find(|it| it.identity.port.to_string() == name);
    here.with_context(|| format!("find {name} in the list"))
}

/// Its HTTP over USB.
pub(crate) async fn open_http(plugged: &PluggedIn, quirks: Quirks) -> anyhow::Result<HttpPool> {
    open_http_at(plugged.name(), quirks).await
}

/// As [`open_http`], of the device at the socket of this name.
pub(crate) async fn open_http_at(name: &str, quirks: Quirks) -> anyhow::Result<HttpPool> {
    let device = listed_at(name).await?;
    let opened = loket_usb::open_http(&device, quirks).await;
    opened.context("open HTTP over USB")
}

/// Gives the interfaces back to the kernel.
pub(crate) async fn close(pool: &HttpPool) {
    pool.close(PATIENCE).await;
}

/// The way of `loket-ipp-printer` over `loket-usb`, which remembers how far the last request came.
#[derive(Debug)]
pub(crate) struct OverUsb {
    pool: HttpPool,
    last: Mutex<Option<Evidence>>,
}

impl OverUsb {
    pub(crate) fn evidence(&self) -> Option<Evidence> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Transport for OverUsb {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(async {
            let dialled = self.pool.dial().await;
            let stream =
                dialled.map_err(|error| DialError::NotReached(std::io::Error::other(error)))?;
            let evidence = Some(stream.evidence());
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = evidence;
            let stream: Stream = Box::new(stream);
            Ok(stream)
        })
    }
}

/// IPP over an opened device.
pub(crate) fn ipp(pool: &HttpPool) -> anyhow::Result<(Arc<OverUsb>, IppPrinter)> {
    let way = Arc::new(OverUsb {
        pool: pool.clone(),
        last: Mutex::new(None),
    });
    let transport: Arc<dyn Transport> = way.clone();
    Ok((way, IppPrinter::over(transport, uri()?, options())))
}

fn uri() -> anyhow::Result<PrinterUri> {
    let parsed = PrinterUri::parse("ipp://localhost/ipp/print");
    parsed.map_err(|fault| anyhow::anyhow!("the address is wrong: {fault:?}"))
}

/// A busy machine is no fault of the printer.
pub(crate) fn options() -> Options {
    Options {
        timeouts: Timeouts {
            connect: PATIENCE,
            idle: PATIENCE,
            whole: PATIENCE.saturating_mul(3),
        },
        ..Options::default()
    }
}

/// Bytes that look like a document, of this size.
pub(crate) fn document(len: usize) -> Bytes {
    let head = b"%PDF-1.4\n<< /Type /Page >>\n".iter().copied();
    let rest = (0_u8..=250).cycle();
    head.chain(rest).take(len).collect::<Vec<u8>>().into()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Makes a job and sends its document.
pub(crate) async fn send(printer: &IppPrinter, name: &str, document: Bytes) -> anyhow::Result<i32> {
    let created = printer.create_job(&NewJob::new(name)).await;
    let id = created.context("make a job")?.id;
    let sent = printer.send_document(id, "application/pdf", document).await;
    sent.context("send the document")?;
    Ok(id)
}

/// The address of one of its functions, as settings have it.
pub(crate) fn address(device: &Plugged, among: &[Plugged], kind: FunctionKind) -> String {
    loket_usb::DeviceAddress::of(device, kind, among).to_string()
}
