//! Recovery is a fold over the events of jobs that are not closed.

use loket_domain::core::{Core as _, IllegalEvent};
use loket_domain::print::{Desk, Event};
use loket_journal::{Journal, JournalError, StoredEvent};
use thiserror::Error;

/// Why the desk cannot be rebuilt.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// The journal cannot be read.
    #[error("read the journal")]
    Journal(#[source] JournalError),
    /// An event is of a version or shape this program does not read.
    #[error("read event {seq} of the journal")]
    Shape {
        /// Its number.
        seq: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An event cannot follow those before it.
    #[error("apply event {seq} of the journal")]
    Illegal {
        /// Its number.
        seq: u64,
        /// Why.
        #[source]
        source: IllegalEvent,
    },
}

/// Rebuilds the desk from the journal.
///
/// # Errors
/// [`RecoverError`]: the journal is not this program's, or damaged.
pub async fn recover(journal: &Journal, lanes: Vec<String>) -> Result<Desk, RecoverError> {
    let mut desk = Desk::new(lanes);
    for stored in journal.open_events().await.map_err(RecoverError::Journal)? {
        apply_stored(&mut desk, &stored)?;
    }
    desk.forget_closed();
    Ok(desk)
}

pub(super) fn apply_stored(desk: &mut Desk, stored: &StoredEvent) -> Result<(), RecoverError> {
    let event = read(stored)?;
    desk.apply(&event).map_err(|source| RecoverError::Illegal {
        seq: stored.seq,
        source,
    })
}

pub(super) fn read(stored: &StoredEvent) -> Result<Event, RecoverError> {
    serde_json::from_slice(&stored.bytes).map_err(|source| RecoverError::Shape {
        seq: stored.seq,
        source,
    })
}
