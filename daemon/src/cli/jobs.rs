//! `loketd jobs` and `loketd job …`: the officer's door without pages.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use loket_domain::print::Answer;
use loket_wire::{JobId, Reason};

use super::face::say;
use super::talk;
use super::{DEFAULT_CONFIG, read_config, runtime};
use crate::exit::Exit;
use crate::unit::control::{Listed, Request, socket_path};

#[derive(Debug, Subcommand)]
pub(super) enum JobCommand {
    /// Let a held job be printed.
    Release(Who),
    /// Call a job off, if its document has not left for the printer.
    Cancel(Who),
    /// Say what became of a sheet whose fate is not known.
    Answer {
        #[command(flatten)]
        who: Who,
        /// What was found at the printer.
        #[arg(value_enum)]
        answer: Found,
        /// The attempt that is meant; needed where this job was answered before.
        #[arg(long)]
        attempt: Option<u32>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Who {
    /// The job.
    id: JobId,
    /// The officer's name, kept in the history.
    #[arg(long)]
    by: String,
    /// The settings file.
    #[arg(long, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Found {
    /// The sheet came out, whole.
    CameOut,
    /// No sheet came out: it may be printed again.
    DidNot,
    /// A sheet came out and is spoiled.
    Damaged,
}

pub(super) fn list(config: &Path, json: bool) -> Result<Exit, Exit> {
    let jobs = ask(config, &Request::Jobs)?;
    if json {
        say(serde_json::json!({ "jobs": jobs }))?;
        return Ok(Exit::Done);
    }
    for listed in &jobs {
        let job = &listed.job;
        let why = job.reason.map(Reason::keyword);
        let why = why.map_or_else(String::new, |word| format!(" ({word})"));
        let (id, state, word) = (job.job_id, job.state, job.state.in_words());
        let (reference, label) = (&job.reference, &listed.label);
        say(format_args!(
            "{id}  {state}{why}  {word}  {reference}  {label}"
        ))?;
    }
    if jobs.is_empty() {
        say("tidak ada pekerjaan cetak yang menunggu")?;
    }
    Ok(Exit::Done)
}

pub(super) fn change(what: &JobCommand) -> Result<Exit, Exit> {
    let (who, request) = match what {
        JobCommand::Release(who) => (
            who,
            Request::Release {
                job: who.id,
                by: who.by.clone(),
            },
        ),
        JobCommand::Cancel(who) => (
            who,
            Request::Cancel {
                job: who.id,
                by: who.by.clone(),
            },
        ),
        JobCommand::Answer {
            who,
            answer,
            attempt,
        } => {
            let answer = match answer {
                Found::CameOut => Answer::CameOut,
                Found::DidNot => Answer::DidNot,
                Found::Damaged => Answer::Damaged,
            };
            (
                who,
                Request::Answer {
                    job: who.id,
                    by: who.by.clone(),
                    answer,
                    attempt: *attempt,
                },
            )
        }
    };
    ask(&who.config, &request).map(|_list| Exit::Done)
}

fn ask(config: &Path, request: &Request) -> Result<Vec<Listed>, Exit> {
    let config = read_config(config)?;
    let socket = socket_path(&config.runtime_dir);
    let answer = runtime()?.block_on(talk::ask(&socket, request, talk::jobs));
    answer.map_err(|error| error.tell())
}
