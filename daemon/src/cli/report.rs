//! `loketd report`: the account of a day, from the running daemon or, where none runs, from its journal.

use std::path::{Path, PathBuf};

use loket_domain::account::{Notation, Printed, csv, form};
use loket_domain::dispatch::LocalDay;

use super::face::{say, tell};
use super::{At, own_state, read_config, run_trouble, runtime, talk};
use crate::account::own_uid;
use crate::alone;
use crate::config::Config;
use crate::exit::Exit;
use crate::telemetry;
use crate::trouble::Trouble;
use crate::unit::control::{Request, Response, account, of_report, officer_name, socket_path};
use crate::unit::print::DayReport;
use loket_domain::print::Actor;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The day of the office, YYYY-MM-DD.
    #[arg(long)]
    day: LocalDay,
    /// Write a table for spreadsheets: semicolons, Indonesian headings.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Write the same table for programs: commas, keywords.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Write a form for paper.
    #[arg(long)]
    pdf: Option<PathBuf>,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// Whose name stands on the form; the account's where absent.
    #[arg(long)]
    by: Option<String>,
    #[command(flatten)]
    at: At,
}

pub(super) fn report(args: &Args) -> Result<Exit, Exit> {
    let config = read_config(&args.at.config)?;
    let by = match &args.by {
        Some(name) => officer_name(name),
        None => match account(Some(own_uid())) {
            Some(Actor::Officer(name)) => Some(name),
            Some(Actor::Machine | Actor::Central) | None => None,
        },
    };
    let by = by.ok_or_else(|| tell(Trouble::OfficerName, "--by"))?;
    telemetry::install(config.log, "warn");
    let report = runtime()?.block_on(ask(&config, args.day))?;
    let printed = printed(&config, &report, by);
    if let Some(file) = &args.csv {
        write(file, csv(&report.day, Notation::Office).as_bytes())?;
    }
    if let Some(file) = &args.data {
        write(file, csv(&report.day, Notation::Data).as_bytes())?;
    }
    if let Some(file) = &args.pdf {
        let pdf = loket_paper::form::pdf(&form(&report.day, &printed), report.made_at);
        write(file, &pdf.map_err(|error| tell(Trouble::Fault, error))?)?;
    }
    if args.json {
        let text = serde_json::to_string(&report).map_err(|error| tell(Trouble::Fault, error))?;
        say(text)?;
    } else if args.csv.is_none() && args.data.is_none() && args.pdf.is_none() {
        for table in form(&report.day, &printed).tables.iter().take(1) {
            let mut rows = table.rows.iter();
            rows.try_for_each(|row| say(row.join(": ")))?;
        }
    }
    Ok(Exit::Done)
}

/// Who gives the form.
fn printed(config: &Config, report: &DayReport, by: String) -> Printed {
    let machine = || config.machine.to_string();
    Printed {
        office: config.office.clone().unwrap_or_else(machine),
        at: report.made_at,
        clock_trusted: report.clock_trusted,
        by,
        source: "catatan stasiun ini",
    }
}

async fn ask(config: &Config, day: LocalDay) -> Result<DayReport, Exit> {
    let socket = socket_path(&config.runtime_dir);
    let request = Request::Report { day };
    let asked = talk::ask_if_it_runs(&socket, &request, |answer| {
        if let Response::Report(report) = answer {
            return Some(*report);
        }
        None
    });
    match asked.await.map_err(|error| error.tell())? {
        Some(report) => Ok(report),
        None => alone(config, day).await,
    }
}

/// No daemon runs: its journal is read.
async fn alone(config: &Config, day: LocalDay) -> Result<DayReport, Exit> {
    own_state(config)?;
    let report = alone::account_for(config, day).await;
    let report = report.map_err(|error| run_trouble(&error))?;
    report.map_err(|error| tell(of_report(&error), error))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Exit> {
    std::fs::write(file, bytes).map_err(|error| {
        tell(
            Trouble::FileUnwritable,
            format_args!("{}: {error}", file.display()),
        )
    })
}
