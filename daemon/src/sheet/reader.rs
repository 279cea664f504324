//! The daemon's side: starts the process for a sheet, one at a time, and takes its answer.

use std::time::Duration;

use loket_confine::{Fault, Myself, Question, ask_after};
use loket_domain::print::Revision;
use loket_wire::record::MAX_RECORD_BYTES;
use loket_wire::{JobId, MatchRecord, Sha256Digest, Timestamp};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{Held, Seen, Task, Work};
use crate::stops::{Hold, hold};

/// Records that a sheet is held against: as many as central tells.
pub(crate) const MAX_RECORDS: usize = 3;

/// Nobody waits for a record, and a stop waits no longer than this for one; an honest card takes a tenth of a second.
const RECORD_WITHIN: Duration = Duration::from_secs(12);

/// Reading the codes of a bad scan and comparing it take seconds on an old PC; an officer waits.
const SCAN_WITHIN: Duration = Duration::from_secs(30);

/// The longest answer about a scan: a sheet of 2.25 MB and ten close-ups of 0.8, in base64; most have a tenth of that.
const MAX_ANSWER_BYTES: usize = 14 * 1024 * 1024;

/// Reads and draws sheets of paper in processes of their own, one at a time: each may take what memory a small PC has to
/// spare, and whatever prints has the other processor.
#[derive(Debug)]
pub struct SheetReader {
    myself: Myself,
    turns: Semaphore,
}

impl SheetReader {
    /// Starts children as `myself`.
    #[must_use]
    pub const fn new(myself: Myself) -> Self {
        Self {
            myself,
            turns: Semaphore::const_new(1),
        }
    }

    /// Makes the record of a signed revision that a job printed.
    ///
    /// # Errors
    /// [`Fault`]; there is no record then.
    ///
    /// # Cancel safety
    /// Dropping the future kills the child.
    pub(crate) async fn record(
        &self,
        document: &[u8],
        (job, revision): (JobId, &Revision),
        made_at: Timestamp,
    ) -> Result<MatchRecord, Fault> {
        let work = Work::Record {
            job,
            page_count: revision.page_count,
            made_at_ms: made_at.unix_ms(),
        };
        let question = Question {
            words: Task::new(work).words(),
            input: &[document],
            within: RECORD_WITHIN,
            max_answer_bytes: MAX_RECORD_BYTES,
        };
        let bytes = self.ask(question, Hold::Recording).await?;
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
    /// Dropping the future kills the child.
    pub(crate) async fn codes(&self, scan: &[u8]) -> Result<Seen<Vec<Sha256Digest>>, Fault> {
        self.look(Work::Codes, &[scan]).await
    }

    /// Holds a scan against records, open as they are.
    ///
    /// # Errors
    /// [`Fault`]
    ///
    /// # Cancel safety
    /// Dropping the future kills the child.
    pub(crate) async fn compare(
        &self,
        scan: &[u8],
        records: &[Zeroizing<Vec<u8>>],
        pictures: bool,
    ) -> Result<Seen<Held>, Fault> {
        let size = |record: &Zeroizing<Vec<u8>>| u64::try_from(record.len()).unwrap_or(u64::MAX);
        let work = Work::Compare {
            record_bytes: records.iter().map(size).collect(),
            pictures,
        };
        let mut gives: Vec<&[u8]> = records.iter().map(|record| record.as_slice()).collect();
        gives.push(scan);
        self.look(work, &gives).await
    }

    async fn look<T: DeserializeOwned>(
        &self,
        work: Work,
        gives: &[&[u8]],
    ) -> Result<Seen<T>, Fault> {
        let question = Question {
            words: Task::new(work).words(),
            input: gives,
            within: SCAN_WITHIN,
            max_answer_bytes: MAX_ANSWER_BYTES,
        };
        let bytes = self.ask(question, Hold::Comparing).await?;
        serde_json::from_slice(&bytes).map_err(|_other| Fault::Answer)
    }

    async fn ask(&self, question: Question<'_>, at: Hold) -> Result<Zeroizing<Vec<u8>>, Fault> {
        // Never closed: there is always a turn, sooner or later.
        let _turn = self.turns.acquire().await;
        ask_after(&self.myself, question, hold(at)).await
    }
}
