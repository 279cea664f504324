//! A small HTTP client for loopback: one request a connection, bounded answers.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Answers of central and of the simulated printer stay far below.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Both are on this machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none, or the status is not 2xx; status and body are in the error.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        if !(200..300).contains(&self.status) {
            bail!(
                "status {}: {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            );
        }
        serde_json::from_slice(&self.body).context("read a JSON answer")
    }
}

/// A request with a whole body.
pub type Post = Request<Full<Bytes>>;

/// Makes a POST request.
///
/// # Errors
/// When path or type cannot stand in a request.
pub fn post(at: &str, path: &str, kind: &str, body: Vec<u8>) -> anyhow::Result<Post> {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("host", at);
    Ok(request
        .header("content-type", kind)
        .body(Full::from(body))?)
}

/// Sends one request to `host:port`.
///
/// # Errors
/// When nothing answers within the timeout.
pub async fn send(at: &str, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
    let exchange = async {
        let stream = TcpStream::connect(at)
            .await
            .with_context(|| format!("reach {at}"))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let talk = async {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await;
            let body = body.map_err(|error| anyhow::anyhow!("read the answer of {at}: {error}"))?;
            Ok(Answer {
                status,
                body: body.to_bytes(),
            })
        };
        tokio::pin!(talk);
        tokio::select! {
            answer = &mut talk => answer,
            ended = connection => {
                ended.with_context(|| format!("talk to {at}"))?;
                talk.await
            }
        }
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .with_context(|| format!("hear from {at}"))?
}

/// Sends a request without a body; `token` signs in.
///
/// # Errors
/// As [`send`].
pub async fn call(
    at: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> anyhow::Result<Answer> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", at);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(at, request.body(Full::default())?).await
}

/// Posts a document with its order to central.
///
/// # Errors
/// As [`send`].
pub async fn post_document(
    at: &str,
    token: &str,
    document: &[u8],
    order: &str,
    idempotency_key: Option<&str>,
) -> anyhow::Result<Answer> {
    const BOUNDARY: &str = "loket-boundary-1f0c3a";
    let mut body = Vec::with_capacity(document.len() + order.len() + 512);
    for (name, kind, bytes) in [
        ("document", "application/pdf", document),
        ("order", "application/json", order.as_bytes()),
    ] {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\ncontent-type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let mut request = Request::builder()
        .method("POST")
        .uri("/api/v1/documents")
        .header("host", at)
        .header("authorization", format!("Bearer {token}"))
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        );
    if let Some(key) = idempotency_key {
        request = request.header("idempotency-key", key);
    }
    send(at, request.body(Full::from(body))?).await
}
