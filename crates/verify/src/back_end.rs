//! The arithmetic under a verdict, exchangeable as a whole.
//!
//! Programs use ring, and RustCrypto's curves for ECDSA with SHA-512 alone, which ring does not have (docs/adr/0046).
//! Tests run every fixture through ring and RustCrypto side by side: a fault of one of them in reading a key, a padding
//! or a digest shows as a disagreement.

use std::fmt::Debug;

use ring::digest::{self, Context};
use ring::signature as ring_signature;
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};

use crate::algorithm::Hash;

mod long_digest;
#[cfg(test)]
mod tests;

/// How a signature was made; what is not here is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS, its salt as long as the digest.
    RsaPss(Hash),
    /// ECDSA, its signature in DER. Of a digest longer than the curve the first bits count (FIPS 186-5, 6.4.2).
    Ecdsa(Curve, Hash),
}

/// A curve of NIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

/// A digest of the bytes so far.
pub(crate) trait Running: Debug {
    /// Takes in what follows.
    fn update(&mut self, bytes: &[u8]);
    /// A second one that goes its own way from here.
    fn fork(&self) -> Box<dyn Running>;
    /// The digest.
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// Digests and checks of signatures.
pub(crate) trait BackEnd: Debug + Sync {
    /// A digest of no bytes yet.
    fn start(&self, hash: Hash) -> Box<dyn Running>;
    /// SHA-1, which protects nothing.
    fn sha1(&self, bytes: &[u8]) -> Vec<u8>;
    /// Whether `signature` over `message` was made with the key whose public half is `key`, as it stands in a
    /// certificate's subjectPublicKey.
    fn is_signed(&self, method: Method, key: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// The back end that verdicts rest on.
#[cfg(not(test))]
pub(crate) const fn in_use() -> &'static dyn BackEnd {
    &Ring
}

/// In tests both, compared at each call.
#[cfg(test)]
pub(crate) const fn in_use() -> &'static dyn BackEnd {
    &tests::Compared
}

/// The back end of programs.
#[derive(Debug)]
struct Ring;

struct RingDigest(Context);

impl Debug for RingDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RingDigest").finish_non_exhaustive()
    }
}

impl Running for RingDigest {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn fork(&self) -> Box<dyn Running> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

impl BackEnd for Ring {
    fn start(&self, hash: Hash) -> Box<dyn Running> {
        let algorithm = match hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        Box::new(RingDigest(Context::new(algorithm)))
    }

    fn sha1(&self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)
            .as_ref()
            .to_vec()
    }

    fn is_signed(&self, method: Method, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match method {
            Method::RsaPkcs1(Hash::Sha256) => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
            Method::RsaPkcs1(Hash::Sha384) => &ring_signature::RSA_PKCS1_2048_8192_SHA384,
            Method::RsaPkcs1(Hash::Sha512) => &ring_signature::RSA_PKCS1_2048_8192_SHA512,
            Method::RsaPss(Hash::Sha256) => &ring_signature::RSA_PSS_2048_8192_SHA256,
            Method::RsaPss(Hash::Sha384) => &ring_signature::RSA_PSS_2048_8192_SHA384,
            Method::RsaPss(Hash::Sha512) => &ring_signature::RSA_PSS_2048_8192_SHA512,
            Method::Ecdsa(Curve::P256, Hash::Sha256) => &ring_signature::ECDSA_P256_SHA256_ASN1,
            Method::Ecdsa(Curve::P256, Hash::Sha384) => &ring_signature::ECDSA_P256_SHA384_ASN1,
            Method::Ecdsa(Curve::P384, Hash::Sha256) => &ring_signature::ECDSA_P384_SHA256_ASN1,
            Method::Ecdsa(Curve::P384, Hash::Sha384) => &ring_signature::ECDSA_P384_SHA384_ASN1,
            Method::Ecdsa(curve, Hash::Sha512) => {
                let digest = digest::digest(&digest::SHA512, message);
                return long_digest::is_signed(curve, key, digest.as_ref(), signature);
            }
        };
        UnparsedPublicKey::new(algorithm, key)
            .verify(message, signature)
            .is_ok()
    }
}
