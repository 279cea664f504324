//! A doubted sheet: its scan is read and held against records in a process of its own, which has nothing but memory and
//! time (docs/adr/0044).
//!
//! ```text
//! input   1 byte   how many records
//!         each     4 bytes length, big endian, then the open record
//!         rest     the scan: PNG, JPEG or PDF
//! output  JSON     an Answer
//! ```
//! Without a record the answer is what the QR codes on the sheet are found by; with some, the record and page that the
//! sheet resembles most, and where it differs.

mod work;

use std::ffi::OsString;
use std::time::Duration;

use loket_confine::{Fault, Myself, Question};
use loket_wire::record::MAX_RECORD_BYTES;
use loket_wire::{MatchRecord, Sha256Digest};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) use work::work;

/// How the hidden command is called.
pub(crate) const COMMAND: &str = "sheet";

/// Largest scan: an A4 page in colour at 300 dpi has some 3 MB as JPEG, up to 15 as PNG.
pub(crate) const MAX_SCAN_BYTES: usize = 16 * 1024 * 1024;

/// Records that one sheet is held against: a code stands on one document, and reprints of it look alike.
pub(crate) const MAX_RECORDS: usize = 3;

/// Address space of the process: a scan of A4 at 300 dpi in colour takes a tenth of it. Two of them and central itself fit
/// into what the unit allows.
const MEMORY_BYTES: u64 = 768 * 1024 * 1024;

/// Processor time: an ordinary scan takes about two seconds on an old PC, one of 600 dpi some ten.
const CPU_S: u64 = 20;

/// Longest wait for one process; far above its processor time, which bounds the work, for a busy computer shares it out.
/// Two of them fit into the time that a request has.
const WITHIN: Duration = Duration::from_secs(80);

/// Sheets looked at at once: each keeps a core busy, and documents come in beside them.
const AT_ONCE: usize = 2;

/// Two pictures of a page and some cuts of them.
const MAX_ANSWER_BYTES: usize = 24 * 1024 * 1024;

/// What the child is told beside its input.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Task {
    /// Page of a PDF, from 1.
    #[arg(long, default_value_t = 1)]
    page: u32,
    /// Bytes of address space.
    #[arg(long, default_value_t = MEMORY_BYTES)]
    memory_bytes: u64,
    /// Seconds of processor time.
    #[arg(long, default_value_t = CPU_S)]
    cpu_s: u64,
}

impl Task {
    fn words(self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![COMMAND.into()];
        for (word, value) in [
            ("--page", self.page.into()),
            ("--memory-bytes", self.memory_bytes),
            ("--cpu-s", self.cpu_s),
        ] {
            words.extend([word.into(), value.to_string().into()]);
        }
        words
    }
}

/// What the child says.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The scan is no picture that can be looked at.
    Unreadable(Reason),
    /// A record that was given is none that is known here.
    RecordBroken(Reason),
    /// What the QR codes on the sheet are found by, each once.
    Codes {
        /// SHA-256 of each payload.
        sha256: Vec<Sha256Digest>,
    },
    /// It was held against the records.
    Compared(Box<Compared>),
}

/// A stable code and its Indonesian sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Reason {
    fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }
}

/// Whether the sheet shows what was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Same,
    Different,
    CannotTell,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Compared {
    /// Place of the record among those given.
    pub(crate) record: usize,
    /// Which page of the document it is, from 1.
    pub(crate) page: u32,
    pub(crate) verdict: Verdict,
    /// Why it cannot be told.
    pub(crate) reason: Option<Reason>,
    /// Where it differs, the clearest first.
    pub(crate) regions: Vec<Region>,
    pub(crate) pictures: Pictures,
}

/// A rectangle in which the sheet differs; millimetres from the page's top left, whole tenths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Region {
    pub(crate) x_mm: f32,
    pub(crate) y_mm: f32,
    pub(crate) width_mm: f32,
    pub(crate) height_mm: f32,
    pub(crate) kind: Kind,
}

/// What differs in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Missing,
    Added,
    Changed,
}

/// What an eye compares; base64. Personal data: wiped when dropped.
#[derive(Default, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Pictures {
    /// JPEG: the sheet as it lies on the page, or as it was scanned where the page was not found in it, with marks.
    pub(crate) sheet: String,
    /// JPEG: the page as its record has it, with the same marks.
    pub(crate) record: String,
    /// The clearest regions.
    pub(crate) cuts: Vec<Cut>,
}

/// One region of both; PNG, base64.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Cut {
    pub(crate) sheet: String,
    pub(crate) record: String,
}

