//! The door for tests and demo: knobs, power, and what came out.
//!
//! ```text
//! GET  /control/state               Report
//! POST /control                     {"paper": 0, …}: the knobs that change; answers all knobs
//! POST /control/power-cycle         cuts the power and brings it back; answers Report
//! POST /control/cancel/<id>         ends a job as somebody at the panel would; answers Report, 404 where there is none
//! GET  /control/documents/<sha256>  the bytes of a received document, while they are kept
//! ```

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::http::{plain, with_type};
use super::knobs::Knobs;
use super::server::{Identity, Shared};
use super::state::State;

/// All knobs at once, with four supplies and four trays, take under 1,500 bytes.
const MAX_CHANGE_LEN: usize = 16 * 1024;

/// Under this path a job is ended by its number.
const CANCEL: &str = "/control/cancel/";

/// What the printer did so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its IPP address.
    pub uri: String,
    /// `printer-uuid`, without `urn:uuid:`.
    pub uuid: String,
    /// Seconds since its power came on.
    pub up_time_s: i32,
    /// Sheets that came out, ever.
    pub sheets: u64,
    /// Requests that got the fixed reply, ever.
    pub fixed_replies: u64,
    /// The jobs it remembers, oldest first.
    pub jobs: Vec<JobReport>,
    /// SHA-256 of each document that came out whole, once a time it came out, in order.
    pub printed_sha256: Vec<String>,
    /// Its knobs.
    pub knobs: Knobs,
}

/// A job the printer remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    /// Its number.
    pub id: i32,
    /// Its uuid, without `urn:uuid:`.
    pub uuid: String,
    /// Its `job-name`.
    pub name: String,
    /// Its `job-state`, as keyword.
    pub state: String,
    /// Sheets of it that came out.
    pub sheets: u32,
    /// SHA-256 of its last document; none before it came.
    pub sha256: Option<String>,
    /// Bytes of its last document; none before it came.
    pub size_bytes: Option<u64>,
}

impl Report {
    pub(crate) fn new(state: &State, identity: &Identity, now: Instant) -> Self {
        let stopped = state.is_stopped();
        let jobs = state.jobs.values().map(|job| JobReport {
            id: job.id,
            uuid: job.uuid.to_string(),
            name: job.asked.name.clone(),
            state: job.phase.keyword(stopped).to_owned(),
            sheets: job.sheets_done,
            sha256: job
                .documents
                .last()
                .map(|document| HEXLOWER.encode(&document.sha256)),
            size_bytes: job.documents.last().map(|document| document.size_bytes),
        });
        Self {
            uri: identity.uri.clone(),
            uuid: state.knobs.uuid.unwrap_or(identity.uuid).to_string(),
            up_time_s: state.up_time_s(now),
            sheets: state.sheets,
            fixed_replies: state.fixed_replies,
            jobs: jobs.collect(),
            printed_sha256: state
                .printed
                .iter()
                .map(|sha256| HEXLOWER.encode(sha256))
                .collect(),
            knobs: state.knobs.clone(),
        }
    }
}

pub(crate) async fn serve(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/control/state") => json(&shared.report()),
        (&Method::POST, "/control") => {
            let body = Limited::new(request.into_body(), MAX_CHANGE_LEN)
                .collect()
                .await;
            let Ok(change) = body.map(|body| body.to_bytes()) else {
                return plain(StatusCode::PAYLOAD_TOO_LARGE);
            };
            match shared.turn(|knobs| knobs.turned(&change)) {
                Ok(knobs) => json(&knobs),
                Err(_) => plain(StatusCode::UNPROCESSABLE_ENTITY),
            }
        }
        (&Method::POST, "/control/power-cycle") => {
            shared.power_cycle();
            json(&shared.report())
        }
        (&Method::POST, path) if path.starts_with(CANCEL) => {
            let id = path.strip_prefix(CANCEL).and_then(|id| id.parse().ok());
            match id.is_some_and(|id| shared.cancel_at_device(id)) {
                true => json(&shared.report()),
                false => plain(StatusCode::NOT_FOUND),
            }
        }
        (&Method::GET, path) => {
            let digest = path
                .strip_prefix("/control/documents/")
                .and_then(read_digest);
            match digest.and_then(|digest| shared.read(|state| state.document(&digest))) {
                Some(document) => with_type("application/octet-stream", document),
                None => plain(StatusCode::NOT_FOUND),
            }
        }
        _ => plain(StatusCode::NOT_FOUND),
    }
}

fn read_digest(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

fn json<T: Serialize>(value: &T) -> Response<Full<Bytes>> {
    match serde_json::to_vec(value) {
        Ok(body) => with_type("application/json", body.into()),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
