//! The trust bundle: whom documents are judged by, as central signs it and machines keep it.
//!
//! ```text
//! {"v":1,"serial":…,"made_at_ms":…,"sizes":[…]}⏎   the head: one line of JSON, with host rules where there are some
//! item item item …                                  certificates, revocation lists and OCSP responses as they came,
//!                                                   each of its size, in the order of their bytes, none twice
//! signature                                         64 bytes: Ed25519 over "loket trust 1", NUL and all before it
//! ```
//!
//! It is carried whole over HTTPS and not in a message: revocation lists are large, and that way can be resumed. What the
//! items mean is for whoever judges by them; here they are bytes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::VERSION;
use crate::digest::Sha256Digest;
use crate::hosts::{HostRules, HostsError};
use crate::sign::{SignError, SigningKey, VerifyingKey};
use crate::time::Timestamp;

/// The largest bundle: two revocation lists of the largest size that a judge reads, 8 MiB each, fill it. A machine holds
/// one in memory while it is judged.
pub const MAX_TRUST_BUNDLE_BYTES: usize = 16 * 1024 * 1024;

/// Items of a bundle: as many certificates, lists and responses as a judge keeps of each, 256.
pub const MAX_TRUST_ITEMS: usize = 768;

/// The longest policy text, in bytes; the rules of an office fill a page.
pub const MAX_TRUST_POLICY_BYTES: usize = 16 * 1024;

/// Host rules in JSON: three lists of as many of the longest names as are taken.
const MAX_HOST_RULES_BYTES: usize = 64 * 1024;

/// The longest head: the policy with every byte escaped, host rules, and nine characters for the size of each item.
const MAX_HEAD_BYTES: usize =
    6 * MAX_TRUST_POLICY_BYTES + MAX_HOST_RULES_BYTES + 9 * MAX_TRUST_ITEMS + 1024;

/// An Ed25519 signature (RFC 8032).
const SIGNATURE_BYTES: usize = 64;

/// Why bytes are no bundle, or none can be made. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TrustBundleError {
    /// Over one of the bounds.
    #[error("take a trust bundle: larger than its bounds")]
    TooLarge,
    /// The signature is not central's.
    #[error("open a trust bundle: the signature is not central's")]
    Signature,
    /// Signed, but not of the shape of a bundle.
    #[error("open a trust bundle: malformed")]
    Malformed,
    /// A version this program does not read.
    #[error("open a trust bundle: version {version} is not known here")]
    Version {
        /// Version met.
        version: u16,
    },
    /// It could not be signed.
    #[error("sign a trust bundle")]
    Sign(#[source] SignError),
}

impl TrustBundleError {
    /// The stable code that logs and reports carry.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "W-106",
            Self::Signature => "W-107",
            Self::Malformed => "W-108",
            Self::Version { .. } => "W-109",
            Self::Sign(_) => "W-110",
        }
    }
}

/// What central judges by, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustBundle {
    /// Grows with each bundle that central makes; never given twice.
    pub serial: u64,
    /// When central made it, by its clock.
    pub made_at: Timestamp,
    /// The rules of judging beside certificates and lists, as text; who does not know them passes over them.
    pub policy: Option<String>,
    /// Which hosts are official, where central says so; who does not know them passes over them.
    pub hosts: Option<HostRules>,
    /// Certificates, revocation lists and OCSP responses, DER or PEM.
    pub items: Vec<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    v: u16,
    serial: u64,
    #[serde(rename = "made_at_ms")]
    made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hosts: Option<HostRules>,
    sizes: Vec<usize>,
}

/// What every version of a head says.
#[derive(Deserialize)]
struct Versioned {
    v: u16,
}

