//! Certificates of broker and central.

use std::fmt;

use loket_wire::{Sha256Digest, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use crate::authority::{Authority, making};
use crate::certificate::{Kind, check_clock};
use crate::error::{ProvisionError, Refusal};
use crate::request::{self, CertificateRequest};

/// A server that the authority vouches for. Its name is reserved: no machine can bear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The MQTT broker; its certificate serves and never opens a connection.
    Broker,
    /// Central; the user `central` at the broker, and the server of documents.
    Central,
}

impl ServerKind {
    /// The common name of its certificate.
    #[must_use]
    pub const fn common_name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Central => "central",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Broker => Kind::Broker,
            Self::Central => Kind::Central,
        }
    }
}

/// A fresh key and the request that goes to the authority.
pub struct ServerRequest {
    /// PKCS#8 PEM; stays where it was made, readable by its owner alone.
    pub key_pem: String,
    /// PKCS#10 PEM.
    pub csr_pem: String,
}

impl fmt::Debug for ServerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerRequest(..)")
    }
}

/// Makes a P-256 key and a request for a server that is reached by `names` (DNS names or IP addresses).
///
/// # Errors
/// [`Refusal::HostName`], [`Refusal::NoHostName`], or a failure to make the key.
pub fn server_request(kind: ServerKind, names: &[String]) -> Result<ServerRequest, ProvisionError> {
    let key = KeyPair::generate().map_err(making("make a server's key"))?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, kind.common_name());
    params.subject_alt_names = hosts(names)?;
    if params.subject_alt_names.is_empty() {
        return Err(Refusal::NoHostName.into());
    }
    let csr = params
        .serialize_request(&key)
        .and_then(|csr| csr.pem())
        .map_err(making("make a certificate request"))?;
    Ok(ServerRequest {
        key_pem: key.serialize_pem(),
        csr_pem: csr,
    })
}

impl Authority {
    /// Signs a server's request and gives its certificate, PEM. `names` take the place of the request's own where
    /// there are any. The same request again gets the same certificate in the first third of its life.
    ///
    /// # Errors
    /// [`ProvisionError::Refused`] when the request is not what it must be; what writing files can meet.
    pub fn issue_server(
        &self,
        kind: ServerKind,
        csr_pem: &str,
        names: &[String],
        now: Timestamp,
    ) -> Result<String, ProvisionError> {
        check_clock(now)?;
        let name = kind.common_name();
        let csr = CertificateRequest::read(csr_pem, name)?;
        let hosts = if names.is_empty() {
            csr.hosts.iter().map(allowed).collect::<Result<_, _>>()?
        } else {
            hosts(names)?
        };
        if hosts.is_empty() {
            return Err(Refusal::NoHostName.into());
        }
        let digest = Sha256Digest::of(&[csr.raw_key(), describe(&hosts).as_bytes()].concat());
        let _lock = self.lock()?;
        let book = self.book();
        let known = book.of(name)?;
        let again = known
            .into_iter()
            .rfind(|issued| issued.request_sha256 == digest && issued.is_fresh(now));
        if let Some(issued) = again {
            return Ok(issued.certificate_pem);
        }
        let issued = self.sign(kind.kind(), name, &csr.key, hosts, (digest, now))?;
        book.put(&issued)?;
        Ok(issued.certificate_pem)
    }
}

fn hosts(names: &[String]) -> Result<Vec<SanType>, Refusal> {
    names.iter().map(|name| request::host(name)).collect()
}

/// A request may name hosts and nothing else: an address book entry or a URI would be vouched for unread.
fn allowed(name: &SanType) -> Result<SanType, Refusal> {
    if let SanType::DnsName(name) = name {
        return request::host(name.as_str());
    }
    if let SanType::IpAddress(address) = name {
        return Ok(SanType::IpAddress(*address));
    }
    Err(Refusal::HostName {
        name: "a name of another kind".to_owned(),
    })
}

fn describe(hosts: &[SanType]) -> String {
    hosts.iter().map(|host| format!("{host:?}\n")).collect()
}
