//! Who this machine is: its two keys, made here and never leaving, and what the authority gave it.
//!
//! Files under `<state>/identity`, each 0600: `tls.key.pem` (P-256, PKCS#8) and `sealing.key` (X25519, base64), both
//! sealed where systemd gives a credential ([`crate::key_seal`]), and `install.json` (the authority's bundle). A request may be made again: it names the same keys.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use loket_wire::enrolment::{Endpoint, EnrolmentRequest, InstallBundle};
use loket_wire::sealed::{SealError, SealingKey};
use loket_wire::sign::{SignError, SigningKey, VerifyingKey};
use loket_wire::{MachineId, Randomness};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::key_seal::{KeySeal, KeySealError};
use crate::telemetry::chain;
use crate::validity::Verifier;

/// Why the identity cannot be made, installed or used.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// There is none yet.
    #[error("find this machine's identity in {}: enrol it first", .0.display())]
    NotEnrolled(PathBuf),
    /// A file cannot be read or written.
    #[error("use the identity file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file's content is not what it must be.
    #[error("understand the identity file {}", .0.display())]
    Content(PathBuf),
    /// The authority's file is not one, or nothing could be reached with it.
    #[error("take the authority's file: {problem}")]
    Bundle {
        /// What is wrong with it.
        problem: String,
    },
    /// The bundle is for another machine.
    #[error("install the bundle: it is for another machine")]
    OtherMachine,
    /// The bundle's certificate is not for this machine's key.
    #[error("install the bundle: its certificate is not for this machine's key")]
    OtherKey,
    /// A key could not be made.
    #[error("make a key")]
    KeyMaking(#[source] rcgen::Error),
    /// The key cannot sign.
    #[error("use the report key")]
    Sign(#[from] SignError),
    /// The key cannot open.
    #[error("use the sealing key")]
    Seal(#[from] SealError),
    /// A key file cannot be sealed or opened.
    #[error("use the key files")]
    KeySeal(#[from] KeySealError),
    /// Certificates and key do not make a TLS identity.
    #[error("use the machine's certificate")]
    Tls(#[source] rustls::Error),
}

/// The system's randomness, in the shape the words ask for.
#[derive(Debug, Clone)]
pub struct OsRandom(SystemRandom);

impl Default for OsRandom {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Randomness for OsRandom {
    fn fill(&mut self, out: &mut [u8]) {
        // The system call fails only before the kernel's pool is first filled: waiting is all that can be done.
        while self.0.fill(out).is_err() {
            std::thread::yield_now();
        }
    }
}

/// An enrolled machine's identity, opened.
#[derive(Debug)]
pub struct Identity {
    /// What the authority gave.
    pub bundle: InstallBundle,
    /// Opens envelopes.
    pub sealing: SealingKey,
    /// Signs reports.
    pub report_key: SigningKey,
    tls_key: Zeroizing<Vec<u8>>,
}

/// The identity folder of one machine.
#[derive(Debug, Clone)]
pub struct IdentityDir {
    path: PathBuf,
    seal: KeySeal,
}

impl IdentityDir {
    /// The folder under a state folder; key files in it are sealed where `seal` has a credential.
    #[must_use]
    pub fn under(state_dir: &Path, seal: KeySeal) -> Self {
        Self {
            path: state_dir.join(FOLDER),
            seal,
        }
    }

    /// Makes what keys are missing and writes what the authority needs.
    ///
    /// # Errors
    /// [`IdentityError`] when a key or file cannot be made.
    pub fn request(&self, machine: &MachineId) -> Result<EnrolmentRequest, IdentityError> {
        self.make_dir()?;
        let key =
            rcgen::KeyPair::from_pem(&self.tls_key_pem()?).map_err(IdentityError::KeyMaking)?;
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, machine.as_str());
        let csr = params
            .serialize_request(&key)
            .map_err(IdentityError::KeyMaking)?;
        Ok(EnrolmentRequest {
            version: 1,
            machine: machine.clone(),
            csr_pem: csr.pem().map_err(IdentityError::KeyMaking)?,
            sealing_public_key: self.sealing_key()?.public()?.to_string(),
        })
    }

    /// Takes the authority's bundle.
    ///
    /// # Errors
    /// [`IdentityError::Bundle`], [`IdentityError::OtherMachine`] or [`IdentityError::OtherKey`] for a bundle that the
    /// daemon could not run with; nothing is replaced then.
    pub fn install(
        &self,
        machine: &MachineId,
        json: &[u8],
        clock: &Clock,
    ) -> Result<InstallBundle, IdentityError> {
        let path = self.file(INSTALLED);
        let bad = |problem: &str| IdentityError::Bundle {
            problem: problem.to_owned(),
        };
        let bundle: InstallBundle = serde_json::from_slice(json)
            .map_err(|error| bad(&format!("it does not have the shape of one: {error}")))?;
        if bundle.machine != *machine {
            return Err(IdentityError::OtherMachine);
        }
        let is_nowhere = |at: &Endpoint| at.host.is_empty() || at.port == 0;
        if bundle.brokers.is_empty() || bundle.brokers.iter().any(is_nowhere) {
            return Err(bad("it names no broker that could be dialled"));
        }
        if is_nowhere(&bundle.documents) {
            return Err(bad("it does not say where documents are fetched"));
        }
        let identity = self.assemble(bundle)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        if certificates(&identity.bundle.certificate_pem).is_err() {
            return Err(bad("its certificate cannot be read"));
        }
        identity
            .certified_key(&provider)?
            .keys_match()
            .map_err(|_mismatch| IdentityError::OtherKey)?;
        // What the daemon does with it at each start: certificates that do not parse end here and not there.
        identity
            .tls_config(clock)
            .map_err(|error| bad(&chain(&error)))?;
        write_private(&path, json)?;
        Ok(identity.bundle)
    }

    /// Opens an installed identity.
    ///
    /// # Errors
    /// [`IdentityError::NotEnrolled`] when there is none.
    pub fn load(&self) -> Result<Identity, IdentityError> {
        self.assemble(installed(&self.path)?)
    }

    fn assemble(&self, bundle: InstallBundle) -> Result<Identity, IdentityError> {
        let pem = self.tls_key_pem()?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_bad| IdentityError::Content(self.file(TLS_KEY)))?;
        let tls_key = Zeroizing::new(key.secret_pkcs8_der().to_vec());
        let report_key = SigningKey::p256_from_pkcs8(&tls_key, SystemRandom::new())?;
        Ok(Identity {
            bundle,
            sealing: self.sealing_key()?,
            report_key,
            tls_key,
        })
    }

    /// The sealing key; made when missing, so that local jobs work before enrolment.
    ///
    /// # Errors
    /// [`IdentityError`] when the file cannot be read or made.
    pub fn sealing_key(&self) -> Result<SealingKey, IdentityError> {
        self.make_dir()?;
        let path = self.file(SEALING_KEY);
        let text = self.read_or_make(SEALING_KEY, || {
            let key = SealingKey::generate(&mut OsRandom::default());
            Ok(Zeroizing::new(BASE64.encode(key.as_bytes())))
        })?;
        let bytes = BASE64.decode(text.trim().as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_bad| IdentityError::Content(path.clone()))?;
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_bad| IdentityError::Content(path))?;
        Ok(SealingKey::from_bytes(key))
    }

    fn tls_key_pem(&self) -> Result<Zeroizing<String>, IdentityError> {
        self.read_or_make(TLS_KEY, || {
            let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
                .map_err(IdentityError::KeyMaking)?;
            Ok(Zeroizing::new(key.serialize_pem()))
        })
    }

    /// Reads a key file, or makes it; one that stands unsealed although there is a credential is sealed now.
    fn read_or_make(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Zeroizing<String>, IdentityError>,
    ) -> Result<Zeroizing<String>, IdentityError> {
        let path = self.file(name);
        let (text, stands_sealed) = match fs::read_to_string(&path) {
            Ok(file) => {
                let file = Zeroizing::new(file);
                (
                    self.seal.open(name, &file)?,
                    KeySeal::is_sealed(&file) || !self.seal.is_on(),
                )
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (make()?, false),
            Err(source) => return Err(IdentityError::File { path, source }),
        };
        if !stands_sealed {
            let file = self.seal.seal(name, &text, &mut OsRandom::default())?;
            write_private(&path, file.as_bytes())?;
        }
        Ok(text)
    }

    fn make_dir(&self) -> Result<(), IdentityError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|source| IdentityError::File {
                path: self.path.clone(),
                source,
            })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// The authority's bundle.
const INSTALLED: &str = "install.json";
const FOLDER: &str = "identity";
const TLS_KEY: &str = "tls.key.pem";
const SEALING_KEY: &str = "sealing.key";

impl Identity {
    /// TLS towards broker and central: our certificate, their authority, our clock.
    ///
    /// # Errors
    /// [`IdentityError::Tls`] when certificate and key do not fit.
    pub fn tls_config(&self, clock: &Clock) -> Result<Arc<rustls::ClientConfig>, IdentityError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        for certificate in certificates(&self.bundle.authority_pem)? {
            roots.add(certificate).map_err(IdentityError::Tls)?;
        }
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.tls_key.to_vec()));
        let usual =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|_no_roots| IdentityError::Content(PathBuf::from(INSTALLED)))?;
        let verifier = Arc::new(Verifier::new(usual, clock.clone()));
        let config = rustls::ClientConfig::builder_with_details(provider, Arc::new(clock.clone()))
            .with_safe_default_protocol_versions()
            .map_err(IdentityError::Tls)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(certificates(&self.bundle.certificate_pem)?, key)
            .map_err(IdentityError::Tls)?;
        Ok(Arc::new(config))
    }

    fn certified_key(
        &self,
        provider: &rustls::crypto::CryptoProvider,
    ) -> Result<rustls::sign::CertifiedKey, IdentityError> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.tls_key.to_vec()));
        let chain = certificates(&self.bundle.certificate_pem)?;
        rustls::sign::CertifiedKey::from_der(chain, key, provider)
            .map_err(|_mismatch| IdentityError::OtherKey)
    }
}

