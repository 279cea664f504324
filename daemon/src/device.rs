//! Printers as the print unit needs them, and the adapter to IPP.
//!
//! The trait is this program's own and as narrow as the walk; hands know nothing of it.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use loket_domain::print::{
    PrinterMark, PrinterSurvey, RemoteJob, RemoteState, RemoteView, Sighting,
};
use loket_ipp_printer::{
    IppError, IppPrinter, JobAttributes, JobState, NewJob, Options, PrinterAttributes,
    PrinterState, WhichJobs,
};
use thiserror::Error;

use crate::config::PrinterConfig;

/// The one format of this version; printers without it are told apart by [`PrinterSurvey::FormatUnsupported`].
const PDF: &str = "application/pdf";

/// Jobs looked through for one by its name: one controlled job is in flight a printer, the rest is other people's.
const LOCATE_LIMIT: u16 = 100;

/// A future of a device trait.
pub type DeviceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, DeviceFault>> + Send + 'a>>;

/// What a printer did not do, by what the caller can do about it.
#[derive(Debug, Error)]
pub enum DeviceFault {
    /// Nothing left this machine, or the printer is busy: wait and ask again.
    #[error("reach the printer")]
    Wait(#[source] IppError),
    /// The request may have been acted on: look what the printer knows.
    #[error("hear from the printer")]
    Unclear(#[source] IppError),
    /// The printer said no for good.
    #[error("have the printer do it")]
    Refused(#[source] IppError),
}

/// What a printer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterStatus {
    /// `idle`, `processing` or `stopped`.
    pub state: &'static str,
    /// printer-state-reasons without their severity suffixes, unknown keywords passed through.
    pub reasons: Vec<String>,
    /// Make and model.
    pub model: Option<String>,
}

/// A printer of controlled documents.
pub trait Printer: Send + Sync {
    /// What it is and can, before an attempt.
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey>;
    /// Its state, for health.
    fn status(&self) -> DeviceFuture<'_, PrinterStatus>;
    /// Makes an empty job of this name.
    fn create<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, RemoteJob>;
    /// Looks for a job of this exact name.
    fn locate<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Sighting>;
    /// Sends the document to the job, once.
    fn send<'a>(
        &'a self,
        job: &'a RemoteJob,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, ()>;
    /// Looks at the job.
    fn look<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, Sighting>;
    /// Calls the job off; its fate is seen by looking.
    fn cancel<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, ()>;
}

/// A printer over IPP.
#[derive(Debug)]
pub struct IppDevice {
    printer: IppPrinter,
    trusts_impressions: bool,
}

impl IppDevice {
    /// Takes a printer of the settings; nothing is dialled yet.
    ///
    /// # Errors
    /// The address or pin cannot be used.
    pub fn new(config: &PrinterConfig) -> Result<Self, IppError> {
        let options = Options {
            pinned_spki_sha256: config.pinned_spki_sha256.map(|digest| *digest.as_bytes()),
            ..Options::default()
        };
        let printer = IppPrinter::new(&config.uri, options)?;
        Ok(Self {
            printer,
            trusts_impressions: config.trusts_impressions,
        })
    }
}

impl Printer for IppDevice {
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey> {
        Box::pin(async {
            let seen = self.printer.printer_attributes().await.map_err(sort)?;
            if !seen.is_accepting_jobs {
                let refused = IppError::Refused {
                    operation: SURVEY,
                    status: NOT_ACCEPTING_JOBS,
                };
                return Err(DeviceFault::Wait(refused));
            }
            Ok(survey_of(&seen, self.trusts_impressions))
        })
    }

    fn status(&self) -> DeviceFuture<'_, PrinterStatus> {
        Box::pin(async {
            let seen = self.printer.printer_attributes().await.map_err(sort)?;
            let state = match seen.state {
                PrinterState::Idle => "idle",
                PrinterState::Processing => "processing",
                PrinterState::Stopped => "stopped",
                PrinterState::Other(_) => "other",
            };
            // The suffix follows the printer's state: the keyword alone is the fault (field notes of printing).
            let reasons = seen
                .state_reasons
                .into_iter()
                .map(|reason| reason.keyword)
                .collect();
            Ok(PrinterStatus {
                state,
                reasons,
                model: seen.make_and_model,
            })
        })
    }

    fn create<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, RemoteJob> {
        Box::pin(async move {
            let made = self
                .printer
                .create_job(&NewJob::new(name))
                .await
                .map_err(sort)?;
            Ok(RemoteJob {
                id: made.id,
                uuid: made.uuid,
            })
        })
    }

    fn locate<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Sighting> {
        Box::pin(async move {
            for which in [WhichJobs::NotCompleted, WhichJobs::Completed] {
                let jobs = self.printer.jobs(which, LOCATE_LIMIT).await.map_err(sort)?;
                let found = jobs
                    .into_iter()
                    .find(|job| job.name.as_deref() == Some(name));
                if let Some(job) = found {
                    return Ok(Sighting::Seen(view_of(job)));
                }
            }
            Ok(Sighting::Absent)
        })
    }

    fn send<'a>(
        &'a self,
        job: &'a RemoteJob,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, ()> {
        Box::pin(async move {
            self.printer
                .send_document(job.id, format, document)
                .await
                .map(drop)
                .map_err(sort)
        })
    }

