//! What a caller still sends when central has its answer already.
//!
//! An answer to half a request is lost: the connection is closed with bytes unread, the system resets it, and the
//! caller sees a broken pipe where a coded refusal was (RFC 9112 section 9.6). So the rest is read and thrown away,
//! within bounds, before the answer leaves.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A document far above the limit, a scan of a whole folder of papers for one, still hears why it is refused.
const MAX_UNREAD_BYTES: u64 = 64 * 1024 * 1024;

/// How long a refused caller may go on sending; as long as one that connects and sends nothing.
const MAX_UNREAD_TIME: Duration = Duration::from_secs(30);

/// The body of one request, where it comes back before its end.
#[derive(Debug)]
pub(super) struct Unread(oneshot::Receiver<Body>);

/// Lets `request` go on with its body under watch.
pub(super) fn watch(request: Request) -> (Request, Unread) {
    let (give_back, rest) = oneshot::channel();
    // Its caller sends the body when central asks for it (RFC 9110 section 10.1.1); reading would ask.
    let is_awaited = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| {
        Body::new(Watched {
            body: Some(body),
            is_begun: false,
            is_awaited,
            give_back: Some(give_back),
        })
    });
    (request, Unread(rest))
}

impl Unread {
    /// Reads what is left, where that is little enough and quick enough.
    ///
    /// Cancel safe: the connection is closed then, as without it.
    pub(super) async fn throw_away(mut self) {
        let Ok(mut body) = self.0.try_recv() else {
            return;
        };
        let announced = body.size_hint().upper().unwrap_or(0);
        if announced > MAX_UNREAD_BYTES {
            return;
        }
        let mut left = MAX_UNREAD_BYTES;
        let reading = async {
            while let Some(Ok(frame)) = body.frame().await {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                left = left.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
                if left == 0 {
                    return;
                }
            }
        };
        if timeout(MAX_UNREAD_TIME, reading).await.is_err() {
            tracing::debug!("a refused caller went on sending");
        }
    }
}

/// Gives its body back when it is dropped before its end.
struct Watched {
    body: Option<Body>,
    is_begun: bool,
    is_awaited: bool,
    give_back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_begun = true;
        match self.body.as_mut() {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map(HttpBody::size_hint)
            .unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let has_been_sent = self.is_begun || !self.is_awaited;
        let (Some(body), Some(give_back)) = (self.body.take(), self.give_back.take()) else {
            return;
        };
        if has_been_sent && !body.is_end_stream() {
            // Nobody waits where the request itself was given up.
            drop(give_back.send(body));
        }
    }
}
