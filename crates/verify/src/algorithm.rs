//! The digests and signature algorithms that count, and what a key must be for them.
//!
//! The arithmetic is behind [`BackEnd`]: ring in programs, and a second implementation beside it in tests.
//!
//! # Source
//! RFC 4055 and RFC 8017 (RSA), RFC 5758 (ECDSA), ETSI TS 119 312 (what still protects).

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912 as oid;
use der::asn1::UintRef;
use der::{Reader, SliceReader, Tag, TagNumber};
use loket_wire::Sha256Digest;
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::asn1;
use crate::back_end::{Curve, Method, Running, in_use};
use crate::code::Code;

/// Shortest RSA modulus that still protects: 2048 bits.
const MIN_RSA_MODULUS_BYTES: usize = 256;

/// Longest RSA modulus that is looked at: 4096 bits. A check takes time with its square, and no authority at hand has more.
const MAX_RSA_MODULUS_BYTES: usize = 512;

const MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
const ECDSA_WITH_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
const MD5_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4");

/// A digest that still protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The digest that an algorithm identifier names; its parameters must be NULL or absent.
    pub(crate) fn of(algorithm: AlgorithmIdentifierRef<'_>) -> Result<Self, Code> {
        plain_parameters(algorithm)?;
        match algorithm.oid {
            oid::ID_SHA_256 => Ok(Self::Sha256),
            oid::ID_SHA_384 => Ok(Self::Sha384),
            oid::ID_SHA_512 => Ok(Self::Sha512),
            oid::ID_SHA_1 | MD5 => Err(Code::AlgorithmRefused),
            _other => Err(Code::AlgorithmUnsupported),
        }
    }

    /// The digest of `parts` taken as one run of bytes.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut running = self.start();
        for part in parts {
            running.update(part);
        }
        running.finish()
    }

    /// A digest of no bytes yet.
    pub(crate) fn start(self) -> Box<dyn Running> {
        in_use().start(self)
    }

    fn size_bytes(self) -> u8 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The SHA-256 digest of `parts` taken as one run of bytes.
pub(crate) fn sha256(parts: &[&[u8]]) -> Sha256Digest {
    as_sha256(&Hash::Sha256.digest(parts))
}

/// What [`Hash::Sha256`] made, as the type that reports have.
pub(crate) fn as_sha256(digest: &[u8]) -> Sha256Digest {
    let mut bytes = [0; 32];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = *from);
    Sha256Digest::from_bytes(bytes)
}

/// SHA-1, for the two places that have no other: older time stamps name their own certificate with it, and answers of
/// OCSP responders the certificate that they are about. It protects nothing there.
pub(crate) fn sha1_for_naming(bytes: &[u8]) -> Vec<u8> {
    in_use().sha1(bytes)
}

/// What a signature algorithm identifier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// PKCS #1 v1.5; without a digest where the identifier leaves it to its surroundings.
    Pkcs1(Option<Hash>),
    Pss(Hash),
    Ecdsa(Hash),
}

impl Scheme {
    fn of(algorithm: AlgorithmIdentifierRef<'_>) -> Result<Self, Code> {
        let scheme = match algorithm.oid {
            oid::RSA_ENCRYPTION => Self::Pkcs1(None),
            oid::SHA_256_WITH_RSA_ENCRYPTION => Self::Pkcs1(Some(Hash::Sha256)),
            oid::SHA_384_WITH_RSA_ENCRYPTION => Self::Pkcs1(Some(Hash::Sha384)),
            oid::SHA_512_WITH_RSA_ENCRYPTION => Self::Pkcs1(Some(Hash::Sha512)),
            oid::ECDSA_WITH_SHA_256 => Self::Ecdsa(Hash::Sha256),
            oid::ECDSA_WITH_SHA_384 => Self::Ecdsa(Hash::Sha384),
            oid::ECDSA_WITH_SHA_512 => Self::Ecdsa(Hash::Sha512),
            oid::ID_RSASSA_PSS => return pss(algorithm),
            oid::SHA_1_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA1 | MD5_WITH_RSA => {
                return Err(Code::AlgorithmRefused);
            }
            _other => return Err(Code::AlgorithmUnsupported),
        };
        plain_parameters(algorithm)?;
        Ok(scheme)
    }
}

