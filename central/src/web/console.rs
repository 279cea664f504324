//! The console: one page for people, whose live part is fetched again every two seconds.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use loket_domain::dispatch::Connectivity;
use loket_store::{Counts, JobFilter, JobRow, MachineRow, StoreError};
use loket_wire::{JobState, Sha256Digest, Timestamp};

use super::sign_in::Account;
use crate::clock::now;
use crate::office::{Office, storage_problem};
use crate::offices::Zone;
use crate::problem::{Code, Problem};
use crate::words::{self, Tone};

/// Jobs on the page: what a person scrolls through; the API has the rest.
const JOBS_SHOWN: u32 = 50;

#[derive(Template)]
#[template(path = "console.html")]
struct ConsolePage<'a> {
    name: &'a str,
    role: &'static str,
    live: &'a str,
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePart {
    tiles: Vec<Tile>,
    jobs: Vec<JobLine>,
    machines: Vec<MachineLine>,
}

struct Tile {
    word: &'static str,
    count: u64,
    tone: &'static str,
}

struct JobLine {
    id: String,
    short_id: String,
    state: &'static str,
    tone: &'static str,
    reason: &'static str,
    reference: String,
    service: String,
    machine: String,
    office: String,
    created: String,
    due: String,
    overdue: bool,
}

struct MachineLine {
    id: String,
    office: String,
    connectivity: &'static str,
    tone: &'static str,
    since: String,
    last_seen: String,
    devices: Vec<DeviceLine>,
    software: String,
}

struct DeviceLine {
    name: String,
    state: &'static str,
    tone: &'static str,
    note: String,
}

/// `GET /`
pub(super) async fn page(
    State(office): State<Arc<Office>>,
    account: Result<Account, Problem>,
) -> Result<Response, Problem> {
    let account = match account {
        Ok(account) => account,
        Err(problem) if problem.code == Code::NotSignedIn => {
            return Ok(Redirect::to("/login").into_response());
        }
        Err(problem) => return Err(problem),
    };
    let live = live_part(&office).await?;
    let role = match account.role {
        loket_store::Role::Operator => "operator",
        loket_store::Role::It => "tim TI",
        loket_store::Role::Auditor => "auditor",
    };
    let page = ConsolePage {
        name: &account.name,
        role,
        live: &live,
    };
    Ok(Html(page.render().map_err(|error| not_rendered(&error))?).into_response())
}

