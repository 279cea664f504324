//! Since when each printer rests, in the journal: put down in one transaction with what ended the rest before.

use std::collections::BTreeMap;

use loket_domain::exercise::{Rest, rest_after};
use loket_domain::print::{Desk, Event};
use loket_journal::{Batch, Journal, JournalError};
use serde::{Deserialize, Serialize};

const META_RESTS: &str = "rests";

/// Version of the shape below.
const RESTS_VERSION: u16 = 1;

/// The rests of the printers, by lane. What a later version of the program wrote is not guessed at: each rest then begins
/// when its printer is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rests {
    v: u16,
    lanes: BTreeMap<String, Rest>,
}

impl Default for Rests {
    fn default() -> Self {
        Self {
            v: RESTS_VERSION,
            lanes: BTreeMap::new(),
        }
    }
}

impl Rests {
    /// What an earlier run of the program left.
    pub(super) async fn load(journal: &Journal) -> Result<Self, JournalError> {
        let kept = journal.meta(META_RESTS).await?;
        let rests = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let rests = rests.filter(|rests: &Self| rests.v == RESTS_VERSION);
        Ok(rests.unwrap_or_default())
    }

    /// The rest of a lane's printer.
    pub(super) fn of(&self, lane: &str) -> Option<Rest> {
        self.lanes.get(lane).copied()
    }

    /// Follows events that `before` has yet to apply; gives what the journal must hold with them.
    pub(super) fn follow(&mut self, before: &Desk, events: &[Event]) -> Vec<(String, Vec<u8>)> {
        let mut has_changed = false;
        for event in events {
            if let Some((lane, rest)) = rest_after(before, event) {
                self.lanes.insert(lane, rest);
                has_changed = true;
            }
        }
        if has_changed {
            vec![self.meta()]
        } else {
            Vec::new()
        }
    }

    /// Puts down a rest that follows from a look at the printer, of those printers that `desk` has.
    pub(super) async fn note(
        &mut self,
        journal: &Journal,
        desk: &Desk,
        (lane, rest): (String, Rest),
    ) -> Result<(), JournalError> {
        let mut next = self.clone();
        next.lanes.insert(lane, rest);
        // A printer that left the settings takes no room for ever.
        next.lanes.retain(|lane, _rest| desk.lanes().contains(lane));
        let batch = Batch {
            meta: vec![next.meta()],
            ..Batch::default()
        };
        journal.append(batch).await?;
        *self = next;
        Ok(())
    }

    fn meta(&self) -> (String, Vec<u8>) {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        (META_RESTS.to_owned(), bytes)
    }
}
