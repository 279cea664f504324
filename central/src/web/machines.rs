//! What may be done about a machine.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use loket_domain::dispatch::NotSilent;
use loket_store::StoreError;
use loket_wire::{JobId, MachineId};
use serde_json::{Value, json};

use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

/// `POST /api/v1/machines/{id}/write-off`
pub(super) async fn write_off(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (machine, jobs) = take_out(&office, &account, &id).await?;
    Ok(Json(json!({ "machine": machine, "jobs": jobs })))
}

/// Takes a person's word that the machine is out of service for good; gives the jobs that wait for an answer now.
///
/// It stands in for the machine's own answer, so it is taken only where the machine cannot give one: it said nothing
/// for as long as central listened at every broker where it may be.
pub(super) async fn take_out(
    office: &Arc<Office>,
    account: &Account,
    id: &str,
) -> Result<(MachineId, Vec<JobId>), Problem> {
    account.may(Right::Machines)?;
    let machine: MachineId = id.parse().map_err(|_ignored| Code::MachineUnknown)?;
    let (actor, named) = (account.actor(), machine.clone());
    let written_off = office
        .blocking(move |office| {
            let at = now();
            let row = office.store.machine(&named)?;
            let row = row.ok_or(StoreError::NoSuchMachine)?;
            if let Err(not_silent) = office.own_silence(&row, at) {
                return Ok(Err(not_silent));
            }
            office.store.write_off(&named, &actor, at).map(Ok)
        })
        .await?;
    let jobs: Vec<JobId> = match written_off {
        Ok(Ok(jobs)) => jobs,
        Ok(Err(NotSilent::MachineHeard)) => return Err(Code::MachineStillThere.into()),
        Ok(Err(NotSilent::CentralDeaf)) => return Err(Code::CentralNotListening.into()),
        Err(StoreError::NoSuchMachine) => return Err(Code::MachineUnknown.into()),
        Err(error) => return Err(storage_problem(&error)),
    };
    tracing::warn!(machine.id = %machine, job_count = jobs.len(), "machine taken out of service; its jobs wait for an answer");
    Ok((machine, jobs))
}
