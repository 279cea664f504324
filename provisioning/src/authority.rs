//! The authority: one folder, one key, and what it vouches for.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use der::DecodePem;
use loket_wire::enrolment::{Endpoint, MAX_BROKERS, named_twice};
use loket_wire::sign::{SigningKey, VerifyingKey};
use loket_wire::{Sha256Digest, Timestamp};
use rcgen::{Issuer, KeyPair, PKCS_ED25519, PublicKeyData, SanType};
use ring::rand::SystemRandom;

use crate::bookkeeping::{Book, Issued, VERSION};
use crate::certificate::{self, Kind, Serial};
use crate::durable::{self, Lock, Readers};
use crate::error::{ProvisionError, Refusal};
use crate::settings::Settings;

/// The canary's name: no machine can bear it (a dot is not allowed there), so that even a broker which lets it in
/// gives it no machine's topics.
pub(crate) const CANARY: &str = "revoked.canary";

/// What a new authority is told.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// The brokers that machines will use, first the one that is tried first.
    pub brokers: Vec<Endpoint>,
    /// Where machines will fetch sealed documents.
    pub documents: Endpoint,
    /// The present moment; certificates begin 48 hours earlier.
    pub now: Timestamp,
}

/// The authority that signs broker, central and machines.
///
/// # Shape
/// ```text
/// authority.toml       settings (Settings)
/// authority.crt, .key  CA certificate and its P-256 key
/// central-signing.key  central's Ed25519 key, PKCS#8 PEM
/// canary.key           key of the clients that are revoked from birth (probe)
/// crl.pem, crl.json    revocation list, and the number it bears
/// brokers.json         what broker-config was told of each broker
/// broker.json          the same of the only one, as earlier versions wrote it; read where brokers.json is not there
/// issued/              one file a certificate: name and serial
/// machines/<id>.json   records for central, signed
/// denied/              names that the broker refuses
/// revoked/             records that were withdrawn
/// ```
/// Keys are readable by their owner alone; the folder too.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
    certificate_pem: String,
    end: Timestamp,
    issuer: Issuer<'static, KeyPair>,
    record_key: SigningKey,
    settings: Settings,
    random: SystemRandom,
}

impl Authority {
    /// Makes an authority in `dir`. `authority.toml` is written last: without it the folder counts as empty, so an
    /// interrupted `init` is simply given again.
    ///
    /// # Errors
    /// [`Refusal::TooManyBrokers`], [`Refusal::BrokerTwice`]; [`ProvisionError::AlreadyThere`] when `dir` holds one;
    /// [`ProvisionError::Clock`] when `now` cannot be right; what writing files and drawing keys can meet.
    pub fn init(dir: &Path, options: InitOptions) -> Result<Self, ProvisionError> {
        check_brokers(&options.brokers)?;
        durable::create_folder(dir, Readers::Owner)?;
        let _lock = durable::lock(dir)?;
        if durable::read_if_there(&settings_path(dir))?.is_some() {
            return Err(ProvisionError::AlreadyThere {
                dir: dir.to_owned(),
            });
        }
        let random = SystemRandom::new();
        let key = KeyPair::generate().map_err(making("make the authority's key"))?;
        let fingerprint = HEXLOWER.encode(
            Sha256Digest::of(key.der_bytes())
                .as_bytes()
                .get(..4)
                .unwrap_or_default(),
        );
        let params = certificate::authority(
            &format!("Loket authority {fingerprint}"),
            &Serial::draw(&random)?,
            options.now,
        )?;
        let certificate = params
            .self_signed(&key)
            .map_err(making("sign the authority's certificate"))?;
        put_key(&dir.join("authority.key"), &key)?;
        put_public(&dir.join("authority.crt"), &certificate.pem())?;

        let central =
            KeyPair::generate_for(&PKCS_ED25519).map_err(making("make central's signing key"))?;
        put_key(&dir.join("central-signing.key"), &central)?;
        let settings = Settings::new(
            VerifyingKey::Ed25519(central.public_key_raw().to_vec()),
            options.documents,
            options.brokers,
        );

        let authority = Self::assemble(dir, certificate.pem(), key, settings)?;
        authority.put_crl(options.now)?;
        // Central may be started before the first machine is enrolled.
        durable::create_folder(&dir.join("machines"), Readers::Owner)?;
        authority.settings.write(&settings_path(dir))?;
        Ok(authority)
    }

