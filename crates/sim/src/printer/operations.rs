//! The operations of the simulated printer.

use std::sync::Arc;

use ipp::attribute::IppAttribute;
use ipp::model::{DelimiterTag, StatusCode};
use ipp::value::IppValue;
use tokio::time::Instant;

use super::attributes::{self, Wanted};
use super::format::Format;
use super::job::{CanceledBy, Document, Job, JobKey, NewJob};
use super::knobs::{Knobs, Replies};
use super::reply::Reply;
use super::request::Request;
use super::server::Shared;
use super::template;

const PRINT_JOB: u16 = 0x0002;
const VALIDATE_JOB: u16 = 0x0004;
const CREATE_JOB: u16 = 0x0005;
const SEND_DOCUMENT: u16 = 0x0006;
const CANCEL_JOB: u16 = 0x0008;
const GET_JOB_ATTRIBUTES: u16 = 0x0009;
const GET_JOBS: u16 = 0x000A;
const GET_PRINTER_ATTRIBUTES: u16 = 0x000B;
const CLOSE_JOB: u16 = 0x003B;

/// Those of jobs that are made before their document comes.
const OF_CREATED_JOBS: [u16; 3] = [CREATE_JOB, SEND_DOCUMENT, CLOSE_JOB];

/// The operations that printers support which have them all.
const CODES: [u16; 9] = [
    PRINT_JOB,
    VALIDATE_JOB,
    CREATE_JOB,
    SEND_DOCUMENT,
    CANCEL_JOB,
    GET_JOB_ATTRIBUTES,
    GET_JOBS,
    GET_PRINTER_ATTRIBUTES,
    CLOSE_JOB,
];

/// The operations it supports.
pub(crate) fn supported(knobs: &Knobs) -> impl Iterator<Item = u16> {
    let is_lacking = |code: &u16| knobs.print_job_only && OF_CREATED_JOBS.contains(code);
    CODES.into_iter().filter(move |code| !is_lacking(code))
}

/// What answers to Create-Job and the like hold of the job.
const JOB_STATUS: [&str; 6] = [
    "job-id",
    "job-uri",
    "job-uuid",
    "job-state",
    "job-state-reasons",
    "job-state-message",
];

/// What Get-Jobs tells of each job unless asked for more (RFC 8011 section 4.2.6.1).
const JOB_IDENTITY: [&str; 2] = ["job-id", "job-uri"];

/// An operation that has begun.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is done.
    Done(Reply),
    /// It waits for its document.
    Takes(Taking),
}

/// Begins an operation; the reply in `Err` is a refusal.
pub(crate) fn begin(shared: &Arc<Shared>, request: &Request) -> Result<Begun, Reply> {
    request.check()?;
    let now = Instant::now();
    if shared.read(|state| !supported(&state.knobs).any(|code| code == request.code)) {
        return Err(StatusCode::ServerErrorOperationNotSupported.into());
    }
    match request.code {
        PRINT_JOB => {
            request.check_printer()?;
            let (asked, unsupported) = asked_for(shared, request)?;
            let format = check_format(shared, request)?;
            let key = shared.change(|state| {
                let key = state.create(asked, now)?;
                state.begin_document(key.id, now)
            })?;
            let taking = Taking::new(shared, (key, format), true, unsupported);
            Ok(Begun::Takes(taking))
        }
        VALIDATE_JOB => {
            request.check_printer()?;
            let (_, unsupported) = asked_for(shared, request)?;
            if shared.read(|state| state.knobs.refuse) {
                return Err(StatusCode::ServerErrorNotAcceptingJobs.into());
            }
            Ok(Begun::Done(
                Reply::new(StatusCode::SuccessfulOk).ignoring(unsupported),
            ))
        }
        CREATE_JOB => {
            request.check_printer()?;
            let (asked, unsupported) = asked_for(shared, request)?;
            let key = shared.change(|state| state.create(asked, now))?;
            let reply = Reply::new(StatusCode::SuccessfulOk).ignoring(unsupported);
            Ok(Begun::Done(status_of(shared, key, reply)))
        }
        SEND_DOCUMENT => {
            let id = request.job_id()?;
            let last = request
                .boolean("last-document")
                .ok_or(StatusCode::ClientErrorBadRequest)?;
            let format = check_format(shared, request)?;
            let key = shared.change(|state| state.begin_document(id, now))?;
            let taking = Taking::new(shared, (key, format), last, Vec::new());
            Ok(Begun::Takes(taking))
        }
        CANCEL_JOB => {
            let id = request.job_id()?;
            shared.change(|state| state.cancel(id, CanceledBy::User, now))?;
            Ok(Begun::Done(Reply::new(StatusCode::SuccessfulOk)))
        }
        CLOSE_JOB => {
            let id = request.job_id()?;
            shared.change(|state| state.close(id, now))?;
            Ok(Begun::Done(Reply::new(StatusCode::SuccessfulOk)))
        }
        GET_JOB_ATTRIBUTES => job_attributes(shared, request, now),
        GET_JOBS => jobs(shared, request, now),
        GET_PRINTER_ATTRIBUTES => {
            request.check_printer()?;
            let wanted = Wanted::new(request.requested(), &["all"]);
            let picked = shared
                .read(|state| attributes::wanted_of_printer(state, &shared.identity, &wanted, now));
            let reply = Reply::new(StatusCode::SuccessfulOk);
            Ok(Begun::Done(
                reply.group(DelimiterTag::PrinterAttributes, picked),
            ))
        }
        _ => Err(StatusCode::ServerErrorOperationNotSupported.into()),
    }
}

