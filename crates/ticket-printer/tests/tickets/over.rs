//! A ticket printer at the other end of something that only a test has.

use std::time::Duration;

use loket_ticket_printer::{OpenFuture, Port, Profile, TicketPrinter, Transport};

/// The way to it: whenever it is opened, the same thing is there.
#[derive(Debug)]
struct To<P>(P);

impl<P: Port + Clone + Sync + 'static> Transport for To<P> {
    fn open(&self, _within: Duration) -> OpenFuture<'_> {
        let port: Box<dyn Port> = Box::new(self.0.clone());
        Box::pin(std::future::ready(Ok(port)))
    }
}

/// A printer of this profile over it; clones of `port` must be the same printer.
pub(crate) fn printer_over(
    port: impl Port + Clone + Sync + 'static,
    profile: Profile,
) -> TicketPrinter {
    TicketPrinter::new(Box::new(To(port)), profile, 1).unwrap()
}
