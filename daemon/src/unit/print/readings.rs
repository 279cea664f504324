//! Documents whose reading ended with the whole program: three times, and the document is set aside.
//!
//! A panic of the reader is caught where it happens. What cannot be caught (no stack left, no memory left) takes the
//! program with it, and would again after each start. So each reading is journalled before it begins; one document is
//! read at a time, so that no innocent neighbour is counted.

use std::collections::BTreeMap;

use loket_journal::{Batch, Journal, JournalError};
use loket_wire::JobId;

/// Readings of one document that may end without an answer (DESIGN: a poison order is tried three times).
const MAX_READINGS: u32 = 3;

/// Documents remembered at most: each stands for one crash of the program.
const MAX_KEPT: usize = 16;

const META_READINGS: &str = "readings";

/// Readings begun and never answered, by job.
#[derive(Debug, Default)]
pub(super) struct Readings(BTreeMap<JobId, u32>);

impl Readings {
    /// What an earlier run of the program left.
    pub(super) async fn load(journal: &Journal) -> Result<Self, JournalError> {
        let kept = journal.meta(META_READINGS).await?;
        let begun = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self(begun.unwrap_or_default()))
    }

    /// Counts a reading that is about to begin; false when the document had its share. The count is on disk then.
    pub(super) async fn begin(
        &mut self,
        journal: &Journal,
        job: JobId,
    ) -> Result<bool, JournalError> {
        let mut next = self.0.clone();
        let begun = next.remove(&job).unwrap_or(0);
        if begun >= MAX_READINGS {
            return Ok(false);
        }
        while next.len() >= MAX_KEPT {
            next.pop_first();
        }
        next.insert(job, begun.saturating_add(1));
        keep(journal, &next).await?;
        self.0 = next;
        Ok(true)
    }

    /// Notes that a reading was answered. It need not be on disk: the answer is, and ends all reading.
    pub(super) fn answered(&mut self, job: JobId) {
        self.0.remove(&job);
    }

    /// Forgets all of it at an orderly end: what was begun in this run did no harm.
    pub(super) async fn close(self, journal: &Journal) -> Result<(), JournalError> {
        if self.0.is_empty() {
            return Ok(());
        }
        keep(journal, &BTreeMap::new()).await
    }
}

async fn keep(journal: &Journal, begun: &BTreeMap<JobId, u32>) -> Result<(), JournalError> {
    let bytes = serde_json::to_vec(begun).unwrap_or_default();
    let batch = Batch {
        meta: vec![(META_READINGS.to_owned(), bytes)],
        ..Batch::default()
    };
    journal.append(batch).await.map(drop)
}
