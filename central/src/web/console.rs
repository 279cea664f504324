//! The console: one page for people, whose live part is fetched again every two seconds.

mod asked;
mod device;
mod form;
mod job;
mod lines;
mod machine;
mod paper;
mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use loket_store::{JobFilter, JobPage, Role, StoreError};
use loket_wire::Sha256Digest;

use self::asked::{Asked, Words};
use self::form::SearchForm;
use self::lines::{JobLine, MachineLine, Trouble, job_line, machine_lines};
use self::machine::{ReportForm, WriteOffForm};
use self::view::{Tile, Times, View, tiles};
use super::Web;
use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

pub(super) use job::{answer, cancel, live as job_live, page as job_page};
pub(super) use machine::write_off;
pub(super) use paper::{compare as paper_compare, form as paper_form};

/// Jobs on a page: what a person scrolls through; older ones are a link away.
const JOBS_SHOWN: u32 = 50;

/// Machines in trouble on the front page: the worst; the others are a link away.
const FRONT_MACHINES: usize = 10;

/// Machines on a page of their own. A page is fetched again and again, on poor lines too.
const MACHINES_SHOWN: usize = 50;

/// How long what one viewer is shown serves the others as well.
const SHARED_FOR: Duration = Duration::from_secs(1);

/// Different views kept at once; beyond it a view is made for its viewer alone.
const MAX_SHARED: usize = 64;

/// What viewers are shown, shared for a second: ten of them cost the store what one does.
#[derive(Default)]
pub(super) struct Shared(Mutex<BTreeMap<Asked, Part>>);

impl std::fmt::Debug for Shared {
    /// Views hold what people search for.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
struct Part {
    made: Instant,
    text: Arc<str>,
    etag: String,
}

impl Shared {
    /// The part, made now unless it was just now. Blocks; whoever asks meanwhile waits and shares it.
    fn part(&self, office: &Office, asked: &Asked) -> Result<Part, Problem> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_asked, part| part.made.elapsed() < SHARED_FOR);
        if let Some(part) = kept.get(asked) {
            return Ok(part.clone());
        }
        let live = live_part(office, asked).map_err(|error| storage_problem(&error))?;
        let text = live.render().map_err(|error| not_rendered(&error))?;
        let part = Part {
            made: Instant::now(),
            etag: etag(&text),
            text: text.into(),
        };
        if kept.len() < MAX_SHARED {
            kept.insert(asked.clone(), part.clone());
        }
        Ok(part)
    }
}

/// Somebody at a browser: who is not signed in is led to where one signs in.
#[derive(Debug)]
pub(super) struct Viewer(Account);

impl FromRequestParts<Web> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        match Account::from_request_parts(parts, web).await {
            Ok(account) => Ok(Self(account)),
            Err(problem) if problem.code == Code::NotSignedIn => {
                Err(Redirect::to("/login").into_response())
            }
            Err(problem) => Err(problem.into_response()),
        }
    }
}

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Operator => "operator",
        Role::It => "tim TI",
        Role::Auditor => "auditor",
    }
}

#[derive(Template)]
#[template(path = "console.html")]
struct ConsolePage<'a> {
    title: &'a str,
    name: &'a str,
    role: &'static str,
    /// Whether this person may hold sheets of paper against their records.
    may_compare: bool,
    live_address: &'a str,
    live: &'a str,
    /// Fields to search by, where the page has them. They stand outside of the live part: nobody types into what
    /// renews itself.
    form: Option<SearchForm>,
    /// What takes the shown machine out of service, for who may. Outside of the live part as well.
    write_off: Option<WriteOffForm>,
    /// Asks for a day of the shown machine, for who may.
    report: Option<ReportForm>,
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePart {
    link_down: Option<String>,
    brokers_down: Vec<String>,
    tiles: Vec<Tile>,
    urgent: Vec<JobLine>,
    urgent_more: bool,
    is_front: bool,
    show_jobs: bool,
    /// Whether the list is of what was printed by hand today alone, so that the way to all of it is shown.
    is_by_hand_today: bool,
    title: &'static str,
    machine: String,
    jobs: Vec<JobLine>,
    next: Option<String>,
    machines: Vec<MachineLine>,
    machine_count: usize,
    machines_before: Option<String>,
    machines_next: Option<String>,
    machines_left: usize,
    is_search: bool,
    losses: Vec<String>,
    /// The newest trust bundle, above the list of machines.
    trust: Option<String>,
}

/// `GET /`
pub(super) async fn page(
    State(web): State<Web>,
    Viewer(account): Viewer,
    query: Result<Query<Words>, QueryRejection>,
) -> Result<Response, Problem> {
    let office = &web.office;
    let asked = Asked::read(query)?;
    let live_address = asked.live_address();
    let title = asked.view.page();
    let form = if asked.view == View::Semua {
        let asked = asked.clone();
        let form = office.blocking(move |office| SearchForm::new(office, &asked));
        Some(form.await?)
    } else {
        None
    };
    let (write_off, report) = {
        let (asked, account) = (asked.clone(), account.clone());
        let forms = office.blocking(move |office| {
            let zone = office.offices.current().zone();
            let report = ReportForm::new(&asked, &account, zone, now());
            let write_off = WriteOffForm::new(office, &asked, &account)?;
            Ok::<_, StoreError>((write_off, report))
        });
        forms.await?.map_err(|error| storage_problem(&error))?
    };
    let part = shared(&web, asked).await?;
    let page = ConsolePage {
        title,
        form,
        report,
        write_off,
        name: &account.name,
        role: role_word(account.role),
        may_compare: account.may(Right::Compare).is_ok(),
        live_address: &live_address,
        live: &part.text,
    };
    Ok(Html(page.render().map_err(|error| not_rendered(&error))?).into_response())
}

