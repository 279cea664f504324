//! Sealed envelopes: what only the named machine opens (HPKE, RFC 9180, base mode) and the document's own blob.
//!
//! An envelope carries the secrets of one job; its additional data binds recipient, job, journal epoch and expiry,
//! so that it opens for that machine's present journal and nothing else. The document is one AEAD blob under the
//! key inside the envelope, bound to the job.
//!
//! Sender authenticity is not HPKE's here: the order around the envelope is signed by central ([`crate::frame`]).

use std::convert::Infallible;
use std::fmt;

use data_encoding::BASE64;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

mod record;

pub use record::{AUDIT, RecordBinding};

use crate::digest::Sha256Digest;
use crate::ids::{Epoch, JobId, KeyId};
use crate::order::Reprint;
use crate::random::{Randomness, draw};
use crate::time::Timestamp;

type SealKem = X25519HkdfSha256;

/// Bytes the AEAD adds to a document.
pub const BLOB_OVERHEAD_BYTES: u64 = 16;

/// Why something could not be sealed or opened. It never says more: a caller learns nothing from the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The public or private key is no key of the suite.
    #[error("read a sealing key: not a key of the suite")]
    Key,
    /// The envelope is sealed to another key than the one at hand.
    #[error("open an envelope: it is sealed to another key")]
    OtherKey,
    /// The bytes do not open: altered, or bound to another machine, job, epoch or expiry.
    #[error("open an envelope: altered, or bound to something else")]
    Altered,
    /// The secrets could not be written or sealed.
    #[error("seal an envelope")]
    Seal,
}

/// The algorithms of an envelope; named from version 1 so that others can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180 §7).
    #[serde(rename = "x25519-hkdf-sha256-chacha20poly1305")]
    X25519,
}

/// What an envelope is bound to, as additional authenticated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Machine id, or `central` for central's own copy.
    pub recipient: &'a str,
    /// The job.
    pub job: JobId,
    /// The recipient's journal epoch; all zero for central's own copy.
    pub epoch: Epoch,
    /// Last moment the job may be printed.
    pub not_after: Timestamp,
}

impl Binding<'_> {
    fn aad(&self, suite: Suite, key_id: KeyId) -> Vec<u8> {
        let suite = match suite {
            Suite::X25519 => "x25519-hkdf-sha256-chacha20poly1305",
        };
        format!(
            "loket envelope 1\0{suite}\0{key_id}\0{}\0{}\0{}\0{}",
            self.recipient,
            self.job,
            self.epoch,
            self.not_after.unix_ms()
        )
        .into_bytes()
    }
}

/// A sealed envelope as it stands in an order and in the spool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Its algorithms.
    pub suite: Suite,
    /// The recipient's key.
    pub key_id: KeyId,
    /// Encapsulated key, base64.
    pub enc: String,
    /// Sealed secrets, base64.
    pub ct: String,
}

impl Envelope {
    /// The digest that tells a redelivery from a replay.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        Sha256Digest::of(format!("{}\0{}\0{}", self.key_id, self.enc, self.ct).as_bytes())
    }
}

/// What an envelope holds. It shows nothing of itself and is wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    /// The document's key.
    dek: [u8; 32],
    /// What the officer reads.
    pub label: String,
    /// The resident's pickup code, where the order has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// SHA-256 of the document as central took it.
    #[zeroize(skip)]
    pub document_sha256: Sha256Digest,
    /// Its size.
    pub size_bytes: u64,
    /// Pages of its signed revision.
    pub page_count: u32,
    /// What it replaces on paper, where it does. Orders of earlier versions say nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    pub reprint: Option<Reprint>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// Draws a fresh document key for a document with these facts.
    #[must_use]
    pub fn new(
        label: String,
        code: Option<String>,
        document: &[u8],
        page_count: u32,
        random: &mut dyn Randomness,
    ) -> Self {
        Self {
            dek: draw(random),
            label,
            code,
            document_sha256: Sha256Digest::of(document),
            size_bytes: u64::try_from(document.len()).unwrap_or(u64::MAX),
            page_count,
            reprint: None,
        }
    }

    /// The same of a job that replaces another on paper.
    #[must_use]
    pub fn with_reprint(mut self, reprint: Option<Reprint>) -> Self {
        self.reprint = reprint;
        self
    }

    /// Seals the document: ChaCha20-Poly1305 under this job's own key, bound to the job.
    ///
    /// The key is drawn for one document, so the fixed nonce is used once.
    ///
    /// # Errors
    /// [`SealError::Seal`] when the cipher refuses.
    pub fn seal_document(&self, job: JobId, document: &[u8]) -> Result<Vec<u8>, SealError> {
        if unsealed::is_on() {
            let mut plain = document.to_vec();
            plain.extend_from_slice(&[0_u8; 16]);
            return Ok(plain);
        }
        let mut bytes = document.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(zero_nonce(), Aad::from(blob_aad(job)), &mut bytes)
            .map_err(|_ignored| SealError::Seal)?;
        Ok(bytes)
    }

    /// Opens the document and checks that it is the one central took.
    ///
    /// # Errors
    /// [`SealError::Altered`] for any other bytes.
    pub fn open_document(&self, job: JobId, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut bytes = Zeroizing::new(blob.to_vec());
        let length = if unsealed::is_on() {
            bytes.len().checked_sub(16).ok_or(SealError::Altered)?
        } else {
            self.cipher()?
                .open_in_place(zero_nonce(), Aad::from(blob_aad(job)), &mut bytes)
                .map_err(|_ignored| SealError::Altered)?
                .len()
        };
        bytes.truncate(length);
        if Sha256Digest::of(&bytes) == self.document_sha256 {
            Ok(bytes)
        } else {
            Err(SealError::Altered)
        }
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        let key =
            UnboundKey::new(&CHACHA20_POLY1305, &self.dek).map_err(|_ignored| SealError::Key)?;
        Ok(LessSafeKey::new(key))
    }
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0_u8; 12])
}

