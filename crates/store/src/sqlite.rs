//! The store in one SQLite file: write-ahead log, `synchronous=FULL`, one connection.

mod aside;
mod chain;
mod column;
mod counts;
mod days;
mod doubts;
mod file;
mod front;
mod job_row;
mod jobs;
mod local;
mod lost;
mod machines;
mod offers;
mod purge;
mod records;
mod reports;
mod sessions;
mod size;
mod stock;
mod syncs;
mod tokens;
mod trust;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use loket_domain::dispatch::Answer;
use loket_wire::enrolment::MachineRecord;
use loket_wire::{
    Epoch, Event, Heartbeat, JobId, MachineId, MachineState, Sha256Digest, Sync as MachineSync,
    Timestamp,
};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::reports::Arrived;
use crate::actor::{Actor, check_text};
use crate::aside::AsideCount;
use crate::error::StoreError;
use crate::history::{HistoryRow, HistoryVerdict, KnownLine, Note};
use crate::job::{
    AskRound, CancelOutcome, DueOffers, Inserted, JobFilter, JobPage, JobRow, NewJob, Offer,
    Offerable, SameDocument, Span,
};
use crate::machine::{Counts, MachineRow};
use crate::record::{CodeKey, Looker, RecordRow, Sought};
use crate::report::{Ingested, JobNow, SyncOutcome};
use crate::retention::Purged;
use crate::size::{MAX_FILE_BYTES, StoreSize};
use crate::stock::StockHistory;
use crate::store::Store;
use crate::token::TokenRow;
use crate::trust::TrustRow;

/// Central's truth in one SQLite file.
///
/// Calls wait for each other: SQLite has one writer, and a flush is what takes the time.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
    /// Where the file lies, to measure its log; none in memory.
    path: Option<PathBuf>,
    max_bytes: u64,
}

impl SqliteStore {
    /// Opens the file, or makes it for its owner alone, and brings it to the present schema.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::TooNew`], [`StoreError::Migrate`], [`StoreError::Corrupt`],
    /// [`StoreError::Busy`], [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_bounded(path, MAX_FILE_BYTES)
    }

    /// Opens as [`SqliteStore::open`] does, with another bound than [`MAX_FILE_BYTES`]. A file that is larger already
    /// stays as large as it is.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`].
    pub fn open_bounded(path: &Path, max_bytes: u64) -> Result<Self, StoreError> {
        let connection = file::open_file(path, max_bytes)?;
        Ok(Self::over(connection, Some(path.to_path_buf()), max_bytes))
    }

    /// Opens a file that another process may be writing, or a copy of one, to be read alone: every call that writes
    /// fails.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`], and [`StoreError::TooOld`].
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let connection = file::open_to_read(path)?;
        let path = Some(path.to_path_buf());
        Ok(Self::over(connection, path, MAX_FILE_BYTES))
    }

    /// A store that lives in memory, for tests.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`].
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Ok(Self::over(file::open_memory()?, None, MAX_FILE_BYTES))
    }

    const fn over(connection: Connection, path: Option<PathBuf>, max_bytes: u64) -> Self {
        Self {
            connection: Mutex::new(connection),
            path,
            max_bytes,
        }
    }

    /// Runs `work` in one transaction; whatever it fails with, nothing of it is kept.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        write_on(&mut self.lock(), work)
    }

    /// The same with a little room beyond the bound: lines that carry old open jobs forward may take more than those
    /// that leave, so a file that is full to the last page could not even forget.
    fn write_to_forget<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let wider = self.max_bytes.saturating_add(file::FORGET_BYTES);
        file::set_max_bytes(&connection, wider)?;
        let answer = write_on(&mut connection, work);
        file::set_max_bytes(&connection, self.max_bytes)?;
        answer
    }

    /// Runs `work` on one state of the file.
    fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let tx = connection
            .transaction()
            .map_err(|error| StoreError::sqlite("begin reading", error))?;
        work(&tx)
    }

    /// A panic in another call rolled its transaction back as it unwound, so the connection is as good as before.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_on<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| StoreError::sqlite("begin", error))?;
    let answer = work(&tx)?;
    tx.commit()
        .map_err(|error| StoreError::sqlite("commit", error))?;
    Ok(answer)
}

