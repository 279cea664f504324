//! What kind of thing a payload is, by rules that are named.
//!
//! ```text
//! bytes ─> text? ─> url (as browsers read it) ─> scheme ─> host ─> official, look-alike, number, …
//! ```
//!
//! A payload is read as a browser would read it, because a browser is what a forger writes it for; it is never opened.
//! Every rule that matches is found; the weightiest decides the class.

use serde::Serialize;
use url::{Host, ParseError, Url};

use crate::hosts::{Hosts, Official};
use crate::looks::{flat, is_near, looks_of};
use crate::rule::Rule;

/// The longest payload that is read as an address: honest ones have about a hundred bytes, browsers stop near this.
pub const MAX_ADDRESS_BYTES: usize = 2_048;

/// Names shorter than this are not judged by their nearness: two letters change most of them.
const NEAR_FROM_LETTERS: usize = 10;

/// Letters by which a look-alike may differ: one more finds honest names of other offices.
const NEAR_LETTERS: usize = 2;

/// The kind of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// An https address of an official host, written plainly: no user name, no port. It proves nothing more.
    OfficialHost,
    /// An https address of a host that is neither official nor like one.
    OtherHost,
    /// An address that is made to be taken for an official one.
    LookAlike,
    /// An address with a number in the place of a host.
    RawIp,
    /// An address whose host has letters beyond ASCII, in the open or in punycode.
    Idn,
    /// An address with a user name or password.
    UserInfo,
    /// An address of another kind: http, script, data, app, telephone, Wi-Fi, file, …
    OtherScheme,
    /// Text that is no address.
    NotAUrl,
    /// Nothing.
    Empty,
    /// More than an address has room for.
    TooLong,
    /// No text, or text with characters that nobody sees.
    Binary,
    /// A part of a message over several codes, or data that is marked as trade's.
    Part,
}

/// A payload's class, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The class of `rule`.
    pub class: Class,
    /// The weightiest rule that matched.
    pub rule: Rule,
    /// Every rule that matched, in their order, `rule` first.
    pub findings: Vec<Rule>,
    /// The host as browsers write it, of official hosts and look-alikes alone: no personal data.
    pub host: Option<String>,
}

impl Judgement {
    /// Puts it together; the first rule in their order decides.
    fn of(mut findings: Vec<Rule>, host: Option<String>) -> Self {
        findings.sort_unstable();
        findings.dedup();
        let first = findings
            .iter()
            .find_map(|rule| rule.class().map(|class| (*rule, class)));
        let (rule, class) = first.unwrap_or((Rule::PlainText, Class::NotAUrl));
        let shown = matches!(class, Class::OfficialHost | Class::LookAlike);
        Self {
            class,
            rule,
            findings,
            host: host.filter(|_| shown),
        }
    }

    fn by(rule: Rule) -> Self {
        Self::of(vec![rule], None)
    }
}

/// Says what kind of thing a payload is.
///
/// Pure, and bounded by [`MAX_ADDRESS_BYTES`] times the number of hosts.
#[must_use]
pub fn classify(payload: &[u8], hosts: &Hosts) -> Judgement {
    if payload.is_empty() {
        return Judgement::by(Rule::Empty);
    }
    if payload.len() > MAX_ADDRESS_BYTES {
        return Judgement::by(Rule::TooLong);
    }
    let Ok(text) = std::str::from_utf8(payload) else {
        return Judgement::by(Rule::NotText);
    };
    if text.chars().any(char::is_control) {
        return Judgement::by(Rule::ControlCharacters);
    }
    if text.chars().any(is_invisible) {
        return Judgement::by(Rule::InvisibleCharacters);
    }
    if text.trim().is_empty() {
        return Judgement::by(Rule::Empty);
    }
    match Url::parse(text) {
        Ok(url) => of_url(text, &url, hosts),
        Err(error) => Judgement::by(of_error(text, error)),
    }
}

