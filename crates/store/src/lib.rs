//! Central's truth: jobs, machines and what happened to them, in SQL behind one trait.
//!
//! [`Store`] is what central uses; [`SqliteStore`] serves it from one file. Every call is one transaction that is on
//! disk when the call returns, with its rows of the append-only, hash-chained history in it.
//!
//! The calls block: an async caller runs them on its blocking threads. One connection serves all of them, one after
//! the other.
//!
//! What is never in here: labels, codes, NIK, KK numbers, names, document bytes, keys that open a document, tokens in
//! clear. SQLite keeps deleted content in its file and log, so central's own sealed copy (`<job>.key`, `<job>.blob`)
//! lies in files beside the store, and only the facts of a job are rows.

mod actor;
mod aside;
mod error;
mod history;
mod job;
mod machine;
mod record;
mod report;
mod retention;
mod size;
mod sqlite;
mod stock;
mod store;
mod token;
mod trust;

pub use actor::Actor;
pub use aside::{AsideCount, KEPT_A_CODE, LOCAL_JOBS_KEPT};
pub use error::{StoreError, TextError};
pub use history::{Front, HistoryRow, HistoryVerdict, KnownLine, Note};
pub use job::{
    AskDue, AskRound, CancelOutcome, DueOffers, IdempotencyKey, Inserted, Intake, JobCursor,
    JobFacts, JobFilter, JobNumber, JobPage, JobRow, MAX_PAGE_JOBS, NewJob, Offer, Offerable,
    Origin, Pick, SameDocument, Search, Span,
};
pub use machine::{Counts, DeviceRow, LastHeartbeat, MachineRow, SealTo};
pub use record::{CodeKey, LookReason, Looker, MAX_FOUND, RecordRow, Sought};
pub use report::{AckPoint, Ingested, JobNow, SyncOutcome, Taken};
pub use retention::{ASIDE_KEPT, LEDGER_KEPT, LINE_WAITS, Purged};
pub use size::{BYTES_A_JOB, Fullness, MAX_FILE_BYTES, StoreSize};
pub use sqlite::SqliteStore;
pub use stock::{STOCK_KEPT, StockHistory};
pub use store::Store;
pub use token::{Role, TokenRow, UnknownRole};
pub use trust::TrustRow;
