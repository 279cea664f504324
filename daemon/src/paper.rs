//! A doubted sheet: its scan is read, the record of what was printed is asked for at central, and the two are compared.
//!
//! ```text
//! scan ─► pixels ─► QR codes ─► digests ─► central ─► record, sealed to this machine ─► compare ─► answer
//! ```
//!
//! Scan and record live in memory for as long as the question lasts; what stays is central's line in its history.

use std::sync::Arc;

use data_encoding::BASE64;
use loket_link::{FetchError, FetchTarget, FetchTimeouts, Method, Submission, submit};
use loket_paper::compare::{self, Comparison, Kind, Region, Verdict};
use loket_paper::fingerprint::Fingerprint;
use loket_paper::raster::{self, Gray, RasterError};
use loket_wire::record::{FindRecord, MAX_SEALED_RECORD_BYTES};
use loket_wire::sealed::{RecordBinding, SealingKey};
use loket_wire::{JobId, MachineId, MatchRecord, Sha256Digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::document::Documents;
use crate::record::codes_of;
use crate::trouble::Trouble;

/// Largest scan that is taken: an A4 page in colour at 300 dpi as JPEG has some 3 MB, as PNG up to 15.
pub const MAX_SCAN_BYTES: usize = 16 * 1024 * 1024;

/// Longest answer of central's: three records in base64.
const MAX_ANSWER_BYTES: usize = 3 * (MAX_SEALED_RECORD_BYTES / 3 * 4 + 4 * 1024);

/// Regions that are told; an officer looks at the clearest.
const MAX_REGIONS_TOLD: usize = 20;

/// Why a sheet cannot be held against its record.
#[derive(Debug, Error)]
pub(crate) enum PaperFault {
    /// The scan is no picture that is read here.
    #[error("read the scan")]
    Scan(#[from] RasterError),
    /// Neither a QR code on the sheet nor a job says which record is meant.
    #[error("find the record: no QR code is legible, and no job is named")]
    NoKey,
    /// Central cannot be asked.
    #[error("ask central for the record")]
    Central(#[from] FetchError),
    /// Central said no, or what cannot be understood.
    #[error("ask central for the record: it answers with status {0}")]
    Answer(u16),
    /// Central has none.
    #[error("find the record: central has none")]
    NoRecord,
    /// What central has does not open or cannot be compared.
    #[error("open the record")]
    Broken,
    /// The work ended without an answer.
    #[error("compare the sheet: the work ended without an answer")]
    Ended,
}

/// The answer on a sheet, as `loketd verify --paper --json` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaperReport {
    /// `same`, `different` or `cannot_tell`.
    pub verdict: String,
    /// Why it cannot be told: a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in Indonesian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The job that printed the sheet of the record.
    pub job_id: JobId,
    /// When central took its record, RFC 3339: minutes after the print where a link was there.
    pub printed_at: String,
    /// The machine that printed it.
    pub machine: MachineId,
    /// Which page of the document it is, from 1.
    pub page: u32,
    /// Where the sheet differs, the clearest first, at most twenty.
    pub regions: Vec<Place>,
}

/// A rectangle in which the sheet differs; millimetres from the page's top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Left edge.
    pub x_mm: f32,
    /// Top edge.
    pub y_mm: f32,
    /// From left to right.
    pub width_mm: f32,
    /// From top to foot.
    pub height_mm: f32,
    /// `missing`, `added` or `changed`.
    pub kind: String,
}

impl From<&Region> for Place {
    fn from(region: &Region) -> Self {
        let kind = match region.kind {
            Kind::Missing => "missing",
            Kind::Added => "added",
            Kind::Changed => "changed",
        };
        Self {
            x_mm: region.x_mm,
            y_mm: region.y_mm,
            width_mm: region.width_mm,
            height_mm: region.height_mm,
            kind: kind.to_owned(),
        }
    }
}

/// Central's answer.
#[derive(Deserialize)]
struct Told {
    records: Vec<ToldRecord>,
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
    pub(crate) source: FetchTarget,
    pub(crate) sealing: SealingKey,
    pub(crate) machine: MachineId,
    /// Its turns: a scan takes as much memory as a document.
    pub(crate) documents: Arc<Documents>,
}

impl PaperDesk {
    /// Holds the sheet in `scan` against the record of `job`, or of the document whose QR code it bears, in the name
    /// of `by`.
    ///
    /// # Errors
    /// [`PaperFault`]
    pub(crate) async fn ask(
        &self,
        scan: Zeroizing<Vec<u8>>,
        job: Option<JobId>,
        by: String,
    ) -> Result<PaperReport, PaperFault> {
        let _turn = self.documents.turn().await;
        let read = blocking(move || {
            let pixels = raster::image(&scan)?;
            let codes = match job {
                Some(_named) => Vec::new(),
                None => codes_of(&pixels),
            };
            Ok::<_, RasterError>((pixels, codes))
        });
        let (pixels, codes) = read.await.ok_or(PaperFault::Ended)??;
        if job.is_none() && codes.is_empty() {
            return Err(PaperFault::NoKey);
        }
        let asked = FindRecord {
            version: 1,
            codes_sha256: codes.iter().map(|code| Sha256Digest::of(code)).collect(),
            job_id: job,
            by,
        };
        let told = self.find(&asked).await?;
        let key = (self.machine.clone(), self.sealing.clone());
        let compared = blocking(move || best(&told.records, &key, &pixels));
        compared.await.ok_or(PaperFault::Ended)?
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
        let answer = submit(timeouts, &self.source, submission, MAX_ANSWER_BYTES).await?;
        if answer.status != 200 {
            return Err(PaperFault::Answer(answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|_other| PaperFault::Answer(answer.status))
    }
}

/// The record and page that the sheet resembles most.
fn best(
    told: &[ToldRecord],
    key: &(MachineId, SealingKey),
    scan: &Gray,
) -> Result<PaperReport, PaperFault> {
    if told.is_empty() {
        return Err(PaperFault::NoRecord);
    }
    let mut best: Option<(Comparison, Known<'_>)> = None;
    for told in told {
        let record = opened(told, key)?;
        for (page, at) in record.pages.iter().zip(1_u32..) {
            let known = Known {
                told,
                page: at,
                fonts_inside: record.fonts_inside,
            };
            let fingerprint =
                Fingerprint::from_bytes(&page.fingerprint).map_err(|_other| PaperFault::Broken)?;
            let Ok(comparison) = compare::scan(&fingerprint, scan) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|(best, _known)| is_nearer(&comparison, best))
            {
                best = Some((comparison, known));
            }
        }
    }
    let (comparison, known) = best.ok_or(PaperFault::Broken)?;
    Ok(report(&comparison, known))
}

/// A page of a record.
#[derive(Clone, Copy)]
struct Known<'a> {
    told: &'a ToldRecord,
    page: u32,
    fonts_inside: bool,
}

fn opened(
    told: &ToldRecord,
    (machine, sealing): &(MachineId, SealingKey),
) -> Result<MatchRecord, PaperFault> {
    let binding = RecordBinding {
        recipient: machine.as_str(),
        machine,
        job: told.job_id,
    };
    let sealed = BASE64.decode(told.sealed.as_bytes());
    let sealed = sealed.map_err(|_other| PaperFault::Broken)?;
    let plain = sealing.open_record(&binding, &sealed);
    let plain = plain.map_err(|_other| PaperFault::Broken)?;
    MatchRecord::decode(&plain).map_err(|_other| PaperFault::Broken)
}

fn is_nearer(one: &Comparison, other: &Comparison) -> bool {
    let rank = |it: &Comparison| match it.verdict {
        Verdict::Same => 2_u8,
        Verdict::Different => 1,
        Verdict::CannotTell(_) => 0,
    };
    let (mine, theirs) = (rank(one), rank(other));
    mine > theirs || (mine == theirs && one.regions.len() < other.regions.len())
}

fn report(comparison: &Comparison, known: Known<'_>) -> PaperReport {
    let Known { told, page, .. } = known;
    let fonts = (Trouble::PaperFonts.id(), Trouble::PaperFonts.sentence());
    let (verdict, reason) = match comparison.verdict {
        Verdict::Same => ("same", None),
        // Honest sheets differ as well then (docs/adr/0035).
        Verdict::Different if !known.fonts_inside => ("cannot_tell", Some(fonts)),
        Verdict::Different => ("different", None),
        Verdict::CannotTell(reason) => ("cannot_tell", Some((reason.code(), reason.sentence()))),
    };
    let regions = comparison.regions.iter().take(MAX_REGIONS_TOLD);
    PaperReport {
        verdict: verdict.to_owned(),
        code: reason.map(|(code, _sentence)| code.to_owned()),
        message: reason.map(|(_code, sentence)| sentence.to_owned()),
        job_id: told.job_id,
        printed_at: told.printed_at.clone(),
        machine: told.machine.clone(),
        page,
        regions: regions.map(Place::from).collect(),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            let is_panic = error.is_panic();
            tracing::error!(is_panic, "reading a doubted sheet ended without an answer");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use loket_paper::fingerprint;
    use loket_wire::{RecordPage, Timestamp};

    use super::*;
    use crate::identity::OsRandom;

    /// A card that brings its fonts along.
    const CARD: &[u8] = include_bytes!("../../tests/fixtures/kk-embedded-unsigned.pdf");

    /// The card with one digit of its number changed: its content stands in clear.
    fn forged() -> Vec<u8> {
        let mut forged = CARD.to_vec();
        let number = b"(No. 9971";
        let at = forged.windows(number.len()).position(|it| it == number);
        let at = at.unwrap() + number.len() + 3;
        forged[at] = if forged[at] == b'8' { b'3' } else { b'8' };
        forged
    }

    /// A scan with the blur and the noise of any scan; what else scanners do is the matter of loket-paper's tests.
    fn scan_of(document: &[u8]) -> Gray {
        let mut scan = raster::render(document, 0, 200).unwrap();
        let width = usize::try_from(scan.width).unwrap();
        let sharp = scan.pixels.clone();
        let (mut noise, last) = (1_u32, sharp.len() - width - 1);
        for (at, pixel) in scan
            .pixels
            .iter_mut()
            .enumerate()
            .take(last)
            .skip(width + 1)
        {
            let around = [at - width, at - 1, at, at + 1, at + width];
            let sum: u16 = around.iter().map(|it| u16::from(sharp[*it])).sum();
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let speckle = u16::try_from(noise >> 29).unwrap();
            *pixel = u8::try_from((sum / 5).saturating_sub(speckle)).unwrap();
        }
        scan
    }

    fn told(sealing: &SealingKey, machine: &MachineId, fonts_inside: bool) -> ToldRecord {
        let page = raster::render(CARD, 0, fingerprint::DPI).unwrap();
        let job = JobId::from_parts(1, [1; 10]);
        let record = MatchRecord {
            job_id: job,
            revision_sha256: Sha256Digest::of(CARD),
            made_at: Timestamp::UNIX_EPOCH,
            fonts_inside,
            codes: Vec::new(),
            pages: vec![RecordPage {
                fingerprint: fingerprint::of(&page).unwrap().to_bytes(),
            }],
        };
        let binding = RecordBinding {
            recipient: machine.as_str(),
            machine,
            job,
        };
        let public = sealing.public().unwrap();
        let plain = record.encode().unwrap();
        let mut random = OsRandom::default();
        ToldRecord {
            job_id: job,
            machine: machine.clone(),
            printed_at: "2026-11-26T00:00:00Z".to_owned(),
            sealed: BASE64.encode(&public.seal_record(&binding, &plain, &mut random).unwrap()),
        }
    }

    #[test]
    fn a_changed_digit_is_a_difference_only_where_the_document_brings_its_fonts_along() {
        let key: (MachineId, SealingKey) = (
            "desa-contoh-1".parse().unwrap(),
            SealingKey::from_bytes([5; 32]),
        );
        let (same, changed) = (scan_of(CARD), scan_of(&forged()));
        for fonts_inside in [true, false] {
            let told = [told(&key.1, &key.0, fonts_inside)];
            let report = best(&told, &key, &same).unwrap();
            assert_eq!(report.verdict, "same", "{report:?}");
            let report = best(&told, &key, &changed).unwrap();
            assert!(!report.regions.is_empty());
            let (verdict, code) = match fonts_inside {
                true => ("different", None),
                false => ("cannot_tell", Some("C-114".to_owned())),
            };
            assert_eq!((report.verdict.as_str(), report.code), (verdict, code));
        }
    }

    #[test]
    fn what_central_tells_for_another_machine_does_not_open() {
        let key: (MachineId, SealingKey) = (
            "desa-contoh-1".parse().unwrap(),
            SealingKey::from_bytes([5; 32]),
        );
        let other = "desa-contoh-2".parse().unwrap();
        let told = told(&key.1, &other, true);
        assert!(matches!(opened(&told, &key), Err(PaperFault::Broken)));
    }
}
