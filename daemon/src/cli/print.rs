//! `loketd print FILE --printer URI`: one document by hand, through the same journal path as an order.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loket_wire::order::MAX_DOCUMENT_BYTES;
use loket_wire::{JobId, JobState};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Signals, install_crypto, read_config, runtime};
use crate::config::{Config, PrinterConfig};
use crate::exit::Exit;
use crate::supervisor::{RunError, run_one};
use crate::telemetry::{self, chain};
use crate::unit::control::{Listed, Request, Response, socket_path};

/// The lane of a printer that is named on the command line alone.
const HAND_LANE: &str = "hand";

/// Between two looks at a job of the running daemon.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn print(config: &Path, file: &Path, printer: &str, json: bool) -> Exit {
    let config = match read_config(config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let document = match read(file) {
        Ok(document) => document,
        Err(error) => {
            eprintln!("failed to read {}: {error}", file.display());
            return Exit::Unreadable;
        }
    };
    let ended = match UnixStream::connect(socket_path(&config.runtime_dir)) {
        Ok(stream) => by_daemon(&config, stream, &document, printer),
        Err(_no_daemon) => alone(config, document, printer),
    };
    match ended {
        Ok((job, state)) => {
            if json {
                println!("{}", serde_json::json!({ "job_id": job, "state": state }));
            } else {
                println!("{job}  {state}");
            }
            if state == JobState::Printed {
                Exit::Done
            } else if state == JobState::Unknown {
                Exit::Unsure
            } else {
                Exit::Negative
            }
        }
        Err(exit) => exit,
    }
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

/// The running daemon takes it; this program only waits for the end.
fn by_daemon(
    config: &Config,
    stream: UnixStream,
    document: &[u8],
    printer: &str,
) -> Result<(JobId, JobState), Exit> {
    let size_bytes = u64::try_from(document.len()).unwrap_or(u64::MAX);
    let request = Request::Print {
        printer: printer.to_owned(),
        size_bytes,
    };
    let mut listed = exchange(stream, &request, document)?;
    loop {
        let Some(first) = listed.into_iter().next() else {
            return Err(Exit::Unavailable);
        };
        let (job, state) = (first.job.job_id, first.job.state);
        if state.is_end() || state == JobState::Unknown {
            return Ok((job, state));
        }
        std::thread::park_timeout(LOOK_EVERY);
        let stream = UnixStream::connect(socket_path(&config.runtime_dir)).map_err(|error| {
            eprintln!("failed to reach loketd again: {error}; see 'loketd jobs' for job {job}");
            Exit::Unavailable
        })?;
        listed = exchange(stream, &Request::Job { job }, &[])?;
    }
}

fn exchange(mut stream: UnixStream, request: &Request, body: &[u8]) -> Result<Vec<Listed>, Exit> {
    let mut talk = || {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        stream.write_all(body)?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        Ok::<_, std::io::Error>(serde_json::from_str::<Response>(&answer)?)
    };
    match talk() {
        Ok(Response::Ok(jobs)) => Ok(jobs),
        Ok(Response::Error { code, message }) => {
            eprintln!("{code}: {message}");
            Err(Exit::Negative)
        }
        Err(error) => {
            eprintln!("failed to talk to loketd: {error}");
            Err(Exit::Unavailable)
        }
    }
}

/// No daemon runs: this program takes the state folder's lock and drives this one job.
fn alone(
    mut config: Config,
    document: Zeroizing<Vec<u8>>,
    uri: &str,
) -> Result<(JobId, JobState), Exit> {
    let known = config.printers.iter().find(|printer| printer.uri == uri);
    let lane = known.map_or_else(|| HAND_LANE.to_owned(), |printer| printer.name.clone());
    if known.is_none() {
        config.printers.push(PrinterConfig {
            name: HAND_LANE.to_owned(),
            uri: uri.to_owned(),
            pinned_spki_sha256: None,
            trusts_impressions: true,
            idle_poll_ms: None,
        });
        config.check().map_err(|error| {
            eprintln!("failed to {}", chain(&error));
            Exit::Usage
        })?;
    }
    telemetry::install(config.log, "warn");
    install_crypto();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        let signals = Signals::listen().map_err(|error| {
            eprintln!("failed to hear signals: {error}");
            Exit::Bug
        })?;
        let job = run_one(Arc::new(config), document, lane, stop.clone());
        tokio::pin!(job);
        let ended = tokio::select! {
            ended = &mut job => ended,
            () = signals.first() => {
                stop.cancel();
                job.await
            }
        };
        ended.map_err(|error: RunError| {
            eprintln!("failed to {}", chain(&error));
            error.exit()
        })
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}