impl TrustBundle {
    /// Writes and signs it; the same content under the same serial and key gives the same bytes.
    ///
    /// # Errors
    /// [`TrustBundleError::TooLarge`] over a bound, [`TrustBundleError::Sign`] when it cannot be signed.
    pub fn seal(&self, key: &SigningKey) -> Result<Vec<u8>, TrustBundleError> {
        let items = self.ordered();
        let head = Head {
            v: VERSION,
            serial: self.serial,
            made_at: self.made_at,
            policy: self.policy.clone(),
            hosts: self.hosts.clone(),
            sizes: items.iter().map(|item| item.len()).collect(),
        };
        let policy_bytes = self.policy.as_ref().map_or(0, String::len);
        if items.len() > MAX_TRUST_ITEMS || policy_bytes > MAX_TRUST_POLICY_BYTES {
            return Err(TrustBundleError::TooLarge);
        }
        check_hosts(self.hosts.as_ref())?;
        let mut bytes =
            serde_json::to_vec(&head).map_err(|_ignored| TrustBundleError::Malformed)?;
        bytes.push(b'\n');
        for item in items {
            if bytes.len().saturating_add(item.len()) > MAX_TRUST_BUNDLE_BYTES {
                return Err(TrustBundleError::TooLarge);
            }
            bytes.extend_from_slice(item);
        }
        let signature = key
            .sign(&signed_bytes(&bytes))
            .map_err(TrustBundleError::Sign)?;
        bytes.extend_from_slice(&signature);
        if bytes.len() > MAX_TRUST_BUNDLE_BYTES {
            return Err(TrustBundleError::TooLarge);
        }
        Ok(bytes)
    }

    /// Checks and reads one. Nothing of it is read before its signature was checked.
    ///
    /// # Errors
    /// Any [`TrustBundleError`] but `Sign`.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, TrustBundleError> {
        if bytes.len() > MAX_TRUST_BUNDLE_BYTES {
            return Err(TrustBundleError::TooLarge);
        }
        let at = bytes.len().saturating_sub(SIGNATURE_BYTES);
        let (signed, signature) = bytes
            .split_at_checked(at)
            .ok_or(TrustBundleError::Signature)?;
        if !key.verifies(&signed_bytes(signed), signature) {
            return Err(TrustBundleError::Signature);
        }
        read(signed)
    }

    /// What is the same for two bundles of the same content, whichever serial they have.
    #[must_use]
    pub fn content_sha256(&self) -> Sha256Digest {
        let mut text = self.policy.as_deref().unwrap_or_default().to_owned();
        // Nothing where there are none, so that a bundle of before has the digest that it had.
        if let Some(hosts) = &self.hosts {
            text.push('\n');
            text.push_str(&serde_json::to_string(hosts).unwrap_or_default());
        }
        for item in self.ordered() {
            text.push('\n');
            text.push_str(&Sha256Digest::of(item).to_string());
        }
        Sha256Digest::of(text.as_bytes())
    }

    /// The items in the order of their bytes, each once.
    fn ordered(&self) -> Vec<&[u8]> {
        let mut items: Vec<&[u8]> = self.items.iter().map(Vec::as_slice).collect();
        items.sort_unstable();
        items.dedup();
        items
    }
}

fn read(signed: &[u8]) -> Result<TrustBundle, TrustBundleError> {
    let malformed = TrustBundleError::Malformed;
    let end = signed
        .iter()
        .take(MAX_HEAD_BYTES)
        .position(|byte| *byte == b'\n')
        .ok_or(malformed)?;
    let (head, rest) = signed.split_at_checked(end).ok_or(malformed)?;
    let Versioned { v } = serde_json::from_slice(head).map_err(|_ignored| malformed)?;
    if v != VERSION {
        return Err(TrustBundleError::Version { version: v });
    }
    let head: Head = serde_json::from_slice(head).map_err(|_ignored| malformed)?;
    let policy_bytes = head.policy.as_ref().map_or(0, String::len);
    if head.sizes.len() > MAX_TRUST_ITEMS || policy_bytes > MAX_TRUST_POLICY_BYTES {
        return Err(TrustBundleError::TooLarge);
    }
    check_hosts(head.hosts.as_ref())?;
    let (_line_end, mut rest) = rest.split_at_checked(1).ok_or(malformed)?;
    let mut items: Vec<Vec<u8>> = Vec::new();
    for size in head.sizes {
        let (item, left) = rest.split_at_checked(size).ok_or(malformed)?;
        if items.last().is_some_and(|before| before.as_slice() >= item) {
            return Err(malformed);
        }
        items.push(item.to_vec());
        rest = left;
    }
    if !rest.is_empty() {
        return Err(malformed);
    }
    Ok(TrustBundle {
        serial: head.serial,
        made_at: head.made_at,
        policy: head.policy,
        hosts: head.hosts,
        items,
    })
}

