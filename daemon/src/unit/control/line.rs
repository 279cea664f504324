//! What is asked at the officer's door and what is answered, a line of JSON each.
//!
//! Shape: `{"do":"jobs"}`, `{"do":"release","job":ID,"by":NAME}`, `…"cancel"…`, `{"do":"answer","job":ID,"by":NAME,
//! "answer":"came-out|did-not|damaged"}`, `{"do":"job","job":ID}`, and `{"do":"print","printer":URI,"size_bytes":N,
//! "by":NAME}` or `{"do":"paper","size_bytes":N,"job":ID,"by":NAME}` with the N bytes of a document or a scan behind the
//! line, `{"do":"records","forget_by":NAME}`, `{"do":"report","day":"YYYY-MM-DD"}`, `{"do":"ticket-state"}`, `{"do":"ticket-test"}`;
//! answered by `{"ok":…}` or `{"error":{"code","message"}}`.

use loket_domain::dispatch::LocalDay;
use loket_domain::print::Answer;
use loket_kiosk_ui::ports::{PaperReport, TestTicket};
use loket_wire::JobId;
use serde::{Deserialize, Serialize};

use crate::ticket::TicketSeen;
use crate::unit::print::{DayReport, JobView};

/// What is asked on the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// List what is not ended.
    Jobs,
    /// Look at one job, an ended one too.
    Job {
        /// The job.
        job: JobId,
    },
    /// Print a document by hand; its bytes follow the line.
    Print {
        /// Address of a printer of the settings.
        printer: String,
        /// Bytes that follow.
        size_bytes: u64,
        /// Who; the account that asks where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Hold a printed sheet against its record; the bytes of its scan follow the line.
    Paper {
        /// Bytes that follow.
        size_bytes: u64,
        /// The job that printed it; its QR code tells where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<JobId>,
        /// Who; the account that asks where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Count records of printed sheets, or forget those that central cannot open.
    Records {
        /// Who has them forgotten; they are counted alone where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forget_by: Option<String>,
    },
    /// Account for a day of the office.
    Report {
        /// The day.
        day: LocalDay,
    },
    /// Ask the ticket printer what it is at.
    TicketState,
    /// Print a test ticket.
    TicketTest,
    /// Release a held job.
    Release {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
    },
    /// Call a job off.
    Cancel {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
    },
    /// Say what became of an unknown sheet.
    Answer {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
        /// What was found.
        answer: Answer,
        /// The attempt that was looked at; asked for where an officer answered before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
    },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Done; for `jobs` the list, else empty.
    Ok(Vec<Listed>),
    /// Records of printed sheets on this machine.
    Records(RecordCount),
    /// What a sheet shows beside its record.
    Paper(Box<PaperReport>),
    /// The account of a day.
    Report(Box<DayReport>),
    /// How the ticket printer is seen.
    TicketState(TicketSeen),
    /// What became of a test ticket.
    TicketTest(TestTicket),
    /// Not done.
    Error {
        /// The stable code.
        code: String,
        /// What happened and what to do, in Indonesian.
        message: String,
    },
}

/// How many records of printed sheets lie on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCount {
    /// They wait for central.
    pub waiting: usize,
    /// Central cannot open them.
    pub refused: usize,
}

/// A job in the list, with what the officer reads.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// The label, opened for this answer alone.
    pub label: String,
}

#[cfg(test)]
mod tests {
    use loket_domain::print::Actor;

    use super::*;
    use crate::unit::control::names::MAX_NAME_CHARS;
    use crate::unit::control::officer;

    /// Some seconds without optimisation.
    const CASES: u64 = 100_000;

    #[test]
    fn fuzz_officers_lines() {
        let good: [&[u8]; 5] = [
            br#"{"do":"jobs"}"#,
            br#"{"do":"job","job":"01890000-0000-7000-8000-000000000000"}"#,
            br#"{"do":"release","job":"01890000-0000-7000-8000-000000000000","by":"wati"}"#,
            br#"{"do":"answer","job":"01890000-0000-7000-8000-000000000000","by":"wati","answer":"came-out","attempt":1}"#,
            br#"{"do":"print","printer":"ipp://127.0.0.1:9/","size_bytes":4,"by":"wati"}"#,
        ];
        for line in good {
            assert!(serde_json::from_slice::<Request>(line).is_ok());
        }
        loket_fuzz::fuzz("officers-lines", CASES, &good, |bytes| {
            let line = String::from_utf8_lossy(bytes);
            let Ok(Request::Release { by, .. } | Request::Answer { by, .. }) =
                serde_json::from_str(&line)
            else {
                return;
            };
            if let Some(Actor::Officer(name)) = officer(&by) {
                assert!(name.chars().count() <= MAX_NAME_CHARS && !name.contains('\n'));
            }
        });
    }
}
