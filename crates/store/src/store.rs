//! The trait that central uses; PostgreSQL can serve it as well.

use std::collections::BTreeMap;

use loket_domain::dispatch::Answer;
use loket_wire::enrolment::MachineRecord;
use loket_wire::{
    Epoch, Event, Heartbeat, JobId, MachineId, MachineState, Sha256Digest, Sync as MachineSync,
    Timestamp,
};

use crate::actor::Actor;
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
use crate::size::StoreSize;
use crate::stock::StockHistory;
use crate::token::TokenRow;
use crate::trust::TrustRow;

/// Central's truth. Every call blocks and is one transaction, on disk when it returns.
///
/// Calls about one machine's reports and syncs are made in the order in which the link delivered them; the store
/// does not put them in order.
///
/// # Errors
/// Every call: [`StoreError::Full`], [`StoreError::Busy`], [`StoreError::Corrupt`] and [`StoreError::Io`] when the
/// store could not read or write. What else a call can answer stands with it.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Takes a job in, or says which job stands in its way.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`]; [`StoreError::Text`] when the reprint's reason could hold a personal number;
    /// [`StoreError::Reserved`] when what room is left is kept for reports.
    fn insert_job(
        &self,
        new: &NewJob,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Inserted, StoreError>;

    /// What stands in the way of a job, and would be answered instead of taking it in.
    ///
    /// # Errors
    /// Those of every call.
    fn standing_in_the_way(&self, new: &NewJob) -> Result<Option<Inserted>, StoreError>;

    /// One job.
    ///
    /// # Errors
    /// Those of every call.
    fn job(&self, id: JobId) -> Result<Option<JobRow>, StoreError>;

    /// Other jobs of the same signed revision, latest first, where that one or this was given by hand; at most twenty.
    /// Nobody is refused for them: a person should see that a sheet may be out twice.
    ///
    /// # Errors
    /// Those of every call.
    fn same_document(&self, job: JobId) -> Result<Vec<SameDocument>, StoreError>;

    /// A page of jobs, newest first; those whose reference begins with a text, by their references.
    ///
    /// # Errors
    /// Those of every call.
    fn jobs(&self, filter: &JobFilter) -> Result<JobPage, StoreError>;

    /// Jobs of the machine that may belong to the span, oldest first: not ended before it, and taken in before its end.
    /// When central first heard of a job that was given by hand says nothing of that.
    ///
    /// # Errors
    /// Those of every call.
    fn jobs_in(
        &self,
        machine: &MachineId,
        span: Span,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError>;

    /// How many jobs the filter takes; its page and limit do not count.
    ///
    /// # Errors
    /// Those of every call.
    fn count_jobs(&self, filter: &JobFilter) -> Result<u64, StoreError>;

    /// Jobs that may be offered at `now`, oldest first: created or offered, due, not past `not_after`, their machine
    /// online (its state, not its will), heard within [`OFFLINE_AFTER`] and its journal epoch known.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// [`OFFLINE_AFTER`]: loket_domain::dispatch::OFFLINE_AFTER
    fn offerable(&self, asked: &Offerable, now: Timestamp) -> Result<DueOffers, StoreError>;

    /// Records that the job's order is handed to the link, and draws the machine's next command number for it.
    ///
    /// Called before the order is published. `epoch` is the one that the envelope is bound to. An envelope must be
    /// sealed anew only when `job.epoch` of the row is not the machine's; else the same envelope bytes are sent again,
    /// because other bytes for the same job are a replay to the machine.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`]; [`StoreError::EpochChanged`]; [`StoreError::Refused`].
    fn mark_offered(&self, job: JobId, epoch: Epoch, now: Timestamp) -> Result<Offer, StoreError>;

    /// Notes that the job's machine asks for the sealed document, before the first byte is served: only a machine
    /// that has the order on its disk asks. A journal lost before its first report came through then makes the job
    /// unknown, never due again.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`].
    fn document_asked(&self, job: JobId, now: Timestamp) -> Result<(), StoreError>;

    /// Calls a job off, or records that its machine is asked to.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`]. A rule's no is an outcome, not an error.
    fn request_cancel(
        &self,
        job: JobId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<CancelOutcome, StoreError>;

    /// Records what a person found of a job that is `unknown (journal-lost)`; no other job is answered at central, and
    /// none as having no sheet while its machine may hold a copy.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`]; [`StoreError::Refused`].
    fn resolve_lost(
        &self,
        job: JobId,
        answer: Answer,
        by: &Actor,
        now: Timestamp,
    ) -> Result<JobNow, StoreError>;

    /// What machines that are online are to be asked again, at most `limit` a call: whatever they owe an answer to.
    ///
    /// # Errors
    /// Those of every call.
    fn ask_due(
        &self,
        now: Timestamp,
        without: &[MachineId],
        limit: u32,
    ) -> Result<AskRound, StoreError>;

    /// Takes it from a person that the machine is out of service and prints nothing any more: what it held is
    /// `unknown (journal-lost)` and waits for an answer. Answers those jobs. A machine that comes back is believed again.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`].
    fn write_off(
        &self,
        machine: &MachineId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Expires created and offered jobs whose `not_after` has passed, at most `limit` a call.
    ///
    /// # Errors
    /// Those of every call.
    fn expire_due(&self, now: Timestamp, limit: u32) -> Result<Vec<JobId>, StoreError>;

    /// Ended jobs whose sealed copy at central is not yet known to be erased, at most `limit`.
    ///
    /// # Errors
    /// Those of every call.
    fn secrets_to_drop(&self, limit: u32) -> Result<Vec<JobId>, StoreError>;

    /// Records that central's sealed copy of an ended job is erased.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`].
    fn mark_secrets_dropped(&self, job: JobId, now: Timestamp) -> Result<(), StoreError>;

    /// Takes one report. A report about a job that is not this machine's is set aside, and one about a job that is not
    /// known, unless it says that a person gave it to the machine by hand: then the job begins here.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`].
    fn ingest_event(
        &self,
        machine: &MachineId,
        event: &Event,
        now: Timestamp,
    ) -> Result<Ingested, StoreError>;

    /// Sets a report aside that central cannot read; it counts as committed at its place. Beyond [`KEPT_A_CODE`] of
    /// one machine and code it is counted and no row of its own is kept; it is acknowledged all the same.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`]; [`StoreError::Text`] for a code that is none.
    ///
    /// [`KEPT_A_CODE`]: crate::KEPT_A_CODE
    fn quarantine_event(
        &self,
        machine: &MachineId,
        epoch: Epoch,
        seq: u64,
        code: &str,
        payload_sha256: Sha256Digest,
        now: Timestamp,
    ) -> Result<Ingested, StoreError>;

    /// Takes what a machine says on connect. `asked_at`: where it answers a question, when central asked it.
    ///
    /// Only such a sync proves that a journal or a job was lost, or that no copy of one is there: any other may be an
    /// older one that a broker kept. Where another means a loss, nothing of that changes and the outcome says that the
    /// machine must be asked.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`].
    fn ingest_sync(
        &self,
        machine: &MachineId,
        sync: &MachineSync,
        asked_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SyncOutcome, StoreError>;

    /// Takes a machine's state or its will; one of an earlier connection than the last known is ignored. Answers whether
    /// it was taken. `is_retained`: the broker says again what it kept, so it is no sign of life.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`].
    fn record_state(
        &self,
        machine: &MachineId,
        state: &MachineState,
        is_retained: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Takes a heartbeat; one of an earlier connection is ignored.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`].
    fn record_heartbeat(
        &self,
        machine: &MachineId,
        heartbeat: &Heartbeat,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Records a sign of life that no other call records, a fetched blob for instance.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMachine`].
    fn record_link_seen(&self, machine: &MachineId, now: Timestamp) -> Result<(), StoreError>;

    /// Records what the authority says of a machine. The sealing key is taken over only when the record's key is
    /// another than in its record before: a machine's own newer key stays.
    ///
    /// # Errors
    /// Those of every call.
    fn upsert_machine(&self, record: &MachineRecord, now: Timestamp) -> Result<(), StoreError>;

    /// One machine.
    ///
    /// # Errors
    /// Those of every call.
    fn machine(&self, id: &MachineId) -> Result<Option<MachineRow>, StoreError>;

    /// All machines with their devices, by id.
    ///
    /// # Errors
    /// Those of every call.
    fn machines(&self) -> Result<Vec<MachineRow>, StoreError>;

    /// Levels and sheets of before, by machine: what forecasts of supplies rest on.
    ///
    /// # Errors
    /// Those of every call.
    fn stock_histories(
        &self,
        now: Timestamp,
    ) -> Result<BTreeMap<MachineId, StockHistory>, StoreError>;

    /// Answers when the store can be read at all; it costs next to nothing.
    ///
    /// # Errors
    /// Those of every call.
    fn check(&self) -> Result<(), StoreError>;

    /// Numbers for `/metrics`.
    ///
    /// # Errors
    /// Those of every call.
    fn counts(&self, now: Timestamp) -> Result<Counts, StoreError>;

    /// What happened to one job, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`].
    fn history(&self, job: JobId) -> Result<Vec<HistoryRow>, StoreError>;

    /// The history from a row on, oldest first, at most `limit` rows: for auditors and exports.
    ///
    /// # Errors
    /// Those of every call.
    fn history_from(&self, seq: u64, limit: u32) -> Result<Vec<HistoryRow>, StoreError>;

    /// Follows the whole chain of digests, from where its oldest lines were removed.
    ///
    /// # Errors
    /// Those of every call; a broken chain is a verdict, not an error.
    fn verify_history(&self) -> Result<HistoryVerdict, StoreError>;

    /// What is known of a line by its number, to compare with a head that was noted elsewhere.
    ///
    /// # Errors
    /// Those of every call.
    fn known_line(&self, seq: u64) -> Result<KnownLine, StoreError>;

    /// Forgets what is past its time: jobs five years after their end, with all that is theirs, and the oldest lines
    /// of the history, whose removal is a line of the history itself. One bounded round; jobs that are not over stay.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the lines to be removed do not follow from each other: a break is never sealed.
    fn purge(&self, now: Timestamp) -> Result<Purged, StoreError>;

    /// How much the store holds and may hold.
    ///
    /// # Errors
    /// Those of every call; [`StoreError::File`] when the log cannot be measured.
    fn size(&self) -> Result<StoreSize, StoreError>;

    /// What was set aside of each machine's reports; machines without any are left out.
    ///
    /// # Errors
    /// Those of every call.
    fn quarantine_counts(&self) -> Result<BTreeMap<MachineId, AsideCount>, StoreError>;

    /// Writes into the history what somebody did or saw that changed no job.
    ///
    /// # Errors
    /// [`StoreError::Text`].
    fn note(
        &self,
        note: &Note,
        job: Option<JobId>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The newest trust bundle that central made.
    ///
    /// # Errors
    /// Those of every call.
    fn trust_bundle(&self) -> Result<Option<TrustRow>, StoreError>;

    /// Draws the serial of a new trust bundle, above all before and above `above`: the moment in milliseconds where that
    /// is enough. It is a line of the history.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] where `above` is beyond all numbers of the store.
    fn begin_trust_bundle(
        &self,
        content_sha256: Sha256Digest,
        above: u64,
        now: Timestamp,
    ) -> Result<TrustRow, StoreError>;

    /// Takes the row of a match record whose sealed bytes lie beside the store; the first one of a job stands. Answers
    /// the one that stands.
    ///
    /// # Errors
    /// Those of every call.
    fn put_record(&self, record: &RecordRow, codes: &[CodeKey]) -> Result<RecordRow, StoreError>;

    /// Finds match records that are within their time, newest first, at most [`MAX_FOUND`], and writes into the history
    /// who asked, where and why.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// [`MAX_FOUND`]: crate::MAX_FOUND
    fn show_records(
        &self,
        sought: &Sought,
        looker: Looker<'_>,
        now: Timestamp,
    ) -> Result<Vec<RecordRow>, StoreError>;

    /// Jobs whose match record is past its time, at most `limit`. Their sealed bytes are erased before
    /// [`Store::drop_record`].
    ///
    /// # Errors
    /// Those of every call.
    fn ended_records(&self, now: Timestamp, limit: u32) -> Result<Vec<JobId>, StoreError>;

    /// Forgets the match record of a job; one that is not there is success.
    ///
    /// # Errors
    /// Those of every call.
    fn drop_record(&self, job: JobId) -> Result<(), StoreError>;

    /// The row of a job's match record, where one is kept.
    ///
    /// # Errors
    /// Those of every call.
    fn record(&self, job: JobId) -> Result<Option<RecordRow>, StoreError>;

    /// Stores a new token.
    ///
    /// # Errors
    /// [`StoreError::TokenNameTaken`]; [`StoreError::Text`].
    fn insert_token(&self, token: &TokenRow, by: &Actor) -> Result<(), StoreError>;

    /// Looks a token up by its digest. The caller asks [`TokenRow::is_good`].
    ///
    /// # Errors
    /// Those of every call.
    fn token_by_hash(&self, token_sha256: Sha256Digest) -> Result<Option<TokenRow>, StoreError>;

    /// All tokens, by name.
    ///
    /// # Errors
    /// Those of every call.
    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError>;

    /// Revokes a token; revoking it again keeps the first stamp.
    ///
    /// # Errors
    /// [`StoreError::NoSuchToken`].
    fn revoke_token(&self, name: &str, by: &Actor, now: Timestamp) -> Result<(), StoreError>;
}