/// Zero-width, direction and filler characters, and tags: a reader sees none of them.
///
/// # Source
/// Unicode 15.1, the property `Default_Ignorable_Code_Point` and the bidirectional controls (UAX 9).
const fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn of_error(text: &str, error: ParseError) -> Rule {
    let is_number = [
        ParseError::InvalidIpv4Address,
        ParseError::InvalidIpv6Address,
    ];
    if error == ParseError::RelativeUrlWithoutBase {
        if is_bare_host(text) {
            Rule::NoScheme
        } else {
            Rule::PlainText
        }
    } else if is_number.contains(&error) {
        Rule::IpBroken
    } else if error == ParseError::IdnaError {
        Rule::IdnRefused
    } else {
        Rule::BrokenAddress
    }
}

/// Whether a telephone would take text without a scheme for an address: `host.tld/path`.
fn is_bare_host(text: &str) -> bool {
    let host = text.trim().split(['/', '?', '#', ':']).next();
    let host = host.unwrap_or_default();
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '.';
    let parts = host.split('.').filter(|label| !label.is_empty()).count();
    parts >= 2 && host.chars().all(is_name)
}

fn of_url(text: &str, url: &Url, hosts: &Hosts) -> Judgement {
    let scheme = url.scheme();
    if scheme != "https" && scheme != "http" {
        return Judgement::by(of_scheme(scheme));
    }
    let mut findings = Vec::new();
    if scheme == "http" {
        findings.push(Rule::PlainHttp);
    }
    let has_user_info = !url.username().is_empty() || url.password().is_some();
    if has_user_info {
        findings.push(Rule::UserInfo);
    }
    let host = match url.host() {
        Some(Host::Ipv4(number)) => {
            let plain = text.contains(&number.to_string());
            findings.push(if plain {
                Rule::IpDotted
            } else {
                Rule::IpDisguised
            });
            None
        }
        Some(Host::Ipv6(number)) => {
            let mapped = number.to_ipv4().is_some() && !number.is_loopback();
            findings.push(if mapped { Rule::IpMapped } else { Rule::IpSix });
            None
        }
        Some(Host::Domain(host)) => Some(host),
        None => return Judgement::by(Rule::BrokenAddress),
    };
    let official = host.and_then(|host| official(host, hosts));
    if let (Some(host), None) = (host, official) {
        findings.extend(of_foreign(host, hosts));
    }
    if official.is_none() {
        findings.extend(hidden_official(url, hosts));
    }
    if let (Some(host), Some(rule)) = (host, official) {
        findings.push(rule);
        if url.port().is_some() {
            findings.push(Rule::OtherPort);
        }
        if !has_user_info && !is_plain(text, scheme, host) {
            findings.push(Rule::OddSpelling);
        }
    }
    Judgement::of(findings, host.map(str::to_owned))
}

fn of_scheme(scheme: &str) -> Rule {
    match scheme {
        // What stands before a port is read as a scheme where none is written.
        host if host.contains('.') => Rule::NoScheme,
        "javascript" | "vbscript" | "livescript" => Rule::Script,
        "data" | "blob" | "filesystem" => Rule::DataInside,
        "intent" | "android-app" | "market" | "itms-apps" | "itms" | "whatsapp" | "tg" => {
            Rule::AppCall
        }
        "tel" | "sms" | "smsto" | "mms" | "mmsto" | "mailto" | "matmsg" | "facetime" | "sip"
        | "mecard" => Rule::Telephone,
        "wifi" | "dpp" => Rule::Network,
        "file" | "ftp" | "ftps" | "sftp" | "smb" | "content" => Rule::FileAddress,
        _ => Rule::UnknownScheme,
    }
}

/// The rule by which a host is official, where it is.
fn official(host: &str, hosts: &Hosts) -> Option<Rule> {
    hosts.official.iter().find_map(|official| {
        if host == official.host {
            return Some(Rule::ExactHost);
        }
        let below = host.strip_suffix(official.host.as_str())?;
        (official.sub_domains && below.ends_with('.') && below.len() > 1).then_some(Rule::SubDomain)
    })
}