/// Why there is no answer on a sheet.
#[derive(Debug)]
pub(crate) enum SheetFault {
    /// Others keep all places.
    Busy,
    /// The process did not start, ended early or took too long.
    Child(Fault),
    /// What it said is no answer.
    Answer,
}

/// Starts the processes, a few at a time.
#[derive(Debug)]
pub(crate) struct SheetDesk {
    myself: Myself,
    places: Semaphore,
    wait: Duration,
}

impl SheetDesk {
    pub(crate) fn new(myself: Myself, wait: Duration) -> Self {
        Self {
            myself,
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

    /// Asks about the scan, page `page` of it where it is a PDF; what is asked depends on whether there are records.
    pub(crate) async fn ask(
        &self,
        scan: &[u8],
        page: u32,
        records: &[MatchRecord],
    ) -> Result<Answer, SheetFault> {
        let head = head(records).ok_or(SheetFault::Answer)?;
        let task = Task {
            page,
            memory_bytes: MEMORY_BYTES,
            cpu_s: CPU_S,
        };
        let question = Question {
            words: task.words(),
            input: &[&head, scan],
            within: WITHIN,
            max_answer_bytes: MAX_ANSWER_BYTES,
        };
        let asked = loket_confine::ask(&self.myself, question).await;
        let answer = asked.map_err(SheetFault::Child)?;
        serde_json::from_slice(&answer).map_err(|_other| SheetFault::Answer)
    }
}

/// What stands before the scan.
fn head(records: &[MatchRecord]) -> Option<Zeroizing<Vec<u8>>> {
    let records = records.get(..records.len().min(MAX_RECORDS))?;
    let encoded: Vec<_> = records
        .iter()
        .map(MatchRecord::encode)
        .collect::<Result<_, _>>()
        .ok()?;
    // Room for all of it at once: a growing vector would leave copies of what it held behind.
    let room: usize = encoded.iter().map(|record| record.len() + 4).sum();
    let mut head = Zeroizing::new(Vec::with_capacity(room + 1));
    head.push(u8::try_from(encoded.len()).ok()?);
    for record in &encoded {
        let length = u32::try_from(record.len()).ok()?;
        head.extend_from_slice(&length.to_be_bytes());
        head.extend_from_slice(record);
    }
    Some(head)
}

/// The records of an input and the scan behind them.
fn parts(input: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let (count, mut rest) = input.split_first()?;
    let mut records = Vec::new();
    for _ in 0..*count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (record, after) = after.split_at_checked(length)?;
        let fits = length <= MAX_RECORD_BYTES && records.len() < MAX_RECORDS;
        records.push(Some(record).filter(|_record| fits)?);
        rest = after;
    }
    Some((records, rest))
}

/// The longest input.
const MAX_INPUT_BYTES: usize = 1 + MAX_RECORDS * (MAX_RECORD_BYTES + 4) + MAX_SCAN_BYTES;

#[cfg(test)]
mod tests {
    use loket_wire::{JobId, Timestamp};

    use super::*;

    fn record() -> MatchRecord {
        MatchRecord {
            job_id: JobId::from_parts(1, [1; 10]),
            revision_sha256: Sha256Digest::of(b"a revision"),
            made_at: Timestamp::UNIX_EPOCH,
            fonts_inside: true,
            codes: Vec::new(),
            pages: Vec::new(),
        }
    }

    #[test]
    fn records_and_scan_come_apart_as_they_were_put_together() {
        for count in 0..=MAX_RECORDS {
            let records = vec![record(); count];
            let input = [head(&records).unwrap().as_slice(), b"a scan"].concat();
            let (found, scan) = parts(&input).unwrap();
            let found: Vec<_> = found.iter().map(|it| MatchRecord::decode(it)).collect();
            assert_eq!(found, vec![Ok(record()); count]);
            assert_eq!(scan, b"a scan");
        }
        let input = head(&[record()]).unwrap();
        for cut in 0..input.len() {
            assert!(parts(&input[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn fuzz_sheet_input() {
        let seed = [head(&[record()]).unwrap().as_slice(), b"a scan"].concat();
        loket_fuzz::fuzz("sheet-input", 20_000, &[seed.as_slice()], |bytes| {
            if let Some((records, scan)) = parts(bytes) {
                let sum: usize = records.iter().map(|it| it.len() + 4).sum();
                assert_eq!(sum + scan.len() + 1, bytes.len());
                assert!(records.len() <= MAX_RECORDS);
            }
        });
    }
}
