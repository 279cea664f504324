//! What announces itself on the network as a printer, whether the settings know it or not.
//!
//! It is a help for whoever writes settings. Nothing of it is written anywhere, and the daemon never asks.

use std::time::Duration;

use loket_device_profile::{Profiles, Seen as Known};
use loket_dns_sd::{Announced, Formats, Found, Search, Service, search};
use loket_ipp_printer::PrinterUri;
use serde::Serialize;

use super::Quirk;
use crate::cli::face::{say, tell};
use crate::config::PrinterConfig;
use crate::exit::Exit;
use crate::telemetry::chain;
use crate::trouble::Trouble;

/// One search, in the shape of `loketd devices --search --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Searched {
    seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    printers: Vec<OnNetwork>,
    /// What went wrong, or could not be used.
    notes: Vec<Note>,
}

/// One printer on the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct OnNetwork {
    name: String,
    /// Its address for the settings.
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    /// `in-settings` or `not-in-settings`.
    state: &'static str,
    /// `pdf`, `raster`, `neither`, or `unsaid` where it does not say.
    takes: &'static str,
    /// Whether settings need its pin.
    needs_pin: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quirks: Vec<Quirk>,
}

/// Something that a person should know of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Note {
    code: &'static str,
    /// For the one who mends it.
    detail: String,
    #[serde(skip)]
    trouble: Trouble,
}

impl Note {
    fn new(trouble: Trouble, detail: impl ToString) -> Self {
        Self {
            code: trouble.id(),
            detail: detail.to_string(),
            trouble,
        }
    }
}

/// Asks the network for `seconds`, at one interface or at all.
pub(super) async fn look(
    (seconds, interface): (u64, Option<String>),
    printers: &[PrinterConfig],
    profiles: &Profiles,
) -> Searched {
    let asked = Search {
        within: Duration::from_secs(seconds),
        interface: interface.clone(),
        port: None,
    };
    let mut searched = Searched {
        seconds,
        interface,
        printers: Vec::new(),
        notes: Vec::new(),
    };
    match search(&asked).await {
        Ok(found) => searched.take(&found, printers, profiles),
        Err(error) => {
            let note = Note::new(Trouble::SearchFailed, chain(&error));
            searched.notes.push(note);
        }
    }
    searched
}

impl Searched {
    fn take(&mut self, found: &Found, printers: &[PrinterConfig], profiles: &Profiles) {
        let each = found.printers.iter();
        self.printers = each.map(|it| of(it, printers, profiles)).collect();
        for (fault, count) in &found.faults {
            let detail = format!("{} ({count}): {fault}", fault.keyword());
            self.notes.push(Note::new(Trouble::AnswersUnusable, detail));
        }
        if found.is_cut {
            let detail = format!("{} printers are shown", self.printers.len());
            self.notes.push(Note::new(Trouble::AnswersTooMany, detail));
        }
    }

    /// How the command ends because of it: what cannot be used of others is no failure of a search.
    pub(super) fn exit(&self) -> Exit {
        let worst = self.notes.iter().map(|note| note.trouble.exit());
        worst.max_by_key(|exit| exit.code()).unwrap_or(Exit::Done)
    }

    /// For a person: what is there, and what to do next.
    pub(super) fn say(&self) -> Result<(), Exit> {
        for printer in &self.printers {
            printer.say()?;
        }
        if self.printers.is_empty() {
            say(
                "jaringan  tidak ada printer yang menjawab; nyalakan printernya dan Bonjour/AirPrint di menunya, \
                 atau tulis alamatnya sendiri di pengaturan",
            )?;
        }
        for note in &self.notes {
            tell(note.trouble, &note.detail);
        }
        Ok(())
    }
}

fn of(printer: &Announced, printers: &[PrinterConfig], profiles: &Profiles) -> OnNetwork {
    let is_known = printers.iter().any(|it| is_same(it, printer));
    let model = printer.make_and_model.clone();
    let said = profiles.for_device(Known {
        usb: None,
        model: model.as_deref(),
    });
    OnNetwork {
        name: printer.name.clone(),
        uri: printer.uri(),
        model,
        uuid: printer.uuid.clone(),
        state: if is_known {
            "in-settings"
        } else {
            "not-in-settings"
        },
        takes: match printer.takes() {
            Formats::Pdf => "pdf",
            Formats::Raster => "raster",
            Formats::Neither => "neither",
            Formats::Unsaid => "unsaid",
        },
        needs_pin: printer.service == Service::Ipps,
        quirks: said.origins().iter().map(Quirk::from).collect(),
    }
}

/// Whether a printer of the settings is at one of the addresses, or at the host, that this one announces.
fn is_same(settings: &PrinterConfig, printer: &Announced) -> bool {
    // An address on a cable is none here.
    let Ok(uri) = PrinterUri::parse(&settings.uri) else {
        return false;
    };
    let host = uri.host().trim_end_matches('.').to_ascii_lowercase();
    let is_address = host.parse().is_ok_and(|it| printer.addresses.contains(&it));
    let is_host = printer.host.as_ref() == Some(&host);
    let scheme = match uri.scheme() {
        loket_ipp_printer::Scheme::Ipp => Service::Ipp,
        loket_ipp_printer::Scheme::Ipps => Service::Ipps,
    };
    (is_address || is_host)
        && scheme == printer.service
        && uri.port() == printer.port
        && uri.path().trim_start_matches('/') == printer.path
}

impl OnNetwork {
    fn say(&self) -> Result<(), Exit> {
        let model = self.model.as_deref().unwrap_or("-");
        let (name, uri) = (&self.name, &self.uri);
        let takes = match self.takes {
            "pdf" => "menerima PDF",
            "raster" => "menerima raster, bukan PDF",
            "neither" => "tidak menerima PDF maupun raster",
            _unsaid => "tidak menyebut format yang diterima",
        };
        say(format_args!("jaringan  {name}  {uri}  {model}  {takes}"))?;
        say(format_args!("  {}", self.next()))?;
        if self.needs_pin && self.state == "not-in-settings" {
            say(PIN)?;
        }
        self.quirks.iter().try_for_each(Quirk::say)
    }

    /// What to do next.
    fn next(&self) -> String {
        match (self.state, self.takes) {
            ("in-settings", _takes) => "sudah ada di pengaturan".to_owned(),
            (_new, "neither") => {
                "tidak dapat mencetak dokumen resmi; pilih printer lain, atau hubungi petugas TI"
                    .to_owned()
            }
            (_new, _takes) => format!(
                "belum dipakai; pastikan ini printer kantor Anda dan alamatnya tetap, tulis uri = \"{}\" pada [[printer]] \
                 di pengaturan, lalu nyalakan ulang loketd",
                self.uri
            ),
        }
    }
}

/// How a pin is had: from the printer itself, and not from what the network says of it.
const PIN: &str = "  perlu juga pinned_spki_sha256; isi dulu dengan 64 angka 0, jalankan 'loketd devices', lalu salin sidik yang \
                   disebut di rincian setelah mencocokkannya dengan sertifikat di menu printer";

#[cfg(test)]
mod tests;
