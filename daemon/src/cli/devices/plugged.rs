//! What is plugged into this computer by USB: printers and multifunction devices, whether the settings know them or not.

use loket_device_profile::{Profiles, Seen as Known, UsbId};
use loket_usb::{DeviceAddress, FunctionKind, Plugged, UsbError};
use serde::Serialize;

use super::Quirk;
use crate::cli::face::say;
use crate::config::Config;
use crate::device::model_of;
use crate::exit::Exit;
use crate::telemetry::chain;

/// One device on a cable, in the shape of `loketd devices --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct OnCable {
    /// Its address for the settings; of a device of which nothing can be used, that of the cable.
    uri: String,
    /// Manufacturer and product.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// `in-settings`, `not-in-settings`, `raw` (prints tickets at best), `unusable`, or `unlisted` where USB cannot be read.
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quirks: Vec<Quirk>,
    /// What is wrong with it, for the one who mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// Lists what is plugged in; opens nothing.
pub(super) async fn look(config: &Config, profiles: &Profiles) -> Vec<OnCable> {
    match loket_usb::list().await {
        Ok(all) => all
            .iter()
            .map(|it| of(it, &all, config, profiles))
            .collect(),
        // A computer without USB, or without its files: nothing is on a cable there.
        Err(UsbError::System { .. }) => Vec::new(),
        Err(error) => vec![OnCable {
            uri: "usb".to_owned(),
            model: None,
            state: "unlisted",
            quirks: Vec::new(),
            fault: Some(format!("{} ({})", chain(&error), error.remedy())),
        }],
    }
}

fn of(device: &Plugged, all: &[Plugged], config: &Config, profiles: &Profiles) -> OnCable {
    let has = |kind| device.function(kind).is_some();
    let kind = if has(FunctionKind::IppUsb) || !has(FunctionKind::RawPrinter) {
        FunctionKind::IppUsb
    } else {
        FunctionKind::RawPrinter
    };
    let printers = config.printers.iter();
    let addresses = printers.filter_map(|printer| printer.usb().ok().flatten());
    let of_tickets = config.ticket_printer.iter().filter_map(|it| it.usb());
    let mut addresses = addresses.chain(of_tickets);
    let is_known = addresses.any(|address| address.choose(all).is_ok_and(|meant| meant == device));
    let state = if device.fault.is_some()
        || !(has(FunctionKind::IppUsb) || has(FunctionKind::RawPrinter))
    {
        "unusable"
    } else if is_known {
        "in-settings"
    } else if kind == FunctionKind::RawPrinter {
        "raw"
    } else {
        "not-in-settings"
    };
    let model = model_of(device);
    let said = profiles.for_device(Known {
        usb: Some(UsbId {
            vendor: device.identity.model.vendor,
            product: device.identity.model.product,
        }),
        model: model.as_deref(),
    });
    OnCable {
        uri: DeviceAddress::of(device, kind, all).to_string(),
        model,
        state,
        quirks: said.origins().iter().map(Quirk::from).collect(),
        fault: device.fault.as_ref().map(ToString::to_string),
    }
}

impl OnCable {
    /// For a person: what it is, and what to do next.
    pub(super) fn say(&self) -> Result<(), Exit> {
        let model = self.model.as_deref().unwrap_or("-");
        let next = match self.state {
            "in-settings" => "sudah ada di pengaturan".to_owned(),
            "not-in-settings" => format!(
                "belum dipakai; tulis uri = \"{}\" pada [[printer]] di pengaturan, lalu nyalakan ulang loketd",
                self.uri
            ),
            "raw" => format!(
                "bila ini printer tiket, tulis uri = \"{}\" pada [ticket_printer] di pengaturan, lalu nyalakan ulang loketd; \
                 bila printer A4, tidak dapat mencetak dokumen lewat USB: aktifkan IPP over USB di menunya, atau pakai lewat \
                 jaringan",
                self.uri
            ),
            _unusable => "tidak dapat dipakai; hubungi petugas TI".to_owned(),
        };
        say(format_args!("usb  {}  {model}  {next}", self.uri))?;
        if let Some(fault) = &self.fault {
            say(format_args!("  rincian: {fault}"))?;
        }
        for quirk in &self.quirks {
            quirk.say()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use loket_usb::fake::FakeDevice;

    use super::*;

    fn config(devices: &str) -> Config {
        let text = "machine = \"desa-contoh-1\"\nstate_dir = \"s\"\nruntime_dir = \"r\"\ntrust_dir = \"t\"\n";
        toml::from_str(&format!("{text}{devices}")).unwrap()
    }

    fn printer(uri: &str) -> Config {
        config(&format!("[[printer]]\nname = \"a4\"\nuri = \"{uri}\""))
    }

    #[test]
    fn a_device_is_told_with_the_address_that_tells_it_from_its_twin() {
        let one = FakeDevice::http(1, 64, |_request| Vec::new());
        let all = [one.plugged(Some("S1"), 1), one.plugged(Some("S1"), 2)];
        let told = |config: &Config| -> Vec<(String, &str)> {
            let each = all.iter().map(|it| of(it, &all, config, &Profiles::none()));
            each.map(|it| (it.uri, it.state)).collect()
        };
        let alone = told(&config(""));
        assert_eq!(alone[0].0, "ippusb://1209:0001/S1?port=1-1");
        assert_eq!(
            alone[1],
            (
                "ippusb://1209:0001/S1?port=1-2".to_owned(),
                "not-in-settings"
            )
        );
        let known = told(&printer("ippusb://1209:0001/S1?port=1-2"));
        assert_eq!([known[0].1, known[1].1], ["not-in-settings", "in-settings"]);
        // An address that fits both means neither.
        let unclear = told(&printer("ippusb://1209:0001/S1"));
        assert_eq!([unclear[0].1, unclear[1].1], ["not-in-settings"; 2]);
    }

    #[test]
    fn a_raw_printer_and_one_with_nothing_to_use_are_told_apart() {
        let raw = FakeDevice::new(FunctionKind::RawPrinter, 1, 64, Box::new(|_, _| None));
        let all = [raw.plugged(Some("R1"), 1)];
        let told = |device: &Plugged, config: &Config| of(device, &all, config, &Profiles::none());
        let state = |device: &Plugged| told(device, &config("")).state;
        assert_eq!(state(&all[0]), "raw");
        let uri = told(&all[0], &config("")).uri;
        let named = config(&format!("[ticket_printer]\nuri = \"{uri}\""));
        assert_eq!(told(&all[0], &named).state, "in-settings");
        let mut bare = all[0].clone();
        bare.functions.clear();
        assert_eq!(state(&bare), "unusable");
    }
}
