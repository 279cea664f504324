//! One function an IPP operation.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use bytes::Bytes;
use ipp::value::IppValue;

use crate::error::{Garbage, IppError, Operation};
use crate::exchange::exchange;
use crate::job::{self, CreatedJob, JobAttributes, NewJob, WhichJobs};
use crate::message::{Answer, Request};
use crate::printer::{self, PrinterAttributes};
use crate::timeouts::Timeouts;
use crate::transport::{TcpTransport, TlsTransport, Transport};
use crate::uri::{PrinterUri, Scheme, UriFault};

/// The name under which jobs are made and found again, where no other is set.
const REQUESTING_USER_NAME: &str = "loket";

/// Says how a printer is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// SHA-256 of the SubjectPublicKeyInfo (DER) of the printer's certificate: required for
    /// `ipps`, refused for `ipp`.
    pub pinned_spki_sha256: Option<[u8; 32]>,
    /// How long each part of an exchange may take.
    pub timeouts: Timeouts,
    /// The name under which jobs are made and found again; it must not change between the two.
    pub requesting_user_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pinned_spki_sha256: None,
            timeouts: Timeouts::default(),
            requesting_user_name: REQUESTING_USER_NAME.to_owned(),
        }
    }
}

/// Speaks to one printer. Cheap to clone; clones share nothing but the numbering of requests.
///
/// # Cancel safety
/// Dropping the future of any operation cuts its exchange short; what had left has left. After a
/// dropped `create_job`, `send_document`, `print_job` or `cancel_job` only the printer can tell the outcome.
#[derive(Debug, Clone)]
pub struct IppPrinter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    uri: PrinterUri,
    printer_uri: String,
    transport: Arc<dyn Transport>,
    timeouts: Timeouts,
    requesting_user_name: String,
    last_request_id: AtomicI32,
}

impl IppPrinter {
    /// A printer at `ipp://host[:port]/path` or `ipps://host[:port]/path`; nothing is dialled yet.
    ///
    /// # Errors
    /// [`IppError::BadUri`] where the address cannot be used, `ipps` comes without a pin, or
    /// `ipp` with one; [`IppError::Tls`] as [`TlsTransport::new`].
    pub fn new(uri: &str, options: Options) -> Result<Self, IppError> {
        let parsed = PrinterUri::parse(uri).map_err(|fault| IppError::BadUri { fault })?;
        let transport: Arc<dyn Transport> = match (parsed.scheme(), options.pinned_spki_sha256) {
            (Scheme::Ipp, None) => Arc::new(TcpTransport::new(&parsed)),
            (Scheme::Ipps, Some(pin)) => Arc::new(TlsTransport::new(&parsed, pin)?),
            (Scheme::Ipp, Some(_)) => {
                return Err(IppError::BadUri {
                    fault: UriFault::PinWithoutTls,
                });
            }
            (Scheme::Ipps, None) => {
                return Err(IppError::BadUri {
                    fault: UriFault::TlsWithoutPin,
                });
            }
        };
        Ok(Self::over(transport, parsed, options))
    }

