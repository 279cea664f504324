//! The process for sheets of paper: loketd started again with a hidden command, which limits itself before it reads a byte
//! of a document or a scan.
//!
//! ```text
//! record    signed revision ─► pages drawn, codes read, fonts asked ─► MatchRecord
//! codes     scan ─► digests of its QR codes
//! compare   records, scan ─► the record and page that it resembles most, where it differs, pictures of that
//! ```
//! A scan that is none is told in the answer; anything else that goes wrong by the exit code, or a signal.

mod held;
mod reader;
mod reduce;

use std::io::{Read as _, Write as _};

use loket_kiosk_ui::ports::{MAX_SCAN_BYTES, PaperVerdict, Place, SheetPictures};
use loket_paper::compare::CompareError;
use loket_paper::raster::{self, Gray, RasterError};
use loket_verify::{Code, MAX_DOCUMENT_BYTES, Policy, Trust, check};
use loket_wire::record::MAX_RECORD_BYTES;
use loket_wire::{JobId, MatchRecord, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::judge::limit;

pub(crate) use reader::MAX_RECORDS;
pub use reader::SheetReader;

/// How the hidden command is called.
pub const COMMAND: &str = "sheet";

/// Address space of the process: the program takes 40 MiB of it, a scan of 600 dpi in colour and what is made of it 280.
pub const MEMORY_BYTES: u64 = 448 * 1024 * 1024;

/// Processor time: the comparison with one page takes a second on the slowest PC, and a record has up to eight.
pub const CPU_S: u64 = 20;

/// What is done, and within what.
#[derive(Debug, clap::Args)]
pub struct Task {
    /// What is done.
    #[command(subcommand)]
    pub work: Work,
    /// Bytes of address space.
    #[arg(long, global = true, default_value_t = MEMORY_BYTES)]
    pub memory_bytes: u64,
    /// Seconds of processor time.
    #[arg(long, global = true, default_value_t = CPU_S)]
    pub cpu_s: u64,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum Work {
    /// Makes the record of a printed document.
    Record {
        /// The job that printed it.
        #[arg(long)]
        job: JobId,
        /// Its pages.
        #[arg(long)]
        page_count: u32,
        /// The present moment, in milliseconds since 1970 UTC.
        #[arg(long)]
        made_at_ms: i64,
    },
    /// Reads the QR codes of a scan.
    Codes,
    /// Holds a scan against records.
    Compare {
        /// Bytes of each record; they come first, one behind the other.
        #[arg(long, value_delimiter = ',')]
        record_bytes: Vec<u64>,
        /// Whether what differs is drawn.
        #[arg(long)]
        pictures: bool,
    },
}

/// What became of a scan.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Seen<T> {
    /// This.
    Told(T),
    /// It is no scan that tells anything: a code of loket-paper.
    Unread(String),
    /// It shows so many sheets.
    ManySheets(u32),
}

/// A scan beside the record that it resembles most.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Which of the records, from 0.
    pub(crate) record: usize,
    /// Which of its pages, from 1.
    pub(crate) page: u32,
    pub(crate) verdict: PaperVerdict,
    /// Why it cannot be told.
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) regions: Vec<Place>,
    pub(crate) pictures: Option<SheetPictures>,
}

/// Why a scan tells nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    Raster(RasterError),
    Compare(CompareError),
    ManySheets(u32),
}

impl<T> From<Result<T, Unread>> for Seen<T> {
    fn from(read: Result<T, Unread>) -> Self {
        match read {
            Ok(told) => Self::Told(told),
            Err(Unread::Raster(error)) => Self::Unread(error.code().to_owned()),
            Err(Unread::Compare(error)) => Self::Unread(error.code().to_owned()),
            Err(Unread::ManySheets(count)) => Self::ManySheets(count),
        }
    }
}

impl Task {
    /// A task within the usual limits.
    #[must_use]
    pub const fn new(work: Work) -> Self {
        Self {
            work,
            memory_bytes: MEMORY_BYTES,
            cpu_s: CPU_S,
        }
    }

    /// The words of the command line that say the same.
    #[must_use]
    pub fn words(&self) -> Vec<std::ffi::OsString> {
        let mut words = vec![
            COMMAND.to_owned(),
            format!("--memory-bytes={}", self.memory_bytes),
            format!("--cpu-s={}", self.cpu_s),
        ];
        match &self.work {
            Work::Record {
                job,
                page_count,
                made_at_ms,
            } => words.extend([
                "record".to_owned(),
                format!("--job={job}"),
                format!("--page-count={page_count}"),
                format!("--made-at-ms={made_at_ms}"),
            ]),
            Work::Codes => words.push("codes".to_owned()),
            Work::Compare {
                record_bytes,
                pictures,
            } => {
                let sizes: Vec<String> = record_bytes.iter().map(u64::to_string).collect();
                words.extend([
                    "compare".to_owned(),
                    format!("--record-bytes={}", sizes.join(",")),
                ]);
                words.extend(pictures.then(|| "--pictures".to_owned()));
            }
        }
        words.into_iter().map(Into::into).collect()
    }
}

