//! Sheets of paper: asks the inspector for records of what was printed and about scans of what is doubted, one at a time.

use std::time::Duration;

use loket_domain::print::Revision;
use loket_inspection::{
    Fault, Held, Inspector, Limits, MAX_HELD_BYTES, Question, Read, Work, answer, ask_after,
};
use loket_wire::record::MAX_RECORD_BYTES;
use loket_wire::{JobId, MatchRecord, Sha256Digest, Timestamp};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::stops::{Hold, hold};

/// Address space of the process: the program takes 20 MiB of it, a scan of 600 dpi in colour and what is made of it 280.
/// Processor time: the comparison with one page takes a second on the slowest PC, and a record has up to eight.
const LIMITS: Limits = Limits {
    memory_bytes: 448 * 1024 * 1024,
    cpu_s: 20,
};

/// The longest list of what codes say.
const MAX_CODES_BYTES: usize = 64 * 1024;

/// Nobody waits for a record, and a stop waits no longer than this for one; an honest card takes a tenth of a second.
const RECORD_WITHIN: Duration = Duration::from_secs(12);

/// Reading the codes of a bad scan and comparing it take seconds on an old PC; an officer waits. The turn is waited for within
/// it, since a record may be in the making.
pub(crate) const SCAN_WITHIN: Duration = Duration::from_secs(24);

/// Reads and draws sheets of paper in processes of their own, one at a time: each may take what memory a small PC has to
/// spare, and whatever prints has the other processor.
#[derive(Debug)]
pub struct SheetReader {
    inspector: Inspector,
    turns: Semaphore,
}

impl SheetReader {
    /// Asks `inspector`.
    #[must_use]
    pub const fn new(inspector: Inspector) -> Self {
        Self {
            inspector,
            turns: Semaphore::const_new(1),
        }
    }

    /// Who is asked.
    #[must_use]
    pub const fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    /// Makes the record of a signed revision that a job printed.
    ///
    /// # Errors
    /// [`Fault`]; there is no record then.
    ///
    /// # Cancel safety
    /// Dropping the future ends the inspector.
    pub(crate) async fn record(
        &self,
        document: &[u8],
        (job, revision): (JobId, &Revision),
        made_at: Timestamp,
    ) -> Result<MatchRecord, Fault> {
        let work = Work::Record {
            job,
            page_count: revision.page_count,
            made_at,
        };
        let (within, most) = (RECORD_WITHIN, MAX_RECORD_BYTES);
        let parts = [document];
        let bytes = self.ask(work, &parts, (within, most), Hold::Recording);
        let bytes = bytes.await?;
        let record = MatchRecord::decode(&bytes).map_err(|_none| Fault::Answer)?;
        // What it says of the document is the daemon's own knowledge, whatever the document made of its reader.
        let is_asked = record.job_id == job
            && record.revision_sha256 == revision.sha256
            && record.made_at == made_at;
        if is_asked {
            Ok(record)
        } else {
            Err(Fault::Answer)
        }
    }

    /// Digests of what the QR codes of a scan say.
    ///
    /// # Errors
    /// [`Fault`]
    ///
    /// # Cancel safety
    /// Dropping the future ends the inspector.
    pub(crate) async fn codes(&self, scan: &[u8]) -> Result<Read<Vec<Sha256Digest>>, Fault> {
        let work = Work::Codes { page: None };
        self.look(work, &[scan], MAX_CODES_BYTES).await
    }

    /// Holds a scan against records, open as they are.
    ///
    /// # Errors
    /// [`Fault`]
    ///
    /// # Cancel safety
    /// Dropping the future ends the inspector.
    pub(crate) async fn compare(
        &self,
        scan: &[u8],
        records: &[Zeroizing<Vec<u8>>],
        pictures: bool,
    ) -> Result<Read<Held>, Fault> {
        let work = Work::Compare {
            page: None,
            pictures,
        };
        let mut parts = vec![scan];
        parts.extend(records.iter().map(|record| record.as_slice()));
        self.look(work, &parts, MAX_HELD_BYTES).await
    }

    async fn look<T: DeserializeOwned>(
        &self,
        work: Work,
        parts: &[&[u8]],
        max_answer_bytes: usize,
    ) -> Result<Read<T>, Fault> {
        let within = (SCAN_WITHIN, max_answer_bytes);
        let asked = self.ask(work, parts, within, Hold::Comparing);
        let asked = tokio::time::timeout(SCAN_WITHIN, asked).await;
        answer(&asked.unwrap_or(Err(Fault::TookTooLong))?)
    }

    async fn ask(
        &self,
        work: Work,
        parts: &[&[u8]],
        (within, max_answer_bytes): (Duration, usize),
        at: Hold,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        // Never closed: there is always a turn, sooner or later.
        let _turn = self.turns.acquire().await;
        let question = Question {
            work,
            limits: LIMITS,
            parts,
            within,
            max_answer_bytes,
        };
        ask_after(&self.inspector, question, hold(at)).await
    }
}