    /// A printer at the other end of any byte stream; the address is what the requests say, the
    /// transport is trusted to lead there.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>, uri: PrinterUri, options: Options) -> Self {
        let inner = Inner {
            printer_uri: uri.to_string(),
            uri,
            transport,
            timeouts: options.timeouts,
            requesting_user_name: options.requesting_user_name,
            last_request_id: AtomicI32::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The printer's address.
    #[must_use]
    pub fn uri(&self) -> &PrinterUri {
        &self.inner.uri
    }

    /// Get-Printer-Attributes: state, reasons, identity and what the printer can do.
    ///
    /// # Errors
    /// Any [`IppError`]; the operation changes nothing, so it can be asked again.
    ///
    /// # Source
    /// RFC 8011 section 4.2.5.
    pub async fn printer_attributes(&self) -> Result<PrinterAttributes, IppError> {
        let mut request = self.request(Operation::GetPrinterAttributes, None)?;
        request.requested(printer::REQUESTED)?;
        let answer = self.ask(&request, Bytes::new()).await?;
        let missing = Garbage::Attribute("printer-state");
        let read = answer
            .printer()
            .ok_or(missing)
            .and_then(PrinterAttributes::read);
        read.map_err(|garbage| not_ipp(&answer, garbage))
    }

    /// Get-Printer-Attributes for `printer-uuid` alone: which device answers at this address.
    ///
    /// # Errors
    /// Any [`IppError`]; the operation changes nothing, so it can be asked again.
    ///
    /// # Source
    /// RFC 8011 section 4.2.5, PWG 5100.13 section 6.6.
    pub async fn printer_uuid(&self) -> Result<Option<String>, IppError> {
        let mut request = self.request(Operation::GetPrinterAttributes, None)?;
        request.requested(&["printer-uuid"])?;
        let answer = self.ask(&request, Bytes::new()).await?;
        let uuid = answer.printer().and_then(printer::uuid);
        Ok(uuid)
    }

    /// Create-Job: makes a job without a document, which prints nothing.
    ///
    /// # Errors
    /// Any [`IppError`]. After [`IppError::Lost`] or [`IppError::NotIpp`] the job may exist: find
    /// it by its name with [`jobs`](Self::jobs).
    ///
    /// # Source
    /// RFC 8011 section 4.2.4.
    pub async fn create_job(&self, job: &NewJob<'_>) -> Result<CreatedJob, IppError> {
        let mut request = self.request(Operation::CreateJob, None)?;
        job.write(&mut request)?;
        let answer = self.ask(&request, Bytes::new()).await?;
        Ok(one_job(&answer)?.into_created(answer.unsupported()))
    }

    /// Print-Job: makes a job together with its document; for printers that have no Create-Job.
    ///
    /// The document leaves as in [`send_document`](Self::send_document).
    ///
    /// # Errors
    /// Any [`IppError`]. After [`IppError::Lost`] or [`IppError::NotIpp`] the job may exist and print: look for it by its
    /// name with [`jobs`](Self::jobs). One that is not there may have come and gone, or come yet.
    ///
    /// # Source
    /// RFC 8011 section 4.2.1.
    pub async fn print_job(
        &self,
        job: &NewJob<'_>,
        format: &str,
        document: Bytes,
    ) -> Result<CreatedJob, IppError> {
        let mut request = self.request(Operation::PrintJob, None)?;
        request.operation(
            "document-format",
            IppValue::new_mime_media_type(format).ok(),
        )?;
        job.write(&mut request)?;
        let answer = self.ask(&request, document).await?;
        Ok(one_job(&answer)?.into_created(answer.unsupported()))
    }

    /// Validate-Job: asks whether Create-Job with these attributes and this format would pass.
    ///
    /// # Errors
    /// Any [`IppError`]; the operation changes nothing, so it can be asked again.
    ///
    /// # Source
    /// RFC 8011 section 4.2.3.
    pub async fn validate_job(&self, job: &NewJob<'_>, format: &str) -> Result<(), IppError> {
        let mut request = self.request(Operation::ValidateJob, None)?;
        request.operation(
            "document-format",
            IppValue::new_mime_media_type(format).ok(),
        )?;
        job.write(&mut request)?;
        self.ask(&request, Bytes::new()).await.map(drop)
    }

    /// Send-Document: gives the job its one and last document.
    ///
    /// `format` is a media type out of [`PrinterAttributes::formats`]. The document leaves under
    /// one Content-Length, in small pieces that share the buffer given. A success that the printer
    /// says before it has the whole document counts only once the rest has left too.
    ///
    /// # Errors
    /// Any [`IppError`]. After [`IppError::Lost`] or [`IppError::NotIpp`] the document may have
    /// arrived: ask with [`job_attributes`](Self::job_attributes). A refusal with
    /// [`is_second_document`](IppError::is_second_document) says that the job has one already.
    ///
    /// # Source
    /// RFC 8011 section 4.3.1.
    pub async fn send_document(
        &self,
        job_id: i32,
        format: &str,
        document: Bytes,
    ) -> Result<JobAttributes, IppError> {
        let mut request = self.request(Operation::SendDocument, Some(job_id))?;
        request
            .operation(
                "document-format",
                IppValue::new_mime_media_type(format).ok(),
            )?
            .operation("last-document", Some(IppValue::Boolean(true)))?;
        one_job(&self.ask(&request, document).await?)
    }

    /// Get-Job-Attributes: what the printer knows of a job.
    ///
    /// The number alone is no proof that it is the same job: printers reuse numbers after a
    /// restart. Compare the uuid and the name.
    ///
    /// # Errors
    /// Any [`IppError`]; [`is_not_found`](IppError::is_not_found) where there is no such job.
    ///
    /// # Source
    /// RFC 8011 section 4.3.4.
    pub async fn job_attributes(&self, job_id: i32) -> Result<JobAttributes, IppError> {
        let mut request = self.request(Operation::GetJobAttributes, Some(job_id))?;
        request.requested(job::REQUESTED)?;
        one_job(&self.ask(&request, Bytes::new()).await?)
    }

    /// Get-Jobs: the jobs made under our name, in the printer's order.
    ///
    /// `limit` is asked for; a printer that ignores it answers with more, and all are returned.
    ///
    /// # Errors
    /// Any [`IppError`]; the operation changes nothing, so it can be asked again.
    ///
    /// # Source
    /// RFC 8011 section 4.2.6.
    pub async fn jobs(&self, which: WhichJobs, limit: u16) -> Result<Vec<JobAttributes>, IppError> {
        let mut request = self.request(Operation::GetJobs, None)?;
        request
            .operation("limit", Some(IppValue::Integer(i32::from(limit))))?
            .operation("which-jobs", IppValue::new_keyword(which.keyword()).ok())?
            .operation("my-jobs", Some(IppValue::Boolean(true)))?
            .requested(job::REQUESTED)?;
        let answer = self.ask(&request, Bytes::new()).await?;
        // Some printers write one empty group where there is no job.
        let jobs = answer.jobs().filter(|group| !group.attributes().is_empty());
        let read: Result<Vec<_>, _> = jobs.map(JobAttributes::read).collect();
        read.map_err(|garbage| not_ipp(&answer, garbage))
    }

    /// Cancel-Job: asks the printer to end a job; what came out has come out.
    ///
    /// # Errors
    /// Any [`IppError`]; [`is_not_possible`](IppError::is_not_possible) where it has ended.
    ///
    /// # Source
    /// RFC 8011 section 4.3.3.
    pub async fn cancel_job(&self, job_id: i32) -> Result<(), IppError> {
        let request = self.request(Operation::CancelJob, Some(job_id))?;
        self.ask(&request, Bytes::new()).await.map(drop)
    }

    fn request(&self, operation: Operation, job_id: Option<i32>) -> Result<Request, IppError> {
        let inner = &self.inner;
        // Request ids run from 1 to 2^31-1 (RFC 8010 section 3.1.2); after the last comes 1.
        let following = |id: i32| Some(id.checked_add(1).unwrap_or(1));
        let last =
            inner
                .last_request_id
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, following);
        let id = last.ok().and_then(following).unwrap_or(1);
        Request::new(
            operation,
            id,
            &inner.printer_uri,
            job_id,
            &inner.requesting_user_name,
        )
    }

    async fn ask(&self, request: &Request, document: Bytes) -> Result<Answer, IppError> {
        let Inner {
            transport,
            uri,
            timeouts,
            ..
        } = &*self.inner;
        let operation = request.operation_name();
        let answer = exchange(transport.as_ref(), uri, *timeouts, request, document).await;
        match &answer {
            Ok(answer) => {
                tracing::debug!(%operation, id = request.id(), status = answer.status, "answered");
            }
            Err(error) => tracing::debug!(%operation, id = request.id(), %error, "no answer"),
        }
        answer?.successful()
    }
}

fn one_job(answer: &Answer) -> Result<JobAttributes, IppError> {
    let missing = Garbage::Attribute("job-id");
    let read = answer
        .jobs()
        .next()
        .ok_or(missing)
        .and_then(JobAttributes::read);
    read.map_err(|garbage| not_ipp(answer, garbage))
}

fn not_ipp(answer: &Answer, garbage: Garbage) -> IppError {
    IppError::NotIpp {
        operation: answer.operation,
        sent_bytes: answer.sent_bytes,
        garbage,
    }
}
