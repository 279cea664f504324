//! A download that goes on where it broke off: HTTP GET with Range, over mutual TLS.

mod answer;
mod body;
mod request;
mod submit;

pub use submit::{Answer, Method, Submission, submit};

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::answer::Plan;
use self::body::cut;
use self::request::{connect, request};

/// Bound on the response's headers: those of an honest server are below 1 KiB.
const MAX_HEADER_BYTES: usize = 16 * 1_024;

/// Where to fetch from.
#[derive(Debug, Clone)]
pub struct FetchTarget {
    /// DNS name or IP address to connect to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS with the client's certificate; `None` is clear TCP, for tests on loopback alone.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// The name that the server's certificate must bear.
    pub server_name: String,
}

/// How long each step of a fetch may take.
///
/// There is no bound on the whole: a slow link is slow. The body's bound in bytes, together with
/// the caller's own deadline, ends what drips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchTimeouts {
    /// TCP and TLS together.
    pub connect: Duration,
    /// From one sign of life (headers, a chunk of the body) to the next.
    pub idle: Duration,
}

impl Default for FetchTimeouts {
    /// As long to connect as the link itself may take, 60 s between chunks: a satellite link may pause for tens of
    /// seconds, and where messages pass, documents must too.
    fn default() -> Self {
        Self {
            connect: crate::config::CONNECT_TIMEOUT,
            idle: Duration::from_secs(60),
        }
    }
}

/// What a complete fetch was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchEnd {
    /// The whole resource's size, what came before the resumption included.
    pub total_bytes: u64,
}

/// What a sink returns when it could not take a chunk.
#[derive(Debug, thiserror::Error)]
#[error("write what was fetched")]
pub struct SinkError(#[source] pub io::Error);

impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

/// Why a fetch ended early. What the sink had taken stays taken.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The name did not resolve, or nothing answered.
    #[error("reach the server")]
    Unreachable(#[source] io::Error),
    /// Connecting, or the next sign of life, took too long.
    #[error("hear from the server within {limit:?}")]
    TimedOut {
        /// The bound that passed.
        limit: Duration,
    },
    /// The target's names or path cannot be put into a request.
    #[error("fetch: the target is malformed")]
    Target,
    /// One side refused the other's certificate, or TLS broke.
    #[error("agree on TLS with the server")]
    Tls(#[source] io::Error),
    /// The stream broke; resume where the sink stands.
    #[error("read the answer to its end")]
    Cut(#[source] hyper::Error),
    /// The answer ended (or the server sent a part only) before the whole; resume.
    #[error("read {total_bytes} bytes: the answer ended at {at_bytes}")]
    Short {
        /// Where the sink stands.
        at_bytes: u64,
        /// The whole size.
        total_bytes: u64,
    },
    /// 404: there is no such resource, or not for this machine.
    #[error("fetch: the server knows no such resource")]
    NotFound,
    /// 410: the resource is gone for good.
    #[error("fetch: the resource is gone")]
    Gone,
    /// 401 or 403: this machine may not have it.
    #[error("fetch: the server forbids it")]
    Forbidden,
    /// Any other status.
    #[error("fetch: the server answered with status {status}")]
    Status {
        /// The HTTP status code.
        status: u16,
    },
    /// The resource, or what the server sends, is larger than the caller's bound.
    #[error("fetch: more than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: u64,
    },
    /// The resource is smaller than what the caller has of it: it is another one.
    #[error("resume at byte {from_bytes}: the resource has fewer")]
    Shrunk {
        /// Where the caller wanted to resume.
        from_bytes: u64,
    },
    /// The headers contradict the request or each other.
    #[error("fetch: the answer's range or length is not what was asked for")]
    BadRange,
    /// The sink refused a chunk.
    #[error("keep what was fetched")]
    Sink(#[source] SinkError),
}

/// Fetches `path` from byte `from` to its end and gives each chunk to `sink` with its offset.
///
/// Chunks come in order and without gaps, the first at `from`. A server that ignores Range and
/// answers with the whole is read from its start; what the caller has already is skipped. Nothing
/// beyond `max_total` bytes of the resource is asked for or given to the sink. The caller compares
/// the digest of the whole: HTTP promises nothing about that.
///
/// # Errors
/// [`FetchError`]; after [`FetchError::Cut`], [`FetchError::Short`], [`FetchError::TimedOut`] and
/// [`FetchError::Unreachable`] a later call with `from` moved to where the sink stands goes on.
///
/// # Cancel safety
/// Dropping the future closes the connection; each chunk was either given to the sink whole or not
/// at all, so resuming where the sink stands loses nothing.
///
/// # Source
/// RFC 9110, sections 14 (ranges) and 15.
pub async fn fetch_from(
    target: &FetchTarget,
    path: &str,
    from: u64,
    max_total: u64,
    sink: &mut impl FnMut(u64, Bytes) -> Result<(), SinkError>,
) -> Result<FetchEnd, FetchError> {
    fetch_from_within(
        FetchTimeouts::default(),
        target,
        path,
        from,
        max_total,
        sink,
    )
    .await
}

/// Does what [`fetch_from`] does with other timeouts.
///
/// # Errors
/// As [`fetch_from`].
///
/// # Cancel safety
/// As [`fetch_from`].
pub async fn fetch_from_within(
    timeouts: FetchTimeouts,
    target: &FetchTarget,
    path: &str,
    from: u64,
    max_total: u64,
    sink: &mut impl FnMut(u64, Bytes) -> Result<(), SinkError>,
) -> Result<FetchEnd, FetchError> {
    if from > max_total {
        return Err(FetchError::TooLarge {
            limit_bytes: max_total,
        });
    }
    let request = request(target, path, from)?;
    let stream = connect(target, timeouts).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEADER_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(FetchError::Cut)?;
    // hyper moves the bytes in a future of its own, which ends with this one.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = timeout(timeouts.idle, sender.send_request(request));
    let answer = answer.await.map_err(|_| FetchError::TimedOut {
        limit: timeouts.idle,
    })?;
    let response = answer.map_err(cut)?;
    match Plan::read(&response, from, max_total)? {
        Plan::Complete(end) => Ok(end),
        Plan::Body(body) => {
            body.receive(response.into_body(), timeouts.idle, sink)
                .await
        }
    }
}
