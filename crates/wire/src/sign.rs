//! Signatures of frames: central signs with Ed25519, machines and the authority with ECDSA P-256.

use std::fmt;

use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, UnparsedPublicKey,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Why a key or signature could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignError {
    /// The bytes are no PKCS#8 key of the named algorithm.
    #[error("read a signing key: not a PKCS#8 key of the expected algorithm")]
    Key,
    /// The signing operation itself failed (no randomness).
    #[error("sign: the signing operation failed")]
    Sign,
    /// The text is no public key.
    #[error("read a public key: expected 'ed25519:' or 'p256:' followed by base64")]
    Public,
}

/// A private key that signs frames.
pub enum SigningKey {
    /// Ed25519 (RFC 8032): central.
    Ed25519(Box<Ed25519KeyPair>),
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5): machines and the authority.
    P256(Box<EcdsaKeyPair>, SystemRandom),
}

impl SigningKey {
    /// Reads an Ed25519 key from PKCS#8.
    ///
    /// # Errors
    /// [`SignError::Key`] when the bytes are no such key.
    pub fn ed25519_from_pkcs8(pkcs8: &[u8]) -> Result<Self, SignError> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_ignored| SignError::Key)?;
        Ok(Self::Ed25519(Box::new(pair)))
    }

    /// Reads a P-256 key from PKCS#8; `random` is what the program gives for the signatures' nonces.
    ///
    /// # Errors
    /// [`SignError::Key`] when the bytes are no such key.
    pub fn p256_from_pkcs8(pkcs8: &[u8], random: SystemRandom) -> Result<Self, SignError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random)
            .map_err(|_ignored| SignError::Key)?;
        Ok(Self::P256(Box::new(pair), random))
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`SignError::Sign`] when the system gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::P256(pair, random) => Ok(pair
                .sign(random, message)
                .map_err(|_ignored| SignError::Sign)?
                .as_ref()
                .to_vec()),
        }
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Ed25519(pair) => VerifyingKey::Ed25519(pair.public_key().as_ref().to_vec()),
            Self::P256(pair, _random) => VerifyingKey::P256(pair.public_key().as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// A public key that checks frames.
///
/// Shape in text: `ed25519:` or `p256:` and the raw key in base64 (32 bytes; 65 bytes, uncompressed point).
#[derive(Clone, PartialEq, Eq)]
pub enum VerifyingKey {
    /// Ed25519 (RFC 8032).
    Ed25519(Vec<u8>),
    /// ECDSA on P-256 with SHA-256, ASN.1 signatures.
    P256(Vec<u8>),
}

impl VerifyingKey {
    /// Whether `signature` is this key's signature of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key)
                .verify(message, signature)
                .is_ok(),
            Self::P256(key) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
                .verify(message, signature)
                .is_ok(),
        }
    }

    /// The raw key bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) | Self::P256(key) => key,
        }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`SignError::Public`] when it is not that form.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        let (kind, key) = text.split_once(':').ok_or(SignError::Public)?;
        let key = BASE64
            .decode(key.as_bytes())
            .map_err(|_ignored| SignError::Public)?;
        match (kind, key.len()) {
            ("ed25519", 32) => Ok(Self::Ed25519(key)),
            ("p256", 65) => Ok(Self::P256(key)),
            (_kind, _len) => Err(SignError::Public),
        }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Ed25519(_key) => "ed25519",
            Self::P256(_key) => "p256",
        };
        write!(f, "{kind}:{}", BASE64.encode(self.as_bytes()))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
