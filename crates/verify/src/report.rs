//! The verdict and what it rests on, in the shape of `loketd verify --json`.

use loket_wire::{Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use crate::code::{Code, Finding, Weight};
use crate::indication::{Indication, SubIndication};

/// The three answers of ETSI EN 319 102-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// TOTAL-PASSED: unchanged since signing, and the signer is vouched for.
    Valid,
    /// TOTAL-FAILED: changed, or never signed.
    Invalid,
    /// INDETERMINATE: nothing speaks against it, but it cannot be vouched for.
    Indeterminate,
}

/// How much of the document a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Everything but the signature itself.
    Document,
    /// A whole revision; more bytes follow it.
    Revision,
    /// Not to be told.
    Unclear,
}

/// What happened to the document after a signature was made, the heaviest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Changes {
    /// Nothing was added.
    None,
    /// Evidence for the signature or document time stamps were added, nothing else.
    Archived,
    /// Another signature was added, which covers nothing that was signed before.
    SignedAgain,
    /// Not to be told.
    Unknown,
    /// Something was added or changed that no rule explains.
    Altered,
}

/// What one revision behind the signed one did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionChange {
    /// Which revision of the file; 0 is the oldest.
    pub index: usize,
    /// Bytes from the end of the revision before it to the end of its own `%%EOF`.
    pub size_bytes: usize,
    /// Objects that it brings, its own cross-reference and object streams included.
    pub added: usize,
    /// Objects of older revisions that it replaces.
    pub overridden: usize,
    /// Objects of older revisions that it takes away.
    pub freed: usize,
    /// The rules that explain its objects, by name; those of one revision, each once.
    pub explained_by: Vec<&'static str>,
    /// What was found about it, without repetition, in the order of the codes.
    pub findings: Vec<Finding>,
}

/// The bytes that may be printed: the document from its start to `size_bytes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedRevision {
    /// Length of the signed revision, counted from the document's first byte.
    pub size_bytes: u64,
    /// Digest of these bytes.
    pub sha256: Sha256Digest,
    /// Digest of those of them that the signature covers: the same for all copies of one signed
    /// document, even where somebody rewrote what no signature can cover (a time stamp taken
    /// off, an algorithm named in its other spelling). What tells documents apart.
    pub content_sha256: Sha256Digest,
    /// Pages in the page tree of the signed revision, at least 1.
    pub page_count: u32,
}

/// One signature of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureReport {
    /// Subject of the signer's certificate (RFC 4514), control characters replaced.
    pub signer: Option<String>,
    /// Issuer of the signer's certificate (RFC 4514), control characters replaced.
    pub issuer: Option<String>,
    /// The time stamp's moment where a good one is there, else the signer's claim (`V-501`);
    /// RFC 3339 in JSON.
    #[serde(serialize_with = "rfc3339")]
    pub signed_at: Option<Timestamp>,
    /// Whether `signed_at` is the moment of a time stamp that was checked; else it is the signer's word.
    pub is_stamped: bool,
    /// How much of the document it covers.
    pub coverage: Coverage,
    /// What happened to the document afterwards.
    pub changes: Changes,
    /// The same for each revision behind the one that it covers, oldest first.
    pub revisions: Vec<RevisionChange>,
    /// What EN 319 102-1 says of this signature.
    pub indication: Indication,
    /// Why, unless it passed.
    pub sub_indication: Option<SubIndication>,
    /// The baseline level, as far as it could be checked.
    pub level: Level,
    /// When the signature is proved to have been there: the moment at which its chain was judged. Without it the chain
    /// was judged at the moment of asking.
    #[serde(serialize_with = "rfc3339")]
    pub proven_at: Option<Timestamp>,
    /// What proves it.
    pub proven_by: Option<ProofSource>,
    /// The chain that was judged, signer first; empty where none was found.
    pub chain: Vec<ChainReport>,
    /// What was known about the revocation of each certificate of the chain, signer first.
    pub revocation: Vec<RevocationReport>,
    /// The time stamp inside the signature.
    pub time_stamp: Option<TimeStampReport>,
    /// What was found, without repetition, in the order of the codes.
    pub findings: Vec<Finding>,
}

/// A baseline level of ETSI EN 319 142-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// Signed.
    #[serde(rename = "B-B")]
    B,
    /// A time stamp proves since when.
    #[serde(rename = "B-T")]
    T,
    /// The document also brings the revocation data of its signer's chain.
    #[serde(rename = "B-LT")]
    Lt,
    /// A document time stamp also covers that data.
    #[serde(rename = "B-LTA")]
    Lta,
}

