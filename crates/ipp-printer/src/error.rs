//! What can go wrong between a request and its answer, told apart by how much may have left.

use std::{fmt, io};

use crate::uri::UriFault;

/// Names an IPP operation this crate can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Print-Job, 0x0002.
    PrintJob,
    /// Validate-Job, 0x0004.
    ValidateJob,
    /// Create-Job, 0x0005.
    CreateJob,
    /// Send-Document, 0x0006.
    SendDocument,
    /// Cancel-Job, 0x0008.
    CancelJob,
    /// Get-Job-Attributes, 0x0009.
    GetJobAttributes,
    /// Get-Jobs, 0x000A.
    GetJobs,
    /// Get-Printer-Attributes, 0x000B.
    GetPrinterAttributes,
}

impl Operation {
    /// The operation's code.
    ///
    /// # Source
    /// RFC 8011 section 5.4.15.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::PrintJob => 0x0002,
            Self::ValidateJob => 0x0004,
            Self::CreateJob => 0x0005,
            Self::SendDocument => 0x0006,
            Self::CancelJob => 0x0008,
            Self::GetJobAttributes => 0x0009,
            Self::GetJobs => 0x000A,
            Self::GetPrinterAttributes => 0x000B,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrintJob => "Print-Job",
            Self::ValidateJob => "Validate-Job",
            Self::CreateJob => "Create-Job",
            Self::SendDocument => "Send-Document",
            Self::CancelJob => "Cancel-Job",
            Self::GetJobAttributes => "Get-Job-Attributes",
            Self::GetJobs => "Get-Jobs",
            Self::GetPrinterAttributes => "Get-Printer-Attributes",
        })
    }
}

/// Says why an answer is not an IPP answer to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// HTTP answered with another status than 200.
    #[error("HTTP status {0}")]
    HttpStatus(u16),
    /// The answer is larger than the bound.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// The bytes break the encoding of RFC 8010, or end early.
    #[error("its encoding is broken at byte {0}")]
    Encoding(usize),
    /// It holds more groups, attributes, values or nested collections than the bounds allow.
    #[error("it holds more attributes, values or nesting than allowed")]
    TooMany,
    /// Its version is neither IPP/1.x nor IPP/2.x.
    #[error("its IPP version is 0x{0:04x}")]
    Version(u16),
    /// It answers another request.
    #[error("it answers another request")]
    RequestId,
    /// An attribute that RFC 8011 requires is missing or has another type.
    #[error("attribute {0} is missing or has another type")]
    Attribute(&'static str),
}

/// Says why an operation has no good answer, and whether the printer may have acted on it.
///
/// ```text
/// BadUri, Pin, Tls, UnknownHost, NotReached
///                nothing of the request left: asking again is harmless
/// BadRequest     nothing left: the request itself cannot be written
/// Refused        the printer read the request and said no
/// NotIpp, Lost   the request may have been acted on: ask the printer what it knows
/// ```
#[derive(Debug, thiserror::Error)]
pub enum IppError {
    /// The printer's address cannot be used.
    #[error("use the printer's address: {fault}")]
    BadUri {
        /// What is wrong with it.
        fault: UriFault,
    },
    /// An argument does not fit in its IPP attribute.
    #[error("write {operation}: {attribute} does not fit")]
    BadRequest {
        /// The operation asked for.
        operation: Operation,
        /// The attribute that is too long.
        attribute: &'static str,
    },
    /// The printer showed another key than the pinned one; nothing of the request left.
    #[error("trust the printer: its key has SHA-256 {presented}, which is not the pinned one")]
    Pin {
        /// Lowercase hex of the SHA-256 of the key that was shown.
        presented: String,
    },
    /// No TLS session came about; nothing of the request left.
    #[error("set up TLS with the printer")]
    Tls {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The printer's host name has no address; nothing of the request left.
    #[error("find the printer's host by its name")]
    UnknownHost {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No byte stream to the printer came about; nothing of the request left.
    #[error("reach the printer")]
    NotReached {
        /// The cause: refused, no route, connect timeout.
        #[source]
        source: io::Error,
    },
    /// The stream broke or fell silent after the request had begun to leave: outcome unknown.
    #[error("hear the answer to {operation}: {sent_bytes} bytes of the document may have left")]
    Lost {
        /// The operation asked for.
        operation: Operation,
        /// The most document bytes that can have left; 0 where the operation carries none.
        sent_bytes: u64,
        /// The cause; a timeout has kind `TimedOut`.
        #[source]
        source: io::Error,
    },
    /// The printer answered with an IPP error status.
    #[error("have {operation} done: printer answered {}", StatusText(*.status))]
    Refused {
        /// The operation asked for.
        operation: Operation,
        /// The status code, for instance 0x0509.
        status: u16,
    },
    /// The answer is no IPP answer to this request: outcome unknown.
    #[error("read the answer to {operation}: {garbage}")]
    NotIpp {
        /// The operation asked for.
        operation: Operation,
        /// The most document bytes that can have left; 0 where the operation carries none.
        sent_bytes: u64,
        /// What is wrong with it.
        garbage: Garbage,
    },
}

impl IppError {
    /// The IPP status where the printer refused.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::BadUri { .. }
            | Self::BadRequest { .. }
            | Self::Pin { .. }
            | Self::Tls { .. }
            | Self::UnknownHost { .. }
            | Self::NotReached { .. }
            | Self::Lost { .. }
            | Self::NotIpp { .. } => None,
        }
    }

