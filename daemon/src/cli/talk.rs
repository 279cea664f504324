//! One question to the running daemon, and its answer.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::face::{note, tell};
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::unit::control::{Listed, Request, Response};

/// A daemon that does not answer for so long is stuck; its watchdog is about to restart it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// With a document of 8 MiB to hand over, to seal and to write to a slow disk; or with a ticket to print on a slow printer
/// that is just being looked at.
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest answer: a day of 4,000 documents (`loket_domain::account::MAX_DAY_JOBS`), each a reprint with the longest
/// reason that was asked about as well, is below 2.5 KiB a document.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Why there is no answer, or none that is wanted.
#[derive(Debug)]
pub(super) enum TalkError {
    /// The daemon said no.
    Refused { code: String, message: String },
    /// There is no answer.
    Failed(Trouble, String),
}

impl TalkError {
    /// Says it, and gives the exit code: a code of the list ends as its line there says.
    pub(super) fn tell(&self) -> Exit {
        match self {
            Self::Refused { code, message } => {
                note(format_args!("{code}: {message}"));
                let trouble = Trouble::ALL.iter().find(|it| it.id() == code);
                trouble.map_or(Exit::Negative, |it| it.exit())
            }
            Self::Failed(trouble, detail) => tell(*trouble, detail),
        }
    }
}

/// Takes the answer that is wanted out of what was answered; nothing where it is another one.
pub(super) type Wanted<T> = fn(Response) -> Option<T>;

/// The answer that names jobs.
pub(super) fn jobs(response: Response) -> Option<Vec<Listed>> {
    if let Response::Ok(jobs) = response {
        return Some(jobs);
    }
    None
}

/// Reaches the daemon.
///
/// # Errors
/// [`TalkError::Failed`]: it does not run, or this account may not.
pub(super) async fn connect(socket: &Path) -> Result<UnixStream, TalkError> {
    UnixStream::connect(socket).await.map_err(|error| {
        let trouble = if error.kind() == ErrorKind::PermissionDenied {
            Trouble::DaemonDenied
        } else {
            Trouble::DaemonAway
        };
        TalkError::Failed(trouble, format!("{}: {error}", socket.display()))
    })
}

/// Asks over a connection of its own.
///
/// # Errors
/// [`TalkError`]
pub(super) async fn ask<T>(
    socket: &Path,
    request: &Request,
    wanted: Wanted<T>,
) -> Result<T, TalkError> {
    exchange(connect(socket).await?, (request, &[]), wanted).await
}

/// As [`ask`]; nothing where no daemon runs.
///
/// # Errors
/// [`TalkError`]
pub(super) async fn ask_if_it_runs<T>(
    socket: &Path,
    request: &Request,
    wanted: Wanted<T>,
) -> Result<Option<T>, TalkError> {
    match ask(socket, request, wanted).await {
        Ok(answer) => Ok(Some(answer)),
        Err(TalkError::Failed(Trouble::DaemonAway, _why)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks, with a body behind the line.
///
/// # Errors
/// [`TalkError`]; what was asked for may have happened where no answer came.
pub(super) async fn exchange<T>(
    stream: UnixStream,
    (request, body): (&Request, &[u8]),
    wanted: Wanted<T>,
) -> Result<T, TalkError> {
    let is_long = !body.is_empty() || matches!(request, Request::TicketTest);
    let limit = if is_long {
        LONG_TIMEOUT
    } else {
        ANSWER_TIMEOUT
    };
    let answer = match tokio::time::timeout(limit, talk(stream, request, body)).await {
        Ok(Ok(answer)) if answer.is_empty() => {
            let detail = "loketd closed the connection".to_owned();
            return Err(TalkError::Failed(Trouble::DaemonCut, detail));
        }
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(TalkError::Failed(Trouble::DaemonCut, error.to_string())),
        Err(_late) => {
            let detail = format!("no answer within {} s", limit.as_secs());
            return Err(TalkError::Failed(Trouble::DaemonSilent, detail));
        }
    };
    let response = serde_json::from_slice(&answer).map_err(|error| {
        // Half a line is an answer that was cut.
        let trouble = if error.is_eof() {
            Trouble::DaemonCut
        } else {
            Trouble::DaemonGarbled
        };
        TalkError::Failed(trouble, error.to_string())
    })?;
    pick(response, wanted)
}

/// The answer that is wanted.
///
/// # Errors
/// [`TalkError`]: the door refused, or gave another answer.
pub(super) fn pick<T>(response: Response, wanted: Wanted<T>) -> Result<T, TalkError> {
    if let Response::Error { code, message } = response {
        return Err(TalkError::Refused { code, message });
    }
    wanted(response).ok_or_else(|| {
        let detail = "another answer than asked for".to_owned();
        TalkError::Failed(Trouble::DaemonGarbled, detail)
    })
}

async fn talk(mut stream: UnixStream, request: &Request, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    let mut reader = BufReader::new(stream.take(MAX_ANSWER_BYTES));
    reader.read_until(b'\n', &mut answer).await?;
    Ok(answer)
}
