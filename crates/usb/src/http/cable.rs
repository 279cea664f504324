//! What lies between a caller's stream and the task that carries its exchange: two bounded buffers and an end.
//!
//! The caller's side is polled, the task's side is called; the lock is held for a copy at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::{fmt, io};

use tokio::io::ReadBuf;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::stream::Evidence;
use crate::error::UsbError;

/// Four of the largest transfers: the device is kept busy while the caller makes more.
pub(super) const MAX_WAITING_BYTES: usize = 64 * 1024;

#[derive(Default)]
struct State {
    /// Pieces of documents, wiped with the cable; their room is taken at once, so that growing leaves no copies behind.
    outgoing: Zeroizing<Vec<u8>>,
    incoming: Zeroizing<Vec<u8>>,
    /// The caller will write no more.
    is_shut: bool,
    /// The caller dropped its stream.
    is_gone: bool,
    /// Everything written so far was accepted by the device, or waits for more of its request.
    is_settled: bool,
    end: Option<Result<(), UsbError>>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("outgoing_len", &self.outgoing.len())
            .field("incoming_len", &self.incoming.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl State {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told to the task: there is more to send, more room to receive, or the caller left.
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both ends of a new cable.
pub(super) fn cable() -> (CallerEnd, TaskEnd) {
    let shared = Arc::new(Shared::default());
    {
        let mut state = shared.lock();
        state.is_settled = true;
        state.outgoing.reserve_exact(MAX_WAITING_BYTES);
        state.incoming.reserve_exact(MAX_WAITING_BYTES);
    }
    let task = TaskEnd(Arc::clone(&shared));
    (CallerEnd(shared), task)
}

/// The caller's end.
#[derive(Debug)]
pub(super) struct CallerEnd(Arc<Shared>);

impl CallerEnd {
    pub(super) fn poll_read(
        &self,
        cx: &Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if !state.incoming.is_empty() {
            let len = state.incoming.len().min(buf.remaining());
            let bytes = Zeroizing::new(state.incoming.drain(..len).collect::<Vec<u8>>());
            buf.put_slice(&bytes);
            drop(state);
            self.0.changed.notify_one();
            return Poll::Ready(Ok(()));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(Ok(())),
            Some(Err(error)) => Poll::Ready(Err(error.clone().into())),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        match &state.end {
            Some(Err(error)) => return Poll::Ready(Err(error.clone().into())),
            Some(Ok(())) => return Poll::Ready(Err(UsbError::SecondRequest.into())),
            None if state.is_shut => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None => {}
        }
        let len = MAX_WAITING_BYTES
            .saturating_sub(state.outgoing.len())
            .min(bytes.len());
        if len == 0 && !bytes.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state
            .outgoing
            .extend_from_slice(bytes.get(..len).unwrap_or_default());
        state.is_settled = false;
        drop(state);
        self.0.changed.notify_one();
        Poll::Ready(Ok(len))
    }

    pub(super) fn poll_flush(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if state.is_settled {
            return Poll::Ready(Ok(()));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(Ok(())),
            Some(Err(error)) => Poll::Ready(Err(error.clone().into())),
            None => {
                state.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn shut(&self) {
        self.0.lock().is_shut = true;
        self.0.changed.notify_one();
    }
}

impl Drop for CallerEnd {
    fn drop(&mut self) {
        self.0.lock().is_gone = true;
        self.0.changed.notify_one();
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
    /// Waits until the caller did something since the last time this returned.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Takes up to `max` bytes of what the caller wrote.
    pub(super) fn take(&self, max: usize) -> Zeroizing<Vec<u8>> {
        let mut state = self.0.lock();
        let len = state.outgoing.len().min(max);
        let taken = Zeroizing::new(state.outgoing.drain(..len).collect::<Vec<u8>>());
        if len > 0
            && let Some(waker) = state.writer.take()
        {
            waker.wake();
        }
        taken
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

    /// How many more bytes of the answer may wait for the caller.
    pub(super) fn room(&self) -> usize {
        let state = self.0.lock();
        if state.is_gone {
            return MAX_WAITING_BYTES;
        }
        MAX_WAITING_BYTES.saturating_sub(state.incoming.len())
    }

    /// Gives bytes of the answer to the caller; a caller that left gets none.
    pub(super) fn give(&self, bytes: &[u8]) {
        let mut state = self.0.lock();
        if state.is_gone {
            return;
        }
        state.incoming.extend_from_slice(bytes);
        if let Some(waker) = state.reader.take() {
            waker.wake();
        }
    }

    /// Says whether all that was written so far has left, as far as it may leave yet.
    pub(super) fn settle(&self, is_held_or_accepted: bool) {
        let mut state = self.0.lock();
        state.is_settled = is_held_or_accepted && state.outgoing.is_empty();
        if state.is_settled
            && let Some(waker) = state.writer.take()
        {
            waker.wake();
        }
    }

    /// Ends the exchange for the caller, who still reads what came before.
    pub(super) fn finish(&self, end: Result<(), UsbError>) {
        let mut state = self.0.lock();
        if state.end.is_none() {
            state.end = Some(end);
        }
        state.wake();
    }
}

impl Drop for TaskEnd {
    fn drop(&mut self) {
        self.finish(Err(UsbError::Closed));
    }
}
