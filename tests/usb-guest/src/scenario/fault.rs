//! A device that fails in the middle: what is known of the bytes, and whether the next exchange works.

use anyhow::{Context, bail};
use loket_ipp_printer::{IppError, IppPrinter, NewJob};
use loket_sim::usb::{Direction, Fault, Heals, Trigger, UsbKnobs};
use loket_usb::{DeviceAddress, FunctionKind, HttpPool, Quirks};

use super::exchange::not_polluted;
use crate::devices::{
    OverUsb, Printer, address, close, document, ipp, listed, open_http, printer, send, sha256,
};
use crate::value::{holds, same};
use crate::vhci::PluggedIn;

/// A document of more transfers than are ever in flight at once.
const DOCUMENT_BYTES: usize = 300_000;

/// Where faults come: in the middle of a packet, of a transfer, and of the document.
const AT_BYTE: u64 = 100_001;

/// How long a device may be silent here; far more than a slow, emulated processor needs for one transfer.
const QUIET_MS: u32 = 5_000;

/// A printer with one pair of endpoints, open.
struct Open {
    printer: Printer,
    plugged: PluggedIn,
    pool: HttpPool,
    way: std::sync::Arc<OverUsb>,
    client: IppPrinter,
}

impl Open {
    async fn with(knobs: UsbKnobs) -> anyhow::Result<Self> {
        let printer = printer("LKT-0001", 1).await?;
        let plugged = printer.plug(0, knobs).await?;
        let quirks = Quirks {
            send_quiet_ms: QUIET_MS,
            answer_quiet_ms: QUIET_MS,
            ..Quirks::default()
        };
        let pool = open_http(&plugged, quirks).await?;
        let (way, client) = ipp(&pool)?;
        Ok(Self {
            printer,
            plugged,
            pool,
            way,
            client,
        })
    }

    fn arm(&self, direction: Direction, after_bytes: u64, fault: Fault) {
        self.plugged.usb.arm(Trigger {
            interface: 0,
            direction,
            after_bytes,
            fault,
        });
    }

    /// Makes a job, then sends its document into a fault.
    async fn fail(
        &self,
        direction: Direction,
        after: u64,
        fault: Fault,
    ) -> anyhow::Result<IppError> {
        let created = self.client.create_job(&NewJob::new("loket:usb:1")).await;
        let id = created.context("make a job")?.id;
        self.arm(direction, after, fault);
        let document = document(DOCUMENT_BYTES);
        match self
            .client
            .send_document(id, "application/pdf", document)
            .await
        {
            Ok(_) => bail!("the document was sent in spite of {fault:?}"),
            Err(error) => Ok(error),
        }
    }

    /// What is known of the bytes of the last request: accepted, handed over.
    fn bytes(&self) -> anyhow::Result<(u64, u64)> {
        let evidence = self
            .way
            .evidence()
            .context("find how far the request came")?;
        Ok((evidence.accepted_bytes(), evidence.handed_over_bytes()))
    }

    /// The device took exactly the bytes up to its fault: they lie between what is known and what is possible.
    fn evidence_fits(&self) -> anyhow::Result<String> {
        let (accepted, handed) = self.bytes()?;
        holds(
            &format!("{accepted} accepted ≤ {AT_BYTE} ≤ {handed} handed over"),
            accepted <= AT_BYTE && AT_BYTE <= handed,
        )?;
        Ok(format!("{accepted} accepted, at most {handed}"))
    }

    /// The next exchanges work, and one more job prints one sheet.
    async fn works_again(&self) -> anyhow::Result<()> {
        not_polluted(&self.client).await?;
        let document = document(20_000);
        send(&self.client, "loket:usb:2", document.clone()).await?;
        let expected = sha256(&document);
        let is_printed = |it: &loket_sim::printer::Report| it.printed_sha256.contains(&expected);
        let report = self
            .printer
            .until("the next document on paper", is_printed)
            .await?;
        same("documents on paper", report.printed_sha256.len(), 1)
    }

    async fn end(self) -> anyhow::Result<()> {
        close(&self.pool).await;
        let report = self.plugged.unplug().await?;
        let fired = report.interfaces.first().map(|it| it.faults_fired);
        same("the faults that happened", fired, Some(1))
    }
}

