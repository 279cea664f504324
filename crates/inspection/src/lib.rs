//! What is asked about documents and sheets of paper, what is answered, and the process in between that has nothing but
//! memory and time.
//!
//! ```text
//! program ── ask ──► inspector ── give_up ──► reads the parts of the question, works, answers on standard output
//!            ▲                                                                       │
//!            └── the answer, or the fault: ended, too late, too long ◄───────────────┘
//! ```
//!
//! The inspector is a program of its own (`inspector/`): what draws pages and reads codes takes more memory than all else
//! that a daemon holds, and is there while somebody asks. It limits itself before it reads a byte of what somebody
//! brought: limits from outside need code that runs between fork and exec, which is unsafe.
//!
//! ```text
//! input   4 bytes  length of the head, big endian
//!         head     JSON: what is asked, within which limits, the length of each part
//!         parts    one after the other
//! output  JSON, an encoded record, or a raster
//! ```
//! Nothing stands on the command line, where every account of the computer could read it.

mod ask;
mod confined;
mod judgement;
mod question;
mod sheet;

pub use ask::{Fault, Inspector, Question, answer, ask, ask_after};
pub use confined::give_up;
pub use judgement::{
    Certificate, Compared, Document, Found, Judgement, Leads, Paper, Qr, Revision, RevisionChange,
    Revocation, Signature,
};
pub use loket_verify::Verdict;
pub use question::{
    Brief, DOCUMENT_LIMITS, EXIT_NO_DOCUMENT, EXIT_NO_TRUST, EXIT_TOO_LARGE, Head, Limits,
    MAX_BRIEF_BYTES, MAX_HEAD_BYTES, MAX_RASTER_BYTES, MAX_RECORDS, MAX_SCAN_BYTES,
    MAX_TRUST_BYTES, RASTER_LIMITS, Work,
};
pub use sheet::{
    Cut, Held, MAX_CUTS, MAX_HELD_BYTES, MAX_REGIONS, Read, Region, RegionKind, SheetPictures,
    SheetVerdict,
};

/// Largest document that is judged.
pub const MAX_DOCUMENT_BYTES: usize = loket_verify::MAX_DOCUMENT_BYTES;
