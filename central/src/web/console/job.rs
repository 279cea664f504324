//! One job: where it stands, what happened to it, and what may be done about it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Redirect, Response};
use loket_domain::dispatch::{Change, Connectivity, MachineCopy};
use loket_store::{HistoryRow, JobRow, Note, Origin, Role, SameDocument, StoreError};
use loket_wire::{JobId, JobState, LocalJob, MachineId, Reason, Zone};

use super::lines::{JobLine, job_line, place};
use super::{ConsolePage, Viewer, etag, not_rendered, role_word, unless_known};
use crate::clock::now;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};
use crate::web::api::{self, AnswerBody, job_id};
use crate::web::shapes::page_count;
use crate::web::sign_in::{Account, Right};
use crate::words::{self, away, away::Away};

#[derive(Template)]
#[template(path = "job.html")]
struct JobPart {
    job: JobLine,
    reason_code: String,
    whom: &'static str,
    /// What is wrong with the machine, where it is not there and the job hangs on it.
    machine_away: String,
    next_step: String,
    /// Whether this person may declare the machine out of service, and the job waits for it.
    may_declare: bool,
    state_at: String,
    not_after: String,
    ended: String,
    pages: String,
    sheets: String,
    attempt: String,
    reprint_of: Option<String>,
    /// Where and when it was given by hand, beside who did; empty for what central ordered.
    given: String,
    /// Other jobs of the same document, one of them given by hand.
    same: Vec<Same>,
    steps: Vec<Step>,
    may_cancel: bool,
    may_answer: bool,
    /// Whether no copy at the machine can print it any more, so that *none* is an answer.
    may_find_none: bool,
    /// Whether this person may hold the printed sheet against its record.
    may_compare: bool,
}

/// Another job of the same document: it need not have made a sheet.
struct Same {
    id: String,
    state: &'static str,
    tone: &'static str,
    how: &'static str,
}

impl From<&SameDocument> for Same {
    fn from(other: &SameDocument) -> Self {
        let (state, tone) = words::job_state(other.state);
        Self {
            id: other.job.to_string(),
            state,
            tone: tone.class(),
            how: if other.is_by_hand {
                "cetak langsung di mesin"
            } else {
                "perintah pusat"
            },
        }
    }
}

/// What happened, told once however often it was repeated.
struct Step {
    at: String,
    what: String,
    who: String,
    times: u32,
}

/// `GET /jobs/{id}`
pub(in crate::web) async fn page(
    State(office): State<Arc<Office>>,
    Viewer(account): Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    account.may(Right::Look)?;
    let id = job_id(&id)?;
    let (row, part) = part(&office, id, account.role).await?;
    let page = ConsolePage {
        title: row.facts.reference.as_str(),
        name: &account.name,
        role: role_word(account.role),
        may_compare: account.may(Right::Compare).is_ok(),
        live_address: &format!("/console/jobs/{id}"),
        live: &part,
        form: None,
        write_off: None,
        report: None,
    };
    Ok(Html(page.render().map_err(|error| not_rendered(&error))?).into_response())
}

/// `GET /console/jobs/{id}`
pub(in crate::web) async fn live(
    State(office): State<Arc<Office>>,
    account: Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    account.may(Right::Look)?;
    let (_row, part) = part(&office, job_id(&id)?, account.role).await?;
    Ok(unless_known(&headers, etag(&part), part))
}

/// `POST /jobs/{id}/cancel`
pub(in crate::web) async fn cancel(
    State(office): State<Arc<Office>>,
    Viewer(account): Viewer,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id = job_id(&id)?;
    api::cancel_job(&office, &account, id).await?;
    Ok(Redirect::to(&format!("/jobs/{id}")))
}

/// `POST /jobs/{id}/answer`
pub(in crate::web) async fn answer(
    State(office): State<Arc<Office>>,
    Viewer(account): Viewer,
    Path(id): Path<String>,
    form: Result<Form<AnswerBody>, FormRejection>,
) -> Result<Redirect, Problem> {
    let id = job_id(&id)?;
    let Form(body) =
        form.map_err(|refused| api::unreadable(refused.status(), Code::FormMalformed))?;
    api::answer_job(&office, &account, id, body).await?;
    Ok(Redirect::to(&format!("/jobs/{id}")))
}