/// `GET /console/live`
pub(super) async fn live(
    State(web): State<Web>,
    _account: Account,
    query: Result<Query<Words>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let part = shared(&web, Asked::read(query)?).await?;
    Ok(unless_known(&headers, part.etag, part.text.to_string()))
}

async fn shared(web: &Web, asked: Asked) -> Result<Part, Problem> {
    let shared = Arc::clone(&web.shared);
    web.office
        .blocking(move |office| shared.part(office, &asked))
        .await?
}

fn etag(text: &str) -> String {
    format!("\"{}\"", Sha256Digest::of(text.as_bytes()))
}

/// The text, unless the viewer has that very text.
fn unless_known(headers: &HeaderMap, etag: String, text: String) -> Response {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known == Some(etag.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::ETAG, etag)], Html(text)).into_response()
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

fn not_rendered(error: &askama::Error) -> Problem {
    tracing::error!(%error, "console not rendered");
    Code::StorageFailed.into()
}

fn live_part(office: &Office, asked: &Asked) -> Result<LivePart, StoreError> {
    let at = now();
    let zone = office.offices.current().zone();
    let times = Times::at(at, zone.day_start(at));
    let store = &office.store;
    let link_down = lines::link_down(office, at);
    let set_aside = store.quarantine_counts()?;
    let histories = office.supplies.histories(&**store, at)?;
    let machines = machine_lines(
        office,
        (&store.machines()?, &histories),
        &set_aside,
        link_down.is_some(),
        at,
    );
    let enrolled = machines.iter().filter(|line| line.is_enrolled);
    let machine_count = enrolled.clone().count();
    let troubled = enrolled.clone().filter(|line| line.trouble < Trouble::Fine);
    let online = enrolled.clone().filter(|line| line.is_online).count();
    let numbers = [troubled.count(), online].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    let tiles = tiles(&**store, asked, times, (numbers[0], numbers[1]))?;
    let is_front = asked.is_front();
    let lines = |page: &JobPage| -> Vec<_> {
        let rows = page.jobs.iter();
        rows.map(|row| job_line(office, row, at)).collect()
    };
    let urgent = if is_front {
        store.jobs(&JobFilter {
            limit: JOBS_SHOWN,
            ..View::Perlu.filter(times)
        })?
    } else {
        JobPage {
            jobs: Vec::new(),
            next: None,
        }
    };
    let mut urgent_lines = lines(&urgent);
    urgent_lines.sort_by_key(JobLine::need);
    let show_jobs = asked.view != View::Mesin;
    let page = asked.jobs(&**store, times, zone, JOBS_SHOWN)?;
    let shown = shown_machines(asked, machines);
    let counts = store.counts(at)?;
    Ok(LivePart {
        link_down,
        brokers_down: lines::brokers_down(office, at),
        tiles,
        urgent: urgent_lines,
        urgent_more: urgent.next.is_some(),
        is_front,
        show_jobs,
        is_by_hand_today: asked.view == View::Langsung,
        title: asked.view.title(),
        machine: asked
            .machine
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        jobs: lines(&page),
        next: page.next.map(|next| asked.address(Some(&next))),
        machines: shown.lines,
        machine_count,
        machines_before: shown.before,
        machines_next: shown.next,
        machines_left: shown.left,
        is_search: asked.is_search(),
        losses: lines::losses(office, &counts, at)?,
        trust: (asked.view == View::Mesin)
            .then(|| lines::trust_line(office, at))
            .transpose()?,
    })
}

/// The machines of a page, and the ways to the others.
struct ShownMachines {
    lines: Vec<MachineLine>,
    before: Option<String>,
    next: Option<String>,
    left: usize,
}

fn shown_machines(asked: &Asked, mut lines: Vec<MachineLine>) -> ShownMachines {
    let (mut before, mut next, mut left) = (None, None, 0);
    match &asked.machine {
        Some(machine) => lines.retain(|line| line.id == machine.as_str()),
        None if asked.view == View::Mesin => {
            let page = asked.machine_page;
            let skipped = MACHINES_SHOWN.saturating_mul(usize::try_from(page).unwrap_or(0));
            before = page.checked_sub(1).map(|page| asked.machine_address(page));
            lines.drain(..skipped.min(lines.len()));
            next = (lines.len() > MACHINES_SHOWN).then(|| asked.machine_address(page + 1));
            lines.truncate(MACHINES_SHOWN);
        }
        None if asked.is_front() => {
            lines.retain(|line| line.is_enrolled && line.trouble < Trouble::Fine);
            left = lines.len().saturating_sub(FRONT_MACHINES);
            lines.truncate(FRONT_MACHINES);
        }
        None => lines.clear(),
    }
    ShownMachines {
        lines,
        before,
        next,
        left,
    }
}
