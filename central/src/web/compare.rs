//! A doubted sheet at central's own door: its scan comes in, the record of what was printed is opened for as long as
//! the question lasts, and who looked is written down before.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Multipart, Query, Request, State};
use axum::http::StatusCode;
use loket_inspection::{Fault, Held, MAX_RECORDS, MAX_SCAN_BYTES, Read};
use loket_store::{Actor, LookReason, Looker, RecordRow, Sought};
use loket_wire::{JobId, MatchRecord};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::sign_in::{Account, Right};
use crate::clock::now;
use crate::metrics::count;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};
use crate::sheet::SheetFault;

/// A form: the scan, some short fields, and the lines between them.
pub(super) const MAX_FORM_BYTES: usize = MAX_SCAN_BYTES + 16 * 1024;

/// The longest field beside the scan.
const MAX_FIELD_BYTES: usize = 1024;

/// Pages of a PDF of scans that may be meant.
const MAX_PAGE: u32 = 99;

/// Honest scans of a page have some megabytes.
const FIRST_SCAN_BYTES: usize = 4 * 1024 * 1024;

/// What somebody asks about a sheet.
pub(super) struct Asked {
    scan: Zeroizing<Vec<u8>>,
    /// Page of a PDF, from 1.
    page: u32,
    /// The job that printed it; by its QR code where none is named.
    job: Option<JobId>,
    reason: LookReason,
}

impl Asked {
    pub(super) const fn job(&self) -> Option<JobId> {
        self.job
    }
}

/// What came of it.
pub(super) struct Found {
    pub(super) row: RecordRow,
    pub(super) held: Box<Held>,
}

impl Found {
    /// Why it cannot be told: code and sentence.
    pub(super) fn reason(&self) -> Option<(&'static str, &'static str)> {
        self.held.code.as_deref().and_then(loket_paper::told)
    }
}

/// Whether the pictures come with the answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    #[serde(default)]
    pictures: bool,
}

/// `POST /api/v1/records/compare?pictures=`
pub(super) async fn post(
    State(office): State<Arc<Office>>,
    account: Account,
    wish: Result<Query<Wish>, QueryRejection>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    account.may(Right::Compare)?;
    let Query(wish) = wish.map_err(|_ignored| Code::QueryMalformed)?;
    let asked = read(&office, request).await?;
    let found = look(&office, &account.actor(), asked).await?;
    let Found { row, held } = &found;
    let reason = found.reason();
    let pictures = held.pictures.as_ref().filter(|_| wish.pictures);
    Ok(Json(json!({
        "verdict": held.verdict,
        "code": reason.map(|(code, _sentence)| code),
        "message": reason.map(|(_code, sentence)| sentence),
        "job_id": row.job,
        "machine": row.machine,
        "printed_at": row.received_at.to_string(),
        "page": held.page,
        "regions": held.regions,
        "pictures": pictures,
    })))
}

/// Reads the form; waits for a place first, so that many scans at once do not fill the memory.
pub(super) async fn read(office: &Arc<Office>, request: Request) -> Result<Asked, Problem> {
    let place = timeout(office.upload_wait, office.upload_places.acquire()).await;
    let Ok(Ok(_place)) = place else {
        tracing::warn!("a scan found no place");
        return Err(Code::Busy.into());
    };
    let form = Multipart::from_request(request, office);
    fields(
        form.await
            .map_err(|_not_multipart| Code::RequestMalformed)?,
    )
    .await
}

async fn fields(mut form: Multipart) -> Result<Asked, Problem> {
    let (mut scan, mut job, mut reason, mut page) = (None, None, None, None);
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        let slot = match field.name() {
            Some("scan") if scan.is_none() => {
                scan = Some(scan_of(field).await?);
                continue;
            }
            Some("job_id") => &mut job,
            Some("reason") => &mut reason,
            Some("page") => &mut page,
            Some(_) | None => return Err(Code::RequestMalformed.into()),
        };
        if slot.replace(text_of(field).await?).is_some() {
            return Err(Code::RequestMalformed.into());
        }
    }
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    // A browser sends a file that was not chosen as one without bytes.
    let scan = scan.filter(|scan| !scan.is_empty());
    let job = filled(&job).map(|job| job.parse().map_err(|_other| Code::RecordNone));
    let page = filled(&page).map_or(Ok(1), |page| page.parse());
    let page = page.ok().filter(|page| (1..=MAX_PAGE).contains(page));
    Ok(Asked {
        scan: scan.ok_or(Code::ScanMissing)?,
        page: page.ok_or(Code::PageNumber)?,
        job: job.transpose()?,
        reason: LookReason::new(&reason.unwrap_or_default()).map_err(|_bad| Code::LookReason)?,
    })
}