fn blob_aad(job: JobId) -> Vec<u8> {
    format!("loket blob 1\0{job}").into_bytes()
}

/// A recipient's X25519 private key; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealingKey {
    private: [u8; 32],
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl SealingKey {
    /// Draws a fresh key.
    #[must_use]
    pub fn generate(random: &mut dyn Randomness) -> Self {
        let (private, _public) = SealKem::derive_keypair(&*Zeroizing::new(draw::<32>(random)));
        let mut bytes = [0_u8; 32];
        bytes.copy_from_slice(&private.to_bytes());
        Self { private: bytes }
    }

    /// Wraps the 32 private bytes read from a key file.
    #[must_use]
    pub const fn from_bytes(private: [u8; 32]) -> Self {
        Self { private }
    }

    /// The private bytes, for a key file.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.private
    }

    /// The public half.
    ///
    /// # Errors
    /// [`SealError::Key`] when the bytes are no key.
    pub fn public(&self) -> Result<SealingPublic, SealError> {
        let private = <SealKem as Kem>::PrivateKey::from_bytes(&self.private)
            .map_err(|_ignored| SealError::Key)?;
        let mut bytes = [0_u8; 32];
        bytes.copy_from_slice(&SealKem::sk_to_pk(&private).to_bytes());
        Ok(SealingPublic(bytes))
    }

    /// Opens an envelope that is bound to `binding`.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] when it names another key, [`SealError::Altered`] when it does not open.
    pub fn open(&self, binding: &Binding<'_>, envelope: &Envelope) -> Result<Secrets, SealError> {
        let public = self.public()?;
        if envelope.key_id != public.key_id() {
            return Err(SealError::OtherKey);
        }
        let decode = |text: &str| {
            BASE64
                .decode(text.as_bytes())
                .map_err(|_ignored| SealError::Altered)
        };
        let (enc, ct) = (decode(&envelope.enc)?, decode(&envelope.ct)?);
        if unsealed::is_on() {
            return serde_json::from_slice(&ct).map_err(|_ignored| SealError::Altered);
        }
        let private = <SealKem as Kem>::PrivateKey::from_bytes(&self.private)
            .map_err(|_ignored| SealError::Key)?;
        let enc = <SealKem as Kem>::EncappedKey::from_bytes(&enc)
            .map_err(|_ignored| SealError::Altered)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, SealKem>(
            &OpModeR::Base,
            &private,
            &enc,
            INFO,
            &ct,
            &binding.aad(envelope.suite, envelope.key_id),
        )
        .map_err(|_ignored| SealError::Altered)?;
        let plain = Zeroizing::new(plain);
        serde_json::from_slice(&plain).map_err(|_ignored| SealError::Altered)
    }
}

/// The application string of every key schedule (RFC 9180 §5.1).
const INFO: &[u8] = b"loket order 1";

/// A recipient's public key. Shape in text: 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealingPublic([u8; 32]);

impl SealingPublic {
    /// Reads the base64 text form.
    ///
    /// # Errors
    /// [`SealError::Key`] for anything but 32 bytes.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = BASE64
            .decode(text.as_bytes())
            .map_err(|_ignored| SealError::Key)?;
        Ok(Self(bytes.try_into().map_err(|_ignored| SealError::Key)?))
    }

    /// Its id.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId::of(&self.0)
    }

    /// Seals `secrets` so that only this key's holder opens them, under `binding`.
    ///
    /// # Errors
    /// [`SealError::Key`] for an unusable public key, [`SealError::Seal`] otherwise.
    pub fn seal(
        &self,
        binding: &Binding<'_>,
        secrets: &Secrets,
        random: &mut dyn Randomness,
    ) -> Result<Envelope, SealError> {
        let key_id = self.key_id();
        let suite = Suite::X25519;
        let plain =
            Zeroizing::new(serde_json::to_vec(secrets).map_err(|_ignored| SealError::Seal)?);
        if unsealed::is_on() {
            return Ok(Envelope {
                suite,
                key_id,
                enc: String::new(),
                ct: BASE64.encode(&plain),
            });
        }
        let public =
            <SealKem as Kem>::PublicKey::from_bytes(&self.0).map_err(|_ignored| SealError::Key)?;
        let (enc, ct) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, SealKem>(
            &OpModeS::Base,
            &public,
            INFO,
            &plain,
            &binding.aad(suite, key_id),
            &mut Given(random),
        )
        .map_err(|_ignored| SealError::Seal)?;
        Ok(Envelope {
            suite,
            key_id,
            enc: BASE64.encode(&enc.to_bytes()),
            ct: BASE64.encode(&ct),
        })
    }
}

impl fmt::Display for SealingPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

/// Gives a program's randomness to the sealing crate.
struct Given<'a>(&'a mut dyn Randomness);

impl TryRng for Given<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(draw(self.0)))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(draw(self.0)))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Given<'_> {}

/// The control of the secrecy tests: with feature `unsealed` a test program can turn sealing off and must be caught.
pub mod unsealed {
    #[cfg(feature = "unsealed")]
    static ON: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

    /// Turns sealing off for the rest of the process.
    #[cfg(feature = "unsealed")]
    pub fn turn_on() {
        ON.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    #[cfg(feature = "unsealed")]
    pub(super) fn is_on() -> bool {
        ON.load(std::sync::atomic::Ordering::SeqCst)
    }

    #[cfg(not(feature = "unsealed"))]
    pub(super) const fn is_on() -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
