//! Offers: an order sealed to its machine, recorded, then rung.

use loket_domain::dispatch::Way;
use loket_store::{JobRow, MachineRow, Offer, Offerable, StoreError};
use loket_wire::sealed::SealingPublic;
use loket_wire::topic::Channel;
use loket_wire::{Blob, Command, Epoch, MachineId, PrintOrder, Timestamp};
use tokio::time::Instant;

use super::{DispatchError, Dispatcher};
use crate::clock::now;
use crate::documents::{DocumentError, OfferedEnvelope};
use crate::machines::RecordError;
use crate::metrics::count;
use crate::office::{Office, RosterError, is_store_wide};
use crate::random::SystemRandomness;

/// Offers made in one round: what the link has room for at once, so that reports are read in between.
const OFFERS_A_ROUND: u32 = 16;

/// Offers of one machine in a round: a quarter, so that one with a long queue leaves room for three others.
const OFFERS_A_MACHINE: u32 = OFFERS_A_ROUND / 4;

/// What became of one job that was due.
enum Prepared {
    /// Ready to be sent.
    Ready(Box<PrintOrder>),
    /// Due no more: a report, a cancel or a new journal was faster.
    Overtaken,
    /// Its machine has no record that central may use.
    NoRecord(RecordError),
    /// What belongs to the job is broken.
    Broken(DispatchError),
}

impl Dispatcher {
    /// Offers what is due, for one machine or for all; the store says what that is.
    ///
    /// What cannot be offered is put off, so that each round gets further than the one before.
    pub(super) async fn offer(&mut self, machine: Option<MachineId>) -> Result<(), DispatchError> {
        let closed = self.links.closed().await;
        if closed.len() == self.links.count() {
            return Ok(());
        }
        let (mut without_machines, without_jobs) = self.put_off.at(Instant::now());
        // What waits for a broker that is down must not stand before what does not.
        without_machines.extend(self.machines_at(&closed));
        let asked = Offerable {
            machine,
            without_machines,
            without_jobs,
            a_machine: OFFERS_A_MACHINE,
            limit: OFFERS_A_ROUND,
        };
        let due = self
            .blocking(move |office| {
                let due = office.store.offerable(&asked, now());
                due.map_err(DispatchError::Store)
            })
            .await?;
        let mut has_moved = false;
        for (job, at) in due.damaged {
            tracing::error!(job.id = %job, "job not offered: its row is damaged");
            self.put_off.job(job, at, Instant::now());
            has_moved = true;
        }
        for row in due.jobs {
            let way = self.way_to(&row.facts.machine, row.job.offer_count);
            if !self.links.has_room(way).await {
                continue;
            }
            let (job, at) = (row.facts.id, row.facts.machine.clone());
            let prepared = self.prepared(row).await?;
            has_moved |= !matches!(prepared, Prepared::Overtaken);
            match prepared {
                Prepared::Ready(order) => self.ring(way, &order)?,
                Prepared::Overtaken => {}
                Prepared::NoRecord(error) => {
                    tracing::warn!(machine.id = %at, error = %crate::chain(&error), "no offers for this machine");
                    self.put_off.machine(at, Instant::now());
                }
                Prepared::Broken(error) => {
                    tracing::error!(job.id = %job, error = %crate::chain(&error), "job not offered");
                    self.put_off.job(job, at, Instant::now());
                }
            }
        }
        // A round that moved nothing would be the same again.
        if has_moved {
            self.office.offer_bell.notify_one();
        }
        Ok(())
    }

    /// Prepares one job. Only what concerns every job is an error: one that is broken, or that makes the program
    /// panic, must not stop the others.
    async fn prepared(&self, row: JobRow) -> Result<Prepared, DispatchError> {
        match self.blocking(move |office| prepare(office, &row)).await {
            Err(DispatchError::Store(error)) if is_store_wide(&error) => {
                Err(DispatchError::Store(error))
            }
            Err(DispatchError::Roster(RosterError::Store(error))) if is_store_wide(&error) => {
                Err(DispatchError::Store(error))
            }
            Err(error) => Ok(Prepared::Broken(error)),
            Ok(prepared) => Ok(prepared),
        }
    }

