//! What the machine hears: orders, questions to call off, acknowledgements. Everything is checked before it counts.

use std::sync::Arc;

use loket_domain::print::{Actor, Command as Desk, Facts, Intake, Origin, Refusal};
use loket_journal::{Batch, JournalError};
use loket_spool::SpoolError;
use loket_wire::event::{DecodeError, QuarantineReport};
use loket_wire::presence::{Ack, decode};
use loket_wire::sealed::SealError;
use loket_wire::topic::Channel;
use loket_wire::{
    Cancel, Command, JobId, JobReport, JobState, PrintOrder, Reason, Report, Sha256Digest,
    TrustNotice, frame,
};

use super::cancels::standing;
use super::outbound::read_seq;
use super::suspects::Name;
use super::{Cursor, LinkUnit, LinkUnitError, META_CLOCK, META_COMMAND_SEQ};
use crate::clock::Word;
use crate::document::KeyFile;
use crate::shell::stream_of;
use crate::stops::{Stop, pass};
use crate::telemetry::chain;
use crate::trust::OLD_TRUST;
use crate::unit::print::DeskError;

/// Why a message was set aside: the stable codes of `evt/quarantine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quarantine {
    /// The frame's own code.
    Frame(&'static str),
    /// A kind this version does not have.
    UnknownKind,
    /// Not the JSON of its kind.
    Malformed,
    /// For another machine.
    WrongMachine,
    /// For another life of the journal.
    OtherEpoch,
    /// A known id with other bytes, or a job that ended long ago.
    Replay,
    /// Its reading ended the program again and again.
    Poison,
    /// A trust bundle older than the one held.
    OldTrust,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// What it means is on disk; its number may be kept.
    Kept(u64),
    /// It was set aside.
    SetAside,
    /// It is taken, and has no number.
    Noted,
    /// It cannot be kept at present.
    Later,
}

impl Quarantine {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Frame(code) => code,
            Self::UnknownKind => "M-101",
            Self::Malformed => "M-102",
            Self::WrongMachine => "M-103",
            Self::OtherEpoch => "M-104",
            Self::Replay => "M-105",
            Self::Poison => "M-106",
            Self::OldTrust => OLD_TRUST,
        }
    }
}

impl LinkUnit {
    /// Takes one message; true when it may be acknowledged to the broker: what it means is on disk, or nothing ever
    /// will be. Where none is left that waits, a standstill is over.
    pub(super) async fn on_message(
        &self,
        topic: &str,
        payload: &[u8],
        cursor: &mut Cursor,
    ) -> Result<bool, LinkUnitError> {
        let is_taken = self.means(topic, payload, cursor).await?;
        if is_taken && cursor.deferred.is_empty() {
            self.go_on();
        }
        Ok(is_taken)
    }

    async fn means(
        &self,
        topic: &str,
        payload: &[u8],
        cursor: &mut Cursor,
    ) -> Result<bool, LinkUnitError> {
        let Some((machine, channel)) = Channel::parse(topic) else {
            return Ok(true);
        };
        if machine != self.machine {
            return self.quarantine(Quarantine::WrongMachine, payload).await;
        }
        let body = match frame::open(topic, payload, &self.identity.bundle.central_key) {
            Ok(body) => body,
            Err(error) => {
                return self
                    .quarantine(Quarantine::Frame(error.code()), payload)
                    .await;
            }
        };
        match channel {
            Channel::Ack => self.on_ack(&body, cursor).await,
            Channel::Command(kind) => self.on_command(&kind, &body, payload, cursor).await,
            Channel::State | Channel::Heartbeat | Channel::Event(_) | Channel::Sync => Ok(true),
        }
    }

    async fn on_ack(&self, body: &[u8], cursor: &mut Cursor) -> Result<bool, LinkUnitError> {
        pass(Stop::AckArrived);
        let Ok(ack) = decode::<Ack>(body) else {
            return Ok(true);
        };
        if ack.epoch != self.state.epoch {
            return Ok(true);
        }
        let word = Word::Ack {
            seq: ack.seq,
            command_seq: ack.command_seq,
        };
        self.hear(word, ack.at, cursor);
        // What lay in this machine's session at a broker was signed for an earlier connection. A central that names none
        // is taken at its word.
        if ack
            .session_seq
            .is_none_or(|named| named == cursor.session_seq)
        {
            cursor.place.answered();
        }
        if ack.hello.is_some() && ack.hello != cursor.answered {
            cursor.hello = ack.hello;
            cursor.owes_sync = true;
            // Reports of a journal that central did not believe in were not taken.
            cursor.rewind();
        }
        match self.journal.settle(ack.seq).await {
            Ok(gone) if gone > 0 => {
                cursor.republish.reset();
            }
            Ok(_nothing) => {}
            // Central committed more than this journal ever numbered: the journal is an older copy. Nothing is
            // deleted; central learns it from the next sync.
            Err(error) => tracing::warn!(error = %chain(&error), "acknowledgement not applied"),
        }
        pass(Stop::Settled);
        Ok(true)
    }

