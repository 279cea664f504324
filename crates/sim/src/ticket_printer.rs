//! A ticket printer that understands ESC/POS, on TCP as on port 9100 or behind any other wire.
//!
//! ```text
//! connection ──> Device (buffer, commands, paper, answers) <── tick ── engine
//! control    ──> knobs, power, what came out
//! ```
//!
//! It does not echo: it reads commands as a printer does, so what stands in its [`Report`] is what a
//! person holds in hand. [`Device`] is the printer without wires; [`SimTicketPrinter`] puts it on TCP.
//! Paper is the truth that survives: a printer whose power fails forgets its buffer, not its slips.
//!
//! # Source
//! Epson, *ESC/POS Command Reference*; Citizen, *Command Reference*, "Identification of Send Status".

mod character;
pub mod cli;
mod command;
mod control;
mod device;
mod knobs;
mod picture;
mod print;
mod server;
mod slip;

pub use control::{Report, SlipReport};
pub use device::Device;
pub use knobs::{Knobs, Speaks, Truth};
pub use picture::picture;
pub use server::{SimTicketPrinter, TicketPrinterConfig};
pub use slip::{Align, Item, Slip, Style};
