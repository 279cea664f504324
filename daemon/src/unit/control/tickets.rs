//! What officers ask at the door about the ticket printer.

use super::{Door, Response, troubled};
use crate::trouble::Trouble;

impl Door {
    /// What it is at.
    pub(super) async fn ticket_state(&self) -> Response {
        match &self.tickets {
            Some(tickets) => Response::TicketState(tickets.look().await),
            None => troubled(Trouble::NoTicketPrinter),
        }
    }

    /// Prints a test ticket.
    pub(super) async fn ticket_test(&self) -> Response {
        match &self.tickets {
            Some(tickets) => Response::TicketTest(tickets.test().await),
            None => troubled(Trouble::NoTicketPrinter),
        }
    }
}
