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
    /// Says it, and gives the exit code.
    pub(super) fn tell(&self) -> Exit {
        match self {
            Self::Refused { code, message } => {
                note(format_args!("{code}: {message}"));
                Exit::Negative
            }
            Self::Failed(trouble, detail) => tell(*trouble, detail),
        }
    }
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
pub(super) async fn ask(socket: &Path, request: &Request) -> Result<Vec<Listed>, TalkError> {
    exchange(connect(socket).await?, request, &[]).await
}

/// Asks, with `body` behind the line, for jobs.
///
/// # Errors
/// [`TalkError`]; what was asked for may have happened where no answer came.
pub(super) async fn exchange(
    stream: UnixStream,
    request: &Request,
    body: &[u8],
) -> Result<Vec<Listed>, TalkError> {
    match exchange_any(stream, request, body).await? {
        Response::Ok(jobs) => Ok(jobs),
        Response::Error { code, message } => Err(TalkError::Refused { code, message }),
        Response::Paper(_)
        | Response::Records(_)
        | Response::Report(_)
        | Response::TicketState(_)
        | Response::TicketTest(_) => Err(TalkError::Failed(
            Trouble::DaemonGarbled,
            "another answer than asked for".to_owned(),
        )),
    }
}

/// Asks, with `body` behind the line, and gives whatever is answered.
///
/// # Errors
/// [`TalkError::Failed`]; what was asked for may have happened then.
pub(super) async fn exchange_any(
    stream: UnixStream,
    request: &Request,
    body: &[u8],
) -> Result<Response, TalkError> {
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
    serde_json::from_slice(&answer).map_err(|error| {
        // Half a line is an answer that was cut.
        let trouble = if error.is_eof() {
            Trouble::DaemonCut
        } else {
            Trouble::DaemonGarbled
        };
        TalkError::Failed(trouble, error.to_string())
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
