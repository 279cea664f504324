//! A doubted sheet: its scan is read, the record of what was printed is asked for at central, and the two are compared.
//!
//! ```text
//! scan ─► inspector: QR codes ─► digests ─► central ─► record, sealed to this machine ─► inspector: compare ─► answer
//! ```
//! The daemon opens the record's seal and reads neither record nor scan. Both live in memory for as long as the question
//! lasts; what stays is central's line in its history.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use loket_inspection::{Fault, Held, MAX_RECORDS, Read};
use loket_kiosk_ui::ports::{self, Brought, PaperAnswer, PaperQuestion, PaperReport};
use loket_kiosk_ui::words::Trouble as PageTrouble;
use loket_link::{FetchError, FetchTarget, FetchTimeouts, Method, Submission, submit};
use loket_paper::raster::RasterError;
use loket_wire::record::{FindRecord, MAX_SEALED_RECORD_BYTES};
use loket_wire::sealed::{RecordBinding, SealingKey};
use loket_wire::{JobId, MachineId, Sha256Digest};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::blocking::blocking;
use crate::sheets::{SCAN_WITHIN, SheetReader};
use crate::telemetry::chain;
use crate::trouble::Trouble;
use crate::unit::control::officer_name;

/// Longest answer of central's: as many records as it tells, in base64.
const MAX_ANSWER_BYTES: usize = MAX_RECORDS * (MAX_SEALED_RECORD_BYTES / 3 * 4 + 4 * 1024);

/// Who waits this long for another's sheet is told that the machine is busy.
const TURN_WAIT: Duration = Duration::from_secs(10);

/// One record takes ten seconds at 30 kbit/s, three take all of this.
const CENTRAL_WITHIN: Duration = Duration::from_secs(30);

/// All that one question may wait for comes to its end before its page gives up: who asks hears what it was.
const _: () = {
    let worst = TURN_WAIT.as_secs() + 2 * SCAN_WITHIN.as_secs() + CENTRAL_WITHIN.as_secs();
    assert!(worst < ports::REQUEST_DEADLINE.as_secs());
};

