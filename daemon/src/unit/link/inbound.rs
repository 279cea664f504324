//! What the machine hears: orders, questions to call off, acknowledgements. Everything is checked before it counts.

use loket_domain::print::{Actor, Command as Desk, Facts, Intake, Origin, Refusal};
use loket_journal::Batch;
use loket_wire::event::{DecodeError, QuarantineReport};
use loket_wire::presence::{Ack, CentralState, decode};
use loket_wire::sealed::SealError;
use loket_wire::topic::{CENTRAL_STATE, Channel};
use loket_wire::{Command, PrintOrder, Reason, Report, Sha256Digest, frame};
use tokio::time::Instant;

use super::outbound::read_seq;
use super::{Cursor, LinkUnit, LinkUnitError, META_CLOCK_FLOOR, META_COMMAND_SEQ};
use crate::document::KeyFile;
use crate::stops::{Stop, pass};
use crate::telemetry::chain;
use crate::unit::print::DeskError;

/// Why a message was set aside: the stable codes of `evt/quarantine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quarantine {
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
}

impl Quarantine {
    const fn code(self) -> &'static str {
        match self {
            Self::Frame(code) => code,
            Self::UnknownKind => "L-101",
            Self::Malformed => "L-102",
            Self::WrongMachine => "L-103",
            Self::OtherEpoch => "L-104",
            Self::Replay => "L-105",
        }
    }
}

