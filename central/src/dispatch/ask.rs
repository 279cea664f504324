//! Questions that are asked again: a machine that holds a copy of what is lost or over here, or owes an answer.

use loket_domain::dispatch::Way;

use super::links::AckDue;
use super::{DispatchError, Dispatcher};
use crate::clock::now;
use crate::office::CancelAsk;

/// Questions in one round, as many as offers: reports are read in between.
const ASKS_A_ROUND: u32 = 16;

impl Dispatcher {
    /// Asks what is due; the store says what that is, and puts each off until the next time.
    pub(super) async fn ask_again(&mut self) -> Result<(), DispatchError> {
        let closed = self.links.closed().await;
        if closed.len() == self.links.count() || !self.links.has_room(Way::Everywhere).await {
            return Ok(());
        }
        // A question to a broker that is down would be used up.
        let without = self.machines_at(&closed);
        let due = self
            .blocking(move |office| {
                let due = office.store.ask_due(now(), &without, ASKS_A_ROUND);
                due.map_err(DispatchError::Store)
            })
            .await?;
        for job in due.damaged {
            tracing::error!(job.id = %job, "a damaged row: its machine is not asked");
        }
        for asked in due.asked {
            let said_count = asked.ask_count.saturating_sub(1);
            let cancel = CancelAsk {
                machine: asked.machine.clone(),
                job: asked.job,
                command_seq: asked.command_seq,
            };
            self.ask_cancel(&cancel, said_count)?;
            if let Some(point) = asked.sync {
                self.ask_for_sync(&asked.machine)?;
                let due = AckDue {
                    point,
                    command_seq: None,
                };
                self.owe_ack(&asked.machine, due, said_count);
            }
        }
        Ok(())
    }
}
