//! What may be done about a machine.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use loket_domain::dispatch::Connectivity;
use loket_store::StoreError;
use loket_wire::{JobId, MachineId};
use serde_json::{Value, json};

use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

/// `POST /api/v1/machines/{id}/write-off`: a person's word that the machine is out of service for good.
///
/// It stands in for the machine's own answer, so it is taken only where the machine cannot give one.
pub(super) async fn write_off(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Machines)?;
    let machine: MachineId = id.parse().map_err(|_ignored| Code::MachineUnknown)?;
    let (actor, named) = (account.actor(), machine.clone());
    let written_off = office
        .blocking(move |office| {
            let at = now();
            let row = office.store.machine(&named)?;
            let row = row.ok_or(StoreError::NoSuchMachine)?;
            if !matches!(row.connectivity(at), Connectivity::Offline { .. }) {
                return Ok(None);
            }
            office.store.write_off(&named, &actor, at).map(Some)
        })
        .await?;
    let jobs: Vec<JobId> = match written_off {
        Ok(Some(jobs)) => jobs,
        Ok(None) => return Err(Code::MachineStillThere.into()),
        Err(StoreError::NoSuchMachine) => return Err(Code::MachineUnknown.into()),
        Err(error) => return Err(storage_problem(&error)),
    };
    tracing::warn!(machine.id = %machine, job_count = jobs.len(), "machine taken out of service; its jobs wait for an answer");
    Ok(Json(json!({ "machine": machine, "jobs": jobs })))
}