/// Whether an address is written as people and browsers write it: nothing between scheme and host, nothing folded.
fn is_plain(text: &str, scheme: &str, host: &str) -> bool {
    let start = format!("{scheme}://{host}");
    let Some((written, rest)) = text.split_at_checked(start.len()) else {
        return false;
    };
    let ends = rest.is_empty() || rest.starts_with(['/', '?', '#', ':']);
    written.eq_ignore_ascii_case(&start) && ends
}

/// What there is to say of a host that is not official.
fn of_foreign(host: &str, hosts: &Hosts) -> Vec<Rule> {
    let mut findings = Vec::new();
    if host.split('.').any(|label| label.starts_with("xn--")) {
        findings.push(Rule::Idn);
    }
    let (shown, _told) = idna::domain_to_unicode(host);
    let looks = looks_of(shown.trim_end_matches('.'));
    let flat_looks = flat(&looks);
    for official in &hosts.official {
        findings.extend(like(host, &looks, &flat_looks, official));
    }
    let stands_below = |reserved: &String| {
        host.strip_suffix(reserved.as_str())
            .is_some_and(|below| below.is_empty() || below.ends_with('.'))
    };
    let is_state = hosts.reserved.iter().any(stands_below);
    let has_word = hosts
        .words
        .iter()
        .any(|word| flat_looks.contains(word.as_str()));
    if has_word && !is_state {
        findings.push(Rule::OfficialWord);
    }
    let is_like = |rule: &Rule| rule.class() == Some(Class::LookAlike);
    if !findings.iter().any(is_like) && !findings.contains(&Rule::Idn) {
        findings.push(Rule::UnknownHost);
    }
    findings
}

/// The first way in which a host is like an official one.
fn like(host: &str, looks: &str, flat_looks: &str, official: &Official) -> Option<Rule> {
    if host.trim_end_matches('.') == official.host {
        return Some(Rule::OddSpelling);
    }
    if looks == official.looks {
        return Some(Rule::SameLooks);
    }
    if flat_looks == official.flat {
        return Some(Rule::Separators);
    }
    if flat_looks.contains(&official.flat) {
        // A name below an official one, where only the exact host counts, is the office's own.
        let below = host.ends_with(&format!(".{}", official.host));
        return (!below).then_some(Rule::OfficialInside);
    }
    // `layanan.example` of `layanan.go.id`: the name without its last labels, under another end.
    let name = official
        .looks
        .split_once('.')
        .map(|_| without_suffix(&official.looks));
    if let Some(name) = name.filter(|name| name.contains('.') || name.len() >= NEAR_FROM_LETTERS) {
        let rest = looks.strip_prefix(name);
        if rest.is_some_and(|rest| rest.starts_with('.'))
            || flat(without_suffix(looks)) == flat(name)
        {
            return Some(Rule::OtherTopLevel);
        }
    }
    let long = official.flat.chars().count() >= NEAR_FROM_LETTERS;
    (long && is_near(flat_looks, &official.flat, NEAR_LETTERS)).then_some(Rule::NearlySame)
}

/// A name without its public end: the last label, and the one before where it is a short one such as `go` or `co`.
fn without_suffix(name: &str) -> &str {
    let Some((rest, _last)) = name.rsplit_once('.') else {
        return name;
    };
    match rest.rsplit_once('.') {
        Some((shorter, second)) if second.chars().count() <= 3 => shorter,
        _ => rest,
    }
}

/// An official host that stands where it means nothing: before an `@`, in a path, in a query.
fn hidden_official(url: &Url, hosts: &Hosts) -> Vec<Rule> {
    let mut findings = Vec::new();
    let holds = |text: &str| {
        let text = flat(&looks_of(&decoded(text)));
        hosts
            .official
            .iter()
            .any(|official| text.contains(&official.flat))
    };
    if holds(url.username()) || url.password().is_some_and(holds) {
        findings.push(Rule::OfficialInUserInfo);
    }
    let behind = [Some(url.path()), url.query(), url.fragment()];
    if behind.into_iter().flatten().any(holds) {
        findings.push(Rule::OfficialInPath);
    }
    findings
}

/// Percent-encoding taken off once, bytes that are no text replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.first_chunk::<2>().filter(|_| *first == b'%');
        let code = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
