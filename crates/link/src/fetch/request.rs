//! What a fetch asks for, and the connection that carries it.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{ACCEPT_ENCODING, HOST, RANGE};

use super::{FetchError, FetchTarget, FetchTimeouts};
use crate::dial::{ByteTotals, DialError, Stream, dial};

/// The target as a Host header names it.
pub(super) fn host(target: &FetchTarget) -> String {
    if target.host.contains(':') {
        format!("[{}]:{}", target.host, target.port)
    } else {
        format!("{}:{}", target.host, target.port)
    }
}

/// The whole of `path`, or what comes from byte `from` on.
pub(super) fn request(
    target: &FetchTarget,
    path: &str,
    from: u64,
) -> Result<Request<Empty<Bytes>>, FetchError> {
    let mut request = Request::get(path)
        .header(HOST, host(target))
        .header(ACCEPT_ENCODING, "identity");
    if from > 0 {
        request = request.header(RANGE, format!("bytes={from}-"));
    }
    request.body(Empty::new()).map_err(|_| FetchError::Target)
}

/// Connects, with TLS where the target has it.
pub(super) async fn connect(
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
