//! A machine that does not come back: the form with which the IT team says so, and what follows of it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use loket_domain::dispatch::{LocalDay, NotSilent};
use loket_store::StoreError;
use loket_wire::{MachineId, Timestamp, Zone};
use serde::Deserialize;

use super::asked::Asked;
use super::{Viewer, not_rendered};
use crate::clock::now;
use crate::office::Office;
use crate::problem::{Code, Problem};
use crate::web::api::unreadable;
use crate::web::machines::take_out;
use crate::web::sign_in::{Account, Right};

/// Jobs that are named once a machine is out of service; a page further all of them are.
const JOBS_NAMED: usize = 50;

/// The form on a machine's page.
pub(super) struct WriteOffForm {
    pub(super) machine: MachineId,
    /// Why it would be refused now.
    pub(super) why_not: Option<&'static str>,
}

impl WriteOffForm {
    /// The form for who may say so, where a machine is shown that is not heard. It stands outside of the part that
    /// renews itself, which all viewers share. Blocks.
    pub(super) fn new(
        office: &Office,
        asked: &Asked,
        account: &Account,
    ) -> Result<Option<Self>, StoreError> {
        let (Some(machine), Ok(())) = (&asked.machine, account.may(Right::Machines)) else {
            return Ok(None);
        };
        let Some(row) = office.store.machine(machine)? else {
            return Ok(None);
        };
        let why_not = match office.own_silence(&row, now()) {
            Ok(()) => None,
            Err(NotSilent::CentralDeaf) => Some(Code::CentralNotListening.message()),
            Err(NotSilent::MachineHeard) if office.machines.find(machine).is_ok() => {
                return Ok(None);
            }
            // Its record is gone, so its jobs' pages lead here.
            Err(NotSilent::MachineHeard) => Some(Code::MachineStillThere.message()),
        };
        Ok(Some(Self {
            machine: machine.clone(),
            why_not,
        }))
    }
}

/// The form that asks for a day of a machine.
pub(super) struct ReportForm {
    pub(super) machine: MachineId,
    /// The day that it begins with: the present one.
    pub(super) day: LocalDay,
}

impl ReportForm {
    /// The form for who may have it, where one machine is shown.
    pub(super) fn new(asked: &Asked, account: &Account, zone: Zone, at: Timestamp) -> Option<Self> {
        account.may(Right::Audit).ok()?;
        Some(Self {
            machine: asked.machine.clone()?,
            day: LocalDay::of(at, zone.utc_offset_minutes()),
        })
    }
}

/// What the form sends: a box that is ticked. A request without it is none that somebody thought about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct WriteOffBody {
    #[serde(rename = "sure")]
    _sure: Sure,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sure {
    Yes,
}

#[derive(Template)]
#[template(path = "written_off.html")]
struct WrittenOff {
    machine: MachineId,
    jobs: Vec<String>,
    more: usize,
}

/// `POST /machines/{id}/write-off`
pub(in crate::web) async fn write_off(
    State(office): State<Arc<Office>>,
    Viewer(account): Viewer,
    Path(id): Path<String>,
    form: Result<Form<WriteOffBody>, FormRejection>,
) -> Result<Response, Problem> {
    account.may(Right::Machines)?;
    let Form(_sure) = form.map_err(|refused| unreadable(refused.status(), Code::FormMalformed))?;
    let (machine, jobs) = take_out(&office, &account, &id).await?;
    let page = WrittenOff {
        machine,
        more: jobs.len().saturating_sub(JOBS_NAMED),
        jobs: jobs
            .iter()
            .take(JOBS_NAMED)
            .map(ToString::to_string)
            .collect(),
    };
    Ok(Html(page.render().map_err(|error| not_rendered(&error))?).into_response())
}
