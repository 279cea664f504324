//! `loketd devices`: what the printers of the settings answer, what is plugged in, what announces itself on the network where
//! that is asked, and whom this machine trusts.

mod plugged;
mod searched;

use std::sync::Arc;
use std::time::Duration;

use loket_device_profile::{Origin, Profiles};
use loket_wire::device_reason::in_words;
use loket_wire::{MachineId, Stock};
use serde::Serialize;

use self::searched::Searched;
use super::face::{say, tell};
use super::words::printer_state;
use super::{At, install_crypto, read_config, runtime, ticket, trust};
use crate::clock::Clock;
use crate::config::{PrinterConfig, TicketPrinterConfig};
use crate::device::{DeviceFault, IppDevice, Printer as _, known_ticket_printer};
use crate::exit::Exit;
use crate::profiles;
use crate::telemetry::chain;
use crate::ticket::TicketSeen;
use crate::trouble::Trouble;

/// A printer that says nothing for so long is not reached, whatever it does.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);

/// The options of `loketd devices`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    at: At,
    /// Ask the local network for printers too, for so many seconds (1 to 30). Nothing is changed or printed.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5",
        value_parser = clap::value_parser!(u64).range(1..=30))]
    search: Option<u64>,
    /// Ask at this network interface alone, as `ip link` names it.
    #[arg(long, value_name = "NAME", requires = "search")]
    interface: Option<String>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// One printer, in the shape of `loketd devices --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    name: String,
    /// `printer` or `ticket-printer`.
    kind: &'static str,
    uri: String,
    /// `idle`, `processing`, `stopped`, `other`, `refusing`, `unreachable` or `unusable`.
    state: String,
    /// printer-state-reasons, or the keyword of what stands between this machine and the printer.
    reasons: Vec<String>,
    model: Option<String>,
    /// What device profiles say of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quirks: Vec<Quirk>,
    /// What it has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<Stock>,
    /// Why it refuses, is unreachable or unusable, for the one who mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// One value of a device profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Quirk {
    /// `section.key = value`
    set: String,
    profile: String,
    reason: String,
    source: String,
}

impl Quirk {
    /// As a line below its device.
    fn say(&self) -> Result<(), Exit> {
        say(format_args!(
            "  profil {}: {} ({})",
            self.profile, self.set, self.reason
        ))
    }
}

impl From<&Origin> for Quirk {
    fn from(origin: &Origin) -> Self {
        Self {
            set: format!("{}.{} = {}", origin.section, origin.key, origin.value),
            profile: origin.profile.clone(),
            reason: origin.reason.clone(),
            source: origin.source.clone(),
        }
    }
}

impl Seen {
    /// The ticket printer of the settings.
    fn of_tickets(settings: &TicketPrinterConfig, seen: TicketSeen, profiles: &Profiles) -> Self {
        let said = profiles.for_device(known_ticket_printer(settings));
        Self {
            name: settings.name.clone(),
            kind: "ticket-printer",
            uri: settings.uri.clone(),
            state: seen.state,
            reasons: seen.reasons,
            model: settings.model.clone(),
            quirks: said.origins().iter().map(Quirk::from).collect(),
            stock: None,
            fault: seen.fault,
        }
    }

    /// As lines for a person.
    fn say(&self) -> Result<(), Exit> {
        let model = self.model.as_deref().unwrap_or("-");
        let (name, state, line, uri) = (&self.name, &self.state, self.line(), &self.uri);
        say(format_args!("{name}  {state}  {line}  {uri}  {model}"))?;
        for left in self.stock.iter().flat_map(Stock::in_words) {
            say(format_args!("  {left}"))?;
        }
        if let Some(fault) = &self.fault {
            say(format_args!("  rincian: {fault}"))?;
        }
        self.quirks.iter().try_for_each(Quirk::say)
    }

