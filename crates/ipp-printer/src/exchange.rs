//! One HTTP/1.1 exchange: one request out, one answer in, over one freshly dialled stream.
//!
//! A stream is used once: a kept connection that the printer closes at the wrong moment would
//! turn a harmless poll into a lost one, and a dial on the site's own wire costs a millisecond.

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::error::{Garbage, IppError, Operation};
use crate::message::{Answer, Request};
use crate::timeouts::Timeouts;
use crate::transport::{Stream, Transport};
use crate::uri::PrinterUri;

/// The longest answer met is a Get-Printer-Attributes of everything, at 60 kB; Get-Jobs of 500
/// jobs with what is asked for here takes 200 kB.
pub(crate) const MAX_ANSWER_LEN: usize = 1024 * 1024;

/// A document leaves in pieces of this size, so that the count of what may have left stays close
/// to what has left.
const CHUNK_LEN: usize = 16 * 1024;

const IPP_MEDIA_TYPE: &str = "application/ipp";
const AGENT: &str = concat!("loket/", env!("CARGO_PKG_VERSION"), " IPP/1.1");

/// Sends a request with its document and reads the answer, whatever status it has.
pub(crate) async fn exchange(
    transport: &dyn Transport,
    uri: &PrinterUri,
    timeouts: Timeouts,
    request: &Request,
    document: Bytes,
) -> Result<Answer, IppError> {
    let stream = match timeout(timeouts.connect, transport.dial()).await {
        Ok(dialled) => dialled?,
        Err(_) => {
            return Err(IppError::NotReached {
                source: timed_out("connect"),
            });
        }
    };
    let progress = Arc::new(Progress::new());
    let operation = request.operation_name();
    let deadline = Instant::now() + timeouts.whole;
    let run = http(
        Watched {
            stream,
            progress: Arc::clone(&progress),
        },
        uri,
        request,
        document,
    );
    tokio::pin!(run);
    let outcome = loop {
        let quiet_until = progress.last() + timeouts.idle;
        tokio::select! {
            biased;
            answer = timeout_at(deadline, &mut run) => {
                break answer.unwrap_or_else(|_| Err(Failure::Io(timed_out("whole"))));
            }
            () = sleep_until(quiet_until) => {
                if progress.last() + timeouts.idle <= Instant::now() {
                    break Err(Failure::Io(timed_out("idle")));
                }
            }
        }
    };
    let mut answer = outcome.map_err(|failure| failure.into_error(operation, &progress))?;
    answer.sent_bytes = progress.document_bytes.load(Ordering::Acquire);
    Ok(answer)
}

/// Says how an exchange failed after the stream stood.
enum Failure {
    Io(io::Error),
    Garbage(Garbage),
}

impl Failure {
    fn into_error(self, operation: Operation, progress: &Progress) -> IppError {
        let sent_bytes = progress.document_bytes.load(Ordering::Acquire);
        match self {
            Self::Garbage(garbage) => IppError::NotIpp {
                operation,
                sent_bytes,
                garbage,
            },
            Self::Io(source) if progress.has_begun() => IppError::Lost {
                operation,
                sent_bytes,
                source,
            },
            Self::Io(source) => IppError::NotReached { source },
        }
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() {
            return Self::Garbage(Garbage::Encoding(0));
        }
        Self::Io(io::Error::other(error))
    }
}