/// Rules that could never match are a mistake of whoever made them: the bundle before is better.
fn check_hosts(hosts: Option<&HostRules>) -> Result<(), TrustBundleError> {
    match hosts.map_or(Ok(()), HostRules::check) {
        Ok(()) => Ok(()),
        Err(HostsError::TooMany) => Err(TrustBundleError::TooLarge),
        Err(HostsError::None | HostsError::Host { .. } | HostsError::Word { .. }) => {
            Err(TrustBundleError::Malformed)
        }
    }
}

/// Another beginning than a frame's: what was signed as one is never taken for the other.
fn signed_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut signed = format!("loket trust {VERSION}\0").into_bytes();
    signed.extend_from_slice(bytes);
    signed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::{MAX_HOST_BYTES, MAX_HOSTS, OfficialHost};
    use ring::rand::SystemRandom;
    use ring::signature::Ed25519KeyPair;

    fn key() -> SigningKey {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        SigningKey::ed25519_from_pkcs8(pair.as_ref()).unwrap()
    }

    fn hosts() -> HostRules {
        let official = OfficialHost {
            host: "kk.contoh.invalid".to_owned(),
            sub_domains: true,
        };
        HostRules {
            valid_from: Timestamp::from_unix_ms(1_794_985_600_000),
            official: vec![official],
            words: vec!["dukcapil".to_owned()],
            reserved: Vec::new(),
        }
    }

    fn bundle() -> TrustBundle {
        TrustBundle {
            serial: 7,
            made_at: Timestamp::from_unix_ms(1_794_985_600_250),
            policy: Some("aturan\nbaris".to_owned()),
            hosts: Some(hosts()),
            items: [&b"b\n"[..], b"", b"a", b"b\n"]
                .map(<[u8]>::to_vec)
                .to_vec(),
        }
    }

    #[test]
    fn a_bundle_reads_back_in_canonical_order_and_says_the_same_twice() {
        let key = key();
        let sealed = bundle().seal(&key).unwrap();
        let read = TrustBundle::open(&sealed, &key.verifying_key()).unwrap();
        assert_eq!(read.items, [&b""[..], b"a", b"b\n"]);
        assert_eq!(
            (read.serial, read.made_at, &read.policy, &read.hosts),
            (7, bundle().made_at, &bundle().policy, &Some(hosts()))
        );
        assert_eq!(read.seal(&key).unwrap(), sealed);
        assert_eq!(read.content_sha256(), bundle().content_sha256());
        let later = TrustBundle { serial: 8, ..read };
        assert_eq!(later.content_sha256(), bundle().content_sha256());
        assert_ne!(later.seal(&key).unwrap(), sealed);
    }

    #[test]
    fn no_altered_shortened_or_foreign_bundle_opens() {
        let key = key();
        let sealed = bundle().seal(&key).unwrap();
        let public = key.verifying_key();
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            let refused = TrustBundle::open(&bent, &public);
            assert_eq!(refused, Err(TrustBundleError::Signature), "byte {at}");
            let refused = TrustBundle::open(&sealed[..at], &public);
            assert_eq!(refused, Err(TrustBundleError::Signature), "cut at {at}");
        }
        let other = self::key().verifying_key();
        assert_eq!(
            TrustBundle::open(&sealed, &other),
            Err(TrustBundleError::Signature)
        );
    }

    #[test]
    fn what_central_signed_and_is_no_bundle_is_told_apart() {
        let key = key();
        let open = |bytes: &[u8]| {
            let mut sealed = bytes.to_vec();
            sealed.extend(key.sign(&signed_bytes(bytes)).unwrap());
            TrustBundle::open(&sealed, &key.verifying_key()).map(|read| read.items.len())
        };
        let head =
            |sizes: &str| format!("{{\"v\":1,\"serial\":1,\"made_at_ms\":2,\"sizes\":{sizes}}}\n");
        assert_eq!(open((head("[1,1]") + "ab").as_bytes()), Ok(2));
        let malformed = Err(TrustBundleError::Malformed);
        for text in [
            String::new(),
            "{}".to_owned(),
            head("[1]"),
            head("[1,1]") + "aa",
            head("[1,1]") + "ba",
            head("[1]") + "ab",
            head("[18446744073709551615]") + "ab",
            head("[-1]") + "ab",
        ] {
            assert_eq!(open(text.as_bytes()), malformed, "{text}");
        }
        let later = b"{\"v\":2,\"shape\":\"other\"}\n";
        assert_eq!(open(later), Err(TrustBundleError::Version { version: 2 }));
        let many = vec!["1"; MAX_TRUST_ITEMS + 1].join(",");
        assert_eq!(
            open(head(&format!("[{many}]")).as_bytes()),
            Err(TrustBundleError::TooLarge)
        );
    }

    #[test]
    fn what_is_over_a_bound_is_neither_made_nor_taken() {
        let key = key();
        let mut large = bundle();
        large.items = vec![vec![0; MAX_TRUST_BUNDLE_BYTES]];
        assert_eq!(large.seal(&key), Err(TrustBundleError::TooLarge));
        let bytes = vec![0; MAX_TRUST_BUNDLE_BYTES + 1];
        let refused = TrustBundle::open(&bytes, &key.verifying_key());
        assert_eq!(refused, Err(TrustBundleError::TooLarge));
        let mut wordy = bundle();
        wordy.policy = Some("\u{1}".repeat(MAX_TRUST_POLICY_BYTES));
        let sealed = wordy.seal(&key).unwrap();
        assert!(TrustBundle::open(&sealed, &key.verifying_key()).is_ok());
        wordy.policy = Some("x".repeat(MAX_TRUST_POLICY_BYTES + 1));
        assert_eq!(wordy.seal(&key), Err(TrustBundleError::TooLarge));
    }

    #[test]
    fn host_rules_are_part_of_the_content_and_the_largest_of_them_have_room() {
        let key = key();
        let without = TrustBundle {
            hosts: None,
            ..bundle()
        };
        assert_ne!(without.content_sha256(), bundle().content_sha256());
        let label = "a".repeat(MAX_HOST_BYTES / 4 - 1);
        let long = [label.as_str(); 4].join(".");
        let mut wordy = bundle();
        wordy.policy = Some("\u{1}".repeat(MAX_TRUST_POLICY_BYTES));
        wordy.hosts = Some(HostRules {
            official: vec![
                OfficialHost {
                    host: long.clone(),
                    sub_domains: false,
                };
                MAX_HOSTS
            ],
            words: vec!["a".repeat(MAX_HOST_BYTES); MAX_HOSTS],
            reserved: vec![long; MAX_HOSTS],
            ..hosts()
        });
        let sealed = wordy.seal(&key).unwrap();
        let read = TrustBundle::open(&sealed, &key.verifying_key()).unwrap();
        assert_eq!(read.hosts, wordy.hosts);
    }

    #[test]
    fn host_rules_that_could_not_match_are_neither_signed_nor_taken() {
        let key = key();
        let mut bent = bundle();
        bent.hosts = Some(HostRules {
            official: Vec::new(),
            ..hosts()
        });
        assert_eq!(bent.seal(&key), Err(TrustBundleError::Malformed));
        let text = br#"{"v":1,"serial":1,"made_at_ms":2,"hosts":{"valid_from_ms":3,"official":[]},"sizes":[]}"#;
        let mut sealed = [&text[..], b"\n"].concat();
        sealed.extend(key.sign(&signed_bytes(&sealed)).unwrap());
        let taken = TrustBundle::open(&sealed, &key.verifying_key());
        assert_eq!(taken, Err(TrustBundleError::Malformed));
    }
}
