//! Jobs, machines and numbers as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use loket_domain::dispatch::{Answer, Refusal};
use loket_store::{CancelOutcome, JobCursor, JobFilter, JobRow, StoreError};
use loket_wire::{JobId, JobState, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shapes::{JobShape, JobsShape, MachineShape};
use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::metrics;
use crate::office::{CancelAsk, Office, storage_problem};
use crate::problem::{Code, Problem};

/// Jobs in one answer unless the caller says otherwise.
const DEFAULT_PAGE_JOBS: u32 = 50;

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
    Ok(Json(JobShape::from(&find(&office, job_id(&id)?).await?)))
}

/// Which jobs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    /// States, separated by commas.
    state: Option<String>,
    machine: Option<String>,
    office: Option<String>,
    limit: Option<u32>,
    /// `<created_at in ms>.<job id>`, from `next_before`.
    before: Option<String>,
}

impl JobsQuery {
    fn filter(&self) -> Option<JobFilter> {
        let states = self.state.as_deref().unwrap_or_default();
        Some(JobFilter {
            states: states
                .split(',')
                .filter(|word| !word.is_empty())
                .map(|word| {
                    JobState::ALL
                        .into_iter()
                        .find(|state| state.as_str() == word)
                })
                .collect::<Option<_>>()?,
            machine: self.machine.as_deref().map(str::parse).transpose().ok()?,
            office: self.office.as_deref().map(str::parse).transpose().ok()?,
            before: match &self.before {
                None => None,
                Some(text) => Some(cursor(text)?),
            },
            pick: None,
            limit: self.limit.unwrap_or(DEFAULT_PAGE_JOBS),
        })
    }
}

pub(super) fn cursor(text: &str) -> Option<JobCursor> {
    let (at, id) = text.split_once('.')?;
    Some(JobCursor {
        created_at: Timestamp::from_unix_ms(at.parse().ok()?),
        id: id.parse().ok()?,
    })
}

/// `GET /api/v1/jobs`
pub(super) async fn jobs(
    State(office): State<Arc<Office>>,
    account: Account,
    query: Result<Query<JobsQuery>, QueryRejection>,
) -> Result<Json<JobsShape>, Problem> {
    account.may(Right::Look)?;
    let Query(query) = query.map_err(|_ignored| Code::QueryMalformed)?;
    let filter = query.filter().ok_or(Code::QueryMalformed)?;
    let page = office
        .blocking(move |office| office.store.jobs(&filter))
        .await?
        .map_err(|error| storage_problem(&error))?;
    let next = page
        .next
        .map(|next| format!("{}.{}", next.created_at.unix_ms(), next.id));
    Ok(Json(JobsShape {
        jobs: page.jobs.iter().map(JobShape::from).collect(),
        next_before: next,
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
    let Json(body) = body.map_err(|_ignored| Code::RequestMalformed)?;
    answer_job(&office, &account, id, body).await?;
    Ok(Json(JobShape::from(&find(&office, id).await?)))
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
            let shape = |row| {
                let row: &loket_store::MachineRow = row;
                MachineShape::new(row, office.machines.find(&row.id).is_ok(), now)
            };
            Ok(rows.iter().map(shape).collect::<Vec<_>>())
        })
        .await?
        .map_err(|error: StoreError| storage_problem(&error))?;
    Ok(Json(json!({ "machines": machines })))
}

/// `GET /api/v1/openapi.json`
pub(super) async fn openapi() -> Response {
    const DOCUMENT: &str = include_str!("../../assets/openapi.json");
    std::future::ready(([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response())
        .await
}

/// `GET /metrics`
pub(super) async fn metrics(
    State(office): State<Arc<Office>>,
    account: Account,
) -> Result<Response, Problem> {
    account.may(Right::Look)?;
    let now = now();
    let (counts, fleet) = office
        .blocking(move |office| Ok((office.store.counts(now)?, office.fleet(now)?)))
        .await?
        .map_err(|error: StoreError| storage_problem(&error))?;
    let ends = office.identity.certificate_ends_unix_s;
    let text = metrics::text(&counts, fleet, &office.tally, ends, now)
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
    let link_up = office
        .tally
        .link_up
        .load(std::sync::atomic::Ordering::Relaxed)
        == 1;
    Ok(Json(json!({
        "status": "ok",
        "link_up": link_up,
        "up_time_s": office.started.elapsed().as_secs(),
        "software": env!("CARGO_PKG_VERSION"),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(state: &str, before: &str) -> JobsQuery {
        JobsQuery {
            state: Some(state.to_owned()),
            machine: None,
            office: None,
            limit: None,
            before: (!before.is_empty()).then(|| before.to_owned()),
        }
    }

    #[test]
    fn filters_are_read_or_refused() {
        let id = JobId::from_parts(1_790_000_000_000, [1; 10]);
        let filter = query("printed,unknown", &format!("5.{id}"))
            .filter()
            .unwrap();
        assert_eq!(filter.states, [JobState::Printed, JobState::Unknown]);
        let expected = JobCursor {
            created_at: Timestamp::from_unix_ms(5),
            id,
        };
        assert_eq!(filter.before, Some(expected));
        assert!(query("", "").filter().unwrap().states.is_empty());
        for (state, before) in [("done", ""), ("", "5"), ("", "x.y"), ("printed,x", "")] {
            assert!(query(state, before).filter().is_none(), "{state} {before}");
        }
    }
}
