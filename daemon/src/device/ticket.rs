//! The ticket printer as this program needs it: one at a time, for its tickets and its looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// Tickets that are printed or wait for the printer.
    waiting: AtomicUsize,
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
            waiting: AtomicUsize::new(0),
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
        let _waiting = Waiting::one_more(&self.waiting);
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

/// A ticket, until it is printed or given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn one_more(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
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
            if self.waiting.load(Ordering::Acquire) > 0 {
                return Ok(status("processing", Vec::new()));
            }
            // Another look may have it: that takes its turn, and no ticket can be before this one.
            match self.printer.lock().await.status().await {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use loket_ticket_printer::{Labels, Number, Text, TicketDetails};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;

    use super::*;

    /// A printer that takes whoever comes and never says a word, and the device that drives it as one that answers so.
    async fn silent(answering: &str) -> (JoinSet<()>, TicketDevice) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut printer = JoinSet::new();
        printer.spawn(async move {
            let mut held: Vec<TcpStream> = Vec::new();
            while let Ok((stream, _peer)) = listener.accept().await {
                held.push(stream);
            }
        });
        let text = format!(
            "uri = \"tcp://{at}\"\nprofile.answering = \"{answering}\"\nprofile.waits.answer_ms = 50"
        );
        let config: TicketPrinterConfig = toml::from_str(&text).unwrap();
        let device = TicketDevice::new(&config, &Profiles::none()).unwrap();
        (printer, device)
    }

    fn ticket() -> Ticket {
        let text = |text: &str| Text::new(text).unwrap();
        let details = TicketDetails {
            number: Number::new("A-1").unwrap(),
            service: text("Penerbitan KK"),
            office: text("Loket"),
            taken_on: text("27-11-2026"),
            taken_at: text("08.41 WIB"),
            waiting: None,
            code: None,
            notes: Vec::new(),
        };
        Ticket::new(details, Labels::indonesian().unwrap())
    }

    async fn seen(device: &TicketDevice) -> (String, String) {
        match device.observe().await {
            Ok(status) => (status.state.to_owned(), status.reasons.concat()),
            Err(away) => ("away".to_owned(), away.reason),
        }
    }

    fn told(state: &str, reason: &str) -> (String, String) {
        (state.to_owned(), reason.to_owned())
    }

    #[tokio::test]
    async fn looks_beside_each_other_take_turns_and_none_takes_the_other_for_a_ticket() {
        let (_printer, device) = silent("nothing").await;
        let both = tokio::join!(seen(&device), seen(&device));
        assert_eq!(both, (told("idle", ""), told("idle", "")));
    }

    /// A look beside a ticket would take the answers that are the ticket's.
    #[tokio::test]
    async fn while_a_ticket_is_printed_nobody_asks_the_printer() {
        let (_printer, device) = silent("status").await;
        let ticket = ticket();
        {
            let mut printing = std::pin::pin!(device.print(&ticket));
            let begun = tokio::time::timeout(Duration::ZERO, &mut printing).await;
            assert!(begun.is_err(), "it waits for the printer's answer");
            assert_eq!(seen(&device).await, told("processing", ""));
        }
        // Given up by whoever waited for it, it keeps nobody from asking.
        assert_eq!(seen(&device).await, told("away", "not-answering"));
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_told_with_a_word_and_its_causes() {
        let (mut printer, device) = silent("nothing").await;
        printer.shutdown().await;
        let away = device.observe().await.unwrap_err();
        assert_eq!(away.reason, "not-reached");
        assert!(
            !away.is_refusal && away.detail.contains("refused"),
            "{away:?}"
        );
    }
}