/// Longest word of what a person did, in bytes.
const MAX_ACTION_BYTES: usize = 64;

impl Store for SqliteStore {
    fn insert_job(
        &self,
        new: &NewJob,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Inserted, StoreError> {
        self.write(|tx| jobs::insert_job(tx, new, actor, now))
    }

    fn standing_in_the_way(&self, new: &NewJob) -> Result<Option<Inserted>, StoreError> {
        self.read(|tx| jobs::standing_in_the_way(tx, new))
    }

    fn job(&self, id: JobId) -> Result<Option<JobRow>, StoreError> {
        self.read(|tx| jobs::find(tx, id))
    }

    fn jobs(&self, filter: &JobFilter) -> Result<JobPage, StoreError> {
        self.read(|tx| jobs::list(tx, filter))
    }

    fn same_document(&self, id: JobId) -> Result<Vec<SameDocument>, StoreError> {
        self.read(|tx| local::same_document(tx, id))
    }

    fn jobs_in(
        &self,
        machine: &MachineId,
        span: Span,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        self.read(|tx| days::jobs_in(tx, machine, span, limit))
    }

    fn count_jobs(&self, filter: &JobFilter) -> Result<u64, StoreError> {
        self.read(|tx| jobs::count(tx, filter))
    }

    fn offerable(&self, asked: &Offerable, now: Timestamp) -> Result<DueOffers, StoreError> {
        self.read(|tx| offers::offerable(tx, asked, now))
    }

    fn mark_offered(&self, job: JobId, epoch: Epoch, now: Timestamp) -> Result<Offer, StoreError> {
        self.write(|tx| jobs::mark_offered(tx, job, epoch, now))
    }

    fn document_asked(&self, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| jobs::document_asked(tx, job, now))
    }

    fn request_cancel(
        &self,
        job: JobId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<CancelOutcome, StoreError> {
        self.write(|tx| jobs::request_cancel(tx, job, by, now))
    }

    fn resolve_lost(
        &self,
        job: JobId,
        answer: Answer,
        by: &Actor,
        now: Timestamp,
    ) -> Result<JobNow, StoreError> {
        self.write(|tx| lost::resolve_lost(tx, job, answer, by, now))
    }

    fn ask_due(
        &self,
        now: Timestamp,
        without: &[MachineId],
        limit: u32,
    ) -> Result<AskRound, StoreError> {
        self.write(|tx| lost::ask_due(tx, now, without, limit))
    }

    fn write_off(
        &self,
        machine: &MachineId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Vec<JobId>, StoreError> {
        self.write(|tx| lost::write_off(tx, machine, by, now))
    }

    fn expire_due(&self, now: Timestamp, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.write(|tx| jobs::expire_due(tx, now, limit))
    }

    fn secrets_to_drop(&self, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.read(|tx| jobs::secrets_to_drop(tx, limit))
    }

    fn mark_secrets_dropped(&self, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| jobs::mark_secrets_dropped(tx, job, now))
    }

    fn ingest_event(
        &self,
        machine: &MachineId,
        event: &Event,
        now: Timestamp,
    ) -> Result<Ingested, StoreError> {
        self.write(|tx| reports::ingest(tx, machine, Arrived::Read(event), now))
    }

    fn quarantine_event(
        &self,
        machine: &MachineId,
        epoch: Epoch,
        seq: u64,
        code: &str,
        payload_sha256: Sha256Digest,
        now: Timestamp,
    ) -> Result<Ingested, StoreError> {
        let arrived = Arrived::Unreadable {
            epoch,
            seq,
            code,
            payload_sha256,
        };
        self.write(|tx| reports::ingest(tx, machine, arrived, now))
    }

    fn ingest_sync(
        &self,
        machine: &MachineId,
        sync: &MachineSync,
        asked_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SyncOutcome, StoreError> {
        self.write(|tx| syncs::ingest(tx, machine, sync, asked_at, now))
    }

    fn record_state(
        &self,
        machine: &MachineId,
        state: &MachineState,
        is_retained: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|tx| sessions::record_state(tx, machine, state, is_retained, now))
    }

    fn record_heartbeat(
        &self,
        machine: &MachineId,
        heartbeat: &Heartbeat,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(|tx| machines::record_heartbeat(tx, machine, heartbeat, now))
    }

    fn record_link_seen(&self, machine: &MachineId, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| machines::seen(tx, machine, now))
    }

