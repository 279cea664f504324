//! `loketd print FILE --printer URI`: one document by hand, through the same journal path as an order.
//!
//! The end of the command is the end of the job, or the command says that it is not: who is told "not printed" goes and
//! prints elsewhere.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_device_profile::Profiles;
use loket_domain::print::{Actor, Refusal};
use loket_wire::order::MAX_DOCUMENT_BYTES;
use loket_wire::{JobId, JobState, MachineId, Reason, Sha256Digest};
use zeroize::Zeroizing;

use super::face::{note, say, tell};
use super::talk::{self, TalkError};
use super::{Signals, devices, install_crypto, own_state, read_config, run_trouble, runtime};
use crate::account::own_uid;
use crate::alone::at_desk;
use crate::config::{Config, PrinterConfig};
use crate::exit::Exit;
use crate::telemetry;
use crate::trouble::Trouble;
use crate::unit::control::{Door, Listed, Request, account, officer, socket_path};
use crate::unit::print::JobView;
use loket_inspection::Inspector;

/// Between two looks at the job.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Between two looks at the printer: what it says is for the person who waits.
const LOOK_AT_PRINTER_EVERY: Duration = Duration::from_secs(2);

/// What is called off is over at once, or the printer does not answer.
const CALL_OFF_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, clap::Args)]
pub(super) struct Hand {
    /// The PDF.
    file: PathBuf,
    /// The printer's address, `ipp://…`; a running daemon takes printers of its settings alone.
    #[arg(long)]
    printer: String,
    /// The officer's name, kept in the history; the account's where absent.
    #[arg(long)]
    by: Option<String>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: super::At,
}

/// What the command leaves behind.
struct Fate {
    job: JobId,
    state: JobState,
    /// The reason's keyword.
    reason: Option<String>,
    /// Why the command ends before the job does.
    left: Option<Trouble>,
}

