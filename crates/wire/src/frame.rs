//! The signed frame around every message: a broker can delay and drop, not lie.
//!
//! Shape: JSON `{"v":1,"body":"<base64>","sig":"<base64>"}`. `body` is the message's JSON bytes, never serialised
//! again; `sig` signs the frame's context (version and topic) and those bytes, so that a frame cannot be moved to
//! another topic. The whole payload is at most [`MAX_PAYLOAD_BYTES`].

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::VERSION;
use crate::sign::{SignError, SigningKey, VerifyingKey};

/// The largest MQTT payload of the protocol: MQTT cannot resume a PUBLISH, and on a 2G link a larger one would
/// starve the keep-alive.
pub const MAX_PAYLOAD_BYTES: usize = 32_768;

/// Why bytes are no frame of ours. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Over [`MAX_PAYLOAD_BYTES`].
    #[error("open a frame: {size_bytes} bytes, more than {MAX_PAYLOAD_BYTES}")]
    TooLarge {
        /// Size met.
        size_bytes: usize,
    },
    /// Not the JSON or base64 of a frame.
    #[error("open a frame: not a frame")]
    Malformed,
    /// A version this program does not read.
    #[error("open a frame: version {version} is not known here")]
    Version {
        /// Version met.
        version: u16,
    },
    /// The signature does not fit topic, bytes and key.
    #[error("open a frame: the signature is not the expected sender's")]
    Signature,
    /// The frame could not be signed.
    #[error("sign a frame")]
    Sign(#[source] SignError),
}

impl FrameError {
    /// The stable code that reports carry.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "W-101",
            Self::Malformed => "W-102",
            Self::Version { .. } => "W-103",
            Self::Signature => "W-104",
            Self::Sign(_) => "W-105",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Frame {
    v: u16,
    body: String,
    sig: String,
}

/// Wraps and signs `body` for `topic`.
///
/// # Errors
/// [`FrameError::TooLarge`] when the payload would exceed the bound, [`FrameError::Sign`] without randomness.
pub fn seal(topic: &str, body: &[u8], key: &SigningKey) -> Result<Vec<u8>, FrameError> {
    let sig = key
        .sign(&signed_bytes(VERSION, topic, body))
        .map_err(FrameError::Sign)?;
    let frame = Frame {
        v: VERSION,
        body: BASE64.encode(body),
        sig: BASE64.encode(&sig),
    };
    let payload = serde_json::to_vec(&frame).map_err(|_ignored| FrameError::Malformed)?;
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(FrameError::TooLarge {
            size_bytes: payload.len(),
        });
    }
    Ok(payload)
}

/// Checks the frame that arrived on `topic` and gives its body.
///
/// # Errors
/// Any [`FrameError`] but `Sign`.
pub fn open(topic: &str, payload: &[u8], key: &VerifyingKey) -> Result<Vec<u8>, FrameError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(FrameError::TooLarge {
            size_bytes: payload.len(),
        });
    }
    let frame: Frame = serde_json::from_slice(payload).map_err(|_ignored| FrameError::Malformed)?;
    if frame.v != VERSION {
        return Err(FrameError::Version { version: frame.v });
    }
    let decode = |text: &str| {
        BASE64
            .decode(text.as_bytes())
            .map_err(|_ignored| FrameError::Malformed)
    };
    let (body, sig) = (decode(&frame.body)?, decode(&frame.sig)?);
    if key.verifies(&signed_bytes(frame.v, topic, &body), &sig) {
        Ok(body)
    } else {
        Err(FrameError::Signature)
    }
}

/// A NUL cannot stand in a topic, so the parts cannot run into each other.
fn signed_bytes(version: u16, topic: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("loket frame {version}\0{topic}\0").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};

    fn keys() -> Vec<SigningKey> {
        let random = SystemRandom::new();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        vec![
            SigningKey::ed25519_from_pkcs8(ed.as_ref()).unwrap(),
            SigningKey::p256_from_pkcs8(ec.as_ref(), random).unwrap(),
        ]
    }

    #[test]
    fn a_frame_opens_only_with_its_key_topic_and_bytes() {
        for key in keys() {
            let public = key.verifying_key();
            assert_eq!(VerifyingKey::parse(&public.to_string()).unwrap(), public);
            let payload = seal("loket/v1/a-1/ack", b"{}", &key).unwrap();
            assert_eq!(open("loket/v1/a-1/ack", &payload, &public).unwrap(), b"{}");
            assert_eq!(
                open("loket/v1/a-2/ack", &payload, &public),
                Err(FrameError::Signature)
            );
            for other in keys() {
                let wrong = open("loket/v1/a-1/ack", &payload, &other.verifying_key());
                assert_eq!(wrong, Err(FrameError::Signature));
            }
            for at in 0..payload.len() {
                let mut bent = payload.clone();
                bent[at] ^= 1;
                assert!(
                    open("loket/v1/a-1/ack", &bent, &public).is_err(),
                    "byte {at}"
                );
            }
        }
    }

    #[test]
    fn what_is_too_large_is_refused_on_both_sides() {
        let key = keys().remove(0);
        let body = vec![b' '; MAX_PAYLOAD_BYTES];
        assert!(matches!(
            seal("t", &body, &key),
            Err(FrameError::TooLarge { .. })
        ));
        let first = open("t", &[b'x'; MAX_PAYLOAD_BYTES + 1], &key.verifying_key());
        assert!(matches!(first, Err(FrameError::TooLarge { .. })));
    }
}
