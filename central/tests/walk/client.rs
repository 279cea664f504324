//! A client of central's API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::rig::Rig;

/// Ends a hung exchange; nothing is measured by it. A scan is looked at for seconds of processor time, on computers that
/// have other things to do.
const PATIENCE: Duration = Duration::from_secs(100);

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_no| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

async fn shake_hands(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    driving: &mut JoinSet<hyper::Result<()>>,
) -> SendRequest<Full<Bytes>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    driving.spawn(connection);
    sender
}

/// Type and body of a form with files: name, type and bytes of each part.
pub(crate) fn multipart(parts: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    const EDGE: &str = "loketedge7d1f";
    let mut body = Vec::new();
    for (name, kind, bytes) in parts {
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={EDGE}"), body)
}

/// A client of the API with one token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// TLS, where central's API has it.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

impl Client {
    /// Somebody without a token, as every browser is to the API.
    pub(crate) const fn nobody(rig: &Rig) -> Self {
        Self {
            address: rig.api,
            token: String::new(),
            tls: None,
        }
    }

    /// Sends the fields of a form, as a browser writes them.
    pub(crate) async fn form(&self, path: &str, headers: &[(&str, &str)], fields: &str) -> Answer {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [&[kind], headers].concat();
        let body = fields.as_bytes().to_vec();
        self.send(Method::POST, path, &headers, body).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let exchange = async {
            let stream = TcpStream::connect(self.address).await.unwrap();
            let mut driving = JoinSet::new();
            let mut sender = match &self.tls {
                None => shake_hands(stream, &mut driving).await,
                Some(tls) => {
                    let name = ServerName::try_from("127.0.0.1").unwrap();
                    let tls = TlsConnector::from(Arc::clone(tls))
                        .connect(name, stream)
                        .await;
                    shake_hands(tls.unwrap(), &mut driving).await
                }
            };
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "central");
            if !self.token.is_empty() {
                request = request.header("authorization", format!("Bearer {}", self.token));
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Full::new(Bytes::from(body))).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                text,
            }
        };
        timeout(PATIENCE, exchange).await.expect("central answers")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(Method::POST, path, &[], Vec::new()).await
    }

    pub(crate) async fn bring(&self, document: &[u8], order: &str, key: Option<&str>) -> Answer {
        let (kind, body) = multipart(&[
            ("document", "application/pdf", document),
            ("order", "application/json", order.as_bytes()),
        ]);
        let mut headers = vec![("content-type", kind.as_str())];
        if let Some(key) = key {
            headers.push(("idempotency-key", key));
        }
        self.send(Method::POST, "/api/v1/documents", &headers, body)
            .await
    }
}