    /// Reads a command under a journalled count, so that one that takes the program down is tried three times only.
    async fn on_command(
        &self,
        kind: &str,
        body: &[u8],
        payload: &[u8],
        cursor: &mut Cursor,
    ) -> Result<bool, LinkUnitError> {
        let name = Name::of(kind, body);
        match cursor.suspects.begin(&self.journal, &name.text).await {
            Ok(true) => {}
            Ok(false) => {
                let why = (Quarantine::Poison, Reason::Poison);
                return self.set_aside(&name, why, payload).await;
            }
            Err(error) => return self.journal_fault(error),
        }
        let taken = match Command::decode(kind, body) {
            Ok(command) if *command.machine() != self.machine => {
                self.quarantined(Quarantine::WrongMachine, payload).await?
            }
            Ok(Command::Print(order)) => self.on_order(&order, payload, cursor).await?,
            Ok(Command::Cancel(cancel)) => self.on_cancel(&cancel, cursor).await?,
            Ok(Command::Trust(notice)) => self.on_trust(notice, payload).await?,
            Err(DecodeError::UnknownKind) => {
                self.quarantined(Quarantine::UnknownKind, payload).await?
            }
            // A later central may order what this version cannot read: it must not wait for an answer until it expires.
            Err(DecodeError::Malformed) => {
                let why = (Quarantine::Malformed, Reason::Malformed);
                if self.set_aside(&name, why, payload).await? {
                    Taken::SetAside
                } else {
                    Taken::Later
                }
            }
        };
        cursor.suspects.end(&name.text);
        self.keep(taken, cursor).await
    }

    /// Tells central of a command that cannot be read, or was tried often enough. An order is refused with it, unless
    /// the desk holds the job already: then it was the answer that failed, and the job goes on.
    async fn set_aside(
        &self,
        name: &Name,
        (why, reason): (Quarantine, Reason),
        payload: &[u8],
    ) -> Result<bool, LinkUnitError> {
        if let Some(order) = name.order {
            let is_long_over = match self.journal.ledger(&stream_of(order)).await {
                Ok(row) => row.is_some(),
                Err(error) => return self.journal_fault(error),
            };
            match self.desk.job(order).await {
                Ok(None) if is_long_over => {}
                Ok(None) => {
                    let refused = self.desk.report(self.refusal(order, reason)).await;
                    if !matches!(refused, Ok(()) | Err(DeskError::Crowded)) {
                        return self.desk_fault(refused.err());
                    }
                }
                Ok(Some(_known)) => {}
                Err(error) => return self.desk_fault(Some(error)),
            }
        }
        self.quarantine(why, payload).await
    }

    fn refusal(&self, job: JobId, reason: Reason) -> Report {
        let now = self.clock.now();
        Report::Job(JobReport {
            job_id: job,
            state: JobState::Rejected,
            reason: Some(reason),
            attempt: None,
            sheet_count: None,
            actor: None,
            at: now.wall,
            clock_trusted: now.trusted,
            local: None,
        })
    }

    /// Asks the desk to call a job off, unless this very question was answered before and nothing changed since.
    async fn on_cancel(
        &self,
        cancel: &Cancel,
        cursor: &mut Cursor,
    ) -> Result<Taken, LinkUnitError> {
        self.hear(Word::Command(cancel.seq), cancel.issued_at, cursor);
        let (job, seq) = (cancel.job_id, cancel.seq);
        let stood = match self.desk.job(job).await {
            Ok(view) => standing(view.as_ref()),
            Err(error) => return self.desk_fault(Some(error)).map(|_not_now| Taken::Later),
        };
        if cursor.cancels.is_answered(job, seq, stood) {
            return Ok(Taken::Kept(seq));
        }
        let by = Actor::Central;
        match self.desk.submit(Desk::Cancel { job, by }).await {
            Ok(true) => Ok(Taken::Kept(seq)),
            Ok(false) | Err(DeskError::Refused(_) | DeskError::LongOver) => {
                cursor.cancels.keep(job, seq, stood);
                Ok(Taken::Kept(seq))
            }
            Err(error) => self.desk_fault(Some(error)).map(|_not_now| Taken::Later),
        }
    }

