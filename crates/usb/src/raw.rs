//! A printer that takes bytes as they are (class 7/1/1 and 7/1/2): written, asked and reset, one thing at a time.

mod device_id;
mod port_status;
mod printer;

pub use device_id::DeviceId;
pub use port_status::PortStatus;
pub use printer::{RawPrinter, WriteError};

#[cfg(test)]
mod tests;