    fn look<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, Sighting> {
        Box::pin(async move {
            match self.printer.job_attributes(job.id).await {
                Ok(seen) => Ok(Sighting::Seen(view_of(seen))),
                Err(error) if error.is_not_found() => Ok(Sighting::Absent),
                Err(error) => Err(sort(error)),
            }
        })
    }

    fn cancel<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, ()> {
        Box::pin(async move { self.printer.cancel_job(job.id).await.map_err(sort) })
    }
}

const SURVEY: loket_ipp_printer::Operation = loket_ipp_printer::Operation::GetPrinterAttributes;
const NOT_ACCEPTING_JOBS: u16 = 0x0506;

fn sort(error: IppError) -> DeviceFault {
    if error.nothing_left() || error.is_busy() || error.is_not_accepting_jobs() {
        DeviceFault::Wait(error)
    } else if error.outcome_unknown() {
        DeviceFault::Unclear(error)
    } else {
        DeviceFault::Refused(error)
    }
}

fn survey_of(seen: &PrinterAttributes, trusts_impressions: bool) -> PrinterSurvey {
    if !seen.formats.iter().any(|format| format == PDF) {
        return PrinterSurvey::FormatUnsupported;
    }
    PrinterSurvey::Ready(PrinterMark {
        uuid: seen.uuid.clone(),
        up_time_s: seen.up_time_s,
        format: PDF.to_owned(),
        is_single_document: seen.multiple_document_jobs_supported == Some(false),
        trusts_impressions,
    })
}

fn view_of(job: JobAttributes) -> RemoteView {
    let awaits = |reason: &String| reason == "job-data-insufficient" || reason == "job-incoming";
    let state = match job.state {
        JobState::Pending => RemoteState::Pending,
        JobState::PendingHeld if job.state_reasons.iter().any(awaits) => {
            RemoteState::AwaitingDocument
        }
        // A state that RFC 8011 does not have says nothing: the job is waited for.
        JobState::PendingHeld | JobState::Other(_) => RemoteState::Held,
        JobState::Processing => RemoteState::Processing,
        JobState::ProcessingStopped => RemoteState::Stopped,
        JobState::Canceled => RemoteState::Canceled,
        JobState::Aborted => RemoteState::Aborted,
        JobState::Completed => RemoteState::Completed,
    };
    RemoteView {
        id: job.id,
        uuid: job.uuid,
        name: job.name,
        state,
        impressions: job.impressions_completed,
        up_time_s: job.printer_up_time_s,
    }
}
