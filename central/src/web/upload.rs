//! `POST /api/v1/documents`: one document, one order.

use std::sync::Arc;

use axum::Json;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loket_store::IdempotencyKey;
use loket_wire::order::MAX_DOCUMENT_BYTES;
use loket_wire::{JobId, Sha256Digest};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::shapes::JobShape;
use super::sign_in::{Account, Right};
use crate::intake::order_text::{MAX_ORDER_BYTES, Notation};
use crate::intake::{self, Brought, Taken};
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

/// The longest Idempotency-Key: a UUID with a prefix.
const MAX_KEY_CHARS: usize = 64;

/// `POST /api/v1/documents`
pub(super) async fn post_document(
    State(office): State<Arc<Office>>,
    account: Account,
    request: Request,
) -> Result<Response, Problem> {
    account.may(Right::Order)?;
    let key = idempotency_key(request.headers())?;
    // A place before the first byte: what many send at once must not fill the memory.
    let place = timeout(office.upload_wait, office.upload_places.acquire()).await;
    let Ok(Ok(_place)) = place else {
        tracing::warn!("an upload found no place");
        return Err(Code::Busy.into());
    };
    let form = Multipart::from_request(request, &office)
        .await
        .map_err(|_not_multipart| Code::RequestMalformed)?;
    let (document, order) = fields(form).await?;
    let idempotency_key = key.map(|key| bind_key(&account, &key, &document, &order));
    let actor = account.actor();
    let brought = Brought {
        document,
        order,
        notation: Notation::Json,
        idempotency_key,
        folder_sha256: None,
        actor,
    };
    match intake::take(&office, brought).await {
        Ok(Taken::New(job) | Taken::Same(job)) => {
            let shape = job_shape(&office, job).await?;
            let location = [(header::LOCATION, format!("/api/v1/jobs/{job}"))];
            Ok((StatusCode::CREATED, location, Json(shape)).into_response())
        }
        Err(problem) => Err(with_existing(&office, problem).await),
    }
}

/// The answer 409 carries the job that stands in the way.
async fn with_existing(office: &Arc<Office>, problem: Problem) -> Problem {
    let id = problem
        .detail
        .get("job_id")
        .and_then(|id| id.as_str())
        .and_then(|id| id.parse().ok());
    let (Code::AlreadyOrdered, Some(job)) = (problem.code, id) else {
        return problem;
    };
    match job_shape(office, job).await.map(serde_json::to_value) {
        Ok(Ok(detail)) => Problem::with(problem.code, detail),
        Ok(Err(_)) | Err(_) => problem,
    }
}

async fn job_shape(office: &Arc<Office>, job: JobId) -> Result<JobShape, Problem> {
    let row = office
        .blocking(move |office| office.store.job(job))
        .await?
        .map_err(|error| storage_problem(&error))?
        .ok_or(Code::JobUnknown)?;
    Ok(JobShape::from(&row))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .map_err(|_ignored| Code::IdempotencyKeyMalformed)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=MAX_KEY_CHARS).contains(&key.len()) && key.chars().all(allowed) {
        Ok(Some(key.to_owned()))
    } else {
        Err(Code::IdempotencyKeyMalformed.into())
    }
}

fn bind_key(account: &Account, key: &str, document: &[u8], order: &[u8]) -> IdempotencyKey {
    let parts = format!(
        "{}\0{}",
        Sha256Digest::of(document),
        Sha256Digest::of(order)
    );
    IdempotencyKey {
        key_sha256: Sha256Digest::of(format!("{}\0{key}", account.name).as_bytes()),
        body_sha256: Sha256Digest::of(parts.as_bytes()),
    }
}

type Bytes = Zeroizing<Vec<u8>>;

async fn fields(mut form: Multipart) -> Result<(Bytes, Bytes), Problem> {
    let (mut document, mut order) = (None, None);
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        let (slot, limit_bytes, too_large) = match field.name() {
            Some("document") => (&mut document, MAX_DOCUMENT_BYTES, Code::DocumentTooLarge),
            Some("order") => (&mut order, MAX_ORDER_BYTES, Code::OrderTooLarge),
            Some(_) | None => return Err(Code::RequestMalformed.into()),
        };
        if slot.is_some() {
            return Err(Code::RequestMalformed.into());
        }
        *slot = Some(read(field, limit_bytes, too_large).await?);
    }
    Ok((
        document.ok_or(Code::DocumentMissing)?,
        order.ok_or(Code::OrderMissing)?,
    ))
}

/// Reads a field into memory that is wiped, and grows by copying into fresh memory that is wiped as well.
async fn read(mut field: Field<'_>, limit_bytes: usize, too_large: Code) -> Result<Bytes, Problem> {
    let mut bytes: Bytes = Zeroizing::new(Vec::with_capacity(FIRST_FIELD_BYTES));
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        let needed = bytes.len().saturating_add(chunk.len());
        if needed > limit_bytes {
            return Err(too_large.into());
        }
        if needed > bytes.capacity() {
            let room = needed.saturating_add(needed / 2).min(limit_bytes);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Honest family cards have 29 to 49 kB.
const FIRST_FIELD_BYTES: usize = 64 * 1024;

fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Code::DocumentTooLarge.into()
    } else {
        Code::RequestMalformed.into()
    }
}
