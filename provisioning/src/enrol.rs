//! Enrolment: a machine's request in, its certificate and all it must know out.

use loket_wire::enrolment::{EnrolmentRequest, InstallBundle, MachineRecord, RECORD_CONTEXT};
use loket_wire::sealed::SealingPublic;
use loket_wire::{MachineId, OfficeId, Sha256Digest, Timestamp, frame};

use crate::authority::Authority;
use crate::bookkeeping::{Book, Cause, Issued, Revocation};
use crate::certificate::{Kind, check_clock};
use crate::durable::{self, Readers};
use crate::error::{ProvisionError, Refusal};
use crate::request::{CertificateRequest, check_sealing_key};
use crate::revoke::Revoked;

/// The version of the wire shapes this module reads and writes.
const WIRE_VERSION: u16 = 1;

/// What to do where the name is enrolled with other keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OtherKeys {
    Refuse,
    Supersede,
}

/// A machine that was enrolled with new keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// What the machine installs.
    pub bundle: InstallBundle,
    /// Its certificates that are on the list; `None` where it never had another.
    pub revoked: Option<Revoked>,
}

impl Authority {
    /// Enrols a machine: signs its certificate and writes `machines/<id>.json` for central.
    ///
    /// The same request again gets the same certificate in the first third of its life, and a new one (a renewal)
    /// later, so a cut at any point is healed by repeating; the office may differ (the machine moved).
    ///
    /// # Errors
    /// [`ProvisionError::Refused`] when the request is not what it must be, the name was revoked, or the name is
    /// enrolled with other keys ([`Authority::replace`] is for that); what writing files can meet.
    pub fn enrol(
        &self,
        request: &EnrolmentRequest,
        office: OfficeId,
        now: Timestamp,
    ) -> Result<InstallBundle, ProvisionError> {
        let enrolled = self.admit(request, office, now, OtherKeys::Refuse)?;
        Ok(enrolled.bundle)
    }

    /// Enrols a machine whose earlier keys are lost (a new disk): like [`Authority::enrol`], and certificates of the
    /// name for other keys go onto the revocation list as superseded. The broker must read the list afterwards.
    ///
    /// # Errors
    /// Those of [`Authority::enrol`], except that other keys are no obstacle.
    pub fn replace(
        &self,
        request: &EnrolmentRequest,
        office: OfficeId,
        now: Timestamp,
    ) -> Result<Replaced, ProvisionError> {
        self.admit(request, office, now, OtherKeys::Supersede)
    }

    fn admit(
        &self,
        request: &EnrolmentRequest,
        office: OfficeId,
        now: Timestamp,
        other_keys: OtherKeys,
    ) -> Result<Replaced, ProvisionError> {
        check_clock(now)?;
        let machine = &request.machine;
        let checked = self.check(request)?;
        let _lock = self.lock()?;
        if self.is_denied(machine)? {
            return Err(Refusal::RevokedName {
                machine: machine.clone(),
            }
            .into());
        }
        let book = self.book();
        let (same, mut others): (Vec<Issued>, Vec<Issued>) = book
            .of(machine.as_str())?
            .into_iter()
            .partition(|issued| issued.request_sha256 == checked.digest);
        others.retain(|issued| issued.is_good(now));
        if !others.is_empty() && other_keys == OtherKeys::Refuse {
            return Err(Refusal::OtherKeys {
                machine: machine.clone(),
            }
            .into());
        }
        let issued = match same.into_iter().rfind(|issued| issued.is_fresh(now)) {
            Some(fresh) => fresh,
            None => {
                let bound = (checked.digest, now);
                let name = machine.as_str();
                let new = self.sign(Kind::Machine, name, &checked.csr.key, Vec::new(), bound)?;
                book.put(&new)?;
                new
            }
        };
        self.put_record(request, &checked, &office, &issued)?;
        for mut other in others {
            other.revoked = Some(Revocation {
                at: now,
                cause: Cause::Superseded,
            });
            book.put(&other)?;
        }
        Ok(Replaced {
            revoked: self.list(&book, machine, now)?,
            bundle: self.bundle(request, office, issued),
        })
    }

    /// Writes the list anew where a certificate of the name is revoked: also one that an earlier run revoked and was
    /// cut before the list.
    fn list(
        &self,
        book: &Book,
        machine: &MachineId,
        now: Timestamp,
    ) -> Result<Option<Revoked>, ProvisionError> {
        let mut revoked = book.of(machine.as_str())?;
        revoked.retain(|issued| issued.revoked.is_some());
        if revoked.is_empty() {
            return Ok(None);
        }
        self.put_crl(now)?;
        Ok(Some(Revoked {
            serials: revoked.into_iter().map(|issued| issued.serial).collect(),
            broker_folders: self.broker_folders()?,
        }))
    }

    fn check(&self, request: &EnrolmentRequest) -> Result<Checked, ProvisionError> {
        if request.version != WIRE_VERSION {
            return Err(Refusal::Version {
                version: request.version,
            }
            .into());
        }
        let csr = CertificateRequest::read(&request.csr_pem, request.machine.as_str())?;
        let sealing = SealingPublic::parse(&request.sealing_public_key)
            .map_err(|_seal| Refusal::SealingKey)?;
        let raw_sealing = data_encoding::BASE64
            .decode(sealing.to_string().as_bytes())
            .map_err(|_decode| Refusal::SealingKey)?;
        check_sealing_key(&raw_sealing, self.random())?;
        // Both keys have one length each, so they cannot run into each other. The requests of one machine differ
        // in their signatures (ECDSA is randomised); its keys do not.
        let digest = Sha256Digest::of(&[csr.raw_key(), &raw_sealing].concat());
        Ok(Checked {
            csr,
            sealing,
            digest,
        })
    }

    fn put_record(
        &self,
        request: &EnrolmentRequest,
        checked: &Checked,
        office: &OfficeId,
        issued: &Issued,
    ) -> Result<(), ProvisionError> {
        let record = MachineRecord {
            version: WIRE_VERSION,
            machine: request.machine.clone(),
            office: office.clone(),
            certificate_serial: issued.serial.clone(),
            report_key: checked.csr.verifying_key(),
            sealing_public_key: checked.sealing.to_string(),
            key_id: checked.sealing.key_id(),
            enrolled_at: issued.issued_at,
        };
        let folder = self.path("machines");
        let path = folder.join(format!("{}.json", request.machine));
        let body = serde_json::to_vec(&record).map_err(|source| ProvisionError::Json {
            path: path.clone(),
            source,
        })?;
        let framed = frame::seal(RECORD_CONTEXT, &body, self.signing_key())
            .map_err(ProvisionError::Record)?;
        // Whoever carries the records to central is another user, and so is central; they hold public keys alone.
        durable::open_folder(&folder)?;
        durable::write(&path, &framed, Readers::All)
    }

    fn bundle(
        &self,
        request: &EnrolmentRequest,
        office: OfficeId,
        issued: Issued,
    ) -> InstallBundle {
        let settings = self.settings();
        InstallBundle {
            version: WIRE_VERSION,
            machine: request.machine.clone(),
            office,
            certificate_pem: issued.certificate_pem,
            authority_pem: self.certificate_pem().to_owned(),
            brokers: settings.brokers.clone(),
            documents: settings.documents.clone(),
            central_key: settings.central_key.clone(),
        }
    }
}

/// A request that passed.
struct Checked {
    csr: CertificateRequest,
    sealing: SealingPublic,
    digest: Sha256Digest,
}
