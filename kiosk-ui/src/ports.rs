//! What the pages need of the machine; `daemon` implements it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use loket_verify::{Code, Report};
use loket_wire::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::words::Trouble;

/// Largest document that a page takes.
pub const MAX_DOCUMENT_BYTES: usize = loket_verify::MAX_DOCUMENT_BYTES;

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Bytes that somebody brought; wiped when they are dropped.
pub type Brought = Zeroizing<Vec<u8>>;

/// Who reads the answer, and so how much of it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// A resident: the verdict.
    Resident,
    /// An officer: everything, and pictures of what differs.
    Officer,
}

/// Judges documents.
pub trait VerifyDesk: Send + Sync {
    /// Judges what somebody brought, bounded in time, memory and number. The bytes are gone when it answers.
    ///
    /// # Errors
    /// The [`Trouble`] that the person is told: the document was not judged.
    ///
    /// # Cancel safety
    /// Dropping the future ends the judging and drops the bytes.
    fn verify(&self, document: Brought, reader: Reader) -> Answer<'_, Result<Judgement, Trouble>>;
}

/// A document on a medium that somebody plugged in.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// Which of the folders of the settings it lies under.
    pub folder: usize,
    /// Its path below that folder.
    pub path: std::path::PathBuf,
    /// Its name, for the screen alone.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
}

impl fmt::Debug for MediaFile {
    /// File names hold names of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaFile").finish_non_exhaustive()
    }
}

/// What was found on what is plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Documents, by name, up to a bound.
    pub files: Vec<MediaFile>,
    /// Whether there are more than were looked at.
    pub has_more: bool,
}

/// Reads what somebody plugged in.
pub trait MediaDesk: Send + Sync {
    /// Lists the documents on it.
    fn list(&self) -> Answer<'_, Listing>;

    /// Reads one that was listed, up to one byte more than [`MAX_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`Trouble::MediumGone`]
    fn read(&self, file: MediaFile) -> Answer<'_, Result<Brought, Trouble>>;
}

/// What was judged, in the shape in which the judging process hands it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Judgement {
    /// A PDF document.
    Document(Document),
    /// A photograph or a scan of paper: no signature can be on it.
    Paper(Paper),
}

/// The answer of ETSI EN 319 102-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// TOTAL-PASSED.
    Valid,
    /// TOTAL-FAILED.
    Invalid,
    /// INDETERMINATE.
    Indeterminate,
}

/// The whole report about a PDF document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The answer.
    pub verdict: Verdict,
    /// Its signatures.
    pub signatures: Vec<Signature>,
    /// What was found about the document as a whole.
    pub findings: Vec<Found>,
    /// What may be printed; there exactly when the verdict is valid.
    pub revision: Option<Revision>,
    /// Its QR codes.
    pub qr: Vec<Qr>,
    /// When it was judged.
    #[serde(rename = "judged_at_ms")]
    pub judged_at: Timestamp,
}

/// The signed revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its length.
    pub size_bytes: u64,
    /// Its pages.
    pub page_count: u32,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Subject of the signer's certificate (RFC 4514).
    pub signer: Option<String>,
    /// Its issuer.
    pub issuer: Option<String>,
    /// When it was made.
    #[serde(rename = "signed_at_ms")]
    pub signed_at: Option<Timestamp>,
    /// Whether a time stamp says so, and not the signer alone.
    pub is_stamped: bool,
    /// How much it covers: `document`, `revision`, `unclear`.
    pub coverage: String,
    /// What happened afterwards, in the report's word.
    pub changes: String,
    /// What was found.
    pub findings: Vec<Found>,
}

/// A finding of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found(pub Code);

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id())
    }
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let code = Code::ALL.iter().find(|code| code.id() == id);
        let unknown = || serde::de::Error::custom("a code that this program does not know");
        code.copied().map(Self).ok_or_else(unknown)
    }
}

/// Paper that was photographed or scanned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Paper {
    /// The QR codes on it; none where this machine reads none.
    pub qr: Vec<Qr>,
    /// Whether QR codes were looked for.
    pub is_read: bool,
}

/// Where a QR code leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leads {
    /// To an address of the civil registry.
    Official,
    /// To another address.
    Elsewhere,
    /// To none: it is no address.
    Nowhere,
}

/// A QR code: never followed, only read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qr {
    /// Where it leads.
    pub leads: Leads,
    /// The rule that said so, for the officer.
    pub rule: String,
    /// The host it names, escaped, for the officer.
    pub host: Option<String>,
    /// The page it stands on, from 1.
    pub page: u32,
}

impl Document {
    /// The report of the verifier as pages show it.
    #[must_use]
    pub fn of(report: &Report, judged_at: Timestamp) -> Self {
        let signatures = report.signatures.iter();
        Self {
            verdict: Verdict::of(report.verdict),
            signatures: signatures.map(Signature::of).collect(),
            findings: found(&report.findings),
            revision: report.revision.as_ref().map(|revision| Revision {
                size_bytes: revision.size_bytes,
                page_count: revision.page_count,
            }),
            qr: Vec::new(),
            judged_at,
        }
    }
}

impl Verdict {
    const fn of(verdict: loket_verify::Verdict) -> Self {
        match verdict {
            loket_verify::Verdict::Valid => Self::Valid,
            loket_verify::Verdict::Invalid => Self::Invalid,
            loket_verify::Verdict::Indeterminate => Self::Indeterminate,
        }
    }
}

impl Signature {
    fn of(signature: &loket_verify::SignatureReport) -> Self {
        Self {
            signer: signature.signer.clone(),
            issuer: signature.issuer.clone(),
            signed_at: signature.signed_at,
            is_stamped: signature.is_stamped,
            coverage: match signature.coverage {
                loket_verify::Coverage::Document => "document",
                loket_verify::Coverage::Revision => "revision",
                loket_verify::Coverage::Unclear => "unclear",
            }
            .to_owned(),
            changes: match signature.changes {
                loket_verify::Changes::None => "none",
                loket_verify::Changes::Unexamined => "unexamined",
                loket_verify::Changes::Unknown => "unknown",
            }
            .to_owned(),
            findings: found(&signature.findings),
        }
    }
}

fn found(findings: &[loket_verify::Finding]) -> Vec<Found> {
    findings.iter().map(|finding| Found(finding.code)).collect()
}