/// What proves the age of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofSource {
    /// The time stamp inside the signature.
    SignatureTimeStamp,
    /// A time stamp over the document.
    DocumentTimeStamp,
}

/// A time stamp: one inside a signature, or one over the document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TimeStampReport {
    /// Subject of its authority's certificate (RFC 4514).
    pub authority: Option<String>,
    /// Issuer of that certificate (RFC 4514).
    pub issuer: Option<String>,
    /// The moment that it names.
    #[serde(serialize_with = "rfc3339")]
    pub moment: Option<Timestamp>,
    /// When a later time stamp proves it to have been there: the moment at which its chain was judged.
    #[serde(serialize_with = "rfc3339")]
    pub proven_at: Option<Timestamp>,
    /// The chain that was judged, its authority first.
    pub chain: Vec<ChainReport>,
    /// What was known about the revocation of each certificate of that chain.
    pub revocation: Vec<RevocationReport>,
    /// What was found; what it means for the document stands with the signature or the document.
    pub findings: Vec<Finding>,
}

/// One certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// Its subject (RFC 4514).
    pub subject: String,
    /// Its issuer (RFC 4514).
    pub issuer: String,
    /// The first moment of its validity.
    #[serde(serialize_with = "rfc3339_of")]
    pub not_before: Timestamp,
    /// The last moment of its validity.
    #[serde(serialize_with = "rfc3339_of")]
    pub not_after: Timestamp,
}

/// The data by which a certificate was found revoked or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevocationReport {
    /// Subject of the certificate in question (RFC 4514).
    pub certificate: String,
    /// Where the data comes from.
    pub source: RevocationSource,
    /// What it is.
    pub form: RevocationForm,
    /// When its authority said so.
    #[serde(serialize_with = "rfc3339_of")]
    pub this_update: Timestamp,
    /// By when its authority says so again.
    #[serde(serialize_with = "rfc3339")]
    pub next_update: Option<Timestamp>,
    /// Its age at the moment of asking, in seconds; 0 for data that is newer.
    pub age_seconds: u64,
}

/// Where revocation data comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationSource {
    /// The trust store.
    TrustStore,
    /// The document.
    Document,
}

/// What revocation data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationForm {
    /// A revocation list (RFC 5280).
    Crl,
    /// A responder's answer (RFC 6960).
    Ocsp,
}

/// Whether this is the newest document of its kind: no signature can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Currency {
    /// Not looked at: a newer document may have replaced this one.
    #[default]
    NotChecked,
}

/// What a QR code of the document says; always absent until QR codes are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QrReport {}

/// The verdict on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The heaviest finding decides it.
    pub verdict: Verdict,
    /// The same in the words of EN 319 102-1.
    pub indication: Indication,
    /// Why, unless it passed: that of the finding that decided.
    pub sub_indication: Option<SubIndication>,
    /// Every signature that the document's form fields lead to.
    pub signatures: Vec<SignatureReport>,
    /// The time stamps over the document, in the order in which they were made.
    pub time_stamps: Vec<TimeStampReport>,
    /// What was found about the document as a whole.
    pub findings: Vec<Finding>,
    /// What may be printed; there exactly when the verdict is valid.
    pub revision: Option<SignedRevision>,
    /// Whether this is the newest document of its kind.
    pub newest_version: Currency,
    /// The day of the trust store, where it is known: what was revoked since is not known here.
    #[serde(serialize_with = "rfc3339")]
    pub trust_as_of: Option<Timestamp>,
    /// The QR codes of the document.
    pub qr: Vec<QrReport>,
}

impl Report {
    /// Puts the verdict together; `revision` is dropped unless the verdict is valid.
    pub(crate) fn conclude(
        signatures: Vec<SignatureReport>,
        codes: &[Code],
        revision: Option<SignedRevision>,
    ) -> Self {
        let findings = findings(codes);
        let of_signatures = signatures.iter();
        let all = of_signatures.flat_map(|signature| signature.findings.iter());
        let decisive = decisive(all.chain(findings.iter()));
        let verdict = match decisive.map(Code::weight) {
            None | Some(Weight::Note) if revision.is_some() && !signatures.is_empty() => {
                Verdict::Valid
            }
            Some(Weight::Invalid) => Verdict::Invalid,
            None | Some(Weight::Note | Weight::Indeterminate) => Verdict::Indeterminate,
        };
        let revision = revision.filter(|_| verdict == Verdict::Valid);
        let (indication, sub_indication) = match verdict {
            Verdict::Valid => (Indication::TotalPassed, None),
            Verdict::Invalid | Verdict::Indeterminate => decisive
                .map(Code::indication)
                .filter(|(indication, _sub)| *indication != Indication::TotalPassed)
                // Nothing speaks against it, and nothing was found that may be printed.
                .unwrap_or((Indication::Indeterminate, Some(SubIndication::Generic))),
        };
        Self {
            verdict,
            indication,
            sub_indication,
            signatures,
            time_stamps: Vec::new(),
            newest_version: Currency::NotChecked,
            trust_as_of: None,
            findings,
            revision,
            qr: Vec::new(),
        }
    }

