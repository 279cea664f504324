//! Keys at rest: sealed with a key that systemd hands to the service as a credential.
//!
//! Shape of a sealed file: `loket-sealed 1`, a newline, and base64 of nonce (12 bytes), ciphertext and tag
//! (ChaCha20-Poly1305; the file's name is additional data, so that two files cannot be exchanged). Without the
//! credential a key file holds the key itself and only its mode (0600) protects it; SECURITY.md says what that is
//! worth against a stolen disk.

use std::path::Path;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use loket_wire::Randomness;
use loket_wire::random::draw;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::Zeroizing;

/// The credential's name; 64 hexadecimal digits, as `openssl rand -hex 32` prints them.
const CREDENTIAL: &str = "loket-identity.key";

const HEADER: &str = "loket-sealed 1\n";

/// Why a key file cannot be sealed or opened.
#[derive(Debug, Error)]
pub enum KeySealError {
    /// The credential is there and cannot be read.
    #[error("read the credential {CREDENTIAL}")]
    Unreadable(#[source] std::io::Error),
    /// It is no key.
    #[error("read the credential {CREDENTIAL}: it must be 64 hexadecimal digits")]
    Credential,
    /// The file is sealed and there is no credential.
    #[error("open a sealed key file: the credential {CREDENTIAL} is not there")]
    NoCredential,
    /// The file does not open: another credential, or altered.
    #[error("open a sealed key file: another credential sealed it, or it was altered")]
    Altered,
}

/// Seals and opens key files, or leaves them as they are where there is no credential.
#[derive(Clone, Default)]
pub struct KeySeal {
    key: Option<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for KeySeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "KeySeal({})",
            if self.key.is_some() {
                "with a credential"
            } else {
                "none"
            }
        )
    }
}

impl KeySeal {
    /// Takes the credential that systemd laid into `CREDENTIALS_DIRECTORY`, if there is one.
    ///
    /// # Errors
    /// [`KeySealError`] when it is there and cannot be used.
    pub fn from_credentials() -> Result<Self, KeySealError> {
        std::env::var_os("CREDENTIALS_DIRECTORY").map_or_else(
            || Ok(Self::default()),
            |dir| Self::from_dir(Path::new(&dir)),
        )
    }

    fn from_dir(dir: &Path) -> Result<Self, KeySealError> {
        let text = match std::fs::read_to_string(dir.join(CREDENTIAL)) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(KeySealError::Unreadable(error)),
        };
        let bytes = HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .map(Zeroizing::new);
        let bytes = bytes.map_err(|_bad| KeySealError::Credential)?;
        let key = bytes
            .as_slice()
            .try_into()
            .map_err(|_bad| KeySealError::Credential)?;
        Ok(Self {
            key: Some(Zeroizing::new(key)),
        })
    }

    /// Whether files are sealed.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.key.is_some()
    }

    /// Whether `file` is sealed.
    #[must_use]
    pub fn is_sealed(file: &str) -> bool {
        file.starts_with(HEADER)
    }

    /// The content of file `name` that holds `text`.
    ///
    /// # Errors
    /// [`KeySealError::Altered`] when the cipher refuses, which a sound key never makes it do.
    pub fn seal(
        &self,
        name: &str,
        text: &str,
        random: &mut dyn Randomness,
    ) -> Result<Zeroizing<String>, KeySealError> {
        let Some(key) = &self.key else {
            return Ok(Zeroizing::new(text.to_owned()));
        };
        let nonce: [u8; NONCE_LEN] = draw(random);
        let mut sealed = Zeroizing::new(text.as_bytes().to_vec());
        cipher(key)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut *sealed,
            )
            .map_err(|_refused| KeySealError::Altered)?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(Zeroizing::new(format!(
            "{HEADER}{}\n",
            BASE64.encode(&bytes)
        )))
    }

    /// What file `name` holds; a file that is not sealed is given as it is.
    ///
    /// # Errors
    /// [`KeySealError`]
    pub fn open(&self, name: &str, file: &str) -> Result<Zeroizing<String>, KeySealError> {
        let Some(sealed) = file.strip_prefix(HEADER) else {
            return Ok(Zeroizing::new(file.to_owned()));
        };
        let key = self.key.as_ref().ok_or(KeySealError::NoCredential)?;
        let bytes = BASE64
            .decode(sealed.trim().as_bytes())
            .map_err(|_bad| KeySealError::Altered)?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(KeySealError::Altered)?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let opened = cipher(key)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(name.as_bytes()),
                &mut plain,
            )
            .map_err(|_refused| KeySealError::Altered)?;
        let text = std::str::from_utf8(opened).map_err(|_bad| KeySealError::Altered)?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, KeySealError> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_bad| KeySealError::Credential)?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::OsRandom;

    fn seal_of(digit: &str) -> KeySeal {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CREDENTIAL), digit.repeat(64) + "\n").unwrap();
        KeySeal::from_dir(dir.path()).unwrap()
    }

    #[test]
    fn a_sealed_file_opens_with_its_credential_and_name_alone() {
        let (ours, other) = (seal_of("a"), seal_of("b"));
        let file = ours
            .seal("tls.key.pem", "PRIVATE", &mut OsRandom::default())
            .unwrap();
        assert!(KeySeal::is_sealed(&file) && !file.contains("PRIVATE"));
        assert_eq!(*ours.open("tls.key.pem", &file).unwrap(), "PRIVATE");
        assert!(matches!(
            ours.open("sealing.key", &file),
            Err(KeySealError::Altered)
        ));
        assert!(matches!(
            other.open("tls.key.pem", &file),
            Err(KeySealError::Altered)
        ));
        let none = KeySeal::default();
        assert!(matches!(
            none.open("tls.key.pem", &file),
            Err(KeySealError::NoCredential)
        ));
        let bent = file.replacen(char::is_lowercase, "X", 1);
        assert!(
            bent != *file
                && ours
                    .open("tls.key.pem", &bent)
                    .map_or(true, |text| *text == bent)
        );
    }

    #[test]
    fn without_a_credential_files_are_as_they_are() {
        let none = KeySeal::default();
        let file = none
            .seal("tls.key.pem", "PRIVATE", &mut OsRandom::default())
            .unwrap();
        assert_eq!(*file, "PRIVATE");
        assert_eq!(*none.open("tls.key.pem", "PRIVATE").unwrap(), "PRIVATE");
    }

    #[test]
    fn a_credential_that_is_no_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CREDENTIAL), "short").unwrap();
        assert!(matches!(
            KeySeal::from_dir(dir.path()),
            Err(KeySealError::Credential)
        ));
    }
}
