//! The verdict and what it rests on, in the shape of `loketd verify --json`.

use loket_wire::{Sha256Digest, Timestamp};
use serde::{Serialize, Serializer};

use crate::code::{Code, Finding, Weight};

/// The three answers of ETSI EN 319 102-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    /// What was found, without repetition, in the order of the codes.
    pub findings: Vec<Finding>,
}

/// What a QR code of the document says; always absent until QR codes are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QrReport {}

/// The verdict on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The heaviest finding decides it.
    pub verdict: Verdict,
    /// Every signature that the document's form fields lead to.
    pub signatures: Vec<SignatureReport>,
    /// What was found about the document as a whole.
    pub findings: Vec<Finding>,
    /// What may be printed; there exactly when the verdict is valid.
    pub revision: Option<SignedRevision>,
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
        let heaviest = signatures
            .iter()
            .flat_map(|signature| signature.findings.iter())
            .chain(findings.iter())
            .map(|finding| finding.code.weight())
            .max();
        let verdict = match heaviest {
            None | Some(Weight::Note) if revision.is_some() && !signatures.is_empty() => {
                Verdict::Valid
            }
            Some(Weight::Invalid) => Verdict::Invalid,
            None | Some(Weight::Note | Weight::Indeterminate) => Verdict::Indeterminate,
        };
        let revision = revision.filter(|_| verdict == Verdict::Valid);
        Self {
            verdict,
            signatures,
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
        assert_eq!(json["revision"]["page_count"], 1);
        assert_eq!(json["qr"], serde_json::json!([]));
    }
}
