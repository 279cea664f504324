//! The words of EN 319 102-1 for what was found.
//!
//! # Source
//! ETSI EN 319 102-1, 5.1.3, tables 4 to 6.

use serde::Serialize;

use crate::code::{Code, Weight};

/// The outcome of a validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum Indication {
    /// Every check passed.
    TotalPassed,
    /// The document is not what was signed.
    TotalFailed,
    /// What is at hand is not enough to tell.
    Indeterminate,
}

/// Why a validation did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "the standard's own words; its tables 5 and 6 explain them"
)]
pub enum SubIndication {
    FormatFailure,
    HashFailure,
    SigCryptoFailure,
    Revoked,
    Expired,
    NotYetValid,
    SigConstraintsFailure,
    ChainConstraintsFailure,
    CertificateChainGeneralFailure,
    CryptoConstraintsFailure,
    PolicyProcessingError,
    SignaturePolicyNotAvailable,
    TimestampOrderFailure,
    NoSigningCertificateFound,
    NoCertificateChainFound,
    RevokedNoPoe,
    RevokedCaNoPoe,
    OutOfBoundsNoPoe,
    OutOfBoundsNotRevoked,
    RevocationOutOfBoundsNoPoe,
    CryptoConstraintsFailureNoPoe,
    NoPoe,
    TryLater,
    SignedDataNotFound,
    Generic,
}

/// Why each finding leaves a document undecided or fails it; what is not here is [`SubIndication::FormatFailure`] where it
/// is invalid and [`SubIndication::Generic`] where it is not, as the standard has no word for what this reader does not
/// read.
const REASONS: [(SubIndication, &[Code]); 16] = [
    (SubIndication::HashFailure, &[Code::DigestMismatch]),
    (SubIndication::SigCryptoFailure, &[Code::SignatureBroken]),
    (
        SubIndication::CryptoConstraintsFailure,
        &[
            Code::AlgorithmRefused,
            Code::AlgorithmUnsupported,
            Code::KeyTooShort,
            Code::KeyTooLong,
        ],
    ),
    (
        SubIndication::NoSigningCertificateFound,
        &[Code::SignerMissing],
    ),
    (
        SubIndication::NoCertificateChainFound,
        &[Code::NoChain, Code::NoAnchors],
    ),
    (
        SubIndication::OutOfBoundsNoPoe,
        &[
            Code::OutOfValidity,
            Code::CertificateUnproved,
            Code::AnchorEnded,
        ],
    ),
    (
        SubIndication::OutOfBoundsNotRevoked,
        &[Code::EndedUnrevoked],
    ),
    (
        SubIndication::ChainConstraintsFailure,
        &[Code::SignerUsage, Code::AuthorityUsage],
    ),
    (
        SubIndication::CertificateChainGeneralFailure,
        &[
            Code::ConstraintBroken,
            Code::ConstraintUnsupported,
            Code::CriticalExtension,
            Code::UnknownToIssuer,
        ],
    ),
    (
        SubIndication::RevokedNoPoe,
        &[Code::Revoked, Code::RevokedKey],
    ),
    (SubIndication::RevokedCaNoPoe, &[Code::RevokedAuthority]),
    (
        SubIndication::TryLater,
        &[
            Code::RevocationMissing,
            Code::RevocationStale,
            Code::RevocationPartialMissing,
        ],
    ),
    (
        SubIndication::RevocationOutOfBoundsNoPoe,
        &[Code::RevocationUnprovedMissing],
    ),
    (
        SubIndication::SigConstraintsFailure,
        &[
            Code::SignerStranger,
            Code::StampMissing,
            Code::StampBroken,
            Code::Unvouched,
        ],
    ),
    (
        SubIndication::PolicyProcessingError,
        &[Code::SignersMissing],
    ),
    (SubIndication::TimestampOrderFailure, &[Code::StampOrder]),
];

/// As above, for time stamps that prove nothing.
const NO_PROOF: [Code; 2] = [Code::StampUntrusted, Code::StampVague];

impl Code {
    /// What this finding alone makes of a document, in the words of EN 319 102-1. A note leaves it passed.
    ///
    /// `REVOKED`, `EXPIRED` and `NOT_YET_VALID` are never said: they accuse, and docs/adr/0011 says why a revoked or ended
    /// certificate accuses nobody.
    #[must_use]
    pub fn indication(self) -> (Indication, Option<SubIndication>) {
        let named = REASONS.iter().find(|(_sub, codes)| codes.contains(&self));
        let named = named.map(|(sub, _codes)| *sub);
        let named = named.or(NO_PROOF.contains(&self).then_some(SubIndication::NoPoe));
        match self.weight() {
            Weight::Note => (Indication::TotalPassed, None),
            Weight::Invalid => (
                Indication::TotalFailed,
                named.or(Some(SubIndication::FormatFailure)),
            ),
            // What a signed document may hold, and what may follow it, is a rule about signatures.
            Weight::Indeterminate if self >= Self::ChangedContent => (
                Indication::Indeterminate,
                named.or(Some(SubIndication::SigConstraintsFailure)),
            ),
            Weight::Indeterminate => (
                Indication::Indeterminate,
                named.or(Some(SubIndication::Generic)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_one_reason_and_those_about_signatures_have_the_standards_own() {
        for code in Code::ALL {
            let rows = REASONS.iter().filter(|(_sub, codes)| codes.contains(code));
            let rows = rows.count() + usize::from(NO_PROOF.contains(code));
            assert!(rows <= 1, "{code}");
            let (indication, sub) = code.indication();
            assert_eq!(
                sub.is_none(),
                indication == Indication::TotalPassed,
                "{code}"
            );
            let is_of_signature = *code >= Code::CmsMalformed;
            if is_of_signature && code.weight() == Weight::Indeterminate {
                assert_ne!(sub, Some(SubIndication::Generic), "{code}");
            }
            if code.weight() == Weight::Note {
                assert_eq!(rows, 0, "{code}: a note passes, so it needs no reason");
            }
        }
    }

    #[test]
    fn the_words_are_the_standards() {
        let text = |code: Code| serde_json::to_string(&code.indication()).unwrap();
        assert_eq!(
            text(Code::DigestMismatch),
            r#"["TOTAL-FAILED","HASH_FAILURE"]"#
        );
        assert_eq!(
            text(Code::OutOfValidity),
            r#"["INDETERMINATE","OUT_OF_BOUNDS_NO_POE"]"#
        );
        assert_eq!(
            text(Code::EndedUnrevoked),
            r#"["INDETERMINATE","OUT_OF_BOUNDS_NOT_REVOKED"]"#
        );
        assert_eq!(text(Code::TimeClaimed), r#"["TOTAL-PASSED",null]"#);
    }
}