    /// Hands on what central says of its trust bundle. One that is older than the bundle held is refused here: nothing
    /// is fetched for it.
    async fn on_trust(&self, notice: TrustNotice, payload: &[u8]) -> Result<Taken, LinkUnitError> {
        match self.documents.trust().serial() {
            Some(held) if notice.serial < held => {
                self.quarantined(Quarantine::OldTrust, payload).await
            }
            Some(held) if notice.serial > held => {
                self.trust_notices.send_replace(Some(notice));
                Ok(Taken::Noted)
            }
            Some(_held) => Ok(Taken::Noted),
            None => self.quarantined(Quarantine::UnknownKind, payload).await,
        }
    }

    async fn on_order(
        &self,
        order: &PrintOrder,
        payload: &[u8],
        cursor: &mut Cursor,
    ) -> Result<Taken, LinkUnitError> {
        pass(Stop::OrderArrived);
        self.hear(Word::Command(order.seq), order.issued_at, cursor);
        if order.epoch != self.state.epoch {
            return self.quarantined(Quarantine::OtherEpoch, payload).await;
        }
        let is_known = match self.desk.job(order.job_id).await {
            Ok(job) => job.is_some(),
            Err(error) => return self.desk_fault(Some(error)).map(|_not_now| Taken::Later),
        };
        let intake = match self.open_order(order, is_known).await {
            Ok(intake) => intake,
            Err(error) => {
                self.stand_still(&chain(&error));
                return Ok(Taken::Later);
            }
        };
        pass(Stop::KeySpooled);
        match self.desk.submit(Desk::Accept(intake)).await {
            Ok(_) => {
                pass(Stop::BeforeMqttAck);
                Ok(Taken::Kept(order.seq))
            }
            Err(error @ DeskError::Refused(Refusal::Replay) | error @ DeskError::LongOver) => {
                tracing::debug!(job.id = %order.job_id, error = %chain(&error), "order refused");
                if !is_known {
                    self.drop_key(order.job_id).await;
                }
                self.quarantined(Quarantine::Replay, payload).await
            }
            Err(error) => self.desk_fault(Some(error)).map(|_not_now| Taken::Later),
        }
    }

