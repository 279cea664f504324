//! Device profiles: what differs by model, as data with its reason and source.
//!
//! ```toml
//! # firmware-config/devices/NAME.toml
//! [match]
//! usb = ["03f0:*"]                          # vendor and product id, either or both hexadecimal, or *
//! model = ["HP OfficeJet Pro 8710*"]        # printer-make-and-model, or manufacturer and product of USB
//!
//! [[quirk]]
//! set.usb.init_reset = "soft"               # section.key = value, as many as one reason is for
//! reason = "what goes wrong without it"
//! source = "where that is known from"
//! ```
//!
//! A profile fits a device where one of its patterns of each kind that it names fits. Of several that fit, each value comes
//! from the one that says most exactly which device it means ([`Profiles::for_device`]). What sections and keys there are is
//! for those who read them: a section becomes any type that serde can make of it ([`Effective::section`]), and one that
//! knows every key of its own refuses the others.
//!
//! The crate reads no file: texts come in, with the names by which a person finds them.

mod effective;
mod pattern;
mod profile;
mod shipped;

pub use effective::{Effective, Origin, SectionError};
pub use pattern::{PatternError, UsbId};
pub use profile::{
    MAX_PATTERNS, MAX_PROFILES, MAX_QUIRKS, MAX_TEXT_BYTES, ProfileError, Profiles, Seen,
};
