//! How a model differs from what the specifications say, as data.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// A device takes bytes while it prints: a page of an old printer takes up to 30 s, and warming up 20 s before it.
const SEND_QUIET_MS: u32 = 120_000;

/// Printers warm up for up to 20 s, and scanners move their lamp, before they answer.
const ANSWER_QUIET_MS: u32 = 60_000;

/// What is left of an answer whose caller went away is read for this long; a page of a scanner at 600 dpi takes as long.
const DRAIN_MS: u32 = 30_000;

/// A4 in colour at 600 dpi is 105 MB in the rawest form that scanners send.
const DRAIN_BYTES: u64 = 128 * 1024 * 1024;

/// Devices are told this name of themselves; they know no other over USB.
const HOST: &str = "localhost";

/// How a model differs; [`Quirks::default`] is a device that does as the specifications say.
///
/// Every key may be left out; unknown ones are refused. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// A request that fills its last packet is ended by a packet of no bytes. Default: false.
    pub zlp_send: bool,
    /// A packet of no bytes inside an answer, with silence behind it, says that the rest of the answer will not come (some
    /// HP models while they boot). The exchange then fails at once. Default: false, such packets mean nothing.
    pub zlp_recv: bool,
    /// What resets the device when it is opened. Default: the soft reset, since a program that died may have left half a
    /// request in it, to which the next one would be added.
    pub init_reset: InitReset,
    /// How long the device is left alone after it was opened. Default: 0.
    pub init_delay_ms: u32,
    /// How long an interface is left alone between two exchanges. Default: 0.
    pub request_delay_ms: u32,
    /// How long to wait after each transfer to the device that is longer than `send_delay_threshold_bytes`. Default: 0.
    pub send_delay_ms: u32,
    /// See `send_delay_ms`. Default: 0.
    pub send_delay_threshold_bytes: u32,
    /// The most interfaces that are used at once; 0 for all. Default: 0.
    pub max_interfaces: u8,
    /// What the Host header says. Default: `localhost`.
    pub host: Host,
    /// Headers of requests that are set, or with an empty value removed. Default: Connection is removed, for a device
    /// that closes after each answer stops answering. Lengths, Host and Expect cannot be set.
    pub headers: Headers,
    /// Whom the soft reset is addressed to; where it stalls, the other one is tried. Default: the interface.
    pub soft_reset_to: SoftResetTo,
    /// What brings an interface back into step after an exchange that broke off. Default: the hard reset, since an answer
    /// that is late would be taken for the answer to the next request.
    pub resync: Resync,
    /// How long the device may take no byte of what is sent. Default: 120000.
    pub send_quiet_ms: u32,
    /// How long it may say nothing while its answer is due. Default: 60000.
    pub answer_quiet_ms: u32,
    /// How long the rest of an answer is read that nobody waits for. Default: 30000.
    pub drain_ms: u32,
    /// How many bytes of it. Default: 134217728.
    pub drain_bytes: u64,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            zlp_send: false,
            zlp_recv: false,
            init_reset: InitReset::Soft,
            init_delay_ms: 0,
            request_delay_ms: 0,
            send_delay_ms: 0,
            send_delay_threshold_bytes: 0,
            max_interfaces: 0,
            host: Host::default(),
            headers: Headers::default(),
            soft_reset_to: SoftResetTo::Interface,
            resync: Resync::Hard,
            send_quiet_ms: SEND_QUIET_MS,
            answer_quiet_ms: ANSWER_QUIET_MS,
            drain_ms: DRAIN_MS,
            drain_bytes: DRAIN_BYTES,
        }
    }
}

impl Quirks {
    pub(crate) fn init_delay(&self) -> Duration {
        ms(self.init_delay_ms)
    }

    pub(crate) fn request_delay(&self) -> Duration {
        ms(self.request_delay_ms)
    }

    pub(crate) fn send_quiet(&self) -> Duration {
        ms(self.send_quiet_ms)
    }

    pub(crate) fn answer_quiet(&self) -> Duration {
        ms(self.answer_quiet_ms)
    }

    pub(crate) fn drain(&self) -> Duration {
        ms(self.drain_ms)
    }

    /// The pause after a transfer of so many bytes.
    pub(crate) fn send_delay(&self, len: usize) -> Option<Duration> {
        let is_long =
            u64::try_from(len).unwrap_or(u64::MAX) > u64::from(self.send_delay_threshold_bytes);
        (self.send_delay_ms > 0 && is_long).then(|| ms(self.send_delay_ms))
    }
}

fn ms(value: u32) -> Duration {
    Duration::from_millis(u64::from(value))
}

/// What resets a device when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitReset {
    /// Nothing.
    None,
    /// SOFT_RESET of the printer class, at each interface.
    Soft,
    /// A reset of the whole device.
    Hard,
}

/// Whom SOFT_RESET is addressed to.
///
/// # Source
/// USB Printer Class 1.1 section 4.2.3: the interface; 1.0 wrongly had "other" there, and firmware was built to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SoftResetTo {
    /// bmRequestType 0x21.
    Interface,
    /// bmRequestType 0x23.
    Other,
}