async fn http(
    stream: Watched,
    uri: &PrinterUri,
    request: &Request,
    document: Bytes,
) -> Result<Answer, Failure> {
    let progress = Arc::clone(&stream.progress);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let outgoing = hyper::Request::post(uri.path())
        .header(HOST, uri.authority())
        .header(CONTENT_TYPE, IPP_MEDIA_TYPE)
        .header(ACCEPT, IPP_MEDIA_TYPE)
        .header(USER_AGENT, AGENT)
        .body(Outgoing {
            message: request.to_bytes(),
            document,
            progress: Arc::clone(&progress),
        })
        .map_err(|error| Failure::Io(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let answer = async {
        let response = sender.send_request(outgoing).await?;
        let status = response.status();
        if status != hyper::StatusCode::OK {
            return Err(Failure::Garbage(Garbage::HttpStatus(status.as_u16())));
        }
        collect(response.into_body()).await
    };
    tokio::pin!(answer, connection);
    // The connection moves the bytes; it ends first where the printer closes right after its
    // answer, which then lies ready to be read.
    let (answer, has_ended) = tokio::select! {
        biased;
        answered = &mut answer => (answered?, false),
        ended = &mut connection => {
            ended?;
            (answer.await?, true)
        }
    };
    let answer =
        Answer::read(request.operation_name(), request.id(), answer).map_err(Failure::Garbage)?;
    // A success said before the request is whole promises nothing yet: the rest must leave too.
    if answer.is_success() && !has_ended {
        poll_fn(|cx| {
            if progress.has_left_whole() {
                return Poll::Ready(Ok(()));
            }
            connection.as_mut().poll(cx)
        })
        .await?;
    }
    if answer.is_success() && !progress.has_left_whole() {
        let early = "answered and closed before the whole request had left";
        return Err(Failure::Io(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            early,
        )));
    }
    Ok(answer)
}

async fn collect(mut body: Incoming) -> Result<Bytes, Failure> {
    let mut answer = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if answer.len() + data.len() > MAX_ANSWER_LEN {
                return Err(Failure::Garbage(Garbage::TooLarge(MAX_ANSWER_LEN)));
            }
            answer.extend_from_slice(&data);
        }
    }
    Ok(answer.freeze())
}

fn timed_out(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} timeout passed"))
}

/// What has happened on a stream so far.
struct Progress {
    began: Instant,
    /// Milliseconds from `began` to the last byte in either direction.
    last_ms: AtomicU64,
    written_bytes: AtomicU64,
    document_bytes: AtomicU64,
    /// The body has been handed over to its last byte.
    is_body_out: AtomicBool,
    /// The stream was flushed after that: nothing of the request is held back on this side.
    is_whole_out: AtomicBool,
}

impl Progress {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            last_ms: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            document_bytes: AtomicU64::new(0),
            is_body_out: AtomicBool::new(false),
            is_whole_out: AtomicBool::new(false),
        }
    }

    fn touch(&self) {
        let passed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(passed_ms, Ordering::Release);
    }

    fn last(&self) -> Instant {
        self.began + std::time::Duration::from_millis(self.last_ms.load(Ordering::Acquire))
    }

    fn has_left_whole(&self) -> bool {
        self.is_whole_out.load(Ordering::Acquire)
    }

    fn has_begun(&self) -> bool {
        self.written_bytes.load(Ordering::Acquire) > 0
    }
}

/// The body of a request: the message, then the document in pieces, under one Content-Length.
struct Outgoing {
    message: Bytes,
    document: Bytes,
    progress: Arc<Progress>,
}

impl Outgoing {
    fn note_end(&self) {
        if self.is_end_stream() {
            self.progress.is_body_out.store(true, Ordering::Release);
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.message.is_empty() {
            let message = std::mem::take(&mut self.message);
            self.note_end();
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if self.document.is_empty() {
            return Poll::Ready(None);
        }
        let len = self.document.len().min(CHUNK_LEN);
        let chunk = self.document.split_to(len);
        let counted = u64::try_from(len).unwrap_or(u64::MAX);
        self.progress
            .document_bytes
            .fetch_add(counted, Ordering::AcqRel);
        self.note_end();
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_empty() && self.document.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let len = self.message.len() + self.document.len();
        SizeHint::with_exact(u64::try_from(len).unwrap_or(u64::MAX))
    }
}

/// A stream that notes when bytes move, and how many went out.
struct Watched {
    stream: Stream,
    progress: Arc<Progress>,
}

impl Watched {
    fn note_written(&self, outcome: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(len)) = outcome {
            let len = u64::try_from(*len).unwrap_or(u64::MAX);
            self.progress.written_bytes.fetch_add(len, Ordering::AcqRel);
            self.progress.touch();
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.progress.touch();
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_written(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_written(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // The connection flushes its stream only once its own buffer is empty.
        if matches!(flushed, Poll::Ready(Ok(())))
            && self.progress.is_body_out.load(Ordering::Acquire)
        {
            self.progress.is_whole_out.store(true, Ordering::Release);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
