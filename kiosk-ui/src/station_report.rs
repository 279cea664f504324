//! The officers' page for a day: what this station printed, on the screen, as a table and on paper.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use loket_domain::account::{Notation, Printed, csv, form};
use loket_wire::form::{Form, Table};
use serde::Deserialize;

use crate::ports::{DayAnswer, DayQuestion};
use crate::problem::{Problem, html};
use crate::site::{Face, Shared};
use crate::words::Trouble;

/// The page's own address, where whoever met a problem tries again.
const PAGE: &str = "/station/laporan";

#[derive(Template)]
#[template(path = "station_report.html")]
struct AskPage {
    today: String,
}

#[derive(Template)]
#[template(path = "station_report_day.html")]
struct DayPage {
    day: String,
    by: String,
    title: String,
    facts: Vec<(String, String)>,
    tables: Vec<TablePart>,
    notes: Vec<String>,
}

/// A table as it is shown.
struct TablePart {
    heading: String,
    heads: Vec<CellPart>,
    rows: Vec<Vec<CellPart>>,
    sums: Vec<CellPart>,
    if_empty: String,
}

/// A cell as it is shown.
struct CellPart {
    text: String,
    is_number: bool,
}

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    tanggal: String,
    #[serde(default)]
    nama: String,
    #[serde(default)]
    bentuk: String,
}

type AskedQuery = Result<Query<Asked>, QueryRejection>;

/// `GET /station/laporan`: the form, and with a day what it was.
pub(crate) async fn page(
    State(shared): State<Shared>,
    asked: AskedQuery,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_ignored| problem(Trouble::ReportDay))?;
    if asked.tanggal.is_empty() {
        let today = shared.site.days.today().await;
        return Ok(html(&AskPage {
            today: today.to_string(),
        }));
    }
    let (answer, form) = answered(&shared, &asked).await?;
    Ok(html(&DayPage {
        day: answer.day.day.to_string(),
        by: asked.nama,
        title: form.title,
        facts: form.facts,
        tables: form.tables.into_iter().map(part).collect(),
        notes: form.notes,
    }))
}

/// `GET /station/laporan/berkas`: the same as a file.
pub(crate) async fn file(
    State(shared): State<Shared>,
    asked: AskedQuery,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_ignored| problem(Trouble::ReportDay))?;
    let (answer, form) = answered(&shared, &asked).await?;
    let name = format!("loket-{}-{}", answer.day.machine, answer.day.day);
    let (kind, ending, bytes) = match asked.bentuk.as_str() {
        "csv" => {
            let text = csv(&answer.day, Notation::Office);
            ("text/csv; charset=utf-8", "csv", text.into_bytes())
        }
        "data" => {
            let text = csv(&answer.day, Notation::Data);
            ("text/csv; charset=utf-8", "data.csv", text.into_bytes())
        }
        _pdf => {
            // The turn goes with the work: a browser that leaves ends the wait for it and not the drawing.
            let turn = Arc::clone(&shared.drawings).acquire_owned().await;
            let drawn = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                loket_paper::form::pdf(&form, answer.made_at)
            });
            let bytes = drawn.await.ok().and_then(Result::ok);
            let bytes = bytes.ok_or_else(|| problem(Trouble::ReportNotMade))?;
            ("application/pdf", "pdf", bytes)
        }
    };
    let kept = format!("attachment; filename=\"{name}.{ending}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, kept),
    ];
    Ok((headers, bytes).into_response())
}

async fn answered(shared: &Shared, asked: &Asked) -> Result<(DayAnswer, Form), Problem> {
    let day = asked.tanggal.parse();
    let question = DayQuestion {
        day: day.map_err(|_ignored| problem(Trouble::ReportDay))?,
        by: asked.nama.clone(),
    };
    let answer = shared.site.days.day(question).await.map_err(problem)?;
    let printed = Printed {
        office: answer.office.clone(),
        at: answer.made_at,
        clock_trusted: answer.clock_trusted,
        by: asked.nama.clone(),
        source: "catatan stasiun ini",
    };
    let form = form(&answer.day, &printed);
    Ok((answer, form))
}

fn part(table: Table) -> TablePart {
    let is_number: Vec<bool> = table.columns.iter().map(|it| it.is_number).collect();
    let cells = |row: Vec<String>| -> Vec<CellPart> {
        let cells = row.into_iter().zip(&is_number);
        let cells = cells.map(|(text, is_number)| CellPart {
            text,
            is_number: *is_number,
        });
        cells.collect()
    };
    let heads = table.columns.iter().map(|it| it.heading.clone());
    TablePart {
        heads: cells(heads.collect()),
        rows: table.rows.into_iter().map(&cells).collect(),
        sums: table.sums.map(&cells).unwrap_or_default(),
        heading: table.heading,
        if_empty: table.if_empty,
    }
}

const fn problem(trouble: Trouble) -> Problem {
    Problem::new(Face::Station, trouble).again(PAGE)
}