impl Replies {
    /// True where the reply to this request is among them.
    pub(crate) fn has(self, request: &Request) -> bool {
        match self {
            Self::CreateJob => request.code == CREATE_JOB,
            Self::SendDocument => matches!(request.code, SEND_DOCUMENT | PRINT_JOB),
            Self::CancelJob => request.code == CANCEL_JOB,
            Self::GetJobs => matches!(request.code, GET_JOBS | GET_JOB_ATTRIBUTES),
            Self::GetPrinterAttributes => request.code == GET_PRINTER_ATTRIBUTES,
            Self::All => true,
        }
    }
}

impl From<StatusCode> for Reply {
    fn from(status: StatusCode) -> Self {
        Self::new(status)
    }
}

fn job_attributes(shared: &Shared, request: &Request, now: Instant) -> Result<Begun, Reply> {
    let id = request.job_id()?;
    let wanted = Wanted::new(request.requested(), &["all"]);
    let picked = shared.read(|state| {
        let job = state.jobs.get(&id)?;
        Some(attributes::job(job, state, &shared.identity, &wanted, now))
    });
    let picked = picked.ok_or(StatusCode::ClientErrorNotFound)?;
    let reply = Reply::new(StatusCode::SuccessfulOk);
    Ok(Begun::Done(
        reply.group(DelimiterTag::JobAttributes, picked),
    ))
}

fn jobs(shared: &Shared, request: &Request, now: Instant) -> Result<Begun, Reply> {
    request.check_printer()?;
    let which = request.text("which-jobs").unwrap_or("not-completed");
    if !matches!(which, "completed" | "not-completed" | "all") {
        let unsupported = super::reply::attribute("which-jobs", super::reply::keyword(which));
        let refusal = Reply::new(StatusCode::ClientErrorAttributesOrValuesNotSupported);
        return Err(refusal.ignoring(unsupported.into_iter().collect()));
    }
    let is_mine = |job: &&Job| {
        request.boolean("my-jobs") != Some(true)
            || request.text("requesting-user-name") == Some(job.asked.user.as_str())
    };
    let limit = request
        .operation("limit")
        .and_then(|limit| limit.as_integer());
    let limit = limit.map_or(Ok(usize::MAX), |limit| usize::try_from(*limit));
    let limit = limit.map_err(|_| StatusCode::ClientErrorBadRequest)?;
    let wanted = Wanted::new(request.requested(), &JOB_IDENTITY);
    let groups: Vec<_> = shared.read(|state| {
        let write = |job: &Job| attributes::job(job, state, &shared.identity, &wanted, now);
        let mine = state.jobs.values().filter(is_mine);
        match which {
            "not-completed" => mine
                .filter(|job| !job.phase.is_final())
                .take(limit)
                .map(write)
                .collect(),
            // The last that ended comes first.
            "completed" => mine
                .rev()
                .filter(|job| job.phase.is_final())
                .take(limit)
                .map(write)
                .collect(),
            _ => mine.take(limit).map(write).collect(),
        }
    });
    let reply = Reply::new(StatusCode::SuccessfulOk);
    let add = |reply: Reply, group| reply.group(DelimiterTag::JobAttributes, group);
    Ok(Begun::Done(groups.into_iter().fold(reply, add)))
}

