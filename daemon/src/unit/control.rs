//! The officer's door without pages: a local socket, one JSON line each way.
//!
//! What is said on it stands in [`Request`] and [`Response`]. Who may connect is the socket's group (`loket-officer`); who
//! prints without a name is the account that connected.

mod line;
mod names;
mod report;
mod sheets;
mod tickets;

pub use line::{Listed, RecordCount, Request, Response};
pub(crate) use names::{account, officer, officer_name};
pub(crate) use report::of_report;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{Actor, Command, Refusal};
use loket_kiosk_ui::ports::MAX_SCAN_BYTES;
use loket_wire::JobId;
use loket_wire::order::MAX_DOCUMENT_BYTES;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::document::Documents;
use crate::local::{self, LocalError};
use crate::paper::PaperDesk;
use crate::record::Records;
use crate::trouble::{Trouble, of_refusal};
use crate::unit::print::{DeskError, DeskHandle, JobView, ReportDesk};
use crate::unit::tickets::TicketHandle;

/// The longest request line: a job id, a name and a word.
const MAX_LINE_BYTES: u64 = 4_096;

/// Officers and scripts at one machine.
const MAX_CONNECTIONS: usize = 8;

/// A client that says nothing for so long is not one.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// The client is on this machine: 8 MiB take a moment.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Taking connections fails for want of files or memory: at once again it would only take the processor as well.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Why the socket cannot be served.
#[derive(Debug, Error)]
#[error("serve the control socket {}", path.display())]
pub struct ControlError {
    /// The socket.
    path: PathBuf,
    /// Why.
    #[source]
    source: std::io::Error,
}

/// The socket of a runtime folder.
#[must_use]
pub fn socket_path(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("control.sock")
}

/// The unit before it runs; the socket exists from here on.
#[derive(Debug)]
pub struct ControlUnit {
    listener: UnixListener,
    door: Arc<Door>,
}

/// What the officer's door leads to.
#[derive(Debug)]
pub struct Door {
    /// Decides.
    pub desk: DeskHandle,
    /// Opens labels, seals what is printed by hand.
    pub documents: Arc<Documents>,
    /// Stamps what is printed by hand.
    pub clock: Clock,
    /// Lane by printer address.
    pub lanes: BTreeMap<String, String>,
    /// Holds sheets against their records; none on a machine that is not enrolled.
    pub(crate) paper: Option<Arc<PaperDesk>>,
    /// Records of printed sheets; none on a machine that is not enrolled.
    pub(crate) records: Option<Arc<Records>>,
    /// Accounts for days.
    pub report: ReportDesk,
    /// Prints test tickets; none where the settings name no ticket printer.
    pub tickets: Option<TicketHandle>,
}

impl ControlUnit {
    /// Binds the socket. The state folder's lock is held by then, so a socket that stands is of a dead process.
    ///
    /// # Errors
    /// [`ControlError`]
    pub fn bind(runtime_dir: &Path, door: Door) -> Result<Self, ControlError> {
        let path = socket_path(runtime_dir);
        let bind = || {
            std::fs::create_dir_all(runtime_dir)?;
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let listener = UnixListener::bind(&path)?;
            // Group members may connect; the folder's group is what systemd gave it.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
            Ok(listener)
        };
        let listener = bind().map_err(|source| ControlError {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            listener,
            door: Arc::new(door),
        })
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_done) = clients.join_next() => {}
                accepted = self.listener.accept(), if clients.len() < MAX_CONNECTIONS => {
                    match accepted {
                        Ok((stream, _peer)) => {
                            clients.spawn(serve(stream, Arc::clone(&self.door)));
                        }
                        Err(error) => {
                            tracing::warn!(%error, "an officer's connection is not taken; trying again");
                            tokio::time::sleep(ACCEPT_AGAIN).await;
                        }
                    }
                }
            }
        }
    }
}

async fn serve(stream: UnixStream, door: Arc<Door>) {
    let peer = stream.peer_cred().ok().map(|peer| peer.uid());
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader).take(MAX_LINE_BYTES);
    let read = tokio::time::timeout(LINE_TIMEOUT, reader.read_line(&mut line)).await;
    let response = match read {
        Ok(Ok(_size)) => match serde_json::from_str::<Request>(&line) {
            Ok(Request::Print {
                printer,
                size_bytes,
                by,
            }) => match body(reader.into_inner(), (size_bytes, MAX_DOCUMENT_BYTES)).await {
                Ok(document) => match by.map_or_else(|| account(peer), |name| officer(&name)) {
                    Some(by) => door.print(document, &printer, by).await,
                    None => troubled(Trouble::OfficerName),
                },
                Err(trouble) => troubled(trouble),
            },
            Ok(Request::Paper {
                size_bytes,
                job,
                by,
            }) => match body(reader.into_inner(), (size_bytes, MAX_SCAN_BYTES)).await {
                Ok(scan) => match by.map_or_else(|| account(peer), |name| officer(&name)) {
                    Some(by) => door.paper(scan, job, by).await,
                    None => troubled(Trouble::OfficerName),
                },
                Err(Trouble::DocumentTooLarge) => troubled(Trouble::ScanTooLarge),
                Err(trouble) => troubled(trouble),
            },
            Ok(request) => door.answer(request).await,
            Err(_bad) => troubled(Trouble::RequestGarbled),
        },
        Ok(Err(_)) | Err(_) => return,
    };
    let Ok(mut bytes) = serde_json::to_vec(&response) else {
        return;
    };
    bytes.push(b'\n');
    // The client may be gone; what it asked for has happened or not, as it can see in the list.
    drop(tokio::time::timeout(LINE_TIMEOUT, writer.write_all(&bytes)).await);
}

