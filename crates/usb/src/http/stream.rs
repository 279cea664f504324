//! One exchange as the caller holds it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::cable::CallerEnd;

/// Carries one HTTP/1.1 request to the device and its answer back.
///
/// Write the request, flush, read the answer; after its last byte reads give the end. Whoever speaks HTTP/1.1 to a byte
/// stream can speak it here, a client library too. The stream is used for one request; a second one is refused.
///
/// Up to 16 KiB of a request are held back until it is whole, so that a caller that fails while it writes a small request
/// has sent nothing. A flush of what is held back succeeds at once; any other flush waits until the device has accepted
/// every byte.
///
/// # Cancel safety
/// Dropping the stream at any time is safe for the device and for whoever comes next: a request that is whole is sent
/// to its end and its answer read to its end, within the bounds of the [`Quirks`](crate::Quirks), before the interface
/// serves again. A request that had begun to leave and is not whole is broken off and the interface is reset: it is never
/// padded or ended, since a document that was cut short must not look whole.
#[derive(Debug)]
pub struct HttpStream {
    cable: CallerEnd,
    evidence: Evidence,
}

impl HttpStream {
    pub(super) fn new(cable: CallerEnd, evidence: Evidence) -> Self {
        Self { cable, evidence }
    }

    /// What is known of how much of the request left; clones go on telling after the stream is gone.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.evidence.clone()
    }
}

impl AsyncRead for HttpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cable.poll_read(cx, buf)
    }
}

impl AsyncWrite for HttpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cable.poll_write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cable.poll_write(cx, parts)
    }

    /// A client library that knows so hands a document on as it lies, and makes no copy of it that nobody wipes.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cable.poll_flush(cx)
    }

    /// Says that no more will be written; a request that is not whole then fails.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cable.shut();
        self.cable.poll_flush(cx)
    }
}

/// How many bytes of a request left, counted on the wire: its header as the device gets it, and its body.
///
/// ```text
/// 0 ≤ accepted ≤ handed over
/// ```
#[derive(Debug, Clone, Default)]
pub struct Evidence(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    handed_over: AtomicU64,
    accepted: AtomicU64,
}

impl Evidence {
    /// The most bytes that can have reached the device: those of every transfer that was begun. After the exchange ended
    /// it is what was accepted, unless the device was lost during a transfer.
    #[must_use]
    pub fn handed_over_bytes(&self) -> u64 {
        self.0.handed_over.load(Ordering::Acquire)
    }

    /// The bytes that the device acknowledged.
    #[must_use]
    pub fn accepted_bytes(&self) -> u64 {
        self.0.accepted.load(Ordering::Acquire)
    }

    /// True where no byte of the request can have reached the device.
    #[must_use]
    pub fn nothing_left(&self) -> bool {
        self.handed_over_bytes() == 0
    }

    pub(super) fn hand_over(&self, len: usize) {
        self.0.handed_over.fetch_add(wide(len), Ordering::AcqRel);
    }

    /// Notes that the device took `accepted` of `len` bytes, and whether the rest can still have reached it.
    pub(super) fn accept(&self, accepted: usize, len: usize, is_lost: bool) {
        self.0.accepted.fetch_add(wide(accepted), Ordering::AcqRel);
        if !is_lost {
            let kept = wide(len.saturating_sub(accepted));
            self.0.handed_over.fetch_sub(kept, Ordering::AcqRel);
        }
    }
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
