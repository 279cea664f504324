//! The journal of one machine: events and reports on disk before anything happens.
//!
//! It stores bytes and knows no event. One transaction holds a batch: events, the reports
//! (outbox rows) that follow from them, the streams that they close, and small settings. A batch
//! is on disk (WAL, `synchronous=FULL`) before [`Journal::append`] answers.
//!
//! *Shape:* a **stream** is the events of one thing, for instance of one job. It is open until a
//! batch closes it; a start reads the events of open streams alone. Closed streams fold into one
//! **ledger** row each, later ([`Journal::sweep_closed`]). The **outbox** is what central has
//! not acknowledged; its sequence numbers begin at 1 and are never given twice, whatever dies. A
//! journal file has an **epoch**, drawn by the caller when the file is made: (epoch, seq) names
//! a report for good.
//!
//! One thread owns the only writing connection. It drains what is queued into one transaction,
//! each batch under its own savepoint, so one flush serves all and a bad batch fails alone.

mod append;
mod batch;
mod checksum;
mod error;
mod file;
mod integrity;
mod journal;
mod ledger;
mod outbox;
mod replay;
mod stats;
mod writer;

pub use batch::{
    Appended, Batch, CloseStream, MAX_BATCH_BYTES, MAX_BATCH_ROWS, MAX_EVENT_BYTES, MAX_META_BYTES,
    MAX_NAME_BYTES, MAX_REPORT_BYTES, NewEvent, NewReport,
};
pub use error::JournalError;
pub use file::{MAX_FILE_BYTES, Opened, set_aside};
pub use integrity::{Integrity, check_integrity, check_integrity_while};
pub use journal::Journal;
pub use ledger::{LedgerRow, MAX_SWEEP_STREAMS, SweepCuts, Swept, SweptTo};
pub use outbox::{MAX_OUTBOX_PAGE, OutboxRow, OutboxSpan};
pub use replay::{MAX_LISTED, StoredEvent, StreamState};
pub use stats::Stats;