async fn body(
    mut body: impl tokio::io::AsyncRead + Unpin,
    (size_bytes, limit): (u64, usize),
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let size = usize::try_from(size_bytes).unwrap_or(usize::MAX);
    // What is refused is read all the same, or the client would lose the answer with its broken pipe.
    let mut document = Zeroizing::new(vec![0; size.min(limit.saturating_add(1))]);
    let read = tokio::time::timeout(BODY_TIMEOUT, body.read_exact(&mut document)).await;
    if !matches!(read, Ok(Ok(_size))) {
        return Err(Trouble::DocumentCut);
    }
    if size > limit {
        return Err(Trouble::DocumentTooLarge);
    }
    Ok(document)
}

impl Door {
    /// Takes a document by hand for the printer at this address, in the name of `by`.
    pub(crate) async fn print(
        &self,
        document: Zeroizing<Vec<u8>>,
        printer: &str,
        by: Actor,
    ) -> Response {
        let Some(lane) = self.lanes.get(printer).cloned() else {
            return troubled(Trouble::PrinterNotHere);
        };
        let Actor::Officer(by) = by else {
            return troubled(Trouble::OfficerName);
        };
        let admitted = local::admit(&self.documents, &self.desk, &self.clock, document, lane, by);
        match admitted.await {
            Ok(job) => self.look(job).await,
            Err(LocalError::TooLarge { .. }) => troubled(Trouble::DocumentTooLarge),
            Err(error) => {
                tracing::error!(error = %crate::telemetry::chain(&error), "a document given by hand was not taken");
                troubled(Trouble::DocumentNotTaken)
            }
        }
    }

    /// One job as it stands; no label: whoever asks has its id already.
    async fn look(&self, job: JobId) -> Response {
        match self.desk.job(job).await {
            Ok(Some(job)) => Response::Ok(vec![Listed {
                label: String::new(),
                job,
            }]),
            Ok(None) => refused(Refusal::UnknownJob),
            Err(_error) => troubled(Trouble::NotKept),
        }
    }

    /// Answers everything but a document, which comes behind its line.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let desk = &self.desk;
        let command = match request {
            Request::Jobs => return list(desk, &self.documents).await,
            Request::Job { job } => return self.look(job).await,
            Request::Records { forget_by } => return self.count_records(forget_by).await,
            Request::Report { day } => return self.account_for(day).await,
            Request::TicketState => return self.ticket_state().await,
            Request::TicketTest => return self.ticket_test().await,
            Request::Print { .. } | Request::Paper { .. } => return troubled(Trouble::DocumentCut),
            Request::Release { job, by } => officer(&by).map(|by| Command::Release { job, by }),
            Request::Cancel { job, by } => officer(&by).map(|by| Command::Cancel { job, by }),
            Request::Answer {
                job,
                by,
                answer,
                attempt,
            } => officer(&by).map(|by| Command::Answer {
                job,
                attempt,
                answer,
                by,
            }),
        };
        let Some(command) = command else {
            return troubled(Trouble::OfficerName);
        };
        match desk.submit(command).await {
            Ok(_changed) => Response::Ok(Vec::new()),
            Err(DeskError::Refused(refusal)) => refused(refusal),
            Err(error) => {
                tracing::error!(error = %crate::telemetry::chain(&error), "an officer's command failed");
                troubled(Trouble::NotKept)
            }
        }
    }
}

async fn list(desk: &DeskHandle, documents: &Arc<Documents>) -> Response {
    let Ok(jobs) = desk.jobs().await else {
        return troubled(Trouble::NotKept);
    };
    let documents = Arc::clone(documents);
    let labelled = tokio::task::spawn_blocking(move || {
        let with_label = |job: JobView| Listed {
            label: documents.label(job.job_id).to_string(),
            job,
        };
        jobs.into_iter().map(with_label).collect()
    });
    Response::Ok(labelled.await.unwrap_or_default())
}

fn troubled(trouble: Trouble) -> Response {
    Response::Error {
        code: trouble.id().to_owned(),
        message: trouble.sentence().to_owned(),
    }
}

fn refused(refusal: Refusal) -> Response {
    let message = match refusal {
        Refusal::SayWhich { attempt } => {
            format!("{} Ulangi dengan --attempt {attempt}.", of_refusal(refusal))
        }
        Refusal::UnknownJob
        | Refusal::NotNow { .. }
        | Refusal::AlreadySending
        | Refusal::PastNotAfter
        | Refusal::Stale
        | Refusal::LaneTaken
        | Refusal::Replay => of_refusal(refusal).to_owned(),
    };
    Response::Error {
        code: refusal.code().to_owned(),
        message,
    }
}
