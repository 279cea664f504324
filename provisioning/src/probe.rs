//! The canary of the newest revocation list knocks, and a broker that looks at this list refuses it.
//!
//! mosquitto that cannot read its list logs a line and admits everyone, and a list may have been forgotten on its way to
//! one of several brokers, so neither is trusted unasked.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use loket_wire::enrolment::Endpoint;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::authority::{Authority, CANARY};
use crate::durable;
use crate::error::{ProvisionError, Refusal};

/// How long TCP may take to the broker: three lost SYNs on a poor link.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a refusal may take. In TLS 1.3 it comes after the client's handshake is done (RFC 8446 §4.4.2), and what
/// is sent before it arrives could destroy it: the broker's TCP answers unread bytes with a reset.
const REFUSAL_WAIT: Duration = Duration::from_secs(3);

/// What the broker did with the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Refused as revoked: the authority's newest list is in force there.
    Revoked,
    /// Let in: an older list is in force there, or none.
    Admitted,
    /// Refused, but for another reason, so that nothing is known of the list.
    Refused(AlertDescription),
}

/// Knocks at the broker with the canary's certificate.
///
/// # Errors
/// Where the broker cannot be reached, its own certificate is not the authority's, or it gives no answer.
pub fn probe(authority: &Authority, broker: &Endpoint) -> Result<Probe, ProvisionError> {
    let name = ServerName::try_from(broker.host.clone()).map_err(|_dns| Refusal::HostName {
        name: broker.host.clone(),
    })?;
    let mut tls = ClientConnection::new(Arc::new(client_config(authority)?), name)
        .map_err(ProvisionError::Tls)?;
    let mut tcp = connect(broker)?;
    match knock(&mut tls, &mut tcp) {
        Ok(()) => Ok(Probe::Admitted),
        Err(error) => judge(error),
    }
}

/// Ends well only when the broker answered inside TLS.
fn knock(tls: &mut ClientConnection, tcp: &mut TcpStream) -> io::Result<()> {
    while tls.is_handshaking() {
        tls.complete_io(tcp)?;
    }
    let mut stream = Stream::new(tls, tcp);
    let mut first = [0_u8; 1];
    match stream.read_exact(&mut first) {
        Err(error) if is_timeout(&error) => {}
        other => return other,
    }
    stream.write_all(&mqtt_connect())?;
    stream.flush()?;
    stream.read_exact(&mut first)
}

fn judge(error: io::Error) -> Result<Probe, ProvisionError> {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .cloned();
    match tls {
        Some(rustls::Error::AlertReceived(AlertDescription::CertificateRevoked)) => {
            Ok(Probe::Revoked)
        }
        Some(rustls::Error::AlertReceived(other)) => Ok(Probe::Refused(other)),
        Some(ours) => Err(ProvisionError::Tls(ours)),
        None => Err(ProvisionError::NoAnswer(error)),
    }
}

fn connect(broker: &Endpoint) -> Result<TcpStream, ProvisionError> {
    let unresolved = |source| ProvisionError::Resolve {
        host: broker.host.clone(),
        source,
    };
    let addresses = (broker.host.as_str(), broker.port)
        .to_socket_addrs()
        .map_err(unresolved)?;
    let mut failure = unresolved(io::ErrorKind::NotFound.into());
    for address in addresses {
        let opened = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).and_then(|tcp| {
            tcp.set_read_timeout(Some(REFUSAL_WAIT))?;
            tcp.set_write_timeout(Some(CONNECT_TIMEOUT))?;
            Ok(tcp)
        });
        match opened {
            Ok(tcp) => return Ok(tcp),
            Err(source) => failure = ProvisionError::Connect { address, source },
        }
    }
    Err(failure)
}

fn client_config(authority: &Authority) -> Result<ClientConfig, ProvisionError> {
    let certificate = |pem: &str, path| {
        CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_pem| ProvisionError::Pem {
            path,
            source: rcgen::Error::CouldNotParseCertificate,
        })
    };
    let mut roots = RootCertStore::empty();
    roots
        .add(certificate(
            authority.certificate_pem(),
            authority.path("authority.crt"),
        )?)
        .map_err(ProvisionError::Tls)?;
    let (own_path, key_path) = (authority.path("issued"), authority.path("canary.key"));
    let own = authority.canary_of(&authority.list_in_force()?)?;
    let own = certificate(&own, own_path)?;
    let key = PrivateKeyDer::from_pem_slice(&durable::read(&key_path)?).map_err(|_pem| {
        ProvisionError::Pem {
            path: key_path,
            source: rcgen::Error::CouldNotParseKeyPair,
        }
    })?;
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ProvisionError::Tls)?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![own], key)
        .map_err(ProvisionError::Tls)
}

/// A CONNECT of MQTT 5 (§3.1): a broker answers it even when it refuses the client.
fn mqtt_connect() -> Vec<u8> {
    let mut body = b"\x00\x04MQTT\x05\x02\x00\x3c\x00\x00".to_vec();
    // The client id's length; the name is a short constant.
    body.push(u8::try_from(CANARY.len()).unwrap_or(u8::MAX));
    body.extend_from_slice(CANARY.as_bytes());
    let mut packet = vec![0x10, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    packet.append(&mut body);
    packet
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