fn told(error: &IppError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The plug is pulled at a byte; the printer comes back in another socket under another number, and prints.
pub(super) async fn unplug_in_document() -> anyhow::Result<String> {
    let open = Open::with(UsbKnobs::default()).await?;
    let device = listed(&open.plugged).await?;
    let named = address(&device, std::slice::from_ref(&device), FunctionKind::IppUsb);
    let error = open.fail(Direction::Out, AT_BYTE, Fault::Unplug).await?;
    holds("what became of it is not known", error.outcome_unknown())?;
    let evidence = open.evidence_fits()?;
    open.plugged.until_gone().await?;
    let took = open
        .plugged
        .usb
        .report()
        .interfaces
        .first()
        .map(|it| it.received_bytes);
    holds("the device counts from its plug", took > Some(AT_BYTE))?;
    close(&open.pool).await;
    same("sheets", open.printer.sim.report().sheets, 0)?;

    let again = open.printer.plug(4, UsbKnobs::default()).await?;
    let named: DeviceAddress = named.parse().context("read its address")?;
    let found = loket_usb::find(&named)
        .await
        .context("find it again by its address")?;
    holds("it has another number", found.number != device.number)?;
    let opened = loket_usb::open_http(&found, Quirks::default()).await;
    let pool = opened.context("open it again")?;
    let (_way, client) = ipp(&pool)?;
    let document = document(DOCUMENT_BYTES);
    send(&client, "loket:usb:2", document.clone()).await?;
    let report = open.printer.until("a sheet", |it| it.sheets > 0).await?;
    same(
        "what was printed",
        report.printed_sha256,
        vec![sha256(&document)],
    )?;
    close(&pool).await;
    again.unplug().await?;
    Ok(format!("{evidence}; {}; then 1 sheet", told(&error)))
}

/// The plug is pulled while the answer comes: the document had been taken whole.
pub(super) async fn unplug_in_answer() -> anyhow::Result<String> {
    let open = Open::with(UsbKnobs::default()).await?;
    let error = open.fail(Direction::In, 10, Fault::Unplug).await?;
    holds("what became of it is not known", error.outcome_unknown())?;
    let (accepted, handed) = open.bytes()?;
    same("the bytes that were accepted", accepted, handed)?;
    let report = open.printer.until("a sheet", |it| it.sheets > 0).await?;
    same("sheets", report.sheets, 1)?;
    close(&open.pool).await;
    open.plugged.until_gone().await?;
    Ok(format!("{accepted} accepted, 1 sheet; {}", told(&error)))
}

pub(super) async fn stall_in_document() -> anyhow::Result<String> {
    let open = Open::with(UsbKnobs::default()).await?;
    let error = open.fail(Direction::Out, AT_BYTE, Fault::Stall).await?;
    let evidence = open.evidence_fits()?;
    open.works_again().await?;
    open.end().await?;
    Ok(format!("{evidence}; {}", told(&error)))
}

pub(super) async fn stall_in_answer() -> anyhow::Result<String> {
    let open = Open::with(UsbKnobs::default()).await?;
    open.arm(Direction::In, 10, Fault::Stall);
    let asked = open.client.printer_attributes().await;
    let error = asked.err().context("fail to ask a device that stalls")?;
    open.works_again().await?;
    open.end().await?;
    Ok(told(&error))
}

/// The device takes nothing any more until it is reset as a whole.
pub(super) async fn silence_in_document() -> anyhow::Result<String> {
    let open = Open::with(needs_a_reset()).await?;
    let error = open.fail(Direction::Out, AT_BYTE, Fault::Silence).await?;
    let evidence = open.evidence_fits()?;
    open.works_again().await?;
    open.end().await?;
    Ok(format!("{evidence}; {}", told(&error)))
}

/// The device takes the question and never answers.
pub(super) async fn silence_before_answer() -> anyhow::Result<String> {
    let open = Open::with(needs_a_reset()).await?;
    open.arm(Direction::In, 0, Fault::Silence);
    let asked = open.client.printer_attributes().await;
    let error = asked.err().context("fail to ask a device that is silent")?;
    open.works_again().await?;
    open.end().await?;
    Ok(told(&error))
}

fn needs_a_reset() -> UsbKnobs {
    UsbKnobs {
        heals: Heals::Device,
        ..UsbKnobs::default()
    }
}

/// The answer ends in the middle.
pub(super) async fn short_answer() -> anyhow::Result<String> {
    let open = Open::with(UsbKnobs::default()).await?;
    open.arm(Direction::In, 300, Fault::Cut);
    let asked = open.client.printer_attributes().await;
    let error = asked.err().context("fail to read half an answer")?;
    open.works_again().await?;
    open.end().await?;
    Ok(told(&error))
}