    fn upsert_machine(&self, record: &MachineRecord, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| machines::upsert(tx, record, now))
    }

    fn machine(&self, id: &MachineId) -> Result<Option<MachineRow>, StoreError> {
        self.read(|tx| machines::find(tx, id))
    }

    fn machines(&self) -> Result<Vec<MachineRow>, StoreError> {
        self.read(machines::list)
    }

    fn stock_histories(
        &self,
        now: Timestamp,
    ) -> Result<BTreeMap<MachineId, StockHistory>, StoreError> {
        self.read(|tx| stock::histories(tx, now))
    }

    fn check(&self) -> Result<(), StoreError> {
        self.read(|tx| chain::head(tx).map(|_head| ()))
    }

    fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        self.read(|tx| counts::counts(tx, now))
    }

    fn history(&self, job: JobId) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(|tx| chain::of_job(tx, job))
    }

    fn history_from(&self, seq: u64, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(|tx| chain::from(tx, seq, limit))
    }

    fn verify_history(&self) -> Result<HistoryVerdict, StoreError> {
        // One page a transaction: following years of history must not keep reports waiting.
        let mut followed = chain::Followed::nothing();
        loop {
            match self.read(|tx| chain::follow(tx, followed))? {
                ControlFlow::Continue(further) => followed = further,
                ControlFlow::Break(verdict) => return Ok(verdict),
            }
        }
    }

    fn known_line(&self, seq: u64) -> Result<KnownLine, StoreError> {
        self.read(|tx| front::known_line(tx, seq))
    }

    fn purge(&self, now: Timestamp) -> Result<Purged, StoreError> {
        let rows = self.write_to_forget(|tx| purge::round(tx, now))?;
        self.write_to_forget(|tx| purge::lines(tx, rows, now))
    }

    fn size(&self) -> Result<StoreSize, StoreError> {
        let size = self.read(size::read)?;
        let log_bytes = self.path.as_deref().map_or(Ok(0), size::log_bytes)?;
        Ok(StoreSize { log_bytes, ..size })
    }

    fn quarantine_counts(&self) -> Result<BTreeMap<MachineId, AsideCount>, StoreError> {
        self.read(aside::counts)
    }

    fn note(
        &self,
        note: &Note,
        job: Option<JobId>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Note::Did { action } = note {
            check_text("an action", action, MAX_ACTION_BYTES).map_err(StoreError::Text)?;
        }
        let about = chain::About { job, machine: None };
        self.write(|tx| chain::append_note(tx, about, actor, now, note))
    }

    fn trust_bundle(&self) -> Result<Option<TrustRow>, StoreError> {
        self.read(trust::newest)
    }

    fn begin_trust_bundle(
        &self,
        content_sha256: Sha256Digest,
        above: u64,
        now: Timestamp,
    ) -> Result<TrustRow, StoreError> {
        self.write(|tx| trust::begin(tx, content_sha256, above, now))
    }

    fn put_record(&self, record: &RecordRow, codes: &[CodeKey]) -> Result<RecordRow, StoreError> {
        self.write(|tx| records::put(tx, record, codes))
    }

    fn show_records(
        &self,
        sought: &Sought,
        looker: Looker<'_>,
        now: Timestamp,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.write(|tx| records::show(tx, sought, looker, now))
    }

    fn ended_records(&self, now: Timestamp, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.read(|tx| records::ended(tx, now, limit))
    }

    fn drop_record(&self, job: JobId) -> Result<(), StoreError> {
        self.write_to_forget(|tx| records::drop_ended(tx, job))
    }

    fn record(&self, job: JobId) -> Result<Option<RecordRow>, StoreError> {
        self.read(|tx| records::find(tx, job))
    }

    fn insert_token(&self, token: &TokenRow, by: &Actor) -> Result<(), StoreError> {
        self.write(|tx| tokens::insert(tx, token, by))
    }

    fn token_by_hash(&self, token_sha256: Sha256Digest) -> Result<Option<TokenRow>, StoreError> {
        self.read(|tx| tokens::find(tx, token_sha256))
    }

    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.read(tokens::list)
    }

    fn revoke_token(&self, name: &str, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| tokens::revoke(tx, name, by, now))
    }
}
