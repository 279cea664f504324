//! The officer's door without pages: a local socket, one JSON line each way.
//!
//! Shape: `{"do":"jobs"}`, `{"do":"release","job":ID,"by":NAME}`, `…"cancel"…`, `{"do":"answer","job":ID,"by":NAME,
//! "answer":"came-out|did-not|damaged"}`, `{"do":"job","job":ID}`, and `{"do":"print","printer":URI,"size_bytes":N}`
//! with the N bytes of a document behind the line; answered by `{"ok":…}` or `{"error":{"code","message"}}`. Who may connect is
//! the socket's group (`loket-officer`).

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{Actor, Answer, Command, Refusal};
use loket_wire::JobId;
use loket_wire::order::MAX_DOCUMENT_BYTES;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::document::Documents;
use crate::local;
use crate::unit::print::{DeskError, DeskHandle, JobView};

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

/// The longest name an officer signs with.
const MAX_NAME_CHARS: usize = 40;

/// What is asked on the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// List what is not ended.
    Jobs,
    /// Look at one job, an ended one too.
    Job {
        /// The job.
        job: JobId,
    },
    /// Print a document by hand; its bytes follow the line.
    Print {
        /// Address of a printer of the settings.
        printer: String,
        /// Bytes that follow.
        size_bytes: u64,
    },
    /// Release a held job.
    Release {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
    },
    /// Call a job off.
    Cancel {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
    },
    /// Say what became of an unknown sheet.
    Answer {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
        /// What was found.
        answer: Answer,
        /// The attempt that was looked at; asked for where an officer answered before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
    },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Done; for `jobs` the list, else empty.
    Ok(Vec<Listed>),
    /// Not done.
    Error {
        /// The stable code.
        code: String,
        /// What happened and what to do, in Indonesian.
        message: String,
    },
}

/// A job in the list, with what the officer reads.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// The label, opened for this answer alone.
    pub label: String,
}

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
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader).take(MAX_LINE_BYTES);
    let read = tokio::time::timeout(LINE_TIMEOUT, reader.read_line(&mut line)).await;
    let response = match read {
        Ok(Ok(_size)) => match serde_json::from_str::<Request>(&line) {
            Ok(Request::Print {
                printer,
                size_bytes,
            }) => print(&door, reader.into_inner(), &printer, size_bytes).await,
            Ok(request) => answer(request, &door).await,
            Err(_bad) => refused("C-101", "Permintaan tidak dipahami. Periksa perintahnya."),
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

async fn print(
    door: &Door,
    mut body: impl tokio::io::AsyncRead + Unpin,
    printer: &str,
    size_bytes: u64,
) -> Response {
    let size = usize::try_from(size_bytes).unwrap_or(usize::MAX);
    // What is refused is read all the same, or the client would lose the answer with its broken pipe.
    let mut document = Zeroizing::new(vec![0; size.min(MAX_DOCUMENT_BYTES + 1)]);
    let read = tokio::time::timeout(BODY_TIMEOUT, body.read_exact(&mut document)).await;
    if !matches!(read, Ok(Ok(_size))) {
        return refused("C-106", "Berkas tidak diterima utuh. Coba lagi.");
    }
    if size > MAX_DOCUMENT_BYTES {
        return refused("C-105", "Berkas terlalu besar: paling banyak 8 MiB.");
    }
    let Some(lane) = door.lanes.get(printer) else {
        return refused(
            "C-104",
            "Printer itu tidak ada di pengaturan mesin ini. Pilih dari 'loketd devices'.",
        );
    };
    let admitted = local::admit(
        &door.documents,
        &door.desk,
        &door.clock,
        document,
        lane.clone(),
    );
    match admitted.await {
        Ok(job) => look(door, job).await,
        Err(error) => {
            tracing::error!(error = %crate::telemetry::chain(&error), "a document given by hand was not taken");
            refused(
                "C-107",
                "Berkas belum diterima. Coba lagi; bila berulang, hubungi petugas TI.",
            )
        }
    }
}

/// One job as it stands; no label: whoever asks has its id already.
async fn look(door: &Door, job: JobId) -> Response {
    match door.desk.job(job).await {
        Ok(Some(job)) => Response::Ok(vec![Listed {
            label: String::new(),
            job,
        }]),
        Ok(None) => refused(Refusal::UnknownJob.code(), sentence(Refusal::UnknownJob)),
        Err(_error) => unread(),
    }
}

async fn answer(request: Request, door: &Door) -> Response {
    let desk = &door.desk;
    let command = match request {
        Request::Jobs => return list(desk, &door.documents).await,
        Request::Job { job } => return look(door, job).await,
        Request::Print { .. } => None,
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
        return refused(
            "C-102",
            "Nama petugas harus 1 sampai 40 huruf. Ulangi dengan --by NAMA.",
        );
    };
    match desk.submit(command).await {
        Ok(_changed) => Response::Ok(Vec::new()),
        Err(DeskError::Refused(refusal)) => refused_by_rule(refusal),
        Err(error) => {
            tracing::error!(error = %crate::telemetry::chain(&error), "an officer's command failed");
            refused(
                "C-103",
                "Perintah belum tersimpan. Coba lagi; bila berulang, hubungi petugas TI.",
            )
        }
    }
}

async fn list(desk: &DeskHandle, documents: &Arc<Documents>) -> Response {
    let Ok(jobs) = desk.jobs().await else {
        return unread();
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

fn unread() -> Response {
    refused(
        "C-103",
        "Daftar belum dapat dibaca. Coba lagi; bila berulang, hubungi petugas TI.",
    )
}

fn officer(name: &str) -> Option<Actor> {
    let good = (1..=MAX_NAME_CHARS).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && !loket_wire::ids::has_long_number(name);
    good.then(|| Actor::Officer(name.to_owned()))
}

fn refused(code: &str, message: &str) -> Response {
    Response::Error {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// What happened, what to do, whom to ask.
fn refused_by_rule(refusal: Refusal) -> Response {
    match refusal {
        Refusal::SayWhich { attempt } => {
            let again = format!("{} Ulangi dengan --attempt {attempt}.", sentence(refusal));
            refused(refusal.code(), &again)
        }
        Refusal::UnknownJob
        | Refusal::NotNow { .. }
        | Refusal::AlreadySending
        | Refusal::PastNotAfter
        | Refusal::Stale
        | Refusal::Replay => refused(refusal.code(), sentence(refusal)),
    }
}

const fn sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownJob => {
            "Pekerjaan cetak tidak ada di mesin ini. Periksa nomornya di daftar."
        }
        Refusal::NotNow { .. } => {
            "Pekerjaan cetak tidak dalam keadaan yang membolehkan ini. Lihat daftar terbaru."
        }
        Refusal::AlreadySending => {
            "Sudah terlambat: dokumen sedang dikirim ke printer. Tunggu hasilnya."
        }
        Refusal::PastNotAfter => "Batas waktu cetak sudah lewat. Minta pusat mengirim ulang.",
        Refusal::Stale => "Keadaan sudah berubah. Lihat daftar terbaru.",
        Refusal::Replay => "Nomor pekerjaan sudah dipakai. Hubungi petugas TI.",
        Refusal::SayWhich { .. } => {
            "Pekerjaan ini pernah dijawab. Lihat lagi kertasnya, lalu sebut percobaan yang dimaksud."
        }
    }
}
