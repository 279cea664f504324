//! Prints queue tickets on ESC/POS printers and says how sure it is that they came out.
//!
//! ```text
//! Ticket ──> render (layout, pure) ──> bytes ─┐
//!                                             ├──> Port (TCP 9100, USB)
//! TicketPrinter::print: status before ────────┤
//!   a question queued behind the cut ─────────┘ <── Answers (told apart by fixed bits)
//!   status after ──> Outcome: Printed | Accepted | NotPrinted | Unclear
//! ```
//!
//! A ticket is *printed* only where the printer itself answered a question that stood behind the
//! ticket's last byte. Everything else says less, and [`Outcome::confirm_on_screen`] says what the
//! caller owes the resident then. The crate never prints anything twice by itself.
//!
//! What it does not know: who draws numbers, and which number was drawn. The caller gives a number
//! away once; a ticket is printed again only as [`Ticket::copy`], which says so in large letters.
//!
//! # Source
//! Epson, *ESC/POS Command Reference* (DLE EOT, GS r, GS ( H, GS ( k, GS v 0, GS V, ESC t, ESC @);
//! Citizen, *Command Reference*, "Identification of Send Status" (which answer is which).

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod answers;
mod code_page;
mod encode;
mod error;
mod layout;
mod port;
mod print;
mod profile;
mod qr;
mod render;
mod session;
mod status;
mod tcp;
mod text;
mod ticket;
mod usb;

pub use answers::{Answer, Answers};
pub use code_page::CodePage;
pub use error::{Doubt, Garbage, Refusal};
pub use port::{OpenError, OpenFuture, Port, PortFuture, PortStatus, Transport, Written};
pub use print::{Evidence, Outcome, TicketPrinter};
pub use profile::{Answering, Cut, LineEnd, Profile, ProfileError, QrBy, Waits, Width};
pub use qr::{QrError, QrPayload};
pub use render::{MAX_TICKET_BYTES, render};
pub use status::{Fault, PrinterStatus, Question};
pub use tcp::TcpTransport;
pub use text::{Number, Text, TextError};
pub use ticket::{Labels, Ticket, TicketDetails};
pub use usb::{OpenUsb, UsbTransport};
