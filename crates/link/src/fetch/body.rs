//! The bytes that come: what the caller has is skipped, the rest goes to its sink in order and without gaps.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{FetchEnd, FetchError, SinkError};

/// A body to receive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// Offset of its first byte in the resource.
    pub(super) start: u64,
    /// Offset from which the caller wants bytes.
    pub(super) from: u64,
    /// Offset after its last byte, where the server said so.
    pub(super) end: Option<u64>,
    /// The resource's size, where the server said so.
    pub(super) total: Option<u64>,
    /// Bytes of the resource that the caller takes at most.
    pub(super) max_total: u64,
}

impl Body {
    /// Receives it to its end.
    pub(super) async fn receive(
        self,
        mut body: Incoming,
        idle: Duration,
        sink: &mut impl FnMut(u64, Bytes) -> Result<(), SinkError>,
    ) -> Result<FetchEnd, FetchError> {
        let mut at = self.start;
        loop {
            let frame = timeout(idle, body.frame()).await;
            let Some(frame) = frame.map_err(|_| FetchError::TimedOut { limit: idle })? else {
                break;
            };
            let Ok(chunk) = frame.map_err(cut)?.into_data() else {
                continue;
            };
            at = self.take(at, chunk, sink)?;
        }
        let total_bytes = self.total.unwrap_or(at);
        if at < self.from {
            return Err(FetchError::Shrunk {
                from_bytes: self.from,
            });
        }
        if at < total_bytes {
            return Err(FetchError::Short {
                at_bytes: at,
                total_bytes,
            });
        }
        Ok(FetchEnd { total_bytes })
    }

    /// Gives the new part of a chunk to the sink; returns the offset after it.
    fn take(
        &self,
        at: u64,
        mut chunk: Bytes,
        sink: &mut impl FnMut(u64, Bytes) -> Result<(), SinkError>,
    ) -> Result<u64, FetchError> {
        let size = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let next = at.saturating_add(size);
        if next > self.max_total {
            return Err(FetchError::TooLarge {
                limit_bytes: self.max_total,
            });
        }
        if self.end.is_some_and(|end| next > end) {
            return Err(FetchError::BadRange);
        }
        let known = self.from.saturating_sub(at).min(size);
        let fresh = chunk.split_off(usize::try_from(known).unwrap_or(chunk.len()));
        if !fresh.is_empty() {
            sink(at.saturating_add(known), fresh).map_err(FetchError::Sink)?;
        }
        Ok(next)
    }
}

/// A refused client certificate shows only at the first read after the handshake (TLS 1.3).
pub(super) fn cut(error: hyper::Error) -> FetchError {
    use std::error::Error as _;
    let said = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(|source| source.get_ref())
        .and_then(|source| source.downcast_ref::<rustls::Error>());
    match said {
        Some(tls) => FetchError::Tls(io::Error::new(io::ErrorKind::InvalidData, tls.clone())),
        None => FetchError::Cut(error),
    }
}
