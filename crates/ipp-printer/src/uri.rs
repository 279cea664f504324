//! The address of a printer.

use std::fmt;

/// IANA's port of IPP; `ipps` uses the same one (RFC 7472 section 4.1), not 443.
const IPP_PORT: u16 = 631;

/// Longest URI an IPP `uri` value may hold (RFC 8011 section 5.1.6).
const MAX_URI_LEN: usize = 1023;

/// Names how the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `ipp`: in clear, for loopback, USB and a site's own wire.
    Ipp,
    /// `ipps`: TLS from the first byte.
    Ipps,
}

/// Says what is wrong with a printer's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriFault {
    /// It does not begin with `ipp://` or `ipps://`.
    #[error("scheme is neither ipp nor ipps")]
    Scheme,
    /// It names no host.
    #[error("host is missing or malformed")]
    Host,
    /// Its port is no number from 1 to 65535.
    #[error("port is not a number from 1 to 65535")]
    Port,
    /// It holds a user name, a query, a fragment, or bytes a URI may not hold.
    #[error("it holds a user name, query, fragment or forbidden character")]
    Part,
    /// It is longer than an IPP uri may be.
    #[error("it is longer than 1023 bytes")]
    TooLong,
    /// A pin was given for a printer that is spoken to in clear.
    #[error("a pin was given, but ipp is not encrypted: use ipps")]
    PinWithoutTls,
    /// No pin was given for a printer that is spoken to over TLS.
    #[error("ipps needs the pin of the printer's key: printers sign their own certificates")]
    TlsWithoutPin,
}

/// Addresses one printer: `ipp://host[:port]/path` or `ipps://host[:port]/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterUri {
    scheme: Scheme,
    host: String,
    port: u16,
    path: String,
}

impl PrinterUri {
    /// Reads an address; the port is 631 where none is given, the path `/` where none is given.
    ///
    /// # Errors
    /// [`UriFault`] names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, UriFault> {
        if text.len() > MAX_URI_LEN {
            return Err(UriFault::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['?', '#', '@', '\\', '"'])
        {
            return Err(UriFault::Part);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UriFault::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "ipp" => Scheme::Ipp,
            "ipps" => Scheme::Ipps,
            _ => return Err(UriFault::Scheme),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What an HTTP `Host` header says; the port is always there, since some printers insist.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn split_authority(authority: &str) -> Result<(&str, u16), UriFault> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(UriFault::Host)?;
        host.parse::<std::net::Ipv6Addr>()
            .map_err(|_| UriFault::Host)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(UriFault::Host),
        }
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    if host.is_empty() || host.contains(['[', ']', '%']) {
        return Err(UriFault::Host);
    }
    let port = match port {
        None => IPP_PORT,
        Some(port) => port
            .parse()
            .ok()
            .filter(|p| *p != 0)
            .ok_or(UriFault::Port)?,
    };
    Ok((host, port))
}

impl fmt::Display for PrinterUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Ipp => "ipp",
            Scheme::Ipps => "ipps",
        };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_default_to_port_631() {
        for text in [
            "ipp://printer.lan/ipp/print",
            "ipps://printer.lan/ipp/print",
        ] {
            assert_eq!(PrinterUri::parse(text).unwrap().port(), 631);
        }
    }

    #[test]
    fn an_address_is_written_back_with_its_port() {
        let written = |text: &str| PrinterUri::parse(text).unwrap().to_string();
        assert_eq!(written("ipp://10.0.0.7"), "ipp://10.0.0.7:631/");
        assert_eq!(
            written("ipps://[fe80::1]:8631/ipp/print"),
            "ipps://[fe80::1]:8631/ipp/print"
        );
    }

    #[test]
    fn a_malformed_address_is_refused_with_its_fault() {
        let fault = |text: &str| PrinterUri::parse(text).unwrap_err();
        assert_eq!(fault("http://printer/"), UriFault::Scheme);
        assert_eq!(fault("printer"), UriFault::Scheme);
        assert_eq!(fault("ipp:///ipp/print"), UriFault::Host);
        assert_eq!(fault("ipp://[fe80::1/"), UriFault::Host);
        assert_eq!(fault("ipp://printer:0/"), UriFault::Port);
        assert_eq!(fault("ipp://printer:70000/"), UriFault::Port);
        assert_eq!(fault("ipp://user:secret@printer/"), UriFault::Part);
        assert_eq!(fault("ipp://printer/a b"), UriFault::Part);
        assert_eq!(fault("ipp://printer/\r\nX: y"), UriFault::Part);
        assert_eq!(
            fault(&format!("ipp://printer/{}", "a".repeat(1024))),
            UriFault::TooLong
        );
    }
}
