//! The officers' page for paper: a scan of a doubted sheet held against what central keeps of its printing.

use askama::Template;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State};
use axum::response::{Redirect, Response};
use data_encoding::BASE64;
use loket_wire::{JobId, Timestamp, Zone};
use zeroize::Zeroizing;

use crate::moment;
use crate::ports::{
    Brought, MAX_SCAN_BYTES, PaperAnswer, PaperQuestion, Region, SheetPictures, SheetVerdict,
};
use crate::problem::{Problem, html};
use crate::site::{Face, Shared};
use crate::upload;
use crate::words::{self, Shown, Trouble};

/// The form's own address, where whoever met a problem tries again.
const FORM: &str = "/station/kertas";

/// The longest name or number that is read; what counts as a name is the daemon's to say.
const MAX_TEXT_BYTES: usize = 200;

/// What was found of a sheet, and in whose name.
#[derive(Debug)]
pub(crate) struct SheetResult {
    answer: PaperAnswer,
    by: String,
}

#[derive(Template)]
#[template(path = "station_paper.html")]
struct PaperPage {
    token: String,
    by: String,
}

#[derive(Template)]
#[template(path = "station_paper_result.html")]
struct PaperResultPage {
    shown: Shown,
    code: String,
    message: String,
    todo: &'static [&'static str],
    printed_at: String,
    machine: String,
    job: String,
    page: u32,
    by: String,
    /// Handle of the picture of the whole sheet; empty where there is none.
    sheet: String,
    places: Vec<PlacePart>,
    /// Places that are not drawn.
    rest: Vec<PlacePart>,
    /// Keeps the officer's name for the next sheet.
    again: String,
}

/// One place at which the sheet differs, as it is shown.
struct PlacePart {
    no: usize,
    what: &'static str,
    whereabouts: String,
    sheet: String,
    printed: String,
}

/// What the form held.
struct PaperForm {
    token: String,
    by: String,
    job: String,
    scan: Result<Brought, Trouble>,
}

/// `GET /station/kertas`
pub(crate) async fn choose(State(shared): State<Shared>) -> Result<Response, Problem> {
    std::future::ready(form(&shared, String::new())).await
}

/// `GET /station/kertas/lagi/{handle}`: the form once more, for the officer who filled it in.
pub(crate) async fn again(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let by = shared.names.take(&handle).unwrap_or_default();
    std::future::ready(form(&shared, by)).await
}

fn form(shared: &Shared, by: String) -> Result<Response, Problem> {
    if shared.site.paper.is_none() {
        return Err(problem(Trouble::PaperAlone));
    }
    Ok(html(&PaperPage {
        token: shared.forms.put(()),
        by,
    }))
}

