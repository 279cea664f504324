//! `loketd jobs` and `loketd job …`: the officer's door without pages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use loket_domain::print::Answer;
use loket_wire::JobId;

use super::{DEFAULT_CONFIG, read_config};
use crate::exit::Exit;
use crate::unit::control::{Listed, Request, Response, socket_path};

/// A daemon that does not answer for so long is stuck; its watchdog is about to restart it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

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

pub(super) fn list(config: &Path, json: bool) -> Exit {
    let jobs = match ask(config, &Request::Jobs) {
        Ok(jobs) => jobs,
        Err(exit) => return exit,
    };
    if json {
        println!("{}", serde_json::json!({ "jobs": jobs }));
        return Exit::Done;
    }
    for listed in &jobs {
        let job = &listed.job;
        let reason = job
            .reason
            .and_then(|reason| serde_json::to_string(&reason).ok());
        let reason =
            reason.map_or_else(String::new, |word| format!(" ({})", word.trim_matches('"')));
        println!(
            "{}  {}{reason}  {}  {}",
            job.job_id, job.state, job.reference, listed.label
        );
    }
    if jobs.is_empty() {
        println!("tidak ada pekerjaan cetak yang menunggu");
    }
    Exit::Done
}

pub(super) fn change(what: &JobCommand) -> Exit {
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
    ask(&who.config, &request).map_or_else(|exit| exit, |_list| Exit::Done)
}

fn ask(config: &Path, request: &Request) -> Result<Vec<Listed>, Exit> {
    let config = read_config(config)?;
    let path = socket_path(&config.runtime_dir);
    let exchange = || {
        let mut stream = UnixStream::connect(&path)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        Ok::<_, std::io::Error>(serde_json::from_str::<Response>(&answer)?)
    };
    match exchange() {
        Ok(Response::Ok(jobs)) => Ok(jobs),
        Ok(Response::Error { code, message }) => {
            eprintln!("{code}: {message}");
            Err(Exit::Negative)
        }
        Err(error) => {
            eprintln!("failed to reach loketd at {}: {error}", path.display());
            Err(Exit::Unavailable)
        }
    }
}