async fn part(office: &Arc<Office>, id: JobId, role: Role) -> Result<(JobRow, String), Problem> {
    let found = office
        .blocking(move |office| {
            let row = office
                .store
                .job(id)?
                .ok_or(StoreError::NoSuchJob { job: id })?;
            let same = office.store.same_document(id)?;
            let away = machine_away(office, &row.facts.machine)?;
            let part = job_part(office, &row, &office.store.history(id)?, role, away);
            let same = same.iter().map(Same::from).collect();
            Ok((row, JobPart { same, ..part }))
        })
        .await?;
    let (row, part) = match found {
        Ok(found) => found,
        Err(StoreError::NoSuchJob { .. }) => return Err(Code::JobUnknown.into()),
        Err(error) => return Err(storage_problem(&error)),
    };
    let text = part.render().map_err(|error| not_rendered(&error))?;
    Ok((row, text))
}

/// Whether the job's machine is not there. While central is cut off from all brokers, none is to blame.
fn machine_away(office: &Office, id: &MachineId) -> Result<Option<Away>, StoreError> {
    let Some(machine) = office.store.machine(id)? else {
        return Ok(Some(Away::NotEnrolled));
    };
    if office.machines.find(id).is_err() {
        return Ok(Some(Away::NotEnrolled));
    }
    let (_name, zone) = place(office, &machine.office);
    Ok(match machine.connectivity(now()) {
        Connectivity::Offline { since } if office.tally.is_linked() => {
            Some(Away::Silent(since.map(|since| zone.local_text(since))))
        }
        Connectivity::Offline { .. } | Connectivity::Late { .. } | Connectivity::Online => None,
    })
}

fn job_part(
    office: &Office,
    row: &JobRow,
    history: &[HistoryRow],
    role: Role,
    away: Option<Away>,
) -> JobPart {
    let (facts, job) = (&row.facts, &row.job);
    let (_name, zone) = place(office, &facts.office);
    let is_operator = role == Role::Operator;
    let is_lost = job.state == JobState::Unknown && job.reason == Some(Reason::JournalLost);
    let is_open = !job.state.is_end() && job.state != JobState::Unknown;
    let is_copy_gone = job.copy == Some(MachineCopy::Gone);
    let is_by_hand = row.origin() == Origin::Local;
    let at_away = away.and_then(|away| {
        let step = away::step(job.state, job.reason, is_copy_gone, is_by_hand, role)?;
        Some((away::what(&away, facts.machine.as_str()), step))
    });
    let may_declare = role == Role::It
        && at_away.is_some()
        && away::waits_for_word(job.state, job.reason, is_copy_gone);
    let usual = if is_by_hand {
        words::next_step_by_hand(job.state, job.reason, role)
    } else {
        words::next_step(job.state, job.reason, role)
    };
    let (machine_away, next_step) = at_away.unwrap_or_else(|| (String::new(), usual.to_owned()));
    let number =
        |count: Option<u32>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    JobPart {
        job: job_line(office, row, now()),
        reason_code: job.reason.map(Reason::keyword).unwrap_or_default(),
        whom: words::whom(job.state, job.reason),
        machine_away,
        next_step,
        may_declare,
        state_at: zone.local_text(job.state_at),
        not_after: zone.local_text(facts.not_after),
        ended: job
            .ended_at
            .map_or_else(|| "-".to_owned(), |at| zone.local_text(at)),
        pages: number(page_count(row)),
        sheets: number(job.sheet_count),
        attempt: number(job.attempt),
        reprint_of: row
            .intake
            .as_ref()
            .and_then(|intake| intake.reprint_of.as_ref())
            .map(|reprint| reprint.job.to_string()),
        given: given(job.local.as_deref(), zone),
        same: Vec::new(),
        steps: steps(history, zone),
        may_cancel: is_operator && is_open,
        may_answer: is_operator && is_lost,
        may_find_none: is_copy_gone,
        may_compare: is_operator && job.state == JobState::Printed,
    }
}