    /// Opens the authority in `dir`.
    ///
    /// # Errors
    /// [`ProvisionError::NoAuthority`] when there is none; [`ProvisionError::KeyMismatch`] when key and certificate
    /// are strangers; [`Refusal::TooManyBrokers`] and [`Refusal::BrokerTwice`] for its settings; what reading its files can meet.
    pub fn open(dir: &Path) -> Result<Self, ProvisionError> {
        let settings = match Settings::read(&settings_path(dir)) {
            Err(ProvisionError::NotFound { .. }) => {
                return Err(ProvisionError::NoAuthority {
                    dir: dir.to_owned(),
                });
            }
            other => other?,
        };
        check_brokers(&settings.brokers)?;
        let key_path = dir.join("authority.key");
        let key = KeyPair::from_pem(&durable::read_text(&key_path)?).map_err(|source| {
            ProvisionError::Pem {
                path: key_path,
                source,
            }
        })?;
        let certificate_pem = durable::read_text(&dir.join("authority.crt"))?;
        Self::assemble(dir, certificate_pem, key, settings)
    }

    /// The folder it lives in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its certificate, PEM: what broker, central and machines trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The key that checks machine records.
    #[must_use]
    pub fn record_key(&self) -> VerifyingKey {
        self.record_key.verifying_key()
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn lock(&self) -> Result<Lock, ProvisionError> {
        durable::lock(&self.dir)
    }

    pub(crate) fn book(&self) -> Book {
        Book::new(self.path("issued"))
    }

    pub(crate) const fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    pub(crate) const fn signing_key(&self) -> &SigningKey {
        &self.record_key
    }

    pub(crate) const fn random(&self) -> &SystemRandom {
        &self.random
    }

    /// Signs a certificate; nothing is written.
    pub(crate) fn sign(
        &self,
        kind: Kind,
        name: &str,
        key: &impl PublicKeyData,
        hosts: Vec<SanType>,
        (request_sha256, now): (Sha256Digest, Timestamp),
    ) -> Result<Issued, ProvisionError> {
        let serial = Serial::draw(&self.random)?;
        let (params, not_after) = certificate::leaf(kind, name, hosts, &serial, (now, self.end))?;
        let certificate = params
            .signed_by(key, &self.issuer)
            .map_err(making("sign a certificate"))?;
        Ok(Issued {
            version: VERSION,
            serial: serial.hex,
            kind,
            name: name.to_owned(),
            request_sha256,
            issued_at: now,
            not_after,
            certificate_pem: certificate.pem(),
            revoked: None,
        })
    }

    fn assemble(
        dir: &Path,
        certificate_pem: String,
        key: KeyPair,
        settings: Settings,
    ) -> Result<Self, ProvisionError> {
        let path = dir.join("authority.crt");
        let broken = |source| ProvisionError::Pem {
            path: path.clone(),
            source,
        };
        let parsed = x509_cert::Certificate::from_pem(certificate_pem.as_bytes())
            .map_err(|_der| broken(rcgen::Error::CouldNotParseCertificate))?;
        let info = parsed.tbs_certificate.subject_public_key_info;
        if info.subject_public_key.raw_bytes() != key.public_key_raw() {
            return Err(ProvisionError::KeyMismatch {
                dir: dir.to_owned(),
            });
        }
        let random = SystemRandom::new();
        let record_key = SigningKey::p256_from_pkcs8(key.serialized_der(), random.clone())
            .map_err(ProvisionError::Sign)?;
        let end = parsed.tbs_certificate.validity.not_after;
        let end_ms = i64::try_from(end.to_unix_duration().as_millis()).unwrap_or(i64::MAX);
        Ok(Self {
            dir: dir.to_owned(),
            issuer: Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(broken)?,
            certificate_pem,
            end: Timestamp::from_unix_ms(end_ms),
            record_key,
            settings,
            random,
        })
    }
}

/// Wraps what the certificate library reports.
pub(crate) const fn making(what: &'static str) -> impl FnOnce(rcgen::Error) -> ProvisionError {
    move |source| ProvisionError::Certificate { what, source }
}

/// Writes a private key that its owner alone may read.
pub(crate) fn put_key(path: &Path, key: &KeyPair) -> Result<(), ProvisionError> {
    durable::write(path, key.serialize_pem().as_bytes(), Readers::Owner)
}

fn put_public(path: &Path, pem: &str) -> Result<(), ProvisionError> {
    durable::write(path, pem.as_bytes(), Readers::All)
}

/// A machine would be told a list that no central takes.
fn check_brokers(brokers: &[Endpoint]) -> Result<(), Refusal> {
    let count = brokers.len();
    if count > MAX_BROKERS {
        return Err(Refusal::TooManyBrokers { count });
    }
    match named_twice(brokers) {
        Some(twice) => Err(Refusal::BrokerTwice {
            broker: twice.to_string(),
        }),
        None => Ok(()),
    }
}

fn settings_path(dir: &Path) -> PathBuf {
    dir.join("authority.toml")
}