    fn ring(&self, way: Way, order: &PrintOrder) -> Result<(), DispatchError> {
        let command = Command::Print(Box::new(order.clone()));
        let topic = Channel::Command(command.kind().to_owned()).topic(&order.machine);
        let body = command.encode().map_err(DispatchError::Encode)?;
        let expiry = order.not_after.since(order.issued_at);
        match self.publish(way, &topic, &body, expiry)? {
            Ok(()) => {
                count(&self.office.tally.offered);
                tracing::info!(job.id = %order.job_id, machine.id = %order.machine, command.seq = order.seq, "job offered");
            }
            // It stays offered in the store and comes due again.
            Err(error) => tracing::warn!(job.id = %order.job_id, %error, "offer not sent"),
        }
        Ok(())
    }
}

/// Seals the order where it must be and records the offer.
fn prepare(office: &Office, row: &JobRow) -> Result<Prepared, DispatchError> {
    let now = now();
    // What a person gave to its machine by hand has no document here; it is never due.
    let Some(intake) = &row.intake else {
        return Ok(Prepared::Overtaken);
    };
    match office.record(&row.facts.machine) {
        Ok(_record) => {}
        Err(RosterError::Record(error)) => return Ok(Prepared::NoRecord(error)),
        Err(error) => return Err(DispatchError::Roster(error)),
    }
    let machine = office
        .store
        .machine(&row.facts.machine)
        .map_err(DispatchError::Store)?;
    let Some((machine, epoch)) = machine.and_then(|row| row.epoch.map(|epoch| (row, epoch))) else {
        return Ok(Prepared::Overtaken);
    };
    let offered = envelope(office, row, &machine, epoch)?;
    match office.store.mark_offered(row.facts.id, epoch, now) {
        Ok(offer) => {
            let order = order(row, intake.blob, offer, offered, now);
            Ok(Prepared::Ready(Box::new(order)))
        }
        // Somebody was faster: a report, a cancel, a new journal.
        Err(
            StoreError::Refused(_) | StoreError::EpochChanged { .. } | StoreError::NoSuchJob { .. },
        ) => Ok(Prepared::Overtaken),
        Err(error) => Err(DispatchError::Store(error)),
    }
}

/// The envelope that was offered before, where it still binds; else a new one, kept before it is offered.
fn envelope(
    office: &Office,
    row: &JobRow,
    machine: &MachineRow,
    epoch: Epoch,
) -> Result<OfferedEnvelope, DispatchError> {
    let job = row.facts.id;
    if row.job.epoch == Some(epoch)
        && let Some(offered) = office.documents.offered(job)
        && offered.epoch == epoch
        && offered.envelope.key_id == machine.seal_to.key_id
    {
        return Ok(offered);
    }
    let seal = |source| DispatchError::Document(DocumentError::Seal { job, source });
    let secrets = office
        .documents
        .secrets(job, row.facts.not_after, &office.identity)
        .map_err(DispatchError::Document)?;
    let binding = loket_wire::sealed::Binding {
        recipient: row.facts.machine.as_str(),
        job,
        epoch,
        not_after: row.facts.not_after,
    };
    let mut random = SystemRandomness::new();
    let public = SealingPublic::parse(&machine.seal_to.public_key).map_err(seal)?;
    let envelope = public.seal(&binding, &secrets, &mut random).map_err(seal)?;
    random
        .check()
        .map_err(|error| DispatchError::Document(error.into()))?;
    let offered = OfferedEnvelope {
        v: 1,
        epoch,
        envelope,
    };
    office
        .documents
        .keep_offered(job, &offered)
        .map_err(DispatchError::Document)?;
    Ok(offered)
}

fn order(
    row: &JobRow,
    blob: Blob,
    offer: Offer,
    offered: OfferedEnvelope,
    now: Timestamp,
) -> PrintOrder {
    let facts = &row.facts;
    PrintOrder {
        job_id: facts.id,
        seq: offer.command_seq,
        machine: facts.machine.clone(),
        epoch: offer.epoch,
        issued_at: now,
        not_after: facts.not_after,
        verified_at: row.job.created_at,
        reference: facts.reference.clone(),
        service: facts.service.clone(),
        class: facts.class,
        release: facts.release,
        envelope: offered.envelope,
        blob,
    }
}