/// Why a sheet cannot be held against its record.
#[derive(Debug, Error)]
pub(crate) enum PaperFault {
    /// The name is none that may stand in a history.
    #[error("ask in somebody's name: it is none that may stand in a history")]
    Name,
    /// Another sheet is looked at.
    #[error("wait for a turn: another sheet is looked at")]
    Busy,
    /// The scan is no picture that tells anything here; the code of loket-paper.
    #[error("read the scan ({0})")]
    Scan(String),
    /// The scan has so many pages.
    #[error("read the scan: it shows {0} sheets")]
    ManySheets(u32),
    /// Neither a QR code on the sheet nor a job says which record is meant.
    #[error("find the record: no QR code is legible, and no job is named")]
    NoKey,
    /// Central cannot be asked.
    #[error("ask central for the record")]
    Central(#[from] FetchError),
    /// Central was too slow.
    #[error("ask central for the record: it took too long")]
    CentralLate,
    /// Central said no, or what cannot be understood.
    #[error("ask central for the record: it answers with status {0}")]
    Answer(u16),
    /// Central has none.
    #[error("find the record: central has none")]
    NoRecord,
    /// Central had one, and its days are over.
    #[error("find the record: its days are over")]
    Expired,
    /// What central has does not open or cannot be compared.
    #[error("open the record")]
    Broken,
    /// What reads the scan gave no answer.
    #[error("compare the sheet")]
    Child(#[from] Fault),
    /// The work ended without an answer.
    #[error("compare the sheet: the work ended without an answer")]
    Ended,
}

/// Central's answer.
#[derive(Deserialize)]
struct Told {
    records: Vec<ToldRecord>,
    /// Whether the named job had a record whose days are over.
    #[serde(default)]
    expired: bool,
}

#[derive(Deserialize)]
struct ToldRecord {
    job_id: JobId,
    machine: MachineId,
    printed_at: String,
    sealed: String,
}

/// Asks central and compares; on an enrolled machine.
#[derive(Debug)]
pub(crate) struct PaperDesk {
    source: FetchTarget,
    sealing: SealingKey,
    machine: MachineId,
    sheets: Arc<SheetReader>,
    /// One question at a time: a scan takes twice as much memory as a document.
    turns: Semaphore,
}

impl PaperDesk {
    pub(crate) fn new(
        source: FetchTarget,
        (machine, sealing): (MachineId, SealingKey),
        sheets: Arc<SheetReader>,
    ) -> Arc<Self> {
        Arc::new(Self {
            source,
            sealing,
            machine,
            sheets,
            turns: Semaphore::new(1),
        })
    }

    /// Holds the sheet in a scan against the record of a job, or of the document whose QR code it bears; with pictures
    /// of what differs, if that is asked.
    ///
    /// # Errors
    /// [`PaperFault`]
    ///
    /// # Cancel safety
    /// Dropping the future ends the question; central may have its line of it.
    pub(crate) async fn ask(
        &self,
        question: PaperQuestion,
        pictures: bool,
    ) -> Result<PaperAnswer, PaperFault> {
        let PaperQuestion { scan, job, by } = question;
        let by = officer_name(&by).ok_or(PaperFault::Name)?;
        let turn = tokio::time::timeout(TURN_WAIT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(PaperFault::Busy);
        };
        let codes_sha256 = match job {
            Some(_named) => Vec::new(),
            None => self.codes(&scan).await?,
        };
        let asked = FindRecord {
            version: 1,
            codes_sha256,
            job_id: job,
            by,
        };
        let told = self.find(&asked).await?;
        if told.records.is_empty() {
            return Err(match told.expired {
                true => PaperFault::Expired,
                false => PaperFault::NoRecord,
            });
        }
        self.compare(&scan, told.records, pictures).await
    }

    async fn codes(&self, scan: &Brought) -> Result<Vec<Sha256Digest>, PaperFault> {
        let codes = read(self.sheets.codes(scan).await?)?;
        if codes.is_empty() {
            return Err(PaperFault::NoKey);
        }
        Ok(codes)
    }

    async fn find(&self, asked: &FindRecord) -> Result<Told, PaperFault> {
        let body = serde_json::to_vec(asked).map_err(|_unwritable| PaperFault::Broken)?;
        let submission = Submission {
            method: Method::Post,
            path: "/machine/v1/records/find".to_owned(),
            content_type: "application/json",
            body: body.into(),
        };
        let timeouts = FetchTimeouts::default();
        let asked = submit(timeouts, &self.source, submission, MAX_ANSWER_BYTES);
        let answer = tokio::time::timeout(CENTRAL_WITHIN, asked)
            .await
            .map_err(|_late| PaperFault::CentralLate)??;
        if answer.status != 200 {
            return Err(PaperFault::Answer(answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|_other| PaperFault::Answer(answer.status))
    }

    async fn compare(
        &self,
        scan: &Brought,
        mut told: Vec<ToldRecord>,
        pictures: bool,
    ) -> Result<PaperAnswer, PaperFault> {
        told.truncate(MAX_RECORDS);
        let key = (self.machine.clone(), self.sealing.clone());
        let opened = blocking(move || {
            let records: Result<Vec<_>, _> = told.iter().map(|told| opened(told, &key)).collect();
            records.map(|records| (told, records))
        });
        let (told, records) = opened.await.ok_or(PaperFault::Ended)??;
        let compared = self.sheets.compare(scan, &records, pictures).await;
        drop(records);
        let held = read(compared?)?;
        let told = told.get(held.record).ok_or(PaperFault::Broken)?;
        Ok(answer(held, told))
    }
}

impl ports::PaperDesk for PaperDesk {
    fn ask(&self, question: PaperQuestion) -> ports::Answer<'_, Result<PaperAnswer, PageTrouble>> {
        Box::pin(async move {
            let asked = Self::ask(self, question, true).await;
            asked.map_err(|fault| {
                fault.tell();
                fault.on_page()
            })
        })
    }
}

impl PaperFault {
    /// Writes down what somebody else should know of.
    pub(crate) fn tell(&self) {
        match self {
            Self::Name
            | Self::Busy
            | Self::Scan(_)
            | Self::ManySheets(_)
            | Self::NoKey
            | Self::NoRecord
            | Self::Expired => {}
            Self::Central(_) | Self::CentralLate | Self::Answer(_) | Self::Child(_) => {
                tracing::warn!(error = %chain(self), "a sheet could not be held against its record");
            }
            Self::Broken | Self::Ended => {
                tracing::error!(error = %chain(self), "a sheet could not be held against its record");
            }
        }
    }

    /// Code and sentence for the officer's door.
    pub(crate) fn at_door(&self) -> (&'static str, &'static str) {
        let trouble = match self {
            Self::Scan(code) => return of_scan(code),
            Self::Name => Trouble::OfficerName,
            Self::Busy => Trouble::PaperBusy,
            Self::ManySheets(_) => Trouble::PaperManySheets,
            Self::NoKey => Trouble::PaperNoCode,
            Self::NoRecord => Trouble::PaperNoRecord,
            Self::Expired => Trouble::PaperExpired,
            Self::Central(_) | Self::CentralLate | Self::Answer(_) => Trouble::PaperNoCentral,
            Self::Child(_) => Trouble::PaperNotCompared,
            Self::Broken | Self::Ended => Trouble::PaperBroken,
        };
        (trouble.id(), trouble.sentence())
    }

    /// What the officer's page says.
    const fn on_page(&self) -> PageTrouble {
        match self {
            Self::Name => PageTrouble::PaperName,
            Self::Busy => PageTrouble::PaperBusy,
            Self::Scan(_) => PageTrouble::PaperScan,
            Self::ManySheets(_) => PageTrouble::PaperManySheets,
            Self::NoKey => PageTrouble::PaperNoCode,
            Self::NoRecord => PageTrouble::PaperNoRecord,
            Self::Expired => PageTrouble::PaperExpired,
            Self::Central(_) | Self::CentralLate | Self::Answer(_) => PageTrouble::PaperNoCentral,
            Self::Child(_) => PageTrouble::PaperNotCompared,
            Self::Broken | Self::Ended => PageTrouble::PaperBroken,
        }
    }
}

/// Code and sentence of a scan that tells nothing; the inspector's word is looked up and not believed.
fn of_scan(code: &str) -> (&'static str, &'static str) {
    let broken = RasterError::PictureBroken;
    loket_paper::told(code).unwrap_or((broken.code(), broken.sentence()))
}

fn read<T>(read: Read<T>) -> Result<T, PaperFault> {
    match read {
        Read::Told(told) => Ok(told),
        Read::Unread(code) => Err(PaperFault::Scan(code)),
        Read::ManySheets(count) => Err(PaperFault::ManySheets(count)),
        Read::RecordBroken(_code) => Err(PaperFault::Broken),
    }
}

/// A record as central sealed it to this machine, without its seal and not read.
fn opened(
    told: &ToldRecord,
    (machine, sealing): &(MachineId, SealingKey),
) -> Result<Zeroizing<Vec<u8>>, PaperFault> {
    let binding = RecordBinding {
        recipient: machine.as_str(),
        machine,
        job: told.job_id,
    };
    let sealed = BASE64.decode(told.sealed.as_bytes());
    let sealed = sealed.map_err(|_other| PaperFault::Broken)?;
    let plain = sealing.open_record(&binding, &sealed);
    plain.map_err(|_other| PaperFault::Broken)
}

fn answer(held: Held, told: &ToldRecord) -> PaperAnswer {
    let reason = held.code.as_deref().map(of_scan);
    PaperAnswer {
        report: PaperReport {
            verdict: held.verdict,
            code: reason.map(|(code, _sentence)| code.to_owned()),
            message: reason.map(|(_code, sentence)| sentence.to_owned()),
            job_id: told.job_id,
            printed_at: told.printed_at.clone(),
            machine: told.machine.clone(),
            page: held.page,
            regions: held.regions,
        },
        // Of a sheet that does not differ there is nothing to look at.
        pictures: held.pictures.filter(|pictures| !pictures.cuts.is_empty()),
    }
}

#[cfg(test)]
mod tests;
