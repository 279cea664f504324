//! The one thread that owns the connection.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::append::append_group;
use crate::batch::{Appended, Batch};
use crate::error::JournalError;

/// Requests that wait at most: with the largest batch it bounds the waiting bytes to 64 MiB, and
/// a full queue makes callers wait, which slows them to the disk's pace.
pub(crate) const QUEUE_LEN: usize = 64;

/// Most batches in one transaction: all that can wait. One flush then serves them all.
const GROUP_LEN: usize = QUEUE_LEN;

/// Work on the connection that is not an append, with its own answer inside; it gets an error
/// where the connection must not be used, and notes what it met before it answers.
pub(crate) type Task = Box<dyn FnOnce(Result<&mut Connection, JournalError>, &Soundness) + Send>;

pub(crate) type AppendReply = oneshot::Sender<Result<Appended, JournalError>>;

/// What a handle asks of the thread.
pub(crate) enum Request {
    Append(Batch, AppendReply),
    /// A read, or a write with a transaction of its own.
    Run(Task),
    /// The file was checked and is sound.
    Vouch,
    Close(oneshot::Sender<Result<(), JournalError>>),
}

/// What is known of the file: only one that is known to be sound is ever marked as clean.
pub(crate) struct Soundness {
    is_vouched: bool,
    damaged: watch::Sender<bool>,
}

impl Soundness {
    /// A file whose last user closed it is vouched for by that; any other by a check alone.
    pub(crate) fn new(was_clean: bool) -> (Self, watch::Receiver<bool>) {
        let (damaged, seen) = watch::channel(false);
        let known = Self {
            is_vouched: was_clean,
            damaged,
        };
        (known, seen)
    }

    fn may_be_marked(&self) -> bool {
        self.is_vouched && !*self.damaged.borrow()
    }

    /// Notes what a request met, before it is answered: whoever hears of damage finds it known.
    pub(crate) fn note<T>(&self, outcome: &Result<T, JournalError>) {
        if matches!(outcome, Err(JournalError::Corrupt)) {
            self.damaged.send_replace(true);
        }
    }
}

/// Serves requests in the order in which they came, until a close or until no handle is left.
/// Without a close the file stays marked as open, and so does one that nobody vouched for: its next
/// open asks for a check again.
pub(crate) fn serve(
    mut connection: Connection,
    mut requests: mpsc::Receiver<Request>,
    mut known: Soundness,
) {
    let mut needs_reopen = false;
    let mut held = None;
    while let Some(request) = held.take().or_else(|| requests.blocking_recv()) {
        match request {
            Request::Append(batch, reply) => {
                let (group, next) = drain(&mut requests, batch, reply);
                held = next;
                if needs_reopen {
                    answer(group, |_| Err(JournalError::NeedsReopen));
                } else {
                    needs_reopen = commit(&mut connection, group, &known);
                }
            }
            Request::Run(task) if needs_reopen => task(Err(JournalError::NeedsReopen), &known),
            Request::Run(task) => task(Ok(&mut connection), &known),
            Request::Vouch => known.is_vouched = true,
            Request::Close(reply) => {
                let closed = if needs_reopen || !known.may_be_marked() {
                    Ok(())
                } else {
                    mark_clean(&connection)
                };
                let closed = closed.and(close(connection));
                // A caller that went away has no use for the answer.
                reply.send(closed).ok();
                return;
            }
        }
    }
}

/// Takes the appends that wait behind the first one, up to another request, which comes next.
fn drain(
    requests: &mut mpsc::Receiver<Request>,
    batch: Batch,
    reply: AppendReply,
) -> (Vec<(Batch, AppendReply)>, Option<Request>) {
    let mut group = vec![(batch, reply)];
    while group.len() < GROUP_LEN {
        match requests.try_recv() {
            Ok(Request::Append(batch, reply)) => group.push((batch, reply)),
            Ok(other @ (Request::Run(_) | Request::Vouch | Request::Close(_))) => {
                return (group, Some(other));
            }
            Err(_) => break,
        }
    }
    (group, None)
}

