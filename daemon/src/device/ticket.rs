//! The ticket printer as this program needs it: one at a time, for its tickets and its looks.

use std::sync::Arc;

use loket_device_profile::{Profiles, Seen, UsbId};
use loket_ticket_printer::{
    OpenError, Outcome, Profile, Refusal, TcpTransport, Ticket, TicketPrinter, Transport,
    UsbTransport,
};
use loket_usb::Quirks;
use tokio::sync::Mutex;

use super::{Away, Observed, ObservedFuture, PrinterStatus};
use crate::config::{Config, TicketAddress, TicketPrinterConfig, TicketProblem, TicketProfile};
use crate::identity::OsRandom;
use crate::telemetry::chain;

/// The ticket printer of the settings.
///
/// Whoever holds the way to it hears its answers: so there is one of these in a process, and a command that finds a daemon at
/// work asks that one.
#[derive(Debug)]
pub struct TicketDevice {
    printer: Mutex<TicketPrinter>,
    model: Option<String>,
    on_cable: bool,
}

impl TicketDevice {
    /// The printer; nothing is opened yet.
    ///
    /// # Errors
    /// [`TicketProblem`], which is told where settings are read, but for what a device profile says of this model.
    pub fn new(config: &TicketPrinterConfig, profiles: &Profiles) -> Result<Self, TicketProblem> {
        let address = config.address()?;
        let (profile, quirks) = said(config, profiles)?;
        let transport: Box<dyn Transport> = match &address {
            TicketAddress::Tcp(address) => Box::new(TcpTransport::new(*address)),
            TicketAddress::Usb(address) => Box::new(UsbTransport::new(
                Box::new(address.clone()),
                quirks,
                &profile.waits,
            )),
        };
        let first_word = u32::from_le_bytes(loket_wire::random::draw(&mut OsRandom::default()));
        Ok(Self {
            printer: Mutex::new(TicketPrinter::new(transport, profile, first_word)?),
            model: config.model.clone(),
            on_cable: matches!(address, TicketAddress::Usb(_)),
        })
    }

    /// The printer that the settings name, where they do.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(config: &Config, profiles: &Profiles) -> Result<Option<Arc<Self>>, TicketProblem> {
        let settings = config.ticket_printer.as_ref();
        let device = settings.map(|settings| Self::new(settings, profiles).map(Arc::new));
        device.transpose()
    }

    /// Prints a ticket once; waits for the look or the ticket that is under way.
    ///
    /// # Cancel safety
    /// As [`TicketPrinter::print`]: a future that is dropped leaves open what became of the ticket.
    pub async fn print(&self, ticket: &Ticket) -> Outcome {
        self.printer.lock().await.print(ticket).await
    }

    fn away(&self, refusal: &Refusal) -> Away {
        let reason = match refusal {
            Refusal::NotReached(OpenError::TimedOut(_)) => "timed-out",
            Refusal::NotReached(OpenError::Busy(_)) if self.on_cable => "usb-busy",
            Refusal::NotReached(_) if self.on_cable => "usb-not-there",
            Refusal::NotReached(_)
            | Refusal::Faults(_)
            | Refusal::Silent
            | Refusal::Garbage(_)
            | Refusal::NothingTaken(_) => {
                refusal.keywords().first().copied().unwrap_or("not-reached")
            }
        };
        Away {
            is_refusal: false,
            reason: reason.to_owned(),
            detail: chain(refusal),
        }
    }
}

/// What device profiles and settings say of the printer, the settings first.
fn said(
    config: &TicketPrinterConfig,
    profiles: &Profiles,
) -> Result<(Profile, Quirks), TicketProblem> {
    let effective = profiles.for_device(known(config));
    // Profiles were read by these very types when the daemon started.
    let of_model: TicketProfile = effective.section("ticket").unwrap_or_default();
    let quirks = effective.section("usb").unwrap_or_default();
    Ok((config.profile.or(of_model).whole()?, quirks))
}

/// What is known of the ticket printer of the settings, by which its profile is found.
pub(crate) fn known(config: &TicketPrinterConfig) -> Seen<'_> {
    let usb = config.usb().map(|address| {
        let model = address.model();
        UsbId {
            vendor: model.vendor,
            product: model.product,
        }
    });
    Seen {
        usb,
        model: config.model.as_deref(),
    }
}

impl Observed for TicketDevice {
    /// While a ticket is printed nobody asks: its own questions tell.
    fn observe(&self) -> ObservedFuture<'_> {
        Box::pin(async {
            let model = self.model.clone();
            let status = |state, reasons| PrinterStatus {
                state,
                reasons,
                model,
                stock: None,
                impressions: None,
            };
            let Ok(mut printer) = self.printer.try_lock() else {
                return Ok(status("processing", Vec::new()));
            };
            match printer.status().await {
                Ok(seen) => {
                    let state = if seen.can_print() { "idle" } else { "stopped" };
                    let reasons = seen.keywords().map(str::to_owned).collect();
                    Ok(status(state, reasons))
                }
                Err(refusal) => Err(self.away(&refusal)),
            }
        })
    }
}
