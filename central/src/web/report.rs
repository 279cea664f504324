//! A station's day, for who looks after the stations and who audits them: JSON, a table, a form for paper.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use loket_domain::account::{DayError, Notation, Of, Printed, csv, form};
use loket_domain::dispatch::LocalDay;
use loket_wire::{MachineId, Timestamp, Zone};
use serde::{Deserialize, Serialize};

use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};
use crate::report::{ReportError, account_for};

/// Which day of which station, and in which form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    machine: MachineId,
    day: LocalDay,
    /// For links, which cannot say what they accept.
    #[serde(default)]
    form: Option<Form>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    Json,
    Csv,
    Data,
    Pdf,
}

impl Form {
    /// The first kind that is named; JSON where none is.
    fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT);
        let accepted = accepted.and_then(|value| value.to_str().ok());
        let kinds = accepted.unwrap_or_default().split(',');
        let mut named = kinds.filter_map(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            match kind {
                "text/csv" => Some(Self::Csv),
                "application/pdf" => Some(Self::Pdf),
                "application/json" => Some(Self::Json),
                _unknown => None,
            }
        });
        named.next().unwrap_or(Self::Json)
    }
}

/// The account with when it was made, as a station says it too.
#[derive(Debug, Serialize)]
struct Answer {
    day: loket_domain::account::Day,
    #[serde(rename = "made_at_ms")]
    made_at: Timestamp,
    clock_trusted: bool,
}

/// `GET /api/v1/reports/day?machine=&day=&form=`
pub(super) async fn day(
    State(office): State<Arc<Office>>,
    account: Account,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    account.may(Right::Audit)?;
    let Query(wanted) = wanted.map_err(|_ignored| Code::QueryMalformed)?;
    let form = wanted.form.unwrap_or_else(|| Form::accepted(&headers));
    office
        .blocking(move |office| made(office, &account.name, &wanted, form))
        .await?
}

/// Makes it. Blocks.
fn made(office: &Office, by: &str, wanted: &Wanted, kind: Form) -> Result<Response, Problem> {
    let made_at = now();
    let machine = office.store.machine(&wanted.machine);
    let machine = machine.map_err(|error| storage_problem(&error))?;
    let machine = machine.ok_or(Code::MachineUnknown)?;
    let offices = office.offices.current();
    let place = offices.find(&machine.office, wanted.day.start(0));
    let of = Of {
        machine: wanted.machine.clone(),
        day: wanted.day,
        zone: place.map_or(Zone::Wib, |place| place.zone),
    };
    let day = account_for(office.store.as_ref(), &of).map_err(|error| match error {
        ReportError::Store(error) => storage_problem(&error),
        ReportError::Day(DayError::TooMany { .. }) => Code::ReportTooLong.into(),
    })?;
    let name = format!("loket-{}-{}", wanted.machine, wanted.day);
    Ok(match kind {
        Form::Json => Json(Answer {
            day,
            made_at,
            clock_trusted: true,
        })
        .into_response(),
        Form::Csv => file(
            "text/csv; charset=utf-8",
            &format!("{name}.csv"),
            csv(&day, Notation::Office).into_bytes(),
        ),
        Form::Data => file(
            "text/csv; charset=utf-8; header=present",
            &format!("{name}-data.csv"),
            csv(&day, Notation::Data).into_bytes(),
        ),
        Form::Pdf => {
            let id = || machine.office.to_string();
            let printed = Printed {
                office: place.map_or_else(id, |place| place.name.clone()),
                at: made_at,
                clock_trusted: true,
                by: format!("{by} (pusat)"),
                source: "catatan pusat",
            };
            let pdf = loket_paper::form::pdf(&form(&day, &printed), made_at);
            let pdf = pdf.map_err(|error| {
                tracing::error!(%error, "a day's form not drawn");
                Code::ReportTooLong
            })?;
            file("application/pdf", &format!("{name}.pdf"), pdf)
        }
    })
}

/// An answer that a browser keeps as a file of that name, which holds a machine's name and a date.
fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let kept = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, kept),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}