/// Does it.
///
/// # Errors
/// The exit code that says why there is no answer.
pub fn work(task: &Task) -> Result<Exit, Exit> {
    limit(task.memory_bytes, task.cpu_s).map_err(|_refused| Exit::Bug)?;
    let answer = match &task.work {
        Work::Record {
            job,
            page_count,
            made_at_ms,
        } => {
            let document = read(MAX_DOCUMENT_BYTES)?;
            record(
                &document,
                (*job, *page_count),
                Timestamp::from_unix_ms(*made_at_ms),
            )?
        }
        Work::Codes => {
            let scan = read(MAX_SCAN_BYTES)?;
            json(&Seen::from(codes(&scan)))?
        }
        Work::Compare {
            record_bytes,
            pictures,
        } => {
            let records = read_records(record_bytes)?;
            let scan = read(MAX_SCAN_BYTES)?;
            let held = pixels(&scan).map(|pixels| held::best(&records, &pixels, *pictures));
            match held {
                Ok(Ok(held)) => json(&Seen::Told(held))?,
                Ok(Err(held::HeldFault::Unread(why))) | Err(why) => {
                    json(&Seen::<Held>::from(Err(why)))?
                }
                Ok(Err(held::HeldFault::Record)) => return Err(Exit::Refused),
            }
        }
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&answer)
        .and_then(|()| out.flush())
        .map_err(|_closed| Exit::Output)?;
    Ok(Exit::Done)
}

fn json<T: Serialize>(answer: &Seen<T>) -> Result<Zeroizing<Vec<u8>>, Exit> {
    let bytes = serde_json::to_vec(answer).map_err(|_bug| Exit::Bug)?;
    Ok(Zeroizing::new(bytes))
}

/// Standard input to its end, one byte over what is taken at most.
fn read(most: usize) -> Result<Zeroizing<Vec<u8>>, Exit> {
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::new());
    let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|_cut| Exit::Unreadable)?;
    Ok(bytes)
}

/// What opened at the daemon and is read here.
fn read_records(sizes: &[u64]) -> Result<Vec<MatchRecord>, Exit> {
    let most = u64::try_from(MAX_RECORD_BYTES).unwrap_or(u64::MAX);
    let mut records = Vec::new();
    for size in sizes.iter().take(MAX_RECORDS) {
        let mut bytes = Zeroizing::new(Vec::new());
        let part = std::io::stdin()
            .lock()
            .take((*size).min(most))
            .read_to_end(&mut bytes);
        part.map_err(|_cut| Exit::Unreadable)?;
        records.push(MatchRecord::decode(&bytes).map_err(|_none| Exit::Refused)?);
    }
    Ok(records)
}

/// The record of a signed revision.
fn record(
    document: &[u8],
    (job_id, page_count): (JobId, u32),
    made_at: Timestamp,
) -> Result<Zeroizing<Vec<u8>>, Exit> {
    let reduced = reduce::reduce(document, page_count).map_err(|_undrawn| Exit::Refused)?;
    // What it says of the signature was asked before the print; here it is asked what the pages rest on.
    let report = check(document, &Trust::default(), &Policy::default(), made_at);
    let record = MatchRecord {
        job_id,
        revision_sha256: Sha256Digest::of(document),
        made_at,
        fonts_inside: !report.has(Code::FontStandard) && !report.has(Code::FontMissing),
        codes: reduced.codes,
        pages: reduced.pages,
    };
    record.encode().map_err(|_too_large| Exit::Refused)
}

/// What the QR codes of a scan say, as digests.
fn codes(scan: &[u8]) -> Result<Vec<Sha256Digest>, Unread> {
    let codes = reduce::codes_of(&pixels(scan)?);
    Ok(codes.iter().map(|code| Sha256Digest::of(code)).collect())
}

/// The one sheet of a scan: a picture, or a PDF that a scanner made of one.
fn pixels(scan: &[u8]) -> Result<Gray, Unread> {
    if raster::is_pdf(scan) {
        let count = raster::page_count(scan).map_err(Unread::Raster)?;
        if count > 1 {
            return Err(Unread::ManySheets(count));
        }
    }
    raster::scanned(scan, 0).map_err(Unread::Raster)
}

#[cfg(test)]
mod tests;
