//! The pages of officers: the verdict first, and under it everything that it rests on.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use data_encoding::BASE64;
use loket_wire::Zone;
use zeroize::Zeroizing;

use crate::moment;
use crate::ports::{
    Certificate, Compared, Document, Found, Judgement, Leads, Paper, Qr, RevisionChange, Signature,
};
use crate::problem::{Problem, html};
use crate::site::{Face, Shared};
use crate::station_printers::{Want, wants};
use crate::verdict::{attribute, judge};
use crate::way::{self, Medium, Opened, Upload};
use crate::words::{self, Shown};

/// Whose pages these are.
const FACE: Face = Face::Station;

/// Below it a result is shown.
const RESULTS: &str = "/station/hasil";

/// The verifier's word for a document that was changed after signing.
const ALTERED: &str = "altered";

#[derive(Template)]
#[template(path = "station_choose.html")]
struct ChoosePage {
    form: Opened,
    /// Printers that want somebody.
    wants: Vec<Want>,
}

#[derive(Template)]
#[template(path = "station_result.html")]
struct ResultPage {
    shown: Shown,
    why: &'static str,
    /// What to do, and whom to ask.
    todo: &'static str,
    /// What is wrong with this machine, where something is.
    machine: &'static str,
    judged_at: String,
    indication: String,
    revision: String,
    trust_as_of: String,
    time_stamp_count: usize,
    is_paper: bool,
    signatures: Vec<SignaturePart>,
    findings: Vec<Line>,
    qr: Vec<QrLine>,
    was_qr_read: bool,
    compared: Option<ComparedPart>,
}

/// A page as it was signed and as it is, each under a handle that answers once.
struct ComparedPart {
    page: u32,
    differs: bool,
    signed: String,
    whole: String,
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
    coverage: String,
    changes: String,
    is_altered: bool,
    indication: String,
    level: String,
    proven_at: String,
    proven_by: String,
    revisions: Vec<RevisionPart>,
    chain: Vec<ChainLine>,
    findings: Vec<Line>,
}

/// One revision behind a signature as it is shown.
struct RevisionPart {
    no: usize,
    did: String,
    explained_by: String,
    /// The codes of what was found in it.
    codes: String,
    /// What the signature does not tell already.
    findings: Vec<Line>,
}

/// One certificate of a chain as it is shown, with what is known of its revocation.
struct ChainLine {
    name: String,
    subject: String,
    valid: String,
    revocation: String,
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
    sentence: String,
    host: String,
    rule: String,
    /// The day of the list of official hosts.
    hosts_from: String,
    tone: &'static str,
}

/// `GET /station/periksa`
pub(crate) async fn choose(State(shared): State<Shared>) -> Response {
    html(&ChoosePage {
        form: way::open(&shared).await,
        wants: wants(&shared).await,
    })
}

/// `POST /station/periksa`
pub(crate) async fn post_verify(
    State(shared): State<Shared>,
    form: Upload,
) -> Result<Redirect, Problem> {
    let judged = judge(&shared, FACE, way::from_upload(&shared, form).await).await;
    way::lead(FACE, (RESULTS, &shared.officer_results), judged)
}

/// `POST /station/periksa/usb`
pub(crate) async fn post_verify_medium(
    State(shared): State<Shared>,
    form: Medium,
) -> Result<Redirect, Problem> {
    let judged = judge(&shared, FACE, way::from_medium(&shared, form).await).await;
    way::lead(FACE, (RESULTS, &shared.officer_results), judged)
}

/// `GET /station/hasil/{handle}`: once.
pub(crate) async fn result(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let kept = &shared.officer_results;
    let page = match std::future::ready(way::look(FACE, kept, &handle)).await? {
        Judgement::Document(mut document) => {
            let compared = document.compared.take();
            let mut page = of_document(&document, shared.site.zone);
            page.compared = compared.and_then(|compared| pictures(&shared, compared));
            page
        }
        Judgement::Paper(paper) => of_paper(&paper, shared.site.zone),
    };
    Ok(html(&page))
}

/// Keeps both pictures for the page that asks for them.
fn pictures(shared: &Shared, compared: Compared) -> Option<ComparedPart> {
    let Compared {
        page,
        differs,
        signed,
        whole,
    } = compared;
    let keep = |text: String| {
        let png = BASE64.decode(text.as_bytes()).ok()?;
        Some(shared.pictures.put(Zeroizing::new(png)))
    };
    Some(ComparedPart {
        page,
        differs,
        signed: keep(signed)?,
        whole: keep(whole)?,
    })
}