/// The key of central that the authority named, where this machine is enrolled; makes nothing.
#[must_use]
pub fn central_key(state_dir: &Path) -> Option<VerifyingKey> {
    let bundle = installed(&state_dir.join(FOLDER)).ok()?;
    Some(bundle.central_key)
}

/// What the authority gave.
fn installed(dir: &Path) -> Result<InstallBundle, IdentityError> {
    let path = dir.join(INSTALLED);
    let json = match fs::read(&path) {
        Ok(json) => json,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(IdentityError::NotEnrolled(dir.to_owned()));
        }
        Err(source) => return Err(IdentityError::File { path, source }),
    };
    serde_json::from_slice(&json).map_err(|_bad| IdentityError::Content(path))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(IdentityError::Content(PathBuf::from(INSTALLED))),
    }
}

/// Writes a file that is whole or absent after a crash, readable by its owner alone.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    let write = || {
        let temp = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temp)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temp, path)?;
        path.parent()
            .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    write().map_err(|source| IdentityError::File {
        path: path.to_owned(),
        source,
    })
}

impl Identity {
    /// Whole days until this machine's certificate ends; negative once it has, `None` when it cannot be read.
    #[must_use]
    pub fn days_left(&self, now: loket_wire::Timestamp) -> Option<i64> {
        let chain = certificates(&self.bundle.certificate_pem).ok()?;
        let certificate = x509_cert::Certificate::from_der(chain.first()?).ok()?;
        let ends = certificate
            .tbs_certificate
            .validity
            .not_after
            .to_unix_duration();
        let ends_ms = i64::try_from(ends.as_millis()).ok()?;
        Some(ends_ms.saturating_sub(now.unix_ms()).div_euclid(MS_PER_DAY))
    }
}

const MS_PER_DAY: i64 = 86_400_000;
