//! Where the bytes go: the seam between IPP and the wire.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::IppError;
use crate::lookup::Lookup;
use crate::pin::{OtherKey, PinnedKey};
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
    /// The printer's host name has no address.
    #[error("find the printer's host by its name")]
    UnknownHost(#[source] io::Error),
    /// The printer cannot be reached: refused, no route, timeout, unplugged.
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
            DialError::UnknownHost(source) => Self::UnknownHost { source },
            DialError::NotReached(source) => Self::NotReached { source },
            DialError::Tls(source) => Self::Tls { source },
            DialError::Pin { presented } => Self::Pin { presented },
        }
    }
}

/// TCP in clear. Clones share their question for the host's address.
#[derive(Debug, Clone)]
pub struct TcpTransport {
    lookup: Lookup,
}

impl TcpTransport {
    /// The way to the host and port of this address.
    #[must_use]
    pub fn new(uri: &PrinterUri) -> Self {
        Self {
            lookup: Lookup::new(uri.host(), uri.port()),
        }
    }

    async fn connect(&self) -> Result<TcpStream, DialError> {
        let addresses = self.lookup.addresses().await;
        let addresses = addresses.map_err(DialError::UnknownHost)?;
        let stream = TcpStream::connect(addresses.as_slice())
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
///
/// The key is proved in a full handshake; later dials resume that session where the printer
/// allows it, which only the holder of the session's secret can do. Clones share their sessions.
#[derive(Debug, Clone)]
pub struct TlsTransport {
    tcp: TcpTransport,
    config: Arc<ClientConfig>,
}

impl TlsTransport {
    /// The way to the host and port of this address, to whoever holds the key whose
    /// SubjectPublicKeyInfo (DER) has this SHA-256.
    ///
    /// # Errors
    /// [`IppError::Tls`] where the cryptography at hand has no protocol version in common with
    /// the TLS library, which no printer can cause.
    ///
    /// # Source
    /// RFC 7472 (ipps), RFC 7469 section 2.4 (what is pinned), RFC 8446 section 2.2 (resumption).
    pub fn new(uri: &PrinterUri, pinned_spki_sha256: [u8; 32]) -> Result<Self, IppError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(PinnedKey::new(pinned_spki_sha256, Arc::clone(&provider)));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| IppError::Tls {
                source: io::Error::other(error),
            })?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        // Sessions are of this printer alone: they were made under its pin and are used under no
        // other. An idle printer is asked every 2 s, and a full handshake costs it a signature.
        config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
        Ok(Self {
            tcp: TcpTransport::new(uri),
            config: Arc::new(config),
        })
    }

    async fn connect(&self) -> Result<Stream, DialError> {
        let name = ServerName::try_from(self.tcp.lookup.host().to_owned())
            .map_err(|error| DialError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let stream = self.tcp.connect().await?;
        match TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
        {
            Ok(stream) => Ok(Box::new(stream)),
            Err(source) => Err(match OtherKey::in_error(&source) {
                Some(OtherKey { presented }) => DialError::Pin {
                    presented: presented.clone(),
                },
                None => DialError::Tls(source),
            }),
        }
    }
}

/// One printer under one name; health and an attempt may dial it at once.
const MAX_SESSIONS: usize = 2;

impl Transport for TlsTransport {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(self.connect())
    }
}
