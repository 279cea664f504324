//! What lies between a caller's stream and the task that carries its exchange: two bounded queues of pieces and an end.
//!
//! The caller's side is polled, the task's side is called. Bytes are copied into and out of pieces that only one side
//! holds; under the lock pieces are handed on. Nobody is woken for what the other side does not wait for.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;
use tokio::sync::Notify;

use super::pieces::{Piece, Pieces};
use super::stream::Evidence;
use crate::error::UsbError;

/// Four of the largest transfers: the device is kept busy while the caller makes more.
const MAX_WAITING_BYTES: usize = 128 * 1024;

/// A caller that waited for room is told of so much of it, not of each piece.
const WORTH_WAKING_BYTES: usize = MAX_WAITING_BYTES / 2;

#[derive(Debug)]
struct State {
    outgoing: Pieces,
    incoming: Pieces,
    /// The task found nothing more to take.
    task_wants_bytes: bool,
    /// The task found no room to give.
    task_wants_room: bool,
    /// The caller will write no more.
    is_shut: bool,
    /// The caller dropped its stream.
    is_gone: bool,
    /// Everything written so far was accepted by the device, or waits for more of its request.
    is_settled: bool,
    end: Option<Result<(), UsbError>>,
    reader: Option<Waker>,
    /// Waits for room.
    writer: Option<Waker>,
    /// Waits until everything has left.
    flusher: Option<Waker>,
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told to the task: there is more to send, more room to receive, or the caller left.
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_task(&self) {
        self.changed.notify_one();
    }
}

/// Both ends of a new cable.
pub(super) fn cable() -> (CallerEnd, TaskEnd) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            outgoing: Pieces::default(),
            incoming: Pieces::default(),
            task_wants_bytes: true,
            task_wants_room: false,
            is_shut: false,
            is_gone: false,
            is_settled: true,
            end: None,
            reader: None,
            writer: None,
            flusher: None,
        }),
        changed: Notify::new(),
    });
    let task = TaskEnd(Arc::clone(&shared));
    (
        CallerEnd {
            shared,
            taken: None,
        },
        task,
    )
}

/// The caller's end.
#[derive(Debug)]
pub(super) struct CallerEnd {
    shared: Arc<Shared>,
    /// What was taken from the cable and not read to its end.
    taken: Option<Piece>,
}

impl CallerEnd {
    pub(super) fn poll_read(
        &mut self,
        cx: &Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut piece = match self.taken.take() {
            Some(piece) => piece,
            None => match self.poll_piece(cx) {
                Poll::Ready(Ok(Some(piece))) => piece,
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            },
        };
        let len = piece.len().min(buf.remaining());
        buf.put_slice(piece.waiting().get(..len).unwrap_or_default());
        piece.consume(len);
        self.taken = Some(piece).filter(|it| it.len() > 0);
        Poll::Ready(Ok(()))
    }

