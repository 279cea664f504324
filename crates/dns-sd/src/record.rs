//! What a stranger's answer says, before any of it is believed.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// `_ipp._tcp`: IPP in clear.
    Ipp,
    /// `_ipps._tcp`: IPP over TLS.
    Ipps,
}

impl Service {
    /// Both, in the order in which they are told.
    pub const ALL: [Self; 2] = [Self::Ipp, Self::Ipps];

    /// The scheme of addresses: `ipp` or `ipps`.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Ipp => "ipp",
            Self::Ipps => "ipps",
        }
    }

    /// Its name in the domain of the local link.
    #[must_use]
    pub const fn domain(self) -> &'static str {
        match self {
            Self::Ipp => "_ipp._tcp.local.",
            Self::Ipps => "_ipps._tcp.local.",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

/// The records of one service as they came: SRV, TXT, A and AAAA. Nothing of them is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was asked for.
    pub service: Service,
    /// `NAME._ipp._tcp.local.`
    pub fullname: String,
    /// The name of the host that serves it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The addresses of the host.
    pub addresses: Vec<IpAddr>,
    /// Keys and values of the TXT record, in its order; a key may have no value.
    pub txt: Vec<(String, Option<Vec<u8>>)>,
}

/// Why a record cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// It names no service of the kind that was asked for.
    #[error("its name is none of the service that was asked for")]
    Name,
    /// Its port is 0.
    #[error("its port is 0")]
    Port,
    /// It has no address that settings can name: none at all, or of the local link or this computer alone.
    #[error("it has no address that settings can name")]
    Address,
    /// It says no path, or one with characters that a path of IPP does not have.
    #[error("its path (rp) is missing or cannot be a path")]
    Path,
}

impl RecordFault {
    /// A word for it, as keywords of IPP are written.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Name => "name-unusable",
            Self::Port => "port-unusable",
            Self::Address => "address-unusable",
            Self::Path => "path-unusable",
        }
    }
}
