//! What was judged.
//!
//! Words of the verifier's own enums cross as they stand in its JSON (`document`, `TOTAL-PASSED`); pages translate those
//! that they know and show the others as they are.

use loket_verify::{Code, Report, SignatureReport, Verdict, Weight};
use loket_wire::{Sha256Digest, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "a handful are kept at a time, nearly all of them documents"
)]
pub enum Judgement {
    /// A PDF document.
    Document(Document),
    /// A photograph or a scan of paper: no signature can be on it.
    Paper(Paper),
}

/// The whole report about a PDF document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The answer of ETSI EN 319 102-1.
    pub verdict: Verdict,
    /// Its signatures.
    pub signatures: Vec<Signature>,
    /// What was found about the document as a whole.
    pub findings: Vec<Found>,
    /// What may be printed; there exactly when the verdict is valid.
    pub revision: Option<Revision>,
    /// The verdict in the words of EN 319 102-1.
    pub indication: String,
    /// Why, unless it passed.
    pub sub_indication: Option<String>,
    /// Time stamps over the document.
    pub time_stamp_count: usize,
    /// The day of the trust store, where it is known.
    #[serde(rename = "trust_as_of_ms")]
    pub trust_as_of: Option<Timestamp>,
    /// Whether the machine's trust folder is broken and what was last good in it was judged by.
    #[serde(default)]
    pub is_trust_last_good: bool,
    /// Whether its pages were drawn and looked at: without it nobody knows which codes stand there.
    #[serde(default)]
    pub is_looked_at: bool,
    /// Its QR codes.
    pub qr: Vec<Qr>,
    /// How the first changed page was signed and how it looks; for officers alone.
    pub compared: Option<Compared>,
    /// When it was judged.
    #[serde(rename = "judged_at_ms")]
    pub judged_at: Timestamp,
}

/// One page, as it was signed and as the file shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Which, from 1.
    pub page: u32,
    /// Whether the two look different at all.
    pub differs: bool,
    /// The page of the signed revision, PNG in base64.
    pub signed: String,
    /// The page of the whole file, PNG in base64.
    pub whole: String,
}

impl std::fmt::Debug for Compared {
    /// Pages hold everything that must stand in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compared")
            .field("page", &self.page)
            .field("differs", &self.differs)
            .finish_non_exhaustive()
    }
}

/// The signed revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its length.
    pub size_bytes: u64,
    /// Digest of these bytes.
    pub sha256: Sha256Digest,
    /// Digest of those of them that the signature covers: what tells documents apart.
    pub content_sha256: Sha256Digest,
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
    /// What happened afterwards.
    pub changes: String,
    /// The same, revision by revision, oldest first.
    pub revisions: Vec<RevisionChange>,
    /// The baseline level of PAdES, as far as it could be checked.
    pub level: String,
    /// The verdict on it in the words of EN 319 102-1.
    pub indication: String,
    /// Why, unless it passed.
    pub sub_indication: Option<String>,
    /// When it is proved to have been there.
    #[serde(rename = "proven_at_ms")]
    pub proven_at: Option<Timestamp>,
    /// What proves it.
    pub proven_by: Option<String>,
    /// The chain that was judged, signer first.
    pub chain: Vec<Certificate>,
    /// What was known about revocation, signer first.
    pub revocation: Vec<Revocation>,
    /// What was found.
    pub findings: Vec<Found>,
}

/// A certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its subject (RFC 4514).
    pub subject: String,
    /// The first moment of its validity.
    #[serde(rename = "not_before_ms")]
    pub not_before: Timestamp,
    /// The last moment of its validity.
    #[serde(rename = "not_after_ms")]
    pub not_after: Timestamp,
}

/// By what a certificate was found revoked or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Subject of the certificate (RFC 4514).
    pub certificate: String,
    /// Where the data comes from: `trust_store`, `document`.
    pub source: String,
    /// What it is: `crl`, `ocsp`.
    pub form: String,
    /// When its authority said so.
    #[serde(rename = "this_update_ms")]
    pub this_update: Timestamp,
    /// Its age at the moment of asking.
    pub age_seconds: u64,
}

