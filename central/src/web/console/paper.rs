//! The page "Cocokkan kertas": a form for a scan, and whether the sheet shows what was printed.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::{Html, IntoResponse, Response};
use loket_inspection::{Cut, Region, RegionKind, SheetVerdict};
use loket_wire::{JobId, Zone};
use serde::Deserialize;

use super::lines::place;
use super::{Viewer, not_rendered, role_word};
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};
use crate::web::compare::{Found, look, read};
use crate::web::outcome::{Page, Pictured};
use crate::web::sign_in::{Account, Right};

/// Which job is meant, where somebody comes from its page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Meant {
    #[serde(default)]
    job: String,
}

#[derive(Template)]
#[template(path = "paper.html")]
struct PaperForm<'a> {
    name: &'a str,
    role: &'static str,
    job: &'a str,
    code: &'static str,
    error: &'static str,
    /// What the reader of scans says, beside the code.
    more: String,
}

#[derive(Template)]
#[template(path = "paper_result.html")]
struct PaperResult<'a> {
    name: &'a str,
    role: &'static str,
    tone: &'static str,
    word: &'static str,
    say: String,
    code: &'a str,
    step: &'static str,
    job: JobId,
    machine: String,
    office: String,
    printed: String,
    page: u32,
    differences: Vec<Difference<'a>>,
    more: usize,
    has_place: bool,
    sheet: &'a str,
    record: &'a str,
}

/// One region, cut out of both.
struct Difference<'a> {
    number: usize,
    what: &'static str,
    place: String,
    cut: &'a Cut,
}

/// `GET /paper`
pub(in crate::web) async fn form(
    Viewer(account): Viewer,
    meant: Result<Query<Meant>, QueryRejection>,
) -> Result<Response, Problem> {
    account.may(Right::Compare)?;
    let Query(meant) = meant.map_err(|_ignored| Code::QueryMalformed)?;
    // What is no job's number is somebody's text and not shown again.
    let job = meant.job.parse::<JobId>();
    let job = job.map(|job| job.to_string()).unwrap_or_default();
    std::future::ready(form_page(&account, &job, None)).await
}

fn form_page(account: &Account, job: &str, refused: Option<Problem>) -> Result<Response, Problem> {
    let said = refused
        .as_ref()
        .and_then(|problem| problem.detail.get("message"));
    let page = PaperForm {
        name: &account.name,
        role: role_word(account.role),
        job,
        code: refused.as_ref().map_or("", |problem| problem.code.as_str()),
        error: refused
            .as_ref()
            .map_or("", |problem| problem.code.message()),
        more: said
            .and_then(|it| it.as_str())
            .unwrap_or_default()
            .to_owned(),
    };
    let text = page.render().map_err(|error| not_rendered(&error))?;
    Ok(match refused {
        None => Html(text).into_response(),
        Some(problem) => (problem.code.status(), Extension(Page), Html(text)).into_response(),
    })
}

/// `POST /paper`
pub(in crate::web) async fn compare(
    State(office): State<Arc<Office>>,
    Viewer(account): Viewer,
    request: Request,
) -> Result<Response, Problem> {
    account.may(Right::Compare)?;
    let asked = match read(&office, request).await {
        Ok(asked) => asked,
        Err(problem) => return form_page(&account, "", Some(problem)),
    };
    let job = asked.job().map(|job| job.to_string()).unwrap_or_default();
    match look(&office, &account.actor(), asked).await {
        Ok(found) => {
            let row = found.row.job;
            let place = office
                .blocking(move |office| place_of(office, row))
                .await??;
            result_page(&account, &found, place)
        }
        Err(problem) => form_page(&account, &job, Some(problem)),
    }
}

/// Name and zone of the office that a job was for. Blocks.
fn place_of(office: &Office, job: JobId) -> Result<(String, Zone), Problem> {
    let row = office.store.job(job);
    let row = row.map_err(|error| storage_problem(&error))?;
    Ok(row.map_or_else(
        || (String::new(), office.offices.current().zone()),
        |row| place(office, &row.facts.office),
    ))
}

fn result_page(
    account: &Account,
    found: &Found,
    (office, zone): (String, Zone),
) -> Result<Response, Problem> {
    let Found { row, held } = found;
    let (tone, word, step) = words(held.verdict);
    let reason = found.reason();
    let say = reason.map_or_else(
        || said(held.verdict, held.regions.len()),
        |(_code, sentence)| sentence.to_owned(),
    );
    let pictures = held.pictures.as_ref();
    let cuts = pictures.map_or(&[][..], |pictures| &pictures.cuts);
    let (sheet, record) = pictures.map_or(("", ""), |it| (&it.sheet, &it.record));
    let pairs = held.regions.iter().zip(cuts).zip(1..);
    let page = PaperResult {
        name: &account.name,
        role: role_word(account.role),
        tone,
        word,
        say,
        code: reason.map_or("", |(code, _sentence)| code),
        step,
        job: row.job,
        machine: row.machine.to_string(),
        office,
        printed: zone.local_text(row.received_at),
        page: held.page,
        more: held.regions.len().saturating_sub(cuts.len()),
        differences: pairs
            .map(|((region, cut), number)| Difference {
                number,
                what: what(region.kind),
                place: place_in_words(region),
                cut,
            })
            .collect(),
        has_place: !held.regions.is_empty() || held.verdict == SheetVerdict::Same,
        sheet,
        record,
    };
    let text = page.render().map_err(|error| not_rendered(&error))?;
    Ok((Extension(Pictured), Html(text)).into_response())
}

/// Tone and word of a verdict, and what to do next.
const fn words(verdict: SheetVerdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        SheetVerdict::Same => (
            "good",
            "SAMA",
            "Isi kertas cocok dengan yang dicetak. Apakah dokumen itu yang terbaru tidak diperiksa di sini.",
        ),
        SheetVerdict::Different => (
            "bad",
            "BERBEDA",
            "Lihat setiap bagian di bawah. Cap, paraf atau coretan sesudah dicetak juga terhitung. Bila tulisan atau angkanya diubah: jangan kembalikan kertasnya, laporkan kepada atasan dan dinas penerbit.",
        ),
        SheetVerdict::CannotTell => (
            "wait",
            "TIDAK DAPAT DIPASTIKAN",
            "Ini bukan tanda bahwa kertasnya palsu. Pindai ulang dengan lurus dan bersih, 200 dpi; bila tetap begitu, periksa dokumen elektroniknya.",
        ),
    }
}

fn said(verdict: SheetVerdict, count: usize) -> String {
    match verdict {
        SheetVerdict::Same => "Tidak ada bagian yang berbeda dari catatan cetak.".to_owned(),
        SheetVerdict::Different => format!("Ada {count} bagian yang berbeda dari catatan cetak."),
        SheetVerdict::CannotTell => String::new(),
    }
}

const fn what(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Missing => "Ada yang hilang dari kertas",
        RegionKind::Added => "Ada tambahan di kertas",
        RegionKind::Changed => "Tulisan di kertas lain",
    }
}

fn place_in_words(region: &Region) -> String {
    let Region { x_mm, y_mm, .. } = region;
    format!("{x_mm:.0} mm dari kiri, {y_mm:.0} mm dari atas")
}
