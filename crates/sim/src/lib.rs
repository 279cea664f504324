//! Simulates the devices Loket drives, with knobs for their faults.
//!
//! A simulator proves what happens when a device fails; that a good one works is proven against
//! real peers. Nothing a simulator receives is written to disk unless it is told where.

pub mod paper;
pub mod printer;
pub mod raster;
pub mod ticket_printer;
pub mod usb;
