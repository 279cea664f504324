//! A download that goes on where it broke off: HTTP GET with Range, over mutual TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HOST, HeaderMap, RANGE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::dial::{ByteTotals, DialError, Stream, dial};

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

fn request(
    target: &FetchTarget,
    path: &str,
    from: u64,
) -> Result<Request<Empty<Bytes>>, FetchError> {
    let host = if target.host.contains(':') {
        format!("[{}]:{}", target.host, target.port)
    } else {
        format!("{}:{}", target.host, target.port)
    };
    let mut request = Request::get(path)
        .header(HOST, host)
        .header(ACCEPT_ENCODING, "identity");
    if from > 0 {
        request = request.header(RANGE, format!("bytes={from}-"));
    }
    request.body(Empty::new()).map_err(|_| FetchError::Target)
}

async fn connect(
    target: &FetchTarget,
    timeouts: FetchTimeouts,
) -> Result<Box<dyn Stream>, FetchError> {
    let dialled = dial(
        (&target.host, target.port),
        (&target.server_name, target.tls.as_ref()),
        timeouts.connect,
        Arc::new(ByteTotals::default()),
    );
    dialled.await.map_err(|error| match error {
        DialError::Unreachable(source) => FetchError::Unreachable(source),
        DialError::TimedOut => FetchError::TimedOut {
            limit: timeouts.connect,
        },
        DialError::ServerName => FetchError::Target,
        DialError::Tls(source) => FetchError::Tls(source),
    })
}

/// A refused client certificate shows only at the first read after the handshake (TLS 1.3).
fn cut(error: hyper::Error) -> FetchError {
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

/// What an answer's head means for the request.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// The caller has everything.
    Complete(FetchEnd),
    /// A body follows.
    Body(Body),
}

/// A body to receive.
#[derive(Debug, PartialEq, Eq)]
struct Body {
    /// Offset of its first byte in the resource.
    start: u64,
    /// Offset from which the caller wants bytes.
    from: u64,
    /// Offset after its last byte, where the server said so.
    end: Option<u64>,
    /// The resource's size, where the server said so.
    total: Option<u64>,
    max_total: u64,
}

impl Plan {
    fn read<B>(response: &Response<B>, from: u64, max_total: u64) -> Result<Self, FetchError> {
        match response.status() {
            StatusCode::OK => Self::whole(response.headers(), from, max_total),
            StatusCode::PARTIAL_CONTENT => Self::part(response.headers(), from, max_total),
            StatusCode::RANGE_NOT_SATISFIABLE => match content_range(response.headers())? {
                ContentRange { part: None, total } if total == from => {
                    Ok(Self::Complete(FetchEnd { total_bytes: total }))
                }
                _ => Err(FetchError::Shrunk { from_bytes: from }),
            },
            StatusCode::NOT_FOUND => Err(FetchError::NotFound),
            StatusCode::GONE => Err(FetchError::Gone),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Err(FetchError::Forbidden),
            status => Err(FetchError::Status {
                status: status.as_u16(),
            }),
        }
    }

    fn whole(headers: &HeaderMap, from: u64, max_total: u64) -> Result<Self, FetchError> {
        let total = match headers.get(CONTENT_LENGTH) {
            None => None,
            Some(value) => {
                let digits = value.to_str().ok().and_then(decimal);
                Some(digits.ok_or(FetchError::BadRange)?)
            }
        };
        match total {
            Some(total) if total > max_total => Err(FetchError::TooLarge {
                limit_bytes: max_total,
            }),
            Some(total) if total < from => Err(FetchError::Shrunk { from_bytes: from }),
            _ => Ok(Self::Body(Body {
                start: 0,
                from,
                end: total,
                total,
                max_total,
            })),
        }
    }

    fn part(headers: &HeaderMap, from: u64, max_total: u64) -> Result<Self, FetchError> {
        let ContentRange {
            part: Some((first, last)),
            total,
        } = content_range(headers)?
        else {
            return Err(FetchError::BadRange);
        };
        if first != from || last < first || last >= total {
            return Err(FetchError::BadRange);
        }
        if total > max_total {
            return Err(FetchError::TooLarge {
                limit_bytes: max_total,
            });
        }
        let end = Some(last.saturating_add(1));
        Ok(Self::Body(Body {
            start: first,
            from,
            end,
            total: Some(total),
            max_total,
        }))
    }
}

