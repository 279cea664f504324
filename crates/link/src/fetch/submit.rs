//! A small body handed in, and the answer to it, over the same mutual TLS as a fetch.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::body::cut;
use super::request::{connect, host};
use super::{FetchError, FetchTarget, FetchTimeouts, MAX_HEADER_BYTES};

/// How a body is handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// It is put where it belongs; repeating it is harmless.
    Put,
    /// It is a question.
    Post,
}

/// What is handed in.
#[derive(Debug, Clone)]
pub struct Submission {
    /// How.
    pub method: Method,
    /// Where, from the root on.
    pub path: String,
    /// Media type of the body.
    pub content_type: &'static str,
    /// The whole body.
    pub body: Bytes,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Hands `submission` in and reads the answer, of at most `max_answer` bytes.
///
/// # Errors
/// [`FetchError`]; the server may have taken the body where no answer came.
///
/// # Cancel safety
/// Dropping the future closes the connection; the server may have taken the body.
pub async fn submit(
    timeouts: FetchTimeouts,
    target: &FetchTarget,
    submission: Submission,
    max_answer: usize,
) -> Result<Answer, FetchError> {
    let method = match submission.method {
        Method::Put => hyper::Method::PUT,
        Method::Post => hyper::Method::POST,
    };
    let request = Request::builder()
        .method(method)
        .uri(&submission.path)
        .header(HOST, host(target))
        .header(ACCEPT_ENCODING, "identity")
        .header(CONTENT_TYPE, submission.content_type)
        .body(Full::new(submission.body))
        .map_err(|_| FetchError::Target)?;
    let stream = connect(target, timeouts).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEADER_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(FetchError::Cut)?;
    let late = |_elapsed| FetchError::TimedOut {
        limit: timeouts.idle,
    };
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = timeout(timeouts.idle, sender.send_request(request));
    let response = answer.await.map_err(late)?.map_err(cut)?;
    let status = response.status().as_u16();
    let (mut body, mut read) = (response.into_body(), Vec::new());
    loop {
        let frame = timeout(timeouts.idle, body.frame()).await;
        let Some(frame) = frame.map_err(late)? else {
            return Ok(Answer { status, body: read });
        };
        if let Ok(chunk) = frame.map_err(cut)?.into_data() {
            if read.len().saturating_add(chunk.len()) > max_answer {
                return Err(FetchError::TooLarge {
                    limit_bytes: u64::try_from(max_answer).unwrap_or(u64::MAX),
                });
            }
            read.extend_from_slice(&chunk);
        }
    }
}
