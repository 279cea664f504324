//! The ticket printer of the settings: where it is, and what differs from what its device profile says.

use std::net::SocketAddr;

use loket_ticket_printer::{
    Answering, CodePage, Cut, LineEnd, Profile, ProfileError, QrBy, Waits, Width,
};
use loket_usb::{AddressFault, DeviceAddress, FunctionKind};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ConfigError;
use super::printer::{PrinterConfig, is_name};

/// The printer of queue tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketPrinterConfig {
    /// Its name on this machine, `[a-z0-9-]{1,32}`; no printer's.
    #[serde(default = "default_name")]
    pub name: String,
    /// `tcp://ADDRESS:9100`, or `usb://VVVV:PPPP/SERIAL` of one that is plugged into this computer.
    pub uri: String,
    /// Make and model, by which its device profile is found; one on a cable is found by its numbers too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Milliseconds between looks at it in office hours.
    #[serde(default = "default_idle_poll_ms")]
    pub idle_poll_ms: u64,
    /// What differs from its device profile.
    #[serde(default)]
    pub profile: TicketProfile,
}

/// What is said of a ticket printer, by its device profile or by the settings; what nobody says is as of any (an 80 mm roll,
/// never asked).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each is the field of the same name of loket_ticket_printer::Profile"
)]
pub struct TicketProfile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<Width>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dots: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_page: Option<CodePage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_page_number: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub double_byte: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_end: Option<LineEnd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr: Option<QrBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed_lines: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answering: Option<Answering>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
}

/// Where a ticket printer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketAddress {
    /// On the network.
    Tcp(SocketAddr),
    /// On a USB cable.
    Usb(DeviceAddress),
}

/// What is wrong with the settings of a ticket printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TicketProblem {
    /// The address on the network.
    #[error(
        "it must be like tcp://192.168.1.60:9100, with numbers and no name, or like usb://0519:0003/SERIAL"
    )]
    Network,
    /// The address on a cable.
    #[error(transparent)]
    Usb(#[from] AddressFault),
    /// It speaks IPP over USB: no ticket printer does.
    #[error("an ippusb address is that of a printer of documents")]
    NoRaw,
    /// No printer is like that.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

fn default_name() -> String {
    "tiket".to_owned()
}

/// A look opens a way of its own, and cheap network cards and USB bridges of ticket printers take only one at a time: more
/// seldom than a printer of documents, and soon enough for whoever fills a roll. A ticket asks for itself before it leaves.
const fn default_idle_poll_ms() -> u64 {
    10_000
}

impl TicketProfile {
    /// What this one says, and `other` where it says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            width: self.width.or(other.width),
            columns: self.columns.or(other.columns),
            dots: self.dots.or(other.dots),
            code_page: self.code_page.or(other.code_page),
            code_page_number: self.code_page_number.or(other.code_page_number),
            double_byte: self.double_byte.or(other.double_byte),
            line_end: self.line_end.or(other.line_end),
            qr: self.qr.or(other.qr),
            cut: self.cut.or(other.cut),
            feed_lines: self.feed_lines.or(other.feed_lines),
            answering: self.answering.or(other.answering),
            waits: self.waits.or(other.waits),
        }
    }

    /// The whole of it, where a printer can be like that.
    ///
    /// # Errors
    /// [`ProfileError`] names the first thing that cannot be.
    pub fn whole(self) -> Result<Profile, ProfileError> {
        let plain = match self.width {
            Some(Width::Mm58) => Profile::plain_58mm(),
            Some(Width::Mm80) | None => Profile::plain_80mm(),
        };
        let profile = Profile {
            width: plain.width,
            columns: self.columns.unwrap_or(plain.columns),
            dots: self.dots.unwrap_or(plain.dots),
            code_page: self.code_page.unwrap_or(plain.code_page),
            code_page_number: self.code_page_number.unwrap_or(plain.code_page_number),
            double_byte: self.double_byte.unwrap_or(plain.double_byte),
            line_end: self.line_end.unwrap_or(plain.line_end),
            qr: self.qr.unwrap_or(plain.qr),
            cut: self.cut.unwrap_or(plain.cut),
            feed_lines: self.feed_lines.unwrap_or(plain.feed_lines),
            answering: self.answering.unwrap_or(plain.answering),
            waits: self.waits.unwrap_or(plain.waits),
        };
        profile.check()?;
        Ok(profile)
    }
}