fn of_document(document: &Document, zone: Zone) -> ResultPage {
    let signatures = document.signatures.iter().enumerate();
    let code = document.decisive();
    ResultPage {
        shown: words::verdict(document.verdict),
        why: code.map_or("", |code| words::why(document.verdict, code)),
        todo: words::officer_todo(document.verdict),
        machine: if document.is_trust_last_good {
            words::TRUST_LAST_GOOD
        } else {
            ""
        },
        judged_at: moment::in_words(zone, document.judged_at),
        indication: indication(&document.indication, document.sub_indication.as_deref()),
        trust_as_of: document
            .trust_as_of
            .map_or_else(String::new, |at| moment::in_words(zone, at)),
        time_stamp_count: document.time_stamp_count,
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
        qr: document.qr.iter().map(|qr| qr_line(qr, zone)).collect(),
        was_qr_read: document.is_looked_at,
        compared: None,
    }
}

fn of_paper(paper: &Paper, zone: Zone) -> ResultPage {
    ResultPage {
        shown: words::PAPER,
        why: "",
        todo: words::OFFICER_PAPER,
        machine: "",
        judged_at: String::new(),
        indication: String::new(),
        revision: String::new(),
        trust_as_of: String::new(),
        time_stamp_count: 0,
        is_paper: true,
        signatures: Vec::new(),
        findings: Vec::new(),
        qr: paper.qr.iter().map(|qr| qr_line(qr, zone)).collect(),
        was_qr_read: paper.is_read,
        compared: None,
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
        coverage: words::of_report(&signature.coverage).to_owned(),
        changes: words::of_report(&signature.changes).to_owned(),
        is_altered: signature.changes == ALTERED,
        indication: indication(&signature.indication, signature.sub_indication.as_deref()),
        level: signature.level.clone(),
        proven_at: signature
            .proven_at
            .map_or_else(String::new, |at| moment::in_words(zone, at)),
        proven_by: words::of_report(signature.proven_by.as_deref().unwrap_or_default()).to_owned(),
        revisions: signature
            .revisions
            .iter()
            .map(|change| revision_part(change, &signature.findings))
            .collect(),
        chain: chain(signature, zone),
        findings: lines(&signature.findings),
    }
}

/// What an officer who writes to the authority quotes.
fn indication(indication: &str, sub_indication: Option<&str>) -> String {
    match sub_indication {
        Some(why) => format!("{indication} / {why}"),
        None => indication.to_owned(),
    }
}

fn revision_part(change: &RevisionChange, told: &[Found]) -> RevisionPart {
    let codes: Vec<&str> = change
        .findings
        .iter()
        .map(|Found(code)| code.id())
        .collect();
    let mut untold = change.findings.clone();
    untold.retain(|found| !told.contains(found));
    RevisionPart {
        no: change.index.saturating_add(1),
        did: words::revision_change(change.added, change.overridden, change.freed),
        explained_by: change.explained_by.join(", "),
        codes: codes.join(", "),
        findings: lines(&untold),
    }
}

fn chain(signature: &Signature, zone: Zone) -> Vec<ChainLine> {
    let line = |certificate: &Certificate| {
        let known = signature.revocation.iter();
        let mut known = known.filter(|data| data.certificate == certificate.subject);
        ChainLine {
            name: attribute(&certificate.subject, "CN").unwrap_or_default(),
            subject: certificate.subject.clone(),
            valid: format!(
                "{} sampai {}",
                moment::day(zone, certificate.not_before),
                moment::day(zone, certificate.not_after)
            ),
            revocation: known.next().map_or_else(String::new, |data| {
                format!(
                    "{} dari {}, umur {}",
                    words::of_report(&data.form),
                    words::source(&data.source),
                    words::age(data.age_seconds)
                )
            }),
        }
    };
    signature.chain.iter().map(line).collect()
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

fn qr_line(qr: &Qr, zone: Zone) -> QrLine {
    QrLine {
        page: qr.page,
        says: words::qr(qr.leads),
        sentence: qr.sentence.clone(),
        host: qr.host.clone().unwrap_or_default(),
        rule: qr.rule.clone(),
        hosts_from: moment::day(zone, qr.hosts_valid_from),
        tone: match qr.leads {
            Leads::Official => "note",
            Leads::Elsewhere => "bad",
            Leads::Nowhere => "wait",
        },
    }
}