pub(super) fn print(hand: &Hand, inspector: &Inspector) -> Result<Exit, Exit> {
    let config = read_config(&hand.at.config)?;
    let document = read(&hand.file)
        .map_err(|error| tell(Trouble::FileUnreadable, shown(&hand.file, &error)))?;
    let by = match &hand.by {
        Some(name) => officer(name),
        None => account(Some(own_uid())),
    };
    let Some(Actor::Officer(by)) = by else {
        return Err(tell(Trouble::OfficerName, "--by"));
    };
    telemetry::install(config.log, "warn");
    install_crypto();
    let runtime = runtime()?;
    let socket = socket_path(&config.runtime_dir);
    let fate = runtime.block_on(async {
        let signals = Signals::listen().map_err(|error| tell(Trouble::Fault, error))?;
        match talk::connect(&socket).await {
            Ok(stream) => {
                let mut waiting = Waiting::new(&config, &hand.printer, by.clone(), signals);
                let request = Request::Print {
                    printer: hand.printer.clone(),
                    size_bytes: u64::try_from(document.len()).unwrap_or(u64::MAX),
                    by: hand.by.clone(),
                };
                let way = Way::Daemon(&socket);
                let asked = talk::exchange(stream, (&request, &document), talk::jobs);
                waiting.follow(&way, asked).await
            }
            Err(TalkError::Failed(Trouble::DaemonAway, _why)) => {
                alone(config, document, (hand, inspector), by, signals).await
            }
            Err(error) => Err(error.tell()),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(tell_fate(&fate?, hand.json))
}

fn shown(file: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", file.display())
}

/// Reads one byte more than is taken, so that what is too large is refused and not cut.
fn read(file: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let limit = u64::try_from(MAX_DOCUMENT_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(file)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// No daemon runs: this program takes the state folder's lock and drives this one job.
async fn alone(
    config: Config,
    document: Zeroizing<Vec<u8>>,
    (hand, inspector): (&Hand, &Inspector),
    by: String,
    signals: Signals,
) -> Result<Fate, Exit> {
    own_state(&config)?;
    let uri = &hand.printer;
    let is_known = config.printers.iter().any(|printer| printer.uri == *uri);
    let guest = (!is_known).then(|| guest(uri));
    if let Some(guest) = &guest
        && let Err(problem) = guest.check()
    {
        return Err(tell(Trouble::PrinterAddress, problem));
    }
    let mut printers = config.printers.clone();
    printers.extend(guest.clone());
    let shown = Config {
        printers,
        ..config.clone()
    };
    let mut waiting = Waiting::new(&shown, uri, by.clone(), signals);
    let done = at_desk(&config, guest, inspector.clone(), async |door: &Door| {
        let way = Way::Own(door);
        let asked = async {
            let answer = door.print(document, uri, Actor::Officer(by)).await;
            talk::pick(answer, talk::jobs)
        };
        waiting.follow(&way, asked).await
    });
    done.await.map_err(|error| run_trouble(&error))?
}

/// A printer for this one command. Its lane bears its address, so that a job left behind never meets another printer.
fn guest(uri: &str) -> PrinterConfig {
    let digest = Sha256Digest::of(uri.as_bytes()).to_string();
    let tail: String = digest.chars().take(16).collect();
    PrinterConfig {
        name: format!("hand-{tail}"),
        uri: uri.to_owned(),
        pinned_spki_sha256: None,
        trusts_impressions: None,
        idle_poll_ms: None,
        exercise: None,
    }
}

/// How the desk is asked.
enum Way<'a> {
    /// The running daemon, by its socket.
    Daemon(&'a Path),
    /// The desk in this process.
    Own(&'a Door),
}

impl Way<'_> {
    async fn ask(&self, request: Request) -> Result<Vec<Listed>, TalkError> {
        match self {
            Self::Daemon(socket) => talk::ask(socket, &request, talk::jobs).await,
            Self::Own(door) => talk::pick(door.answer(request).await, talk::jobs),
        }
    }

    /// Whether nothing is left to do for the job. The desk in this process must have destroyed its document.
    const fn is_over(&self, job: &JobView) -> bool {
        match self {
            Self::Daemon(_) => job.state.is_end(),
            Self::Own(_) => job.is_closed,
        }
    }
}

/// A person who waits for a sheet.
struct Waiting {
    printer: Option<PrinterConfig>,
    machine: MachineId,
    by: String,
    signals: Signals,
    /// What the printer said last.
    said: String,
}

impl Waiting {
    fn new(config: &Config, uri: &str, by: String, signals: Signals) -> Self {
        let mut printers = config.printers.iter();
        Self {
            printer: printers.find(|printer| printer.uri == uri).cloned(),
            machine: config.machine.clone(),
            by,
            signals,
            said: String::new(),
        }
    }

    /// Hands the document over by `asked` and waits for its job's end; an interrupt calls the job off.
    async fn follow(
        &mut self,
        way: &Way<'_>,
        asked: impl Future<Output = Result<Vec<Listed>, TalkError>>,
    ) -> Result<Fate, Exit> {
        tokio::pin!(asked);
        let mut interrupted = false;
        let taken = loop {
            tokio::select! {
                taken = &mut asked => break taken,
                () = self.signals.next() => {
                    if interrupted {
                        return Err(tell(Trouble::MaybeTaken, "interrupted twice"));
                    }
                    interrupted = true;
                }
            }
        };
        let mut job = match taken.map(|listed| listed.into_iter().next()) {
            Ok(Some(first)) => first.job,
            Ok(None) => return Err(tell(Trouble::DaemonGarbled, "no job in the answer")),
            Err(TalkError::Failed(_, detail)) => return Err(tell(Trouble::MaybeTaken, detail)),
            Err(refused) => return Err(refused.tell()),
        };
        note(format_args!(
            "Pekerjaan {} diterima; menunggu printer. Ctrl+C untuk membatalkan.",
            job.job_id
        ));
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut look_at_printer = tokio::time::interval(LOOK_AT_PRINTER_EVERY);
        loop {
            if job.state == JobState::Unknown || way.is_over(&job) {
                return Ok(fate(&job, None));
            }
            if interrupted {
                return Ok(self.call_off(way, job).await);
            }
            tokio::select! {
                _at = look.tick() => match view(way, job.job_id).await {
                    Ok(seen) => job = seen,
                    Err(error) => {
                        error.tell();
                        return Ok(fate(&job, Some(Trouble::StillOpen)));
                    }
                },
                _at = look_at_printer.tick() => self.look_at_printer().await,
                () = self.signals.next() => interrupted = true,
            }
        }
    }

    /// Tells what the printer says, each time that it says something else.
    async fn look_at_printer(&mut self) {
        if let Some(printer) = &self.printer {
            let said = devices::look(printer, &self.machine, &Arc::new(Profiles::none()))
                .await
                .line();
            if said != self.said {
                note(format_args!("Printer: {said}"));
                self.said = said;
            }
        }
    }

    /// Calls the job off, and waits until that is done or cannot be.
    async fn call_off(&mut self, way: &Way<'_>, mut job: JobView) -> Fate {
        let id = job.job_id;
        note(format_args!("Pekerjaan {id} sedang dibatalkan …"));
        let cancel = Request::Cancel {
            job: id,
            by: self.by.clone(),
        };
        let late = match way.ask(cancel).await {
            Ok(_called_off) => Trouble::StillOpen,
            Err(TalkError::Refused { code, .. }) if code == Refusal::AlreadySending.code() => {
                Trouble::TooLateToStop
            }
            // It may have ended in the meantime: what it is at tells.
            Err(TalkError::Refused { .. }) => Trouble::StillOpen,
            Err(error) => {
                error.tell();
                return fate(&job, Some(Trouble::StillOpen));
            }
        };
        let deadline = tokio::time::sleep(CALL_OFF_TIMEOUT);
        tokio::pin!(deadline);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = &mut deadline => return fate(&job, Some(late)),
                () = self.signals.next() => return fate(&job, Some(late)),
                _at = look.tick() => {
                    let Ok(seen) = view(way, id).await else {
                        return fate(&job, Some(late));
                    };
                    job = seen;
                    if job.state == JobState::Unknown || way.is_over(&job) {
                        return fate(&job, None);
                    }
                    if late == Trouble::TooLateToStop {
                        return fate(&job, Some(late));
                    }
                }
            }
        }
    }
}

async fn view(way: &Way<'_>, job: JobId) -> Result<JobView, TalkError> {
    let listed = way.ask(Request::Job { job }).await?;
    let missing = || TalkError::Failed(Trouble::DaemonGarbled, "no job in the answer".to_owned());
    listed
        .into_iter()
        .next()
        .map(|it| it.job)
        .ok_or_else(missing)
}

fn fate(job: &JobView, left: Option<Trouble>) -> Fate {
    Fate {
        job: job.job_id,
        state: job.state,
        reason: job.reason.map(Reason::keyword),
        left,
    }
}

/// Says how it ended. Where standard output is closed that still goes by the exit code: paper is what counts.
fn tell_fate(fate: &Fate, json: bool) -> Exit {
    let (job, state) = (fate.job, fate.state);
    let reason = fate.reason.as_deref();
    let told = if json {
        say(serde_json::json!({ "job_id": job, "state": state, "reason": reason }))
    } else {
        let why = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        say(format_args!("{job}  {state}{why}  {}", state.in_words()))
    };
    if told.is_err() {
        note(format_args!("{job}  {state}"));
    }
    let trouble = match (fate.left, state) {
        (Some(left), _) => left,
        (None, JobState::Printed) => return Exit::Done,
        (None, JobState::Unknown) => Trouble::SheetUnknown,
        (None, _unprinted) => Trouble::NotPrinted,
    };
    tell(trouble, format_args!("pekerjaan {job}, {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_ends_with_the_code_that_its_sentence_has_in_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let settings = dir.path().join("loketd.toml");
        let text = "machine = \"desa-contoh-1\"\nstate_dir = \"state\"\nruntime_dir = \"run\"\n\
                    trust_dir = \"trust\"\n[[printer]]\nname = \"a4\"\nuri = \"ipp://127.0.0.1:1/ipp/print\"\n";
        std::fs::write(&settings, text).unwrap();
        let file = dir.path().join("kk.pdf");
        std::fs::write(&file, b"%PDF-1.7").unwrap();
        let hand = |by: &str| Hand {
            file: file.clone(),
            printer: "ipp://127.0.0.1:1/ipp/print".to_owned(),
            by: Some(by.to_owned()),
            json: false,
            at: super::super::At {
                config: settings.clone(),
            },
        };
        for by in ["", &"9".repeat(16), &"x".repeat(41)] {
            let ended = print(
                &hand(by),
                &Inspector::at("/nonexistent/loket-inspector".as_ref()),
            );
            assert_eq!(ended, Err(Trouble::OfficerName.exit()), "{by:?}");
            assert_eq!(ended, Err(Exit::Negative), "{by:?}");
        }
    }
}
