//! The handle that the rest of a program holds.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::batch::{Appended, Batch};
use crate::error::JournalError;
use crate::file::{MAX_FILE_BYTES, Opened, open_file, open_memory};
use crate::ledger::{self, LedgerRow, MAX_SWEEP_STREAMS, SweepCuts, Swept, SweptTo};
use crate::outbox::{self, OutboxRow, OutboxSpan};
use crate::replay::{self, StoredEvent, StreamState};
use crate::stats::{self, Stats};
use crate::writer::{QUEUE_LEN, Request, Soundness, Task, serve};

/// A handle to an open journal; clones share it.
///
/// Requests are served in the order in which they were queued: a read sees every append that was
/// queued before it. If all handles are dropped without [`Journal::close`], what was answered
/// stays on disk and the next open sees an unclean stop.
///
/// # Cancel safety
/// A dropped future may or may not have been served: an append may still be committed. Callers
/// that must know do not drop it.
#[derive(Clone, Debug)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    damaged: watch::Receiver<bool>,
    path: Option<Arc<Path>>,
}

impl Journal {
    /// Opens the journal at `path`, or makes it with `fresh_epoch` where there is none, readable
    /// by its owner alone. Brings an older schema up to date. Blocks on the disk.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] for a damaged file ([`crate::set_aside`] is the way out),
    /// [`JournalError::TooNew`] for a later program's file, [`JournalError::File`] if the file
    /// cannot be made, [`JournalError::Full`] without room on the disk.
    pub fn open(path: &Path, fresh_epoch: [u8; 16]) -> Result<(Self, Opened), JournalError> {
        Self::open_bounded(path, fresh_epoch, MAX_FILE_BYTES)
    }