    /// The next piece of the answer; none at its end.
    fn poll_piece(&self, cx: &Context<'_>) -> Poll<io::Result<Option<Piece>>> {
        let mut state = self.shared.lock();
        let Some(piece) = state.incoming.pop() else {
            return match &state.end {
                Some(Ok(())) => Poll::Ready(Ok(None)),
                Some(Err(error)) => Poll::Ready(Err(error.clone().into())),
                None => {
                    state.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        };
        let is_awaited = state.task_wants_room && state.incoming.len() <= WORTH_WAKING_BYTES;
        if is_awaited {
            state.task_wants_room = false;
            drop(state);
            self.shared.tell_task();
        }
        Poll::Ready(Ok(Some(piece)))
    }

    /// Takes the first of these bytes, which lie in parts; says how many.
    pub(super) fn poll_write(
        &self,
        cx: &Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.shared.lock();
        match &state.end {
            Some(Err(error)) => return Poll::Ready(Err(error.clone().into())),
            Some(Ok(())) => return Poll::Ready(Err(UsbError::SecondRequest.into())),
            None if state.is_shut => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None if parts.iter().all(|it| it.is_empty()) => return Poll::Ready(Ok(0)),
            None => {}
        }
        if state.outgoing.len() >= MAX_WAITING_BYTES {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        // The task may find nothing while the last piece is here; it is told when the piece is back.
        let unfilled = state.outgoing.take_unfilled();
        drop(state);
        let mut piece = unfilled.unwrap_or_else(Piece::new);
        // A part does not fit whole only where the piece is full then: of those behind it nothing is put.
        let len = parts.iter().map(|it| piece.put(it)).sum();
        let mut state = self.shared.lock();
        state.outgoing.put_back(piece);
        state.is_settled = false;
        let is_awaited = std::mem::take(&mut state.task_wants_bytes);
        drop(state);
        if is_awaited {
            self.shared.tell_task();
        }
        Poll::Ready(Ok(len))
    }

    pub(super) fn poll_flush(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if state.is_settled {
            return Poll::Ready(Ok(()));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(Ok(())),
            Some(Err(error)) => Poll::Ready(Err(error.clone().into())),
            None => {
                state.flusher = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn shut(&self) {
        self.shared.lock().is_shut = true;
        self.shared.tell_task();
    }
}

impl Drop for CallerEnd {
    fn drop(&mut self) {
        self.shared.lock().is_gone = true;
        self.shared.tell_task();
    }
}

/// What the task finds at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallerState {
    pub(super) is_shut: bool,
    pub(super) is_gone: bool,
}

/// The task's end; dropping it without `finish` ends the cable as closed.
#[derive(Debug)]
pub(super) struct TaskEnd(Arc<Shared>);

impl TaskEnd {
    /// Waits until the caller did what the task waits for, or left, since the last time this returned.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Takes the next piece that the caller wrote.
    pub(super) fn take(&self) -> Option<Piece> {
        let mut state = self.0.lock();
        let piece = state.outgoing.pop();
        if state.outgoing.len() <= WORTH_WAKING_BYTES {
            wake(&mut state.writer);
        }
        state.task_wants_bytes |= piece.is_none();
        piece
    }

    /// Counts bytes as handed over to the device; refused where the caller left before the first of them. So what a caller
    /// learns from the evidence after it dropped its stream, stays true.
    pub(super) fn hand_over(&self, evidence: &Evidence, len: usize, has_begun: bool) -> bool {
        let state = self.0.lock();
        if state.is_gone && !has_begun {
            return false;
        }
        evidence.hand_over(len);
        true
    }

    pub(super) fn caller(&self) -> CallerState {
        let state = self.0.lock();
        CallerState {
            is_shut: state.is_shut,
            is_gone: state.is_gone,
        }
    }

    /// True where `len` more bytes of the answer may wait for the caller.
    pub(super) fn has_room(&self, len: usize) -> bool {
        let mut state = self.0.lock();
        let room = MAX_WAITING_BYTES.saturating_sub(state.incoming.len());
        let has_room = state.is_gone || room >= len;
        state.task_wants_room = !has_room;
        has_room
    }

    /// Gives a piece of the answer to the caller; a caller that left gets none.
    pub(super) fn give(&self, piece: Piece) {
        let mut state = self.0.lock();
        if state.is_gone || piece.len() == 0 {
            return;
        }
        state.incoming.push(piece);
        wake(&mut state.reader);
    }

    /// Says whether all that was taken so far has left, as far as it may leave yet.
    pub(super) fn settle(&self, is_held_or_accepted: bool) {
        let mut state = self.0.lock();
        state.is_settled = is_held_or_accepted && state.outgoing.is_empty();
        if state.is_settled {
            wake(&mut state.flusher);
        }
    }

    /// Ends the exchange for the caller, who still reads what came before.
    pub(super) fn finish(&self, end: Result<(), UsbError>) {
        let mut state = self.0.lock();
        if state.end.is_none() {
            state.end = Some(end);
        }
        wake(&mut state.reader);
        wake(&mut state.writer);
        wake(&mut state.flusher);
    }
}

impl Drop for TaskEnd {
    fn drop(&mut self) {
        self.finish(Err(UsbError::Closed));
    }
}
