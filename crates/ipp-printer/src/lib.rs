//! Speaks IPP to one printer: one function an operation, over TCP, TLS or any other byte stream.
//!
//! The crate asks and reports. It never retries, never runs two operations in a row and decides
//! nothing: whether a job is adopted, cancelled or sent again is for `loket-domain`. Each error
//! says how much of the request may have left, because that is what such a decision rests on.
//!
//! ```text
//! IppPrinter::create_job ──> message (encode) ──> exchange (HTTP/1.1) ──> Transport::dial
//!         CreatedJob     <── job (typed)      <── message (decode)    <── framing (bounds)
//! ```
//!
//! # Source
//! RFC 8010 (encoding and transport), RFC 8011 (model), RFC 7472 (ipps), PWG 5100.7 (media-col,
//! Close-Job), PWG 5100.13 (print-scaling, job-uuid), PWG 5102.4 (what rasters a printer takes).

mod attributes;
mod error;
mod exchange;
mod framing;
mod job;
mod lookup;
mod message;
mod operations;
mod pin;
mod printer;
mod raster;
mod supply;
mod timeouts;
mod transport;
mod uri;
mod usb;

pub use error::{Garbage, IppError, Operation, status_keyword};
pub use job::{Asked, CreatedJob, JobAttributes, JobState, Media, NewJob, WhichJobs};
pub use operations::{IppPrinter, Options};
pub use printer::{Operations, PrinterAttributes, PrinterState, Severity, StateReason};
pub use raster::Rasters;
pub use supply::{
    Colour, Level, MAX_NAME_CHARS, MAX_SUPPLIES, MAX_TRAYS, Supplies, Supply, SupplyKind, Tray,
    TrayKind,
};
pub use timeouts::Timeouts;
pub use transport::{
    ByteStream, DialError, DialFuture, Stream, TcpTransport, TlsTransport, Transport,
};
pub use uri::{PrinterUri, Scheme, UriFault};
pub use usb::{OpenFuture, OpenUsb, USB_PRINTER_URI, UsbTransport};
