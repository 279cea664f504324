//! What officers ask a page about printers.

use loket_kiosk_ui::ports::{Answer, PrinterDesk, PrinterSeen, PrinterState};

use crate::sights::Sights;

/// The printers of the settings, as they were seen last.
#[derive(Debug)]
pub(crate) struct OfficePrinters {
    pub(crate) names: Vec<String>,
    pub(crate) sights: Sights,
}

impl PrinterDesk for OfficePrinters {
    fn printers(&self) -> Answer<'_, Vec<PrinterSeen>> {
        let each = self.names.iter().map(|name| PrinterSeen {
            name: name.clone(),
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
