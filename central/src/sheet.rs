//! A doubted sheet: its scan is read and held against records in the inspector (docs/adr/0044, 0047).

use std::time::Duration;

use loket_inspection::{
    Fault, Held, Inspector, Limits, MAX_HELD_BYTES, MAX_RECORDS, Question, Read, Work, answer, ask,
};
use loket_wire::{MatchRecord, Sha256Digest};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Address space of the process: a scan of A4 at 300 dpi in colour takes a tenth of it. Two of them and central itself fit
/// into what the unit allows. Processor time: an ordinary scan takes about two seconds on an old PC, one of 600 dpi some
/// ten.
const LIMITS: Limits = Limits {
    memory_bytes: 768 * 1024 * 1024,
    cpu_s: 20,
};

/// Longest wait for one process; far above its processor time, which bounds the work, for a busy computer shares it out.
/// Two of them fit into the time that a request has.
const WITHIN: Duration = Duration::from_secs(80);

/// Sheets looked at at once: each keeps a core busy, and documents come in beside them.
const AT_ONCE: usize = 2;

/// The longest list of what codes say.
const MAX_CODES_BYTES: usize = 64 * 1024;

/// Why there is no answer on a sheet.
#[derive(Debug)]
pub(crate) enum SheetFault {
    /// Others keep all places.
    Busy,
    /// The inspector did not start, ended early, took too long or said what is no answer.
    Inspector(Fault),
}

impl From<Fault> for SheetFault {
    fn from(fault: Fault) -> Self {
        Self::Inspector(fault)
    }
}

/// Asks about sheets, a few at a time.
#[derive(Debug)]
pub(crate) struct SheetDesk {
    inspector: Inspector,
    places: Semaphore,
    wait: Duration,
}

impl SheetDesk {
    pub(crate) fn new(inspector: Inspector, wait: Duration) -> Self {
        Self {
            inspector,
            places: Semaphore::new(AT_ONCE),
            wait,
        }
    }

    /// A place at which one sheet is looked at, kept until it is dropped.
    pub(crate) async fn place(&self) -> Result<SemaphorePermit<'_>, SheetFault> {
        match timeout(self.wait, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(SheetFault::Busy),
        }
    }

    /// What the codes on a scan say, as digests; on page `page` of it where it is a PDF.
    pub(crate) async fn codes(
        &self,
        scan: &[u8],
        page: u32,
    ) -> Result<Read<Vec<Sha256Digest>>, SheetFault> {
        let work = Work::Codes { page: Some(page) };
        let bytes = self.ask(work, &[scan], MAX_CODES_BYTES).await?;
        Ok(answer(&bytes)?)
    }

    /// Holds the scan against records.
    pub(crate) async fn compare(
        &self,
        scan: &[u8],
        page: u32,
        records: &[MatchRecord],
    ) -> Result<Read<Held>, SheetFault> {
        let work = Work::Compare {
            page: Some(page),
            pictures: true,
        };
        let records = records.iter().take(MAX_RECORDS).map(MatchRecord::encode);
        let records: Result<Vec<_>, _> = records.collect();
        let records = records.map_err(|_too_large| Fault::Question)?;
        let mut parts = vec![scan];
        parts.extend(records.iter().map(|record| record.as_slice()));
        let bytes = self.ask(work, &parts, MAX_HELD_BYTES).await?;
        Ok(answer(&bytes)?)
    }

    async fn ask(
        &self,
        work: Work,
        parts: &[&[u8]],
        max_answer_bytes: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let question = Question {
            work,
            limits: LIMITS,
            parts,
            within: WITHIN,
            max_answer_bytes,
        };
        ask(&self.inspector, question).await
    }
}