/// What a job asks for, and the attributes that the printer cannot give it.
fn asked_for(shared: &Shared, request: &Request) -> Result<(NewJob, Vec<IppAttribute>), Reply> {
    check_format(shared, request)?;
    let ignores = shared.read(|state| state.knobs.ignores.clone());
    let is_supported = |asked: &IppAttribute| {
        template::is_supported(asked) && !ignores.iter().any(|name| name == asked.name().as_str())
    };
    let (template, unsupported): (Vec<_>, Vec<_>) =
        request.template().cloned().partition(is_supported);
    if !unsupported.is_empty() && request.boolean("ipp-attribute-fidelity") == Some(true) {
        let refusal = Reply::new(StatusCode::ClientErrorAttributesOrValuesNotSupported);
        return Err(refusal.ignoring(unsupported));
    }
    let copies = template
        .iter()
        .find(|attribute| attribute.name().as_str() == "copies");
    let copies = copies.and_then(|attribute| attribute.value().as_integer());
    let asked = NewJob {
        name: request.text("job-name").unwrap_or("Untitled").to_owned(),
        user: request
            .text("requesting-user-name")
            .unwrap_or("anonymous")
            .to_owned(),
        copies: copies
            .and_then(|copies| u32::try_from(*copies).ok())
            .unwrap_or(1),
        template,
    };
    Ok((asked, unsupported))
}

/// The format that the document will have, where the request says so: one that the printer takes.
fn check_format(shared: &Shared, request: &Request) -> Result<Option<Format>, StatusCode> {
    let takes = |format: &Format| shared.read(|state| state.knobs.formats.contains(format));
    let said = request.text("document-format");
    let format = said.and_then(Format::of).filter(takes);
    if said.is_some() && format.is_none() {
        return Err(StatusCode::ClientErrorDocumentFormatNotSupported);
    }
    match request
        .operation("compression")
        .and_then(IppValue::as_keyword)
    {
        Some(compression) if compression.as_str() != "none" => {
            Err(StatusCode::ClientErrorCompressionNotSupported)
        }
        Some(_) | None => Ok(format),
    }
}

fn status_of(shared: &Shared, key: JobKey, reply: Reply) -> Reply {
    let wanted = Wanted::new(None, &JOB_STATUS);
    let picked = shared.read(|state| {
        let job = state.jobs.get(&key.id).filter(|job| job.uuid == key.uuid)?;
        Some(attributes::job(
            job,
            state,
            &shared.identity,
            &wanted,
            Instant::now(),
        ))
    });
    match picked {
        Some(picked) => reply.group(DelimiterTag::JobAttributes, picked),
        None => Reply::new(StatusCode::ClientErrorNotFound),
    }
}

/// A job that waits for its document; dropped before the document is whole, it is given up.
#[derive(Debug)]
pub(crate) struct Taking {
    shared: Arc<Shared>,
    key: JobKey,
    format: Option<Format>,
    last: bool,
    unsupported: Vec<IppAttribute>,
    is_done: bool,
}

impl Taking {
    fn new(
        shared: &Arc<Shared>,
        (key, format): (JobKey, Option<Format>),
        last: bool,
        unsupported: Vec<IppAttribute>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            key,
            format,
            last,
            unsupported,
            is_done: false,
        }
    }

    /// Takes the whole document.
    pub(crate) async fn finish(mut self, bytes: bytes::Bytes) -> Reply {
        if bytes.is_empty() {
            return Reply::new(StatusCode::ClientErrorBadRequest);
        }
        let format = self.format.unwrap_or_else(|| Format::sniffed(&bytes));
        let is_taken = self
            .shared
            .read(|state| state.knobs.formats.contains(&format));
        let Some(sheets) = format.sheets(&bytes).filter(|_sheets| is_taken) else {
            return Reply::new(StatusCode::ClientErrorDocumentFormatError);
        };
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let Ok(sha256) = <[u8; 32]>::try_from(digest.as_ref()) else {
            return Reply::new(StatusCode::ServerErrorInternalError);
        };
        let kept = self.shared.keep.write(self.key, &sha256, bytes.clone());
        if let Err(error) = kept.await {
            tracing::warn!(%error, "document not written");
            return Reply::new(StatusCode::ServerErrorInternalError);
        }
        let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let document = Document {
            sha256,
            size_bytes,
            sheets,
        };
        let (key, last) = (self.key, self.last);
        let taken = self
            .shared
            .change(|state| state.finish_document(key, document, bytes, last, Instant::now()));
        self.is_done = true;
        match taken {
            Err(status) => Reply::new(status),
            Ok(()) => {
                let unsupported = std::mem::take(&mut self.unsupported);
                let reply = Reply::new(StatusCode::SuccessfulOk).ignoring(unsupported);
                status_of(&self.shared, key, reply)
            }
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared
                .change(|state| state.drop_document(self.key, Instant::now()));
        }
    }
}