/// Where and when a job was given by hand. The moment is the machine's own: central may hear of it days later.
fn given(local: Option<&LocalJob>, zone: Zone) -> String {
    local.map_or_else(String::new, |local| {
        let printer = local.printer.as_ref();
        let printer = printer.map_or_else(String::new, |name| format!(", printer {name}"));
        let at = zone.local_text(local.given_at);
        format!("{}{printer}, {at} menurut jam mesin", words::by_hand(local))
    })
}

/// The history in words, newest first.
fn steps(history: &[HistoryRow], zone: Zone) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for row in history {
        let step = Step {
            at: zone.local_text(row.at),
            what: what(row),
            who: words::actor(&row.actor),
            times: 1,
        };
        match steps.last_mut() {
            Some(last) if last.what == step.what && last.who == step.who => {
                last.at = step.at;
                last.times += 1;
            }
            Some(_) | None => steps.push(step),
        }
    }
    steps.reverse();
    steps
}

fn what(row: &HistoryRow) -> String {
    let because = |state: JobState, reason: Option<Reason>| {
        let (word, _tone) = words::job_state(state);
        reason.map_or_else(
            || word.to_owned(),
            |reason| format!("{word}: {}", words::reason(reason)),
        )
    };
    match row.change() {
        Ok(Change::Created { reprint_of, .. }) => reprint_of.map_or_else(
            || "diterima pusat".to_owned(),
            |reprint| format!("diterima pusat sebagai cetak ulang: {}", reprint.reason),
        ),
        Ok(Change::GivenByHand { local, .. }) => words::by_hand(&local),
        Ok(Change::DocumentTold { revision }) => {
            format!("dokumen diperiksa mesin: {} halaman", revision.page_count)
        }
        Ok(Change::Offered { .. }) => "ditawarkan ke mesin".to_owned(),
        Ok(Change::OfferDue { .. }) => "akan ditawarkan lagi".to_owned(),
        Ok(Change::Reported { state, reason, .. }) => because(state, reason),
        Ok(Change::LateReport { state, reason, .. }) => {
            format!("laporan terlambat: {}", because(state, reason))
        }
        Ok(Change::Listed { state, .. }) => format!("disebut mesin: {}", because(state, None)),
        Ok(Change::DocumentAsked) => "dokumen tersegel diminta mesin".to_owned(),
        Ok(Change::Lost) => because(JobState::Unknown, Some(Reason::JournalLost)),
        Ok(Change::CopyHeld { state, reason }) => {
            format!("salinan masih ada di mesin: {}", because(state, reason))
        }
        Ok(Change::CopyOver { state, reason, .. }) => {
            format!("salinan di mesin berakhir: {}", because(state, reason))
        }
        Ok(Change::CopyGone) => "mesin menyatakan tidak memegang salinan".to_owned(),
        Ok(Change::WrittenOff) => "mesin dinyatakan tidak dipakai lagi".to_owned(),
        Ok(Change::CancelAsked { .. }) => "pembatalan diminta".to_owned(),
        Ok(Change::Cancelled) => "dibatalkan pusat".to_owned(),
        Ok(Change::Expired) => "kedaluwarsa".to_owned(),
        Ok(Change::Resolved { state, reason }) => {
            format!("dijawab: {}", because(state, Some(reason)))
        }
        Err(_a_note) => match serde_json::from_str(&row.body) {
            Ok(Note::RecordShown {
                reason: Some(reason),
            }) => format!("{}: {reason}", note_in_words(&row.kind)),
            Ok(_) | Err(_) => note_in_words(&row.kind).to_owned(),
        },
    }
}

/// A line that is no change of the job; what has no words here says its kind.
fn note_in_words(kind: &str) -> &str {
    match kind {
        "secrets-dropped" => "salinan tersegel dimusnahkan",
        "carried-forward" => "baris lama dihapus menurut masa simpan",
        "record-kept" => "catatan cetak disimpan tersegel",
        "record-shown" => "catatan cetak dibuka untuk mencocokkan kertas",
        _other => kind,
    }
}
