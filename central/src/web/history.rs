//! The hash-chained history: of one job for everybody, the whole for the IT team and auditors.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use loket_store::{HistoryVerdict, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::job_id;
use super::shapes::HistoryShape;
use super::sign_in::{Account, Right};
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

/// Rows in one answer: each is a few hundred bytes.
const MAX_ROWS: u32 = 500;

/// The highest number that every reader of JSON keeps; no history comes near it.
const MAX_FROM: u64 = (1 << 53) - 1;

/// Which part of the history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    limit: Option<u32>,
}

/// `GET /api/v1/history?from=&limit=`
pub(super) async fn page(
    State(office): State<Arc<Office>>,
    account: Account,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Audit)?;
    let Query(part) = part.map_err(|_ignored| Code::QueryMalformed)?;
    let limit = part.limit.unwrap_or(MAX_ROWS);
    if !(1..=MAX_ROWS).contains(&limit) || part.from > MAX_FROM {
        return Err(Code::QueryMalformed.into());
    }
    let rows = office
        .blocking(move |office| office.store.history_from(part.from, limit))
        .await?
        .map_err(|error| storage_problem(&error))?;
    let next = rows.last().map(|row| row.seq.saturating_add(1));
    let rows: Vec<_> = rows.into_iter().filter_map(HistoryShape::new).collect();
    Ok(Json(json!({ "rows": rows, "next_from": next })))
}

/// `GET /api/v1/jobs/{id}/history`
pub(super) async fn of_job(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Look)?;
    let id = job_id(&id)?;
    let rows = office
        .blocking(move |office| office.store.history(id))
        .await?;
    let rows = rows.map_err(|error| {
        if matches!(error, StoreError::NoSuchJob { .. }) {
            Code::JobUnknown.into()
        } else {
            storage_problem(&error)
        }
    })?;
    let rows: Vec<_> = rows.into_iter().filter_map(HistoryShape::new).collect();
    Ok(Json(json!({ "rows": rows })))
}

/// `GET /api/v1/history/verdict`
pub(super) async fn verdict(
    State(office): State<Arc<Office>>,
    account: Account,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Audit)?;
    let verdict = office
        .blocking(|office| office.store.verify_history())
        .await?
        .map_err(|error| storage_problem(&error))?;
    Ok(Json(match verdict {
        HistoryVerdict::Intact {
            row_count,
            head_seq,
            head_sha256,
            front,
        } => {
            json!({ "verdict": "intact", "row_count": row_count, "head_seq": head_seq,
                "head_sha256": head_sha256, "removed_up_to": front.seq })
        }
        HistoryVerdict::Broken { seq } => json!({ "verdict": "broken", "seq": seq }),
    }))
}
