//! A printer as it announces itself: what of a stranger's record can be shown.

use std::fmt;
use std::net::IpAddr;

use crate::record::{Record, RecordFault, Service};
use crate::text::clean;

/// A label of DNS holds 63 bytes (RFC 1035 section 2.3.4).
const MAX_NAME_CHARS: usize = 63;

/// The longest name of a host, without the dot behind it (RFC 1035 section 2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// The longest make and model (RFC 8011 section 5.4.9: text of 127).
const MAX_MODEL_CHARS: usize = 127;

/// A string of a TXT record holds 255 bytes with its key (RFC 6763 section 6.1).
const MAX_PATH_BYTES: usize = 252;

/// The longest media type (RFC 8011 section 5.1.10: 255); printers name a dozen.
const MAX_FORMAT_CHARS: usize = 255;
const MAX_FORMATS: usize = 32;

/// A printer has an address or two a network; more are not shown.
const MAX_ADDRESSES: usize = 8;

/// Eight, four, four, four and twelve hexadecimal digits (RFC 9562 section 4).
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// A printer that announces itself. Its words are cleaned and short, its address is well formed, and none of it need be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its name, up to 63 characters.
    pub name: String,
    /// How it is spoken to.
    pub service: Service,
    /// The name of its host in lower case, such as `epson1234.local`; none where it is not one of letters, digits, `-` and dots.
    pub host: Option<String>,
    /// The addresses that settings can name, up to 8: those of IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// Its port, not 0.
    pub port: u16,
    /// The path, without the slash in front; letters, digits and `-._~/` alone.
    pub path: String,
    /// Make and model (`ty`), up to 127 characters.
    pub make_and_model: Option<String>,
    /// Media types that it takes (`pdl`), up to 32; none where it does not say.
    pub formats: Vec<String>,
    /// Its UUID (`UUID`), in lower case.
    pub uuid: Option<String>,
}

/// What documents can be given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formats {
    /// PDF.
    Pdf,
    /// No PDF, but a raster of its pages (PWG raster or URF).
    Raster,
    /// Neither.
    Neither,
    /// It does not say.
    Unsaid,
}

impl Announced {
    /// Reads a record. Addresses of this computer (127.0.0.0/8, `::1`) count only where `is_local`: a stranger who announces
    /// them means nothing on the network.
    ///
    /// # Errors
    /// [`RecordFault`]
    pub fn read(record: &Record, is_local: bool) -> Result<Self, RecordFault> {
        let name = name(record).ok_or(RecordFault::Name)?;
        if record.port == 0 {
            return Err(RecordFault::Port);
        }
        let addresses = addresses(&record.addresses, is_local);
        if addresses.is_empty() {
            return Err(RecordFault::Address);
        }
        let said = |key: &str| value(record, key);
        let path = said("rp").and_then(path).ok_or(RecordFault::Path)?;
        Ok(Self {
            name,
            service: record.service,
            host: host(&record.host),
            addresses,
            port: record.port,
            path,
            make_and_model: said("ty").and_then(|it| clean(it, MAX_MODEL_CHARS)),
            formats: said("pdl").map(formats).unwrap_or_default(),
            uuid: said("UUID").and_then(uuid),
        })
    }

    /// Its address for settings, by its first one.
    #[must_use]
    pub fn uri(&self) -> String {
        self.to_string()
    }

    /// What documents can be given as.
    #[must_use]
    pub fn takes(&self) -> Formats {
        let takes = |media_type: &str| self.formats.iter().any(|it| it == media_type);
        if self.formats.is_empty() {
            Formats::Unsaid
        } else if takes("application/pdf") {
            Formats::Pdf
        } else if takes("image/pwg-raster") || takes("image/urf") {
            Formats::Raster
        } else {
            Formats::Neither
        }
    }
}

impl fmt::Display for Announced {
    /// `ipp://192.168.1.20:631/ipp/print`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.service)?;
        match self.addresses.first() {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Some(IpAddr::V4(address)) => write!(f, "{address}")?,
            // None is read without an address.
            None => {}
        }
        write!(f, ":{}/{}", self.port, self.path)
    }
}

/// The label in front of the service, of which RFC 6763 section 4.3 allows any text.
fn name(record: &Record) -> Option<String> {
    let at = record
        .fullname
        .len()
        .checked_sub(record.service.domain().len())?;
    let (label, domain) = record.fullname.split_at_checked(at)?;
    if !domain.eq_ignore_ascii_case(record.service.domain()) {
        return None;
    }
    clean(label.strip_suffix('.')?.as_bytes(), MAX_NAME_CHARS)
}

fn host(text: &str) -> Option<String> {
    let host = text.strip_suffix('.').unwrap_or(text);
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'.';
    let is_host = (1..=MAX_HOST_BYTES).contains(&host.len()) && host.bytes().all(is_plain);
    is_host.then(|| host.to_ascii_lowercase())
}

/// The value of the first key of this name: later ones are passed over (RFC 6763 section 6.4).
fn value<'a>(record: &'a Record, key: &str) -> Option<&'a [u8]> {
    let mut all = record.txt.iter();
    let (_key, value) = all.find(|(name, _value)| name.eq_ignore_ascii_case(key))?;
    value.as_deref()
}

fn addresses(all: &[IpAddr], is_local: bool) -> Vec<IpAddr> {
    let mut usable: Vec<IpAddr> = all
        .iter()
        .map(IpAddr::to_canonical)
        .filter(|it| is_usable(it) && (is_local || !it.is_loopback()))
        .collect();
    usable.sort_unstable();
    usable.dedup();
    usable.truncate(MAX_ADDRESSES);
    usable
}

/// Whether settings can name it: an address of the local link of IPv6 means something on one interface alone.
fn is_usable(address: &IpAddr) -> bool {
    let is_of_link = match address {
        IpAddr::V4(it) => it.is_broadcast() || it.octets().first() == Some(&0),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    };
    !(is_of_link || address.is_unspecified() || address.is_multicast())
}

/// A path that can stand in settings as it is, and says the same to everybody who reads it.
fn path(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let path = text.strip_prefix('/').unwrap_or(text);
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~/".contains(&it);
    let is_step = |it: &str| it == "." || it == ".." || it.is_empty();
    let is_path = path.len() <= MAX_PATH_BYTES
        && path.bytes().all(is_plain)
        && (path.is_empty() || !path.split('/').any(is_step));
    is_path.then(|| path.to_owned())
}

fn formats(value: &[u8]) -> Vec<String> {
    let each = value.split(|it| *it == b',').take(MAX_FORMATS);
    each.filter_map(|it| clean(it, MAX_FORMAT_CHARS))
        .map(|it| it.to_ascii_lowercase())
        .collect()
}

fn uuid(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let mut lengths = text.split('-').map(str::len);
    let is_uuid = UUID_GROUPS
        .iter()
        .all(|length| lengths.next() == Some(*length))
        && lengths.next().is_none()
        && text.bytes().all(|it| it == b'-' || it.is_ascii_hexdigit());
    is_uuid.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
