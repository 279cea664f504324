//! The pages of officers: the verdict first, and under it everything that it rests on.

use askama::Template;
use axum::Form;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::FormRejection;
use axum::extract::{Multipart, Path, State};
use axum::response::{Redirect, Response};
use loket_wire::Zone;

use crate::moment;
use crate::ports::{Document, Found, Judgement, Leads, MediaFile, Paper, Qr, Signature};
use crate::problem::{Problem, html};
use crate::site::{Face, Shared};
use crate::verdict::{MediumForm, attribute, decisive, of_medium, of_upload};
use crate::words::{self, Shown, Trouble};

#[derive(Template)]
#[template(path = "station_choose.html")]
struct ChoosePage {
    token: String,
    listing: String,
    files: Vec<MediaFile>,
    has_more: bool,
}

#[derive(Template)]
#[template(path = "station_result.html")]
struct ResultPage {
    shown: Shown,
    why: &'static str,
    judged_at: String,
    revision: String,
    is_paper: bool,
    signatures: Vec<SignaturePart>,
    findings: Vec<Line>,
    qr: Vec<QrLine>,
    was_qr_read: bool,
}

/// One signature as it is shown.
struct SignaturePart {
    no: usize,
    signer: String,
    organisation: String,
    subject: String,
    issuer: String,
    issuer_name: String,
    signed_at: String,
    whose_time: &'static str,
    coverage: &'static str,
    changes: &'static str,
    findings: Vec<Line>,
}

/// One finding as it is shown.
struct Line {
    code: &'static str,
    weight: &'static str,
    tone: &'static str,
    sentence: &'static str,
}

/// One QR code as it is shown.
struct QrLine {
    page: u32,
    says: &'static str,
    host: String,
    rule: String,
    tone: &'static str,
}

/// `GET /station/periksa`
pub(crate) async fn choose(State(shared): State<Shared>) -> Response {
    let listing = shared.site.media.list().await;
    html(&ChoosePage {
        token: shared.forms.put(()),
        listing: shared.listings.put(listing.files.clone()),
        files: listing.files,
        has_more: listing.has_more,
    })
}

/// `POST /station/periksa`
pub(crate) async fn post_verify(
    State(shared): State<Shared>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Redirect, Problem> {
    let judged = of_upload(&shared, Face::Station, form).await;
    answer(&shared, judged)
}

/// `POST /station/periksa/usb`
pub(crate) async fn post_verify_medium(
    State(shared): State<Shared>,
    form: Result<Form<MediumForm>, FormRejection>,
) -> Result<Redirect, Problem> {
    let judged = of_medium(&shared, Face::Station, form).await;
    answer(&shared, judged)
}

fn answer(shared: &Shared, judged: Result<Judgement, Trouble>) -> Result<Redirect, Problem> {
    let judgement = judged.map_err(|trouble| Problem::new(Face::Station, trouble))?;
    let handle = shared.officer_results.put(judgement);
    Ok(Redirect::to(&format!("/station/hasil/{handle}")))
}

/// `GET /station/hasil/{handle}`: once.
pub(crate) async fn result(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let judgement = std::future::ready(shared.officer_results.take(&handle)).await;
    let gone = Problem::new(Face::Station, Trouble::ResultGone);
    let page = match judgement.ok_or(gone)? {
        Judgement::Document(document) => of_document(&document, shared.site.zone),
        Judgement::Paper(paper) => of_paper(&paper),
    };
    Ok(html(&page))
}

fn of_document(document: &Document, zone: Zone) -> ResultPage {
    let signatures = document.signatures.iter().enumerate();
    let code = decisive(document);
    ResultPage {
        shown: words::verdict(document.verdict),
        why: code.map_or("", |code| words::why(document.verdict, code)),
        judged_at: moment::in_words(zone, document.judged_at),
        revision: document.revision.as_ref().map_or_else(
            || words::NO_REVISION.to_owned(),
            |revision| {
                let kilobytes = revision.size_bytes.div_ceil(1024);
                format!("{} halaman, {kilobytes} KiB", revision.page_count)
            },
        ),
        is_paper: false,
        signatures: signatures
            .map(|(at, signature)| part(at, signature, zone))
            .collect(),
        findings: lines(&document.findings),
        qr: document.qr.iter().map(qr_line).collect(),
        was_qr_read: !document.qr.is_empty(),
    }
}

fn of_paper(paper: &Paper) -> ResultPage {
    ResultPage {
        shown: words::PAPER,
        why: "",
        judged_at: String::new(),
        revision: String::new(),
        is_paper: true,
        signatures: Vec::new(),
        findings: Vec::new(),
        qr: paper.qr.iter().map(qr_line).collect(),
        was_qr_read: paper.is_read,
    }
}

fn part(at: usize, signature: &Signature, zone: Zone) -> SignaturePart {
    let signer = signature.signer.clone().unwrap_or_default();
    let issuer = signature.issuer.clone().unwrap_or_default();
    let signed_at = signature.signed_at;
    SignaturePart {
        no: at.saturating_add(1),
        organisation: attribute(&signer, "O").unwrap_or_default(),
        signer: attribute(&signer, "CN").unwrap_or_default(),
        issuer_name: attribute(&issuer, "CN").unwrap_or_default(),
        subject: signer,
        issuer,
        signed_at: signed_at.map_or_else(|| "-".to_owned(), |at| moment::in_words(zone, at)),
        whose_time: words::whose_time(signature.is_stamped),
        coverage: words::coverage(&signature.coverage),
        changes: words::changes(&signature.changes),
        findings: lines(&signature.findings),
    }
}

fn lines(findings: &[Found]) -> Vec<Line> {
    let mut findings = findings.to_vec();
    findings.sort_by_key(|Found(code)| (std::cmp::Reverse(code.weight()), *code));
    let line = |Found(code): &Found| {
        let (weight, tone) = words::weight(code.weight());
        Line {
            code: code.id(),
            weight,
            tone,
            sentence: code.sentence(),
        }
    };
    findings.iter().map(line).collect()
}

fn qr_line(qr: &Qr) -> QrLine {
    QrLine {
        page: qr.page,
        says: words::qr(qr.leads),
        host: qr.host.clone().unwrap_or_default(),
        rule: qr.rule.clone(),
        tone: match qr.leads {
            Leads::Official => "note",
            Leads::Elsewhere => "bad",
            Leads::Nowhere => "wait",
        },
    }
}
