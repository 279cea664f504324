//! What machines fetch, whole or from where a fetch broke off: sealed documents and the trust bundle.

use std::io;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loket_store::{JobRow, StoreError};
use loket_wire::{Blob, JobId, MachineId};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::api::job_id;
use super::range::{Asked, asked};
use crate::clock::now;
use crate::identity::Subject;
use crate::listener::Peer;
use crate::metrics::count;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

/// Bytes read ahead for each fetch.
const CHUNK_BYTES: usize = 64 * 1024;

/// `GET /machine/v1/blobs/{job}`
pub(super) async fn blob(
    State(office): State<Arc<Office>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = job_id(&id)?;
    let subject = peer.subject.ok_or(Code::MachineNotRecognised)?;
    let (row, sealed) = office
        .blocking(move |office| allowed(office, &subject, id))
        .await??;
    let size_bytes = sealed.size_bytes;
    let part = match Part::asked(&headers, &sealed) {
        Ok(part) => part,
        Err(refused) => return Ok(*refused),
    };
    let (first, length) = (part.first, part.length);
    let body = open(&office, (id, size_bytes), first, length)
        .await
        .map_err(|error| {
            tracing::error!(job.id = %id, %error, "sealed document not readable");
            Code::StorageFailed
        })?;
    count(&office.tally.fetched);
    tracing::info!(job.id = %id, machine.id = %row.facts.machine, first, length, "sealed document served");
    Ok(part.answer(body, &sealed))
}

/// `GET /machine/v1/trust/{serial}`: the newest trust bundle. An earlier one is gone: its machine is told of the newest.
pub(super) async fn trust(
    State(office): State<Arc<Office>>,
    Extension(peer): Extension<Peer>,
    Path(serial): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let subject = peer.subject.ok_or(Code::MachineNotRecognised)?;
    let machine = office
        .blocking(move |office| enrolled(office, &subject))
        .await??;
    let newest = office.trust_desk.newest();
    let newest = newest.filter(|newest| serial == newest.serial.to_string());
    let newest = newest.ok_or(Code::TrustBundleGone)?;
    let part = match Part::asked(&headers, &newest.blob) {
        Ok(part) => part,
        Err(refused) => return Ok(*refused),
    };
    let at = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let end = part.first.saturating_add(part.length);
    let (first, end) = (at(part.first), at(end).min(newest.bytes.len()));
    let bytes = newest.bytes.slice(first.min(end)..end);
    tracing::info!(machine.id = %machine, trust.serial = newest.serial, first, "trust bundle served");
    Ok(part.answer(Body::from(bytes), &newest.blob))
}

/// What of a resource is asked for.
#[derive(Debug, Clone, Copy)]
struct Part {
    status: StatusCode,
    first: u64,
    length: u64,
}

impl Part {
    /// The part that the headers name; the answer itself where there is no such part.
    fn asked(headers: &HeaderMap, whole: &Blob) -> Result<Self, Box<Response>> {
        let size_bytes = whole.size_bytes;
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &header::HeaderValue| value.to_str().ok())
        };
        // A part of another resource is of no use (RFC 9110 §13.1.5).
        let is_same = text(header::IF_RANGE).is_none_or(|known| known == etag(whole));
        let range = if is_same { text(header::RANGE) } else { None };
        let (status, first, last) = match asked(range, size_bytes) {
            Asked::All => (StatusCode::OK, 0, size_bytes.saturating_sub(1)),
            Asked::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last),
            Asked::Outside => {
                let range = [(header::CONTENT_RANGE, format!("bytes */{size_bytes}"))];
                let refused = (range, Problem::new(Code::RangeNotSatisfiable));
                return Err(Box::new(refused.into_response()));
            }
        };
        Ok(Self {
            status,
            first,
            length: last.saturating_sub(first).saturating_add(1).min(size_bytes),
        })
    }

    fn answer(self, body: Body, whole: &Blob) -> Response {
        let mut response = (self.status, body).into_response();
        let mut set = |name, value: String| {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, "application/octet-stream".to_owned());
        set(header::ACCEPT_RANGES, "bytes".to_owned());
        set(header::ETAG, etag(whole));
        set(header::CONTENT_LENGTH, self.length.to_string());
        if self.status == StatusCode::PARTIAL_CONTENT {
            let (first, size_bytes) = (self.first, whole.size_bytes);
            let last = first.saturating_add(self.length).saturating_sub(1);
            set(
                header::CONTENT_RANGE,
                format!("bytes {first}-{last}/{size_bytes}"),
            );
        }
        response
    }
}

fn etag(whole: &Blob) -> String {
    format!("\"{}\"", whole.sha256)
}

/// The job and its sealed document, if this certificate's machine is enrolled with it, the job is its own, and the
/// document may be given out.
fn allowed(office: &Office, subject: &Subject, id: JobId) -> Result<(JobRow, Blob), Problem> {
    let machine = enrolled(office, subject)?;
    let row = office
        .store
        .job(id)
        .map_err(|error| storage_problem(&error))?
        .ok_or(Code::JobUnknown)?;
    if row.facts.machine != machine {
        tracing::warn!(job.id = %id, machine.id = %machine, "fetch of another machine's document refused");
        return Err(Code::NotYourJob.into());
    }
    let is_over = row.job.state.is_end() || row.secrets_dropped;
    let intake = row.intake.as_ref().filter(|_intake| !is_over);
    let sealed = intake.ok_or(Code::DocumentGone)?.blob;
    // On disk before the first byte leaves: from here on the machine may print it, whatever becomes of its reports.
    match office.store.document_asked(id, now()) {
        Ok(()) => Ok((row, sealed)),
        Err(StoreError::Refused(refusal)) => {
            tracing::warn!(job.id = %id, machine.id = %machine, code = refusal.code(), "fetch of a document that is not given out refused");
            Err(Code::DocumentGone.into())
        }
        Err(error) => Err(storage_problem(&error)),
    }
}

/// The machine that this certificate is of, if it is enrolled with its key.
fn enrolled(office: &Office, subject: &Subject) -> Result<MachineId, Problem> {
    let unknown = || Problem::new(Code::MachineNotRecognised);
    let machine: MachineId = subject.common_name.parse().map_err(|_ignored| unknown())?;
    let record = office.machines.find(&machine).map_err(|error| {
        tracing::warn!(machine.id = %machine, error = %crate::chain(&error), "fetch refused");
        unknown()
    })?;
    // A renewed certificate has another serial and the same key; a replaced machine has another key.
    if record.report_key != subject.key {
        tracing::warn!(machine.id = %machine, "fetch with another key than the enrolled one refused");
        return Err(unknown());
    }
    Ok(machine)
}

async fn open(
    office: &Office,
    (id, size_bytes): (JobId, u64),
    first: u64,
    length: u64,
) -> io::Result<Body> {
    let mut file = tokio::fs::File::open(office.documents.blob_path(id)).await?;
    if file.metadata().await?.len() != size_bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.seek(io::SeekFrom::Start(first)).await?;
    Ok(Body::from_stream(ReaderStream::with_capacity(
        file.take(length),
        CHUNK_BYTES,
    )))
}
