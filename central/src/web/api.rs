//! Jobs, machines and numbers as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use loket_domain::dispatch::{Answer, Refusal};
use loket_store::{CancelOutcome, JobRow, StoreError};
use loket_wire::JobId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::job_query::{JobsQuery, cursor_text};
use super::shapes::{BrokerShape, JobShape, JobsShape, MachineShape, Moment};
use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::metrics::{self, Stored};
use crate::office::{CancelAsk, Office, storage_problem};
use crate::problem::{Code, Problem};

/// Reads a job id from a path.
pub(super) fn job_id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|_ignored| Code::JobUnknown.into())
}

async fn find(office: &Arc<Office>, id: JobId) -> Result<JobRow, Problem> {
    office
        .blocking(move |office| office.store.job(id))
        .await?
        .map_err(|error| storage_problem(&error))?
        .ok_or_else(|| Code::JobUnknown.into())
}

/// `GET /api/v1/jobs/{id}`
pub(super) async fn job(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
) -> Result<Json<JobShape>, Problem> {
    account.may(Right::Look)?;
    let id = job_id(&id)?;
    let shape = JobShape::from(&find(&office, id).await?);
    let same = office
        .blocking(move |office| office.store.same_document(id))
        .await?
        .map_err(|error| storage_problem(&error))?;
    Ok(Json(shape.beside(&same)))
}

/// `GET /api/v1/jobs`
pub(super) async fn jobs(
    State(office): State<Arc<Office>>,
    account: Account,
    query: Result<Query<JobsQuery>, QueryRejection>,
) -> Result<Json<JobsShape>, Problem> {
    account.may(Right::Look)?;
    let Query(query) = query.map_err(|_ignored| Code::QueryMalformed)?;
    let page = office
        .blocking(move |office| {
            let filter = query.filter(office.offices.current().zone())?;
            let page = office.store.jobs(&filter);
            let mut page = page.map_err(|error| storage_problem(&error))?;
            page.jobs.retain(|row| query.takes(&row.facts.reference));
            Ok::<_, Problem>(page)
        })
        .await??;
    Ok(Json(JobsShape {
        jobs: page.jobs.iter().map(JobShape::from).collect(),
        next_before: page.next.as_ref().map(cursor_text),
    }))
}

/// `POST /api/v1/jobs/{id}/cancel`
pub(super) async fn cancel(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = job_id(&id)?;
    let status = cancel_job(&office, &account, id).await?;
    Ok((status, Json(JobShape::from(&find(&office, id).await?))).into_response())
}

/// Calls a job off: 200 when it is over, 202 when its machine is asked.
pub(super) async fn cancel_job(
    office: &Arc<Office>,
    account: &Account,
    id: JobId,
) -> Result<StatusCode, Problem> {
    account.may(Right::Order)?;
    let actor = account.actor();
    let machine = find(office, id).await?.facts.machine;
    let outcome = office
        .blocking(move |office| office.store.request_cancel(id, &actor, now()))
        .await?
        .map_err(|error| storage_problem(&error))?;
    let ask = |command_seq| {
        let asked = CancelAsk {
            machine: machine.clone(),
            job: id,
            command_seq,
        };
        if office.cancels.try_send(asked).is_err() {
            tracing::warn!(job.id = %id, "cancel waits for the machine's next sync");
        }
    };
    let status = match outcome {
        CancelOutcome::Cancelled => StatusCode::OK,
        CancelOutcome::CancelledAskToo { command_seq } => {
            ask(command_seq);
            StatusCode::OK
        }
        CancelOutcome::Asked { command_seq } => {
            ask(command_seq);
            StatusCode::ACCEPTED
        }
        CancelOutcome::Refused(refusal) => {
            let state = find(office, id).await?.job.state;
            let detail = json!({ "reason_code": refusal.code(), "state": state });
            return Err(Problem::with(Code::TooLateToCancel, detail));
        }
    };
    if status == StatusCode::OK {
        office.sweep_bell.notify_one();
    }
    Ok(status)
}

/// What somebody found of a job whose journal is lost.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    answer: AnswerWord,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AnswerWord {
    Printed,
    FoundNone,
}

/// `POST /api/v1/jobs/{id}/answer`
pub(super) async fn answer(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
    body: Result<Json<AnswerBody>, JsonRejection>,
) -> Result<Json<JobShape>, Problem> {
    account.may(Right::Order)?;
    let id = job_id(&id)?;
    let Json(body) =
        body.map_err(|refused| unreadable(refused.status(), Code::RequestMalformed))?;
    answer_job(&office, &account, id, body).await?;
    Ok(Json(JobShape::from(&find(&office, id).await?)))
}

