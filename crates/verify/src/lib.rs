//! Judges signed PDF documents: bytes in, verdict out.
//!
//! ```text
//! document ─> pdf (own strict reader) ─> fields ─> byterange ─> cms ─> chain + crl ─> Report
//!                └─> pages                           └─> stamp
//! ```
//!
//! It reads no clock, file, socket or environment and draws no random number: document, trust
//! store, policy and moment are arguments, so that a verdict can be replayed anywhere. Work is
//! bounded by named constants, and no input makes it panic. It deliberately knows nothing about
//! what a page shows, whether the document is the newest one, or what its QR code says.
//!
//! Invariants:
//! - [`Verdict::Valid`] is said only of a document of which every byte is either covered by the
//!   signature or checked on its own (the gap that holds the signature itself). What can be
//!   rewritten there without making another document of it (a time stamp taken off, RSA named in
//!   its other spelling) leaves [`SignedRevision::content_sha256`] as it was.
//! - [`Report::revision`] is there exactly when the verdict is valid.
//! - A report holds nothing that the document's pages say.

mod algorithm;
mod asn1;
mod back_end;
mod byterange;
mod certificate;
mod chain;
mod changes;
mod check;
mod cms;
mod code;
mod crl;
#[cfg(test)]
mod draft;
mod fields;
mod hazards;
mod moment;
mod pages;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the view of each revision is for the analysis of changes and of the DSS"
    )
)]
mod pdf;
mod report;
mod signature;
mod stamp;
mod trust;

pub use changes::ChangeLevel;
pub use check::{MAX_DOCUMENT_BYTES, check};
pub use code::{Code, Finding, Weight};
pub use report::{Changes, Coverage, QrReport, Report, RevisionChange, SignatureReport};
pub use report::{SignedRevision, Verdict};
pub use trust::{MAX_TRUST_CERTIFICATES, MAX_TRUST_FILE_BYTES, MAX_TRUST_LISTS};
pub use trust::{Policy, Revocation, Trust, TrustError};
