//! What one append carries, with its bounds.

use std::fmt;

use crate::error::JournalError;

/// Largest event, 64 KiB: an event names things by id and digest; a document is never in one.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;
/// Largest report, 32 KiB: it travels in one MQTT payload, and that is at most 32,768 bytes.
pub const MAX_REPORT_BYTES: usize = 32 * 1024;
/// Largest setting, 64 KiB: settings are marks such as the last command's number.
pub const MAX_META_BYTES: usize = 64 * 1024;
/// Most rows in a batch (events, reports, closed streams and settings together): one decision
/// of a core makes a handful.
pub const MAX_BATCH_ROWS: usize = 256;
/// Largest batch, 1 MiB: with the queue's length it bounds the memory of waiting batches.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// Longest name of a stream, kind or key: a UUID or a short word, with room for a prefix.
pub const MAX_NAME_BYTES: usize = 128;

/// One event to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Name of the stream that it belongs to, for instance a job id; never personal data.
    pub stream: String,
    /// Name of the event's type.
    pub kind: String,
    /// Version of the event's disk form.
    pub version: u16,
    /// The event's disk form.
    pub bytes: Vec<u8>,
}

/// One report for central: a row of the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct NewReport {
    /// Name of the report's type.
    pub kind: String,
    /// The report's bytes.
    pub bytes: Vec<u8>,
}

/// Closes a stream: a start does not read it, nothing can be appended to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseStream {
    /// Name of the stream. Closing it again keeps the first stamp.
    pub name: String,
    /// When it closed, in milliseconds since 1970 UTC; [`crate::Journal::sweep_closed`] compares it.
    pub at_ms: i64,
}

/// What one transaction stores: all of it or nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Events, in order. The first event of a new name opens that stream.
    pub events: Vec<NewEvent>,
    /// Reports, in order.
    pub reports: Vec<NewReport>,
    /// Streams that close after this batch's events.
    pub close_streams: Vec<CloseStream>,
    /// Settings by key; an existing key is overwritten.
    pub meta: Vec<(String, Vec<u8>)>,
}

/// Where a batch landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Sequence number of the batch's last event; without events, the highest one ever given (0
    /// in a new journal).
    pub last_event_seq: u64,
    /// Sequence number of the batch's last report, if it had one.
    pub last_report_seq: Option<u64>,
}

impl Batch {
    /// Checks the bounds before the batch takes a place in the queue.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        let row_count =
            self.events.len() + self.reports.len() + self.close_streams.len() + self.meta.len();
        if row_count > MAX_BATCH_ROWS {
            return Err(JournalError::TooManyRows {
                row_count,
                limit_count: MAX_BATCH_ROWS,
            });
        }
        let mut size_bytes = 0;
        for event in &self.events {
            check_name("stream name", &event.stream)?;
            check_name("event kind", &event.kind)?;
            size_bytes += check_size("event", event.bytes.len(), MAX_EVENT_BYTES)?;
        }
        for report in &self.reports {
            check_name("report kind", &report.kind)?;
            size_bytes += check_size("report", report.bytes.len(), MAX_REPORT_BYTES)?;
        }
        for close in &self.close_streams {
            check_name("stream name", &close.name)?;
        }
        for (key, bytes) in &self.meta {
            check_name("setting key", key)?;
            size_bytes += check_size("setting", bytes.len(), MAX_META_BYTES)?;
        }
        check_size("batch", size_bytes, MAX_BATCH_BYTES)?;
        Ok(())
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), JournalError> {
    if name.is_empty() {
        return Err(JournalError::EmptyName { field });
    }
    check_size(field, name.len(), MAX_NAME_BYTES).map(|_| ())
}

fn check_size(
    field: &'static str,
    size_bytes: usize,
    limit_bytes: usize,
) -> Result<usize, JournalError> {
    if size_bytes > limit_bytes {
        return Err(JournalError::TooLarge {
            field,
            size_bytes,
            limit_bytes,
        });
    }
    Ok(size_bytes)
}

/// Stands for bytes in `Debug` output: their number, never the bytes.
pub(crate) struct Redacted<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("stream", &self.stream)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("bytes", &Redacted(&self.bytes))
            .finish()
    }
}

impl fmt::Debug for NewReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewReport")
            .field("kind", &self.kind)
            .field("bytes", &Redacted(&self.bytes))
            .finish()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meta: Vec<_> = self
            .meta
            .iter()
            .map(|(key, bytes)| (key, Redacted(bytes)))
            .collect();
        f.debug_struct("Batch")
            .field("events", &self.events)
            .field("reports", &self.reports)
            .field("close_streams", &self.close_streams)
            .field("meta", &meta)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(size_bytes: usize) -> NewEvent {
        NewEvent {
            stream: "job".into(),
            kind: "received".into(),
            version: 1,
            bytes: vec![7; size_bytes],
        }
    }

    #[test]
    fn bounds_hold_at_the_limit_and_refuse_one_more() {
        let at_limit = Batch {
            events: vec![event(MAX_EVENT_BYTES)],
            ..Batch::default()
        };
        assert!(at_limit.check().is_ok());
        let over = Batch {
            events: vec![event(MAX_EVENT_BYTES + 1)],
            ..Batch::default()
        };
        assert!(matches!(
            over.check(),
            Err(JournalError::TooLarge { field: "event", .. })
        ));
        let rows = Batch {
            events: vec![event(1); MAX_BATCH_ROWS + 1],
            ..Batch::default()
        };
        assert!(matches!(
            rows.check(),
            Err(JournalError::TooManyRows { .. })
        ));
        let whole = Batch {
            events: vec![event(MAX_EVENT_BYTES); 17],
            ..Batch::default()
        };
        assert!(matches!(
            whole.check(),
            Err(JournalError::TooLarge { field: "batch", .. })
        ));
        let nameless = Batch {
            events: vec![NewEvent {
                kind: String::new(),
                ..event(1)
            }],
            ..Batch::default()
        };
        assert!(matches!(
            nameless.check(),
            Err(JournalError::EmptyName {
                field: "event kind"
            })
        ));
    }

    #[test]
    fn debug_output_tells_sizes_and_no_bytes() {
        let batch = Batch {
            events: vec![event(3)],
            meta: vec![("floor".into(), b"secret".to_vec())],
            ..Batch::default()
        };
        let text = format!("{batch:?}");
        assert!(
            text.contains("<3 bytes>") && text.contains("<6 bytes>"),
            "{text}"
        );
        assert!(!text.contains("115") && !text.contains("secret"), "{text}");
    }
}