/// Commits a group, answers its waiters, and says whether the file must be opened anew.
fn commit(
    connection: &mut Connection,
    group: Vec<(Batch, AppendReply)>,
    known: &Soundness,
) -> bool {
    let batches: Vec<&Batch> = group.iter().map(|(batch, _)| batch).collect();
    let outcome = append_group(connection, &batches);
    for verdict in &outcome.verdicts {
        known.note(verdict);
    }
    if outcome.unconfirmed {
        tracing::error!(
            batch_count = batches.len(),
            "a journal commit could not be confirmed; the journal refuses work until it is reopened"
        );
    }
    let mut verdicts = outcome.verdicts.into_iter();
    answer(group, |_| {
        verdicts.next().unwrap_or(Err(JournalError::Stopped))
    });
    outcome.unconfirmed
}

fn answer(
    group: Vec<(Batch, AppendReply)>,
    mut verdict: impl FnMut(&Batch) -> Result<Appended, JournalError>,
) {
    for (batch, reply) in group {
        // A caller that went away has no use for the answer.
        reply.send(verdict(&batch)).ok();
    }
}

fn mark_clean(connection: &Connection) -> Result<(), JournalError> {
    connection
        .execute("UPDATE journal SET clean = 1 WHERE id = 1", [])
        .map_err(|error| JournalError::sqlite("mark the file as closed", error))?;
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(|error| JournalError::sqlite("checkpoint", error))
}

fn close(connection: Connection) -> Result<(), JournalError> {
    connection
        .close()
        .map_err(|(_, error)| JournalError::sqlite("close the file", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::NewEvent;
    use crate::file::open_memory;

    fn append(
        requests: &mpsc::Sender<Request>,
    ) -> oneshot::Receiver<Result<Appended, JournalError>> {
        let (reply, answer) = oneshot::channel();
        let event = NewEvent {
            stream: "s".into(),
            kind: "k".into(),
            version: 1,
            bytes: Vec::new(),
        };
        let batch = Batch {
            events: vec![event],
            ..Batch::default()
        };
        assert!(requests.try_send(Request::Append(batch, reply)).is_ok());
        answer
    }

    #[test]
    fn an_unconfirmed_commit_is_told_to_every_waiter_and_stops_all_later_work() {
        let (connection, _) = open_memory([1; 16]).unwrap();
        // A violated deferred key fails the commit itself, as a failed flush would.
        connection
            .execute_batch(
                "CREATE TABLE trap (id INTEGER REFERENCES stream (name) DEFERRABLE INITIALLY DEFERRED);
                 CREATE TRIGGER spring AFTER INSERT ON event BEGIN INSERT INTO trap VALUES (1); END;",
            )
            .unwrap();
        let (requests, receiver) = mpsc::channel(QUEUE_LEN);
        let (mut first, mut second) = (append(&requests), append(&requests));
        let (reply, mut seen) = oneshot::channel();
        let task: Task = Box::new(move |connection, _known| {
            assert!(reply.send(connection.is_err()).is_ok());
        });
        assert!(requests.try_send(Request::Run(task)).is_ok());
        let mut third = append(&requests);
        drop(requests);
        serve(connection, receiver, Soundness::new(true).0);
        assert!(matches!(
            first.try_recv(),
            Ok(Err(JournalError::Io {
                action: "commit",
                ..
            }))
        ));
        assert!(matches!(
            second.try_recv(),
            Ok(Err(JournalError::Io {
                action: "commit",
                ..
            }))
        ));
        assert_eq!(seen.try_recv(), Ok(true));
        assert!(matches!(
            third.try_recv(),
            Ok(Err(JournalError::NeedsReopen))
        ));
    }

    #[test]
    fn what_waits_is_committed_in_one_transaction() {
        let (connection, _) = open_memory([1; 16]).unwrap();
        let (requests, receiver) = mpsc::channel(QUEUE_LEN);
        let answers: Vec<_> = (0..QUEUE_LEN).map(|_| append(&requests)).collect();
        drop(requests);
        let (group, next) = {
            let mut receiver = receiver;
            let Ok(Request::Append(batch, reply)) = receiver.try_recv() else {
                panic!("an append is queued");
            };
            drain(&mut receiver, batch, reply)
        };
        assert!(next.is_none());
        assert_eq!(group.len(), QUEUE_LEN);
        let mut connection = connection;
        assert!(!commit(&mut connection, group, &Soundness::new(true).0));
        for (position, mut answer) in answers.into_iter().enumerate() {
            let appended = answer.try_recv().unwrap().unwrap();
            assert_eq!(
                usize::try_from(appended.last_event_seq).unwrap(),
                position + 1
            );
        }
    }
}