    /// Opens like [`Journal::open`], with a size limit of the caller's: an append beyond
    /// `max_size_bytes` answers [`JournalError::Full`] and keeps nothing.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn open_bounded(
        path: &Path,
        fresh_epoch: [u8; 16],
        max_size_bytes: u64,
    ) -> Result<(Self, Opened), JournalError> {
        let (connection, opened) = open_file(path, fresh_epoch, max_size_bytes)?;
        let journal = Self::start(connection, opened.was_clean, Some(path.into()))?;
        Ok((journal, opened))
    }

    /// Opens a journal in memory, with the same code above it, for tests of what uses a journal.
    ///
    /// # Errors
    /// [`JournalError::Io`] if SQLite has no memory.
    pub fn in_memory(epoch: [u8; 16]) -> Result<Self, JournalError> {
        let (connection, opened) = open_memory(epoch)?;
        Self::start(connection, opened.was_clean, None)
    }

    fn start(
        connection: Connection,
        was_clean: bool,
        path: Option<Arc<Path>>,
    ) -> Result<Self, JournalError> {
        let (requests, receiver) = mpsc::channel(QUEUE_LEN);
        let (known, damaged) = Soundness::new(was_clean);
        let thread = std::thread::Builder::new()
            .name("loket-journal".into())
            .spawn(move || serve(connection, receiver, known))
            .map_err(|error| {
                let path = path.as_deref().unwrap_or_else(|| Path::new(":memory:"));
                JournalError::file("start the writer thread of", path, error)
            })?;
        Ok(Self {
            requests,
            thread: Arc::new(Mutex::new(Some(thread))),
            damaged,
            path,
        })
    }

    /// Stores a batch, all of it or nothing, and answers once it is on disk.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`], [`JournalError::TooManyRows`], [`JournalError::EmptyName`],
    /// [`JournalError::StreamClosed`] and [`JournalError::StreamUnknown`] are the batch's own
    /// fault. [`JournalError::Full`] and [`JournalError::Busy`] pass: nothing was kept. After
    /// [`JournalError::Io`] with a failed commit the batch may or may not be on disk and every
    /// later request answers [`JournalError::NeedsReopen`].
    ///
    /// # Cancel safety
    /// Not cancel-safe: a batch that was queued is committed even if nobody waits for it.
    pub async fn append(&self, batch: Batch) -> Result<Appended, JournalError> {
        batch.check()?;
        let (reply, answer) = oneshot::channel();
        self.send(Request::Append(batch, reply)).await?;
        answer.await.unwrap_or(Err(JournalError::Stopped))
    }

    /// Returns the events of all streams that are not closed, in the order they were appended.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] if a row's checksum does not fit, or those of any read.
    pub async fn open_events(&self) -> Result<Vec<StoredEvent>, JournalError> {
        self.run(|connection| replay::open_events(connection)).await
    }

    /// Returns the events of one stream, open or closed, in order; none for an unknown or swept
    /// one.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] if a row's checksum does not fit, or those of any read.
    pub async fn stream(&self, name: &str) -> Result<Vec<StoredEvent>, JournalError> {
        let name = name.to_owned();
        self.run(move |connection| replay::stream(connection, &name))
            .await
    }

    /// Tells whether a stream is open, closed, swept into the ledger or unknown.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn stream_state(&self, name: &str) -> Result<StreamState, JournalError> {
        let name = name.to_owned();
        self.run(move |connection| replay::stream_state(connection, &name))
            .await
    }

    /// Returns up to `limit` reports with a number above `seq`, in order; at most
    /// [`crate::MAX_OUTBOX_PAGE`], so a caller asks again from the last one it got.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] if a row's checksum does not fit, or those of any read.
    pub async fn outbox_after(&self, seq: u64, limit: u32) -> Result<Vec<OutboxRow>, JournalError> {
        self.run(move |connection| outbox::after(connection, seq, limit))
            .await
    }

    /// Tells which reports are still held, and the highest number ever given.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn outbox_span(&self) -> Result<OutboxSpan, JournalError> {
        self.run(|connection| outbox::span(connection)).await
    }

    /// Deletes the reports up to and with `up_to_seq`, which central has acknowledged, and tells
    /// how many went. Repeating it is harmless.
    ///
    /// # Errors
    /// [`JournalError::SettleAhead`] if that many were never given, and nothing is deleted; or
    /// those of any write.
    pub async fn settle(&self, up_to_seq: u64) -> Result<u64, JournalError> {
        self.run(move |connection| outbox::settle(connection, up_to_seq))
            .await
    }

    /// Returns a setting that a batch stored.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] if its checksum does not fit, or those of any read.
    pub async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let key = key.to_owned();
        self.run(move |connection| replay::meta(connection, &key))
            .await
    }

    /// Counts what the journal holds.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn stats(&self) -> Result<Stats, JournalError> {
        let path = self.path.clone();
        self.run(move |connection| stats::read(connection, path.as_deref()))
            .await
    }

    /// Folds closed streams that are old enough into one ledger row each, and drops ledger rows
    /// that are old enough. `summarise` makes the row's bytes from the stream's events; it must
    /// keep references only, within [`crate::MAX_EVENT_BYTES`]. Where it answers `None` the stream
    /// is left as it is, and a later sweep asks again: until its time as a ledger row would be
    /// over, after which it goes like one, unread.
    ///
    /// At most [`crate::MAX_SWEEP_STREAMS`] streams are looked at in one call, from `after` on;
    /// [`Swept::more`] says to call again, with [`Swept::last`]. The disk's freed pages are used
    /// again; the file does not shrink.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`] for a summary over its limit, or those of any write. Streams
    /// folded before the error stay folded.
    pub async fn sweep_closed(
        &self,
        cuts: SweepCuts,
        after: Option<SweptTo>,
        summarise: impl Fn(&[StoredEvent]) -> Option<Vec<u8>>,
    ) -> Result<Swept, JournalError> {
        let mut streams = self
            .run(move |connection| {
                ledger::closed(connection, cuts.closed_before_ms, after.as_ref())
            })
            .await?;
        let more = streams.len() > MAX_SWEEP_STREAMS;
        streams.truncate(MAX_SWEEP_STREAMS);
        let last = streams.last().cloned();
        let (mut folded_count, mut left_count) = (0, 0);
        for stream in streams {
            let SweptTo { closed_at_ms, name } = stream;
            // A closed stream takes no events: what is read here is what is folded below.
            let summary = summarise(&self.stream(&name).await?);
            let is_past = closed_at_ms < cuts.ledger_before_ms;
            let Some(summary) = summary.or(is_past.then(Vec::new)) else {
                left_count += 1;
                continue;
            };
            self.run(move |connection| ledger::fold(connection, &name, &summary))
                .await?;
            folded_count += 1;
        }
        let (dropped_count, more_rows) = self
            .run(move |connection| ledger::drop_old(connection, cuts.ledger_before_ms))
            .await?;
        Ok(Swept {
            folded_count,
            left_count,
            dropped_count,
            more: more || more_rows,
            last,
        })
    }

    /// Returns the ledger row of a swept stream.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] if its checksum does not fit, or those of any read.
    pub async fn ledger(&self, stream: &str) -> Result<Option<LedgerRow>, JournalError> {
        let stream = stream.to_owned();
        self.run(move |connection| ledger::row(connection, &stream))
            .await
    }

    /// Returns the names of streams behind `after`, in order, that are open or were closed at `since_ms` or later; at most
    /// [`crate::MAX_LISTED`], so a caller asks again from the last one it got.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn stream_names(
        &self,
        since_ms: i64,
        after: &str,
    ) -> Result<Vec<String>, JournalError> {
        let after = after.to_owned();
        self.run(move |connection| replay::names(connection, since_ms, &after))
            .await
    }

    /// Returns the ledger rows behind `after`, by the names of their streams, of those that closed at `since_ms` or later;
    /// at most [`crate::MAX_LISTED`].
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] if a row's checksum does not fit, or those of any read.
    pub async fn ledger_rows(
        &self,
        since_ms: i64,
        after: &str,
    ) -> Result<Vec<LedgerRow>, JournalError> {
        let after = after.to_owned();
        self.run(move |connection| ledger::rows(connection, since_ms, &after))
            .await
    }

    /// Vouches for the file after [`crate::check_integrity`] found it sound, so that a close marks
    /// it as clean. A file that was clean when it was opened needs no word.
    ///
    /// # Errors
    /// [`JournalError::Stopped`] after a close.
    pub async fn vouch(&self) -> Result<(), JournalError> {
        self.send(Request::Vouch).await
    }

    /// Whether any request has met a damaged page or row so far.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        *self.damaged.borrow()
    }

    /// Waits until a request of any handle meets a damaged page or row; for ever on a sound file.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn damaged(&self) {
        let mut seen = self.damaged.clone();
        if seen.wait_for(|is_damaged| *is_damaged).await.is_err() {
            // The journal was closed: it meets nothing any more.
            std::future::pending::<()>().await;
        }
    }

    /// Serves what is queued, marks a sound file as clean, moves the write-ahead log into it and
    /// ends the thread. Other clones then answer [`JournalError::Stopped`].
    ///
    /// A file is sound when it was clean at its opening or was vouched for since
    /// ([`Journal::vouch`]), and no request met damage. Any other stays as after an unclean stop,
    /// so that a stop before the end of a check never hides what the check would have found.
    ///
    /// # Errors
    /// Those of any write; the next open then sees an unclean stop.
    pub async fn close(self) -> Result<(), JournalError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Close(reply)).await?;
        let closed = answer.await.unwrap_or(Err(JournalError::Stopped));
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The thread answered as its last act: this waits for no disk.
            thread.join().map_err(|_| JournalError::Stopped)?;
        }
        closed
    }

    async fn send(&self, request: Request) -> Result<(), JournalError> {
        self.requests
            .send(request)
            .await
            .map_err(|_| JournalError::Stopped)
    }

    /// Runs a function on the connection, in its turn.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (reply, answer) = oneshot::channel();
        let task: Task = Box::new(move |connection, known| {
            let outcome = connection.and_then(work);
            known.note(&outcome);
            // A caller that went away has no use for the answer.
            reply.send(outcome).ok();
        });
        self.send(Request::Run(task)).await?;
        answer.await.unwrap_or(Err(JournalError::Stopped))
    }
}