/// What one revision behind the signed one did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionChange {
    /// Which revision of the file; 0 is the oldest.
    pub index: usize,
    /// Objects that it brings.
    pub added: usize,
    /// Objects that it replaces.
    pub overridden: usize,
    /// Objects that it takes away.
    pub freed: usize,
    /// The rules that explain it.
    pub explained_by: Vec<String>,
    /// What was found about it.
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
    /// What an officer reads of it.
    pub sentence: String,
    /// The host it names, escaped, for the officer.
    pub host: Option<String>,
    /// From when on the host rules count that it was judged by.
    #[serde(rename = "hosts_valid_from_ms")]
    pub hosts_valid_from: Timestamp,
    /// The page it stands on, from 1.
    pub page: u32,
    /// All that may be told of it, as `qr` of `loketd verify --json` gives it.
    #[serde(default)]
    pub told: serde_json::Value,
}

impl Document {
    /// The report of the verifier as pages show it.
    #[must_use]
    pub fn of(report: &Report, judged_at: Timestamp) -> Self {
        let signatures = report.signatures.iter();
        Self {
            verdict: report.verdict,
            signatures: signatures.map(Signature::of).collect(),
            findings: found(&report.findings),
            revision: report.revision.as_ref().map(|revision| Revision {
                size_bytes: revision.size_bytes,
                sha256: revision.sha256,
                content_sha256: revision.content_sha256,
                page_count: revision.page_count,
            }),
            indication: word(&report.indication),
            sub_indication: report.sub_indication.as_ref().map(word),
            time_stamp_count: report.time_stamps.len(),
            trust_as_of: report.trust_as_of,
            is_trust_last_good: false,
            is_looked_at: false,
            qr: Vec::new(),
            compared: None,
            judged_at,
        }
    }

    /// The codes of every finding, in their order, each once; they hold nothing that the document says.
    #[must_use]
    pub fn codes(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self.found().collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    fn found(&self) -> impl Iterator<Item = Code> {
        let of_signatures = self.signatures.iter().flat_map(|it| {
            let revisions = it.revisions.iter().flat_map(|revision| &revision.findings);
            it.findings.iter().chain(revisions)
        });
        of_signatures.chain(&self.findings).map(|Found(code)| *code)
    }

    /// The finding that decided the verdict: the heaviest, and of those the first.
    #[must_use]
    pub fn decisive(&self) -> Option<Code> {
        let mut all: Vec<Code> = self.found().collect();
        all.retain(|code| code.weight() > Weight::Note);
        all.sort_by_key(|code| (std::cmp::Reverse(code.weight()), *code));
        all.first().copied()
    }
}

impl Signature {
    fn of(signature: &SignatureReport) -> Self {
        let revisions = signature.revisions.iter().map(|revision| RevisionChange {
            index: revision.index,
            added: revision.added,
            overridden: revision.overridden,
            freed: revision.freed,
            explained_by: revision
                .explained_by
                .iter()
                .map(ToString::to_string)
                .collect(),
            findings: found(&revision.findings),
        });
        let chain = signature.chain.iter().map(|certificate| Certificate {
            subject: certificate.subject.clone(),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
        });
        let revocation = signature.revocation.iter().map(|data| Revocation {
            certificate: data.certificate.clone(),
            source: word(&data.source),
            form: word(&data.form),
            this_update: data.this_update,
            age_seconds: data.age_seconds,
        });
        Self {
            signer: signature.signer.clone(),
            issuer: signature.issuer.clone(),
            signed_at: signature.signed_at,
            is_stamped: signature.is_stamped,
            coverage: word(&signature.coverage),
            changes: word(&signature.changes),
            revisions: revisions.collect(),
            level: word(&signature.level),
            indication: word(&signature.indication),
            sub_indication: signature.sub_indication.as_ref().map(word),
            proven_at: signature.proven_at,
            proven_by: signature.proven_by.as_ref().map(word),
            chain: chain.collect(),
            revocation: revocation.collect(),
            findings: found(&signature.findings),
        }
    }
}

fn found(findings: &[loket_verify::Finding]) -> Vec<Found> {
    findings.iter().map(|finding| Found(finding.code)).collect()
}

/// The verifier's own word for a value of one of its enums.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
