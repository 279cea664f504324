//! Judges signed PDF documents: bytes in, verdict out.
//!
//! ```text
//! document ─> pdf (own strict reader) ─> fields ─> byterange ─> cms ─> chain ─> signers ─> Report
//!                ├─> pages              │            └─> stamp ─> poe ┘  └─> revocation (crl, ocsp)
//!                └─> dss ───────────────│──────────────────────────────────────┘
//!                                       └─> changes (each revision behind the signed one), hazards (that one)
//! ```
//!
//! It reads no clock, file, socket or environment and draws no random number: document, trust
//! store, policy and moment are arguments, so that a verdict can be replayed anywhere. Work is
//! bounded by named constants, and no input makes it panic. It deliberately knows nothing about
//! what a page shows, whether the document is the newest one, or what its QR code says.
//!
//! Invariants:
//! - [`Verdict::Valid`] is said only of a document of whose signed revision every byte is either covered by the
//!   signature or checked on its own (the gap that holds the signature itself). What can be
//!   rewritten there without making another document of it (a time stamp taken off, RSA named in
//!   its other spelling) leaves [`SignedRevision::content_sha256`] as it was.
//! - [`Report::revision`] is there exactly when the verdict is valid.
//! - What stands behind the signed revision is explained object by object, or the document is not valid.
//! - A report holds nothing that the document's pages say.

mod algorithm;
mod asn1;
mod back_end;
mod ber;
mod byterange;
mod certificate;
mod chain;
mod changes;
mod check;
mod cms;
mod code;
mod constraints;
#[cfg(test)]
mod corpus;
mod crl;
mod digests;
#[cfg(test)]
mod draft;
mod dss;
mod effort;
mod fields;
mod hazards;
mod indication;
mod moment;
mod names;
mod ocsp;
mod pages;
mod pdf;
mod poe;
mod policy;
mod report;
mod revocation;
mod signature;
mod signers;
mod stamp;
mod trust;
mod unseen;

pub use changes::ChangeLevel;
pub use check::{MAX_DOCUMENT_BYTES, check};
pub use code::{Code, Finding, Weight};
pub use indication::{Indication, SubIndication};
pub use policy::{AnchorEnd, KeyPurpose, NotAnOid, Policy, Revocation, TimeStamps};
pub use report::{
    ChainReport, Changes, Coverage, Currency, Level, ProofSource, QrReport, Report, RevisionChange,
    RevocationForm, RevocationReport, RevocationSource, SignatureReport, SignedRevision,
    TimeStampReport, Verdict,
};
pub use signers::{PatternError, PatternText, SignerPattern};
pub use trust::{MAX_TRUST_CERTIFICATES, MAX_TRUST_FILE_BYTES, MAX_TRUST_LISTS};
pub use trust::{Trust, TrustError};
