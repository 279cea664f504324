//! TCP and TLS to a named host within a bound, with every byte at the socket counted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A byte stream to a peer, clear or under TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Bytes that passed a link's TCP sockets since [`crate::open`], TLS records and handshakes
/// included, TCP and IP headers not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkBytes {
    /// Bytes written to sockets.
    pub sent_bytes: u64,
    /// Bytes read from sockets.
    pub received_bytes: u64,
}

/// The running totals behind [`LinkBytes`].
#[derive(Debug, Default)]
pub(crate) struct ByteTotals {
    sent: AtomicU64,
    received: AtomicU64,
}

impl ByteTotals {
    pub(crate) fn read(&self) -> LinkBytes {
        LinkBytes {
            sent_bytes: self.sent.load(Ordering::Relaxed),
            received_bytes: self.received.load(Ordering::Relaxed),
        }
    }
}

/// Why no stream was made.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The name did not resolve, or nothing answered at any of its addresses.
    Unreachable(io::Error),
    /// The bound passed.
    TimedOut,
    /// The server's name is neither a DNS name nor an IP address.
    ServerName,
    /// The TLS handshake failed.
    Tls(io::Error),
}

/// Connects to `host:port`, with TLS for `server_name` where `tls` is given.
pub(crate) async fn dial(
    (host, port): (&str, u16),
    (server_name, tls): (&str, Option<&Arc<rustls::ClientConfig>>),
    bound: Duration,
    totals: Arc<ByteTotals>,
) -> Result<Box<dyn Stream>, DialError> {
    let connecting = async {
        let tcp = TcpStream::connect((host, port))
            .await
            .map_err(DialError::Unreachable)?;
        // Small packets are the rule here; waiting to fill a segment would only delay them.
        tcp.set_nodelay(true).map_err(DialError::Unreachable)?;
        let counted = Counted { inner: tcp, totals };
        let Some(tls) = tls else {
            let clear: Box<dyn Stream> = Box::new(counted);
            return Ok(clear);
        };
        let name =
            ServerName::try_from(server_name.to_owned()).map_err(|_| DialError::ServerName)?;
        let handshake = TlsConnector::from(Arc::clone(tls)).connect(name, counted);
        let secured: Box<dyn Stream> = Box::new(handshake.await.map_err(DialError::Tls)?);
        Ok(secured)
    };
    timeout(bound, connecting)
        .await
        .unwrap_or(Err(DialError::TimedOut))
}

/// A stream that adds what passes to the totals.
struct Counted<S> {
    inner: S,
    totals: Arc<ByteTotals>,
}

fn add(total: &AtomicU64, count: usize) {
    total.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        add(
            &self.totals.received,
            buf.filled().len().saturating_sub(before),
        );
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &polled {
            add(&self.totals.sent, *count);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_passes_is_counted_in_both_directions() {
        let (near, mut far) = duplex(64);
        let totals = Arc::new(ByteTotals::default());
        let mut counted = Counted {
            inner: near,
            totals: Arc::clone(&totals),
        };
        counted.write_all(b"four").await.unwrap();
        far.write_all(b"sixsix").await.unwrap();
        let mut read = [0; 6];
        counted.read_exact(&mut read).await.unwrap();
        assert_eq!(
            totals.read(),
            LinkBytes {
                sent_bytes: 4,
                received_bytes: 6
            }
        );
    }
}
