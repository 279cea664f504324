//! Recovery is a fold over the events of jobs that are not closed.

use loket_domain::core::{Core as _, IllegalEvent};
use loket_domain::print::{Desk, EVENT_VERSION, Event};
use loket_journal::{Journal, JournalError, StoredEvent};
use thiserror::Error;

/// Why the desk cannot be rebuilt.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// The journal cannot be read.
    #[error("read the journal")]
    Journal(#[source] JournalError),
    /// An event was written by a later version of this program. It is left as it is.
    #[error(
        "read event {seq} of the journal: it is of version {version}, this program reads up to {EVENT_VERSION}; \
         install the later program again"
    )]
    TooNew {
        /// Its number.
        seq: u64,
        /// Its version.
        version: u16,
    },
    /// An event is of a shape this program does not read.
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

/// Reads an event of this or an earlier version. A later one may say the same words and mean something else by them, so
/// nothing of it is guessed.
pub(super) fn read(stored: &StoredEvent) -> Result<Event, RecoverError> {
    let (seq, version) = (stored.seq, stored.version);
    if version > EVENT_VERSION {
        return Err(RecoverError::TooNew { seq, version });
    }
    let event: Event = serde_json::from_slice(&stored.bytes)
        .map_err(|source| RecoverError::Shape { seq, source })?;
    if event.v > EVENT_VERSION {
        let version = event.v;
        return Err(RecoverError::TooNew { seq, version });
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The version that the journal has beside the event, and the one inside it.
    fn stored(beside: u16, inside: u16) -> StoredEvent {
        let what = r#""kind":"received","job_id":"0190f3a1-7b2c-7d4e-8f10-0123456789ab","at_ms":0"#;
        let rest = r#""clock_trusted":true,"actor":"machine""#;
        StoredEvent {
            seq: 7,
            stream: "print/x".to_owned(),
            kind: "received".to_owned(),
            version: beside,
            bytes: format!("{{\"v\":{inside},{what},{rest}}}").into_bytes(),
        }
    }

    #[test]
    fn an_event_of_a_later_version_is_refused_in_clear_words_and_never_guessed_at() {
        assert!(read(&stored(EVENT_VERSION, EVENT_VERSION)).is_ok());
        for later in [stored(EVENT_VERSION + 1, 1), stored(1, EVENT_VERSION + 1)] {
            let refused = read(&later).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!(
                    "read event 7 of the journal: it is of version {}, this program reads up to {EVENT_VERSION}; \
                     install the later program again",
                    EVENT_VERSION + 1
                )
            );
        }
    }
}