impl Body {
    async fn receive(
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

/// A Content-Range in bytes with a known total.
#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    /// First and last byte; `None` for `*`.
    part: Option<(u64, u64)>,
    total: u64,
}

fn content_range(headers: &HeaderMap) -> Result<ContentRange, FetchError> {
    let value = headers
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok());
    value
        .and_then(parse_content_range)
        .ok_or(FetchError::BadRange)
}

fn parse_content_range(value: &str) -> Option<ContentRange> {
    let (part, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let total = decimal(total)?;
    if part == "*" {
        return Some(ContentRange { part: None, total });
    }
    let (first, last) = part.split_once('-')?;
    Some(ContentRange {
        part: Some((decimal(first)?, decimal(last)?)),
        total,
    })
}

/// Digits alone: `str::parse` would take a sign.
fn decimal(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_whole_content_ranges_are_read() {
        let part = |first, last, total| {
            Some(ContentRange {
                part: Some((first, last)),
                total,
            })
        };
        assert_eq!(parse_content_range("bytes 5-9/10"), part(5, 9, 10));
        assert_eq!(
            parse_content_range("bytes */10"),
            Some(ContentRange {
                part: None,
                total: 10
            })
        );
        for odd in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes 5-9/*",
            "bytes +5-9/10",
            "items 5-9/10",
        ] {
            assert_eq!(parse_content_range(odd), None, "{odd}");
        }
        assert_eq!(
            parse_content_range("bytes 0-1/99999999999999999999999"),
            None
        );
    }

    fn plan(status: u16, header: Option<(&str, &str)>, from: u64) -> Result<Plan, FetchError> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).map_err(|_| FetchError::Target)?;
        if let Some((name, value)) = header {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::Target)?;
            let value = HeaderValue::from_str(value).map_err(|_| FetchError::Target)?;
            response.headers_mut().insert(name, value);
        }
        Plan::read(&response, from, 100)
    }

    #[test]
    fn each_refusal_is_an_error_of_its_own() {
        assert!(matches!(plan(404, None, 0), Err(FetchError::NotFound)));
        assert!(matches!(plan(410, None, 0), Err(FetchError::Gone)));
        assert!(matches!(plan(403, None, 0), Err(FetchError::Forbidden)));
        assert!(matches!(
            plan(503, None, 0),
            Err(FetchError::Status { status: 503 })
        ));
        assert!(matches!(
            plan(302, None, 0),
            Err(FetchError::Status { status: 302 })
        ));
    }

    #[test]
    fn a_part_must_be_the_part_that_was_asked_for() {
        let range = |value| plan(206, Some(("content-range", value)), 5);
        assert!(matches!(
            range("bytes 5-9/10"),
            Ok(Plan::Body(Body { start: 5, .. }))
        ));
        for odd in [
            "bytes 4-9/10",
            "bytes 5-4/10",
            "bytes 5-10/10",
            "bytes */10",
            "x",
        ] {
            assert!(matches!(range(odd), Err(FetchError::BadRange)), "{odd}");
        }
        assert!(matches!(
            range("bytes 5-9/101"),
            Err(FetchError::TooLarge { .. })
        ));
        assert!(matches!(plan(206, None, 5), Err(FetchError::BadRange)));
    }

    #[test]
    fn a_range_past_the_end_is_complete_or_another_resource() {
        let range = |value| plan(416, Some(("content-range", value)), 5);
        assert_eq!(
            range("bytes */5").unwrap(),
            Plan::Complete(FetchEnd { total_bytes: 5 })
        );
        assert!(matches!(
            range("bytes */4"),
            Err(FetchError::Shrunk { from_bytes: 5 })
        ));
        let whole = plan(200, Some(("content-length", "4")), 5);
        assert!(matches!(whole, Err(FetchError::Shrunk { from_bytes: 5 })));
    }
}
