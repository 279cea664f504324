//! `loketd ticket-test`, and the ticket printer's line of `loketd devices`.
//!
//! A ticket printer is heard by one program at a time: where the daemon runs it is asked, and else the printer itself.

use std::sync::Arc;

use loket_device_profile::Profiles;
use loket_kiosk_ui::ports::{TestFate, TestTicket};
use loket_wire::device_reason::in_words;

use super::face::{say, tell};
use super::talk::{self, TalkError};
use super::{At, read_config, runtime};
use crate::clock::Clock;
use crate::config::{Config, TicketPrinterConfig};
use crate::device::TicketDevice;
use crate::exit::Exit;
use crate::profiles;
use crate::telemetry::chain;
use crate::ticket::{TicketSeen, Tickets};
use crate::trouble::Trouble;
use crate::unit::control::{Request, Response, socket_path};

/// The options of `loketd ticket-test`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    at: At,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// The printer itself, for a machine whose daemon does not run.
fn own(
    config: &Config,
    settings: &TicketPrinterConfig,
    profiles: &Profiles,
) -> Result<Tickets, String> {
    let device = TicketDevice::new(settings, profiles).map_err(|problem| chain(&problem))?;
    Ok(Tickets::new(Arc::new(device), config, Clock::new(None)))
}

/// What the ticket printer of the settings is at; none where they name none.
pub(super) async fn look(config: &Config, profiles: &Profiles) -> Option<TicketSeen> {
    let settings = config.ticket_printer.as_ref()?;
    let unseen = |state: &str, fault: String| TicketSeen {
        state: state.to_owned(),
        reasons: Vec::new(),
        fault: Some(fault),
    };
    let socket = socket_path(&config.runtime_dir);
    let asked = talk::ask_if_it_runs(&socket, &Request::TicketState, |answer| {
        if let Response::TicketState(seen) = answer {
            return Some(seen);
        }
        None
    });
    Some(match asked.await {
        Ok(Some(seen)) => seen,
        Ok(None) => match own(config, settings, profiles) {
            Ok(tickets) => tickets.look().await,
            Err(problem) => unseen("unusable", problem),
        },
        Err(TalkError::Refused { code, message }) => {
            unseen("unreachable", format!("{code}: {message}"))
        }
        Err(TalkError::Failed(trouble, detail)) => {
            unseen("unreachable", format!("{}: {detail}", trouble.sentence()))
        }
    })
}

/// Prints a test ticket.
pub(super) fn test(args: &Args) -> Result<Exit, Exit> {
    let config = read_config(&args.at.config)?;
    let Some(settings) = &config.ticket_printer else {
        return Err(tell(Trouble::NoTicketPrinter, args.at.config.display()));
    };
    let tested = runtime()?.block_on(async {
        let socket = socket_path(&config.runtime_dir);
        let asked = talk::ask_if_it_runs(&socket, &Request::TicketTest, |answer| {
            if let Response::TicketTest(tested) = answer {
                return Some(tested);
            }
            None
        });
        match asked.await {
            Ok(Some(tested)) => Ok(tested),
            Ok(None) => {
                let profiles = profiles::load(config.devices_dir.as_deref())
                    .map_err(|error| tell(Trouble::ProfilesUnusable, chain(&error)))?;
                let tickets = own(&config, settings, &profiles);
                let tickets = tickets.map_err(|problem| tell(Trouble::SettingsWrong, problem))?;
                Ok(tickets.test().await)
            }
            Err(error) => Err(error.tell()),
        }
    })?;
    if args.json {
        let text = serde_json::to_string(&tested).map_err(|error| tell(Trouble::Fault, error))?;
        say(text)?;
        return Ok(exit_of(tested.fate));
    }
    say_of(&tested)
}

const fn exit_of(fate: TestFate) -> Exit {
    match fate {
        TestFate::Printed | TestFate::Accepted => Exit::Done,
        TestFate::NotPrinted => Exit::Negative,
        TestFate::Unclear => Exit::Unsure,
    }
}

fn say_of(tested: &TestTicket) -> Result<Exit, Exit> {
    let reasons = tested.reasons.iter();
    let reasons: Vec<String> = reasons
        .map(|reason| format!("{} ({reason})", in_words(reason)))
        .collect();
    let detail = || {
        let causes = tested.detail.iter().cloned();
        reasons.iter().cloned().chain(causes).collect::<Vec<_>>()
    };
    match tested.fate {
        TestFate::Printed => {
            say("tiket uji tercetak; ambil dan lihat tulisannya jelas dan kertasnya terpotong")?;
        }
        TestFate::Accepted => {
            say(
                "printer menerima tiket uji tetapi tidak dapat memastikan keluarnya; lihat printernya",
            )?;
        }
        TestFate::NotPrinted => return Ok(tell(Trouble::TicketNotPrinted, detail().join("; "))),
        TestFate::Unclear => return Ok(tell(Trouble::TicketUnclear, detail().join("; "))),
    }
    for reason in reasons {
        say(format_args!("  {reason}"))?;
    }
    Ok(exit_of(tested.fate))
}