/// `POST /station/kertas`
pub(crate) async fn post(
    State(shared): State<Shared>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Redirect, Problem> {
    let found = ask(&shared, form).await.map_err(problem)?;
    let handle = shared.sheet_results.put(found);
    Ok(Redirect::to(&format!("/station/kertas/hasil/{handle}")))
}

async fn ask(
    shared: &Shared,
    form: Result<Multipart, MultipartRejection>,
) -> Result<SheetResult, Trouble> {
    // Taken before a byte is kept: more at a time would be more memory than the machine has to spare.
    let _place = shared
        .uploads
        .try_acquire()
        .map_err(|_full| Trouble::PaperBusy)?;
    let form = read(form.map_err(|_none| Trouble::Cut)?).await?;
    shared.forms.take(&form.token).ok_or(Trouble::FormStale)?;
    let desk = shared.site.paper.as_ref().ok_or(Trouble::PaperAlone)?;
    let by = form.by.trim().to_owned();
    if by.is_empty() {
        return Err(Trouble::PaperName);
    }
    let job = match form.job.trim() {
        "" => None,
        id => Some(id.parse::<JobId>().map_err(|_other| Trouble::PaperJob)?),
    };
    let scan = form.scan.map_err(|trouble| {
        // A scan may be larger than a document, and its page says how large.
        if trouble == Trouble::TooLarge {
            Trouble::PaperTooLarge
        } else {
            trouble
        }
    })?;
    let question = PaperQuestion {
        scan,
        job,
        by: by.clone(),
    };
    let answer = desk.ask(question).await?;
    Ok(SheetResult { answer, by })
}

async fn read(mut form: Multipart) -> Result<PaperForm, Trouble> {
    let mut read = PaperForm {
        token: String::new(),
        by: String::new(),
        job: String::new(),
        scan: Err(Trouble::NoFile),
    };
    while let Some(field) = form.next_field().await.map_err(|_cut| Trouble::Cut)? {
        match field.name() {
            Some("token") => read.token = upload::read_token(field).await?,
            Some("nama") => {
                let text = upload::read_text(field, MAX_TEXT_BYTES).await?;
                read.by = text.ok_or(Trouble::PaperName)?;
            }
            Some("pekerjaan") => {
                let text = upload::read_text(field, MAX_TEXT_BYTES).await?;
                read.job = text.ok_or(Trouble::PaperJob)?;
            }
            Some("berkas") => read.scan = upload::read_document(field, MAX_SCAN_BYTES).await?,
            Some(_) | None => return Err(Trouble::Cut),
        }
    }
    Ok(read)
}

fn problem(trouble: Trouble) -> Problem {
    Problem::new(Face::Station, trouble).again(FORM)
}

/// `GET /station/kertas/hasil/{handle}`: once.
pub(crate) async fn result(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let found = std::future::ready(shared.sheet_results.take(&handle)).await;
    let found = found.ok_or_else(|| problem(Trouble::ResultGone))?;
    Ok(html(&page(&shared, found)))
}

fn page(shared: &Shared, found: SheetResult) -> PaperResultPage {
    let SheetResult { answer, by } = found;
    let PaperAnswer { report, pictures } = answer;
    let (sheet, places, rest) = places(shared, &report.regions, pictures);
    PaperResultPage {
        shown: words::paper(report.verdict),
        todo: match report.verdict {
            SheetVerdict::Same => words::PAPER_SAME,
            SheetVerdict::Different => words::PAPER_DIFFERENT,
            SheetVerdict::CannotTell => words::PAPER_UNSURE,
        },
        code: report.code.unwrap_or_default(),
        message: report.message.unwrap_or_default(),
        printed_at: in_words(shared.site.zone, &report.printed_at),
        machine: report.machine.to_string(),
        job: report.job_id.to_string(),
        page: report.page,
        again: shared.names.put(by.clone()),
        by,
        sheet,
        places,
        rest,
    }
}

/// The places of a report, those that are drawn apart from the others; each picture under a handle of its own.
fn places(
    shared: &Shared,
    regions: &[Region],
    pictures: Option<SheetPictures>,
) -> (String, Vec<PlacePart>, Vec<PlacePart>) {
    let keep = |text: &str| match BASE64.decode(text.as_bytes()) {
        Ok(png) if !png.is_empty() => shared.pictures.put(Zeroizing::new(png)),
        Ok(_) | Err(_) => String::new(),
    };
    let (sheet, drawn) = pictures.map_or_else(
        || (String::new(), Vec::new()),
        |pictures| (keep(&pictures.sheet), pictures.cuts.clone()),
    );
    let mut parts = regions.iter().zip(1_usize..).map(|(place, no)| PlacePart {
        no,
        what: words::place(place.kind),
        whereabouts: format!(
            "{:.0} mm dari kiri, {:.0} mm dari atas",
            place.x_mm, place.y_mm
        ),
        sheet: String::new(),
        printed: String::new(),
    });
    let mut shown: Vec<PlacePart> = parts.by_ref().take(drawn.len()).collect();
    for (part, pair) in shown.iter_mut().zip(&drawn) {
        part.sheet = keep(&pair.sheet);
        part.printed = keep(&pair.record);
    }
    (sheet, shown, parts.collect())
}

fn in_words(zone: Zone, rfc3339: &str) -> String {
    let at = Timestamp::parse_rfc3339(rfc3339);
    at.map_or_else(|_other| rfc3339.to_owned(), |at| moment::in_words(zone, at))
}