    /// Whether a code stands anywhere in the report.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        let signatures = self
            .signatures
            .iter()
            .flat_map(|signature| signature.findings.iter());
        signatures
            .chain(self.findings.iter())
            .any(|finding| finding.code == code)
    }
}

/// Findings in the order of their codes, each once.
pub(crate) fn findings(codes: &[Code]) -> Vec<Finding> {
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Finding::from).collect()
}

/// The finding that decides: the heaviest, and among these the first.
fn decisive<'a>(findings: impl Iterator<Item = &'a Finding>) -> Option<Code> {
    let codes = findings.map(|finding| finding.code);
    codes.min_by_key(|code| (std::cmp::Reverse(code.weight()), *code))
}

/// What EN 319 102-1 says of something with these findings.
pub(crate) fn settle(findings: &[Finding]) -> (Indication, Option<SubIndication>) {
    decisive(findings.iter()).map_or((Indication::TotalPassed, None), Code::indication)
}

fn rfc3339_of<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

fn rfc3339<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serializer.collect_str(moment),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(codes: &[Code]) -> SignatureReport {
        SignatureReport {
            signer: Some("CN=Kepala Dinas (CONTOH)".to_owned()),
            issuer: None,
            signed_at: Some(Timestamp::UNIX_EPOCH),
            is_stamped: false,
            coverage: Coverage::Document,
            changes: Changes::None,
            revisions: Vec::new(),
            indication: settle(&findings(codes)).0,
            sub_indication: settle(&findings(codes)).1,
            level: Level::B,
            proven_at: None,
            proven_by: None,
            chain: Vec::new(),
            revocation: Vec::new(),
            time_stamp: None,
            findings: findings(codes),
        }
    }

    fn revision() -> Option<SignedRevision> {
        Some(SignedRevision {
            size_bytes: 0,
            sha256: Sha256Digest::of(b""),
            content_sha256: Sha256Digest::of(b""),
            page_count: 1,
        })
    }

    #[test]
    fn the_heaviest_finding_decides_and_only_a_valid_document_has_a_revision() {
        let check = |of_signature: &[Code], of_document: &[Code], expect: Verdict| {
            let report = Report::conclude(vec![signature(of_signature)], of_document, revision());
            assert_eq!(report.verdict, expect);
            assert_eq!(report.revision.is_some(), expect == Verdict::Valid);
        };
        check(&[], &[], Verdict::Valid);
        check(&[Code::TimeClaimed], &[], Verdict::Valid);
        check(
            &[Code::TimeClaimed, Code::NoChain],
            &[],
            Verdict::Indeterminate,
        );
        check(
            &[Code::NoChain, Code::DigestMismatch],
            &[],
            Verdict::Invalid,
        );
        check(&[], &[Code::PageTree], Verdict::Indeterminate);
        let unsigned = Report::conclude(Vec::new(), &[], revision());
        assert_eq!(
            unsigned.verdict,
            Verdict::Indeterminate,
            "no signature is never valid"
        );
        let lost = Report::conclude(vec![signature(&[])], &[], None);
        assert_eq!(
            lost.verdict,
            Verdict::Indeterminate,
            "no revision is never valid"
        );
    }

    #[test]
    fn a_report_reads_as_the_door_says() {
        let report = Report::conclude(vec![signature(&[Code::TimeClaimed])], &[], revision());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["verdict"], "valid");
        let signature = &json["signatures"][0];
        assert_eq!(signature["signed_at"], "1970-01-01T00:00:00Z");
        assert_eq!(signature["coverage"], "document");
        assert_eq!(signature["changes"], "none");
        assert_eq!(signature["findings"][0]["code"], "V-501");
        assert_eq!(signature["findings"][0]["text"], Code::TimeClaimed.text());
        assert_eq!(signature["indication"], "TOTAL-PASSED");
        assert_eq!(signature["level"], "B-B");
        assert_eq!(json["newest_version"], "not_checked");
        assert_eq!(json["revision"]["page_count"], 1);
        assert_eq!(json["qr"], serde_json::json!([]));
    }
}