impl LinkUnit {
    /// Takes one message; true when it may be acknowledged to the broker: what it means is on disk, or nothing ever
    /// will be.
    pub(super) async fn on_message(
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
            Channel::Command(kind) => match Command::decode(&kind, &body) {
                Ok(command) => self.on_command(command, payload).await,
                Err(DecodeError::UnknownKind) => {
                    self.quarantine(Quarantine::UnknownKind, payload).await
                }
                Err(DecodeError::Malformed) => {
                    self.quarantine(Quarantine::Malformed, payload).await
                }
            },
            Channel::State | Channel::Heartbeat | Channel::Event(_) | Channel::Sync => Ok(true),
        }
    }

    /// Whether central announces itself with a later signed time than before. An old announcement that a broker held
    /// back says nothing.
    pub(super) fn is_central_new(&self, payload: &[u8], cursor: &mut Cursor) -> bool {
        let Ok(body) = frame::open(CENTRAL_STATE, payload, &self.identity.bundle.central_key)
        else {
            return false;
        };
        let Ok(state) = decode::<CentralState>(&body) else {
            return false;
        };
        let is_new = state.online && cursor.central_at.is_none_or(|known| state.at > known);
        if is_new {
            cursor.central_at = Some(state.at);
        }
        is_new
    }

    async fn on_ack(&self, body: &[u8], cursor: &mut Cursor) -> Result<bool, LinkUnitError> {
        pass(Stop::AckArrived);
        let Ok(ack) = decode::<Ack>(body) else {
            return Ok(true);
        };
        self.clock.hear_central(ack.at);
        if ack.epoch != self.state.epoch {
            return Ok(true);
        }
        match self.journal.settle(ack.seq).await {
            Ok(gone) if gone > 0 => {
                cursor.republish_at = Instant::now() + self.republish_after;
            }
            Ok(_nothing) => {}
            // Central committed more than this journal ever numbered: the journal is an older copy. Nothing is
            // deleted; central learns it from the next sync.
            Err(error) => tracing::warn!(error = %chain(&error), "acknowledgement not applied"),
        }
        pass(Stop::Settled);
        Ok(true)
    }

    async fn on_command(&self, command: Command, payload: &[u8]) -> Result<bool, LinkUnitError> {
        if *command.machine() != self.machine {
            return self.quarantine(Quarantine::WrongMachine, payload).await;
        }
        match command {
            Command::Print(order) => self.on_order(&order, payload).await,
            Command::Cancel(cancel) => {
                self.clock.hear_central(cancel.issued_at);
                let asked = Desk::Cancel {
                    job: cancel.job_id,
                    by: Actor::Central,
                };
                match self.desk.submit(asked).await {
                    Ok(_) | Err(DeskError::Refused(_) | DeskError::LongOver) => {
                        self.keep_seq(cancel.seq).await
                    }
                    Err(error @ DeskError::Journal(_)) => Ok(self.not_now(&error)),
                    Err(error) => Err(LinkUnitError::Desk(error)),
                }
            }
        }
    }

    async fn on_order(&self, order: &PrintOrder, payload: &[u8]) -> Result<bool, LinkUnitError> {
        pass(Stop::OrderArrived);
        self.clock.hear_central(order.issued_at);
        if order.epoch != self.state.epoch {
            return self.quarantine(Quarantine::OtherEpoch, payload).await;
        }
        let intake = match self.open_order(order) {
            Ok(intake) => intake,
            Err(error) => {
                tracing::error!(job.id = %order.job_id, error = %chain(&error), "key file not kept; the order stays with the broker");
                return Ok(false);
            }
        };
        pass(Stop::KeySpooled);
        match self.desk.submit(Desk::Accept(intake)).await {
            Ok(_) => {}
            Err(DeskError::Refused(Refusal::Replay) | DeskError::LongOver) => {
                return self.quarantine(Quarantine::Replay, payload).await;
            }
            Err(error @ (DeskError::Journal(_) | DeskError::Refused(_))) => {
                return Ok(self.not_now(&error));
            }
            Err(error) => return Err(LinkUnitError::Desk(error)),
        }
        let kept = self.keep_seq(order.seq).await;
        pass(Stop::BeforeMqttAck);
        kept
    }

    /// Tries the envelope and keeps the key file, so that an accepted order can be opened after any crash.
    ///
    /// A key file without a journal row is swept at start. One that stands already is left alone: a replay must not
    /// exchange the key of a document that is being printed.
    fn open_order(&self, order: &PrintOrder) -> Result<Intake, loket_spool::SpoolError> {
        let facts = Box::new(facts_of(order));
        let reason = match self
            .identity
            .sealing
            .open(&order.binding(), &order.envelope)
        {
            Ok(_secrets) => None,
            Err(SealError::OtherKey) => Some(Reason::KeyUnknown),
            Err(SealError::Altered | SealError::Key | SealError::Seal) => Some(Reason::Altered),
        };
        if let Some(reason) = reason {
            return Ok(Intake::Bad { facts, reason });
        }
        let file = KeyFile {
            v: 1,
            recipient: self.machine.to_string(),
            job_id: order.job_id,
            epoch: order.epoch,
            not_after: order.not_after,
            envelope: order.envelope.clone(),
        };
        let name = order.job_id.to_string();
        let bytes = serde_json::to_vec(&file).unwrap_or_default();
        match self.documents.spool.key(&name) {
            Ok(_stands) => {}
            Err(loket_spool::SpoolError::NotFound { .. }) => {
                self.documents.spool.put_key(&name, &bytes)?
            }
            Err(error) => return Err(error),
        }
        Ok(Intake::Good(facts))
    }

    /// Keeps the highest command number and, with it, the clock's floor.
    async fn keep_seq(&self, seq: u64) -> Result<bool, LinkUnitError> {
        let kept = self
            .journal
            .meta(META_COMMAND_SEQ)
            .await
            .map_err(LinkUnitError::Journal)?;
        if kept.is_some_and(|bytes| read_seq(&bytes) >= seq) {
            return Ok(true);
        }
        let floor = self.clock.floor().unix_ms().to_le_bytes().to_vec();
        let meta = vec![
            (META_COMMAND_SEQ.to_owned(), seq.to_le_bytes().to_vec()),
            (META_CLOCK_FLOOR.to_owned(), floor),
        ];
        let appended = self
            .journal
            .append(Batch {
                meta,
                ..Batch::default()
            })
            .await;
        appended.map_err(LinkUnitError::Journal)?;
        Ok(true)
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
            Ok(()) => Ok(true),
            Err(error @ DeskError::Journal(_)) => Ok(self.not_now(&error)),
            Err(error) => Err(LinkUnitError::Desk(error)),
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
    }
}