/// What brings an interface back into step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resync {
    /// SOFT_RESET, and silence after it.
    Soft,
    /// SOFT_RESET, then a reset of the whole device as soon as nothing else runs on it.
    Hard,
}

/// What the Host header says: printable ASCII without blanks, at least one character.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(String);

impl Default for Host {
    fn default() -> Self {
        Self(HOST.to_owned())
    }
}

impl Host {
    /// As it stands in the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Host {
    type Error = HeaderFault;

    fn try_from(text: String) -> Result<Self, HeaderFault> {
        let is_host = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || !is_host || text.len() > MAX_EDIT_CHARS {
            return Err(HeaderFault("host".to_owned()));
        }
        Ok(Self(text))
    }
}

/// Edits of request headers, by lower-case name; an empty value removes the header.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Headers(BTreeMap<String, String>);

/// The most headers that a model can need; none at hand needs more than two.
const MAX_EDITS: usize = 16;

/// The longest name or value; a User-Agent may be long.
const MAX_EDIT_CHARS: usize = 256;

/// Headers that say where the request ends, or that the transport answers for itself.
const NOT_EDITED: &[&str] = &[
    "content-length",
    "transfer-encoding",
    "host",
    "expect",
    "trailer",
];

/// Says why headers cannot be edited so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("edit the header {0:?} of requests: no such name or value is possible")]
pub struct HeaderFault(String);

impl Default for Headers {
    fn default() -> Self {
        Self(BTreeMap::from([("connection".to_owned(), String::new())]))
    }
}

impl Headers {
    /// The edit of this header, by its lower-case name.
    pub(crate) fn edit(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The headers that are set.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(_, value)| !value.is_empty())
    }
}

impl TryFrom<BTreeMap<String, String>> for Headers {
    type Error = HeaderFault;

    /// # Errors
    /// [`HeaderFault`] for more than 16 edits, a name that is no token, a value with line ends or other bytes than
    /// printable ASCII, and for headers that the transport itself answers for.
    fn try_from(edits: BTreeMap<String, String>) -> Result<Self, HeaderFault> {
        let mut headers = BTreeMap::new();
        for (name, value) in edits {
            let lower = name.to_ascii_lowercase();
            let is_token = !lower.is_empty() && lower.bytes().all(is_token_byte);
            let is_value = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let is_short = name.len() <= MAX_EDIT_CHARS && value.len() <= MAX_EDIT_CHARS;
            if !is_token
                || !is_value
                || !is_short
                || NOT_EDITED.contains(&lower.as_str())
                || headers.len() >= MAX_EDITS
            {
                return Err(HeaderFault(name.chars().take(MAX_EDIT_CHARS).collect()));
            }
            headers.insert(lower, value);
        }
        headers.entry("connection".to_owned()).or_default();
        Ok(Self(headers))
    }
}

/// A byte that names of headers are made of.
///
/// # Source
/// RFC 9110 section 5.6.2.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_leaves_out_is_as_the_specifications_say() {
        assert_eq!(toml::from_str::<Quirks>("").unwrap(), Quirks::default());
        let quirks: Quirks = toml::from_str(
            "init_reset = \"hard\"\nresync = \"soft\"\nsoft_reset_to = \"other\"\nzlp_send = true\n\
             [headers]\nConnection = \"keep-alive\"\nX-Other = \"\"\n",
        )
        .unwrap();
        assert_eq!(quirks.init_reset, InitReset::Hard);
        assert_eq!(quirks.resync, Resync::Soft);
        assert_eq!(quirks.soft_reset_to, SoftResetTo::Other);
        assert_eq!(quirks.headers.edit("connection"), Some("keep-alive"));
        assert_eq!(quirks.headers.edit("x-other"), Some(""));
        assert_eq!(
            quirks.headers.set().collect::<Vec<_>>(),
            [("connection", "keep-alive")]
        );
    }

    #[test]
    fn connection_is_removed_unless_a_profile_sets_it() {
        for text in ["", "[headers]\nAccept = \"\"\n"] {
            let quirks: Quirks = toml::from_str(text).unwrap();
            assert_eq!(quirks.headers.edit("connection"), Some(""));
        }
    }

    #[test]
    fn what_would_break_a_request_is_refused() {
        for text in [
            "colour = true",
            "init_reset = \"soon\"",
            "answer_quiet_ms = -1",
            "[headers]\n\"a b\" = \"x\"",
            "[headers]\n\"\" = \"x\"",
            "[headers]\nx = \"a\\r\\nContent-Length: 0\"",
            "[headers]\nContent-Length = \"5\"",
            "[headers]\nTRANSFER-ENCODING = \"\"",
            "[headers]\nHost = \"x\"",
        ] {
            assert!(toml::from_str::<Quirks>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_that_would_break_a_request_is_refused() {
        assert!(toml::from_str::<Quirks>("host = \"a\\r\\nX: y\"").is_err());
        assert!(toml::from_str::<Quirks>("host = \"\"").is_err());
        assert_eq!(
            toml::from_str::<Quirks>("host = \"a:80\"")
                .unwrap()
                .host
                .as_str(),
            "a:80"
        );
    }
}
