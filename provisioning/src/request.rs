//! Certificate requests (PKCS#10, RFC 2986), judged: whose key, whose name, what hosts.

use std::net::IpAddr;

use loket_wire::sign::VerifyingKey;
use rcgen::{
    CertificateSigningRequestParams, DnType, DnValue, IsCa, PKCS_ECDSA_P256_SHA256, PublicKey,
    PublicKeyData, SanType,
};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;

use crate::error::{ProvisionError, Refusal};

/// Bytes of an uncompressed P-256 point (SEC 1 §2.3.3).
const P256_POINT_BYTES: usize = 65;

/// The longest DNS name (RFC 1035 §2.3.4).
const MAX_HOST_CHARS: usize = 253;

/// The longest label of a DNS name (RFC 1035 §2.3.4).
const MAX_LABEL_CHARS: usize = 63;

/// A request whose own key signed it, and which asks for nothing it may not have.
#[derive(Debug)]
pub(crate) struct CertificateRequest {
    pub(crate) key: PublicKey,
    pub(crate) hosts: Vec<SanType>,
}

impl CertificateRequest {
    /// Reads a request that must bear `name` and nothing else as its subject. Extensions it asks for are ignored,
    /// host names apart: what a certificate says is the authority's decision.
    pub(crate) fn read(pem: &str, name: &str) -> Result<Self, Refusal> {
        let read = CertificateSigningRequestParams::from_pem(pem).map_err(Refusal::Csr)?;
        let is_p256 = read.public_key.algorithm() == &PKCS_ECDSA_P256_SHA256
            && read.public_key.der_bytes().len() == P256_POINT_BYTES;
        if !is_p256 {
            return Err(Refusal::KeyKind);
        }
        if matches!(read.params.is_ca, IsCa::Ca(_)) {
            return Err(Refusal::AsksForAuthority);
        }
        let subject = &read.params.distinguished_name;
        let fits = match subject.get(&DnType::CommonName) {
            Some(DnValue::Utf8String(text)) => text == name,
            Some(DnValue::PrintableString(text)) => text.as_str() == name,
            Some(_) | None => false,
        };
        if !fits || subject.iter().count() != 1 {
            return Err(Refusal::CommonName {
                expected: name.to_owned(),
            });
        }
        Ok(Self {
            key: read.public_key,
            hosts: read.params.subject_alt_names,
        })
    }

    /// The raw public key.
    pub(crate) fn raw_key(&self) -> &[u8] {
        self.key.der_bytes()
    }

    /// The key that checks what this requester signs.
    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::P256(self.raw_key().to_vec())
    }
}

/// Reads a host name or address that a certificate may bear. Wildcards are none: each server has its own name.
pub(crate) fn host(name: &str) -> Result<SanType, Refusal> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let refused = || Refusal::HostName {
        name: name.chars().filter(|c| !c.is_control()).collect(),
    };
    let is_label = |label: &str| {
        (1..=MAX_LABEL_CHARS).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // All digits and dots is a mistyped address, which no client would look up.
    let looks_like_address = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if name.len() > MAX_HOST_CHARS || looks_like_address || !name.split('.').all(is_label) {
        return Err(refused());
    }
    name.try_into()
        .map(SanType::DnsName)
        .map_err(|_not_ascii: rcgen::Error| refused())
}

/// Whether something can be sealed to this X25519 key: a point of small order gives everyone the same secret
/// (RFC 7748 §6.1), which the key agreement refuses.
pub(crate) fn check_sealing_key(raw: &[u8], random: &SystemRandom) -> Result<(), ProvisionError> {
    let own = EphemeralPrivateKey::generate(&X25519, random)
        .map_err(|_unspecified| ProvisionError::Randomness)?;
    agree_ephemeral(own, &UnparsedPublicKey::new(&X25519, raw), |_secret| ())
        .map_err(|_unspecified| Refusal::SealingKey.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_plain_names_or_addresses() {
        for (name, good) in [
            ("broker.kabupaten-contoh.go.id", true),
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("", false),
            ("*.contoh.id", false),
            ("a..b", false),
            ("-a.id", false),
            ("a_b", false),
            ("999.1.1.1", false),
            ("a b", false),
            ("a\nb", false),
            (&"a".repeat(64), false),
        ] {
            assert_eq!(host(name).is_ok(), good, "{name:?}");
        }
    }

    #[test]
    fn sealing_keys_of_small_order_are_refused() {
        let random = SystemRandom::new();
        let own = EphemeralPrivateKey::generate(&X25519, &random).unwrap();
        let public = own.compute_public_key().unwrap();
        assert!(check_sealing_key(public.as_ref(), &random).is_ok());
        assert!(check_sealing_key(&[0; 32], &random).is_err());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(check_sealing_key(&one, &random).is_err());
        assert!(check_sealing_key(&[9; 31], &random).is_err());
    }
}
