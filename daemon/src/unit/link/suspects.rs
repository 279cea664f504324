//! Commands whose reading ended with the whole program: three times, and the command is set aside.
//!
//! Each is journalled before it is read and crossed out with what it came to, so that a command that takes the program
//! down meets its own count after the start. Commands are read one at a time: nobody else is counted.

use loket_journal::{Batch, Journal, JournalError};
use loket_wire::{JobId, Sha256Digest};
use serde::{Deserialize, Serialize};

/// Times one command is tried (DESIGN: a poison order is tried three times).
const MAX_TRIES: u32 = 3;

/// Commands remembered at most, the latest: each stands for crashes of the program.
const MAX_SUSPECTS: usize = 16;

const META_SUSPECTS: &str = "suspect-commands";

/// Commands begun and not ended, oldest first.
#[derive(Debug, Default)]
pub(super) struct Suspects(Vec<Suspect>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Suspect {
    name: String,
    begun_count: u32,
}

impl Suspects {
    /// What an earlier run of the program left.
    pub(super) async fn load(journal: &Journal) -> Result<Self, JournalError> {
        let kept = journal.meta(META_SUSPECTS).await?;
        let suspects = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self(suspects.unwrap_or_default()))
    }

    /// Counts a command that is about to be read; false when it had its share. The count is on disk then.
    pub(super) async fn begin(
        &mut self,
        journal: &Journal,
        name: &str,
    ) -> Result<bool, JournalError> {
        let begun = self.0.iter().find(|suspect| suspect.name == name);
        let begun_count = begun.map_or(0, |suspect| suspect.begun_count);
        if begun_count >= MAX_TRIES {
            return Ok(false);
        }
        self.end(name);
        self.0.push(Suspect {
            name: name.to_owned(),
            begun_count: begun_count.saturating_add(1),
        });
        if self.0.len() > MAX_SUSPECTS {
            self.0.remove(0);
        }
        let written = journal.append(Batch {
            meta: vec![self.meta()],
            ..Batch::default()
        });
        if let Err(error) = written.await {
            self.end(name);
            return Err(error);
        }
        Ok(true)
    }

    /// Crosses a command out; on disk with the next [`Self::meta`].
    pub(super) fn end(&mut self, name: &str) {
        self.0.retain(|suspect| suspect.name != name);
    }

    /// The setting that keeps it.
    pub(super) fn meta(&self) -> (String, Vec<u8>) {
        let bytes = serde_json::to_vec(&self.0).unwrap_or_default();
        (META_SUSPECTS.to_owned(), bytes)
    }
}

/// The name under which a command is counted: the same for each delivery and each offer of it.
pub(super) struct Name {
    pub(super) text: String,
    /// The job that an order is for.
    pub(super) order: Option<JobId>,
}

impl Name {
    /// Kind and job where they can be told, else the body's digest: central signs each offer anew.
    pub(super) fn of(kind: &str, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Head {
            job_id: JobId,
        }
        match serde_json::from_slice::<Head>(body) {
            Ok(head) => Self {
                text: format!("{kind}/{}", head.job_id),
                order: (kind == "print").then_some(head.job_id),
            },
            Err(_unreadable) => Self {
                text: Sha256Digest::of(body).to_string(),
                order: None,
            },
        }
    }
}