/// `GET /console/live`
pub(super) async fn live(
    State(office): State<Arc<Office>>,
    _account: Account,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let part = live_part(&office).await?;
    let etag = format!("\"{}\"", Sha256Digest::of(part.as_bytes()));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known == Some(etag.as_str()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(([(header::ETAG, etag)], Html(part)).into_response())
}

/// `GET /console.css`
pub(super) async fn style() -> Response {
    const STYLE: &str = include_str!("../../assets/console.css");
    std::future::ready(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response())
        .await
}

/// `GET /console.js`
pub(super) async fn script() -> Response {
    const SCRIPT: &str = include_str!("../../assets/console.js");
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    std::future::ready((kind, SCRIPT).into_response()).await
}

async fn live_part(office: &Arc<Office>) -> Result<String, Problem> {
    let at = now();
    let part = office
        .blocking(move |office| {
            let filter = JobFilter {
                limit: JOBS_SHOWN,
                ..JobFilter::default()
            };
            let store = &office.store;
            let (jobs, machines) = (store.jobs(&filter)?.jobs, store.machines()?);
            let is_enrolled = |row: &MachineRow| office.machines.find(&row.id).is_ok();
            Ok(LivePart {
                tiles: tiles(&store.counts(at)?),
                jobs: jobs.iter().map(|row| job_line(office, row, at)).collect(),
                machines: machines
                    .iter()
                    .map(|row| machine_line(office, row, is_enrolled(row), at))
                    .collect(),
            })
        })
        .await?
        .map_err(|error: StoreError| storage_problem(&error))?;
    part.render().map_err(|error| not_rendered(&error))
}

fn not_rendered(error: &askama::Error) -> Problem {
    tracing::error!(%error, "console not rendered");
    Code::StorageFailed.into()
}

fn tiles(counts: &Counts) -> Vec<Tile> {
    let of = |states: &[JobState]| -> u64 {
        states
            .iter()
            .filter_map(|state| counts.jobs.get(state))
            .sum()
    };
    let running = of(&[
        JobState::Created,
        JobState::Offered,
        JobState::Fetching,
        JobState::Journalled,
        JobState::Printing,
    ]);
    let away = counts.machines_late.saturating_add(counts.machines_offline);
    let failed = of(&[JobState::Failed, JobState::Rejected]);
    [
        (
            "mesin tersambung",
            counts.machines_online,
            Tone::Good,
            Tone::Soft,
        ),
        ("mesin tidak tersambung", away, Tone::Wait, Tone::Soft),
        ("sedang berjalan", running, Tone::Note, Tone::Soft),
        (
            "menunggu petugas",
            of(&[JobState::Held]),
            Tone::Wait,
            Tone::Soft,
        ),
        (
            "belum pasti tercetak",
            of(&[JobState::Unknown]),
            Tone::Bad,
            Tone::Soft,
        ),
        ("lewat tenggat", counts.overdue, Tone::Bad, Tone::Soft),
        ("gagal atau ditolak", failed, Tone::Bad, Tone::Soft),
        ("tercetak", of(&[JobState::Printed]), Tone::Good, Tone::Soft),
    ]
    .into_iter()
    .map(|(word, count, some, none)| Tile {
        word,
        count,
        tone: if count > 0 {
            some.class()
        } else {
            none.class()
        },
    })
    .collect()
}

/// The place's name and zone, for a line of the page.
fn place(office: &Office, id: &loket_wire::OfficeId) -> (String, Zone) {
    office.offices.find(id).map_or_else(
        || (id.to_string(), Zone::Wib),
        |place| (place.name.clone(), place.zone),
    )
}

fn job_line(office: &Office, row: &JobRow, at: Timestamp) -> JobLine {
    let (facts, job) = (&row.facts, &row.job);
    let (state, tone) = words::job_state(job.state);
    let (name, zone) = place(office, &facts.office);
    let id = facts.id.to_string();
    JobLine {
        short_id: id.rsplit('-').next().unwrap_or_default().to_owned(),
        id,
        state,
        tone: tone.class(),
        reason: job.reason.map_or("", words::reason),
        reference: facts.reference.to_string(),
        service: facts.service.as_str().to_owned(),
        machine: facts.machine.to_string(),
        office: name,
        created: zone.local_text(job.created_at),
        due: zone.local_text(facts.due_at),
        overdue: !job.state.is_end() && at > facts.due_at,
    }
}

/// Several keywords have one word on screen (media-empty and media-needed): it is said once.
fn once_each<'a>(notes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut said = Vec::new();
    for note in notes {
        if !said.contains(&note) {
            said.push(note);
        }
    }
    said
}

fn machine_line(
    office: &Office,
    row: &MachineRow,
    is_enrolled: bool,
    at: Timestamp,
) -> MachineLine {
    let (name, zone) = place(office, &row.office);
    let (connectivity, tone, since) = match row.connectivity(at) {
        _any if !is_enrolled => ("tidak terdaftar", Tone::Soft, None),
        Connectivity::Online => ("tersambung", Tone::Good, row.presence.online_changed_at),
        Connectivity::Late { since } => ("terlambat", Tone::Wait, Some(since)),
        Connectivity::Offline { since: Some(since) } => ("terputus", Tone::Bad, Some(since)),
        Connectivity::Offline { since: None } => ("belum pernah", Tone::Soft, None),
    };
    let devices = row.devices.iter().map(|device| {
        let (state, tone) = words::device_state(&device.state);
        let reasons = device
            .reasons
            .iter()
            .map(|keyword| words::device_reason(keyword));
        let notes = reasons
            .chain(device.model.as_deref())
            .filter(|note| !note.is_empty());
        DeviceLine {
            name: device.device.clone(),
            state,
            tone: tone.class(),
            note: once_each(notes).join(" · "),
        }
    });
    MachineLine {
        id: row.id.to_string(),
        office: name,
        connectivity,
        tone: tone.class(),
        since: since
            .map(|since| zone.local_text(since))
            .unwrap_or_default(),
        last_seen: row
            .presence
            .last_seen
            .map_or_else(|| "-".to_owned(), |seen| zone.local_text(seen)),
        devices: devices.collect(),
        software: row.software.clone().unwrap_or_else(|| "-".to_owned()),
    }
}