    /// True where the printer knows no such job (client-error-not-found or -gone).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(NOT_FOUND | GONE))
    }

    /// True where the printer is busy with another job (server-error-busy).
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.status() == Some(BUSY)
    }

    /// True where the job has its document already
    /// (server-error-multiple-document-jobs-not-supported).
    #[must_use]
    pub fn is_second_document(&self) -> bool {
        self.status() == Some(MULTIPLE_DOCUMENT_JOBS_NOT_SUPPORTED)
    }

    /// True where the job's state forbids the operation (client-error-not-possible).
    #[must_use]
    pub fn is_not_possible(&self) -> bool {
        self.status() == Some(NOT_POSSIBLE)
    }

    /// True where the printer takes no jobs (server-error-not-accepting-jobs).
    #[must_use]
    pub fn is_not_accepting_jobs(&self) -> bool {
        self.status() == Some(NOT_ACCEPTING_JOBS)
    }

    /// True where the printer says no for the present: the same request may pass later
    /// (server-error-service-unavailable, -temporary-error, -not-accepting-jobs, -busy).
    ///
    /// After Send-Document and Print-Job the first two leave open whether the document was taken: ask
    /// [`outcome_unknown`](Self::outcome_unknown) before anything is sent again.
    ///
    /// # Source
    /// RFC 8011 sections B.1.5.3, B.1.5.6, B.1.5.7 and B.1.5.8.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.status().is_some_and(is_temporary)
    }

    /// True where nothing of the request left this machine.
    #[must_use]
    pub fn nothing_left(&self) -> bool {
        match self {
            Self::BadUri { .. }
            | Self::BadRequest { .. }
            | Self::Pin { .. }
            | Self::Tls { .. }
            | Self::UnknownHost { .. }
            | Self::NotReached { .. } => true,
            Self::Lost { .. } | Self::Refused { .. } | Self::NotIpp { .. } => false,
        }
    }

    /// True where the printer may have acted on the request, and only asking it can tell.
    ///
    /// A refusal is such a case where it tells of the printer's own trouble (internal, device or
    /// temporary error, service unavailable, job canceled) or has a status that RFC 8011 does not
    /// know: the trouble may have come after the document. Where no document was on its way, a
    /// temporary one means that nothing was done.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::NotIpp { .. } => true,
            Self::Refused {
                operation: Operation::SendDocument | Operation::PrintJob,
                status,
            } => is_own_trouble(*status),
            Self::Refused { status, .. } => is_own_trouble(*status) && !is_temporary(*status),
            Self::BadUri { .. }
            | Self::BadRequest { .. }
            | Self::Pin { .. }
            | Self::Tls { .. }
            | Self::UnknownHost { .. }
            | Self::NotReached { .. } => false,
        }
    }

    /// The most document bytes that the printer can have kept: 0 where nothing left and where it
    /// said that it did not take the document; `u64::MAX` where a refusal leaves that open (see
    /// [`outcome_unknown`](Self::outcome_unknown)).
    #[must_use]
    pub fn document_bytes_at_most(&self) -> u64 {
        match self {
            Self::Lost { sent_bytes, .. } | Self::NotIpp { sent_bytes, .. } => *sent_bytes,
            Self::Refused {
                operation: Operation::SendDocument | Operation::PrintJob,
                status,
            } if is_own_trouble(*status) => u64::MAX,
            Self::BadUri { .. }
            | Self::BadRequest { .. }
            | Self::Pin { .. }
            | Self::Tls { .. }
            | Self::UnknownHost { .. }
            | Self::NotReached { .. }
            | Self::Refused { .. } => 0,
        }
    }
}

const NOT_POSSIBLE: u16 = 0x0404;
const NOT_FOUND: u16 = 0x0406;
const GONE: u16 = 0x0407;
const SERVICE_UNAVAILABLE: u16 = 0x0502;
const TEMPORARY_ERROR: u16 = 0x0505;
const NOT_ACCEPTING_JOBS: u16 = 0x0506;
const BUSY: u16 = 0x0507;
const MULTIPLE_DOCUMENT_JOBS_NOT_SUPPORTED: u16 = 0x0509;

/// True for the error statuses with which a printer tells of itself and not of the request.
fn is_own_trouble(status: u16) -> bool {
    const INTERNAL_ERROR: u16 = 0x0500;
    const DEVICE_ERROR: u16 = 0x0504;
    const JOB_CANCELED: u16 = 0x0508;
    let known = [
        INTERNAL_ERROR,
        SERVICE_UNAVAILABLE,
        DEVICE_ERROR,
        TEMPORARY_ERROR,
        JOB_CANCELED,
    ];
    known.contains(&status) || status_keyword(status).is_none()
}

