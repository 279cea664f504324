//! A match record under seal: what a printed sheet must look like, for one reader's eyes.
//!
//! ```text
//! 4C 4B 52 31   "LKR1"
//! 8 bytes       the recipient's key id
//! 32 bytes      encapsulated key (DHKEM X25519)
//! rest          ChaCha20-Poly1305 over the record's bytes
//! ```
//!
//! Bytes and not JSON: a record is some kilobytes, and base64 would make it a third longer on a metered link.
//!
//! # Source
//! RFC 9180, base mode, single shot.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use super::{Given, SealError, SealKem, SealingKey, SealingPublic, unsealed};
use crate::ids::{JobId, KeyId, MachineId};
use crate::random::Randomness;

/// What sealed records begin with.
const MAGIC: &[u8; 4] = b"LKR1";

/// Length of a key id in its raw form.
const KEY_ID_BYTES: usize = 8;

/// Length of an encapsulated key (RFC 9180 §7.1).
const ENC_BYTES: usize = 32;

/// The application string of every key schedule (RFC 9180 §5.1).
const INFO: &[u8] = b"loket record 1";

/// Who a sealed record is for, and whose sheet it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordBinding<'a> {
    /// `audit` for central's audit key, else the machine that asked.
    pub recipient: &'a str,
    /// The machine that printed.
    pub machine: &'a MachineId,
    /// The job that it printed.
    pub job: JobId,
}

/// The recipient that records bear which go to central's audit key.
pub const AUDIT: &str = "audit";

impl RecordBinding<'_> {
    fn aad(&self, key_id: KeyId) -> Vec<u8> {
        let Self {
            recipient,
            machine,
            job,
        } = self;
        format!("loket record 1\0{key_id}\0{recipient}\0{machine}\0{job}").into_bytes()
    }
}

impl SealingPublic {
    /// Seals the bytes of a record so that only this key's holder opens them, under `binding`.
    ///
    /// # Errors
    /// [`SealError::Key`] for an unusable public key, [`SealError::Seal`] otherwise.
    pub fn seal_record(
        &self,
        binding: &RecordBinding<'_>,
        plain: &[u8],
        random: &mut dyn Randomness,
    ) -> Result<Vec<u8>, SealError> {
        let key_id = self.key_id();
        let (enc, sealed) = if unsealed::is_on() {
            (vec![0; ENC_BYTES], plain.to_vec())
        } else {
            let public = <SealKem as Kem>::PublicKey::from_bytes(&self.0)
                .map_err(|_ignored| SealError::Key)?;
            let (enc, sealed) =
                hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, SealKem>(
                    &OpModeS::Base,
                    &public,
                    INFO,
                    plain,
                    &binding.aad(key_id),
                    &mut Given(random),
                )
                .map_err(|_ignored| SealError::Seal)?;
            (enc.to_bytes().to_vec(), sealed)
        };
        Ok([MAGIC.as_slice(), key_id.as_bytes(), &enc, &sealed].concat())
    }
}

impl SealingKey {
    /// Opens a sealed record that is bound to `binding`.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] when it names another key, [`SealError::Altered`] when it does not open.
    pub fn open_record(
        &self,
        binding: &RecordBinding<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let public = self.public()?;
        let rest = sealed.strip_prefix(MAGIC).ok_or(SealError::Altered)?;
        let (key_id, rest) = rest
            .split_at_checked(KEY_ID_BYTES)
            .ok_or(SealError::Altered)?;
        if key_id != public.key_id().as_bytes() {
            return Err(SealError::OtherKey);
        }
        let (enc, sealed) = rest.split_at_checked(ENC_BYTES).ok_or(SealError::Altered)?;
        if unsealed::is_on() {
            return Ok(Zeroizing::new(sealed.to_vec()));
        }
        let private = <SealKem as Kem>::PrivateKey::from_bytes(&self.private)
            .map_err(|_ignored| SealError::Key)?;
        let enc = <SealKem as Kem>::EncappedKey::from_bytes(enc)
            .map_err(|_ignored| SealError::Altered)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, SealKem>(
            &OpModeR::Base,
            &private,
            &enc,
            INFO,
            sealed,
            &binding.aad(public.key_id()),
        )
        .map(Zeroizing::new)
        .map_err(|_ignored| SealError::Altered)
    }
}
