//! What officers ask a page about printers.

use loket_kiosk_ui::ports::{Answer, PrinterDesk, PrinterKind, PrinterSeen, PrinterState};

use crate::sights::Sights;

/// The printers of the settings, as they were seen last.
#[derive(Debug)]
pub(crate) struct OfficePrinters {
    pub(crate) names: Vec<String>,
    /// The name of the ticket printer, where there is one.
    pub(crate) of_tickets: Option<String>,
    pub(crate) sights: Sights,
}

impl PrinterDesk for OfficePrinters {
    fn printers(&self) -> Answer<'_, Vec<PrinterSeen>> {
        let documents = self.names.iter().map(|name| (name, PrinterKind::Documents));
        let tickets = self.of_tickets.iter();
        let tickets = tickets.map(|name| (name, PrinterKind::Tickets));
        let each = documents.chain(tickets).map(|(name, kind)| PrinterSeen {
            name: name.clone(),
            kind,
            state: self.sights.of(name).map(|sight| PrinterState {
                state: sight.look.state,
                reasons: sight.look.reasons,
                model: sight.look.model,
                stock: sight.look.stock,
                at: sight.at,
            }),
        });
        Box::pin(std::future::ready(each.collect()))
    }
}