/// Reads the scan into memory that is wiped, and grows by copying into fresh memory that is wiped as well.
async fn scan_of(mut field: Field<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(FIRST_SCAN_BYTES));
    while let Some(chunk) = chunk(&mut field).await? {
        let needed = bytes.len().saturating_add(chunk.len());
        if needed > MAX_SCAN_BYTES {
            return Err(Code::ScanTooLarge.into());
        }
        if needed > bytes.capacity() {
            let room = needed.saturating_mul(2).min(MAX_SCAN_BYTES);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn text_of(mut field: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunk(&mut field).await? {
        if bytes.len().saturating_add(chunk.len()) > MAX_FIELD_BYTES {
            return Err(Code::BodyTooLarge.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_not_text| Code::RequestMalformed)?;
    Ok(text.trim().to_owned())
}

async fn chunk(field: &mut Field<'_>) -> Result<Option<Bytes>, Problem> {
    field.chunk().await.map_err(|error| broken(&error))
}

fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Code::ScanTooLarge.into()
    } else {
        Code::RequestMalformed.into()
    }
}

/// Finds the record that the sheet is held against, writes down who looks, and compares.
pub(super) async fn look(office: &Arc<Office>, by: &Actor, asked: Asked) -> Result<Found, Problem> {
    let desk = &office.sheets;
    let _place = desk.place().await.map_err(|fault| failed(office, fault))?;
    let sought = match asked.job {
        Some(job) => Sought::Job(job),
        None => Sought::Codes(codes(office, &asked).await?),
    };
    let (by, reason) = (by.clone(), asked.reason.clone());
    let shown = office.blocking(move |office| shown(office, &sought, (&by, &reason)));
    let (rows, records) = shown.await??;
    let read = desk.compare(&asked.scan, asked.page, &records).await;
    drop(records);
    let held = told(office, read.map_err(|fault| failed(office, fault))?)?;
    let row = rows.get(held.record).cloned();
    let row = row.ok_or_else(|| failed(office, Fault::Answer.into()))?;
    office.tally.paper.count(held.verdict);
    tracing::info!(job.id = %row.job, "a sheet of paper was held against its record");
    let held = Box::new(held);
    Ok(Found { row, held })
}

/// What the QR codes on the sheet may be found by.
async fn codes(office: &Office, asked: &Asked) -> Result<Vec<loket_store::CodeKey>, Problem> {
    let read = office.sheets.codes(&asked.scan, asked.page).await;
    let sha256 = told(office, read.map_err(|fault| failed(office, fault))?)?;
    if sha256.is_empty() {
        count(&office.tally.paper.no_code);
        return Err(Code::SheetUnnamed.into());
    }
    let keys = sha256
        .iter()
        .flat_map(|code| office.records.code_keys(*code));
    Ok(keys.collect())
}

/// The records that may be of the sheet, open, with their rows: one of each document, for a reprint looks like the first
/// print. The look is on disk before the first one is opened. Blocks.
fn shown(
    office: &Office,
    sought: &Sought,
    (by, reason): (&Actor, &LookReason),
) -> Result<(Vec<RecordRow>, Vec<MatchRecord>), Problem> {
    let looker = Looker {
        by,
        machine: None,
        reason: Some(reason),
    };
    let found = office.store.show_records(sought, looker, now());
    let found = found.map_err(|error| storage_problem(&error))?;
    if found.is_empty() {
        count(&office.tally.paper.no_record);
        return Err(Code::RecordNone.into());
    }
    let (mut rows, mut records) = (Vec::new(), Vec::<MatchRecord>::new());
    for row in found {
        let opened = office.records.opened(&row);
        let record = match opened {
            Ok(Some(record)) => record,
            Ok(None) => {
                tracing::error!(job.id = %row.job, "the file of a record is gone or another");
                continue;
            }
            Err(error) => {
                tracing::error!(job.id = %row.job, error = %crate::chain(&error), "record not opened");
                continue;
            }
        };
        let is_known = |it: &MatchRecord| it.revision_sha256 == record.revision_sha256;
        if !records.iter().any(is_known) && records.len() < MAX_RECORDS {
            records.push(record);
            rows.push(row);
        }
    }
    if records.is_empty() {
        count(&office.tally.paper.not_opened);
        return Err(Code::RecordNotOpened.into());
    }
    Ok((rows, records))
}

/// What is answered where the inspector found nothing to compare.
fn told<T>(office: &Office, read: Read<T>) -> Result<T, Problem> {
    let counted = &office.tally.paper;
    match read {
        Read::Told(told) => Ok(told),
        Read::Unread(code) => {
            count(&counted.unreadable);
            // Looked up and not believed.
            let broken = loket_paper::raster::RasterError::PictureBroken;
            let told = loket_paper::told(&code);
            let (code, message) = told.unwrap_or((broken.code(), broken.sentence()));
            let detail = json!({ "scan_code": code, "message": message });
            Err(Problem::with(Code::ScanUnreadable, detail))
        }
        Read::RecordBroken(code) => {
            count(&counted.not_opened);
            tracing::error!(code, "a record that opened cannot be compared with");
            Err(Code::RecordNotOpened.into())
        }
        // The page is always named.
        Read::ManySheets(_count) => Err(failed(office, Fault::Answer.into())),
    }
}

fn failed(office: &Office, fault: SheetFault) -> Problem {
    if let SheetFault::Busy = fault {
        tracing::warn!("a scan found no place");
        return Code::Busy.into();
    }
    count(&office.tally.paper.not_compared);
    match fault {
        SheetFault::Inspector(Fault::NotStarted(error)) => {
            tracing::error!(%error, "the inspector is not started");
            Code::InspectorMissing.into()
        }
        SheetFault::Inspector(fault) => {
            tracing::warn!(error = %crate::chain(&fault), "a scan was not compared");
            Code::ScanNotCompared.into()
        }
        SheetFault::Busy => Code::Busy.into(),
    }
}