/// Why a body was not read: too large is told apart from everything else.
pub(super) fn unreadable(status: StatusCode, otherwise: Code) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge.into(),
        _other => otherwise.into(),
    }
}

/// Records what somebody found of a job.
pub(super) async fn answer_job(
    office: &Arc<Office>,
    account: &Account,
    id: JobId,
    body: AnswerBody,
) -> Result<(), Problem> {
    account.may(Right::Order)?;
    let actor = account.actor();
    let answer = match body.answer {
        AnswerWord::Printed => Answer::Printed,
        AnswerWord::FoundNone => Answer::FoundNone,
    };
    let outcome = office
        .blocking(move |office| office.store.resolve_lost(id, answer, &actor, now()))
        .await?;
    match outcome {
        Ok(_now) => {
            office.sweep_bell.notify_one();
            Ok(())
        }
        Err(StoreError::NoSuchJob { .. }) => Err(Code::JobUnknown.into()),
        Err(StoreError::Refused(refusal)) => {
            let detail = json!({ "reason_code": refusal.code() });
            let code = if refusal == Refusal::MachineUnheard {
                Code::MachineNotHeard
            } else if refusal == Refusal::CopyHeld {
                Code::MachineHoldsCopy
            } else {
                Code::NotForCentralToAnswer
            };
            Err(Problem::with(code, detail))
        }
        Err(error) => Err(storage_problem(&error)),
    }
}

/// `GET /api/v1/machines`
pub(super) async fn machines(
    State(office): State<Arc<Office>>,
    account: Account,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Look)?;
    let machines = office
        .blocking(|office| {
            let now = now();
            let rows = office.store.machines()?;
            let aside = office.store.quarantine_counts()?;
            let newest = office.trust_desk.newest().map(|newest| newest.serial);
            let histories = office.supplies.histories(&*office.store, now)?;
            let shape = |row: &loket_store::MachineRow| {
                let aside = aside.get(&row.id).copied().unwrap_or_default();
                let is_enrolled = office.machines.find(&row.id).is_ok();
                MachineShape::new((row, &histories), is_enrolled, aside, newest, now)
            };
            Ok(rows.iter().map(shape).collect::<Vec<_>>())
        })
        .await?
        .map_err(|error: StoreError| storage_problem(&error))?;
    let trust = office.trust_desk.newest().map(|newest| {
        json!({ "serial": newest.serial, "made_at": Moment(newest.made_at), "size_bytes": newest.blob.size_bytes })
    });
    let fault = office.trust_desk.fault().map(|fault| {
        let what = fault.what;
        json!({ "code": what.code(), "message": what.message(), "since": Moment(fault.since) })
    });
    let body = json!({ "machines": machines, "trust": trust, "trust_fault": fault });
    Ok(Json(body))
}

/// `GET /api/v1/openapi.json`
pub(super) async fn openapi() -> Response {
    const DOCUMENT: &str = include_str!("../../assets/openapi.json");
    std::future::ready(([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response())
        .await
}

/// `GET /api/v1/brokers`
pub(super) async fn brokers(
    State(office): State<Arc<Office>>,
    account: Account,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Look)?;
    let brokers: Vec<_> = office.tally.links.iter().map(BrokerShape::from).collect();
    Ok(Json(json!({ "brokers": brokers })))
}

/// `GET /metrics`
pub(super) async fn metrics(
    State(office): State<Arc<Office>>,
    account: Account,
) -> Result<Response, Problem> {
    account.may(Right::Look)?;
    let now = now();
    let (stored, fleet) = office
        .blocking(move |office| {
            let stored = Stored {
                counts: office.store.counts(now)?,
                size: office.store.size()?,
                disk: office.room.disk(),
                aside: office.store.quarantine_counts()?,
            };
            Ok((stored, office.fleet(now)?))
        })
        .await?
        .map_err(|error: StoreError| storage_problem(&error))?;
    let ends = office.identity.certificate_ends_unix_s;
    let text = metrics::text(&stored, &fleet, &office.tally, ends, now)
        .map_err(|_never| Code::StorageFailed)?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// `GET /healthz`
pub(super) async fn health(State(office): State<Arc<Office>>) -> Result<Json<Value>, Problem> {
    office
        .blocking(|office| office.store.check())
        .await?
        .map_err(|error| storage_problem(&error))?;
    Ok(Json(json!({
        "status": "ok",
        "link_up": office.tally.is_linked(),
        "up_time_s": office.started.elapsed().as_secs(),
        "software": env!("CARGO_PKG_VERSION"),
    })))
}