/// Checks `signature` over `message`; `digest` is what the surroundings say (CMS), if they do.
pub(crate) fn verify(
    key: &SubjectPublicKeyInfoRef<'_>,
    algorithm: AlgorithmIdentifierRef<'_>,
    digest: Option<Hash>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Code> {
    let scheme = Scheme::of(algorithm)?;
    let named = match scheme {
        Scheme::Pkcs1(hash) => hash.or(digest).ok_or(Code::AlgorithmUnsupported)?,
        Scheme::Pss(hash) | Scheme::Ecdsa(hash) => hash,
    };
    if digest.is_some_and(|digest| digest != named) {
        return Err(Code::AlgorithmsDisagree);
    }
    let method = method(scheme, named, key)?;
    let bits = key
        .subject_public_key
        .as_bytes()
        .ok_or(Code::AlgorithmUnsupported)?;
    if in_use().is_signed(method, bits, message, signature) {
        Ok(())
    } else {
        Err(Code::SignatureBroken)
    }
}

fn method(scheme: Scheme, hash: Hash, key: &SubjectPublicKeyInfoRef<'_>) -> Result<Method, Code> {
    match scheme {
        Scheme::Pkcs1(_) => rsa_key(key).map(|()| Method::RsaPkcs1(hash)),
        Scheme::Pss(_) => rsa_key(key).map(|()| Method::RsaPss(hash)),
        Scheme::Ecdsa(_) => ecdsa(hash, key),
    }
}

fn ecdsa(hash: Hash, key: &SubjectPublicKeyInfoRef<'_>) -> Result<Method, Code> {
    if key.algorithm.oid != oid::ID_EC_PUBLIC_KEY {
        return Err(Code::AlgorithmsDisagree);
    }
    let curve: Option<ObjectIdentifier> = key
        .algorithm
        .parameters
        .and_then(|curve| curve.decode_as().ok());
    let curve = match curve {
        Some(oid::SECP_256_R_1) => Curve::P256,
        Some(oid::SECP_384_R_1) => Curve::P384,
        _other_curve => return Err(Code::AlgorithmUnsupported),
    };
    Ok(Method::Ecdsa(curve, hash))
}

/// That the key is an RSA key, and long enough.
fn rsa_key(key: &SubjectPublicKeyInfoRef<'_>) -> Result<(), Code> {
    if key.algorithm.oid != oid::RSA_ENCRYPTION {
        return Err(Code::AlgorithmsDisagree);
    }
    let bits = key
        .subject_public_key
        .as_bytes()
        .ok_or(Code::AlgorithmUnsupported)?;
    let modulus_bytes = SliceReader::new(bits)
        .and_then(|mut reader| {
            reader.sequence(|inner| {
                let modulus: UintRef<'_> = inner.decode()?;
                let _exponent: UintRef<'_> = inner.decode()?;
                Ok(modulus.as_bytes().len())
            })
        })
        .map_err(|_malformed| Code::AlgorithmUnsupported)?;
    if modulus_bytes < MIN_RSA_MODULUS_BYTES {
        Err(Code::KeyTooShort)
    } else if modulus_bytes > MAX_RSA_MODULUS_BYTES {
        Err(Code::KeyTooLong)
    } else {
        Ok(())
    }
}

/// RSASSA-PSS parameters: one digest for all, and a salt as long as it (what ring checks).
fn pss(algorithm: AlgorithmIdentifierRef<'_>) -> Result<Scheme, Code> {
    let parameters = algorithm.parameters.ok_or(Code::AlgorithmRefused)?;
    let read = parameters.sequence(|inner| {
        let hash: Option<AlgorithmIdentifierRef<'_>> = asn1::explicit(inner, TagNumber::N0)?;
        let mask: Option<AlgorithmIdentifierRef<'_>> = asn1::explicit(inner, TagNumber::N1)?;
        let salt: Option<u8> = asn1::explicit(inner, TagNumber::N2)?;
        let trailer: Option<u8> = asn1::explicit(inner, TagNumber::N3)?;
        Ok((hash, mask, salt, trailer))
    });
    let (hash, mask, salt, trailer) = read.map_err(|_malformed| Code::AlgorithmUnsupported)?;
    // Whatever is left out defaults to SHA-1.
    let hash = Hash::of(hash.ok_or(Code::AlgorithmRefused)?)?;
    let mask = mask.ok_or(Code::AlgorithmRefused)?;
    let inner: AlgorithmIdentifierRef<'_> = mask
        .parameters
        .and_then(|parameters| parameters.decode_as().ok())
        .ok_or(Code::AlgorithmUnsupported)?;
    let fits = mask.oid == oid::ID_MGF_1
        && Hash::of(inner)? == hash
        && salt == Some(hash.size_bytes())
        && trailer.unwrap_or(1) == 1;
    if fits {
        Ok(Scheme::Pss(hash))
    } else {
        Err(Code::AlgorithmUnsupported)
    }
}

fn plain_parameters(algorithm: AlgorithmIdentifierRef<'_>) -> Result<(), Code> {
    match algorithm.parameters {
        None => Ok(()),
        Some(value) if value.is_null() && der::Tagged::tag(&value) == Tag::Null => Ok(()),
        Some(_) => Err(Code::AlgorithmUnsupported),
    }
}
