//! The pages of residents: one thing on each, large, and back to the start by itself.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Redirect, Response};
use loket_wire::Zone;

use crate::moment;
use crate::ports::{Document, Judgement, Leads, Paper, Verdict};
use crate::problem::{Problem, html};
use crate::site::{Face, Shared};
use crate::verdict::{attribute, judge};
use crate::way::{self, Medium, Opened, Upload};
use crate::words::{self, Shown};

/// Whose pages these are.
const FACE: Face = Face::Kiosk;

/// Below it a result is shown.
const RESULTS: &str = "/kiosk/hasil";

/// What a browser kept of pages in memory goes when the next person begins.
const FORGET: (HeaderName, HeaderValue) = (
    HeaderName::from_static("clear-site-data"),
    HeaderValue::from_static("\"cache\""),
);

#[derive(Template)]
#[template(path = "kiosk_start.html")]
struct StartPage;

#[derive(Template)]
#[template(path = "kiosk_choose.html")]
struct ChoosePage {
    idle_s: u64,
    form: Opened,
}

#[derive(Template)]
#[template(path = "kiosk_result.html")]
struct ResultPage {
    idle_s: u64,
    /// Under it the page may be asked for once more, or dropped.
    handle: String,
    shown: Shown,
    why: &'static str,
    code: &'static str,
    /// Who signed and when: told of a document that is genuine, since anybody can write a name into a certificate.
    signer: String,
    organisation: String,
    signed_at: String,
    is_stamped: bool,
    is_valid: bool,
    qr: Vec<&'static str>,
    todo: &'static [&'static str],
}

/// `GET /kiosk`
pub(crate) async fn start() -> Response {
    std::future::ready(([FORGET], html(&StartPage)).into_response()).await
}

/// `GET /kiosk/periksa`
pub(crate) async fn choose(State(shared): State<Shared>) -> Response {
    html(&ChoosePage {
        idle_s: shared.site.idle.as_secs(),
        form: way::open(&shared).await,
    })
}

/// `POST /kiosk/periksa`
pub(crate) async fn post_verify(
    State(shared): State<Shared>,
    form: Upload,
) -> Result<Redirect, Problem> {
    let judged = judge(&shared, FACE, way::from_upload(&shared, form).await).await;
    way::lead(FACE, (RESULTS, &shared.results), judged)
}

/// `POST /kiosk/periksa/usb`
pub(crate) async fn post_verify_medium(
    State(shared): State<Shared>,
    form: Medium,
) -> Result<Redirect, Problem> {
    let judged = judge(&shared, FACE, way::from_medium(&shared, form).await).await;
    way::lead(FACE, (RESULTS, &shared.results), judged)
}

/// `GET /kiosk/hasil/{handle}`: once; the page has the handle of the next time.
pub(crate) async fn result(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let judgement = std::future::ready(way::look(FACE, &shared.results, &handle)).await?;
    let mut page = match &judgement {
        Judgement::Document(document) => of_document(document, shared.site.zone),
        Judgement::Paper(paper) => of_paper(paper),
    };
    page.idle_s = shared.site.idle.as_secs();
    page.handle = shared.results.put(judgement);
    Ok(html(&page))
}

/// `GET /kiosk/selesai/{handle}`: nothing of it stays.
pub(crate) async fn done(State(shared): State<Shared>, Path(handle): Path<String>) -> Redirect {
    drop(std::future::ready(shared.results.take(&handle)).await);
    Redirect::to("/kiosk")
}

fn of_document(document: &Document, zone: Zone) -> ResultPage {
    let code = document.decisive();
    let is_valid = document.verdict == Verdict::Valid;
    let signature = document.signatures.first().filter(|_| is_valid);
    let of_signer = |kind| {
        let signer = signature.and_then(|it| it.signer.as_deref());
        signer.and_then(|signer| attribute(signer, kind))
    };
    let signed_at = signature.and_then(|it| it.signed_at);
    ResultPage {
        idle_s: 0,
        handle: String::new(),
        shown: words::verdict(document.verdict),
        why: code.map_or("", |code| words::why(document.verdict, code)),
        code: code.map_or("", |code| code.id()),
        signer: of_signer("CN").unwrap_or_default(),
        organisation: of_signer("O").unwrap_or_default(),
        signed_at: signed_at.map_or_else(String::new, |at| moment::in_words(zone, at)),
        is_stamped: signature.is_some_and(|it| it.is_stamped),
        is_valid,
        qr: warnings(document),
        todo: words::todo(document.verdict, code),
    }
}

/// A code that leads elsewhere is told, unless the office itself signed it: of an official address nothing follows.
fn warnings(document: &Document) -> Vec<&'static str> {
    if document.verdict == Verdict::Valid {
        return Vec::new();
    }
    let mut leads = document.qr.iter().map(|qr| qr.leads);
    let leads = leads.find(|leads| *leads == Leads::Elsewhere);
    leads.map(words::qr).into_iter().collect()
}

fn of_paper(paper: &Paper) -> ResultPage {
    let mut qr: Vec<_> = paper.qr.iter().map(|qr| words::qr(qr.leads)).collect();
    qr.dedup();
    if qr.is_empty() && paper.is_read {
        qr.push(words::NO_QR);
    }
    ResultPage {
        idle_s: 0,
        handle: String::new(),
        shown: words::PAPER,
        why: "",
        code: "",
        signer: String::new(),
        organisation: String::new(),
        signed_at: String::new(),
        is_stamped: false,
        is_valid: false,
        qr,
        todo: words::PAPER_ADVICE,
    }
}