    /// What an officer reads: the state, and why.
    pub(super) fn line(&self) -> String {
        let mut line = printer_state(&self.state).to_owned();
        for reason in self.reasons.iter().filter(|reason| *reason != "none") {
            line.push_str(&format!(", {} ({reason})", in_words(reason)));
        }
        line
    }
}

/// Asks one printer what it is at.
pub(super) async fn look(
    printer: &PrinterConfig,
    machine: &MachineId,
    profiles: &Arc<Profiles>,
) -> Seen {
    let mut seen = Seen {
        name: printer.name.clone(),
        kind: "printer",
        uri: printer.uri.clone(),
        state: "unreachable".to_owned(),
        reasons: Vec::new(),
        model: None,
        quirks: Vec::new(),
        stock: None,
        fault: None,
    };
    let device = match IppDevice::new(printer, machine, Arc::clone(profiles)) {
        Ok(device) => device,
        Err(error) => {
            seen.fault = Some(chain(&error));
            seen.state = "unusable".to_owned();
            seen.reasons = vec![DeviceFault::Refused(error).reason()];
            return seen;
        }
    };
    match tokio::time::timeout(STATUS_TIMEOUT, device.status()).await {
        Ok(Ok(status)) => {
            (seen.reasons, seen.model) = (status.reasons, status.model);
            seen.state = status.state.to_owned();
            let known = loket_device_profile::Seen {
                usb: None,
                model: seen.model.as_deref(),
            };
            let said = profiles.for_device(known);
            seen.quirks = said.origins().iter().map(Quirk::from).collect();
            seen.stock = status.stock;
        }
        Ok(Err(fault)) => {
            if fault.is_refusal() {
                seen.state = "refusing".to_owned();
            }
            seen.reasons = vec![fault.reason()];
            let (DeviceFault::Wait(error)
            | DeviceFault::Unclear(error)
            | DeviceFault::Refused(error)) = fault;
            seen.fault = Some(chain(&error));
        }
        Err(_silent) => {
            seen.reasons = vec!["timed-out".to_owned()];
            seen.fault = Some(format!("no answer within {} s", STATUS_TIMEOUT.as_secs()));
        }
    }
    seen
}

pub(super) fn devices(args: &Args) -> Result<Exit, Exit> {
    let config = read_config(&args.at.config)?;
    install_crypto();
    let runtime = runtime()?;
    let profiles = profiles::load(config.devices_dir.as_deref());
    let profiles = profiles.map_err(|error| tell(Trouble::ProfilesUnusable, chain(&error)))?;
    let profiles = Arc::new(profiles);
    let mut found = Vec::new();
    for printer in &config.printers {
        found.push(runtime.block_on(look(printer, &config.machine, &profiles)));
    }
    let of_tickets = runtime.block_on(ticket::look(&config, &profiles));
    if let Some((settings, seen)) = config.ticket_printer.as_ref().zip(of_tickets) {
        found.push(Seen::of_tickets(settings, seen, &profiles));
    }
    let plugged = runtime.block_on(plugged::look(&config, &profiles));
    let searched = args.search.map(|seconds| {
        let (printers, interface) = (&config.printers, args.interface.clone());
        runtime.block_on(searched::look((seconds, interface), printers, &profiles))
    });
    let trust = trust::look(&config, Clock::new(None).now().wall);
    let exit = searched.as_ref().map_or(Exit::Done, Searched::exit);
    if args.json {
        let mut told = serde_json::json!({ "devices": found, "plugged": plugged, "trust": trust });
        if let (Some(searched), Some(told)) = (&searched, told.as_object_mut()) {
            told.insert("search".to_owned(), serde_json::json!(searched));
        }
        say(told)?;
        return Ok(exit);
    }
    for seen in &found {
        seen.say()?;
    }
    if found.is_empty() {
        say("tidak ada printer di pengaturan mesin ini; hubungi petugas TI")?;
    }
    for device in &plugged {
        device.say()?;
    }
    if let Some(searched) = &searched {
        searched.say()?;
    }
    trust.say()?;
    Ok(exit)
}