impl TicketPrinterConfig {
    /// Where it is.
    ///
    /// # Errors
    /// [`TicketProblem`]
    pub fn address(&self) -> Result<TicketAddress, TicketProblem> {
        if let Some(address) = self.uri.strip_prefix("tcp://") {
            let address: SocketAddr = address.parse().map_err(|_fault| TicketProblem::Network)?;
            let is_one = address.port() != 0 && !address.ip().is_unspecified();
            return is_one
                .then_some(TicketAddress::Tcp(address))
                .ok_or(TicketProblem::Network);
        }
        if self.uri.starts_with("ippusb://") {
            return Err(TicketProblem::NoRaw);
        }
        if !self.uri.starts_with("usb://") {
            return Err(TicketProblem::Network);
        }
        let address: DeviceAddress = self.uri.parse()?;
        if address.kind() == FunctionKind::RawPrinter {
            Ok(TicketAddress::Usb(address))
        } else {
            Err(TicketProblem::NoRaw)
        }
    }

    /// The device that it means, where it is on a USB cable.
    #[must_use]
    pub fn usb(&self) -> Option<DeviceAddress> {
        match self.address() {
            Ok(TicketAddress::Usb(address)) => Some(address),
            Ok(TicketAddress::Tcp(_)) | Err(_) => None,
        }
    }

    /// Checks what the types alone cannot say, beside these printers.
    ///
    /// # Errors
    /// [`ConfigError::Value`]
    pub(super) fn check(&self, printers: &[PrinterConfig]) -> Result<(), ConfigError> {
        let value = |key: &str, problem: &dyn ToString| ConfigError::Value {
            key: format!("ticket_printer.{key}"),
            problem: problem.to_string(),
        };
        if !is_name(&self.name) {
            return Err(value("name", &"it must be 1 to 32 of a-z, 0-9 and '-'"));
        }
        if printers.iter().any(|printer| printer.name == self.name) {
            return Err(value("name", &"a printer has this name"));
        }
        if !(100..=60_000).contains(&self.idle_poll_ms) {
            return Err(value("idle_poll_ms", &"it must be 100 to 60000"));
        }
        self.address().map_err(|problem| value("uri", &problem))?;
        let whole = self.profile.whole();
        whole.map_err(|problem| value("profile", &problem))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(uri: &str) -> TicketPrinterConfig {
        toml::from_str(&format!("uri = \"{uri}\"")).unwrap()
    }

    #[test]
    fn an_address_is_one_of_the_network_by_numbers_or_one_of_a_raw_printer_on_a_cable() {
        let tcp = named("tcp://192.0.2.9:9100").address().unwrap();
        assert_eq!(tcp, TicketAddress::Tcp("192.0.2.9:9100".parse().unwrap()));
        assert!(matches!(
            named("usb://0519:0003/S1").address(),
            Ok(TicketAddress::Usb(_))
        ));
        for nonsense in [
            "tcp://tiket.local:9100",
            "tcp://192.0.2.9",
            "tcp://192.0.2.9:0",
            "tcp://0.0.0.0:9100",
            "ipp://192.0.2.9/",
            "",
        ] {
            assert_eq!(
                named(nonsense).address(),
                Err(TicketProblem::Network),
                "{nonsense}"
            );
        }
        assert_eq!(
            named("ippusb://0519:0003/S1").address(),
            Err(TicketProblem::NoRaw)
        );
        assert!(matches!(
            named("usb://nonsense").address(),
            Err(TicketProblem::Usb(_))
        ));
    }

    #[test]
    fn settings_say_more_than_a_profile_and_a_profile_more_than_what_holds_for_any() {
        let model = TicketProfile {
            width: Some(Width::Mm58),
            answering: Some(Answering::InLine),
            ..TicketProfile::default()
        };
        let own = TicketProfile {
            answering: Some(Answering::Status),
            ..TicketProfile::default()
        };
        let whole = own.or(model).whole().unwrap();
        assert_eq!(whole.width, Width::Mm58);
        assert_eq!((whole.columns, whole.cut), (32, Cut::None), "as of any");
        assert_eq!(whole.answering, Answering::Status);
    }

    #[test]
    fn settings_that_cannot_be_are_told_by_their_key() {
        let printers: Vec<PrinterConfig> =
            vec![toml::from_str("name = \"a4\"\nuri = \"ipp://h/\"").unwrap()];
        for (line, key) in [
            ("name = \"a4\"", "ticket_printer.name"),
            ("name = \"Tiket\"", "ticket_printer.name"),
            ("idle_poll_ms = 99", "ticket_printer.idle_poll_ms"),
            ("profile.columns = 4", "ticket_printer.profile"),
        ] {
            let text = format!("uri = \"tcp://192.0.2.9:9100\"\n{line}");
            let config: TicketPrinterConfig = toml::from_str(&text).unwrap();
            let error = config.check(&printers).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        let text = "uri = \"tcp://192.0.2.9:9100\"\nprofile.cutter = 1";
        assert!(toml::from_str::<TicketPrinterConfig>(text).is_err());
    }
}