    /// Tries the envelope and keeps the key file, so that an accepted order can be opened after any crash.
    ///
    /// Of a job that is known nothing is written: its key stands as long as it is needed, a replay must not exchange
    /// it, and a redelivery must not bring back the key of a document that was destroyed. What stands of a job that is
    /// not known was left by an order that came to nothing, and is replaced; without a journal row it is swept at
    /// start.
    async fn open_order(&self, order: &PrintOrder, is_known: bool) -> Result<Intake, SpoolError> {
        let (identity, documents) = (Arc::clone(&self.identity), Arc::clone(&self.documents));
        let order = order.clone();
        let work = move || {
            let mut facts = Box::new(facts_of(&order));
            let opened = identity.sealing.open(&order.binding(), &order.envelope);
            let reason = match opened {
                Ok(secrets) => {
                    facts.reprint.clone_from(&secrets.reprint);
                    None
                }
                Err(SealError::OtherKey) => Some(Reason::KeyUnknown),
                Err(SealError::Altered | SealError::Key | SealError::Seal) => Some(Reason::Altered),
            };
            if let Some(reason) = reason {
                return Ok(Intake::Bad { facts, reason });
            }
            if is_known {
                return Ok(Intake::Good(facts));
            }
            let file = KeyFile {
                v: 1,
                recipient: order.machine.to_string(),
                job_id: order.job_id,
                epoch: order.epoch,
                not_after: order.not_after,
                envelope: order.envelope.clone(),
            };
            let bytes = serde_json::to_vec(&file).unwrap_or_default();
            match documents.spool.put_key(&order.job_id.to_string(), &bytes) {
                Ok(()) => Ok(Intake::Good(facts)),
                Err(SpoolError::OverQuota { .. }) => Ok(Intake::Bad {
                    facts,
                    reason: Reason::SpoolFull,
                }),
                Err(error) => Err(error),
            }
        };
        // A reader that panics must take this program down as it would without the thread: its count is journalled.
        match tokio::task::spawn_blocking(work).await {
            Ok(intake) => intake,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_stopping) => Err(SpoolError::Io {
                    action: "write",
                    file: "a key file".to_owned(),
                    source: std::io::ErrorKind::Interrupted.into(),
                }),
            },
        }
    }

    /// Removes the key of an order that was not taken; what cannot be removed is swept at the next start.
    async fn drop_key(&self, job: JobId) {
        let documents = Arc::clone(&self.documents);
        let work = move || documents.spool.shred(&job.to_string());
        if let Ok(Err(error)) = tokio::task::spawn_blocking(work).await {
            tracing::warn!(job.id = %job, error = %chain(&error), "key of a refused order not removed");
        }
    }

    /// Crosses the command out and, where it counts, keeps its number and with it the clock.
    async fn keep(&self, taken: Taken, cursor: &Cursor) -> Result<bool, LinkUnitError> {
        let mut meta = vec![cursor.suspects.meta()];
        if let Taken::Kept(seq) = taken {
            let kept = match self.journal.meta(META_COMMAND_SEQ).await {
                Ok(kept) => kept,
                Err(error) => return self.journal_fault(error),
            };
            if kept.is_none_or(|bytes| read_seq(&bytes) < seq) {
                meta.push((META_COMMAND_SEQ.to_owned(), seq.to_le_bytes().to_vec()));
                meta.push((META_CLOCK.to_owned(), self.clock.kept()));
            }
        }
        let appended = self.journal.append(Batch {
            meta,
            ..Batch::default()
        });
        match appended.await {
            Ok(_kept) => Ok(taken != Taken::Later),
            Err(error) => self.journal_fault(error),
        }
    }

    /// A journal without room is waited for; any other fault of it ends the unit.
    fn journal_fault(&self, error: JournalError) -> Result<bool, LinkUnitError> {
        match error {
            JournalError::Full | JournalError::Busy => Ok(self.not_now(&DeskError::Journal(error))),
            JournalError::NotFound { .. }
            | JournalError::File { .. }
            | JournalError::Corrupt
            | JournalError::Io { .. }
            | JournalError::NeedsReopen
            | JournalError::Stopped
            | JournalError::TooNew
            | JournalError::Migrate { .. }
            | JournalError::TooLarge { .. }
            | JournalError::EmptyName { .. }
            | JournalError::TooManyRows { .. }
            | JournalError::StreamClosed { .. }
            | JournalError::StreamUnknown { .. }
            | JournalError::SettleAhead { .. } => Err(LinkUnitError::Journal(error)),
        }
    }

    /// A desk that cannot keep it now, or that has ended before this unit: the message comes again.
    pub(super) fn desk_fault(&self, error: Option<DeskError>) -> Result<bool, LinkUnitError> {
        match error {
            None => Ok(false),
            Some(
                error @ (DeskError::Journal(_)
                | DeskError::Refused(_)
                | DeskError::Gone
                | DeskError::LongOver
                | DeskError::Crowded),
            ) => Ok(self.not_now(&error)),
            Some(error @ (DeskError::Bug | DeskError::Broken | DeskError::Effect)) => {
                Err(LinkUnitError::Desk(error))
            }
        }
    }

    async fn quarantined(&self, why: Quarantine, payload: &[u8]) -> Result<Taken, LinkUnitError> {
        let is_told = self.quarantine(why, payload).await?;
        Ok(if is_told {
            Taken::SetAside
        } else {
            Taken::Later
        })
    }

    async fn quarantine(&self, why: Quarantine, payload: &[u8]) -> Result<bool, LinkUnitError> {
        let code = why.code();
        let report = QuarantineReport {
            code: code.to_owned(),
            payload_sha256: Sha256Digest::of(payload),
            size_bytes: u64::try_from(payload.len()).unwrap_or(u64::MAX),
        };
        tracing::warn!(code, digest = %report.payload_sha256, "a message was refused and set aside");
        match self.desk.report(Report::Quarantine(report)).await {
            // Where very many reports wait already, the log line has to do: a flood must not fill the disk.
            Ok(()) | Err(DeskError::Crowded) => Ok(true),
            Err(error) => self.desk_fault(Some(error)),
        }
    }
}

fn facts_of(order: &PrintOrder) -> Facts {
    Facts {
        job_id: order.job_id,
        origin: Origin::Central {
            command_seq: order.seq,
            epoch: order.epoch,
            envelope: order.envelope.digest(),
            blob: order.blob,
        },
        reference: order.reference.clone(),
        service: order.service.clone(),
        class: order.class,
        release: order.release,
        not_after: order.not_after,
        verified_at: order.verified_at,
        printer: None,
        reprint: None,
    }
}
