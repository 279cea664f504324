//! The whole daemon over cables: documents once though it is killed, tickets whole or told as unclear.

use std::sync::Arc;

use anyhow::Context;
use loket_sim::ticket_printer::{SimTicketPrinter, TicketPrinterConfig};
use loket_sim::usb::{Description, Direction, Fault, Port, TicketPort, Trigger, UsbKnobs};
use loket_usb::FunctionKind;

use crate::devices::{address, listed, printer, sha256};
use crate::machine::Machine;
use crate::value::{holds, same, until_told};
use crate::vhci::{self, PluggedIn};

/// A signed document of 45 KB, as the host put it into the guest.
const DOCUMENT: &str = "/srv/kk.pdf";

/// Behind the questions before a document, and amid the document.
const AMID_DOCUMENT: u64 = 30_000;

/// Behind the questions before a ticket of some 260 bytes, which have 15, and amid the ticket.
const AMID_TICKET: u64 = 250;

/// The printer goes silent amid a document, and loketd is killed while it waits there; the next one finds half a document
/// in the printer, and there is one sheet in the end.
pub(super) async fn killed_amid_a_document() -> anyhow::Result<String> {
    let printer = printer("LKT-KILL", 1).await?;
    let plugged = printer.plug(5, UsbKnobs::default()).await?;
    let device = listed(&plugged).await?;
    let uri = address(&device, std::slice::from_ref(&device), FunctionKind::IppUsb);
    let settings = format!("[[printer]]\nname = \"a4\"\nuri = \"{uri}\"\n");
    let mut machine = Machine::new("killed", &settings)?;
    machine.start().await?;
    plugged.usb.arm(Trigger {
        interface: 0,
        direction: Direction::Out,
        after_bytes: AMID_DOCUMENT,
        fault: Fault::Silence,
    });
    let words = ["print", DOCUMENT, "--printer", &uri, "--by", "wati"];
    let mut handed = machine.command(&words).spawn().context("hand it over")?;
    let fired = |it: &loket_sim::usb::UsbReport| {
        it.interfaces.first().is_some_and(|it| it.faults_fired == 1)
    };
    plugged.usb.until(fired).await;
    same("sheets before the kill", printer.sim.report().sheets, 0)?;
    machine.kill().await?;
    // Who handed it over is told that the daemon is gone.
    let ended = handed.wait().await.context("end the command")?;
    holds("the command ended with a failure", !ended.success())?;

    machine.start().await?;
    let done = until_told("no job left", || async {
        Ok(machine.jobs().await?.filter(Vec::is_empty))
    });
    done.await.with_context(|| machine.said())?;
    let report = printer.sim.report();
    let document = std::fs::read(DOCUMENT).context("read the document")?;
    same(
        "what was printed",
        report.printed_sha256,
        vec![sha256(&document)],
    )?;
    same("sheets", report.sheets, 1)?;
    machine.end().await?;
    let report = plugged.unplug().await?;
    let restarts = report.interfaces.first().map_or(0, |it| it.restarts);
    Ok(format!(
        "1 sheet; the interface began anew {restarts} times"
    ))
}

/// A ticket printer on a cable.
struct Tickets {
    sim: Arc<SimTicketPrinter>,
    description: Description,
}

impl Tickets {
    async fn new() -> anyhow::Result<Self> {
        let starting =
            vhci::beside()?.spawn(SimTicketPrinter::start(TicketPrinterConfig::default()));
        let sim = starting.await.context("start the ticket printer")?;
        let sim = Arc::new(sim.context("start the ticket printer")?);
        let port: Arc<dyn Port> = Arc::new(TicketPort::new(Arc::clone(&sim)));
        Ok(Self {
            sim,
            description: Description::ticket_printer(Some("LKT-TIKET"), port),
        })
    }

    async fn plug(&self) -> anyhow::Result<PluggedIn> {
        let plugged = vhci::plug(6, self.description.clone(), UsbKnobs::default()).await?;
        plugged.until_usblp(0).await?;
        Ok(plugged)
    }

    /// Whole slips: those on which the last line of a test ticket stands.
    fn whole(&self) -> usize {
        let report = self.sim.report();
        let is_whole =
            |lines: &Vec<String>| lines.iter().any(|line| line.contains("boleh dibuang"));
        report
            .slips
            .iter()
            .filter(|slip| slip.is_cut && is_whole(&slip.text))
            .count()
    }
}

/// A ticket comes out, the cable is pulled amid the next, and the one after it comes out whole again.
pub(super) async fn tickets() -> anyhow::Result<String> {
    let printer = Tickets::new().await?;
    let plugged = printer.plug().await?;
    let device = listed(&plugged).await?;
    let uri = address(
        &device,
        std::slice::from_ref(&device),
        FunctionKind::RawPrinter,
    );
    let settings = format!(
        "[[printer]]\nname = \"a4\"\nuri = \"ipp://127.0.0.1:9/ipp/print\"\n\
         [ticket_printer]\nuri = \"{uri}\"\nidle_poll_ms = 60000\nprofile.answering = \"in-line\"\n"
    );
    let mut machine = Machine::new("tickets", &settings)?;
    machine.start().await?;
    machine
        .sees_tickets("idle", &[])
        .await
        .with_context(|| machine.said())?;
    let tested = machine.tested().await?;
    same(
        "how the first ticket ended",
        (tested.code, tested.fate.as_str()),
        (Some(0), "printed"),
    )?;
    same("slips", printer.whole(), 1)?;

    plugged.usb.arm(Trigger {
        interface: 0,
        direction: Direction::Out,
        after_bytes: AMID_TICKET,
        fault: Fault::Unplug,
    });
    let tested = machine.tested().await?;
    same(
        "how the second ticket ended",
        (tested.code, tested.fate.as_str()),
        (Some(2), "unclear"),
    )?;
    let unclear = tested.detail;
    plugged.until_gone().await?;
    machine
        .sees_tickets("unreachable", &["usb-not-there"])
        .await?;

    let again = printer.plug().await?;
    machine.sees_tickets("idle", &[]).await?;
    let tested = machine.tested().await?;
    same(
        "how the third ticket ended",
        (tested.code, tested.fate.as_str()),
        (Some(0), "printed"),
    )?;
    same("slips", printer.whole(), 2)?;
    machine.end().await?;
    again.unplug().await?;
    Ok(format!("2 tickets whole, 1 unclear: {unclear}"))
}
