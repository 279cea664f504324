//! The stable codes of findings, what they mean and how much they weigh.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// How much a finding weighs in the verdict; the heaviest one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing; changes no verdict.
    Note,
    /// Nothing speaks against the document, but it cannot be vouched for: `indeterminate`.
    Indeterminate,
    /// The document is not what the signer signed, or was never signed: `invalid`.
    Invalid,
}

macro_rules! codes {
    ($($name:ident $id:literal $weight:ident $text:literal,)+) => {
        /// What was found, as a stable code; codes are never reused for another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $id, "`: ", $text, ".")] $name,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable identifier, for instance `V-302`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// The meaning as a lowercase English fragment, free of data of the document.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// How much it weighs in the verdict.
            #[must_use]
            pub const fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)+ }
            }
        }
    };
}

codes! {
    TooLarge "V-101" Indeterminate "the document is larger than 8 MiB",
    NotPdf "V-102" Invalid "the document does not start as a PDF file does",
    Malformed "V-103" Invalid "the file structure breaks the rules of PDF",
    XrefStream "V-104" Indeterminate "cross-reference streams are not read by this version",
    Encrypted "V-105" Indeterminate "the document is encrypted",
    StructureUnsupported "V-106" Indeterminate "hybrid and linearized files are not read by this version",
    TooComplex "V-107" Indeterminate "the document has more parts than are looked at",
    PageTree "V-108" Indeterminate "the pages cannot be counted",

    Unsigned "V-201" Invalid "the document is not signed",
    ByteRange "V-202" Invalid "the signature does not say properly which bytes it covers",
    Gap "V-203" Invalid "the bytes that the signature leaves out are not the signature itself",
    CoverageEnd "V-204" Invalid "the signed bytes do not end where a revision of the document ends",
    BytesAfter "V-205" Indeterminate "bytes were added after signing and are not examined by this version",
    SignatureKind "V-206" Indeterminate "this kind of signature is not judged by this version",
    Padding "V-207" Invalid "the space after the signature is not filled with zeros",

    CmsMalformed "V-301" Invalid "the signature breaks the rules of CMS",
    DigestMismatch "V-302" Invalid "the document was changed after signing",
    SignatureBroken "V-303" Invalid "the signature was not made with the key of its certificate",
    AttributeMissing "V-304" Invalid "a signed attribute that must be there is missing or stands twice",
    SignerBinding "V-305" Invalid "the signature was made for another certificate than the one shown",
    AlgorithmRefused "V-306" Indeterminate "the signature rests on SHA-1 or MD5, which no longer protect",
    AlgorithmUnsupported "V-307" Indeterminate "the signature algorithm is not known to this version",
    KeyTooShort "V-308" Indeterminate "an RSA key is shorter than 2048 bits",
    Unvouched "V-309" Indeterminate "the signature carries material that nothing vouches for",
    SignerMissing "V-310" Indeterminate "the signature does not hold its signer's certificate",
    AlgorithmsDisagree "V-311" Invalid "the signature names algorithms that contradict each other",

    NoChain "V-401" Indeterminate "no chain leads from the signer to a trusted authority",
    OutOfValidity "V-402" Indeterminate "a certificate was not valid at the moment of judging",
    SignerUsage "V-403" Indeterminate "the certificate is not meant for signing documents",
    AuthorityUsage "V-404" Indeterminate "a certificate of the chain may not issue the next one",
    Revoked "V-405" Invalid "a certificate of the chain is revoked",
    RevocationMissing "V-406" Indeterminate "a required revocation list is missing",
    RevocationStale "V-407" Indeterminate "a required revocation list is out of date",
    RevocationUnknown "V-408" Note "no revocation list is known for a certificate of the chain",
    RevocationOld "V-409" Note "a revocation list is out of date",
    NoAnchors "V-410" Indeterminate "no trusted authority is configured",
    CriticalExtension "V-411" Indeterminate "a certificate has a critical extension that is not known here",

    TimeClaimed "V-501" Note "the time of signing is the signer's own claim",
    StampBroken "V-502" Indeterminate "the time stamp does not belong to the signature",
    StampUntrusted "V-503" Indeterminate "the time stamp's authority cannot be vouched for",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id(), self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// One thing that was found, in JSON `{"code": "V-302", "text": "…"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What was found.
    pub code: Code,
}

impl From<Code> for Finding {
    fn from(code: Code) -> Self {
        Self { code }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = serializer.serialize_struct("Finding", 2)?;
        shape.serialize_field("code", self.code.id())?;
        shape.serialize_field("text", self.code.text())?;
        shape.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_an_identifier_of_its_own_in_rising_order() {
        let ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.is_sorted());
    }
}
