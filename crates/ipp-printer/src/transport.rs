//! Where the bytes go: the seam between IPP and the wire.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::IppError;
use crate::pin::PinnedKey;
use crate::uri::PrinterUri;

/// A stream of bytes in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// A dialled stream; dropping it ends the exchange.
pub type Stream = Box<dyn ByteStream>;

/// The future of a dial.
pub type DialFuture<'a> = Pin<Box<dyn Future<Output = Result<Stream, DialError>> + Send + 'a>>;

/// Dials a byte stream to one printer, for one HTTP exchange at a time.
///
/// A stream carries exactly one request and its answer. A transport over USB (interface class
/// 7/1/4) waits in `dial` until an interface pair is free, and on drop of a stream whose exchange
/// was cut short drains or resets the interface before it gives the pair out again.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Dials; no byte of a request has left when it fails.
    ///
    /// # Errors
    /// [`DialError`] says whether the way, the TLS session or the printer's key was the trouble.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the dial and leaves nothing behind.
    fn dial(&self) -> DialFuture<'_>;
}

/// Says why no byte stream came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The printer cannot be reached: refused, unknown host, timeout, unplugged.
    #[error("reach the printer")]
    NotReached(#[source] io::Error),
    /// The printer was reached, but speaks no TLS that we accept.
    #[error("set up TLS with the printer")]
    Tls(#[source] io::Error),
    /// The printer shows another key than the pinned one.
    #[error("trust the printer: its key has SHA-256 {presented}, which is not the pinned one")]
    Pin {
        /// Lowercase hex of the SHA-256 of the key that was shown.
        presented: String,
    },
}

impl From<DialError> for IppError {
    fn from(error: DialError) -> Self {
        match error {
            DialError::NotReached(source) => Self::NotReached { source },
            DialError::Tls(source) => Self::Tls { source },
            DialError::Pin { presented } => Self::Pin { presented },
        }
    }
}

/// TCP in clear.
#[derive(Debug, Clone)]
pub struct TcpTransport {
    host: String,
    port: u16,
}

impl TcpTransport {
    /// The way to the host and port of this address.
    #[must_use]
    pub fn new(uri: &PrinterUri) -> Self {
        Self {
            host: uri.host().to_owned(),
            port: uri.port(),
        }
    }

    async fn connect(&self) -> Result<TcpStream, DialError> {
        let target = (self.host.as_str(), self.port);
        let stream = TcpStream::connect(target)
            .await
            .map_err(DialError::NotReached)?;
        // A request goes out in few writes and waits for its answer: Nagle would only delay it.
        stream.set_nodelay(true).map_err(DialError::NotReached)?;
        Ok(stream)
    }
}

impl Transport for TcpTransport {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(async {
            let stream: Stream = Box::new(self.connect().await?);
            Ok(stream)
        })
    }
}

/// TLS over TCP, with the printer's key pinned.
#[derive(Debug, Clone)]
pub struct TlsTransport {
    tcp: TcpTransport,
    pinned_spki_sha256: [u8; 32],
}

impl TlsTransport {
    /// The way to the host and port of this address, to whoever holds the key whose
    /// SubjectPublicKeyInfo (DER) has this SHA-256.
    ///
    /// # Source
    /// RFC 7472 (ipps), RFC 7469 section 2.4 (what is pinned).
    #[must_use]
    pub fn new(uri: &PrinterUri, pinned_spki_sha256: [u8; 32]) -> Self {
        Self {
            tcp: TcpTransport::new(uri),
            pinned_spki_sha256,
        }
    }

    async fn connect(&self) -> Result<Stream, DialError> {
        let tls = |error| DialError::Tls(io::Error::other::<rustls::Error>(error));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(PinnedKey::new(
            self.pinned_spki_sha256,
            Arc::clone(&provider),
        ));
        let trusting: Arc<PinnedKey> = Arc::clone(&verifier);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(trusting)
            .with_no_client_auth();
        // A resumed session shows no certificate: each dial proves the key anew.
        config.resumption = rustls::client::Resumption::disabled();
        let name = ServerName::try_from(self.tcp.host.clone())
            .map_err(|error| DialError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let stream = self.tcp.connect().await?;
        match TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
        {
            Ok(stream) => Ok(Box::new(stream)),
            Err(source) => Err(match verifier.refused() {
                Some(presented) => DialError::Pin { presented },
                None => DialError::Tls(source),
            }),
        }
    }
}

impl Transport for TlsTransport {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(self.connect())
    }
}