/// True for the error statuses that ask to try again later.
fn is_temporary(status: u16) -> bool {
    let known = [
        SERVICE_UNAVAILABLE,
        TEMPORARY_ERROR,
        NOT_ACCEPTING_JOBS,
        BUSY,
    ];
    known.contains(&status)
}

/// The keyword of an IPP status code, where RFC 8011 has one.
///
/// # Source
/// RFC 8011 appendix B.
#[must_use]
pub fn status_keyword(status: u16) -> Option<&'static str> {
    Some(match status {
        0x0000 => "successful-ok",
        0x0001 => "successful-ok-ignored-or-substituted-attributes",
        0x0002 => "successful-ok-conflicting-attributes",
        0x0400 => "client-error-bad-request",
        0x0401 => "client-error-forbidden",
        0x0402 => "client-error-not-authenticated",
        0x0403 => "client-error-not-authorized",
        0x0404 => "client-error-not-possible",
        0x0405 => "client-error-timeout",
        0x0406 => "client-error-not-found",
        0x0407 => "client-error-gone",
        0x0408 => "client-error-request-entity-too-large",
        0x0409 => "client-error-request-value-too-long",
        0x040A => "client-error-document-format-not-supported",
        0x040B => "client-error-attributes-or-values-not-supported",
        0x040C => "client-error-uri-scheme-not-supported",
        0x040D => "client-error-charset-not-supported",
        0x040E => "client-error-conflicting-attributes",
        0x040F => "client-error-compression-not-supported",
        0x0410 => "client-error-compression-error",
        0x0411 => "client-error-document-format-error",
        0x0412 => "client-error-document-access-error",
        0x0500 => "server-error-internal-error",
        0x0501 => "server-error-operation-not-supported",
        0x0502 => "server-error-service-unavailable",
        0x0503 => "server-error-version-not-supported",
        0x0504 => "server-error-device-error",
        0x0505 => "server-error-temporary-error",
        0x0506 => "server-error-not-accepting-jobs",
        0x0507 => "server-error-busy",
        0x0508 => "server-error-job-canceled",
        0x0509 => "server-error-multiple-document-jobs-not-supported",
        _ => return None,
    })
}

/// Writes a status as its code, and its keyword where it has one.
struct StatusText(u16);

impl fmt::Display for StatusText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match status_keyword(self.0) {
            Some(keyword) => write!(f, "{keyword} (0x{:04x})", self.0),
            None => write!(f, "status 0x{:04x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_code_and_keyword() {
        let refused = IppError::Refused {
            operation: Operation::SendDocument,
            status: 0x0509,
        };
        assert_eq!(
            refused.to_string(),
            "have Send-Document done: printer answered \
             server-error-multiple-document-jobs-not-supported (0x0509)"
        );
        assert!(refused.is_second_document() && !refused.is_not_found() && !refused.is_busy());
    }

    #[test]
    fn a_refusal_is_final_unless_it_tells_of_the_printers_own_trouble() {
        let refused = |status| IppError::Refused {
            operation: Operation::SendDocument,
            status,
        };
        for status in [0x0400, 0x0404, 0x0406, 0x040A, 0x0506, 0x0507, 0x0509] {
            let refused = refused(status);
            assert!(!refused.outcome_unknown() && refused.document_bytes_at_most() == 0);
        }
        for status in [0x0500, 0x0502, 0x0504, 0x0505, 0x0508, 0x0599, 0x0700] {
            let refused = refused(status);
            assert!(refused.outcome_unknown() && refused.document_bytes_at_most() == u64::MAX);
        }
    }

    #[test]
    fn a_printer_that_says_not_yet_has_made_no_job_but_may_have_taken_a_document() {
        for (status, may_have_document) in [
            (0x0502, true),
            (0x0505, true),
            (0x0506, false),
            (0x0507, false),
        ] {
            let refused = |operation| IppError::Refused { operation, status };
            let created = refused(Operation::CreateJob);
            assert!(
                created.is_temporary() && !created.outcome_unknown(),
                "{created}"
            );
            let sent = refused(Operation::SendDocument);
            assert_eq!(sent.outcome_unknown(), may_have_document, "{sent}");
        }
        let for_good = IppError::Refused {
            operation: Operation::CreateJob,
            status: 0x0500,
        };
        assert!(!for_good.is_temporary() && for_good.outcome_unknown());
    }

    #[test]
    fn only_an_error_before_the_first_byte_says_that_nothing_left() {
        let io = || io::Error::from(io::ErrorKind::TimedOut);
        assert!(IppError::NotReached { source: io() }.nothing_left());
        let lost = IppError::Lost {
            operation: Operation::CreateJob,
            sent_bytes: 0,
            source: io(),
        };
        assert!(!lost.nothing_left() && lost.outcome_unknown());
    }
}
