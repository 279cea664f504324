//! Offers: an order sealed to its machine, recorded, then rung.

use loket_store::{JobRow, MachineRow, Offer, StoreError};
use loket_wire::sealed::SealingPublic;
use loket_wire::topic::Channel;
use loket_wire::{Command, Epoch, MachineId, PrintOrder, Timestamp};

use super::{DispatchError, Dispatcher};
use crate::clock::now;
use crate::documents::{DocumentError, OfferedEnvelope};
use crate::metrics::count;
use crate::office::{Office, RosterError, is_store_wide};
use crate::random::SystemRandomness;

/// Offers made in one round: what the link has room for at once, so that reports are read in between.
const OFFERS_A_ROUND: u32 = 16;

impl Dispatcher {
    /// Offers what is due, for one machine or for all; the store says what that is.
    pub(super) async fn offer(&mut self, machine: Option<MachineId>) -> Result<(), DispatchError> {
        let due = self
            .blocking(move |office| {
                office
                    .store
                    .offerable(machine.as_ref(), now(), OFFERS_A_ROUND)
                    .map_err(DispatchError::Store)
            })
            .await?;
        let is_full_round = u32::try_from(due.len()).is_ok_and(|count| count >= OFFERS_A_ROUND);
        for row in due {
            if !self.has_room().await {
                return Ok(());
            }
            let job = row.facts.id;
            match self.blocking(move |office| prepare(office, &row)).await {
                Ok(Some(order)) => self.ring(&order)?,
                Ok(None) => {}
                // One job whose files or row are broken must not stop the others.
                Err(DispatchError::Store(error)) if !is_store_wide(&error) => {
                    tracing::error!(job.id = %job, error = %crate::chain(&error), "job not offered");
                }
                Err(DispatchError::Document(error)) => {
                    tracing::error!(job.id = %job, error = %crate::chain(&error), "job not offered");
                }
                Err(error) => return Err(error),
            }
        }
        if is_full_round {
            self.office.offer_bell.notify_one();
        }
        Ok(())
    }

    fn ring(&self, order: &PrintOrder) -> Result<(), DispatchError> {
        let command = Command::Print(Box::new(order.clone()));
        let topic = Channel::Command(command.kind().to_owned()).topic(&order.machine);
        let body = command.encode().map_err(DispatchError::Encode)?;
        let expiry = order.not_after.since(order.issued_at);
        match self.publish(&topic, &body, expiry)? {
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

/// Seals the order where it must be, records the offer, and says what to send; `None` when it is no longer due.
fn prepare(office: &Office, row: &JobRow) -> Result<Option<PrintOrder>, DispatchError> {
    let now = now();
    match office.record(&row.facts.machine) {
        Ok(_record) => {}
        Err(RosterError::Record(error)) => {
            tracing::warn!(machine.id = %row.facts.machine, error = %crate::chain(&error), "no offers for this machine");
            return Ok(None);
        }
        Err(error) => return Err(DispatchError::Roster(error)),
    }
    let machine = office
        .store
        .machine(&row.facts.machine)
        .map_err(DispatchError::Store)?;
    let Some((machine, epoch)) = machine.and_then(|row| row.epoch.map(|epoch| (row, epoch))) else {
        return Ok(None);
    };
    let offered = envelope(office, row, &machine, epoch)?;
    match office.store.mark_offered(row.facts.id, epoch, now) {
        Ok(offer) => Ok(Some(order(row, offer, offered, now))),
        // Somebody was faster: a report, a cancel, a new journal.
        Err(
            StoreError::Refused(_) | StoreError::EpochChanged { .. } | StoreError::NoSuchJob { .. },
        ) => Ok(None),
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

fn order(row: &JobRow, offer: Offer, offered: OfferedEnvelope, now: Timestamp) -> PrintOrder {
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
        blob: facts.blob,
    }
}
